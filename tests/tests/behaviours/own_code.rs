//! Code of the program that calls what waits for it, or that panics where nobody expects it: nothing hangs, and nothing ends the
//! watching.

use crate::kit::{App, Ear, Log, over_a_channel, pass, running, say, settle};
use flux::{
    Builder, Capacitor, Error, Flux, State,
    change::{Change, Group, Party},
    pipeline::{BoxError, Request, Stage},
    source::ChannelSender,
};
use std::{
    fmt,
    pin::{Pin, pin},
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// The capacitor, for code that was made before it.
type Own = Arc<OnceLock<Capacitor<App>>>;

/// Calls everything that waits for the capacitor; tells what is no error of the kind that is meant.
async fn call_all(own: &Own, log: &Log<String>) {
    let Some(capacitor) = own.get() else { return };
    let mut answers = vec![
        ("rollback", capacitor.rollback(None).await.err()),
        ("pin", capacitor.pin().await.err()),
        ("unpin", capacitor.unpin().await.err()),
        ("process", capacitor.process().await.err()),
        ("reload", capacitor.reload().await.err()),
        ("trust", capacitor.trust().await.err()),
    ];
    answers.retain(|(_, error)| !matches!(error, Some(Error::Inside { .. })));
    log.push(format!("{answers:?}"));
}

/// Takes up a first document and a second one, which alone reaches code that knows the capacitor.
async fn taken_up(
    builder: Builder<App>,
    sender: &ChannelSender,
    own: &Own,
    manual: bool,
) -> Capacitor<App> {
    let builder = if manual { builder.manual() } else { builder };
    let capacitor = builder.build().unwrap();
    say(sender, 1).await;
    capacitor.start().await.unwrap();
    own.set(capacitor.clone()).unwrap();
    say(sender, 2).await;
    if manual {
        capacitor.process().await.unwrap();
    }
    settle().await;
    capacitor
}

struct Asks {
    own: Own,
    log: Log<String>,
}

impl Party<App> for Asks {
    type Prepared = ();
    type Error = BoxError;
    async fn prepare(&self, _: &Change<App>) -> Result<(), BoxError> {
        call_all(&self.own, &self.log).await;
        Ok(())
    }
    fn commit(&self, (): ()) {}
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_capacitor_is_an_error_inside_its_own_pipeline() {
    for manual in [false, true] {
        let (own, log) = (Own::default(), Log::default());
        let (in_stage, in_callback) = ((own.clone(), log.clone()), (own.clone(), log.clone()));
        let party = Asks {
            own: own.clone(),
            log: log.clone(),
        };
        let stage = Stage::effect(move |_: Request<App>| {
            let (own, log) = in_stage.clone();
            async move {
                call_all(&own, &log).await;
                Ok::<(), BoxError>(())
            }
        });
        let (builder, sender) = over_a_channel::<App>();
        let builder = builder.stage(stage).party(party).on_apply(move |_, _| {
            let (own, log) = in_callback.clone();
            async move {
                call_all(&own, &log).await;
                Ok::<(), BoxError>(())
            }
        });
        let capacitor = taken_up(builder, &sender, &own, manual).await;
        assert_eq!(
            log.take(),
            ["[]", "[]", "[]"],
            "a stage, a party and a callback"
        );
        assert_eq!((capacitor.get().n, capacitor.state()), (2, State::Healthy));
        capacitor.pin().await.expect("outside it is none");
        capacitor.stop().await;
    }
}

/// A tower layer that calls everything that waits for the capacitor: as it is called itself, where nothing can be awaited, and before and
/// after what is inside of it.
struct AskingLayer {
    own: Own,
    log: Log<String>,
}

struct AskingService<S> {
    inner: S,
    own: Own,
    log: Log<String>,
}

impl<S> tower_layer::Layer<S> for AskingLayer {
    type Service = AskingService<S>;
    fn layer(&self, inner: S) -> AskingService<S> {
        let (own, log) = (self.own.clone(), self.log.clone());
        AskingService { inner, own, log }
    }
}

impl<S, R> tower_service::Service<R> for AskingService<S>
where
    S: tower_service::Service<R>,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }
    fn call(&mut self, request: R) -> Self::Future {
        let (own, log) = (self.own.clone(), self.log.clone());
        // What is an error at once needs no waker.
        let mut cx = Context::from_waker(Waker::noop());
        let _ = pin!(call_all(&own, &log)).as_mut().poll(&mut cx);
        let inner = self.inner.call(request);
        Box::pin(async move {
            call_all(&own, &log).await;
            let answer = inner.await;
            call_all(&own, &log).await;
            answer
        })
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_capacitor_is_an_error_inside_of_a_tower_layer() {
    for manual in [false, true] {
        let (own, log) = (Own::default(), Log::default());
        let layer = AskingLayer {
            own: own.clone(),
            log: log.clone(),
        };
        let (builder, sender) = over_a_channel::<App>();
        let builder = builder.tower_layer(layer);
        let capacitor = taken_up(builder, &sender, &own, manual).await;
        assert_eq!(
            log.take(),
            ["[]", "[]", "[]"],
            "as it is called, before and after"
        );
        assert_eq!((capacitor.get().n, capacitor.state()), (2, State::Healthy));
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_a_callback_has_spawned_is_not_inside() {
    let (own, log) = (Own::default(), Log::default());
    let inner = (own.clone(), log.clone());
    let (capacitor, sender) = running(|builder| {
        builder.on_apply(move |_, _| {
            let (own, log) = inner.clone();
            async move {
                if let Some(capacitor) = own.get().cloned() {
                    tokio::spawn(async move { log.push(capacitor.pin().await.is_ok()) });
                }
                Ok::<(), BoxError>(())
            }
        })
    })
    .await;
    own.set(capacitor.clone()).unwrap();
    say(&sender, 2).await;
    settle().await;
    assert_eq!(log.take(), [true]);
    assert!(capacitor.status().pinned);
}

#[tokio::test(start_paused = true)]
async fn a_stop_from_inside_a_callback_returns_and_ends_the_watching() {
    let (own, log) = (Own::default(), Log::default());
    let inner = (own.clone(), log.clone());
    let (capacitor, sender) = running(|builder| {
        builder.on_apply(move |_, _| {
            let (own, log) = inner.clone();
            async move {
                if let Some(capacitor) = own.get() {
                    capacitor.stop().await;
                    log.push("returned");
                }
                Ok::<(), BoxError>(())
            }
        })
    })
    .await;
    own.set(capacitor.clone()).unwrap();
    say(&sender, 2).await;
    pass(1.0).await;
    assert_eq!(log.take(), ["returned"]);
    assert!(!capacitor.status().running);
}

/// An error that cannot be printed.
#[derive(Debug)]
struct Unprintable;

impl fmt::Display for Unprintable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("out of ink")
    }
}

impl std::error::Error for Unprintable {}

#[tokio::test(start_paused = true)]
async fn an_error_that_cannot_be_printed_is_a_refusal() {
    let (capacitor, sender) = running(|builder| {
        builder.on_apply(|_, next| async move {
            match next.n {
                2 => Err(Unprintable),
                _ => Ok(()),
            }
        })
    })
    .await;
    say(&sender, 2).await;
    settle().await;
    let report = capacitor.last_error().expect("refused").to_string();
    assert!(report.contains("out of ink"), "{report}");
    say(&sender, 3).await;
    settle().await;
    assert_eq!((capacitor.get().n, capacitor.state()), (3, State::Healthy));
}

#[tokio::test(start_paused = true)]
async fn a_health_check_whose_error_cannot_be_printed_takes_the_change_back() {
    let (capacitor, sender) = running(|builder| {
        builder
            .probation(Duration::from_secs(10))
            .health_check(|app| async move {
                match app.n {
                    2 => Err(Unprintable),
                    _ => Ok(()),
                }
            })
    })
    .await;
    say(&sender, 2).await;
    pass(2.0).await;
    assert_eq!((capacitor.get().n, capacitor.state()), (1, State::Degraded));
    say(&sender, 3).await;
    pass(20.0).await;
    assert_eq!((capacitor.get().n, capacitor.state()), (3, State::Healthy));
}

/// A text whose drop panics once it is told to.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(from = "String")]
struct Brittle(String);

impl From<String> for Brittle {
    fn from(text: String) -> Self {
        Brittle(text)
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        assert!(self.0 != "brittle", "broken");
    }
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Fragile {
    part: Brittle,
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_drop_of_an_old_configuration_ends_nothing() {
    let (builder, sender) = over_a_channel::<Fragile>();
    let capacitor = builder.generations(0).build().unwrap();
    sender.send(&b"part: brittle"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    for part in ["two", "brittle", "three", "four"] {
        sender
            .send(format!("part: {part}").into_bytes())
            .await
            .unwrap();
        pass(5.0).await;
        assert_eq!(capacitor.get().part.0, part);
        let status = capacitor.status();
        assert!(
            status.running && status.state == State::Healthy,
            "{part}: {status}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_of_a_group_may_be_dropped_within_a_commit() {
    struct Drops(Arc<Mutex<Option<Capacitor<App>>>>);
    impl Party<App> for Drops {
        type Prepared = ();
        type Error = BoxError;
        async fn prepare(&self, _: &Change<App>) -> Result<(), BoxError> {
            Ok(())
        }
        fn commit(&self, (): ()) {
            drop(self.0.lock().unwrap().take());
        }
    }
    let group = Group::new();
    let other = Arc::new(Mutex::new(None));
    let party = Drops(Arc::clone(&other));
    let (first, second) = (
        async { running(|builder| builder.group(&group).manual().party(party)).await },
        async { running(|builder| builder.group(&group).manual()).await },
    );
    let ((capacitor, sender), (dropped, _kept)) = tokio::join!(first, second);
    *other.lock().unwrap() = Some(dropped);
    say(&sender, 2).await;
    capacitor.process().await.unwrap();
    assert_eq!((capacitor.get().n, capacitor.state()), (2, State::Healthy));
    assert!(other.lock().unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_update_that_lasts_is_in_the_status_and_in_the_log() {
    let (ear, _listening) = Ear::listen();
    let (capacitor, sender) = running(|builder| {
        builder.on_apply(|_, next| async move {
            if next.n == 2 {
                tokio::time::sleep(Duration::from_secs(100)).await;
            }
            Ok::<(), BoxError>(())
        })
    })
    .await;
    assert_eq!(capacitor.status().under_way, None);
    say(&sender, 2).await;
    pass(90.0).await;
    let status = capacitor.status();
    assert!(status.under_way.is_some());
    assert!(
        status.to_string().contains("an update is under way"),
        "{status}"
    );
    let warned = ear.take().into_iter();
    let warned = warned.filter(|event| event.message == "flux.update.slow");
    let warned: Vec<_> = warned
        .map(|event| (event.level, event.fields["lasts"].clone()))
        .collect();
    let warning = |lasts: &str| (tracing::Level::WARN, lasts.to_owned());
    assert_eq!(warned, [warning("30s"), warning("60s")]);
    pass(20.0).await;
    assert_eq!((capacitor.get().n, capacitor.status().under_way), (2, None));
}
