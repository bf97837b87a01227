//! A flattened map takes the keys that no field has.

use crate::support::{FORMATS, over, read, written};
use flux::{Flux, Format, Unknown};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

#[derive(Flux, Debug, Clone, PartialEq)]
struct Waits {
    port: u16,
    #[serde(flatten)]
    rest: BTreeMap<String, Duration>,
}

#[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
struct Part {
    #[flux(range = 1..=100)]
    max: u32,
    #[flux(default = 1)]
    min: u32,
    #[flux(secret)]
    token: Option<String>,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Parts {
    #[flux(default = 80)]
    port: u16,
    #[flux(nested)]
    #[serde(flatten)]
    rest: HashMap<String, Part>,
}

async fn refused<C: flux::Config + Clone + std::fmt::Debug>(
    format: Format,
    document: Value,
) -> String {
    read::<C>(format, &[document], &[]).await.unwrap_err()
}

#[tokio::test]
async fn it_takes_what_no_field_has_and_none_is_unknown() {
    type Rest = IndexMap<String, u8>;
    #[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
    struct All {
        port: u16,
        #[serde(default)]
        name: String,
        #[serde(flatten)]
        rest: Rest,
    }
    #[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
    struct Tree {
        port: u16,
        #[serde(flatten)]
        rest: serde_json::Map<String, Value>,
    }
    let document = json!({"z": 1, "port": 5, "a.b": 2});
    for format in FORMATS {
        let all = read::<All>(format, std::slice::from_ref(&document), &[])
            .await
            .unwrap();
        assert_eq!(all, serde_json::from_value(document.clone()).unwrap());
        let tree = read::<Tree>(format, std::slice::from_ref(&document), &[])
            .await
            .unwrap();
        assert_eq!(tree, serde_json::from_value(document.clone()).unwrap());
        assert!(
            read::<Waits>(format, &[json!({"port": 1})], &[])
                .await
                .unwrap()
                .rest
                .is_empty()
        );
    }
    let document = r#"{"z": 1, "port": 5, "a": 2}"#;
    let all = serde_json::from_str::<All>(document).unwrap();
    assert_eq!(all.rest.keys().collect::<Vec<_>>(), ["z", "a"]);
}

#[tokio::test]
async fn a_flattened_section_keeps_its_keys_whichever_is_written_first() {
    type Rest = BTreeMap<String, u32>;
    #[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
    struct RestFirst {
        #[serde(flatten)]
        rest: Rest,
        #[flux(nested)]
        #[serde(flatten)]
        part: Part,
    }
    #[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
    struct RestLast {
        #[flux(nested)]
        #[serde(flatten)]
        part: Part,
        #[serde(flatten)]
        rest: Rest,
    }
    let document = json!({"max": 5, "min": 2, "other": 3});
    // Serde alone gives the rest the keys of what is below it, too.
    let alone: RestFirst = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(alone.rest.len(), 3);
    let alone: RestLast = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(alone.rest.len(), 1);
    for format in FORMATS {
        let documents = std::slice::from_ref(&document);
        let first = read::<RestFirst>(format, documents, &[]).await.unwrap();
        let last = read::<RestLast>(format, documents, &[]).await.unwrap();
        assert_eq!(last, alone, "{format}");
        assert_eq!((first.part, first.rest), (last.part, last.rest), "{format}");
    }
}

#[tokio::test]
async fn its_values_are_read_as_their_type_decides() {
    for format in FORMATS {
        let waits = read::<Waits>(format, &[json!({"port": 1, "a": "5s"})], &[]).await;
        assert_eq!(waits.unwrap().rest["a"], Duration::from_secs(5));
        let report =
            refused::<Waits>(format, json!({"port": 1, "a": "5s", "b": "x", "c": 5})).await;
        assert!(report.contains("\n  b: expected a duration"), "{report}");
        assert!(report.contains("\n  c: expected a duration"), "{report}");
        assert!(report.contains("layer 0:"), "{report}");
    }
}

#[tokio::test]
async fn it_merges_by_key_and_null_takes_an_entry_away() {
    for format in FORMATS {
        let layers = [
            json!({"port": 1, "a": "1s", "b": "1s"}),
            json!({"b": "2s", "c": "2s"}),
        ];
        let waits = read::<Waits>(format, &layers, &[]).await.unwrap();
        let second = Duration::from_secs(1);
        let expected = [("a", second), ("b", 2 * second), ("c", 2 * second)];
        assert_eq!(
            waits.rest,
            expected.map(|(key, time)| (key.to_owned(), time)).into()
        );
    }
    for format in [Format::Json, Format::Jsonc, Format::Json5, Format::Yaml] {
        let layers = [
            json!({"port": 1, "a": "1s", "b": "1s"}),
            json!({"a": null}),
            json!({"c": "1s"}),
        ];
        let waits = read::<Waits>(format, &layers, &[]).await.unwrap();
        assert_eq!(waits.rest.keys().collect::<Vec<_>>(), ["b", "c"]);
        let parts = [
            json!({"a": {"max": 1}, "b": {"max": 1}}),
            json!({"a": null, "b": {"min": 5}}),
        ];
        let parts = read::<Parts>(format, &parts, &[]).await.unwrap();
        assert_eq!((parts.rest.len(), parts.rest["b"].min), (1, 5));
    }
}

#[tokio::test]
async fn null_is_a_value_where_its_type_has_one() {
    #[derive(Flux, Debug, Clone, PartialEq)]
    struct Options {
        #[serde(flatten)]
        rest: BTreeMap<String, Option<u8>>,
    }
    let layers = [json!({"a": 1}), json!({"a": null})];
    let options = read::<Options>(Format::Json, &layers, &[]).await.unwrap();
    assert_eq!(options.rest, BTreeMap::from([("a".to_owned(), None)]));
}

#[tokio::test]
async fn its_sections_have_rules_secrets_unknown_keys_and_places() {
    for format in FORMATS {
        let parts = read::<Parts>(format, &[json!({"a": {"max": 5}})], &[])
            .await
            .unwrap();
        assert_eq!(parts.rest["a"].max, 5);
        for (part, key, text) in [
            (
                json!({"max": 500, "token": "hunter2"}),
                "a.max",
                "must be in 1..=100",
            ),
            (json!({"max": 5, "token": ["hunter2"]}), "a.token", ""),
            (json!({"max": 5, "xyz": 1}), "", "unknown key"),
            (json!({"min": 5}), "a.max", "is required"),
            (json!(5), "a", "expected a section"),
        ] {
            let report = refused::<Parts>(format, json!({ "a": part })).await;
            assert!(report.contains(key) && report.contains(text), "{report}");
            assert!(
                report.contains("layer 0:") || text == "is required",
                "{report}"
            );
            assert!(!report.contains("hunter2"), "{report}");
        }
    }
}

#[tokio::test]
async fn a_secret_one_is_never_shown() {
    #[derive(Flux, Debug, Clone, PartialEq)]
    struct Secrets {
        #[flux(range = 1..)]
        port: u16,
        #[flux(secret, each(length = ..=3))]
        #[serde(flatten)]
        rest: BTreeMap<String, String>,
    }
    for format in FORMATS {
        let report = refused::<Secrets>(format, json!({"port": 0, "key": "hunter2"})).await;
        assert!(
            report.contains("port: must") && !report.contains("hunter2"),
            "{report}"
        );
        let report = refused::<Secrets>(format, json!({"port": 1, "key": ["hunter2"]})).await;
        assert!(!report.contains("hunter2"), "{report}");
    }
}

#[tokio::test]
async fn rules_look_at_the_map_and_at_each_entry() {
    #[derive(Flux, Debug, Clone, PartialEq)]
    struct Limited {
        #[flux(length = ..=2, each(range = 1..))]
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    let report = refused::<Limited>(Format::Yaml, json!({"a": 0, "b": 1, "c": 1})).await;
    assert!(report.contains("\n  a: must be in 1.."), "{report}");
    assert!(report.contains("must have ..=2 items"), "{report}");
}

#[tokio::test]
async fn changes_are_told_by_key() {
    let first = json!({"port": 1, "a": "1s", "b": "1s", "c": "1s"});
    let (capacitor, senders, outcome) =
        over::<Waits>(Format::Json, &[first], &[], Unknown::Warn).await;
    outcome.unwrap();
    let mut subscription = capacitor.subscribe();
    let next = written(
        Format::Json,
        &json!({"port": 1, "a": "1s", "b": "2s", "d": "1s"}),
    )
    .unwrap();
    senders[0].send(next.as_bytes()).await.unwrap();
    capacitor.process().await.unwrap();
    let change = subscription.changed().await.unwrap();
    assert_eq!(change.paths(), ["b", "d", "c"]);
    assert!(capacitor.status().warnings.is_empty());
}

#[tokio::test]
async fn it_stays_beside_flattened_sections_and_in_them() {
    #[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
    struct Pool {
        size: u8,
        #[flux(nested)]
        #[serde(flatten)]
        limits: Box<Limits>,
    }
    #[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
    struct Limits {
        max: u8,
        #[serde(flatten)]
        rest: HashMap<String, Value>,
    }
    #[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
    struct Log {
        level: String,
    }
    #[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
    struct App {
        #[flux(nested)]
        #[serde(flatten)]
        log: Log,
        port: u16,
        #[flux(nested)]
        #[serde(flatten)]
        pool: Pool,
    }
    let document =
        json!({"x": [1], "level": "info", "size": 2, "y": {"a": 1}, "max": 3, "port": 4});
    for format in FORMATS {
        let app = read::<App>(format, std::slice::from_ref(&document), &[("APP_MAX", "9")])
            .await
            .unwrap();
        assert_eq!((app.pool.limits.max, app.pool.limits.rest.len()), (9, 2));
        let app = read::<App>(format, std::slice::from_ref(&document), &[])
            .await
            .unwrap();
        assert_eq!(app, serde_json::from_value(document.clone()).unwrap());
    }
}

#[tokio::test]
async fn a_variable_never_reaches_it_since_it_has_no_name() {
    let variables = [("APP_REST", "a=1s"), ("APP_A", "2s")];
    let waits = read::<Waits>(Format::Json, &[json!({"port": 1, "a": "1s"})], &variables).await;
    assert_eq!(waits.unwrap().rest["a"], Duration::from_secs(1));
}

#[tokio::test]
async fn a_key_that_occurs_twice_is_refused() {
    let document = "port: 1\na: 1s\na: 2s";
    let (sender, channel) = flux::source::Channel::buffered("layer 0", 1);
    sender.send(document.as_bytes()).await.unwrap();
    let source = flux::Source::watcher(channel).format(Format::Yaml);
    let capacitor = flux::Capacitor::<Waits>::builder()
        .manual()
        .source(source)
        .build()
        .unwrap();
    let error = capacitor.start().await.unwrap_err().to_string();
    assert!(error.contains("a: ") && error.contains("twice"), "{error}");
}

#[tokio::test]
async fn its_keys_may_be_numbers_and_a_default_counts_where_there_is_none() {
    #[derive(Flux, Debug, Clone, PartialEq)]
    struct Codes {
        #[flux(default = BTreeMap::from([(1, "one".to_owned())]))]
        #[serde(flatten)]
        rest: BTreeMap<u16, String>,
    }
    for format in FORMATS {
        let codes = read::<Codes>(format, &[json!({"404": "none"})], &[])
            .await
            .unwrap();
        assert_eq!(codes.rest, BTreeMap::from([(404, "none".to_owned())]));
        let report = refused::<Codes>(format, json!({"404": "none", "x": "y"})).await;
        assert!(report.contains("the key `x`"), "{report}");
    }
    let codes = read::<Codes>(Format::Json, &[json!({})], &[])
        .await
        .unwrap();
    assert_eq!(codes.rest[&1], "one");
}

#[tokio::test]
async fn an_upper_layers_new_keys_keep_its_order() {
    #[derive(Flux, Debug, Clone, PartialEq)]
    struct All {
        #[flux(default)]
        port: u16,
        #[serde(flatten)]
        rest: IndexMap<String, u8>,
    }
    let (lower, upper) = (
        json!({"port": 1, "first": 0}),
        json!({"z": 1, "a": 2, "m": 3, "k": 4, "b": 5, "y": 6}),
    );
    let all = read::<All>(Format::Json, &[lower, upper], &[])
        .await
        .unwrap();
    let keys: Vec<&str> = all.rest.keys().map(String::as_str).collect();
    assert_eq!(keys, ["first", "a", "b", "k", "m", "y", "z"]);
    assert_eq!(all.port, 1);
}
