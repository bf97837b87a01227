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

#[test]
fn a_state_change_is_told_before_what_caused_it() {
    let names = Names::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    tracing::subscriber::with_default(names.clone(), || {
        runtime.block_on(async {
            let (capacitor, sender) = by_hand::<App>(|builder| builder);
            sender.send(&b"n: 1"[..]).await.unwrap();
            capacitor.start().await.unwrap();
            let started = [
                "flux.capacitor.started",
                "flux.capacitor.change.received",
                "flux.capacitor.state.changed",
                "flux.capacitor.apply.succeeded",
            ];
            assert_eq!(names.take(), started);
            for (document, told) in [
                (
                    "n: 0",
                    vec!["change.received", "state.changed", "validation.failed"],
                ),
                ("n: x", vec!["change.received", "transform.failed"]),
                (
                    "n: 2",
                    vec!["change.received", "state.changed", "apply.succeeded"],
                ),
                (
                    "n: 3\nm: 1",
                    vec!["change.received", "warning", "apply.succeeded"],
                ),
            ] {
                sender.send(document.as_bytes()).await.unwrap();
                capacitor.process().await.unwrap();
                let told: Vec<String> = told
                    .iter()
                    .map(|name| format!("flux.capacitor.{name}"))
                    .collect();
                assert_eq!(names.take(), told, "{document}");
            }
            capacitor.stop().await;
            assert_eq!(names.take(), ["flux.capacitor.stopped"]);
        });
    });
}
