//! Runtimes that are gone, that lack something, and processes that are forks.

#[cfg(unix)]
mod forks;

use crate::kit::{App, alone, over_a_channel, say};
use flux::{
    Capacitor, Error, Format, Source,
    source::{File, Health, Observer, SourceError, Watcher},
};
use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn healths(capacitor: &Capacitor<App>) -> Vec<Health> {
    let status = capacitor.status();
    let layers = status.layers.iter();
    layers.map(|layer| layer.health.clone()).collect()
}

#[test]
fn a_program_that_ends_with_a_refused_start_ends_without_a_panic_of_its_runtime() {
    if !alone(
        "runtimes::a_program_that_ends_with_a_refused_start_ends_without_a_panic_of_its_runtime",
    ) {
        return;
    }
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        hook(panic);
    }));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::write(&path, "n: x").unwrap();
    for _ in 0..100 {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let refused = runtime.block_on(async {
            let capacitor = Capacitor::<App>::builder()
                .source(Source::file(path.to_str().unwrap()))
                .last_known_good(
                    folder.path().join("last/known.json").to_str().unwrap(),
                    flux::Secrets::Omit,
                )
                .build()
                .unwrap();
            capacitor.start().await
        });
        assert!(refused.is_err());
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

/// Shows every 20 ms that it is watched.
struct Heart;

impl Watcher for Heart {
    fn origin(&self) -> String {
        "heart".to_owned()
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        observer.value(*b"n: 1");
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            observer.live();
        }
    }

    fn deadline(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }
}

#[test]
fn no_layer_is_live_for_longer_than_its_source_shows_while_the_runtime_is_held_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::write(&path, "n: 1").unwrap();
    let capacitor = Capacitor::<App>::builder()
        .source(Source::watcher(Heart).format(Format::Yaml))
        .source(
            Source::watcher(File::new(&path).resync(Duration::from_millis(1))).format(Format::Yaml),
        )
        .source(Source::env("FLUX_TEST_RUNTIMES_"))
        .build()
        .unwrap();
    let runtime = runtime();
    let live = || {
        let healths = healths(&capacitor);
        healths.iter().all(|one| matches!(one, Health::Live))
    };
    runtime.block_on(async {
        capacitor.start().await.unwrap();
        crate::until("live", live).await;
    });
    let (begin, held_up) = (Instant::now(), Duration::from_millis(9_500));
    runtime.spawn(async move { std::thread::sleep(held_up) });
    // The bounds are 1 s, and 5 s and a resync.
    let mut seen = [false; 2];
    while begin.elapsed() < Duration::from_millis(9_200) {
        let before = SystemTime::now();
        let status = capacitor.status();
        assert!(
            matches!(status.layers[2].health, Health::Live),
            "it is read at start alone"
        );
        for (at, bound) in [1.0, 5.001].into_iter().enumerate() {
            let proven = status.layers[at].proven().unwrap();
            // At least, and at most: this thread may be held up between two lines.
            let at_least = before.duration_since(proven).unwrap_or_default();
            let at_most = proven.elapsed().unwrap_or_default();
            let (at_least, at_most) = (at_least.as_secs_f64(), at_most.as_secs_f64());
            match &status.layers[at].health {
                Health::Live => {
                    assert!(at_least < bound + 0.5, "{at}: live for {at_least} s");
                }
                Health::Stale { error, .. } => {
                    assert!(at_most > bound - 0.5, "{at}: {error} after {at_most} s");
                    assert!(error.to_string().contains("no thread to spare"), "{error}");
                    seen[at] = true;
                }
                other => panic!("{other:?}"),
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(seen, [true, true]);
    runtime.block_on(crate::until("live again", live));
}

#[test]
fn layers_are_not_live_once_their_runtime_is_gone_or_they_are_stopped() {
    for by_hand in [false, true] {
        for stopped in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("app.yaml");
            fs::write(&path, "n: 1").unwrap();
            let (builder, sender) = over_a_channel::<App>();
            let builder = builder
                .source(Source::file(path.to_str().unwrap()))
                .source(Source::env("FLUX_TEST_RUNTIMES_"));
            let builder = if by_hand { builder.manual() } else { builder };
            let capacitor = builder.build().unwrap();
            let runtime = runtime();
            runtime.block_on(async {
                say(&sender, 1).await;
                capacitor.start().await.unwrap();
                let live = || {
                    let healths = healths(&capacitor);
                    healths.iter().all(|one| matches!(one, Health::Live))
                };
                crate::until("live", live).await;
                if stopped {
                    capacitor.stop().await;
                }
            });
            drop(runtime);
            let status = capacitor.status();
            if by_hand && !stopped {
                // What is driven by hand is watched whenever it is driven.
                continue;
            }
            assert!(!status.running);
            let now = healths(&capacitor);
            assert!(
                matches!(now[..], [Health::Closed, Health::Closed, Health::Live]),
                "what is watched is closed, and what was read at start is as it was: {now:?}"
            );
            assert_eq!(capacitor.get().n, 1);
        }
    }
}

#[test]
fn a_runtime_without_timers_is_an_error_that_names_the_fix() {
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder.build().unwrap();
    for flavour in [
        tokio::runtime::Builder::new_current_thread(),
        tokio::runtime::Builder::new_multi_thread(),
    ] {
        let mut flavour = flavour;
        let without = flavour.build().unwrap();
        let error = without
            .block_on(capacitor.start())
            .expect_err("there are no timers");
        assert!(matches!(error, Error::NoTimers { .. }), "{error}");
        assert!(error.to_string().contains("`enable_all()`"), "{error}");
    }
    let with = runtime();
    with.block_on(async {
        say(&sender, 1).await;
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.get().n, 1);
    });
}

