//! Random documents, written anew at random: the same values are the same content, and other values are other content.
//! `FLUX_VALUES_SEED=7` repeats one seed.

use super::values;
use crate::{codec::Decoder, layer::Config};
use fastrand::Rng;
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write};

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct ValuesSection {
    #[flux(default = 0)]
    x: i64,
    #[flux(default)]
    y: String,
    #[flux(default)]
    names: Vec<String>,
}

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct ValuesRoot {
    #[flux(default = 0)]
    n: u32,
    #[flux(default)]
    #[serde(alias = "other_text")]
    text: String,
    #[flux(nested)]
    inner: ValuesSection,
    #[flux(nested)]
    list: Vec<ValuesSection>,
    #[flux(nested)]
    map: BTreeMap<String, ValuesSection>,
    #[flux(default)]
    any: BTreeMap<String, Value>,
}

/// A document of these types, as JSON has it.
fn document(rng: &mut Rng) -> Value {
    let list: Vec<Value> = (0..rng.usize(0..3)).map(|_| inner(rng)).collect();
    let keys = ["a", "b c", "\u{e4}", "true", "1"];
    let mut map = serde_json::Map::new();
    let mut any = serde_json::Map::new();
    for key in keys {
        if rng.bool() {
            map.insert(key.to_owned(), inner(rng));
        }
        if rng.bool() {
            any.insert(key.to_owned(), value(rng, 2));
        }
    }
    serde_json::json!({
        "n": rng.u32(..), "text": text(rng), "inner": inner(rng), "list": list, "map": map, "any": any,
    })
}

fn inner(rng: &mut Rng) -> Value {
    let names: Vec<String> = (0..rng.usize(0..3)).map(|_| text(rng)).collect();
    serde_json::json!({ "x": rng.i64(..), "y": text(rng), "names": names })
}

fn text(rng: &mut Rng) -> String {
    let texts = [
        "",
        "a",
        "true",
        "1",
        "0x10",
        "1.10",
        "null",
        "~",
        "a: b",
        "a # b",
        "#",
        "- x",
        "'",
        "\"",
        "a\nb",
        " a ",
        "\u{e9}",
        "{a: 1}",
        "[1]",
        "a\\b",
        "!x",
        "&a",
        "*a",
        "2001-01-01",
        "yes",
    ];
    texts[rng.usize(..texts.len())].to_owned()
}

fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.u8(0..if depth == 0 { 4 } else { 6 }) {
        0 => Value::Bool(rng.bool()),
        1 => Value::from(rng.i32(..)),
        2 => Value::from(f64::from(rng.i16(..)) + 0.5),
        3 => Value::String(text(rng)),
        4 => (0..rng.usize(0..3))
            .map(|_| value(rng, depth - 1))
            .collect(),
        _ => {
            let count = rng.usize(0..3);
            let entry = |number: usize| (format!("k{number}"), value(rng, depth - 1));
            Value::Object((0..count).map(entry).collect())
        }
    }
}

/// Writes a document in one of many ways.
struct AnewWriter<'r> {
    rng: &'r mut Rng,
    out: String,
}

