//! The events, with the original system's names and order.

use crate::by_hand;
use flux::{Flux, pipeline::Request};
use std::sync::{Arc, Mutex};
use tracing::{Event, Metadata, Subscriber, span};

#[derive(Flux)]
struct App {
    #[flux(range = 1..=9)]
    n: u32,
}

/// Remembers the names of Flux's events.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<&'static str>>>);

impl Names {
    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Names {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "flux"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(event.metadata().name());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The documents, and the events that each of them causes.
const STEPS: [(&str, &[&str]); 4] = [
    (
        "n: 0",
        &["change.received", "state.changed", "validation.failed"],
    ),
    ("n: x", &["change.received", "transform.failed"]),
    (
        "n: 2",
        &["change.received", "state.changed", "apply.succeeded"],
    ),
    (
        "n: 3\nm: 1",
        &["change.received", "warning", "apply.succeeded"],
    ),
];

/// Runs a capacitor from its start to its stop; `told` is called after each step with what it should have caused.
async fn run(mut told: impl FnMut(&str, &[&str])) {
    let (capacitor, sender) = by_hand::<App>(|builder| builder);
    sender.send(&b"n: 1"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    let started = [
        "started",
        "change.received",
        "state.changed",
        "apply.succeeded",
    ];
    told("the start", &started);
    for (document, events) in STEPS {
        sender.send(document.as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
        told(document, events);
    }
    capacitor.stop().await;
    told("the stop", &["stopped"]);
}

#[test]
fn a_state_change_is_told_before_what_caused_it() {
    let names = Names::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    // `tracing` decides once for an event whether anybody listens, at its first time; another test may be at it just now.
    runtime.block_on(run(|_, _| {}));
    tracing::subscriber::with_default(names.clone(), || {
        runtime.block_on(run(|step, events| {
            let events: Vec<String> = events
                .iter()
                .map(|name| format!("flux.capacitor.{name}"))
                .collect();
            assert_eq!(names.take(), events, "{step}");
        }));
    });
}

/// Each as `flux::observe` documents it: message, level, fields.
const DOCUMENTED: [(&str, &str, &[&str]); 14] = [
    ("flux.capacitor.started", "INFO", &["debounce"]),
    ("flux.capacitor.stopped", "INFO", &["state"]),
    (
        "flux.capacitor.state.changed",
        "INFO",
        &["new_state", "old_state"],
    ),
    ("flux.capacitor.change.received", "DEBUG", &["layer"]),
    (
        "flux.capacitor.transform.failed",
        "WARN",
        &["error", "update"],
    ),
    (
        "flux.capacitor.validation.failed",
        "WARN",
        &["error", "update"],
    ),
    ("flux.capacitor.apply.failed", "WARN", &["error", "update"]),
    (
        "flux.capacitor.apply.succeeded",
        "INFO",
        &["generation", "update"],
    ),
    ("flux.capacitor.warning", "WARN", &["warning"]),
    ("flux.breaker.changed", "INFO", &["new_state", "old_state"]),
    (
        "flux.update.retried",
        "DEBUG",
        &["attempt", "error", "pause", "update"],
    ),
    ("flux.update.fallback", "DEBUG", &["error", "update"]),
    ("flux.stage.passed_over", "WARN", &["error", "update"]),
    ("flux.hook.panicked", "ERROR", &["error", "hook"]),
];

#[tokio::test(start_paused = true)]
async fn every_event_has_its_level_its_fields_and_the_capacitors_name() {
    #[derive(Flux)]
    struct Vault {
        #[flux(range = 1..=9)]
        n: u32,
        #[flux(secret)]
        password: Option<String>,
    }
    let (ear, _listening) = crate::kit::Ear::listen();
    let (builder, sender) = crate::kit::over_a_channel::<Vault>();
    let capacitor = builder
        .name("vault")
        .on_apply(|_, next: Arc<flux::Snapshot<Vault>>| async move {
            (next.n != 7).then_some(()).ok_or("no sevens")
        })
        .enrich(|request: Request<Vault>| async move {
            let found = (request.current.n == 1).then_some(request);
            found.ok_or("no such number")
        })
        .circuit_breaker(
            flux::pipeline::CircuitBreaker::failures(1).recovery(std::time::Duration::from_secs(3)),
        )
        .retry(
            flux::pipeline::Retry::attempts(2)
                .base(std::time::Duration::ZERO)
                .max(std::time::Duration::ZERO),
        )
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
    ];
    for document in documents {
        crate::kit::write(&sender, document).await;
        match capacitor.status().running {
            true => crate::kit::pass(10.0).await,
            false => capacitor.start().await.unwrap(),
        }
    }
    capacitor.stop().await;
    let told = ear.take();
    for event in &told {
        let known = DOCUMENTED
            .iter()
            .find(|(message, ..)| *message == event.message);
        let Some((message, level, fields)) = known else {
            panic!("not documented: {event:?}");
        };
        assert_eq!(event.level.as_str(), *level, "{message}");
        let mut named = event.fields.clone();
        assert_eq!(
            named.remove("capacitor").as_deref(),
            Some("vault"),
            "{message}"
        );
        assert!(named.keys().eq(fields.iter()), "{message}: {named:?}");
        assert!(!format!("{event:?}").contains("hunter2"), "{event:?}");
    }
    for (message, ..) in DOCUMENTED {
        assert!(
            told.iter().any(|event| event.message == message),
            "{message}"
        );
    }
    let states: Vec<_> = (told.iter())
        .filter(|event| event.message == "flux.capacitor.state.changed")
        .map(|event| (&*event.fields["old_state"], &*event.fields["new_state"]))
        .collect();
    let expected = [
        ("loading", "healthy"),
        ("healthy", "degraded"),
        ("degraded", "healthy"),
    ];
    assert_eq!(states, expected);
}

/// A tower layer that has an event where it is called.
struct Telling;

struct ToldService<S>(S);

impl<S> tower_layer::Layer<S> for Telling {
    type Service = ToldService<S>;
    fn layer(&self, inner: S) -> ToldService<S> {
        ToldService(inner)
    }
}

impl<S, R> tower_service::Service<R> for ToldService<S>
where
    S: tower_service::Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;
    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }
    fn call(&mut self, request: R) -> S::Future {
        tracing::info!(target: "flux", "layered");
        self.0.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_has_one_span_and_it_is_around_the_programs_own_code() {
    let (ear, _listening) = crate::kit::Ear::listen();
    let stage = flux::pipeline::Stage::effect(|_: Request<crate::kit::App>| {
        tracing::info!(target: "flux", "called");
        async {
            tracing::info!(target: "flux", "polled");
            Ok::<(), flux::pipeline::BoxError>(())
        }
    });
    let filter = |_: &Request<crate::kit::App>| {
        tracing::info!(target: "flux", "asked");
        true
    };
    let (_capacitor, sender) =
        crate::kit::running(|builder| builder.stage(stage).filter(filter).tower_layer(Telling))
            .await;
    ear.take();
    let before = ear.updates().len();
    crate::kit::say(&sender, 2).await;
    crate::kit::pass(1.0).await;
    let updates = ear.updates();
    assert_eq!(
        updates.len() - before,
        1,
        "one update, one span: {updates:?}"
    );
    let told = ear.take().into_iter();
    let own =
        told.filter(|event| ["layered", "asked", "called", "polled"].contains(&&*event.message));
    let own: Vec<_> = own.map(|event| (event.message, event.spans)).collect();
    let once = ["layered", "asked", "called", "polled"].map(|message| (message.to_owned(), 1));
    assert_eq!(own, once);
}
