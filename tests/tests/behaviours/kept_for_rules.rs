//! Starts from the last known good file, because what the sources have breaks a rule.

use crate::until;
use flux::{Capacitor, Flux, Format, Secrets, Source, State, source::Channel};
use std::collections::BTreeMap;

#[derive(Debug, Flux)]
struct Ruled {
    #[flux(range = 1..=99)]
    n: u32,
    #[flux(default = 0, range = 0..=9)]
    m: u32,
}

#[tokio::test(start_paused = true)]
async fn a_first_configuration_that_breaks_a_rule_is_replaced_by_the_last_known_good_one_until_it_is_mended()
 {
    for has_environment in [false, true] {
        for document in ["n: 0", "{n: 5, m: 10}"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("last.json");
            let make = || {
                let (sender, channel) = Channel::buffered("app", 4);
                let source = Source::watcher(channel).format(Format::Yaml);
                let mut builder = Capacitor::<Ruled>::builder().source(source);
                if has_environment {
                    builder =
                        builder.override_with(Source::env("APP_").variables([("APP_M", "5")]));
                }
                let kept = builder.last_known_good(path.to_str().unwrap(), Secrets::Omit);
                (kept.build().unwrap(), sender)
            };
            let (good, sender) = make();
            sender.send(&b"n: 1"[..]).await.unwrap();
            good.start().await.unwrap();
            good.stop().await;
            let (capacitor, sender) = make();
            sender.send(document.as_bytes()).await.unwrap();
            let started = capacitor.start().await;
            let case = format!("{has_environment}, {document}: {started:?}");
            if has_environment && document != "n: 0" {
                assert_eq!(capacitor.state(), State::Healthy, "{case}");
                continue;
            }
            assert!(started.is_ok(), "{case}");
            assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
            assert_eq!(capacitor.get().m, if has_environment { 5 } else { 0 });
            let report = capacitor.last_error().unwrap().to_string();
            for part in ["must be", "served is the last known good configuration"] {
                assert!(report.contains(part), "{case}\n{report}");
            }
            sender.send(&b"n: 3"[..]).await.unwrap();
            until("healthy", || capacitor.state() == State::Healthy).await;
            assert_eq!(capacitor.get().n, 3, "{case}");
            capacitor.stop().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_variable_breaks_the_rule_the_last_known_good_one_does_not_serve() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    for (value, is_served) in [("5", true), ("10", false)] {
        let (sender, channel) = Channel::buffered("app", 4);
        let capacitor = Capacitor::<Ruled>::builder()
            .source(Source::watcher(channel).format(Format::Yaml))
            .override_with(Source::env("APP_").variables([("APP_M", value)]))
            .last_known_good(path.to_str().unwrap(), Secrets::Omit)
            .build()
            .unwrap();
        sender.send(&b"n: 1"[..]).await.unwrap();
        assert_eq!(capacitor.start().await.is_ok(), is_served, "{value}");
        let report = capacitor.last_error().map(|report| report.to_string());
        assert!(!report.unwrap_or_default().contains("served is"), "{value}");
        capacitor.stop().await;
    }
}

#[derive(Debug, Clone, Flux)]
struct Tenant {
    size: u32,
}

#[derive(Debug, Flux)]
struct Tenants {
    #[flux(range = 1..=99)]
    n: u32,
    #[flux(nested)]
    tenants: BTreeMap<String, Tenant>,
}

#[tokio::test(start_paused = true)]
async fn a_variable_of_an_entry_that_the_refused_document_spells_in_another_way_is_not_laid_over_the_kept_one()
 {
    // The variable is read by the spelling of what the sources have: `Acme` beside `acme` would be two tenants.
    for (kept, spelt) in [
        ("acme", "acme"),
        ("Acme", "Acme"),
        ("acme", "Acme"),
        ("Acme", "acme"),
    ] {
        let is_served = kept == spelt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.json");
        let make = || {
            let (sender, channel) = Channel::buffered("app", 4);
            let capacitor = Capacitor::<Tenants>::builder()
                .source(Source::watcher(channel).format(Format::Yaml))
                .override_with(Source::env("APP_").variables([("APP_TENANTS_ACME_SIZE", "9")]))
                .last_known_good(path.to_str().unwrap(), Secrets::Omit)
                .build()
                .unwrap();
            (capacitor, sender)
        };
        let document =
            |n: u32, spelt: &str| format!("{{n: {n}, tenants: {{{spelt}: {{size: 1}}}}}}");
        let (good, sender) = make();
        sender.send(document(1, kept).into_bytes()).await.unwrap();
        good.start().await.unwrap();
        good.stop().await;
        let (capacitor, sender) = make();
        sender.send(document(0, spelt).into_bytes()).await.unwrap();
        let case = format!("{kept}, {spelt}");
        assert_eq!(capacitor.start().await.is_ok(), is_served, "{case}");
        if is_served {
            assert_eq!(capacitor.get().tenants[kept].size, 9, "{case}");
            assert_eq!(capacitor.get().tenants.len(), 1);
        }
        sender.send(document(2, spelt).into_bytes()).await.unwrap();
        until("healthy", || capacitor.state() == State::Healthy).await;
        assert_eq!(capacitor.get().tenants.len(), 1);
        assert_eq!(capacitor.get().tenants[spelt].size, 9);
        capacitor.stop().await;
    }
}

fn with_two_layers(path: &std::path::Path) -> (Capacitor<Ruled>, [flux::source::ChannelSender; 2]) {
    let (lower, lower_channel) = Channel::buffered("lower", 4);
    let (upper, upper_channel) = Channel::buffered("upper", 4);
    let layer = |channel| Source::watcher(channel).format(Format::Yaml);
    let builder = Capacitor::<Ruled>::builder()
        .source(layer(lower_channel))
        .source(layer(upper_channel).optional())
        .last_known_good(path.to_str().unwrap(), Secrets::Omit);
    (builder.build().unwrap(), [lower, upper])
}

#[tokio::test(start_paused = true)]
async fn a_new_optional_layer_that_breaks_a_rule_is_left_out_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let (good, [lower, upper]) = with_two_layers(&path);
    lower.send(&b"n: 1"[..]).await.unwrap();
    upper.absent().await.unwrap();
    good.start().await.unwrap();
    good.stop().await;
    let (capacitor, [lower, upper]) = with_two_layers(&path);
    lower.send(&b"n: 2"[..]).await.unwrap();
    upper.send(&b"m: 10"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    upper.send(&b"m: 9"[..]).await.unwrap();
    until("healthy", || capacitor.state() == State::Healthy).await;
    assert_eq!((capacitor.get().n, capacitor.get().m), (2, 9));
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_file_of_which_a_part_cannot_serve_is_not_mixed_with_what_breaks_a_rule() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let (good, [lower, upper]) = with_two_layers(&path);
    lower.send(&b"n: 1"[..]).await.unwrap();
    upper.send(&b"m: 5"[..]).await.unwrap();
    good.start().await.unwrap();
    good.stop().await;
    // What was kept of the lower one is of another type today.
    let text = std::fs::read_to_string(&path).unwrap();
    let spoilt = text.replace("\"n\": 1", "\"n\": \"x\"");
    assert_ne!(text, spoilt);
    std::fs::write(&path, spoilt).unwrap();
    let (capacitor, [lower, upper]) = with_two_layers(&path);
    lower.send(&b"n: 2"[..]).await.unwrap();
    upper.send(&b"m: 10"[..]).await.unwrap();
    capacitor.start().await.unwrap_err();
    assert!(capacitor.try_snapshot().is_none());
    // One that is good by itself is taken at once.
    upper.send(&b"m: 9"[..]).await.unwrap();
    until("healthy", || capacitor.state() == State::Healthy).await;
    assert_eq!((capacitor.get().n, capacitor.get().m), (2, 9));
    capacitor.stop().await;
}
