//! Starting, updating, refusing, recovering, stopping.

use crate::by_hand;
use flux::{Capacitor, Error, Flux, Snapshot, Source, State, source::Channel};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[derive(Flux, Debug)]
struct Service {
    #[flux(default = 8080, range = 1..=65535)]
    port: u16,
    #[flux(non_empty)]
    host: String,
}

async fn started(document: &str) -> (Capacitor<Service>, flux::source::ChannelSender) {
    let (capacitor, sender) = by_hand::<Service>(|builder| builder.history(4));
    sender.send(document.as_bytes()).await.unwrap();
    let _ = capacitor.start().await;
    (capacitor, sender)
}

#[tokio::test]
async fn the_first_value_is_applied_by_start() {
    let (capacitor, _sender) = started("host: a\nport: 1").await;
    assert_eq!(capacitor.state(), State::Healthy);
    assert_eq!(capacitor.get().port, 1);
    assert_eq!(capacitor.status().generation, 1);
}

#[tokio::test]
async fn a_bad_first_value_is_told_and_a_good_one_heals_it() {
    let (capacitor, sender) = by_hand::<Service>(|builder| builder);
    sender.send(&b"host: ''"[..]).await.unwrap();
    let error = capacitor.start().await.expect_err("a broken rule");
    assert!(
        error.to_string().contains("host: must not be empty"),
        "{error}"
    );
    assert_eq!(capacitor.state(), State::Empty);
    assert!(capacitor.try_snapshot().is_none());
    sender.send(&b"host: a"[..]).await.unwrap();
    assert!(capacitor.process().await.unwrap());
    assert_eq!(capacitor.state(), State::Healthy);
    assert!(capacitor.last_error().is_none());
}

