//! The JSON Schema is as strict as the decoder and the rules: documents that it allows are accepted, and what breaks it is refused.

mod documents;
mod validator;

use documents::have_the_same_verdict;
use flux::{Flux, inspect::Describe};
use serde_json::{Value, json};
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

#[test]
fn the_schema_and_the_decoder_have_the_same_verdict_on_what_it_generates_and_on_what_breaks_it() {
    have_the_same_verdict::<App>(200);
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
