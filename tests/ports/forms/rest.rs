//! A map that takes what no field has.

use crate::support::Document;
use crate::support::same;
use flux::Flux;
use flux::Format;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[tokio::test]
async fn a_flattened_map_takes_the_keys_that_no_field_has() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        port: u16,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }
    let app: App = same(Document(
        Format::Json,
        r#"{"port": 1, "x": [1], "y.z": {"a": "b"}}"#,
    ))
    .await;
    assert_eq!(app.rest.len(), 2);
}
