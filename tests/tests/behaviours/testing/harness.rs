//! A config type on the bench.

use flux::{
    Capacitor, Flux, Source, State,
    source::{Health, SourceError},
    testing::{Harness, Script, harness},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[derive(Flux, Debug)]
#[flux(
    source = "file:app.yaml",
    source("file:${CONF_DIR:-/etc}/more.toml", optional),
    override = "env:APP_"
)]
struct App {
    #[flux(range = 1..=65535)]
    port: u16,
    #[flux(default = "localhost")]
    host: String,
    #[flux(nested)]
    pool: Pool,
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(default = 10, range = 1..=100)]
    size: u32,
}

#[tokio::test]
async fn the_declared_layers_keep_their_order_and_formats() {
    let app = harness::<App>()
        .document("app.yaml", "port: 1\nhost: below\npool:\n  size: 2")
        .document("/etc/more.toml", "host = 'above'\npool.size = 3")
        .variable("APP_POOL_SIZE", "4")
        .start()
        .await;
    let value = app.get();
    assert_eq!((value.port, &*value.host, value.pool.size), (1, "above", 4));
}

#[tokio::test]
async fn variables_are_those_of_the_test_alone() {
    // CARGO_MANIFEST_DIR is set in the process, and HOST could be.
    #[derive(Flux)]
    #[flux(
        source = "file:${CARGO_MANIFEST_DIR:-here}/app.yaml",
        override = "env:CARGO_"
    )]
    struct Build {
        #[flux(default = "unset")]
        manifest_dir: String,
    }
    let app = harness::<Build>()
        .document("here/app.yaml", "{}")
        .start()
        .await;
    assert_eq!(app.get().manifest_dir, "unset");
    let app = harness::<Build>()
        .variable("CARGO_MANIFEST_DIR", "there")
        .document("there/app.yaml", "{}")
        .start()
        .await;
    assert_eq!(app.get().manifest_dir, "there");
}

#[tokio::test]
async fn a_layer_without_a_document_is_absent() {
    let (app, report) = harness::<App>().start_refused().await;
    assert!(report.to_string().contains("does not exist"), "{report}");
    assert_eq!(app.state(), State::Empty);
    app.set("app.yaml", "port: 5").await.unwrap();
    assert_eq!((app.state(), app.get().port), (State::Healthy, 5));
}

#[tokio::test]
async fn a_step_answers_with_what_is_refused() {
    let app = harness::<App>()
        .document("app.yaml", "port: 1")
        .start()
        .await;
    let report = app.set("app.yaml", "port: 0").await.unwrap_err();
    assert_eq!(report.problems()[0].path, "port");
    let report = app.remove("app.yaml").await.unwrap_err();
    assert!(report.to_string().contains("does not exist"), "{report}");
    let report = app
        .unreadable("app.yaml", SourceError::permission("app.yaml: no"))
        .await
        .unwrap_err();
    assert!(report.to_string().contains("app.yaml: no"), "{report}");
    assert_eq!((app.state(), app.get().port), (State::Degraded, 1));
    app.set("app.yaml", "port: 2").await.unwrap();
    assert_eq!((app.state(), app.status().generation), (State::Healthy, 2));
}

#[tokio::test]
async fn layers_that_change_together_are_one_update() {
    let app = harness::<App>()
        .document("app.yaml", "port: 1")
        .start()
        .await;
    app.put("app.yaml", "port: 2");
    app.put("/etc/more.toml", "host = 'both'");
    assert_eq!(app.get().port, 1, "nothing happens by itself");
    app.step().await.unwrap();
    let value = app.get();
    assert_eq!((value.port, &*value.host), (2, "both"));
    assert_eq!(app.status().generation, 2);
}

#[tokio::test]
async fn a_lost_source_shows_in_its_health_and_not_in_the_state() {
    let app = harness::<App>()
        .document("app.yaml", "port: 1")
        .start()
        .await;
    app.lose("app.yaml", SourceError::transient("cut")).await;
    let stale = |health: &Health| matches!(health, Health::Stale { .. });
    assert!(stale(&app.status().layers[0].health));
    assert_eq!(app.state(), State::Healthy);
    app.set("app.yaml", "port: 2").await.unwrap();
    assert!(!stale(&app.status().layers[0].health));
}

#[tokio::test]
async fn a_section_is_tested_over_layers_of_the_tests_own() {
    let pool = Harness::over(Capacitor::<Pool>::builder())
        .layer("pool", "size: 1")
        .layer("over.json", "{\"size\": 2}")
        .start()
        .await;
    assert_eq!(pool.get().size, 2);
    let report = pool.set("pool", "size: 0\nsiez: 1").await;
    assert!(report.is_ok(), "the layer above decides: {report:?}");
    assert!(pool.set("over.json", "{\"size\": 0}").await.is_err());
}

#[tokio::test]
async fn callbacks_run_and_the_tests_own_watchers_stay() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let script = Script::new("mine").value("{\"host\": \"mine\"}");
    let app = harness::<App>()
        .document("app.yaml", "port: 1")
        .with(|builder| {
            builder
                .source(Source::watcher(script))
                .on_apply(move |_, _| {
                    counted.fetch_add(1, Ordering::SeqCst);
                    async { Ok::<(), std::io::Error>(()) }
                })
        })
        .start()
        .await;
    assert_eq!(app.get().host, "mine");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn no_time_passes_and_nothing_runs_by_itself() {
    let begin = tokio::time::Instant::now();
    let app = harness::<App>()
        .document("app.yaml", "port: 1")
        .start()
        .await;
    for port in 2..50 {
        app.set("app.yaml", format!("port: {port}")).await.unwrap();
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
    let tasks = tokio::runtime::Handle::current().metrics();
    assert_eq!(
        tasks.num_alive_tasks(),
        1,
        "it waits for the end of the runtime"
    );
    assert_eq!(app.status().generation, 49);
}

#[tokio::test]
#[should_panic(expected = "no layer `ap.yaml` to feed; there are: app.yaml, /etc/more.toml")]
async fn a_document_for_no_layer_is_told_with_the_layers_that_there_are() {
    harness::<App>()
        .document("ap.yaml", "port: 1")
        .start()
        .await;
}

#[tokio::test]
#[should_panic(expected = "port: must be in 1..=65535, found 0")]
async fn a_first_configuration_that_is_refused_fails_the_test_with_the_report() {
    harness::<App>()
        .document("app.yaml", "port: 0")
        .start()
        .await;
}

#[tokio::test]
async fn a_servers_document_has_the_format_that_it_has_in_production() {
    let texts = ["{\"n\": 1}", "n: 1", "n = 1"];
    for (uri, format) in [
        ("consul://h/app", 0),
        ("consul://h/app.yaml", 1),
        ("consul://h/app?format=toml", 2),
    ] {
        for (number, text) in texts.iter().enumerate() {
            let builder = flux::Capacitor::<crate::kit::App>::builder();
            let builder = builder.source(flux::Source::uri(uri));
            let harness = flux::testing::Harness::over(builder).document(uri, *text);
            let (_, outcome) = harness.try_start().await;
            // JSON is YAML too.
            let good = number == format || (number, format) == (0, 1);
            assert_eq!(outcome.is_ok(), good, "{uri}: {text}");
        }
    }
}
