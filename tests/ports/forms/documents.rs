//! What a document holds, in every format alike.

use crate::support::flux;
use crate::support::plain;
use flux::Flux;
use flux::Format;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Op {
    Keep,
    Remove(String),
    Move { from: String, to: u8 },
    Both(u8, String),
}

#[derive(Flux, Deserialize, Debug, PartialEq, Clone)]
struct Part {
    max: u32,
    #[serde(default)]
    min: u32,
}

#[tokio::test]
async fn an_enum_with_data_is_a_map_of_one_key_in_every_format() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        op: Op,
        #[serde(default)]
        ops: Vec<Op>,
        #[serde(default)]
        by_name: BTreeMap<String, Op>,
        #[serde(default)]
        perhaps: Option<Op>,
    }
    let json = r#"{"op": {"remove": "x"}, "ops": ["keep", {"move": {"from": "a", "to": 2}}, {"both": [1, "z"]}],
        "by_name": {"a": {"remove": "y"}}, "perhaps": {"remove": "1.10"}}"#;
    let expected: App = plain(Format::Json, json).unwrap();
    let yaml = "op: {remove: x}\nops:\n- keep\n- move: {from: a, to: 2}\n- both: [1, z]\nby_name:\n  a:\n    remove: y\nperhaps:\n  remove: 1.10\n";
    let toml = "op = {remove = 'x'}\nops = ['keep', {move = {from = 'a', to = 2}}, {both = [1, 'z']}]\nby_name.a.remove = 'y'\nperhaps.remove = '1.10'\n";
    for (format, text) in [
        (Format::Json, json),
        (Format::Toml, toml),
        (Format::Yaml, yaml),
    ] {
        match flux::<App>(format, text, &[]).await {
            Ok(read) => assert_eq!(**read, expected, "{format}"),
            Err(error) => panic!("{format}: {error}"),
        }
    }
}

#[tokio::test]
async fn an_array_with_too_many_items_is_refused_in_every_format() {
    #[derive(Flux, Debug)]
    struct App {
        three: [u8; 3],
        pair: (u8, u8),
    }
    for (format, text) in [
        (Format::Json, r#"{"three": [1, 2, 3, 4], "pair": [1, 2]}"#),
        (Format::Yaml, "three: [1, 2, 3, 4]\npair: [1, 2]"),
        (Format::Toml, "three = [1, 2, 3, 4]\npair = [1, 2]"),
        (Format::Toml, "three = [1, 2, 3]\npair = [1, 2, 3]"),
    ] {
        let error = flux::<App>(format, text, &[])
            .await
            .map(|app| format!("{:?}", **app));
        assert!(error.is_err(), "{format}: {text}: {error:?}");
    }
    let document = r#"{"three": [1, 2, 3], "pair": [1, 2]}"#;
    for (name, text) in [("APP_THREE", "1,2,3,4"), ("APP_PAIR", "1,2,3")] {
        let read = flux::<App>(Format::Json, document, &[(name, text)]).await;
        assert!(read.is_err(), "{name}={text}");
    }
}

#[tokio::test]
async fn null_is_no_text_in_any_format() {
    #[derive(Flux, Debug)]
    struct App {
        #[flux(default = "a")]
        name: String,
        #[flux(default)]
        path: std::path::PathBuf,
        #[flux(default)]
        shared: Option<Arc<str>>,
        #[flux(default)]
        list: Vec<String>,
        #[flux(default)]
        map: BTreeMap<String, String>,
    }
    for text in [
        "name: null",
        "name: ~",
        "name:",
        "path: null",
        "list: [null]",
    ] {
        let read = flux::<App>(Format::Yaml, text, &[])
            .await
            .map(|app| format!("{:?}", **app));
        assert!(read.is_err(), "{text}: {read:?}");
    }
    // In a map of values null ends the entry.
    let without = flux::<App>(Format::Yaml, "map: {a: null}", &[]).await;
    assert!(without.unwrap().map.is_empty());
    assert!(
        flux::<App>(Format::Yaml, "shared: null", &[])
            .await
            .unwrap()
            .shared
            .is_none()
    );
}

#[tokio::test]
async fn a_date_of_toml_is_a_text_in_a_tree() {
    #[derive(Flux, Debug)]
    struct App {
        any: Value,
    }
    let app = flux::<App>(
        Format::Toml,
        "any = [2024-02-29, 2024-02-29T12:00:00Z, 12:00:00]",
        &[],
    )
    .await
    .unwrap();
    assert_eq!(
        app.any,
        json!(["2024-02-29", "2024-02-29T12:00:00Z", "12:00:00"])
    );
}

#[tokio::test]
async fn yaml_merge_keys_are_followed_or_refused_but_never_an_entry() {
    #[derive(Flux, Debug)]
    struct App {
        #[flux(default)]
        labels: BTreeMap<String, String>,
        #[flux(nested, default)]
        parts: BTreeMap<String, Part>,
    }
    for text in [
        "x: &base {a: '1'}\nlabels: {b: '2', <<: *base}",
        "x: &base {a: {max: 1}}\nparts: {b: {max: 2}, <<: *base}",
    ] {
        if let Ok(app) = flux::<App>(Format::Yaml, text, &[]).await {
            assert!(
                !app.labels.contains_key("<<") && !app.parts.contains_key("<<"),
                "{:?}",
                **app
            );
            assert_eq!(app.labels.len() + app.parts.len(), 2);
        }
    }
}
