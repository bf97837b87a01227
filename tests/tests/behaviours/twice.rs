//! Keys that stand in their map twice are refused, wherever it is and whatever decodes it.

use crate::{applied, refusal};
use flux::{Flux, Format};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

#[derive(Flux)]
struct App {
    #[flux(default = 8080)]
    port: u16,
    #[flux(default = "localhost")]
    host: String,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested)]
    spare: Option<Pool>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    upstreams: Vec<Pool>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    counts: Option<HashMap<u32, u32>>,
    #[flux(default)]
    deep: BTreeMap<String, HashMap<String, u32>>,
    #[flux(default)]
    rows: Vec<BTreeMap<String, u32>>,
    #[flux(default)]
    levels: HashMap<Level, u32>,
    #[flux(default)]
    waits: BTreeMap<String, Duration>,
    #[flux(default)]
    plain: Option<Plain>,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1)]
    max: u32,
    #[flux(default)]
    #[serde(alias = "minimum")]
    min: u32,
}

#[derive(Deserialize, Clone, PartialEq)]
struct Plain {
    _a: Option<u32>,
}

#[derive(Deserialize, Clone, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    Info,
}

/// A document, the path that is told, and `§` before the place that is told.
#[rustfmt::skip]
const TWICE: &[(Format, &str, &str)] = &[
    // Fields and sections, by their name and by an alias.
    (Format::Json, "{\"host\": \"a\",\n \"host\": §\"b\"}", "host"),
    (Format::Yaml, "host: a\nport: 1\nhost: §b", "host"),
    (Format::Toml, "host = \"a\"\nport = 1\nhost = §\"b\"", "host"),
    (Format::Json, "{\"pool\": {},\n\"pool\": §{}}", "pool"),
    (Format::Yaml, "pool: {max: 1}\npool:\n  §min: 1", "pool"),
    (Format::Toml, "[pool]\nmin = 1\n§[pool]\nmax = 1", "pool"),
    (Format::Json, "{\"pool\": {\"min\": 1, \"minimum\": §2}}", "pool.minimum"),
    (Format::Yaml, "pool:\n  minimum: 1\n  min: §1", "pool.min"),
    (Format::Toml, "pool.min = 1\npool.min = §1", "pool.min"),
    (Format::Toml, "pool = {\"min\" = 1, min = §1, max = 1}", "pool.min"),
    // Null says nothing, but it stands there.
    (Format::Yaml, "pool:\npool: §{max: 1}", "pool"),
    (Format::Yaml, "spare: ~\nspare: §{max: 1}", "spare"),
    (Format::Json, "{\"pool\": null, \"pool\": §null}", "pool"),
    // In sections of every kind.
    (Format::Yaml, "tenants:\n  a: {}\n  a: §{min: 1}", "tenants.a"),
    (Format::Json, "{\"tenants\": {\"a\": {}, \"a\": §{}}}", "tenants.a"),
    (Format::Toml, "[tenants.a]\nmin = 1\n§[tenants.a]", "tenants.a"),
    (Format::Yaml, "upstreams:\n- {}\n- {min: 1, min: §2}", "upstreams[1].min"),
    (Format::Toml, "[[upstreams]]\n[[upstreams]]\nmin = 1\nmin = §2", "upstreams[1].min"),
    // In values that are decoded as a whole.
    (Format::Json, "{\"labels\": {\"a\": \"1\",\n\"a\": §\"2\"}}", "labels.a"),
    (Format::Yaml, "labels:\n  a: 1\n  b: 2\n  a: §1", "labels.a"),
    (Format::Toml, "labels = {a = \"1\", b = \"\", a = §\"2\"}", "labels.a"),
    (Format::Toml, "[labels]\n\"a b\" = \"1\"\n\"a b\" = §\"2\"", "labels.a b"),
    (Format::Json, "{\"counts\": {\"1\": 1, \"1\": §2}}", "counts.1"),
    (Format::Yaml, "counts: {1: 1, 2: 1, 1: §3}", "counts.1"),
    (Format::Json, "{\"deep\": {\"a\": {\"x\": 1}, \"b\": {\"x\": 1, \"x\": §1}}}", "deep.b.x"),
    (Format::Yaml, "deep: {a: {x: 1}, b: {x: 1, x: §1}}", "deep.b.x"),
    (Format::Toml, "[deep.a]\nx = 1\nx = §2", "deep.a.x"),
    (Format::Yaml, "rows:\n- {x: 1}\n- {x: 1, y: 1, x: §2}", "rows[1].x"),
    (Format::Json, "{\"rows\": [{\"x\": 1}, {\"x\": 1, \"x\": §1}]}", "rows[1].x"),
    (Format::Json, "{\"levels\": {\"info\": 1, \"debug\": 1, \"info\": §1}}", "levels.info"),
    (Format::Yaml, "waits: {a: 1s, a: §2s}", "waits.a"),
    (Format::Toml, "[waits]\na = \"1s\"\na = §\"2s\"", "waits.a"),
    (Format::Yaml, "plain: {_a: 1, _a: §2}", "plain._a"),
    // However a key is written.
    (Format::Jsonc, "{\"host\": \"a\", // \"host\"\n \"h\\u006fst\": §\"b\",}", "host"),
    (Format::Jsonc, "{\"labels\": {\"a\": \"1\",/* é */\"a\": §\"2\",},}", "labels.a"),
    (Format::Json5, "{host: 'a',\n 'host': §'b'}", "host"),
    (Format::Json5, "{pool: {min: 1, 'minimum': §2}}", "pool.minimum"),
    (Format::Json5, "{labels: {__proto__: '1', '__proto__': §'2'}}", "labels.__proto__"),
    (Format::Json5, "{rows: [{x: 1}, {x: 1, 'x': §0x1}]}", "rows[1].x"),
];

