//! A source that is down is reported where operators look: in the log, in the metrics and in the status.

use crate::kit::{App, Ear, over_a_channel, pass, settle};
use flux::{
    Capacitor, Source,
    source::SourceError,
    testing::{Script, ScriptHandle},
};
use std::time::Duration;

/// A capacitor over this script, not started.
fn over(script: Script) -> (Capacitor<App>, ScriptHandle) {
    let handle = script.handle();
    let source = Source::watcher(script).format(flux::Format::Yaml);
    let builder = Capacitor::<App>::builder().debounce(Duration::ZERO);
    (builder.source(source).build().unwrap(), handle)
}

/// The whole seconds of a printed duration.
fn seconds(duration: &str) -> String {
    let digits = duration.split(|c: char| !c.is_ascii_digit()).next();
    let below_a_second = ["ms", "µs", "ns"]
        .iter()
        .any(|unit| duration.ends_with(unit));
    match below_a_second {
        true => "0".to_owned(),
        false => digits.unwrap_or_default().to_owned(),
    }
}

/// The level, name and most telling field of each event about a source, since the last call.
fn heard(ear: &Ear) -> Vec<String> {
    let all = ear.take().into_iter();
    all.filter_map(|event| {
        let name = event.message.strip_prefix("flux.source.")?.to_owned();
        assert_eq!(event.fields["capacitor"], "App");
        assert_eq!(event.fields["layer"], "store");
        let time = ["lasts", "lasted"].map(|field| event.fields.get(field));
        let time = time.into_iter().flatten().next().map(|time| seconds(time));
        let error = event.fields.get("error").map(String::as_str);
        let words = [
            Some(event.level.as_str()),
            Some(&name),
            time.as_deref(),
            error,
        ];
        Some(words.into_iter().flatten().collect::<Vec<_>>().join(" "))
    })
    .collect()
}

#[tokio::test(start_paused = true)]
async fn a_lost_source_is_reported_at_once_again_while_it_lasts_and_at_its_end() {
    let (ear, _listening) = Ear::listen();
    let (capacitor, store) = over(Script::new("store").value("n: 1"));
    capacitor.start().await.unwrap();
    settle().await;
    assert!(heard(&ear).is_empty(), "all is well");
    store.failing(SourceError::transient("connection refused"));
    settle().await;
    assert_eq!(heard(&ear), ["WARN stale 0 connection refused"]);
    store.failing(SourceError::transient("still refused"));
    pass(59.0).await;
    assert!(heard(&ear).is_empty(), "not at each attempt");
    pass(4.0 * 60.0).await;
    assert_eq!(
        heard(&ear),
        [
            "WARN stale 60 still refused",
            "WARN stale 180 still refused"
        ]
    );
    store.live();
    settle().await;
    assert_eq!(heard(&ear), ["INFO recovered 299"]);
    pass(4000.0).await;
    assert!(heard(&ear).is_empty(), "all is well");
}

#[tokio::test(start_paused = true)]
async fn refused_access_is_an_error_at_once_also_after_a_passing_failure() {
    let (ear, _listening) = Ear::listen();
    let (capacitor, store) = over(Script::new("store").value("n: 1"));
    capacitor.start().await.unwrap();
    store.failing(SourceError::transient("connection refused"));
    store.failing(SourceError::permission("no right to read"));
    settle().await;
    // Of two reports at the same instant the newest counts.
    assert_eq!(heard(&ear), ["ERROR refused 0 no right to read"]);
    store.live();
    settle().await;
    store.failing(SourceError::transient("connection refused"));
    settle().await;
    heard(&ear);
    store.failing(SourceError::configuration("no such database"));
    settle().await;
    assert_eq!(heard(&ear), ["ERROR refused 0 no such database"]);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_waits_for_a_silent_source_says_for_which() {
    let (ear, _listening) = Ear::listen();
    let silent = Script::new("store").after(Duration::from_secs(75));
    let (capacitor, _) = over(silent.value("n: 1"));
    capacitor.start().await.unwrap();
    assert_eq!(
        heard(&ear),
        [
            "WARN waiting 10",
            "WARN waiting 30",
            "WARN waiting 70",
            "INFO recovered 75"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_source_that_ends_for_good_is_reported() {
    let (ear, _listening) = Ear::listen();
    let (capacitor, store) = over(Script::new("store").value("n: 1"));
    capacitor.start().await.unwrap();
    heard(&ear);
    store.closed();
    settle().await;
    assert_eq!(heard(&ear), ["WARN closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_capacitor_reminds_nobody() {
    let (ear, _listening) = Ear::listen();
    let (capacitor, store) = over(Script::new("store").value("n: 1"));
    capacitor.start().await.unwrap();
    store.failing(SourceError::transient("connection refused"));
    settle().await;
    capacitor.stop().await;
    heard(&ear);
    pass(4000.0).await;
    assert!(heard(&ear).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_status_says_when_a_layer_was_last_known_to_be_current() {
    let (capacitor, store) = over(
        Script::new("store")
            .after(Duration::from_secs(1))
            .value("n: 1"),
    );
    let starting = tokio::spawn({
        let capacitor = capacitor.clone();
        async move { capacitor.start().await }
    });
    settle().await;
    assert_eq!(capacitor.status().layers[0].proven(), None, "never yet");
    starting.await.unwrap().unwrap();
    let status = capacitor.status();
    let first = status.layers[0].proven().unwrap();
    pass(30.0).await;
    assert_eq!(
        status.layers[0].proven(),
        Some(first),
        "nothing was received"
    );
    store.live();
    settle().await;
    let second = status.layers[0].proven().unwrap();
    let between = second.duration_since(first).unwrap();
    assert!(
        (Duration::from_secs(29)..Duration::from_secs(31)).contains(&between),
        "{between:?}"
    );
    let json = serde_json::to_value(&*status).unwrap();
    assert!(json["layers"][0]["proven"].is_number(), "{json}");
}

#[tokio::test(start_paused = true)]
async fn layers_that_are_read_at_start_are_current_from_then_on() {
    let (builder, sender) = over_a_channel::<App>();
    let environment = Source::env("OUTAGES_");
    let capacitor = builder.override_with(environment).build().unwrap();
    crate::kit::say(&sender, 1).await;
    capacitor.start().await.unwrap();
    let status = capacitor.status();
    assert!(status.layers.iter().all(|layer| layer.proven().is_some()));
}
