//! The events, with the original system's names and order.

use crate::by_hand;
use flux::Flux;
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