/// The document without its mark, and the line and column of the mark.
fn marked(text: &str) -> (String, Option<usize>, Option<usize>) {
    let before = text.split('§').next().unwrap();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (text.replace('§', ""), Some(line), Some(column))
}

/// What is JSON is JSONC and JSON5, too.
fn as_json_too(
    documents: &'static [(Format, &str, &str)],
) -> impl Iterator<Item = (Format, &'static str, &'static str)> {
    documents.iter().flat_map(|(format, text, path)| {
        let formats = match format {
            Format::Json => vec![Format::Json, Format::Jsonc, Format::Json5],
            format => vec![*format],
        };
        formats
            .into_iter()
            .map(move |format| (format, *text, *path))
    })
}

#[tokio::test]
async fn a_key_that_stands_twice_is_told_with_its_own_path_and_place() {
    for (format, text, path) in as_json_too(TWICE) {
        let (document, line, column) = marked(text);
        let report = refusal::<App>(format, &document).await;
        let [problem] = report.problems() else {
            panic!("{document}\n{report}");
        };
        // Where an alias is beside its field, both keys are named.
        let expected = match (text.contains("minimum"), path.ends_with("minimum")) {
            (true, true) => "`min` and `minimum` are the same field; remove one",
            (true, false) => "`minimum` and `min` are the same field; remove one",
            (false, _) => "this key occurs twice; remove one",
        };
        assert_eq!(problem.message, expected, "{document}");
        assert_eq!(
            (problem.path.as_str(), problem.line, problem.column),
            (path, line, column),
            "{document}\n{report}"
        );
        let place = format!("--> app:{}:{}", line.unwrap(), column.unwrap());
        assert!(report.to_string().contains(&place), "{report}");
    }
}

#[tokio::test]
async fn keys_that_stand_twice_do_not_hide_other_problems_nor_each_other() {
    for (format, document) in [
        (
            Format::Json,
            "{\"port\": \"x\", \"host\": \"\",\n\"host\": \"\", \"strange\": 1,\n\"labels\": {\"a\": \"\", \"a\": 1}}",
        ),
        (
            Format::Yaml,
            "{port: x, host: a,\nhost: b, strange: 1,\nlabels: {a: '', a: 1}}",
        ),
        (
            Format::Toml,
            "port = \"x\"\nhost = \"\"\nhost = \"\"\nstrange = 1\nlabels = {a = \"\", a = \"\"}",
        ),
    ] {
        let report = refusal::<App>(format, document).await;
        let paths = report.problems().iter().map(|one| one.path.as_str());
        let paths: Vec<&str> = paths.collect();
        for path in ["port", "host", "strange", "labels.a"] {
            assert!(paths.contains(&path), "{path} is not in\n{report}");
        }
        assert!(!report.to_string().contains("twice-"), "{report}");
    }
}

