//! What every kind of target makes of a value, with both decoders.

use super::{FORMATS, mutated};
use crate::document::{
    Dialect,
    agreement::targets::{all, all_beside_merge_keys},
};

const VALUES: &[&str] = &[
    "1",
    "-1",
    "+1",
    "256",
    "0",
    "-0",
    "1.10",
    "1e3",
    "1.5",
    "1E400",
    "0x10",
    "-0x10",
    "0o17",
    "0b11",
    "0123",
    "1_000",
    "18446744073709551616",
    "-9223372036854775809",
    "340282366920938463463374607431768211455",
    "340282366920938463463374607431768211456",
    "true",
    "True",
    "false",
    "yes",
    "null",
    "~",
    "Null",
    "",
    "\"\"",
    "\"a\"",
    "\"1\"",
    "\"true\"",
    "\"null\"",
    "'a'",
    "'''a'''",
    "a",
    "ab",
    "é",
    "\"\\u00e9\"",
    "\"\\ud800\"",
    "inf",
    "nan",
    ".inf",
    "-.inf",
    ".nan",
    "+inf",
    "1979-05-27",
    "1979-05-27T07:32:00Z",
    "07:32:00",
    "127.0.0.1",
    "\"127.0.0.1\"",
    "[]",
    "[1]",
    "[1, 2]",
    "[1, 2, 3]",
    "[\"a\", \"b\"]",
    "[1, \"a\"]",
    "[null]",
    "[true, null]",
    "[~, True]",
    "[[1, 2], [3, 4]]",
    "[1.10, 0x10, True]",
    "{}",
    "{\"a\": 1}",
    "{a: 1}",
    "{a = 1}",
    "{\"a\": 1, \"b\": \"x\"}",
    "{a: 1, b: }",
    "{a = 1, b = 'x', c = 1979-05-27}",
    "{\"1\": \"x\", \"2\": \"y\"}",
    "{1: x, 0x10: y}",
    "{1 = 'x'}",
    "{\"+1\": \"x\"}",
    "{\"01\": \"x\"}",
    "{\"true\": 1}",
    "{true: 1}",
    "{true = 1}",
    "{\"low\": 1}",
    "{low: 1, high: 2}",
    "{low = 1}",
    "\"low\"",
    "low",
    "High",
    "Point",
    "\"Point\"",
    "{\"Point\": null}",
    "{\"Circle\": 3}",
    "{Circle = 3}",
    "{\"Box\": [1, 2]}",
    "{Box = [1, 2]}",
    "{Box = {0 = 1, 1 = 2}}",
    "{Box = {1 = 1, 0 = 2}}",
    "{Box = {1 = 1, 2 = 2}}",
    "{Point = {}}",
    "{Point = []}",
    "{\"Text\": {\"text\": \"x\"}}",
    "{Text = {text = 'x'}}",
    "{Text = {text = 'x', more = 1}}",
    "!Circle 3",
    "!Point",
    "!Point null",
    "!Box [1, 2]",
    "!Text {text: x}",
    "!Inner ~",
    "!Inner low",
    "!Inner",
    "!Nope 1",
    "!Circle(3",
    "!Circle(3)",
    "{\"Inner\": \"low\"}",
    "{Inner = 'low'}",
    "[!Circle 1, Point]",
    "!!int 5",
    "!!str 5",
    "!!float 1",
    "!!null ~",
    "!!bool yes",
    "!!bool true",
    "! 5",
    "!x [1, 2]",
    "!x {a: 1}",
    "{\"kind\": \"A\", \"a\": 5}",
    "{kind: B}",
    "{kind = 'A', a = 5}",
    "{kind: A, a: 0x5}",
    "{\"secs\": 1, \"nanos\": 0}",
    "{secs: 1, nanos: 0}",
    "{\"a\": 1, \"a\": 2}",
    "{\"Circle\": 1, \"Point\": null}",
    "&x 5",
    "&x [1]",
    "[&x 1, *x]",
    "{a: &x 1, c: *x}",
    "{a: 1, ? [x] : 2}",
    "|\n  5",
    ">\n  text\n  more",
    "!!int |\n  5",
    "!!int |-\n  5",
    "\"a\\nb\"",
    "{\"a\": \"1\"}",
    "{a: '1'}",
    "{<<: {a: 1}, b: x}",
    "{<<: [{a: 1}, {a: 2, b: y}], b: x}",
    "{<<: {Circle: 3}}",
    "{<<: 5}",
    "{<<: null0}",
    "{<<: !x {a: 1}}",
    "{<<: [!x {a: 1}]}",
    "{! <<: {a: 1}}",
    "{~: 1, <<: {~: 2, a: 3}}",
    "!!int \"5\"",
    "!!float \"5\"",
    "!!bool \"true\"",
    "!!null \"null\"",
    "! \"5\"",
    "!x",
    "!x ~",
    "!!map",
];

fn document(dialect: Dialect, value: &str) -> String {
    match dialect {
        dialect if dialect.is_json() => format!("{{\"v\": {value}}}"),
        Dialect::Yaml => format!("v: {value}\n"),
        _ => format!("v = {value}\n"),
    }
}

#[test]
fn every_target_reads_every_value_as_with_the_fast_decoder() {
    for dialect in FORMATS.iter().copied() {
        let taken: usize = VALUES
            .iter()
            .map(|value| all(dialect, &document(dialect, value)))
            .sum();
        assert!(taken > 150, "{dialect:?} {taken}");
    }
}

#[test]
fn a_document_with_merge_keys_is_read_as_one_without() {
    let taken: usize = VALUES
        .iter()
        .map(|value| all_beside_merge_keys(&document(Dialect::Yaml, value)))
        .sum();
    assert!(taken > 150, "{taken}");
}

#[test]
fn every_target_reads_mutated_values_as_with_the_fast_decoder() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..3_000 {
        let dialect = FORMATS[random.usize(0..FORMATS.len())];
        let value = VALUES[random.usize(0..VALUES.len())];
        let text = document(dialect, &mutated(value, &mut random));
        all(dialect, &text);
    }
}
