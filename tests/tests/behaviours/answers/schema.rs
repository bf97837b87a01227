//! The JSON Schema is as strict as the decoder and the rules: documents that it allows are accepted, and what breaks it is refused.

mod documents;
mod validator;

use documents::{have_the_same_verdict, is_never_narrower, is_never_narrower_of_a_layer};
use flux::{Flux, inspect::Describe};
use proptest::{prelude::*, test_runner::TestRng};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    num::NonZeroU8,
    time::Duration,
};
use validator::Validator;

/// Everything at once.
#[derive(Flux)]
struct App {
    /// Where it
    /// listens.
    #[flux(default = 8080, range = 1024..=65_535)]
    #[serde(alias = "listen")]
    port: u16,
    #[flux(range = ..100)]
    offset: i8,
    #[flux(default = 0.5, range = 0.0..=1.0)]
    ratio: f64,
    #[flux(default, immutable)]
    tls: bool,
    #[flux(length = 2..=5, pattern = "^[a-z]+$")]
    name: String,
    #[flux(default = "debug", one_of = ["debug", "info"])]
    level: String,
    #[flux(one_of = ["x", "y"])]
    mode: Option<String>,
    #[flux(default = 'c')]
    letter: char,
    few: Option<u8>,
    #[flux(default = NonZeroU8::MIN)]
    workers: NonZeroU8,
    #[flux(default = "5s", restart)]
    timeout: Duration,
    #[flux(default, length = ..4, each(range = 1..))]
    numbers: Vec<u32>,
    #[flux(non_empty)]
    labels: BTreeMap<String, i64>,
    #[flux(default = [1, 2, 3])]
    triple: [u8; 3],
    #[flux(secret)]
    token: Option<String>,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested)]
    tls_files: Option<Files>,
    #[flux(nested, default, length = ..=2)]
    upstreams: Vec<Pool>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Files>,
    #[flux(nested)]
    #[serde(flatten)]
    log: Log,
}

#[derive(Flux)]
struct Pool {
    #[serde(alias = "size")]
    max: u32,
    #[flux(default)]
    min: u32,
    #[flux(nested, default)]
    inner: Vec<Pool>,
}

#[derive(Flux)]
#[serde(deny_unknown_fields)]
struct Files {
    key: String,
    cert: Option<String>,
}

#[derive(Flux)]
struct Log {
    #[flux(default = true)]
    colour: bool,
    format: String,
}

#[test]
fn the_schema_and_the_decoder_have_the_same_verdict_on_what_it_generates_and_on_what_breaks_it() {
    have_the_same_verdict::<App>(200);
}

/// Keys that have other names now, and fields that go.
#[derive(Flux)]
struct Evolved {
    #[flux(default = 80, was = "prot", removed = "9.0")]
    port: u16,
    #[flux(was = "label")]
    #[serde(alias = "title")]
    name: String,
    #[flux(deprecated = "use `port`")]
    listen: Option<u16>,
    #[flux(nested, was = "db", deprecated = "use `port`", removed = "9.0")]
    pool: EvolvedPool,
    #[flux(nested, default)]
    tenants: BTreeMap<String, EvolvedPool>,
}

#[derive(Flux)]
#[serde(deny_unknown_fields)]
struct EvolvedPool {
    #[flux(default = 1, was = "max_szie", was = "most")]
    max_size: u32,
    #[flux(default, was = "gone", removed = "0.1")]
    kept: u32,
    #[flux(deprecated = "use `kept`", removed = "0.1")]
    removed: Option<u32>,
}

#[test]
fn a_schema_has_the_verdict_of_the_decoder_on_keys_of_earlier_versions() {
    have_the_same_verdict::<Evolved>(100);
}

/// Types of which the schema knows less than the decoder.
#[derive(Flux)]
#[flux(optional_source = "file:/nowhere/kinds.yaml")]
struct Kinds {
    #[flux(default = 8080, hot)]
    port: u16,
    mode: Mode,
    #[flux(default = Shape::Point)]
    shape: Shape,
    #[flux(bytes, monotonic)]
    limit: u64,
    #[flux(bytes, default)]
    sizes: Vec<u32>,
    address: IpAddr,
    #[flux(length = 1..=2)]
    hosts: Option<Vec<String>>,
    pair: (u16, String),
    origin: Option<Point>,
    #[flux(default)]
    tags: BTreeSet<u8>,
    #[flux(default)]
    by_mode: BTreeMap<Mode, i32>,
    #[flux(default = 2 * 3, max_change = "50%")]
    workers: u32,
}

#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Slow,
}

#[derive(Deserialize, Clone, Debug, PartialEq)]
enum Shape {
    Point,
    Circle(u32),
    Square { side: u32 },
    Line(u8, u8),
}