#[tokio::test]
async fn maps_that_hold_every_key_once_are_taken_as_they_are() {
    for (format, document) in [
        (
            Format::Json,
            "{\"labels\": {\"a\": \"1\", \"b\": \"1\"}, \"counts\": {\"1\": 1, \"11\": 1}, \"deep\": {\"a\": {\"x\": 1}, \"b\": {\"x\": 1}}, \"rows\": [{\"x\": 1}, {\"x\": 1}], \"levels\": {\"info\": 1, \"debug\": 2}, \"waits\": {\"a\": \"1s\"}}",
        ),
        (
            Format::Yaml,
            "labels: {a: 1, b: 1}\ncounts: {1: 1, 11: 1}\ndeep: {a: {x: 1}, b: {x: 1}}\nrows: [{x: 1}, {x: 1}]\nlevels: {info: 1, debug: 2}\nwaits: {a: 1s}",
        ),
        (
            Format::Toml,
            "labels = {a = \"1\", b = \"1\"}\ncounts = {1 = 1, 11 = 1}\nwaits.a = \"1s\"\nrows = [{x = 1}, {x = 1}]\nlevels = {info = 1, debug = 2}\n[deep.a]\nx = 1\n[deep.b]\nx = 1",
        ),
    ] {
        let app = applied::<App>(format, document).await;
        assert_eq!(app.labels.len(), 2, "{format}");
        assert_eq!(app.counts.as_ref().map(HashMap::len), Some(2), "{format}");
        assert_eq!((app.deep["a"]["x"], app.deep["b"]["x"]), (1, 1), "{format}");
        assert_eq!(app.rows.len(), 2, "{format}");
        assert_eq!(app.levels[&Level::Debug], 2, "{format}");
        assert_eq!(app.waits["a"], Duration::from_secs(1), "{format}");
    }
}

#[derive(Flux)]
struct Free {
    #[flux(default)]
    any: serde_json::Value,
    #[flux(default)]
    several: Vec<serde_json::Value>,
    #[flux(default)]
    named: BTreeMap<String, serde_json::Value>,
    #[flux(default)]
    either: Option<Either>,
    #[flux(default)]
    open: Option<Open>,
    #[flux(default)]
    pairs: Pairs,
}

#[derive(Deserialize, Clone, PartialEq, Debug)]
#[serde(untagged)]
enum Either {
    Port(u16),
    Tree(BTreeMap<String, serde_json::Value>),
}

#[derive(Deserialize, Clone, PartialEq, Debug)]
struct Open {
    _size: Option<u32>,
    #[serde(flatten)]
    _rest: BTreeMap<String, serde_json::Value>,
}

/// Every entry of a map or of a list of pairs, in order; its keys are not unique.
#[derive(Clone, PartialEq, Debug, Default)]
struct Pairs(Vec<(String, u32)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> serde::de::Visitor<'de> for Any {
            type Value = Pairs;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("pairs")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut a: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = a.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut a: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = a.next_element()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        d.deserialize_any(Any)
    }
}

