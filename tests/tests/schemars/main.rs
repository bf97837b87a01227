//! Leaf types that implement `JsonSchema`: what they have of themselves is in the schema of the config type, and as strict as the decoder.

#[allow(dead_code, reason = "the behaviours use the rest of it")]
#[path = "../behaviours/answers/schema/documents.rs"]
mod documents;
#[path = "../behaviours/answers/schema/validator.rs"]
mod validator;

use documents::have_the_same_verdict;
use flux::{Flux, inspect::Describe};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

#[derive(Flux)]
#[allow(dead_code)]
struct App {
    /// How often.
    retry: Retry,
    mode: Option<Mode>,
    modes: Vec<Mode>,
    by_name: BTreeMap<String, Mode>,
    pair: (u32, Word),
    word: Word,
    name: Option<String>,
    other: Undescribed,
}

/// How something is tried again.
#[derive(Deserialize, JsonSchema, Clone, PartialEq)]
#[allow(dead_code)]
struct Retry {
    attempts: u8,
    most: u32,
    pause: Duration,
    last: Option<Stamp>,
    mode: Mode,
    next: Option<Box<Retry>>,
}

/// A time, which is no duration.
#[derive(Deserialize, JsonSchema, Clone, PartialEq)]
#[allow(dead_code)]
struct Stamp {
    secs: u64,
    nanos: u32,
}

#[derive(Deserialize, JsonSchema, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
enum Mode {
    /// Always the same.
    Fixed,
    Exponential(f32),
    Jitter {
        percent: i16,
    },
}

/// Lowercase letters.
#[derive(Deserialize, JsonSchema, Clone, PartialEq)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[a-z]+$"))]
struct Word(String);

impl TryFrom<String> for Word {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Word, &'static str> {
        match !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase()) {
            true => Ok(Word(text)),
            false => Err("lowercase letters"),
        }
    }
}

#[derive(Deserialize, Clone, PartialEq)]
#[allow(dead_code)]
struct Undescribed(bool);

#[test]
fn the_schema_and_the_decoder_have_the_same_verdict_on_types_that_describe_themselves() {
    have_the_same_verdict::<App>(100);
}

#[test]
fn what_a_type_has_of_itself_is_in_the_schema_once() {
    let schema: serde_json::Value = serde_json::from_str(&App::schema()).unwrap();
    let retry = &schema["properties"]["retry"];
    assert_eq!(retry["$ref"], "#/$defs/leaf.Retry");
    assert_eq!(retry["description"], "How often.");
    let own = &schema["$defs"]["leaf.Retry"];
    assert_eq!(own["description"], "How something is tried again.");
    assert_eq!(own["properties"]["attempts"]["maximum"], 255);
    assert_eq!(own["properties"]["most"]["maximum"], u32::MAX);
    let stamp = &schema["$defs"]["leaf.Stamp"];
    assert_eq!(stamp["properties"]["secs"]["type"], "integer");
    assert_eq!(stamp["type"], "object");
    assert_eq!(schema["properties"]["other"]["type"], "boolean");
    // Flux knows the type itself.
    assert!(schema["properties"]["name"]["anyOf"].is_array());
}

#[derive(Flux)]
#[allow(dead_code)]
struct Hidden {
    #[flux(secret)]
    login: Login,
    shown: Login,
}

#[derive(Deserialize, JsonSchema, Clone, PartialEq)]
#[allow(dead_code)]
struct Login {
    #[schemars(extend("examples" = ["zq-example-qz"]))]
    user: String,
}

#[test]
fn a_secret_is_not_described_by_its_type() {
    let schema: serde_json::Value = serde_json::from_str(&Hidden::schema()).unwrap();
    let login = &schema["properties"]["login"];
    assert!(login.get("$ref").is_none(), "{login}");
    assert!(!login.to_string().contains("zq-example-qz"), "{login}");
    assert_eq!(schema["properties"]["shown"]["$ref"], "#/$defs/leaf.Login");
}
