//! Single entries of maps by variable.

use crate::support::Document;
use crate::support::Variable;
use crate::support::same_from_variables;
use flux::Flux;
use flux::Format;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Flux, Deserialize, Debug, PartialEq, Clone)]
struct Part {
    max: u32,
    #[serde(default)]
    min: u32,
}

#[tokio::test]
async fn a_single_entry_of_a_map_has_a_variable() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        features: BTreeMap<String, bool>,
        #[flux(nested)]
        upstreams: Vec<Part>,
        #[flux(nested)]
        tenants: BTreeMap<String, Part>,
    }
    let document = || {
        Document(
            Format::Json,
            r#"{"features": {"dark_mode": false}, "upstreams": [{"max": 1}], "tenants": {"a": {"max": 1}}}"#,
        )
    };
    same_from_variables::<App>(
        document(),
        &[Variable(
            "APP_FEATURES_DARK_MODE",
            "true",
            "/features/dark_mode",
            json!(true),
        )],
    )
    .await;
    same_from_variables::<App>(
        document(),
        &[Variable(
            "APP_TENANTS_A_MAX",
            "5",
            "/tenants/a/max",
            json!(5),
        )],
    )
    .await;
}
