//! Holds what is read of JSON5 against another reader of it, the crate `json5`: what both read is the same, and what one alone reads is
//! listed here with the reason.

use super::{
    JSON5,
    agreement::{Any, fast, sorted},
    mutated,
};
use crate::document::{Dialect, Document};
use std::collections::BTreeMap;

fn ours(text: &str) -> Option<Any> {
    fast(Dialect::Json5, text).map(sorted)
}

fn theirs(text: &str) -> Option<Any> {
    json5::from_str::<Any>(text).ok().map(sorted)
}

/// What is no number is one, whatever its sign; and zero below zero is a float here, as in JSON, and an integer there.
fn alike(any: Any) -> Any {
    match any {
        Any::Float(float) if float.is_nan() => Any::Float(f64::NAN),
        Any::Float(0.0) => Any::Integer(0),
        // The last digit of a float is serde_json's, as in JSON.
        Any::Float(float) => Any::Float(format!("{float:.13e}").parse().unwrap_or(float)),
        Any::List(items) => Any::List(items.into_iter().map(alike).collect()),
        Any::Map(entries) => {
            let entries = entries.into_iter();
            Any::Map(entries.map(|(k, v)| (alike(k), alike(v))).collect())
        }
        any => any,
    }
}

/// Why a text is refused here and read by others. Each is a refusal with a place, and no other value.
fn refused(text: &str) -> Option<&'static str> {
    let is_any_in = |all: &[&str]| all.iter().any(|one| text.contains(one));
    if is_any_in(&["\u{2028}", "\u{2029}"]) && text.contains("//") {
        return Some("a separator of lines in a comment");
    }
    if text.contains('\u{feff}') {
        return Some("a byte order mark within the text");
    }
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '$' | '_');
    let behind_name = |mark: &str| {
        let mut places = text.match_indices(mark);
        places.any(|(at, _)| text[..at].ends_with(is_of_name))
    };
    if behind_name("//") || behind_name("/*") {
        return Some("a comment directly behind a name");
    }
    if behind_name("\u{b}") {
        return Some("a vertical tab directly behind a name");
    }
    if is_any_in(&["a\u{300}", "a\u{200d}"]) {
        return Some("a mark or a joiner in a name");
    }
    if is_any_in(&["\\ud8", "\\udc"]) {
        return Some("half a pair of UTF-16");
    }
    if is_any_in(&["\\u0061", "a\\u0062"]) {
        return Some("an escape in a name");
    }
    // It is a document, of which one value cannot be had.
    match Document::json5_refusal(text) {
        None => Some("a number that no type has"),
        Some(_) => None,
    }
}

/// Why a text is read here and refused by others.
fn taken(text: &str, read: &Any) -> Option<&'static str> {
    match read {
        Any::Null if !text.contains("null") => Some("comments alone: nothing is set"),
        _ if text.contains('\u{85}') => Some("one more blank"),
        _ => None,
    }
}