#[derive(Deserialize, Clone, Debug, PartialEq)]
struct Point {
    x: i16,
    y: Option<i16>,
}

fn kinds(rng: &mut TestRng) -> Value {
    let mut pick = |from: &[Value]| from[rng.random_range(0..from.len())].clone();
    let shapes = [
        json!("Point"),
        json!({ "Circle": 3 }),
        json!({ "Square": { "side": 4 } }),
        json!({ "Line": [1, 2] }),
    ];
    let sizes = [
        json!(512),
        json!("10MB"),
        json!("64KiB"),
        json!("1.5 MiB"),
        json!("7"),
    ];
    let mut all = json!({
        "port": pick(&[json!(0), json!(65535)]),
        "mode": pick(&[json!("fast"), json!("slow")]),
        "shape": pick(&shapes),
        "limit": pick(&sizes),
        "sizes": [pick(&sizes), pick(&sizes)],
        "address": pick(&[json!("127.0.0.1"), json!("::1")]),
        "hosts": pick(&[json!(["a"]), json!(["a", "b"]), Value::Null]),
        "pair": [pick(&[json!(1), json!(2)]), "text"],
        "origin": pick(&[json!({ "x": -1 }), json!({ "x": 1, "y": 2 }), Value::Null]),
        "tags": pick(&[json!([]), json!([1, 255])]),
        "by_mode": pick(&[json!({}), json!({ "fast": -1 }), json!({ "fast": 1, "slow": 2 })]),
        "workers": 7,
    });
    // What is required stays, and what TOML cannot write goes.
    for key in [
        "port", "shape", "sizes", "hosts", "origin", "tags", "by_mode", "workers",
    ] {
        let map = all.as_object_mut().unwrap();
        if map[key].is_null() && rng.random_bool(0.8) || rng.random_bool(0.3) {
            map.remove(key);
        }
    }
    all
}

#[test]
fn a_schema_that_knows_less_than_the_decoder_refuses_nothing_that_is_good_in_any_format() {
    is_never_narrower::<Kinds>(kinds, 200);
}

#[test]
fn what_a_layer_may_contain_above_others_its_schema_accepts() {
    is_never_narrower_of_a_layer::<App>(150);
}

#[test]
fn rules_on_changes_accessors_and_defaults_that_are_expressions_are_in_the_schema() {
    let schema: Value = serde_json::from_str(&Kinds::schema()).unwrap();
    let of = |name: &str| &schema["properties"][name];
    assert_eq!(of("port")["x-flux-hot"], true);
    assert_eq!(of("workers")["x-flux-default"], "2 * 3");
    assert_eq!(of("shape")["x-flux-default"], "Shape::Point");
    assert_eq!(of("limit")["x-flux-changes"], json!(["must not decrease"]));
    assert_eq!(
        of("workers")["x-flux-changes"],
        json!(["must change by at most 50% at a time"])
    );
    assert_eq!(
        schema["required"],
        json!(["mode", "limit", "address", "pair"])
    );
}

#[test]
fn the_schema_of_a_layer_requires_nothing() {
    let validator = Validator::new(&App::layer_schema());
    assert!(validator.accepts(&json!({})));
    assert!(!validator.accepts(&json!({ "port": 0 })));
    assert!(!App::layer_schema().contains("required\": [\"key"));
}

#[test]
fn what_is_known_of_a_field_is_in_its_schema() {
    let schema: Value = serde_json::from_str(&App::schema()).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(
        (&schema["title"], &schema["description"]),
        (&json!("App"), &json!("Everything at once."))
    );
    let of = |name: &str| &schema["properties"][name];
    assert_eq!(
        *of("port"),
        json!({
            "type": "integer", "minimum": 1024, "maximum": 65535, "description": "Where it listens.", "default": 8080,
            "x-flux-rules": ["must be in 1024..=65_535"], "x-flux-variable": "PORT",
        })
    );
    assert_eq!(of("listen")["x-flux-alias-of"], "port");
    assert_eq!(of("tls")["x-flux-immutable"], true);
    assert_eq!(of("timeout")["x-flux-restart"], true);
    assert_eq!(of("token")["x-flux-secret"], true);
    assert_eq!(of("pool")["$ref"], "#/$defs/Pool");
    assert_eq!(schema["$defs"]["Files"]["additionalProperties"], false);
    assert_eq!(schema["$defs"]["Files"]["required"], json!(["key"]));
}

#[derive(Flux)]
struct Secrets {
    #[flux(secret, default = "hunter2", one_of = ["hunter2", "correct horse"])]
    password: String,
}

#[test]
fn no_secret_of_the_code_is_in_a_schema() {
    let schema = Secrets::schema();
    assert!(
        !schema.contains("hunter2") && !schema.contains("horse"),
        "{schema}"
    );
}