impl AnewWriter<'_> {
    fn entries<'v>(
        &mut self,
        map: &'v serde_json::Map<String, Value>,
    ) -> Vec<(&'v String, &'v Value)> {
        let mut all: Vec<_> = map.iter().collect();
        self.rng.shuffle(&mut all);
        all
    }

    fn blanks(&mut self) {
        let blanks = ["", " ", "  "];
        self.out.push_str(blanks[self.rng.usize(..blanks.len())]);
    }

    fn quoted(&mut self, text: &str) {
        for (at, char) in serde_json::to_string(text).unwrap().char_indices() {
            match char.is_ascii_alphabetic()
                && at > 0
                && self.rng.u8(0..8) == 0
                && !self.out.ends_with('\\')
            {
                true => write!(self.out, "\\u{:04x}", u32::from(char)).unwrap(),
                false => self.out.push(char),
            }
        }
    }

    /// JSON, and all but its plain texts the flow style of YAML.
    fn flow(&mut self, value: &Value, is_yaml: bool) {
        match value {
            Value::String(text) if is_yaml => self.yaml_text(text),
            Value::String(text) => self.quoted(text),
            Value::Array(items) => {
                self.out.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.out.push_str(if at == 0 { "" } else { "," });
                    self.blanks();
                    self.flow(item, is_yaml);
                    self.blanks();
                }
                self.out.push(']');
            }
            Value::Object(map) => {
                self.out.push('{');
                for (at, (key, value)) in self.entries(map).into_iter().enumerate() {
                    self.out.push_str(if at == 0 { "" } else { "," });
                    self.blanks();
                    self.quoted(key);
                    self.out.push_str(": ");
                    self.flow(value, is_yaml);
                    self.blanks();
                }
                self.out.push('}');
            }
            plain => write!(self.out, "{plain}").unwrap(),
        }
    }

    fn yaml_text(&mut self, text: &str) {
        let is_simple = text.len() == 1 && text.chars().all(|char| char.is_ascii_alphabetic());
        match self.rng.u8(0..3) {
            0 if is_simple => self.out.push_str(text),
            1 if !text.contains('\n') => {
                write!(self.out, "'{}'", text.replace('\'', "''")).unwrap();
            }
            _ => self.quoted(text),
        }
    }

    fn comment(&mut self) {
        match self.rng.u8(0..4) {
            0 => writeln!(self.out, " # at {}", self.rng.u32(..)).unwrap(),
            1 => writeln!(self.out, "\n").unwrap(),
            _ => self.out.push('\n'),
        }
    }

    fn block(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(map) if !map.is_empty() && self.rng.u8(0..4) > 0 => {
                self.comment();
                for (key, value) in self.entries(map) {
                    self.out.push_str(&"  ".repeat(depth));
                    self.quoted(key);
                    self.out.push(':');
                    self.block(value, depth + 1);
                }
            }
            Value::Array(items) if !items.is_empty() && self.rng.u8(0..4) > 0 => {
                self.comment();
                for item in items {
                    self.out.push_str(&"  ".repeat(depth));
                    self.out.push_str("- ");
                    self.flow(item, true);
                    self.comment();
                }
            }
            value => {
                self.out.push(' ');
                self.flow(value, true);
                self.comment();
            }
        }
    }

    /// TOML, whose sections are written as tables or in braces.
    fn toml(&mut self, root: &serde_json::Map<String, Value>) {
        for (key, value) in self.entries(root) {
            self.quoted(key);
            self.out.push('=');
            self.blanks();
            self.toml_value(value);
            self.comment();
        }
    }

    fn toml_value(&mut self, value: &Value) {
        match value {
            Value::String(text) if !text.contains(['\'', '\n']) && self.rng.bool() => {
                write!(self.out, "'{text}'").unwrap();
            }
            Value::String(text) => self.quoted(text),
            Value::Number(number) if number.is_u64() && self.rng.bool() => {
                write!(self.out, "0x{:x}", number.as_u64().unwrap()).unwrap();
            }
            Value::Array(items) => {
                self.out.push('[');
                for item in items {
                    self.toml_value(item);
                    self.out.push_str(", ");
                }
                self.out.push(']');
            }
            Value::Object(map) => {
                self.out.push('{');
                for (at, (key, value)) in self.entries(map).into_iter().enumerate() {
                    self.out.push_str(if at == 0 { "" } else { ", " });
                    self.quoted(key);
                    self.out.push_str(" = ");
                    self.toml_value(value);
                }
                self.out.push('}');
            }
            plain => write!(self.out, "{plain}").unwrap(),
        }
    }
}

/// The document in some form, with what no field has.
fn written(document: &Value, decoder: &Decoder, rng: &mut Rng) -> String {
    let mut document = document.clone();
    let root = document.as_object_mut().unwrap();
    if rng.bool() {
        root.insert("generated_at".to_owned(), Value::from(rng.u32(..)));
    }
    if rng.bool() {
        let text = root.remove("text").unwrap();
        root.insert("other_text".to_owned(), text);
    }
    let (root, mut writer) = (
        root.clone(),
        AnewWriter {
            rng,
            out: String::new(),
        },
    );
    match decoder {
        decoder if decoder.is_json() => writer.flow(&document, false),
        Decoder::Yaml => writer.block(&document, 0),
        _ => writer.toml(&root),
    }
    writer.out
}

impl Decoder {
    fn is_json(&self) -> bool {
        crate::codec::dialect(self).is_some_and(crate::document::Dialect::is_json)
    }
}

/// Another document.
fn changed(document: &Value, rng: &mut Rng) -> Value {
    loop {
        let mut other = document.clone();
        let root = other.as_object_mut().unwrap();
        match rng.u8(0..6) {
            0 => root["n"] = Value::from(rng.u32(..)),
            1 => root["text"] = Value::String(text(rng)),
            2 => root["inner"]["names"] = vec![text(rng)].into(),
            3 => root["list"].as_array_mut().unwrap().push(inner(rng)),
            4 => root["map"]["new"] = inner(rng),
            _ => root["any"]["a"] = value(rng, 2),
        }
        if other != *document {
            return other;
        }
    }
}