/// A document, and the path of the key that occurs twice; `§` is before the place.
#[rustfmt::skip]
const TREES: &[(Format, &str, &str)] = &[
    (Format::Json, "{\"any\": {\"a\": 1,\n\"a\": §2}}", "any.a"),
    (Format::Yaml, "any: {a: 1, b: 1, a: §2}", "any.a"),
    (Format::Toml, "[any]\na = 1\na = §2", "any.a"),
    (Format::Json, "{\"any\": [1, {\"x\": {\"a\": 1, \"a\": §1}}]}", "any[1].x.a"),
    (Format::Yaml, "any:\n- 1\n- x:\n    a: 1\n    a: §1", "any[1].x.a"),
    (Format::Toml, "any = [1, {x = {a = 1, a = §1}}]", "any[1].x.a"),
    (Format::Json, "{\"several\": [{}, {\"a\": 1, \"a\": §1}]}", "several[1].a"),
    (Format::Yaml, "several: [{}, {a: 1, a: §1}]", "several[1].a"),
    (Format::Json, "{\"named\": {\"t\": {\"a\": 1, \"a\": §1}}}", "named.t.a"),
    (Format::Yaml, "named: {t: {a: 1, a: §1}}", "named.t.a"),
    (Format::Json, "{\"either\": {\"a\": 1, \"a\": §1}}", "either.a"),
    (Format::Yaml, "either: {a: {b: 1, b: §1}}", "either.a.b"),
    (Format::Json, "{\"open\": {\"a\": 1, \"a\": §1}}", "open.a"),
    (Format::Yaml, "open: {_size: 1, a: {b: 1, b: §1}}", "open.a.b"),
    (Format::Json, "{\"pairs\": {\"a\": 1, \"a\": §1}}", "pairs.a"),
    (Format::Yaml, "pairs: {a: 1, a: §1}", "pairs.a"),
];

#[tokio::test]
async fn a_key_that_occurs_twice_is_refused_in_a_tree_too() {
    for (format, text, path) in as_json_too(TREES) {
        let (document, line, column) = marked(text);
        let report = refusal::<Free>(format, &document).await;
        let [problem] = report.problems() else {
            panic!("{document}\n{report}");
        };
        assert_eq!(
            (problem.message.as_str(), problem.path.as_str()),
            ("this key occurs twice; remove one", path),
            "{document}\n{report}"
        );
        assert_eq!((problem.line, problem.column), (line, column), "{document}");
    }
}

#[tokio::test]
async fn a_tree_takes_the_same_key_in_maps_of_its_own() {
    for (format, document) in [
        (
            Format::Json,
            "{\"any\": {\"a\": {\"a\": 1}, \"b\": [{\"a\": 1}, {\"a\": 1}]}, \"either\": {\"a\": {\"a\": 1}}}",
        ),
        (
            Format::Yaml,
            "any: {a: {a: 1}, b: [{a: 1}, {a: 1}]}\neither: {a: {a: 1}}",
        ),
        (
            Format::Toml,
            "any = {a = {a = 1}, b = [{a = 1}, {a = 1}]}\neither = {a = {a = 1}}",
        ),
    ] {
        let app = applied::<Free>(format, document).await;
        let any = serde_json::json!({"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]});
        assert_eq!(app.any, any, "{format}");
        let tree = BTreeMap::from([("a".to_owned(), serde_json::json!({"a": 1}))]);
        assert_eq!(app.either, Some(Either::Tree(tree)), "{format}");
    }
}

/// A type decides which forms it accepts, and what a list of pairs means; no map may have a key twice.
#[tokio::test]
async fn a_type_of_its_own_takes_pairs_whose_keys_are_not_unique_from_a_list() {
    for (format, document) in [
        (Format::Json, "{\"pairs\": [[\"a\", 1], [\"a\", 2]]}"),
        (Format::Yaml, "pairs: [[a, 1], [a, 2]]"),
        (Format::Toml, "pairs = [[\"a\", 1], [\"a\", 2]]"),
    ] {
        let app = applied::<Free>(format, document).await;
        let expected = [("a".to_owned(), 1), ("a".to_owned(), 2)];
        assert_eq!(app.pairs.0, expected, "{format}");
    }
}

/// A key that its type passes over, and one of several parts, is not taken for another.
#[tokio::test]
async fn keys_of_several_parts_are_told_apart() {
    #[derive(Flux)]
    struct Compound {
        rows: Vec<BTreeMap<(u8, u8), u8>>,
    }
    let app =
        applied::<Compound>(Format::Yaml, "rows:\n- ? [1, 2]\n  : 3\n  ? [1, 3]\n  : 4").await;
    assert_eq!(app.rows[0].len(), 2);
    refusal::<Compound>(Format::Yaml, "rows:\n- ? [1, 2]\n  : 3\n  ? [1, 2]\n  : 4").await;
}
