//! A watcher that does what a test wrote down.

use flux::{
    Capacitor, Flux, Format, Source, State,
    source::{Health, SourceError},
    testing::Script,
};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Flux, Debug)]
struct App {
    #[flux(default = 0)]
    n: u32,
}

fn over(script: Script) -> Capacitor<App> {
    Capacitor::builder()
        .source(Source::watcher(script).format(Format::Yaml))
        .debounce(Duration::ZERO)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn documents_come_in_order_and_after_their_pauses() {
    let begin = Instant::now();
    let capacitor = over(
        Script::new("script")
            .value("n: 1")
            .after(Duration::from_secs(3600))
            .revision("n: 2", "r2"),
    );
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 1);
    let mut changes = capacitor.subscribe();
    assert_eq!(changes.changed().await.unwrap().current.n, 2);
    let took = begin.elapsed();
    assert_eq!(took.as_secs(), 3600, "{took:?}");
    assert_eq!(capacitor.status().layers[0].revision.as_deref(), Some("r2"));
}

#[tokio::test(start_paused = true)]
async fn ends_errors_and_panics_each_begin_another_session() {
    let script = Script::new("script")
        .value("n: 1")
        .end()
        .error(SourceError::transient("cut"))
        .error(SourceError::permission("denied"))
        .error(SourceError::configuration("no such database"))
        .panic("out of cheese")
        .value("n: 2");
    let handle = script.handle();
    let capacitor = over(script);
    capacitor.start().await.unwrap();
    handle.finished().await;
    assert_eq!((handle.sessions(), handle.played()), (6, 7));
    assert!(handle.session_starts().is_sorted());
    crate::until("applied", || capacitor.get().n == 2).await;
}

#[tokio::test(start_paused = true)]
async fn absences_and_unreadable_answers_are_refused_and_health_is_told() {
    let script = Script::new("script").value("n: 1");
    let handle = script.handle();
    let capacitor = over(script);
    capacitor.start().await.unwrap();
    let refused = |text: &'static str| {
        let capacitor = capacitor.clone();
        move || {
            capacitor
                .last_error()
                .is_some_and(|report| report.to_string().contains(text))
        }
    };
    handle.absent();
    crate::until("absent", refused("does not exist")).await;
    handle.unreadable(SourceError::permission("may not be read"));
    crate::until("unreadable", refused("may not be read")).await;
    assert_eq!(capacitor.state(), State::Degraded);
    let health = || capacitor.status().layers[0].health.clone();
    handle.failing(SourceError::transient("flaky"));
    crate::until("stale", || matches!(health(), Health::Stale { .. })).await;
    handle.live();
    crate::until("live", || matches!(health(), Health::Live)).await;
    handle.closed();
    crate::until("closed", || matches!(health(), Health::Closed)).await;
    crate::until("stopped", || !capacitor.status().running).await;
    assert_eq!(handle.sessions(), 1, "closed is final");
}

#[tokio::test(start_paused = true)]
async fn an_unsettled_document_waits_for_its_writer() {
    let script = Script::new("script").value("n: 1");
    let handle = script.handle();
    let capacitor = over(script);
    capacitor.start().await.unwrap();
    handle.value("n: 2");
    handle.unsettled();
    handle.after(Duration::from_millis(500));
    handle.finished().await;
    assert_eq!(capacitor.get().n, 1);
    handle.settled();
    crate::until("applied", || capacitor.get().n == 2).await;
}
