//! What answers show of a layer's values does not depend on the secrets of other layers.

use flux::{Capacitor, Flux, Format, Source, source::Channel};
use proptest::prelude::*;
use serde_json::json;
use std::{collections::BTreeMap, fmt::Display};

#[derive(Flux, Debug)]
struct App {
    #[flux(default)]
    name: String,
    port: Option<u16>,
    #[flux(default = "none")]
    motto: String,
    #[flux(default, merge = "append")]
    hosts: Vec<String>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Tenant>,
    #[flux(secret, default)]
    password: String,
    #[flux(nested, default)]
    tls: Tls,
}

#[derive(Flux, Debug, PartialEq)]
struct Tenant {
    #[flux(default)]
    note: String,
}

#[derive(Flux, Debug, Default)]
struct Tls {
    #[flux(secret)]
    key: Option<String>,
}

/// Everything that is answered about a layer with this value in many places, before and after it is written, below two layers that
/// contain nothing but this secret.
async fn answers(guess: &str, secret: &str) -> String {
    let (lower, channel) = Channel::buffered("lower.json", 1);
    let (upper, above) = Channel::buffered("upper.json", 1);
    let app = Capacitor::<App>::builder()
        .source(Source::env("LOW_").variables([("LOW_MOTTO", guess)]))
        .source(Source::watcher(channel).format(Format::Json))
        .source(Source::watcher(above).format(Format::Json))
        .override_with(Source::env("APP_").variables([("APP_PASSWORD", secret)]))
        .generations(4)
        .history(4)
        .manual()
        .build()
        .unwrap();
    let upper_text = json!({"tls": {"key": secret}}).to_string();
    upper.send(upper_text.into_bytes()).await.unwrap();
    lower.send(&b"{\"name\": \"before\"}"[..]).await.unwrap();
    app.start().await.unwrap();
    let text = json!({
        "name": guess,
        "hosts": [guess, format!("at {guess}")],
        "labels": {"one": guess, "two": format!("x{guess}x")},
        "tenants": {"a": {"note": guess}},
        "port": guess.parse::<u16>().ok(),
    });
    lower.send(text.to_string().into_bytes()).await.unwrap();
    app.process().await.unwrap();
    let effective = app.effective().unwrap();
    let mut all = effective.print(Format::Json);
    all += &effective.with_origins().to_string();
    for one in app.explain_all().unwrap() {
        all += &printed(&one);
    }
    for one in app.silent().unwrap() {
        all += &printed(&one);
    }
    for change in app.blame("").unwrap().changes {
        all += &change.settings.iter().map(printed).collect::<String>();
    }
    let inputs = flux::inspect::Inputs::new().layer("lower.json", "{}");
    all += &app.plan(&inputs).unwrap().to_string();
    all
}

fn printed(one: &(impl Display + serde::Serialize)) -> String {
    format!("{one}\n{}\n", serde_json::to_value(one).unwrap())
}

/// A guess, and a secret that is the guess, quotes it, has a piece of it, or has nothing of it.
fn guess_and_secret() -> impl Strategy<Value = (String, String)> {
    let guess = "[0-9]{4}|[a-z]{8}|[a-zA-Z0-9]{12}|true";
    (guess, 0..4, "[!-~]{8}").prop_map(|(guess, form, other)| {
        let secret = match form {
            0 => guess.clone(),
            1 => format!("{guess}{other}"),
            2 => format!("{other}{}", &guess[..guess.len().min(6)]),
            _ => other,
        };
        (guess, secret)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_shown_of_a_layer_does_not_depend_on_the_secrets_of_other_layers(
        (guess, secret) in guess_and_secret(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let shown = runtime.block_on(answers(&guess, &secret));
        prop_assert_eq!(&shown, &runtime.block_on(answers(&guess, "~another~~")));
        prop_assert!(shown.contains(&format!("name: {guess}")) || shown.contains(&format!("name: \"{guess}\"")), "{}", shown);
    }
}

#[tokio::test]
async fn a_secret_of_the_layer_itself_is_withheld_wherever_else_the_layer_has_it() {
    let (lower, channel) = Channel::buffered("lower.json", 1);
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Json))
        .manual()
        .build()
        .unwrap();
    let text = json!({"name": "at hunter2hunter2", "password": "hunter2hunter2"});
    lower.send(text.to_string().into_bytes()).await.unwrap();
    app.start().await.unwrap();
    let shown = app.effective().unwrap().to_string();
    assert!(!shown.contains("hunter2"), "{shown}");
}
