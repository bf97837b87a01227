//! A folder is applied as a whole or not at all, beside other layers that go on.

use super::{DropInApp, DropInFolder};
use flux::{
    Capacitor, Flux, Format, Source, State,
    source::{Channel, DropIns, Health, SourceError},
    testing::{Bench, harness},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

#[derive(Flux, Debug)]
#[flux(
    source = "file:app.yaml",
    optional_source = "file:conf.d/*.yaml",
    optional_override = "file:above.yaml"
)]
struct WholeApp {
    #[flux(default = 0, range = 0..=9)]
    n: u32,
    #[flux(default = "nobody")]
    name: String,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
    #[flux(default = 1, restart)]
    threads: u32,
}

async fn set(app: &Bench<WholeApp>, files: &[(&str, &str)]) -> Result<(), flux::Report> {
    let document = DropIns::document(files.iter().copied());
    app.set("conf.d/*.yaml", document).await
}

async fn started(files: &[(&str, &str)]) -> Bench<WholeApp> {
    harness::<WholeApp>()
        .document("app.yaml", "name: base")
        .document("conf.d/*.yaml", DropIns::document(files.iter().copied()))
        .with(|builder| builder.generations(6).history(16))
        .start()
        .await
}

#[tokio::test]
async fn a_file_that_breaks_a_rule_holds_back_what_is_new_in_the_others_of_its_source() {
    let app = started(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "labels: {b: 1}")]).await;
    let bad = ("10-a.yaml", "n: 500");
    let report = set(&app, &[bad, ("20-b.yaml", "labels: {b: 1}")])
        .await
        .unwrap_err();
    assert!(
        report.to_string().contains("conf.d/10-a.yaml:1:4"),
        "{report}"
    );
    // In a later update, so that it is not the same one that is refused.
    set(&app, &[bad, ("20-b.yaml", "labels: {b: 2}")])
        .await
        .unwrap_err();
    set(
        &app,
        &[
            bad,
            ("20-b.yaml", "labels: {b: 2}"),
            ("30-c.yaml", "name: c"),
        ],
    )
    .await
    .unwrap_err();
    let seen = || (app.get().n, app.get().labels["b"], app.get().name.clone());
    assert_eq!(seen(), (1, 1, "base".to_owned()));
    // Another layer goes on.
    app.set("app.yaml", "name: other").await.unwrap_err();
    assert_eq!(seen(), (1, 1, "other".to_owned()));
    let good = [
        ("10-a.yaml", "n: 2"),
        ("20-b.yaml", "labels: {b: 2}"),
        ("30-c.yaml", "name: c"),
    ];
    set(&app, &good).await.unwrap();
    assert_eq!(seen(), (2, 2, "c".to_owned()));
    assert_eq!(app.state(), State::Healthy);
}

#[tokio::test]
async fn a_refused_layer_above_holds_back_no_file_and_a_refused_file_no_layer_above() {
    let app = started(&[("10-a.yaml", "n: 1")]).await;
    app.set("above.yaml", "name: [").await.unwrap_err();
    set(&app, &[("10-a.yaml", "n: 2")]).await.unwrap_err();
    assert_eq!(app.get().n, 2);
    set(&app, &[("10-a.yaml", "n: ["), ("20-b.yaml", "n: 3")])
        .await
        .unwrap_err();
    app.set("above.yaml", "name: above").await.unwrap_err();
    assert_eq!((app.get().n, &*app.get().name), (2, "above"));
    set(&app, &[("20-b.yaml", "n: 3")]).await.unwrap();
    assert_eq!(app.get().n, 3);
}

#[tokio::test]
async fn the_files_of_a_source_that_is_lost_are_stale_as_it_is_and_count_its_observations() {
    let app = started(&[("10-a.yaml", "n: 1")]).await;
    set(&app, &[("10-a.yaml", "n: 2"), ("20-b.yaml", "n: 3")])
        .await
        .unwrap();
    let status = app.status();
    let received: Vec<u64> = status.layers[1..4].iter().map(|one| one.received).collect();
    assert_eq!(received, [2, 2, 2], "{status}");
    app.lose("conf.d/*.yaml", SourceError::transient("no folder"))
        .await;
    let status = app.status();
    for layer in &status.layers[1..4] {
        assert!(matches!(layer.health, Health::Stale { .. }), "{status}");
    }
    assert!(
        !matches!(status.layers[0].health, Health::Stale { .. }),
        "{status}"
    );
    assert_eq!(app.get().n, 3);
    set(&app, &[("20-b.yaml", "n: 4"), ("30-c.yaml", "name: c")])
        .await
        .unwrap();
    let status = app.status();
    let is_live = |layer: &flux::capacitor::LayerStatus| matches!(layer.health, Health::Live);
    assert!(status.layers.iter().all(is_live), "{status}");
}

