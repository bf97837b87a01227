//! The JSON Schema is as strict as the decoder and the rules: documents that it allows are accepted, and what breaks it is refused.

mod validator;

use flux::{
    Capacitor, Config, Flux, Format,
    inspect::{CheckError, Describe, Inputs},
};
use proptest::{
    prelude::*,
    test_runner::{Config as TestConfig, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, num::NonZeroU8, time::Duration};
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

/// A document of the schema, or a little beside it.
fn document(validator: &Validator, schema: &Value, rng: &mut TestRng, depth: u32) -> Value {
    let schema = validator.resolved(schema);
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words[rng.random_range(0..words.len())].clone();
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        let one = &any[rng.random_range(0..any.len())];
        return document(validator, one, rng, depth);
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    let limit = |key: &str| schema.get(key).and_then(Value::as_i64);
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => json!(rng.random_bool(0.5)),
        Some("null") => Value::Null,
        Some("integer") => {
            let (least, most) = (limit("minimum").unwrap_or(0), limit("maximum"));
            let most = most.or(limit("exclusiveMaximum").map(|most| most - 1));
            json!(rng.random_range(least..=most.unwrap_or(i64::MAX)))
        }
        Some("number") => json!(rng.random_range(0..=8) as f64 / 8.0),
        Some("string")
            if schema
                .get("pattern")
                .is_some_and(|one| one.to_string().contains("nanos")) =>
        {
            let units = ["s", "ms", "m", "h", "days"];
            json!(format!(
                "{}{}",
                rng.random_range(0..99),
                units[rng.random_range(0..5)]
            ))
        }
        Some("string") => {
            let (least, most) = (
                limit("minLength").unwrap_or(0),
                limit("maxLength").unwrap_or(6),
            );
            let count = rng.random_range(least..=most);
            let letters = (0..count).map(|_| char::from(rng.random_range(b'a'..=b'z')));
            json!(letters.collect::<String>())
        }
        Some("array") => {
            let least = limit("minItems").unwrap_or(0);
            let most = limit("maxItems")
                .unwrap_or(3)
                .min(least + i64::from(3 - depth.min(3)));
            let count = rng.random_range(least..=most);
            let items = schema.get("items");
            let item = |_| document(validator, items.unwrap(), rng, depth + 1);
            Value::Array((0..count).map(item).collect())
        }
        Some("object") => {
            let mut map = Map::new();
            let required = schema.get("required").and_then(Value::as_array);
            let properties = schema.get("properties").and_then(Value::as_object);
            for (key, inner) in properties.into_iter().flatten() {
                let is_required = required.is_some_and(|all| all.iter().any(|one| one == key));
                if inner.get("x-flux-alias-of").is_none() && (is_required || rng.random_bool(0.6)) {
                    map.insert(key.clone(), document(validator, inner, rng, depth + 1));
                }
            }
            // Of the names of a field there is one.
            for (alias, inner) in properties.into_iter().flatten() {
                if let Some(own) = inner.get("x-flux-alias-of").and_then(Value::as_str)
                    && (!map.contains_key(own) || rng.random_bool(0.3))
                {
                    map.remove(own);
                    map.insert(alias.clone(), document(validator, inner, rng, depth + 1));
                }
            }
            if let Some(entries) = schema
                .get("additionalProperties")
                .filter(|one| one.is_object())
            {
                for key in ["a", "b.c"] {
                    if map.is_empty() || rng.random_bool(0.3) {
                        map.insert(key.to_owned(), document(validator, entries, rng, depth + 1));
                    }
                }
            }
            Value::Object(map)
        }
        _ => panic!("{schema}"),
    }
}

/// Breaks something, most of the time.
fn mutated(value: &mut Value, rng: &mut TestRng) {
    let others = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(70_000),
        json!(0),
        json!(1.5),
        json!("text"),
        json!("UP"),
        json!(""),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({ "a": 1 }),
    ];
    match value {
        Value::Object(map) if !map.is_empty() && rng.random_bool(0.9) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = &keys[rng.random_range(0..keys.len())];
            match rng.random_range(0..8) {
                0 => drop(map.remove(key)),
                1 => drop(map.insert("unknown".to_owned(), json!(1))),
                _ => mutated(map.get_mut(key).unwrap(), rng),
            }
        }
        Value::Array(items) if !items.is_empty() && rng.random_bool(0.7) => {
            let at = rng.random_range(0..items.len());
            match rng.random_range(0..4) {
                0 => drop(items.remove(at)),
                1 => items.extend(items.clone()),
                _ => mutated(&mut items[at], rng),
            }
        }
        value => *value = others[rng.random_range(0..others.len())].clone(),
    }
}

fn verdict<C: Config>(document: &Value) -> Result<(), CheckError> {
    let inputs = Inputs::new().document("doc", Format::Json, document.to_string());
    Capacitor::<C>::builder().check(inputs).map(drop)
}

#[test]
fn the_schema_and_the_decoder_have_the_same_verdict_on_what_it_generates_and_on_what_breaks_it() {
    let validator = Validator::new(&App::schema());
    let mut runner = TestRunner::new(TestConfig::default());
    let rng = runner.rng();
    let (mut good, mut bad) = (0, 0);
    for round in 0..1_000 {
        let mut value = document(&validator, validator.root(), rng, 0);
        for _ in 0..round % 3 {
            mutated(&mut value, rng);
        }
        let expected = validator.accepts(&value);
        let judged = verdict::<App>(&value);
        assert_eq!(expected, judged.is_ok(), "{value:#}\n{judged:?}");
        match expected {
            true => good += 1,
            false => bad += 1,
        }
    }
    assert!(good > 200 && bad > 200, "{good} good, {bad} bad");
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
