//! A configuration with keys of earlier versions is the same as one with those of now.

use super::{App, Log, Pool};
use flux::{Capacitor, Config as _, Format, Source, source::Channel};
use proptest::{option, prelude::*};
use serde_json::{Map, Value, json};

/// Keys of now, and one that the field had.
const FORMER: [(&str, &str); 8] = [
    ("port", "prot"),
    ("pool", "db"),
    ("quiet", "silent"),
    ("tenants", "customers"),
    ("level", "verbosity"),
    ("max_size", "max_szie"),
    ("min", "least"),
    ("min", "minimum"),
];

fn pool() -> impl Strategy<Value = Value> {
    let number = || option::of(0_u32..100);
    (number(), number()).prop_map(|(max, min)| {
        let mut pool = Map::new();
        pool.extend(max.map(|max| ("max_size".to_owned(), json!(max))));
        pool.extend(min.map(|min| ("min".to_owned(), json!(min))));
        Value::Object(pool)
    })
}

fn document() -> impl Strategy<Value = Value> {
    (
        option::of(1_u16..9999),
        option::of(pool()),
        option::of(any::<bool>()),
        option::of(proptest::collection::btree_map("[a-c]", pool(), 0..3)),
        option::of(proptest::collection::vec(pool(), 0..3)),
        option::of("[a-z]{1,5}"),
    )
        .prop_map(|(port, pool, quiet, tenants, upstreams, level)| {
            let all = [
                ("port", port.map(|one| json!(one))),
                ("pool", pool),
                ("quiet", quiet.map(|one| json!(one))),
                ("tenants", tenants.map(|one| json!(one))),
                ("upstreams", upstreams.map(|one| json!(one))),
                ("level", level.map(|one| json!(one))),
            ];
            let set = all
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?)));
            Value::Object(set.collect())
        })
}

/// The document with former keys in the places that `choices` has.
fn former(value: &Value, choices: &mut impl Iterator<Item = usize>) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| {
                let names: Vec<_> = FORMER.iter().filter(|(now, _)| now == key).collect();
                let key = match choices.next().unwrap_or_default() % (names.len() + 1) {
                    0 => key.clone(),
                    one => names[one - 1].1.to_owned(),
                };
                (key, former(value, choices))
            });
            Value::Object(entries.collect())
        }
        Value::Array(items) => items.iter().map(|one| former(one, choices)).collect(),
        other => other.clone(),
    }
}

fn printed(format: Format, value: &Value) -> String {
    match format {
        Format::Toml => {
            let entries = value.as_object().into_iter().flatten();
            let line = |(key, value): (&String, &Value)| format!("{key} = {}\n", inline(value));
            entries.map(line).collect()
        }
        Format::Yaml => serde_yaml::to_string(value).unwrap(),
        _ => value.to_string(),
    }
}

/// A value of TOML in one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries = map.iter();
            let entries = entries.map(|(key, value)| format!("{key} = {}", inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        plain => plain.to_string(),
    }
}

/// What is made of a document.
fn decoded(format: Format, text: &str) -> App {
    let (sender, channel) = Channel::buffered("app", 1);
    let source = Source::watcher(channel).format(format).optional();
    let capacitor = Capacitor::<App>::builder()
        .source(source)
        .manual()
        .build()
        .unwrap();
    sender.try_send(text.as_bytes().to_vec()).unwrap();
    super::runtime().block_on(async {
        capacitor
            .start()
            .await
            .unwrap_or_else(|error| panic!("{text}: {error}"));
    });
    App::clone(&capacitor.get())
}

/// The variables of a document; those of a list or a map of sections are its entries.
fn variables(name: &str, value: &Value, all: &mut Vec<(String, String)>) {
    match value {
        // A section has no variable as a whole.
        Value::Object(map) if map.is_empty() && ["APP_POOL", "APP_DB"].contains(&name) => {}
        Value::Object(map) if map.is_empty() => all.push((name.to_owned(), "{}".to_owned())),
        Value::Object(map) => {
            for (key, value) in map {
                variables(&format!("{name}_{}", key.to_uppercase()), value, all);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                variables(&format!("{name}_{index}"), value, all);
            }
        }
        Value::String(text) => all.push((name.to_owned(), text.clone())),
        other => all.push((name.to_owned(), other.to_string())),
    }
}

fn of_variables(value: &Value) -> App {
    let mut all = Vec::new();
    variables("APP", value, &mut all);
    let source = Source::env("APP_").variables(all.clone());
    let loaded = Capacitor::<App>::builder().override_with(source).load();
    loaded.unwrap_or_else(|error| panic!("{all:?}: {error}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn in_every_format(document in document(), choices in proptest::collection::vec(0_usize..3, 24)) {
        let old = former(&document, &mut choices.iter().copied());
        for format in [Format::Json, Format::Yaml, Format::Toml, Format::Jsonc, Format::Json5] {
            let now = decoded(format, &printed(format, &document));
            prop_assert_eq!(decoded(format, &printed(format, &old)), now, "{}", old);
        }
    }

    #[test]
    fn as_variables(document in document(), choices in proptest::collection::vec(0_usize..3, 24)) {
        let old = former(&document, &mut choices.iter().copied());
        prop_assert_eq!(of_variables(&old), of_variables(&document), "{}", old);
    }
}

#[test]
fn every_former_key_is_one_of_a_field() {
    let fields = App::fields()
        .iter()
        .chain(Pool::fields())
        .chain(Log::fields());
    let mut was: Vec<_> = fields.flat_map(|field| field.was()).collect();
    was.retain(|one| **one != "pasword");
    assert_eq!(was.len(), FORMER.len());
}
