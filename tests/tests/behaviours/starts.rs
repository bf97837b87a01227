//! Starts that are dropped, refused or waited for; the first value of a projection; handles that keep nothing alive.

use flux::{
    Builder, Capacitor, Error, Flux, Format, Snapshot, Source, State,
    capacitor::WeakCapacitor,
    pipeline::BoxError,
    source::{Channel, ChannelSender},
};
use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

#[derive(Flux, Debug)]
#[flux(source = "file:never.yaml")]
struct App {
    #[flux(range = 1..=99)]
    n: u32,
    #[flux(default = "a")]
    text: String,
}

const SOON: Duration = Duration::from_millis(200);
/// For what comes by itself.
const IN_TIME: Duration = Duration::from_secs(60);

fn over_a_channel(builder: Builder<App>) -> (Builder<App>, ChannelSender) {
    let (sender, channel) = Channel::latest("channel");
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = builder.clear_sources().source(source);
    (builder.debounce(Duration::ZERO), sender)
}

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never came true");
}

#[tokio::test]
async fn a_start_that_is_dropped_before_its_outcome_stops_and_a_later_one_begins_anew() {
    for manual in [false, true] {
        let (mut builder, sender) = over_a_channel(Capacitor::builder());
        if manual {
            builder = builder.manual();
        }
        let capacitor = builder.build().unwrap();
        for _ in 0..3 {
            let started = timeout(Duration::from_millis(20), capacitor.start()).await;
            assert!(started.is_err(), "nothing was received");
        }
        sender.try_send(&b"n: 1"[..]).unwrap();
        let started = timeout(IN_TIME, capacitor.start()).await.expect("in time");
        started.expect("no `AlreadyStarted`");
        assert_eq!(capacitor.get().n, 1);
        capacitor.stop().await;
    }
}

#[tokio::test]
async fn a_dropped_start_releases_everything_by_itself() {
    let (builder, _sender) = over_a_channel(Capacitor::builder());
    let capacitor = builder.build().unwrap();
    let started = timeout(Duration::from_millis(20), capacitor.start()).await;
    assert!(started.is_err());
    until(|| !capacitor.status().running).await;
}

#[tokio::test]
async fn a_loop_of_starts_ends_once_a_good_configuration_is_applied() {
    let (builder, sender) = over_a_channel(Capacitor::builder());
    let capacitor = builder.build().unwrap();
    for (document, said) in [
        ("n: 0", "n:"),
        ("n: x", "expected u32"),
        ("m: 1", "is required"),
    ] {
        sender.try_send(document.as_bytes()).unwrap();
        let mut refused = capacitor.start().await.expect_err("a bad document");
        for _ in 0..500 {
            if refused.to_string().contains(said) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            refused = capacitor.start().await.expect_err("a bad document");
        }
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
        assert!(
            refused.to_string().contains(said),
            "the newest report: {refused}"
        );
    }
    sender.try_send(&b"n: 4"[..]).unwrap();
    let started = async {
        while capacitor.start().await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(IN_TIME, started).await.expect("the loop ends");
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 4));
    let again = capacitor.start().await.expect_err("it is running");
    assert!(matches!(again, Error::AlreadyStarted { .. }), "{again}");
    capacitor.stop().await;
}

/// One test for the static instance, which has one state.
#[tokio::test]
async fn the_static_instance_is_retried_waited_for_and_started_anew() {
    let waiting = tokio::spawn(async { App::ready().await.map(|app| app.n) });
    let (builder, sender) = over_a_channel(App::builder());
    let started = timeout(Duration::from_millis(20), builder.start()).await;
    assert!(started.is_err(), "nothing was received");
    drop(sender);
    let (builder, sender) = over_a_channel(App::builder());
    sender.try_send(&b"n: 0"[..]).unwrap();
    let error = builder.start().await.expect_err("a bad document");
    assert!(matches!(error, Error::Refused(_)), "{error}");
    sender.try_send(&b"n: 7"[..]).unwrap();
    let app = timeout(IN_TIME, App::ready()).await.expect("in time");
    assert_eq!(app.expect("a good document").n, 7);
    // What a retry declares is not looked at: the first start goes on.
    App::start().await.expect("a good one is applied");
    let again = App::start().await.expect_err("it is running");
    assert!(matches!(again, Error::AlreadyStarted { .. }), "{again}");
    // The dropped start has ended the wait that began before it, or it has seen the value.
    let waited = timeout(IN_TIME, waiting).await.expect("in time");
    assert!(matches!(
        waited.expect("no panic"),
        Ok(7) | Err(Error::Stopped { .. })
    ));
    App::capacitor().stop().await;
}

