//! What causes the events: each function runs capacitors of the name `vault`.

use crate::kit::{App, over_a_channel, pass, say, settle, write};
use flux::{
    Builder, Capacitor, Flux, Format, Secrets, Snapshot, Source,
    pipeline::{BoxError, CircuitBreaker, Request, Retry},
    source::{ChannelSender, SourceError},
    testing::Script,
};
use std::{
    fs,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

#[derive(Flux)]
struct Vault {
    #[flux(range = 1..=9)]
    n: u32,
    #[flux(secret)]
    password: Option<String>,
    #[flux(restart)]
    threads: Option<u32>,
}

pub(super) async fn refusals_and_the_pipeline() {
    let (builder, sender) = over_a_channel::<Vault>();
    let capacitor = builder
        .name("vault")
        .on_apply(|_, next: Arc<Snapshot<Vault>>| async move {
            (next.n != 7).then_some(()).ok_or("no sevens")
        })
        .enrich(|request: Request<Vault>| async move {
            let found = (request.current.n == 1).then_some(request);
            found.ok_or("no such number")
        })
        .circuit_breaker(CircuitBreaker::failures(1).recovery(Duration::from_secs(3)))
        .retry(Retry::attempts(2).base(Duration::ZERO).max(Duration::ZERO))
        .fallback(|_| async { Err::<Request<Vault>, _>("out of ideas") })
        .on_stop(|_| panic!("out of cheese"))
        .build()
        .unwrap();
    let documents = [
        "{n: 1, password: hunter2}",
        "{n: x, password: hunter2}",
        "{n: 0, password: hunter2}",
        "{n: 7, password: hunter2}",
        "{n: 2, password: [hunter2]}",
        "{n: 2, pasword: hunter2}",
        "{n: 2, pasword: hunter2, threads: 4}",
    ];
    for document in documents {
        write(&sender, document).await;
        match capacitor.status().running {
            true => pass(10.0).await,
            false => capacitor.start().await.unwrap(),
        }
    }
    capacitor.stop().await;
}

/// One that is lost and back, one that refuses, one that ends and one that is silent at first.
pub(super) async fn sources() {
    for silence in [0, 15] {
        let script = Script::new("store").after(Duration::from_secs(silence));
        let script = script.value("n: 1");
        let store = script.handle();
        let source = Source::watcher(script).format(Format::Yaml);
        let builder = Capacitor::<App>::builder().name("vault").source(source);
        let capacitor = builder.build().unwrap();
        capacitor.start().await.unwrap();
        for error in [
            SourceError::transient("connection refused"),
            SourceError::permission("no right to read"),
        ] {
            store.failing(error);
            settle().await;
            store.live();
            settle().await;
        }
        store.closed();
        settle().await;
        capacitor.stop().await;
    }
}

pub(super) async fn reloads() {
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder.name("vault").build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    capacitor.reload().await.unwrap();
    say(&sender, 100).await;
    capacitor.reload().await.unwrap_err();
    capacitor.stop().await;
}

pub(super) async fn an_update_that_lasts() {
    let (builder, sender) = over_a_channel::<App>();
    let builder = builder
        .name("vault")
        .on_apply(|_, next: Arc<Snapshot<App>>| {
            let lasts = Duration::from_secs(if next.n == 2 { 40 } else { 0 });
            async move {
                tokio::time::sleep(lasts).await;
                Ok::<(), BoxError>(())
            }
        });
    let capacitor = builder.build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    say(&sender, 2).await;
    pass(45.0).await;
    assert_eq!(capacitor.get().n, 2);
    capacitor.stop().await;
}

pub(super) async fn a_stop_from_inside() {
    let own = Arc::new(OnceLock::<Capacitor<App>>::new());
    let inner = Arc::clone(&own);
    let (builder, sender) = over_a_channel::<App>();
    let builder = builder.name("vault").on_apply(move |_, _| {
        let own = Arc::clone(&inner);
        async move {
            if let Some(capacitor) = own.get() {
                capacitor.stop().await;
            }
            Ok::<(), BoxError>(())
        }
    });
    let capacitor = builder.build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    own.set(capacitor.clone()).unwrap();
    say(&sender, 2).await;
    pass(1.0).await;
    assert!(!capacitor.status().running);
}

fn keeping(path: &Path) -> (Builder<App>, ChannelSender) {
    let (builder, sender) = over_a_channel::<App>();
    let builder = builder.name("vault");
    let path = path.to_str().unwrap();
    (builder.last_known_good(path, Secrets::Omit), sender)
}

/// A trial that is passed, then two deaths, the quarantine, and its end by hand.
pub(super) async fn trials() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known-good.json");
    let record = folder.path().join("known-good.json.trial");
    let start = async |n: u32| {
        let (builder, sender) = keeping(&path);
        let capacitor = builder.trial(2).build().unwrap();
        say(&sender, n).await;
        capacitor.start().await.unwrap();
        settle().await;
        (capacitor, sender)
    };
    let (capacitor, sender) = start(1).await;
    pass(61.0).await;
    say(&sender, 2).await;
    pass(61.0).await;
    settle().await;
    assert!(!record.exists());
    say(&sender, 3).await;
    settle().await;
    let mut ends = capacitor;
    for deaths in [1, 2] {
        let text = fs::read_to_string(&record).unwrap();
        ends.stop().await;
        // As if it had been another process that is gone.
        let own = format!("\"id\": {}", std::process::id());
        assert!(text.contains("\"running\": true"), "{text}");
        fs::write(&record, text.replace(&own, "\"id\": 0")).unwrap();
        let (capacitor, _sender) = start(3).await;
        assert_eq!(capacitor.get().n, if deaths == 1 { 3 } else { 2 });
        ends = capacitor;
    }
    ends.trust().await.unwrap();
    settle().await;
    assert_eq!(ends.get().n, 3);
    ends.stop().await;
}

/// The folder of the last known good configuration is made after the start.
pub(super) async fn a_disk_that_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (builder, sender) = keeping(&folder.path().join("late/known-good.json"));
    let capacitor = builder.build().unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    settle().await;
    fs::create_dir(folder.path().join("late")).unwrap();
    pass(70.0).await;
    settle().await;
    capacitor.stop().await;
}
