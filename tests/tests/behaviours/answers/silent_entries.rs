//! Entries of maps that are values and that a higher layer sets as well; paths whose quotes a shell took away.

use super::explain::over;
use flux::{Flux, Format, inspect::Inputs};
use std::collections::BTreeMap;

#[derive(Flux, Debug)]
struct Limits {
    #[flux(default)]
    limits: BTreeMap<String, u32>,
    #[flux(default, secret)]
    tokens: BTreeMap<String, String>,
    #[flux(nested, default)]
    routes: BTreeMap<String, Route>,
}

#[derive(Flux, Debug)]
struct Route {
    #[flux(default = 25)]
    port: u16,
}

#[tokio::test]
async fn an_entry_that_a_higher_layer_sets_is_silent_and_a_plan_says_what_hides_it() {
    let document = "limits: {newsletter: 1200, invoices: 60}\ntokens: {a: hunter2hunter2}\n";
    let variables = [
        ("APP_LIMITS_NEWSLETTER", "60"),
        ("APP_TOKENS_A", "correct-horse"),
    ];
    let app = over::<Limits>(&[("app.yaml", Format::Yaml, document)], &variables).await;
    let silent: Vec<String> = app
        .silent()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(silent.len(), 1, "{silent:?}");
    assert!(silent[0].contains("limits.newsletter"), "{silent:?}");
    assert!(
        silent[0].contains("variable APP_LIMITS_NEWSLETTER hides it"),
        "{silent:?}"
    );
    let edited = document.replace("1200", "1500");
    let plan = app
        .plan(&Inputs::new().layer("app.yaml", edited))
        .unwrap()
        .to_string();
    assert!(plan.starts_with("nothing would change"), "{plan}");
    assert!(
        plan.contains("limits.newsletter") && plan.contains("hides it"),
        "{plan}"
    );
    assert!(!plan.contains("hunter2"), "{plan}");
}

#[tokio::test]
async fn a_path_whose_quotes_a_shell_took_away_is_suggested_with_them() {
    let document = "routes: {example.net: {port: 26}}\n";
    let app = over::<Limits>(&[("app.yaml", Format::Yaml, document)], &[]).await;
    let error = app
        .explain("routes.example.net.port")
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "no field is at `routes.example.net.port`, did you mean `routes.\"example.net\".port`? A shell takes the double quotes away \
         unless the path is in single ones."
    );
}
