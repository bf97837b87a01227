//! Documents by example, and texts made at random against the fast decoders.

#[cfg(feature = "json5")]
mod json5_oracle;
mod targets;

use super::{
    Dialect, Document, Finder, Unfollowed,
    agreement::{self, agree, within},
};
use crate::problem::Seg;
use proptest::prelude::*;

const FORMATS: &[Dialect] = &[
    Dialect::Json,
    #[cfg(feature = "jsonc")]
    Dialect::Jsonc,
    #[cfg(feature = "json5")]
    Dialect::Json5,
    Dialect::Yaml,
    Dialect::Toml,
];

fn key(key: &str) -> Seg {
    Seg::Key(key.to_owned().into())
}

/// The source text at a path.
fn at<'t>(document: &Document<'t>, path: &[Seg]) -> Option<(&'t str, (usize, usize))> {
    let id = Finder::new(document).find(path)?;
    Some((document.source(id), document.start(id)))
}

#[test]
fn scalars_keep_their_source_text_and_place() {
    let path = [key("b"), key("v")];
    for (dialect, text, source, place) in [
        #[cfg(feature = "jsonc")]
        (
            Dialect::Jsonc,
            "{\"é\": 1, // ü\n \"b\": /* é */ {\"v\": 1.10,},}",
            "1.10",
            (2, 21),
        ),
        #[cfg(feature = "json5")]
        (
            Dialect::Json5,
            "{é: 1, // ü\n b: /* é */ {v: +0x10,},}",
            "+0x10",
            (2, 17),
        ),
        (
            Dialect::Json,
            "{\"é\": 1,\n \"b\": {\"v\": 1.10}}",
            "1.10",
            (2, 13),
        ),
        (Dialect::Yaml, "é: 1\nb:\n  v: 1.10 # old\n", "1.10", (3, 6)),
        (Dialect::Yaml, "{é: 1, b: {v: 'it''s'}}", "'it''s'", (1, 15)),
        (Dialect::Yaml, "b:\n  v: !t &a 0x10\n", "0x10", (2, 12)),
        (Dialect::Toml, "\"é\" = 1\nb.v = 0x1_0", "0x1_0", (2, 7)),
        (
            Dialect::Toml,
            "[b]\nv = '''\nx\ny'''",
            "'''\nx\ny'''",
            (2, 5),
        ),
    ] {
        let document = Document::parse(dialect, text).unwrap();
        assert_eq!(at(&document, &path), Some((source, place)), "{text}");
        within(&document);
    }
}

#[test]
fn a_block_scalar_spans_all_its_lines() {
    let text = "a: |\n  one\n  two\n\nb: >-\n  three\nc: 1\n";
    let document = Document::parse(Dialect::Yaml, text).unwrap();
    let lines = |name: &str| {
        let id = Finder::new(&document).find(&[key(name)]).unwrap();
        (document.start(id).0, document.last_line(id))
    };
    assert_eq!(
        (lines("a"), lines("b"), lines("c")),
        ((1, 3), (5, 6), (7, 7))
    );
}

#[test]
fn an_alias_leads_to_its_anchor_and_keeps_its_own_place() {
    let text = "base: &b {port: 80}\nweb: *b\nend: 1\n";
    let document = Document::parse(Dialect::Yaml, text).unwrap();
    let web = Finder::new(&document).find(&[key("web")]).unwrap();
    assert_eq!((document.source(web), document.start(web)), ("*b", (2, 6)));
    assert_eq!(
        at(&document, &[key("web"), key("port")]),
        Some(("80", (1, 17)))
    );
    let itself = Document::parse(Dialect::Yaml, "&a [*a]").unwrap();
    let path = vec![Seg::Index(0); 100];
    assert!(Finder::new(&itself).find(&path).is_some());
}

#[test]
fn keys_that_occur_twice_are_both_kept() {
    for (dialect, text) in [
        #[cfg(feature = "jsonc")]
        (Dialect::Jsonc, "{\"a\": 1, \"a\": {\"b\": 2},}"),
        #[cfg(feature = "json5")]
        (Dialect::Json5, "{a: 1, 'a': {b: 2}}"),
        (Dialect::Json, "{\"a\": 1, \"a\": {\"b\": 2}}"),
        (Dialect::Yaml, "a: 1\na: {b: 2}"),
        (Dialect::Toml, "a = 1\na = {b = 2}"),
        (Dialect::Toml, "a.b = 1\n[a]\nc = 2\n"),
        (Dialect::Toml, "[a]\nb = 1\n[a]\nc = 2\n"),
        (Dialect::Toml, "a = 1\n[a]\nc = 2\n"),
    ] {
        let document = Document::parse(dialect, text).unwrap();
        let keys: Vec<&str> = document
            .entries(document.root())
            .iter()
            .map(|entry| document.key(entry.key))
            .collect();
        assert_eq!(keys, ["a", "a"], "{text}");
    }
}

