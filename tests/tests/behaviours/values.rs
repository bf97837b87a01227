//! One value is the same in every format and in a variable, or it is refused in all of them.

use crate::start;
use flux::{Capacitor, Config, Flux, Format, Source};
use proptest::{collection::vec, prelude::*};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    fmt::Write,
    path::PathBuf,
};

/// What a document or variable became: the value as it prints itself, or the sentences of the refusal.
type Outcome = Result<String, String>;

/// Reads one field `v` from every kind of source.
struct Readings {
    of_document: fn(Format, &str) -> Outcome,
    of_variable: fn(&str) -> Outcome,
}

fn of_document<C: Config>(format: Format, document: &str, shown: fn(&C) -> String) -> Outcome {
    run(async {
        let (capacitor, error) = start::<C>(format, document).await;
        match error {
            Some(error) => Err(error.to_string()),
            None => Ok(shown(&capacitor.get())),
        }
    })
}

fn of_variable<C: Config>(text: &str, shown: fn(&C) -> String) -> Outcome {
    run(async {
        let source = Source::env("APP_").variables([("APP_V", text)]);
        let capacitor = Capacitor::<C>::builder()
            .manual()
            .source(source)
            .build()
            .expect("layers that work");
        match capacitor.start().await {
            Err(error) => Err(error.to_string()),
            Ok(()) => Ok(shown(&capacitor.get())),
        }
    })
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

macro_rules! readings {
    ($($ty:ty),* $(,)?) => {
        vec![$({
            #[derive(Flux)]
            struct App {
                v: $ty,
            }
            let readings = Readings {
                of_document: |format, document| of_document::<App>(format, document, |app| format!("{:?}", app.v)),
                of_variable: |text| of_variable::<App>(text, |app| format!("{:?}", app.v)),
            };
            (stringify!($ty), readings)
        }),*]
    };
}

#[derive(Deserialize, Clone, Debug, PartialEq)]
struct Server {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize, Clone, Debug, PartialEq)]
struct Name(String);

#[derive(Deserialize, Clone, Debug, PartialEq)]
struct Pair(String, u8);

#[derive(Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Change {
    Keep,
    Remove(String),
    Add(String, u8),
    Set { to: String, times: Option<u8> },
}

#[derive(Deserialize, Clone, Debug, PartialEq)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Tagged {
    Keep,
    Set { to: String },
}

#[derive(Deserialize, Clone, Debug, PartialEq)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

fn all() -> Vec<(&'static str, Readings)> {
    readings!(
        String,
        char,
        PathBuf,
        Box<str>,
        bool,
        u8,
        i64,
        f64,
        Option<String>,
        Option<u8>,
        Vec<String>,
        Vec<u8>,
        Vec<Option<u8>>,
        VecDeque<String>,
        BTreeSet<String>,
        [u8; 2],
        (String, u8),
        BTreeMap<String, String>,
        BTreeMap<String, Vec<String>>,
        BTreeMap<String, Option<u8>>,
        Value,
        Vec<Value>,
        BTreeMap<String, Value>,
        Server,
        Option<Server>,
        Vec<Server>,
        Name,
        Vec<Name>,
        Pair,
        Change,
        Vec<Change>,
        Option<Change>,
        BTreeMap<String, Change>,
        Tagged,
        OneOrMany,
    )
}

/// Values of few shapes, so that many of them fit a type or nearly do.
fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(String::new()),
        Just("keep".to_owned()),
        Just("null".to_owned()),
        Just("~".to_owned()),
        Just("true".to_owned()),
        Just("12".to_owned()),
        Just("1.10".to_owned()),
        Just("0x10".to_owned()),
        Just("1e3".to_owned()),
        Just("it's".to_owned()),
        Just("<".to_owned()),
        "[\\[\\]{}\"'=:,\\\\ a1~#&*!\u{e9}]{0,5}",
    ];
    let scalar = prop_oneof![
        3 => text.prop_map(Value::String),
        2 => (0_u8..5).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => prop_oneof![Just(1.5), Just(-0.25), Just(1e300), Just(12.0)].prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let keys = prop_oneof![
        Just("host"),
        Just("port"),
        Just("tags"),
        Just("keep"),
        Just("remove"),
        Just("add"),
        Just("set"),
        Just("to"),
        Just("kind"),
        Just("a b"),
        Just("12"),
        Just("it's"),
        Just("\"=,"),
        Just("~"),
    ];
    scalar.prop_recursive(3, 12, 3, move |inner| {
        let map = vec((keys.clone(), inner.clone()), 0..4).prop_map(|entries| {
            let entries = entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value));
            Value::Object(entries.collect())
        });
        prop_oneof![vec(inner, 0..4).prop_map(Value::Array), map]
    })
}

/// A basic string of YAML and TOML is one of JSON, where it holds no DEL.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn yaml(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for item in items {
                yaml(item, out);
                out.push_str(", ");
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (key, value) in entries {
                write!(out, "{}: ", quoted(key)).expect("a string");
                yaml(value, out);
                out.push_str(", ");
            }
            out.push('}');
        }
        scalar => write!(out, "{scalar}").expect("a string"),
    }
}

/// Whether it has something of these in it.
fn has(value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
    test(value)
        || match value {
            Value::Array(items) => items.iter().any(|item| has(item, test)),
            Value::Object(entries) => entries.values().any(|value| has(value, test)),
            _ => false,
        }
}