#[tokio::test]
async fn ready_waits_for_the_first_good_configuration_through_refusals() {
    let (builder, sender) = over_a_channel(Capacitor::builder());
    let capacitor = builder.build().unwrap();
    let other = capacitor.clone();
    let waiting = tokio::spawn(async move { other.ready().await.map(|app| app.n) });
    sender.try_send(&b"n: 0"[..]).unwrap();
    capacitor.start().await.expect_err("a bad document");
    assert!(!waiting.is_finished());
    sender.try_send(&b"n: 3"[..]).unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 3);
    assert_eq!(capacitor.ready().await.unwrap().n, 3, "at once");
    capacitor.stop().await;
    assert_eq!(capacitor.ready().await.unwrap().n, 3, "it stays readable");
}

#[tokio::test]
async fn ready_ends_with_an_error_where_the_watching_ends_before() {
    let (builder, _sender) = over_a_channel(Capacitor::builder());
    let capacitor = builder
        .startup_timeout(Duration::from_millis(20))
        .build()
        .unwrap();
    let other = capacitor.clone();
    let waiting = tokio::spawn(async move { other.ready().await.map(|app| app.n) });
    tokio::task::yield_now().await;
    capacitor.start().await.expect_err("nothing was received");
    let error = waiting.await.unwrap().expect_err("nothing was applied");
    assert!(matches!(error, Error::Stopped { .. }), "{error}");
}

#[tokio::test]
async fn follow_yields_the_current_value_first_and_then_every_change_of_the_part() {
    let (builder, sender) = over_a_channel(Capacitor::builder());
    let capacitor = builder.build().unwrap();
    let mut early = capacitor.follow(|app| &app.n);
    sender.try_send(&b"n: 1"[..]).unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(early.changed().await, Some(&1));
    let mut late = capacitor.follow(|app| &app.n);
    assert_eq!(late.changed().await, Some(&1), "at once");
    let mut watch = capacitor.watch(|app| &app.n);
    assert!(
        timeout(SOON / 4, watch.changed()).await.is_err(),
        "nothing has changed"
    );
    sender.try_send(&b"{n: 1, text: b}"[..]).unwrap();
    assert!(
        timeout(SOON / 4, late.changed()).await.is_err(),
        "another part"
    );
    sender.try_send(&b"{n: 2, text: b}"[..]).unwrap();
    assert_eq!(late.changed().await, Some(&2));
    assert_eq!(early.changed().await, Some(&2));
    assert_eq!(watch.changed().await, Some(&2));
    capacitor.stop().await;
    assert_eq!(late.changed().await, None);
}

#[tokio::test]
async fn a_callback_with_a_weak_handle_does_not_keep_its_capacitor_alive() {
    let own: Arc<OnceLock<WeakCapacitor<App>>> = Arc::default();
    let states: Arc<Mutex<Vec<State>>> = Arc::default();
    let stopped: Arc<AtomicBool> = Arc::default();
    let end = Arc::clone(&stopped);
    let (called, log) = (Arc::clone(&own), Arc::clone(&states));
    let (builder, sender) = over_a_channel(Capacitor::builder());
    let capacitor = builder
        .on_apply(move |_, _: Arc<Snapshot<App>>| {
            let capacitor = called.get().and_then(WeakCapacitor::upgrade);
            log.lock().unwrap().extend(capacitor.map(|own| own.state()));
            async { Ok::<_, BoxError>(()) }
        })
        .on_stop(move |_| end.store(true, Ordering::SeqCst))
        .build()
        .unwrap();
    assert!(own.set(capacitor.downgrade()).is_ok());
    sender.try_send(&b"n: 1"[..]).unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(*states.lock().unwrap(), [State::Loading]);
    let (weak, status) = (capacitor.downgrade(), capacitor.clone());
    assert_eq!(weak.upgrade().expect("it is alive").get().n, 1);
    drop((capacitor, status));
    assert!(weak.upgrade().is_none());
    assert_eq!(format!("{weak:?}"), "WeakCapacitor { alive: false }");
    until(|| stopped.load(Ordering::SeqCst)).await;
}
