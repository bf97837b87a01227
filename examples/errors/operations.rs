//! What is said when somebody takes a change back, holds it up, or when a source is down.

use crate::{
    Said,
    by_hand::{ByHand, error, report, started},
};
use flux::{
    Builder, Capacitor, Config, Flux, Format, Secrets, Source,
    change::{Event, Group},
    source::{Channel, ChannelSender, Health, SourceError},
};
use std::{future::ready, time::Duration};

#[derive(Flux)]
struct Routes {
    #[flux(range = 1..=100)]
    workers: u32,
}

#[derive(Flux)]
struct Limits {
    rate: u32,
}

pub async fn cases() -> Vec<Said> {
    let mut said = vec![
        ("group", group().await),
        ("pin", pin().await),
        ("health check", health_check().await),
        ("last known good", last_known_good().await),
        ("quarantine", quarantine().await),
        ("stale", stale().await),
        ("not a file", not_a_file().await),
        ("found nowhere", found_nowhere().await),
        ("no drop-ins", no_drop_ins().await),
    ];
    said.extend(rollback().await);
    said
}

/// One member's newest content is refused, and the other one waits for it.
async fn group() -> String {
    let group = Group::new();
    let (routes, routes_document) =
        running::<Routes>("workers: 1", |builder| builder.group(&group)).await;
    let (limits, limits_document) =
        running::<Limits>("rate: 1", |builder| builder.group(&group)).await;
    let mut events = routes.events();
    limits_document
        .try_send(*b"rate: fast")
        .expect("somebody watches");
    routes_document
        .try_send(*b"workers: 2")
        .expect("somebody watches");
    let Some(Event::Refused(report)) = events.next().await else {
        panic!("the group must wait");
    };
    routes.stop().await;
    limits.stop().await;
    report.to_string()
}

/// A capacitor that runs by itself.
async fn running<C: Config>(
    document: &'static str,
    adjust: impl FnOnce(Builder<C>) -> Builder<C>,
) -> (Capacitor<C>, ChannelSender) {
    let (sender, channel) = Channel::latest("app.yaml");
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = adjust(Capacitor::builder().source(source));
    let capacitor = builder.build().expect("layers that work");
    sender
        .try_send(document.as_bytes())
        .expect("somebody watches");
    capacitor.start().await.expect("a good document");
    (capacitor, sender)
}

async fn pin() -> String {
    let app: ByHand<Routes> = started("workers: 1", |builder| builder).await;
    app.capacitor.pin().await.expect("it runs");
    app.edit("workers: 2").await;
    app.report()
}

async fn rollback() -> Vec<Said> {
    let app: ByHand<Routes> = started("workers: 1", |builder| builder).await;
    app.edit("workers: 2").await;
    app.capacitor.rollback(1).await.expect("it is kept");
    let told = app.report();
    let nowhere = error(app.capacitor.rollback(7).await);
    vec![("rollback", told), ("no such generation", nowhere)]
}

async fn health_check() -> String {
    let (capacitor, document) = running::<Routes>("workers: 1", |builder| {
        builder
            .probation(Duration::from_secs(30))
            .health_check(|snapshot| {
                ready(match snapshot.workers {
                    0..=50 => Ok(()),
                    n => Err(format!("12 % of requests fail with {n} workers")),
                })
            })
    })
    .await;
    let mut events = capacitor.subscribe();
    document
        .try_send(*b"workers: 60")
        .expect("somebody watches");
    for workers in [60, 1] {
        let change = events.changed().await.expect("it runs");
        assert_eq!(change.current.workers, workers);
    }
    let told = report(&capacitor);
    capacitor.stop().await;
    told
}

/// A start while the only source is down; the one before kept what it had.
async fn last_known_good() -> String {
    let keep = |builder: Builder<Routes>| builder.last_known_good("last.json", Secrets::Omit);
    let (before, _document) = running("workers: 3", keep).await;
    before.stop().await;
    let (document, channel) = Channel::latest("app.yaml");
    let source = Source::watcher(channel).format(Format::Yaml);
    let capacitor = keep(Capacitor::builder().source(source))
        .build()
        .expect("layers that work");
    let down = SourceError::transient("connection refused");
    document.fail(down).await.expect("somebody watches");
    capacitor
        .start()
        .await
        .expect("what is kept on disk serves");
    let told = report(&capacitor);
    capacitor.stop().await;
    let (before, after) = told.split_once("written at ").expect("the time");
    let (_, after) = after.split_once(" UTC").expect("the time");
    format!("{before}written at 2030-01-01 10:00:00 UTC{after}")
}

/// A start after the process died while a change was on trial.
async fn quarantine() -> String {
    let keep =
        |builder: Builder<Routes>| builder.last_known_good("kept.json", Secrets::Omit).trial(1);
    let (before, _document) = running("workers: 3", keep).await;
    before.stop().await;
    let (dies, _document) = running("workers: 60", keep).await;
    let record = std::fs::read_to_string("kept.json.trial").expect("a record");
    dies.stop().await;
    // As if it had been another process that is gone.
    let own = format!("\"id\": {}", std::process::id());
    let record = record.replace(&own, "\"id\": 0");
    std::fs::write("kept.json.trial", record).expect("a record");
    let (capacitor, _document) = running("workers: 60", keep).await;
    let told = report(&capacitor);
    capacitor.stop().await;
    let (before, after) = told.split_once("changes, at ").expect("the time");
    let (_, after) = after.split_once(" UTC").expect("the time");
    let (middle, after) = after.split_once("written at ").expect("the time");
    let (_, after) = after.split_once(" UTC").expect("the time");
    format!(
        "{before}changes, at 2030-01-01 12:00:00 UTC{middle}written at 2030-01-01 10:00:00 UTC{after}"
    )
}

/// A source that is down is no refusal: it shows beside the state.
async fn stale() -> String {
    let app: ByHand<Routes> = started("workers: 1", |builder| builder).await;
    let down = SourceError::transient("app.yaml: connection refused");
    app.document.fail(down).await.expect("somebody watches");
    app.capacitor.process().await.expect("it is by hand");
    let status = app.capacitor.status();
    match &status.layers[0].health {
        Health::Stale { error, attempt, .. } => {
            format!(
                "{}, attempt {attempt}: {error}; readers see generation {}",
                status.state, status.generation
            )
        }
        other => panic!("{other:?}"),
    }
}

async fn not_a_file() -> String {
    std::fs::create_dir("app.yaml").expect("a folder that can be written to");
    let builder = Capacitor::<Routes>::builder().source(Source::file("app.yaml"));
    let capacitor = builder.build().expect("layers that work");
    let told = error(capacitor.start().await);
    capacitor.stop().await;
    told
}

async fn no_drop_ins() -> String {
    let builder = Capacitor::<Routes>::builder().source(Source::file("conf.d/*.yaml"));
    let capacitor = builder.build().expect("layers that work");
    let told = error(capacitor.start().await);
    capacitor.stop().await;
    told
}

async fn found_nowhere() -> String {
    let source = Source::search("app.yaml", ["conf", "/etc/never"]);
    let builder = Capacitor::<Routes>::builder().source(source);
    let capacitor = builder.build().expect("layers that work");
    let told = error(capacitor.start().await);
    capacitor.stop().await;
    told
}
