//! An application with plugins: whatever a plugin has for settings is kept as a tree.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Settings {
    #[serde(default)]
    extends: Vec<Cow<'static, str>>,
    #[serde(default)]
    plugins: HashMap<String, Value>,
    #[serde(default)]
    globals: BTreeMap<String, Global>,
    #[serde(default)]
    any: Value,
    #[serde(default)]
    raw: Map<String, Value>,
    #[flux(nested)]
    #[serde(default)]
    languages: BTreeMap<String, Language>,
    #[serde(default)]
    position: (f64, f64, Option<u8>),
    #[serde(default)]
    checksum: [u8; 4],
    #[serde(default)]
    nested: Option<Box<Tree>>,
    #[serde(default)]
    big: i128,
    #[serde(default)]
    unit: (),
    #[serde(default)]
    separator: char,
}

/// `true`, `"writable"` or `{"write": true}`
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Global {
    Switch(bool),
    Word(Arc<str>),
    Full { write: bool },
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Language {
    #[serde(default = "four")]
    tab_size: u8,
    #[serde(default)]
    formatter: Formatter,
    #[serde(default)]
    settings: Value,
}

fn four() -> u8 {
    4
}

#[derive(Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(rename_all = "snake_case")]
enum Formatter {
    #[default]
    Auto,
    None,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Tree {
    name: String,
    #[serde(default)]
    children: Vec<Tree>,
    #[serde(default)]
    parent: Option<Box<Tree>>,
}

const DOCUMENT: Document<'static> = Document(
    Format::Json,
    r#"{
        "extends": ["base", "strict"],
        "plugins": {
            "spell": {"words": ["a", "b"], "max": 3, "ratio": 0.5, "on": true},
            "lint": [1, [2, {"three": "3"}], "1.10"],
            "off": false
        },
        "globals": {"window": true, "jQuery": "writable", "x": {"write": false}},
        "any": {"deep": {"deeper": [{"deepest": [1, 2, 3]}]}},
        "raw": {"k": [1], "l": "m"},
        "languages": {"Rust": {"formatter": "none", "settings": {"a": 1}}, "C++": {}},
        "position": [1.5, -2.0, 7],
        "checksum": [1, 2, 3, 255],
        "nested": {"name": "a", "children": [{"name": "b", "parent": {"name": "c"}}]},
        "separator": "é"
    }"#,
);

#[tokio::test]
async fn trees_of_anything_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.plugins["lint"][2], "1.10");
    let nulls = r#"{"any": null, "plugins": {"a": null}, "nested": null, "unit": null, "big": -9007199254740993}"#;
    let settings: Settings = same(Document(Format::Json, nulls)).await;
    assert_eq!(settings.big, -9_007_199_254_740_993);
}

#[tokio::test]
async fn variables_set_tuples_arrays_and_characters() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable("APP_EXTENDS", "a,b", "/extends", json!(["a", "b"])),
            Variable("APP_POSITION", "1,2,3", "/position", json!([1.0, 2.0, 3])),
            Variable(
                "APP_CHECKSUM",
                "[9, 8, 7, 6]",
                "/checksum",
                json!([9, 8, 7, 6]),
            ),
            Variable("APP_SEPARATOR", ";", "/separator", json!(";")),
            Variable("APP_ANY", "5", "/any", json!(5)),
            Variable("APP_BIG", "-5", "/big", json!(-5)),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