#[test]
fn a_second_document_is_named_with_its_place() {
    let refusal = Document::parse(Dialect::Yaml, "a: 1\n---\nb: 2\n").err();
    assert_eq!(refusal, Some(Unfollowed::Another(5)));
}

#[test]
fn tables_are_what_the_fast_decoder_makes_of_them() {
    for text in [
        "a.b.c = 1\na.b.d = 2\n[x.y]\nz = 1\n[x]\nw = 2\n[[l]]\nm = 1\n[l.n]\no = 1\n[[l]]\nm = 2\n[[l.p]]\n[[l.p]]\nq = 1",
        "a = [1, [2.5, 'x'], {b = {c.d = 1979-05-27T07:32:00Z}}, ]\n'k 1' = inf\n\"k\\t2\" = -nan\nk3 = 07:32:00",
        "[a]\n[a.b]\n[a.b.c]\nd = 1\n[e]\nf.g = 1\nf.h = +1_000\n",
        "",
        "[a.b]\n[a]\nb2.c = 1",
    ] {
        assert_eq!(agree(Dialect::Toml, text), (true, true), "{text}");
    }
}

#[test]
fn the_model_accepts_what_serde_json_accepts() {
    for text in [
        "",
        "1",
        "01",
        "-",
        "-0",
        "1.",
        "1.5e",
        "1e5",
        "1E+5",
        "tru",
        "true",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "[1,]",
        "[,]",
        "[1 2]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "{\"a\":1}}",
        "[]",
        "{}",
        " [ ] ",
        "[[]",
        "\"\t\"",
        "\"\\ud83d\\ude00\"",
        "nullx",
        "\u{a0}1",
        "1\u{0}",
        "[1]]",
        "{\"a\":[{}]}",
        "-x",
        "1.x",
    ] {
        let (fast, model) = agree(Dialect::Json, text);
        assert_eq!(fast, model, "{text:?}");
    }
}

#[test]
fn no_depth_exhausts_the_stack() {
    let deep = 1_000_000;
    for (dialect, text) in [
        (Dialect::Json, "[".repeat(deep)),
        (Dialect::Json, "{\"a\":".repeat(deep)),
        #[cfg(feature = "jsonc")]
        (Dialect::Jsonc, "[".repeat(deep)),
        #[cfg(feature = "json5")]
        (Dialect::Json5, "[".repeat(deep)),
        #[cfg(feature = "json5")]
        (Dialect::Json5, "{a:".repeat(deep)),
        (Dialect::Yaml, "[".repeat(20_000)),
        (Dialect::Yaml, "- ".repeat(20_000)),
        (Dialect::Toml, format!("a = {}", "[".repeat(deep))),
        (Dialect::Toml, format!("{}a = 1", "a.".repeat(100_000))),
    ] {
        assert!(Document::parse(dialect, &text).is_err(), "{dialect:?}");
    }
}

#[test]
fn the_time_is_linear_in_the_size_of_a_document() {
    let make = |dialect: Dialect, n: usize| {
        let lines = (0..n).map(|i| match dialect {
            dialect if dialect.is_json() => {
                format!("\"k{i}\": [{i}, {{\"a\": \"b\"}}],\n")
            }
            Dialect::Yaml => format!("k{i}: [{i}, {{a: b}}]\n"),
            _ => format!("k{i} = [{i}, {{a = 'b'}}]\n[t{i}]\nx.y = 1\n[[u]]\n"),
        });
        let lines: String = lines.collect();
        match dialect {
            dialect if dialect.is_json() => format!("{{{lines} \"end\": 1}}"),
            _ => lines,
        }
    };
    for dialect in FORMATS.iter().copied() {
        let time = |n| {
            let text = make(dialect, n);
            let once = || {
                let start = std::time::Instant::now();
                let document = Document::parse(dialect, &text).unwrap();
                let finder = Finder::new(&document);
                for i in 0..n {
                    let path = [key(&format!("k{i}")), Seg::Index(1), key("a")];
                    assert!(dialect == Dialect::Toml || finder.find(&path).is_some());
                }
                start.elapsed()
            };
            // As many lines for each size, so that a busy machine interrupts both alike.
            let all = || (0..8_000 / n).map(|_| once()).sum::<std::time::Duration>();
            (0..3).map(|_| all()).min().unwrap()
        };
        // Eight documents take about as long as one of eight times the size; it would take eight times as long if it were quadratic.
        let mut tries = (0..8).map(|_| (time(1_000), time(8_000)));
        assert!(tries.any(|(small, large)| large < small * 4), "{dialect:?}");
    }
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
        "[ -~\n\t]{0,12}".prop_map(Into::into),
    ];
    scalar.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::vec((".{0,8}", inner), 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn without_null(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Null => "null".into(),
        serde_json::Value::Array(items) => items.into_iter().map(without_null).collect(),
        serde_json::Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, without_null(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        value => value,
    }
}

/// TOML in one line, with values as JSON writes them.
fn inline(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        serde_json::Value::Object(map) => {
            let entry = |(key, value): (&String, _)| format!("{} = {}", quoted(key), inline(value));
            let entries: Vec<String> = map.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
        serde_json::Value::String(text) => quoted(text),
        value => value.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let text = serde_json::to_string(text).expect("a text");
    text.replace('\u{7f}', "\\u007f")
}

/// A text with some bytes changed, cut or repeated.
fn mutated(text: &str, random: &mut fastrand::Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let signs: Vec<char> = "{}[]:,-#&*!|>'\"%@ \n\t\\=.0xe~<?é".chars().collect();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(0..=chars.len());
        let sign = signs[random.usize(0..signs.len())];
        match random.u8(0..4) {
            0 => chars.insert(at, sign),
            1 if at < chars.len() => drop(chars.remove(at)),
            2 if at < chars.len() => chars[at] = sign,
            _ => {
                let to = random.usize(at..=chars.len()).min(at + 8);
                let piece: Vec<char> = chars[at..to].to_vec();
                let into = random.usize(0..=chars.len());
                chars.splice(into..into, piece);
            }
        }
    }
    chars.into_iter().collect()
}

const YAML: &str = "# a comment\nserver: &base\n  host: db.example.com # the host\n  port: 0x1F90\n  tags: [a, 'b c', \"d\\te\"]\nweb:\n  <<: *base\n  text: |\n    one\n      two\n  folded: >-\n    three\n    four\n  plain: five\n    six\nempty:\nnull: ~\n1.10: True\n? [a, b]\n: !custom {x: 1e3, y: -.inf}\nlist:\n- !!str 5\n- ! 6\n- - 7\n  - 8\n- k: v\n  l: w\n";
const JSON: &str = "{\"server\": {\"host\": \"d\\u00e9b\", \"port\": 8080, \"tags\": [\"a\", \"\\n\"]},\n\"big\": 123456789012345678901, \"f\": [1.5e3, -0, 0.1], \"n\": null, \"t\": true, \"e\": {}, \"l\": []}";
#[cfg(feature = "jsonc")]
const JSONC: &str = "// é\n{\"server\": {\"host\": \"d\\u00e9b\", /* x */ \"port\": 8080, \"tags\": [\"a\", \"//\",],},\n\"big\": 123456789012345678901, // y\n \"f\": [1.5e3, -0, 0.1], \"n\": null}";
#[cfg(feature = "json5")]
const JSON5: &str = "// é\n{server: {host: 'd\\u00e9\\\nb', /* x */ $port: 0x1F90, tags: [\"a\", '//',],},\n'big': +12345678901234567890, // y\n f: [.5e3, -0, 5., Infinity, -NaN], n: null, true: true,}";
const TOML: &str = "# a comment\ntitle = \"a\\tb\"\nport = 0x1F\nd = 1979-05-27 07:32:00\n[server]\nhost = 'x'\n\"a.b\".c = [1, 2.5, inf,\n # in it\n {k = true}]\n[[list]]\nv = \"\"\"\nlong\\\n  er\"\"\"\n[list.inner]\nx = 1\n[[list]]\n";

fn mutations(dialect: Dialect, text: &str, count: usize) -> (usize, usize) {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut accepted, mut lost) = (0, 0);
    for _ in 0..count {
        let text = mutated(text, &mut random);
        let (fast, model) = agree(dialect, &text);
        accepted += usize::from(fast);
        lost += usize::from(fast && !model);
    }
    (accepted, lost)
}

#[test]
fn mutated_documents_agree_with_the_fast_decoders() {
    let count = 4_000;
    for (dialect, text, may_be_lost) in [
        (Dialect::Json, JSON, 0),
        #[cfg(feature = "jsonc")]
        (Dialect::Jsonc, JSONC, 0),
        #[cfg(feature = "json5")]
        (Dialect::Json5, JSON5, 0),
        (Dialect::Toml, TOML, 0),
        // Odd anchors and quoted texts that libyaml lets pass; the report loses their places.
        (Dialect::Yaml, YAML, 100),
    ] {
        let (accepted, lost) = mutations(dialect, text, count);
        assert!(accepted > count / 20, "{dialect:?} {accepted}");
        assert!(
            lost <= accepted * may_be_lost / 5_000,
            "{dialect:?} {lost} of {accepted}"
        );
    }
}

/// JSON in lines, with a comment behind and before each of them, and commas behind the last items.
#[cfg(any(feature = "jsonc", feature = "json5"))]
fn commented(pretty: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in pretty.lines() {
        let closes = line.trim_start().starts_with(['}', ']']);
        let before = lines
            .last_mut()
            .filter(|before| closes && !before.ends_with(['{', '[']) && !before.ends_with("/*é*/"));
        if let Some(before) = before {
            before.push_str(" /* \", [ */,");
        }
        lines.push(line.to_owned());
    }
    lines
        .iter()
        .map(|line| format!("/*é*/ {line} // \"é\n"))
        .collect()
}

/// JSON5 with names, texts in single quotes, and commas behind last items.
#[cfg(feature = "json5")]
fn as_json5(value: &serde_json::Value) -> String {
    let text = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        let inside = quoted[1..quoted.len() - 1].replace("\\\"", "\"");
        format!("'{}'", inside.replace('\'', "\\'"))
    };
    match value {
        serde_json::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| as_json5(item) + ",").collect();
            format!("[{}]", items.concat())
        }
        serde_json::Value::Object(map) => {
            let entry = |(key, value): (&String, _)| {
                let is_name = key.starts_with(|c: char| c.is_ascii_alphabetic())
                    && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                let key = if is_name { key.clone() } else { text(key) };
                format!("{key}: {},", as_json5(value))
            };
            format!("{{{}}}", map.iter().map(entry).collect::<String>())
        }
        serde_json::Value::String(value) => text(value),
        serde_json::Value::Number(number) if !number.to_string().starts_with('-') => {
            format!("+{number}")
        }
        value => value.to_string(),
    }
}

