//! Where sections may stand.

use crate::support::Document;
use crate::support::flux;
use crate::support::plain;
use crate::support::same;
use flux::Flux;
use flux::Format;
use indexmap::IndexMap;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

#[derive(Flux, Deserialize, Debug, PartialEq, Clone)]
struct Part {
    max: u32,
    #[serde(default)]
    min: u32,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
enum Word {
    One,
    Two,
}

#[tokio::test]
async fn sections_may_stand_behind_pointers_and_in_any_collection() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        #[flux(nested)]
        boxed: Box<Part>,
        #[flux(nested)]
        shared: Arc<Part>,
        #[flux(nested)]
        perhaps: Option<Box<Part>>,
        #[flux(nested)]
        #[serde(default)]
        list: Option<Vec<Part>>,
        #[flux(nested)]
        #[serde(default)]
        map: Option<BTreeMap<String, Part>>,
        #[flux(nested)]
        #[serde(default)]
        queue: VecDeque<Part>,
        #[flux(nested)]
        #[serde(default)]
        lists: BTreeMap<String, Vec<Part>>,
        #[flux(nested)]
        #[serde(default)]
        by_number: BTreeMap<u16, Part>,
        #[flux(nested)]
        #[serde(default)]
        by_word: BTreeMap<Word, Part>,
        #[flux(nested)]
        #[serde(default)]
        ordered: IndexMap<String, Part>,
    }
    let app: App = same(Document(
        Format::Json,
        r#"{"boxed": {"max": 1}, "shared": {"max": 2}, "perhaps": {"max": 3}, "list": [{"max": 4}], "map": {"a": {"max": 5}},
            "queue": [{"max": 6}], "lists": {"a": [{"max": 7}, {"max": 8}]}, "by_word": {"one": {"max": 9}},
            "ordered": {"z": {"max": 10}, "a": {"max": 11}}}"#,
    ))
    .await;
    assert_eq!(app.perhaps.unwrap().max, 3);
    let json = r#"{"boxed": {"max": 1}, "shared": {"max": 2}, "by_number": {"1": {"max": 3}}}"#;
    let expected: App = plain(Format::Json, json).unwrap();
    assert_eq!(
        **flux::<App>(Format::Json, json, &[]).await.unwrap(),
        expected
    );
}
