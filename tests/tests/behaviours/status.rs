//! What the status shows of layers, and how it is printed.

use crate::{
    by_hand,
    kit::{App, over_a_channel, write},
};
use flux::{
    Source,
    source::{Channel, Health},
};

#[tokio::test]
async fn keys_that_no_field_has_are_in_the_status_until_the_document_changes() {
    let (capacitor, sender) = by_hand::<App>(|builder| builder);
    write(&sender, "n: 1\ntxet: hello").await;
    capacitor.start().await.unwrap();
    let warnings = capacitor.status().warnings.clone();
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert_eq!(
        (warning.path.as_str(), &*warning.origin),
        ("txet", "channel")
    );
    assert_eq!((warning.line, warning.column), (Some(2), Some(7)));
    assert_eq!(warning.message, "unknown key, did you mean `text`?");
    write(&sender, "n: 2\ntxet: hello").await;
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.status().warnings.len(), 1);
    write(&sender, "n: 2\ntext: hello").await;
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.status().warnings, []);
}

#[tokio::test]
async fn a_layer_that_was_never_heard_is_not_present() {
    let (builder, lower) = over_a_channel::<App>();
    let (_upper, channel) = Channel::buffered("upper", 4);
    let silent = Source::watcher(channel);
    let capacitor = builder.override_with(silent).build().unwrap();
    write(&lower, "n: 1").await;
    let starting = capacitor.clone();
    tokio::spawn(async move { starting.start().await });
    crate::until("the lower layer is live", || {
        let status = capacitor.status();
        let live = |layer: &flux::capacitor::LayerStatus| matches!(layer.health, Health::Live);
        status.layers.first().is_some_and(live)
    })
    .await;
    let status = capacitor.status();
    assert!(!status.layers[1].present, "{status}");
    let printed = status.to_string();
    assert!(printed.starts_with("App: loading for "), "{printed}");
    let expected = " UTC), generation 0\n  channel: live";
    assert!(printed.contains(expected), "{printed}");
    assert!(
        printed.contains("\n  upper: starting, no document"),
        "{printed}"
    );
}

#[tokio::test]
async fn reports_can_be_compared() {
    let (capacitor, sender) = by_hand::<App>(|builder| builder);
    write(&sender, "n: 100").await;
    capacitor.start().await.unwrap_err();
    let first = capacitor.last_error();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.last_error(), first);
    write(&sender, "n: 101").await;
    capacitor.process().await.unwrap();
    assert_ne!(capacitor.last_error(), first);
}

#[tokio::test(start_paused = true)]
async fn a_new_revision_of_equal_content_shows() {
    let script = flux::testing::Script::new("store").revision("n: 1", "10");
    let store = script.handle();
    let source = flux::Source::watcher(script).format(flux::Format::Yaml);
    let builder = flux::Capacitor::<crate::kit::App>::builder().source(source);
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap();
    store.revision("n: 1", "11");
    crate::kit::settle().await;
    let status = capacitor.status();
    let layer = &status.layers[0];
    assert_eq!((layer.revision.as_deref(), layer.received), (Some("11"), 2));
    assert_eq!(status.generation, 1);
}
