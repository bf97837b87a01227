//! Starting and stopping: what is left behind, other runtimes, and the last word.

use crate::kit::{App, Log, Teller, alone, over_a_channel, pass, running, say, settle, write};
use flux::{
    Builder, Capacitor, Error, Flux, Snapshot, Source, State,
    pipeline::BoxError,
    source::{Channel, ChannelSender},
};
use std::{fs, future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::runtime::Runtime;

fn alive() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_source_that_ends_before_it_said_anything_fails_the_start_and_is_named() {
    for others in [false, true] {
        let stops = Log::default();
        let log = stops.clone();
        let (mut builder, sender) = over_a_channel::<App>();
        let (other, channel) = Channel::buffered("other", 4);
        if others {
            builder = builder.source(Source::watcher(channel).format(flux::Format::Yaml));
            write(&other, "n: 1").await;
        }
        let capacitor = builder
            .on_stop(move |state| log.push(state))
            .build()
            .unwrap();
        drop(sender);
        let error = capacitor.start().await.expect_err("nothing came");
        assert!(matches!(error, Error::Refused(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("ended before its first report"), "{text}");
        assert!(text.contains("channel"), "{text}");
        assert_eq!(capacitor.state(), State::Empty);
        settle().await;
        let ended = !others;
        assert_eq!(
            capacitor.status().running,
            !ended,
            "the other source goes on"
        );
        let expected = if ended {
            vec![State::Empty]
        } else {
            Vec::new()
        };
        assert_eq!(stops.take(), expected);
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_optional_source_that_ends_before_it_said_anything_contributes_nothing() {
    let (builder, sender) = over_a_channel::<App>();
    let (other, channel) = Channel::buffered("other", 4);
    let source = Source::watcher(channel)
        .format(flux::Format::Yaml)
        .optional();
    let capacitor = builder.source(source).build().unwrap();
    say(&sender, 1).await;
    drop(other);
    capacitor.start().await.unwrap();
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 1));
}

type Ends = fn(Capacitor<App>, ChannelSender) -> Pin<Box<dyn Future<Output = ()>>>;

#[tokio::test(start_paused = true)]
async fn on_stop_runs_once_after_the_last_apply_with_the_final_state() {
    let ends: [(&str, Ends); 4] = [
        ("stop", |capacitor, _| {
            Box::pin(async move { capacitor.stop().await })
        }),
        ("stop twice at once, and again", |capacitor, _| {
            Box::pin(async move {
                tokio::join!(capacitor.stop(), capacitor.stop());
                capacitor.stop().await;
            })
        }),
        ("every source closed", |capacitor, sender| {
            Box::pin(async move {
                drop(sender);
                settle().await;
                capacitor.stop().await;
            })
        }),
        ("the last owner gone", |capacitor, _| {
            drop(capacitor);
            Box::pin(settle())
        }),
    ];
    for (end, how) in ends {
        for (document, state) in [("n: 2", State::Healthy), ("n: 100", State::Degraded)] {
            let log = Log::default();
            let (stopped, applied) = (log.clone(), log.clone());
            let (capacitor, sender) = running(|builder| {
                builder
                    .on_apply(move |_, next: Arc<Snapshot<App>>| {
                        applied.say(format!("applied {}", next.n));
                        async { Ok::<_, BoxError>(()) }
                    })
                    .on_stop(move |state| stopped.say(format!("stopped {state}")))
            })
            .await;
            write(&sender, document).await;
            settle().await;
            how(capacitor, sender).await;
            settle().await;
            let told = log.take();
            assert_eq!(told.last().unwrap(), &format!("stopped {state}"), "{end}");
            let stops = told.iter().filter(|told| told.starts_with("stopped"));
            assert_eq!(stops.count(), 1, "{end}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_debounced_value_is_applied_when_the_sources_close_and_dropped_on_stop() {
    for (closes, seen) in [(true, 2), (false, 1)] {
        let (capacitor, sender) =
            running(|builder| builder.debounce(Duration::from_secs(10))).await;
        say(&sender, 2).await;
        settle().await;
        assert_eq!(capacitor.get().n, 1, "it waits");
        if closes {
            drop(sender);
            settle().await;
        }
        capacitor.stop().await;
        assert_eq!(capacitor.get().n, seen);
    }
}

#[tokio::test(start_paused = true)]
async fn stop_does_not_wait_for_a_slow_callback_and_rolls_back_what_was_prepared() {
    let log = Log::default();
    let (capacitor, sender) = running(|builder| {
        builder
            .party(Teller::new("one", &log))
            .on_apply(|_, next: Arc<Snapshot<App>>| async move {
                if next.n == 2 {
                    std::future::pending::<()>().await;
                }
                Ok::<_, BoxError>(())
            })
    })
    .await;
    log.take();
    say(&sender, 2).await;
    settle().await;
    capacitor.stop().await;
    assert_eq!(log.take(), ["one prepares 2", "one rolls back 2"]);
    assert_eq!(
        capacitor.get().n,
        1,
        "the last configuration stays readable"
    );
}

/// Every kind of capacitor there is, over this folder.
fn kinds(folder: &std::path::Path) -> Vec<(&'static str, Builder<App>)> {
    let path = folder.join("app.yaml");
    fs::write(&path, "n: 1").unwrap();
    let file = || {
        Capacitor::<App>::builder()
            .source(Source::file(path.to_str().unwrap()))
            .debounce(Duration::ZERO)
    };
    let kept = folder.join("kept.json");
    vec![
        ("a file", file()),
        ("by hand", file().manual()),
        ("in a group", file().group(&flux::change::Group::new())),
        (
            "with everything",
            file()
                .probation(Duration::from_secs(60))
                .health_check(|_| async { Ok::<_, BoxError>(()) })
                .last_known_good(kept.to_str().unwrap(), flux::Secrets::Omit)
                .on_apply(|_, _| async { Ok::<_, BoxError>(()) })
                .timeout(Duration::from_secs(5))
                .retry(
                    flux::pipeline::Retry::attempts(2)
                        .base(Duration::ZERO)
                        .max(Duration::ZERO),
                ),
        ),
    ]
}

#[tokio::test]
async fn stop_leaves_no_task() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, builder) in kinds(folder.path()) {
        let capacitor = builder.build().unwrap();
        for _ in 0..3 {
            capacitor.start().await.unwrap();
            capacitor.stop().await;
            crate::until(&format!("{kind}: no task is left"), || alive() == 0).await;
        }
        capacitor.start().await.unwrap();
        drop(capacitor);
        crate::until(&format!("{kind}, dropped: no task is left"), || {
            alive() == 0
        })
        .await;
    }
}

fn descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let links = entries.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    let mut links: Vec<_> = links.map(|link| link.display().to_string()).collect();
    links.retain(|link| !link.starts_with("/proc/"));
    links.sort();
    links
}

#[test]
fn stop_leaves_no_descriptor() {
    if !alone("lifecycle::stop_leaves_no_descriptor") {
        return;
    }
    runtime().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let before = descriptors();
        for (kind, builder) in kinds(folder.path()) {
            let capacitor = builder.build().unwrap();
            for _ in 0..3 {
                capacitor.start().await.unwrap();
                assert!(descriptors().len() > before.len(), "a file is watched");
                capacitor.stop().await;
                crate::until(kind, || descriptors() == before).await;
            }
            capacitor.start().await.unwrap();
            drop(capacitor);
            crate::until(&format!("{kind}, dropped"), || descriptors() == before).await;
        }
    });
}

#[test]
fn start_works_again_after_a_stop_and_after_its_runtime_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, builder) in kinds(folder.path()) {
        let capacitor = builder.build().unwrap();
        for n in 1..=3 {
            fs::write(folder.path().join("app.yaml"), format!("n: {n}")).unwrap();
            let runtime = runtime();
            runtime.block_on(async {
                capacitor
                    .start()
                    .await
                    .unwrap_or_else(|error| panic!("{kind}: {error}"));
                assert_eq!(capacitor.get().n, n, "{kind}");
                let again = capacitor.start().await.expect_err("it is running");
                assert!(matches!(again, Error::AlreadyStarted { .. }));
                if n == 2 {
                    capacitor.stop().await;
                    capacitor.start().await.unwrap();
                }
            });
            drop(runtime);
            assert!(
                n == 3 || !capacitor.status().running || kind == "by hand",
                "{kind}"
            );
            assert_eq!(capacitor.get().n, n, "{kind}: still readable");
        }
    }
}

