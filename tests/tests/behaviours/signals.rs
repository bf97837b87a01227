//! The events, with the original system's names and order.

mod causes;

use crate::by_hand;
use flux::{Flux, pipeline::Request};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
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
    drop(crate::kit::Ear::listen());
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

/// The page of events, with the code that makes them below it.
const OBSERVE: &str = include_str!("../../../flux/src/observe/mod.rs");

/// An event as the table has it.
#[derive(Debug)]
struct DocumentedEvent {
    level: String,
    fields: Vec<&'static str>,
}

/// The table, by the events' names.
fn documented() -> BTreeMap<&'static str, DocumentedEvent> {
    let rows = OBSERVE.lines().filter_map(|line| {
        let row = line.strip_prefix("//! | `flux.")?;
        let mut columns = row.trim_end_matches(" |").splitn(3, " | ");
        let name = columns.next()?.trim_end_matches('`');
        let (level, fields) = (columns.next()?, columns.next()?);
        // A field is in backquotes, before what explains it.
        let fields = fields
            .split(": ")
            .next()
            .filter(|text| text.starts_with('`'));
        let mut fields: Vec<_> = fields
            .into_iter()
            .flat_map(|text| text.split('`'))
            .collect();
        fields.retain(|field| !field.trim_matches([',', ' ']).is_empty());
        fields.sort_unstable();
        let level = level.to_uppercase();
        Some((name, DocumentedEvent { level, fields }))
    });
    rows.collect()
}

#[test]
fn the_table_has_every_event_that_there_is_with_its_level() {
    let made = OBSERVE.split("tracing::").filter_map(|code| {
        let (level, rest) = code.split_once("!(name: \"flux.")?;
        let (name, _) = rest.split_once('"')?;
        Some((name, level.to_uppercase()))
    });
    let made: BTreeMap<_, _> = made.collect();
    let table = documented();
    let levels = table
        .iter()
        .map(|(name, event)| (*name, event.level.clone()));
    let table: BTreeMap<_, _> = levels.collect();
    assert!(table.len() > 25, "{table:?}");
    assert_eq!(made, table);
}

/// An event of the table that nothing here causes fails it.
#[tokio::test(start_paused = true)]
async fn every_event_has_its_level_its_fields_and_the_capacitors_name() {
    let (ear, _listening) = crate::kit::Ear::listen();
    causes::refusals_and_the_pipeline().await;
    let told = ear.take();
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
    causes::sources().await;
    causes::reloads().await;
    causes::an_update_that_lasts().await;
    causes::a_stop_from_inside().await;
    causes::trials().await;
    causes::a_disk_that_is_back().await;
    let told: Vec<_> = told.into_iter().chain(ear.take()).collect();
    let table = documented();
    for event in &told {
        let message = &*event.message;
        let known = message
            .strip_prefix("flux.")
            .and_then(|name| table.get(name));
        let known = known.unwrap_or_else(|| panic!("not documented: {event:?}"));
        assert_eq!(event.level.as_str(), known.level, "{message}");
        let mut named = event.fields.clone();
        let capacitor = named.remove("capacitor");
        assert_eq!(capacitor.as_deref(), Some("vault"), "{message}");
        assert!(named.keys().eq(known.fields.iter()), "{message}: {named:?}");
        assert!(!format!("{event:?}").contains("hunter2"), "{event:?}");
    }
    for name in table.keys() {
        let full = format!("flux.{name}");
        let is_caused = told.iter().any(|event| event.message == full);
        assert!(is_caused, "{full} has no test");
    }
    let field = |name: &str, field: &str| {
        let mut found = told.iter().filter(|event| event.message == name);
        found.next().map(|event| event.fields[field].clone())
    };
    for (name, of, value) in [
        ("flux.trial.died", "changed", "`n`"),
        ("flux.trial.died", "deaths", "1"),
        ("flux.trial.quarantined", "changed", "`n`"),
        ("flux.trial.quarantined", "deaths", "2"),
        ("flux.capacitor.misused", "call", "stop"),
        ("flux.update.slow", "lasts", "30s"),
    ] {
        assert_eq!(field(name, of).as_deref(), Some(value), "{name} {of}");
    }
    let file = field("flux.disk.recovered", "file").unwrap();
    assert!(file.ends_with("known-good.json"), "{file}");
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
