//! What every kind of target makes of a value, with both decoders.

use super::*;
use crate::{
    codec::{Decoder, fast},
    document::{NodeDecoder, decode::ChosenParts},
};
use serde::de::DeserializeOwned;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    net::IpAddr,
    path::PathBuf,
};

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct V<T> {
    v: T,
}

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
enum Shape {
    Point,
    Circle(u32),
    Box(i8, i8),
    Text { text: String },
    Inner(Option<Level>),
}

#[derive(serde::Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Level {
    Low,
    High,
}

#[derive(serde::Deserialize, Debug)]
#[serde(untagged)]
#[allow(dead_code)]
enum Untagged {
    Number(u8),
    Text(String),
    List(Vec<u8>),
    Map { a: u8 },
}

#[derive(serde::Deserialize, Debug)]
#[serde(tag = "kind")]
#[allow(dead_code)]
enum Internal {
    A { a: u16 },
    B,
}

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct Leaf {
    a: u8,
    #[serde(default)]
    b: Option<String>,
}

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct New(u16);

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct Pair(u8, String);

#[derive(serde::Deserialize, Debug)]
struct Nothing;

/// Panics where the fast decoder takes a value and the model does not, or makes something else of it; answers how many
/// targets take it.
fn holds<T: DeserializeOwned + Debug>(dialect: Dialect, text: &str) -> usize {
    let Ok(document) = Document::parse(dialect, text) else {
        return 0;
    };
    let fast: Result<V<T>, String> = match dialect {
        Dialect::Json => fast(&Decoder::Json, text),
        Dialect::Yaml => fast(&Decoder::Yaml, text),
        _ => fast(&Decoder::Toml, text),
    }
    .map_err(|syntax| syntax.message);
    let (parts, left) = (ChosenParts::default(), NodeDecoder::budget(&document));
    let slow = V::<T>::deserialize(NodeDecoder::new(&document, &parts, &left));
    let name = std::any::type_name::<T>();
    match (&fast, &slow) {
        (Ok(fast), Ok(slow)) => {
            assert_eq!(
                format!("{fast:?}"),
                format!("{slow:?}"),
                "{name} {dialect:?} {text}"
            );
        }
        (Ok(fast), Err(error)) => {
            panic!("{name} {dialect:?} accuses {text:?}, which is {fast:?}: {error}")
        }
        // A surplus item, which toml passes over, is reported better.
        (Err(error), Ok(slow)) => {
            panic!("{name} {dialect:?} takes {text:?} for {slow:?}: {error}")
        }
        (Err(_), Err(_)) => {}
    }
    usize::from(fast.is_ok())
}

fn all(dialect: Dialect, text: &str) -> usize {
    macro_rules! holds {
        ($($type:ty),* $(,)?) => {
            0 $(+ holds::<$type>(dialect, text))*
        };
    }
    holds!(
        bool, u8, i8, u16, i32, u64, i64, u128, i128, f32, f64, char, String, PathBuf, IpAddr, (),
        Option<u8>, Option<String>, Option<Option<bool>>, Vec<u8>, Vec<String>, Vec<Option<bool>>,
        (u8, String), [u8; 2], BTreeSet<String>, BTreeMap<String, u8>, BTreeMap<u16, String>,
        BTreeMap<bool, u8>, BTreeMap<Level, u8>, BTreeMap<i8, Leaf>, BTreeMap<New, u8>, Shape, Level,
        Vec<Shape>, Untagged, Internal, Leaf, Flat, New, Pair, Nothing, serde_json::Value,
        Box<str>, ::toml::Spanned<u8>, ::toml::Spanned<Option<String>>, ::toml::value::Datetime,
        serde::de::IgnoredAny, std::time::Duration, Vec<(u8, u8)>, BTreeMap<String, ()>,
    )
}

impl PartialEq for New {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for New {}
impl PartialOrd for New {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for New {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

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
];

fn document(dialect: Dialect, value: &str) -> String {
    match dialect {
        Dialect::Json => format!("{{\"v\": {value}}}"),
        Dialect::Yaml => format!("v: {value}\n"),
        _ => format!("v = {value}\n"),
    }
}

#[test]
fn every_target_reads_every_value_as_with_the_fast_decoder() {
    for dialect in FORMATS {
        let taken: usize = VALUES
            .iter()
            .map(|value| all(dialect, &document(dialect, value)))
            .sum();
        assert!(taken > 150, "{dialect:?} {taken}");
    }
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