#[tokio::test]
async fn a_bad_change_keeps_the_previous_value_and_a_good_one_recovers() {
    let (capacitor, sender) = started("host: a\nport: 1").await;
    sender.send(&b"host: a\nport: 70000"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.state(), State::Degraded);
    assert_eq!(capacitor.get().port, 1);
    assert!(capacitor.last_error().unwrap().keeps_previous());
    sender.send(&b"host: a\nport: 2"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(
        (capacitor.state(), capacitor.get().port),
        (State::Healthy, 2)
    );
}

#[tokio::test]
async fn a_success_marks_the_history_and_does_not_erase_it() {
    let (capacitor, sender) = started("host: a").await;
    for document in ["port: x\nhost: a", "port: 0\nhost: a"] {
        sender.send(document.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
    }
    let open: Vec<bool> = capacitor
        .status()
        .history
        .iter()
        .map(|r| r.healed.is_some())
        .collect();
    assert_eq!(open, [false, false]);
    sender.send(&b"host: b"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert!(
        capacitor
            .status()
            .history
            .iter()
            .all(|r| r.healed.is_some())
    );
    assert_eq!(capacitor.status().history.len(), 2);
}

#[tokio::test]
async fn the_history_is_off_by_default() {
    let (capacitor, sender) = by_hand::<Service>(|builder| builder);
    sender.send(&b"port: x"[..]).await.unwrap();
    let _ = capacitor.start().await;
    assert!(capacitor.status().history.is_empty());
    assert!(capacitor.last_error().is_some());
}

#[tokio::test]
async fn an_empty_or_vanished_document_is_refused_and_never_decoded_into_defaults() {
    for document in ["", "  \n", "# nothing but a comment\n", "null"] {
        let (capacitor, sender) = started("host: a\nport: 7").await;
        sender.send(document.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
        assert_eq!(
            (capacitor.state(), capacitor.get().port),
            (State::Degraded, 7),
            "{document:?}"
        );
        sender.absent().await.unwrap();
        capacitor.process().await.unwrap();
        assert_eq!(
            (capacitor.state(), capacitor.get().port),
            (State::Degraded, 7)
        );
    }
}

#[tokio::test]
async fn equal_bytes_and_equal_values_run_no_callback() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let (capacitor, sender) = by_hand::<Service>(move |builder| {
        builder.on_apply(move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok::<(), std::io::Error>(()) }
        })
    });
    sender.send(&b"host: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    for same in ["host: a", "host: a  # a comment", "{host: a, port: 8080}"] {
        sender.send(same.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(capacitor.status().generation, 1);
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn going_back_to_what_readers_see_heals_without_a_new_generation() {
    let (capacitor, sender) = started("host: a\nport: 1").await;
    for document in ["host: a\nport: 0", "host: a\nport: 1"] {
        sender.send(document.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
    }
    assert_eq!(capacitor.state(), State::Healthy);
    assert_eq!(capacitor.status().generation, 1);
}

#[tokio::test]
async fn the_callback_sees_previous_and_next_and_may_refuse() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let (capacitor, sender) = by_hand::<Service>(move |builder| {
        builder.on_apply(
            move |previous: Option<Arc<Snapshot<Service>>>, next: Arc<Snapshot<Service>>| {
                log.lock()
                    .unwrap()
                    .push((previous.map(|p| p.port), next.port));
                async move {
                    if next.port == 3 {
                        Err("three is taken")
                    } else {
                        Ok(())
                    }
                }
            },
        )
    });
    sender.send(&b"host: a\nport: 1"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    for document in ["host: a\nport: 2", "host: a\nport: 3"] {
        sender.send(document.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
    }
    assert_eq!(
        *seen.lock().unwrap(),
        [(None, 1), (Some(1), 2), (Some(2), 3)]
    );
    assert_eq!(
        (capacitor.state(), capacitor.get().port),
        (State::Degraded, 2)
    );
    assert!(
        capacitor
            .last_error()
            .unwrap()
            .to_string()
            .contains("three is taken")
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_apply_is_tried_again_until_it_applies() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let (sender, channel) = Channel::buffered("channel", 4);
    let capacitor = Capacitor::<Service>::builder()
        .source(Source::watcher(channel).format(flux::Format::Yaml))
        .on_apply(move |_, _| {
            let call = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                if (1..4).contains(&call) {
                    Err("not now")
                } else {
                    Ok(())
                }
            }
        })
        .build()
        .unwrap();
    sender.send(&b"host: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    sender.send(&b"host: b"[..]).await.unwrap();
    crate::until("applied in the end", || capacitor.get().host == "b").await;
    assert_eq!(calls.load(Ordering::SeqCst), 5);
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn what_a_stage_makes_of_a_value_is_validated_again() {
    let (capacitor, sender) = by_hand::<Service>(|builder| {
        builder.apply(|request| async move {
            let host = request.current.host.clone();
            let port = request.current.port;
            Ok::<_, std::io::Error>(request.with(Service {
                port: port * 10,
                host,
            }))
        })
    });
    sender.send(&b"host: a\nport: 10"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().port, 100);
    sender.send(&b"host: a\nport: 0"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.state(), State::Degraded);
}

#[tokio::test]
async fn what_layers_say_is_compared_with_what_they_said_and_not_with_what_stages_made_of_it() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let (capacitor, sender) = by_hand::<Service>(move |builder| {
        builder
            .transform(|request| {
                let host = request.current.host.clone();
                let port = request.current.port * 2;
                request.with(Service { port, host })
            })
            .on_apply(move |_, _| {
                counted.fetch_add(1, Ordering::SeqCst);
                async { Ok::<(), std::io::Error>(()) }
            })
    });
    sender.send(&b"host: a\nport: 1"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    for (document, port, applied) in [
        ("host: a\nport: 1 # the same", 2, 1),
        ("host: a\nport: 2", 4, 2),
    ] {
        sender.send(document.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
        assert_eq!(capacitor.get().port, port, "{document}");
        assert_eq!(calls.load(Ordering::SeqCst), applied, "{document}");
    }
}

#[tokio::test]
async fn a_panic_in_a_callback_is_a_refusal() {
    let (capacitor, sender) = by_hand::<Service>(|builder| {
        builder.on_apply(|_, next: Arc<Snapshot<Service>>| async move {
            assert_ne!(next.port, 13, "unlucky");
            Ok::<(), std::io::Error>(())
        })
    });
    sender.send(&b"host: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    sender.send(&b"host: a\nport: 13"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.state(), State::Degraded);
    assert!(
        capacitor
            .last_error()
            .unwrap()
            .to_string()
            .contains("unlucky")
    );
    sender.send(&b"host: a\nport: 14"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.get().port, 14);
}

#[tokio::test]
async fn process_answers_whether_anything_was_consumed_and_needs_manual_mode() {
    let (capacitor, sender) = started("host: a").await;
    assert!(!capacitor.process().await.unwrap());
    sender.send(&b"host: b"[..]).await.unwrap();
    assert!(capacitor.process().await.unwrap());
    let (sender, channel) = Channel::buffered("channel", 4);
    let running = Capacitor::<Service>::builder()
        .source(Source::watcher(channel).format(flux::Format::Yaml))
        .build()
        .unwrap();
    assert!(matches!(
        running.process().await,
        Err(Error::NotManual { .. })
    ));
    sender.send(&b"host: a"[..]).await.unwrap();
    running.start().await.unwrap();
    assert!(matches!(
        running.process().await,
        Err(Error::NotManual { .. })
    ));
}

#[tokio::test]
async fn a_thousand_steps_by_hand_need_no_pause_between_them() {
    let (capacitor, sender) = started("host: a").await;
    for step in 0..1_000 {
        let document = format!("host: h{step}").into_bytes();
        sender.try_send(document).unwrap();
        assert!(capacitor.process().await.unwrap(), "step {step}");
    }
    assert_eq!(capacitor.get().host, "h999");
}

#[tokio::test]
async fn a_second_start_is_an_error_and_a_start_after_stop_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    std::fs::write(&path, "host: a").unwrap();
    let capacitor = Capacitor::<Service>::builder()
        .source(Source::file(path.to_str().unwrap()))
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    assert!(matches!(
        capacitor.start().await,
        Err(Error::AlreadyStarted { .. })
    ));
    capacitor.stop().await;
    assert!(!capacitor.status().running);
    assert_eq!(capacitor.get().host, "a");
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.state(), State::Healthy);
}

#[tokio::test]
async fn no_layers_are_an_error() {
    let error = Capacitor::<Service>::builder()
        .build()
        .expect_err("no layers");
    assert!(error.to_string().contains("no layers"));
}

#[tokio::test(start_paused = true)]
async fn a_startup_timeout_names_the_silent_layer_and_releases_everything() {
    let (sender, channel) = Channel::buffered("the silent one", 4);
    let capacitor = Capacitor::<Service>::builder()
        .source(Source::watcher(channel).format(flux::Format::Yaml))
        .startup_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let error = capacitor.start().await.expect_err("silence");
    assert!(error.to_string().contains("the silent one"), "{error}");
    sender.send(&b"host: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().host, "a");
}

#[tokio::test(start_paused = true)]
async fn rapid_changes_become_one_update_after_the_quiet_window() {
    let applied = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&applied);
    let (sender, channel) = Channel::buffered("channel", 64);
    let capacitor = Capacitor::<Service>::builder()
        .source(Source::watcher(channel).format(flux::Format::Yaml))
        .on_apply(move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok::<(), std::io::Error>(()) }
        })
        .build()
        .unwrap();
    sender.send(&b"host: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    for port in 1..=20 {
        sender
            .send(format!("host: a\nport: {port}").into_bytes())
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(capacitor.get().port, 20);
    assert_eq!(applied.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_steady_writer_cannot_put_updates_off_for_ever() {
    let (sender, channel) = Channel::buffered("channel", 64);
    let capacitor = Capacitor::<Service>::builder()
        .source(Source::watcher(channel).format(flux::Format::Yaml))
        .max_wait(Duration::from_millis(500))
        .build()
        .unwrap();
    sender.send(&b"host: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    for port in 1..=20 {
        sender
            .send(format!("host: a\nport: {port}").into_bytes())
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(
        capacitor.status().generation > 1,
        "nothing was applied for a second"
    );
}

#[tokio::test(start_paused = true)]
async fn when_every_source_closes_the_pending_value_is_applied_and_on_stop_runs_once() {
    let stops = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&stops);
    let (sender, channel) = Channel::buffered("channel", 4);
    let capacitor = Capacitor::<Service>::builder()
        .source(Source::watcher(channel).format(flux::Format::Yaml))
        .on_stop(move |state| log.lock().unwrap().push(state))
        .build()
        .unwrap();
    sender.send(&b"host: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    sender.send(&b"host: last"[..]).await.unwrap();
    drop(sender);
    crate::until("stopped", || !capacitor.status().running).await;
    capacitor.stop().await;
    assert_eq!(capacitor.get().host, "last");
    assert_eq!(*stops.lock().unwrap(), [State::Healthy]);
}

#[test]
fn a_program_without_a_runtime_starts_blocking_and_can_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    std::fs::write(&path, "host: a").unwrap();
    let capacitor = Capacitor::<Service>::builder()
        .source(Source::file(path.to_str().unwrap()))
        .debounce(Duration::ZERO)
        .build()
        .unwrap();
    capacitor.start_blocking().unwrap();
    std::fs::write(&path, "host: b").unwrap();
    for _ in 0..12_000 {
        if capacitor.get().host == "b" {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(capacitor.get().host, "b");
}

#[test]
fn a_start_outside_a_runtime_says_so() {
    let (_sender, channel) = Channel::buffered("channel", 4);
    let capacitor = Capacitor::<Service>::builder()
        .source(Source::watcher(channel))
        .build()
        .unwrap();
    let waker = std::task::Waker::noop();
    let mut start = std::pin::pin!(capacitor.start());
    match start
        .as_mut()
        .poll(&mut std::task::Context::from_waker(waker))
    {
        std::task::Poll::Ready(Err(error)) => assert!(error.to_string().contains("start_blocking")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_status_serializes() {
    let (capacitor, _sender) = started("host: ''").await;
    let status = serde_json::to_value(&*capacitor.status()).unwrap();
    assert_eq!(status["state"], "empty");
    assert_eq!(status["layers"][0]["origin"], "channel");
    assert_eq!(status["error"]["problems"][0]["path"], "host");
}