#[derive(flux::Flux)]
struct Large {
    n: u32,
    #[flux(default)]
    texts: Vec<String>,
}

/// With one worker alone, which is held up unless another thread takes its tasks.
#[test]
fn a_large_document_is_decoded_while_other_tasks_go_on() {
    let runtime = runtime();
    let line = format!("- {}\n", "x".repeat(40));
    let document = |n: u32| format!("n: {n}\ntexts:\n{}", line.repeat(20_000)).into_bytes();
    let (builder, sender) = over_a_channel::<Large>();
    let capacitor = builder.build().unwrap();
    let longest = Arc::new(Mutex::new(Duration::ZERO));
    runtime.block_on(async {
        sender.send(&b"n: 1"[..]).await.unwrap();
        capacitor.start().await.unwrap();
        let (noted, ticks) = (Arc::clone(&longest), Arc::new(AtomicUsize::new(0)));
        let ticked = Arc::clone(&ticks);
        tokio::spawn(async move {
            let mut last = Instant::now();
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                let mut longest = noted.lock().unwrap();
                *longest = (*longest).max(last.elapsed());
                last = Instant::now();
                ticked.fetch_add(1, Ordering::Relaxed);
            }
        });
        for n in 2..=20 {
            let document = document(n);
            assert!(document.len() > 256 << 10 && document.len() < 1 << 20);
            *longest.lock().unwrap() = Duration::ZERO;
            let begun = Instant::now();
            sender.send(document).await.unwrap();
            while capacitor.get().n != n {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let took = begun.elapsed();
            // A pause is noted when it is over.
            let before = ticks.load(Ordering::Relaxed);
            while ticks.load(Ordering::Relaxed) == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let longest = *longest.lock().unwrap();
            assert_eq!(capacitor.get().texts.len(), 20_000);
            println!("taken up in {took:?}, the longest pause of another task was {longest:?}");
            // A machine that is busy makes pauses of its own.
            if longest < took / 4 {
                return;
            }
        }
        panic!("other tasks were held up each time");
    });
}