#[tokio::test]
async fn files_that_come_while_the_program_applies_others_are_applied_after_them() {
    let (began, may_end) = (
        Arc::new(tokio::sync::Semaphore::new(0)),
        Arc::new(tokio::sync::Semaphore::new(0)),
    );
    let (begins, ends) = (Arc::clone(&began), Arc::clone(&may_end));
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let app = harness::<WholeApp>()
        .document("app.yaml", "name: base")
        .with(move |builder| {
            builder.on_apply(move |_, _| {
                let (begins, ends) = (Arc::clone(&begins), Arc::clone(&ends));
                let is_first = counted.fetch_add(1, Ordering::SeqCst) == 0;
                async move {
                    if !is_first {
                        begins.add_permits(1);
                        ends.acquire().await.unwrap().forget();
                    }
                    Ok::<_, std::convert::Infallible>(())
                }
            })
        })
        .start()
        .await;
    app.put(
        "conf.d/*.yaml",
        DropIns::document([("20-b.yaml", "n: 2"), ("30-c.yaml", "labels: {c: 3}")]),
    );
    let first = app.step();
    let meanwhile = async {
        began.acquire().await.unwrap().forget();
        // A file before, a file between, and one that is gone.
        app.put(
            "conf.d/*.yaml",
            DropIns::document([
                ("10-a.yaml", "name: a"),
                ("20-b.yaml", "n: 2"),
                ("25-d.yaml", "n: 5"),
            ]),
        );
        may_end.add_permits(5);
    };
    let (first, ()) = tokio::join!(first, meanwhile);
    first.unwrap();
    app.step().await.unwrap();
    let seen = (app.get().n, app.get().name.clone(), app.get().labels.len());
    assert_eq!(seen, (5, "a".to_owned(), 0), "{}", app.status());
    assert!(
        app.explain("n")
            .unwrap()
            .to_string()
            .contains("conf.d/25-d.yaml:1:4")
    );
}

/// What it brings is refused, and readers see nothing of its folder yet.
#[tokio::test]
async fn a_bad_file_that_comes_while_the_first_configuration_is_applied_holds_back_no_other_layer()
{
    for bad in ["n: [", "n: 5000"] {
        let folder = DropInFolder::of(&[("10-a.yaml", "n: 1")]);
        let (began, may_end) = (
            Arc::new(tokio::sync::Semaphore::new(0)),
            Arc::new(tokio::sync::Semaphore::new(0)),
        );
        let (begins, ends) = (Arc::clone(&began), Arc::clone(&may_end));
        let (sender, channel) = Channel::buffered("above", 4);
        let above = Source::watcher(channel).format(Format::Yaml).optional();
        let app = Capacitor::<DropInApp>::builder()
            .source(folder.source())
            .override_with(above)
            .debounce(Duration::ZERO)
            .on_apply(move |_, _| {
                let (begins, ends) = (Arc::clone(&begins), Arc::clone(&ends));
                async move {
                    begins.add_permits(1);
                    ends.acquire().await.unwrap().forget();
                    Ok::<_, std::convert::Infallible>(())
                }
            })
            .build()
            .unwrap();
        sender.absent().await.unwrap();
        let meanwhile = async {
            began.acquire().await.unwrap().forget();
            folder.put("20-b.yaml", bad);
            // Nothing tells of it until the first configuration is there.
            tokio::time::sleep(Duration::from_millis(800)).await;
            may_end.add_permits(9);
        };
        let (started, ()) = tokio::join!(app.start(), meanwhile);
        started.unwrap();
        assert_eq!(app.get().n, 1, "{bad}");
        let origin = folder.origin("20-b.yaml");
        let names = |report: flux::Report| report.to_string().contains(&origin);
        crate::until("the refusal", || app.last_error().is_some_and(names)).await;
        sender.send(&b"name: above"[..]).await.unwrap();
        crate::until("the other layer", || app.get().name == "above").await;
        assert_eq!((app.get().n, app.state()), (1, State::Degraded), "{bad}");
        folder.put("20-b.yaml", "n: 2");
        crate::until("the mended file", || app.get().n == 2).await;
        assert_eq!(app.state(), State::Healthy);
        app.stop().await;
    }
}

#[tokio::test]
async fn what_waits_for_a_restart_is_known_by_its_file_while_others_come_and_go() {
    let app = started(&[("20-b.yaml", "threads: 2")]).await;
    assert_eq!(app.get().threads, 2);
    set(&app, &[("20-b.yaml", "threads: 3")]).await.unwrap();
    assert_eq!(
        (app.get().threads, app.status().pending_restart.clone()),
        (2, vec!["threads".to_owned()])
    );
    set(
        &app,
        &[
            ("10-a.yaml", "n: 1"),
            ("20-b.yaml", "threads: 3"),
            ("30-c.yaml", "n: 2"),
        ],
    )
    .await
    .unwrap();
    set(&app, &[("10-a.yaml", "n: 3"), ("20-b.yaml", "threads: 3")])
        .await
        .unwrap();
    let waits = app.explain("threads").unwrap().to_string();
    assert!(waits.contains("conf.d/20-b.yaml:1:10"), "{waits}");
    assert_eq!((app.get().n, app.get().threads), (3, 2));
    set(&app, &[("10-a.yaml", "n: 3"), ("20-b.yaml", "threads: 2")])
        .await
        .unwrap();
    assert!(app.status().pending_restart.is_empty());
}