#[test]
fn on_stop_runs_when_the_runtime_is_dropped() {
    let stops = Log::default();
    let log = stops.clone();
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .on_stop(move |state| log.push(state))
        .build()
        .unwrap();
    let runtime = runtime();
    runtime.block_on(async {
        say(&sender, 1).await;
        capacitor.start().await.unwrap();
    });
    drop(runtime);
    assert_eq!(stops.take(), [State::Healthy]);
    assert!(!capacitor.status().running);
}

#[test]
fn a_second_runtime_cannot_start_what_runs_in_the_first_but_may_read_and_stop_it() {
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder.build().unwrap();
    let first = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    first.block_on(async {
        say(&sender, 1).await;
        capacitor.start().await.unwrap();
    });
    let second = runtime();
    second.block_on(async {
        let error = capacitor.start().await.expect_err("it runs in the first");
        assert!(matches!(error, Error::AlreadyStarted { .. }));
        let mut subscription = capacitor.subscribe();
        say(&sender, 2).await;
        assert_eq!(subscription.changed().await.unwrap().current.n, 2);
        capacitor.stop().await;
        say(&sender, 3).await;
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.get().n, 3);
    });
    drop(first);
    second.block_on(async {
        say(&sender, 4).await;
        crate::until("it runs in the second", || capacitor.get().n == 4).await;
        capacitor.stop().await;
    });
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_start_waits_ends_both_and_start_works_again() {
    for by_hand in [false, true] {
        let (builder, sender) = over_a_channel::<App>();
        let builder = if by_hand { builder.manual() } else { builder };
        let capacitor = builder.build().unwrap();
        let starting = tokio::spawn({
            let capacitor = capacitor.clone();
            async move { capacitor.start().await }
        });
        settle().await;
        capacitor.stop().await;
        let error = starting.await.unwrap().expect_err("stopped");
        assert!(matches!(error, Error::Stopped { .. }), "{error}");
        say(&sender, 1).await;
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.get().n, 1);
        capacitor.stop().await;
        assert_eq!(alive(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_startup_timeout_holds_in_manual_mode_too() {
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .manual()
        .startup_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let error = capacitor.start().await.expect_err("silence");
    assert!(
        error.to_string().contains("still waiting for channel"),
        "{error}"
    );
    assert!(matches!(
        capacitor.process().await,
        Err(Error::NotManual { .. })
    ));
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_dropped_in_manual_mode_leaves_nothing_behind() {
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder.manual().build().unwrap();
    let limit = Duration::from_secs(1);
    let dropped = tokio::time::timeout(limit, capacitor.start()).await;
    assert!(dropped.is_err());
    assert_eq!(alive(), 0);
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_startup_timeout_covers_the_callback_too() {
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .startup_timeout(Duration::from_secs(3))
        .on_apply(|_, _| std::future::pending::<Result<(), BoxError>>())
        .build()
        .unwrap();
    say(&sender, 1).await;
    let error = capacitor
        .start()
        .await
        .expect_err("the callback never answers");
    assert!(error.to_string().contains("a callback"), "{error}");
    assert!(!capacitor.status().running);
    assert_eq!(alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_startup_timeout_start_waits_for_as_long_as_it_takes() {
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder.build().unwrap();
    let late = async {
        pass(100_000.0).await;
        say(&sender, 1).await;
    };
    let (outcome, ()) = tokio::join!(capacitor.start(), late);
    outcome.unwrap();
}

#[tokio::test(start_paused = true)]
async fn when_the_last_owner_is_gone_nothing_is_watched_any_more() {
    for by_hand in [false, true] {
        let (builder, sender) = over_a_channel::<App>();
        let builder = if by_hand { builder.manual() } else { builder };
        let capacitor = builder.build().unwrap();
        say(&sender, 1).await;
        capacitor.start().await.unwrap();
        let other = capacitor.clone();
        drop(capacitor);
        settle().await;
        assert!(
            sender.send(&b"n: 2"[..]).await.is_ok(),
            "there is another owner"
        );
        drop(other);
        settle().await;
        assert!(
            sender.send(&b"n: 3"[..]).await.is_err(),
            "by hand: {by_hand}"
        );
        assert_eq!(alive(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_first_value_after_a_stop_and_a_start_keeps_what_readers_saw() {
    let (capacitor, sender) = running(|b| b).await;
    capacitor.stop().await;
    write(&sender, "n: 100").await;
    let error = capacitor.start().await.expect_err("a broken rule");
    assert!(
        error.to_string().contains("keeping the previous"),
        "{error}"
    );
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    say(&sender, 1).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 1));
}

#[test]
fn a_thread_of_start_blocking_ends_with_stop() {
    if !alone("lifecycle::a_thread_of_start_blocking_ends_with_stop") {
        return;
    }
    let threads = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
        names.filter(|name| name.starts_with("flux-")).count()
    };
    let folder = tempfile::tempdir().unwrap();
    let (_, builder) = kinds(folder.path()).remove(0);
    let capacitor = builder.build().unwrap();
    for _ in 0..3 {
        capacitor.start_blocking().unwrap();
        assert!(threads() >= 1);
        let again = capacitor.start_blocking().expect_err("it is running");
        assert!(matches!(again, Error::AlreadyStarted { .. }));
        runtime().block_on(capacitor.stop());
        for _ in 0..12_000 {
            if threads() == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(threads(), 0);
    }
}

#[test]
fn the_static_instance_starts_in_each_runtime_also_by_hand() {
    #[derive(Flux)]
    #[flux(source("file:never-there.yaml", optional))]
    struct Static {
        #[flux(default = 1)]
        n: u32,
    }
    for by_hand in [true, false, true] {
        runtime().block_on(async {
            let builder = Static::builder();
            let builder = if by_hand { builder.manual() } else { builder };
            builder.start().await.unwrap();
            assert_eq!(Static::get().n, 1);
        });
    }
}

/// A layer that was received does not make the task busy while another one is silent. A busy task never lets the paused clock go on.
#[tokio::test(start_paused = true)]
async fn a_start_that_waits_for_one_layer_of_two_does_nothing_meanwhile() {
    let (builder, sender) = over_a_channel::<App>();
    let (other, channel) = Channel::buffered("silent", 4);
    let source = Source::watcher(channel).format(flux::Format::Yaml);
    let capacitor = builder.source(source).build().unwrap();
    say(&sender, 1).await;
    let answer = tokio::time::timeout(Duration::from_secs(60), capacitor.start()).await;
    assert!(answer.is_err(), "the silent layer is waited for");
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn what_a_callback_refused_is_tried_again_although_every_source_has_ended() {
    let calls = crate::kit::Count::default();
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .on_apply(move |_, next: Arc<Snapshot<App>>| {
            let fails = next.n == 2 && calls.add() < 2;
            async move { (!fails).then_some(()).ok_or("not yet") }
        })
        .build()
        .unwrap();
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    say(&sender, 2).await;
    drop(sender);
    settle().await;
    assert_eq!((capacitor.get().n, capacitor.state()), (1, State::Degraded));
    pass(300.0).await;
    assert_eq!((capacitor.get().n, capacitor.state()), (2, State::Healthy));
    assert!(!capacitor.status().running, "nothing is left to do");
}

#[tokio::test(start_paused = true)]
async fn a_probation_passes_although_every_source_has_ended() {
    let (capacitor, sender) = running(|builder| builder.probation(Duration::from_secs(30))).await;
    say(&sender, 2).await;
    drop(sender);
    settle().await;
    assert!(capacitor.status().on_probation);
    pass(60.0).await;
    assert!(!capacitor.status().on_probation);
}
