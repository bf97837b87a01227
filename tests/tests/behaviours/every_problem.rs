//! A document with so many independent mistakes is reported with each of them.

use crate::refusal;
use flux::{
    Capacitor, Error, Flux, Format, Source,
    figment::{Figment, providers::Serialized},
    report::ProblemKind,
    source::Channel,
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Flux)]
#[serde(deny_unknown_fields)]
struct App {
    #[flux(range = 1..=9)]
    port: u16,
    #[flux(non_empty)]
    host: String,
    #[flux(default)]
    level: Level,
    #[flux(each(range = 1..=100))]
    weights: Vec<u8>,
    #[flux(default, length = ..=3)]
    labels: BTreeMap<String, u8>,
    point: Point,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested)]
    ups: Vec<Pool>,
}

#[derive(Flux)]
#[flux(validate = ordered)]
#[serde(deny_unknown_fields)]
struct Pool {
    min: u8,
    #[flux(range = 1..=100)]
    max: u8,
    #[flux(default)]
    name: Option<String>,
}

fn ordered(pool: &Pool) -> Result<(), String> {
    match pool.min <= pool.max {
        true => Ok(()),
        false => Err("is upside down".to_owned()),
    }
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
#[derive(Default)]
enum Level {
    #[default]
    Info,
    Debug,
}

#[derive(Deserialize, Clone, PartialEq)]
struct Point {
    _x: u8,
    _y: Vec<u8>,
}

/// A path and what is wrong there.
type Told = (String, ProblemKind);

/// A value, and what is wrong in it; none where it is left out.
type Part = (Option<Value>, Vec<(&'static str, ProblemKind)>);

use ProblemKind::{CrossField, DuplicateKey, Missing, Rule, TypeMismatch, UnknownKey};

fn of(parts: Vec<Part>) -> impl Strategy<Value = Part> {
    proptest::sample::select(parts)
}

fn good(value: Value) -> Part {
    (Some(value), vec![])
}

fn bad(value: Value, told: &[(&'static str, ProblemKind)]) -> Part {
    (Some(value), told.to_vec())
}

fn left_out() -> Part {
    (None, vec![("", Missing)])
}

fn pool() -> impl Strategy<Value = Part> {
    of(vec![
        good(json!({"min": 1, "max": 2})),
        bad(
            json!({"min": "x", "max": 200}),
            &[(".min", TypeMismatch), (".max", Rule)],
        ),
        bad(json!({"max": 0}), &[(".min", Missing), (".max", Rule)]),
        bad(json!({}), &[(".min", Missing), (".max", Missing)]),
        bad(json!({"min": 3, "max": 2}), &[("", CrossField)]),
        bad(
            json!({"min": 3, "max": 2, "nmae": "a"}),
            &[("", CrossField), (".nmae", UnknownKey)],
        ),
        bad(
            json!({"min": [], "max": "y", "name": [5], "x": 1}),
            &[
                (".min", TypeMismatch),
                (".max", TypeMismatch),
                (".name", TypeMismatch),
                (".x", UnknownKey),
            ],
        ),
        bad(json!([1]), &[("", TypeMismatch)]),
    ])
}

/// The fields of a document, in some order, with a number of mistakes in it.
fn document(format: Format) -> impl Strategy<Value = (Vec<(String, Value)>, Vec<Told>)> {
    let fields = (
        of(vec![
            good(json!(5)),
            bad(json!(70), &[("", Rule)]),
            bad(json!("x"), &[("", TypeMismatch)]),
            left_out(),
        ]),
        of(vec![
            good(json!("a")),
            bad(json!(""), &[("", Rule)]),
            bad(json!([1]), &[("", TypeMismatch)]),
            left_out(),
        ]),
        of(vec![
            good(json!("info")),
            bad(json!("loud"), &[("", TypeMismatch)]),
            (None, vec![]),
        ]),
        of(vec![
            good(json!([1, 2])),
            bad(json!([0, 1, 101]), &[("[0]", Rule), ("[2]", Rule)]),
            bad(
                json!([1, "x", 300, 2]),
                &[("[1]", TypeMismatch), ("[2]", TypeMismatch)],
            ),
            left_out(),
        ]),
        of(vec![
            good(json!({"a.b": 1})),
            bad(
                json!({"a.b": 300, "c": 1, "": "y"}),
                &[(".\"a.b\"", TypeMismatch), (".\"\"", TypeMismatch)],
            ),
            bad(json!({"a": 1, "b": 1, "c": 1, "d": 1}), &[("", Rule)]),
        ]),
        of(vec![
            good(json!({"_x": 1, "_y": []})),
            bad(
                json!({"_x": "q", "_y": [1, "r", 2, -1]}),
                &[
                    ("._x", TypeMismatch),
                    ("._y[1]", TypeMismatch),
                    ("._y[3]", TypeMismatch),
                ],
            ),
            left_out(),
        ]),
        pool(),
        proptest::collection::vec(
            (
                prop_oneof![Just("a"), Just("b.c"), Just(""), Just("d")],
                pool(),
            ),
            0..4,
        ),
        proptest::collection::vec(pool(), 0..4),
        proptest::sample::select(vec![None, Some("hots"), Some("port")]),
    );
    fields.prop_map(
        move |(port, host, level, weights, labels, point, pool, tenants, ups, extra)| {
            let (mut fields, mut told): (Vec<(String, Value)>, Vec<Told>) =
                (Vec::new(), Vec::new());
            let mut add = |name: &str, (value, wrong): Part| {
                told.extend(
                    wrong
                        .into_iter()
                        .map(|(below, kind)| (format!("{name}{below}"), kind)),
                );
                fields.extend(value.map(|value| (name.to_owned(), value)));
            };
            let twice = extra == Some("port")
                && port.0 == Some(json!(5))
                && !matches!(format, Format::Toml);
            add("port", port);
            add("host", host);
            add("level", level);
            add("weights", weights);
            add("labels", labels);
            add("point", point);
            add("pool", pool);
            let mut map = serde_json::Map::new();
            for (key, (value, wrong)) in tenants {
                if map.contains_key(key) {
                    continue;
                }
                let shown = if matches!(key, "a" | "d") {
                    key.to_owned()
                } else {
                    format!("{key:?}")
                };
                map.insert(key.to_owned(), value.unwrap());
                let wrong: Vec<_> = wrong
                    .into_iter()
                    .map(|(below, kind)| (format!("tenants.{shown}{below}"), kind))
                    .collect();
                told.extend(wrong);
            }
            fields.push(("tenants".to_owned(), map.into()));
            let mut list = Vec::new();
            for (index, (value, wrong)) in ups.into_iter().enumerate() {
                list.push(value.unwrap());
                told.extend(
                    wrong
                        .into_iter()
                        .map(|(below, kind)| (format!("ups[{index}]{below}"), kind)),
                );
            }
            fields.push(("ups".to_owned(), list.into()));
            if extra == Some("hots") {
                fields.push(("hots".to_owned(), json!(1)));
                told.push(("hots".to_owned(), UnknownKey));
            }
            if twice {
                fields.push(("port".to_owned(), json!(6)));
                told.push(("port".to_owned(), DuplicateKey));
            }
            (fields, told)
        },
    )
}

fn toml(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{} = {}", json!(key), toml(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(toml).collect::<Vec<_>>().join(", ")
        ),
        scalar => scalar.to_string(),
    }
}

fn written(format: Format, fields: &[(String, Value)]) -> String {
    let lines = fields.iter().map(|(key, value)| match format {
        Format::Yaml => format!("{key}: {value}"),
        Format::Toml => format!("{key} = {}", toml(value)),
        _ => format!("{}: {value}", json!(key)),
    });
    let lines: Vec<_> = lines.collect();
    match format {
        Format::Yaml | Format::Toml => lines.join("\n"),
        _ => format!("{{{}}}", lines.join(",\n")),
    }
}

#[test]
fn a_document_with_many_mistakes_is_reported_with_each_of_them() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for format in [
        Format::Yaml,
        Format::Json,
        Format::Jsonc,
        Format::Json5,
        Format::Toml,
    ] {
        let cases = ProptestConfig::with_cases(300);
        proptest!(cases, |((fields, mut told) in document(format))| {
            if told.is_empty() {
                return Ok(());
            }
            let text = written(format, &fields);
            let report = runtime.block_on(refusal::<App>(format, &text));
            let problems = report.problems().iter();
            let mut found: Vec<Told> = problems.map(|one| (one.path.to_string(), one.kind)).collect();
            let key = |one: &Told| (one.0.clone(), one.1.as_str());
            found.sort_by_key(key);
            told.sort_by_key(key);
            prop_assert_eq!(found, told, "{}\n{}", text, report);
            // Each is at the line of its field.
            for problem in report.problems().iter().filter(|one| one.kind != Missing && one.kind != DuplicateKey) {
                let name = problem.path.as_str().split(['.', '[']).next().unwrap_or_default();
                let line = fields.iter().position(|(key, _)| key == name).map(|at| at + 1);
                prop_assert_eq!(problem.line, line, "{}\n{}", text, report);
            }
        });
    }
}

#[derive(Flux)]
struct Served {
    #[flux(default = 1)]
    port: u16,
    #[flux(non_empty)]
    host: String,
    #[flux(default = 10, range = 1..=100)]
    size: u8,
    #[flux(nested)]
    tls: Tls,
}

#[derive(Flux)]
struct Tls {
    key: String,
}

/// What could be read of variables, arguments and a provider is known although something else in them is wrong.
#[tokio::test]
async fn a_wrong_variable_argument_or_provider_hides_no_missing_value_and_no_broken_rule() {
    let env = |variables: &[(&str, &str)]| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Source::env("APP_").variables(variables.iter().map(own).collect::<Vec<_>>())
    };
    let provider =
        Figment::from(Serialized::default("port", "x")).merge(Serialized::default("size", 0));
    for (layers, place) in [
        (
            vec![env(&[("APP_PORT", "x"), ("APP_SIZE", "0")])],
            "environment variable APP_SIZE",
        ),
        (
            vec![
                env(&[]),
                Source::args().arguments(["--port", "x", "--size", "0"]),
            ],
            "argument --size",
        ),
        (vec![env(&[]), Source::provider(provider)], "provider"),
    ] {
        let (sender, channel) = Channel::buffered("app.yaml", 1);
        sender.send(&b"host: ''\ntls: {}"[..]).await.unwrap();
        let document = Source::watcher(channel).format(Format::Yaml);
        let mut builder = Capacitor::<Served>::builder().manual().source(document);
        for layer in layers {
            builder = builder.source(layer);
        }
        let Err(Error::Refused(report)) = builder.build().unwrap().start().await else {
            panic!("refused");
        };
        let told = report.problems().iter();
        let mut told: Vec<_> = told.map(|one| (one.path.as_str(), one.kind)).collect();
        told.sort_by_key(|(path, _)| *path);
        let all = [
            ("host", Rule),
            ("port", TypeMismatch),
            ("size", Rule),
            ("tls.key", Missing),
        ];
        assert_eq!(told, all, "{report}");
        let text = report.to_string();
        assert!(
            text.contains("APP_TLS_KEY, or `tls.key` in app.yaml"),
            "{text}"
        );
        let size = (report.problems().iter()).find(|one| one.path.as_str() == "size");
        let size = size.unwrap();
        let has_place = size.variable.is_some() || size.argument.is_some() || place == "provider";
        assert!(has_place && text.contains(place), "{text}");
    }
}

#[tokio::test]
async fn a_misspelt_variable_that_is_refused_hides_no_other_missing_value() {
    let source = Source::env("APP_").variables([("APP_TLS_KYE", "x")]);
    let capacitor = Capacitor::<Served>::builder()
        .manual()
        .unknown(flux::Unknown::Deny)
        .source(source)
        .build()
        .unwrap();
    let error = capacitor.start().await.unwrap_err().to_string();
    for part in [
        "did you mean `APP_TLS_KEY`?",
        "host: is required, and no layer sets it; set APP_HOST",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