/// None where TOML has no such value.
fn toml(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(toml).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| {
                Some(format!("{} = {}", quoted(key), toml(value)?))
            };
            let entries: Option<Vec<_>> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries?.join(", "))
        }
        scalar => scalar.to_string(),
    })
}

fn compare(name: &str, readings: &Readings, value: &Value) {
    let document = json!({"v": value}).to_string();
    let json = (readings.of_document)(Format::Json, &document);
    let by_serde_any = ["Value", "Tagged", "OneOrMany"]
        .iter()
        .any(|any| name.contains(any));
    let loose = |value: &Value| value.is_number() || value.is_boolean();
    let agree = |what: &str, text: &str, other: Outcome, may_take_more: bool| match (&json, &other)
    {
        (Ok(json), Ok(other)) => assert_eq!(json, other, "{name} from {what}: {text}"),
        (Err(_), Err(_)) => {}
        (Ok(json), Err(error)) => panic!("{name} from {what}: {text}\n{json}\n{error}"),
        (Err(error), Ok(other)) => {
            assert!(
                may_take_more,
                "{name} from {what}: {text}\n{error}\n{other}"
            );
        }
    };

    let mut text = String::from("v: ");
    yaml(value, &mut text);
    // A plain number is a text in YAML, and a struct cannot be a list.
    let is_list_of_fields =
        json.is_ok() && name.contains("Server") && value.to_string().contains('[');
    let other = (readings.of_document)(Format::Yaml, &text);
    if !(is_list_of_fields && other.is_err()) {
        agree("YAML", &text, other, has(value, &loose));
    }

    if let Some(text) = toml(value) {
        let text = format!("v = {text}");
        let other = (readings.of_document)(Format::Toml, &text);
        // toml's decoder takes an empty table or list for the content of a variant that has none.
        let is_empty = |value: &Value| *value == json!({}) || *value == json!([]);
        agree("TOML", &text, other, has(value, &is_empty));
    }

    let variable = match value {
        Value::Null => None,
        // An empty variable says nothing, and what takes anything takes `12` for a number.
        Value::String(text) if text.is_empty() || by_serde_any => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    };
    if let Some(text) = variable {
        // Any variable is a text.
        let is_text = [
            "String",
            "char",
            "PathBuf",
            "Box<str>",
            "Option<String>",
            "Name",
        ];
        let may_take_more = !(value.is_array() || value.is_object())
            || has(value, &loose)
            || is_text.contains(&name);
        agree(
            "a variable",
            &text,
            (readings.of_variable)(&text),
            may_take_more,
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_value_is_the_same_in_every_format_and_variable_or_refused_in_all(value in values()) {
        for (name, readings) in all() {
            compare(name, &readings, &value);
        }
    }
}

/// Values of each type's own shape, so that what can be read is compared as well as what cannot.
#[test]
fn what_fits_a_type_is_the_same_in_every_format_and_variable() {
    let fitting = [
        ("String", json!("it's")),
        ("char", json!("~")),
        ("PathBuf", json!("/etc/app")),
        (
            "Vec<String>",
            json!(["a,b", "\"", "'", "[x", "~", "null", ""]),
        ),
        ("[u8; 2]", json!([1, 2])),
        ("(String, u8)", json!(["a", 2])),
        (
            "BTreeMap<String, String>",
            json!({"a=b": "c,d", "": "", "'": "}"}),
        ),
        (
            "BTreeMap<String, Vec<String>>",
            json!({"a": ["b,c"], "d": []}),
        ),
        ("BTreeMap<String, Option<u8>>", json!({"a": null, "b": 2})),
        ("Value", json!({"a": [1, 1.5, true, null, "x", {}]})),
        ("Server", json!({"host": "h", "port": null, "tags": ["a"]})),
        (
            "Vec<Server>",
            json!([{"host": "h"}, {"host": "i", "port": 80}]),
        ),
        ("Pair", json!(["a", 1])),
        ("Change", json!("keep")),
        ("Change", json!({"remove": "x"})),
        ("Change", json!({"add": ["x", 2]})),
        ("Change", json!({"set": {"to": "x", "times": null}})),
        ("Option<Change>", json!({"remove": "x"})),
        ("Vec<Change>", json!(["keep", {"remove": "x"}])),
        (
            "BTreeMap<String, Change>",
            json!({"a": {"remove": "x"}, "b": "keep"}),
        ),
        ("Tagged", json!({"kind": "set", "to": "x"})),
        ("OneOrMany", json!(["a", "b"])),
    ];
    let all: HashMap<_, _> = all().into_iter().collect();
    for (name, value) in fitting {
        let document = json!({"v": value}).to_string();
        (all[name].of_document)(Format::Json, &document).expect(name);
        compare(name, &all[name], &value);
    }
}

/// Null, one item too many and one too few at every place of what fits.
#[test]
fn null_and_surplus_items_are_refused_wherever_json_refuses_them() {
    for (name, readings) in all() {
        for value in [
            json!(null),
            json!([null]),
            json!(["a", null]),
            json!({"host": null}),
            json!({"host": "h", "tags": null}),
            json!({"host": "h", "tags": [null]}),
            json!({"a": null}),
            json!({"a": [null]}),
            json!({"remove": null}),
            json!({"set": {"to": null}}),
            json!({"kind": "set", "to": null}),
            json!([1, 2, 3]),
            json!([1]),
            json!(["a", 2, 3]),
            json!({"add": ["a", 2, 3]}),
            json!({"a": ["a", 2, 3]}),
            json!({"keep": 1, "remove": "x"}),
        ] {
            compare(name, &readings, &value);
        }
    }
}