proptest! {
    #[test]
    fn any_document_is_modelled_as_it_is_decoded(value in value()) {
        let json = serde_json::to_string(&value).unwrap();
        // YAML's merge key is no entry of a map.
        prop_assume!(!json.contains(r#""<<":"#));
        prop_assert_eq!(agree(Dialect::Json, &json), (true, true));
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(agree(Dialect::Json, &pretty), (true, true));
        #[cfg(feature = "jsonc")]
        for text in [&json, &pretty, &commented(&pretty)] {
            prop_assert_eq!(agree(Dialect::Jsonc, text), (true, true), "{}", text);
        }
        #[cfg(feature = "json5")]
        for text in [&json, &pretty, &commented(&pretty), &as_json5(&value)] {
            prop_assert_eq!(agree(Dialect::Json5, text), (true, true), "{}", text);
            let fast = agreement::fast(Dialect::Json5, text).map(agreement::sorted);
            let plain = agreement::fast(Dialect::Json, &json).map(agreement::sorted);
            prop_assert_eq!(fast, plain, "{}", text);
        }
        let yaml = serde_yaml::to_string(&value).unwrap();
        prop_assert_eq!(agree(Dialect::Yaml, &yaml), (true, true), "{}", yaml);
        let toml = without_null(serde_json::json!({ "a": value, "b": 1 }));
        let toml = format!("a = {}\nb = 1\n", inline(&toml["a"]));
        prop_assert_eq!(agree(Dialect::Toml, &toml), (true, true), "{}", toml);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}:,\"'a0 \n#&*!|>-]{0,40}") {
        for dialect in FORMATS.iter().copied() {
            agree(dialect, &text);
        }
    }
}