#[test]
fn what_was_only_written_anew_is_the_same_and_another_value_is_not() {
    let given = std::env::var("FLUX_VALUES_SEED").ok();
    let given = given.and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    let told = format!("FLUX_VALUES_SEED={seed}");
    let rng = &mut Rng::with_seed(seed);
    for round in 0..1_500 {
        for decoder in [
            Decoder::Json,
            #[cfg(feature = "jsonc")]
            Decoder::Jsonc,
            #[cfg(feature = "json5")]
            Decoder::Json5,
            Decoder::Yaml,
            Decoder::Toml,
        ] {
            let document = document(rng);
            let other = changed(&document, rng);
            let [one, two, other] =
                [&document, &document, &other].map(|it| written(it, &decoder, rng));
            let of = |text: &str| {
                let decoded = crate::codec::decode::<ValuesRoot>(
                    &decoder,
                    text.as_bytes(),
                    crate::codec::Unknown::Ignore,
                );
                assert!(decoded.is_ok(), "{told} {round}:\n{text}");
                let values = values(ValuesRoot::fields(), &decoder, text.as_bytes());
                values.unwrap_or_else(|| panic!("{told} {round}: not read:\n{text}"))
            };
            assert_eq!(of(&one), of(&two), "{told} {round}:\n{one}\n---\n{two}");
            assert_ne!(of(&one), of(&other), "{told} {round}:\n{one}\n---\n{other}");
        }
    }
}

#[test]
fn aliases_and_merge_keys_count_as_what_they_mean() {
    let of = |text: &str| values(ValuesRoot::fields(), &Decoder::Yaml, text.as_bytes()).unwrap();
    let plain = "inner: {x: 1, y: a}\nlist: [{x: 1, y: a}, {x: 1, y: b}]\n";
    let short = "inner: &i {x: 1, y: a}\nlist:\n- *i\n- <<: *i\n  y: b\n";
    assert_eq!(of(plain), of(short));
    assert_eq!(of(""), of("# nothing\n"));
    assert_eq!(of("null"), of("---\n"));
}

/// In one type or another it would be another value.
#[test]
fn what_only_some_types_read_alike_is_not_the_same() {
    let yaml = |text: &str| values(ValuesRoot::fields(), &Decoder::Yaml, text.as_bytes()).unwrap();
    for (one, other) in [
        ("text: 1.10", "text: 1.1"),
        ("text: 0x10", "text: 16"),
        ("text: True", "text: true"),
        ("text: 1", "text: '1'"),
        ("text: ~", "text: ''"),
        ("any: {a: []}", "any: {a: {}}"),
        ("any: {a: [x, y]}", "any: {a: [y, x]}"),
        ("any: {a: !x y}", "any: {a: y}"),
        ("any: {1: a}", "any: {'1': a}"),
        ("any: {~: a}", "any: {null: a}"),
        ("any: {a: ~}", "any: {a: null}"),
        ("any: {a: !x ~}", "any: {a: !x ''}"),
    ] {
        assert_ne!(yaml(one), yaml(other), "{one}, {other}");
    }
    let toml = |text: &str| values(ValuesRoot::fields(), &Decoder::Toml, text.as_bytes()).unwrap();
    for (one, other) in [("1", "01"), ("1", "0x1"), ("10", "1_0")] {
        let [one, other] = [one, other].map(|key| format!("[map.{key}]\nx = 1"));
        assert_ne!(toml(&one), toml(&other), "{one}, {other}");
    }
}

#[test]
fn what_cannot_be_read_or_grows_too_much_has_no_values() {
    let of = |text: &str| values(ValuesRoot::fields(), &Decoder::Yaml, text.as_bytes());
    let deep = format!("any: {{a: {}{}}}", "[".repeat(200), "]".repeat(200));
    let cycle = "any: &a {b: *a}";
    let mut wide = "any:\n  a0: &a0 [aaaaaaaaaaaaaaaaaaaa]\n".to_owned();
    for n in 1..30 {
        writeln!(wide, "  a{n}: &a{n} [*a{}, *a{}]", n - 1, n - 1).unwrap();
    }
    for text in ["a: [", "a: 1\n---\nb: 1", &deep, cycle, &wide] {
        assert_eq!(of(text), None, "{text}");
    }
    let bytes = values(ValuesRoot::fields(), &Decoder::Json, b"\xff{}");
    assert_eq!(bytes, None);
}