#[derive(Default)]
struct Json5Comparison {
    counts: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Json5Comparison {
    fn compare(&mut self, text: &str) {
        let outcome = match (ours(text), theirs(text)) {
            (Some(ours), Some(theirs)) => {
                let (ours, theirs) = (alike(ours), alike(theirs));
                if ours != theirs {
                    self.wrong
                        .push(format!("{text:?} is {ours:?} here and {theirs:?} there"));
                }
                "read alike"
            }
            (None, None) => "refused by both",
            (None, Some(theirs)) => refused(text).unwrap_or_else(|| {
                let refusal = Document::json5_refusal(text);
                self.wrong.push(format!(
                    "{text:?} is refused, and {theirs:?} there: {refusal:?}"
                ));
                "refused"
            }),
            (Some(ours), None) => taken(text, &ours).unwrap_or_else(|| {
                let error = json5::from_str::<Any>(text);
                self.wrong.push(format!(
                    "{text:?} is {ours:?}, and refused there: {error:?}"
                ));
                "taken"
            }),
        };
        *self.counts.entry(outcome).or_default() += 1;
    }
}

const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "+0",
    "0.0",
    "-0.0",
    "+.5",
    ".5e3",
    "5.",
    "5.e-3",
    "1e400",
    "0x0",
    "0XfF",
    "-0x1F",
    "+0xa",
    "0xffffffffffffffff",
    "0x10000000000000000",
    "18446744073709551616",
    "-9223372036854775809",
    "0x",
    "00",
    "01",
    "1_0",
    "0b1",
    "0o7",
    "1.2.3",
    "1e",
    "1e+",
    "-",
    "+",
    "--1",
    "+-1",
    ".",
    "Infinity",
    "+Infinity",
    "-Infinity",
    "NaN",
    "-NaN",
    "infinity",
    "nan",
    "Infinit",
    "undefined",
    "- 1",
    "''",
    "\"\"",
    "'\"'",
    "\"'\"",
    "'\\''",
    "'\\\"'",
    "\"\\'\"",
    "'a\\\nb'",
    "'a\\\r\nb'",
    "'a\\\rb'",
    "'a\\\u{2028}b'",
    "'a\u{2028}b'",
    "'a\nb'",
    "'a\rb'",
    "'\t'",
    "'\u{1}'",
    "'\\x41'",
    "'\\x4'",
    "'\\u0041'",
    "'\\u004'",
    "'\\u{41}'",
    "'\\ud83d\\ude00'",
    "'\\ud800'",
    "'\\udc00'",
    "'\\0'",
    "'\\01'",
    "'\\1'",
    "'\\8'",
    "'\\v\\b\\f\\n\\r\\t'",
    "'\\a\\z\\/'",
    "'\\\u{e9}'",
    "'\\😀'",
    "'// no'",
    "'/* no */'",
    "'",
];
const KEYS: &[&str] = &[
    "a",
    "$",
    "_",
    "$a_1",
    "é",
    "été",
    "null",
    "true",
    "NaN",
    "Infinity",
    "Infinity_b",
    "null_a",
    "nullx",
    "__proto__",
    "constructor",
    "'a'",
    "\"a\"",
    "'\\x61'",
    "'__proto__'",
    "1",
    "1a",
    "a-b",
    "a.b",
    "-a",
    "'1'",
    "''",
    "a\\u0062",
    "\\u0061",
    "ⅷ",
    "a\u{300}",
    "a\u{200d}",
    "漢",
    "[a]",
    "",
];
const BETWEEN: &[&str] = &[
    "",
    "",
    "",
    " ",
    "\t",
    "\n",
    "\r",
    "\u{b}",
    "\u{c}",
    "\u{a0}",
    "\u{feff}",
    "\u{2028}",
    "\u{2029}",
    "\u{3000}",
    "\u{85}",
    "/**/",
    "/* ' */",
    "/* \u{2028} */",
    "// x\n",
    "// x\r",
    "// x\u{2028}",
    "/",
    "#",
    ";",
];

fn value(random: &mut fastrand::Rng, depth: usize, text: &mut String) {
    let between = |random: &mut fastrand::Rng, text: &mut String| {
        if random.u8(..4) == 0 {
            text.push_str(BETWEEN[random.usize(..BETWEEN.len())]);
        }
    };
    between(random, text);
    match random.u8(..if depth == 0 { 3 } else { 6 }) {
        3 => {
            text.push('[');
            for _ in 0..random.u8(..4) {
                value(random, depth - 1, text);
                text.push_str(if random.u8(..12) == 0 { "" } else { "," });
            }
            between(random, text);
            text.push(']');
        }
        4 | 5 => {
            text.push('{');
            for _ in 0..random.u8(..4) {
                between(random, text);
                text.push_str(KEYS[random.usize(..KEYS.len())]);
                between(random, text);
                text.push(':');
                value(random, depth - 1, text);
                text.push_str(if random.u8(..12) == 0 { "" } else { "," });
            }
            between(random, text);
            text.push('}');
        }
        _ => text.push_str(SCALARS[random.usize(..SCALARS.len())]),
    }
    between(random, text);
}

#[test]
fn every_piece_of_the_language_means_what_another_reader_takes_it_for() {
    let mut all = Json5Comparison::default();
    for scalar in SCALARS {
        for text in [
            (*scalar).to_owned(),
            format!("[{scalar},]"),
            format!("{{a:{scalar}}}"),
            format!("[{scalar}, {scalar}]"),
        ] {
            all.compare(&text);
        }
    }
    for key in KEYS {
        all.compare(&format!("{{{key}:1}}"));
        for between in BETWEEN {
            all.compare(&format!(
                "{{{between}{key}{between}:{between}1{between},{between}}}"
            ));
        }
    }
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..20_000 {
        let mut text = String::new();
        value(&mut random, 3, &mut text);
        all.compare(&text);
    }
    for _ in 0..4_000 {
        all.compare(&mutated(JSON5, &mut random));
    }
    println!("{:#?}", all.counts);
    all.wrong.sort_by_key(String::len);
    let shown: Vec<_> = all.wrong.iter().take(60).collect();
    assert!(shown.is_empty(), "{}: {shown:#?}", all.wrong.len());
    assert!(all.counts["read alike"] > 3_000, "{:?}", all.counts);
}
