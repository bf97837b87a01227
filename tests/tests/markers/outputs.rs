//! All that leaves Flux, as texts.

use crate::program::App;
use flux::{Capacitor, page::Page};
use http_body_util::BodyExt;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, LocalRecorderGuard, SharedString, Unit};
use std::{
    collections::HashSet,
    fmt::{self, Debug, Display, Write},
    sync::{Arc, Mutex},
};
use tower_service::Service;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

#[derive(Clone, Default)]
pub(crate) struct Outputs(Arc<Mutex<HashSet<String>>>);

impl Outputs {
    /// Collects every event of this thread while the guards are held, of every level and every target, and the labels of every metric.
    pub(crate) fn collect() -> (Self, (DefaultGuard, LocalRecorderGuard<'static>)) {
        flux_tests::dispatchers::keep_two::<Outputs>();
        let outputs = Outputs::default();
        let guard = tracing::subscriber::set_default(outputs.clone());
        let recorder: &'static Labels = Box::leak(Box::new(Labels(outputs.clone())));
        let metrics = metrics::set_default_local_recorder(recorder);
        (outputs, (guard, metrics))
    }

    pub(crate) fn text(&self, text: &str) {
        let mut texts = self.0.lock().unwrap();
        if !texts.contains(text) {
            texts.insert(text.to_owned());
        }
    }

    pub(crate) fn take(&self) -> HashSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn both(&self, value: &(impl Display + Debug)) {
        self.text(&value.to_string());
        self.text(&format!("{value:?}"));
    }

    pub(crate) fn debugged(&self, value: &impl Debug) {
        self.text(&format!("{value:?}"));
        self.text(&format!("{value:#?}"));
    }

    pub(crate) fn data(&self, value: &impl serde::Serialize) {
        self.text(&serde_json::to_string(value).unwrap());
    }

    pub(crate) fn error(&self, error: &Option<flux::Error>) {
        if let Some(error) = error {
            self.both(error);
        }
    }

    pub(crate) fn capacitor(&self, capacitor: &Capacitor<App>) {
        let status = capacitor.status();
        self.both(&*status);
        self.text(&serde_json::to_string(&*status).unwrap());
        self.text(&format!("{capacitor:?}"));
        if let Some(report) = capacitor.last_error() {
            self.both(&report);
            self.text(&serde_json::to_string(&report).unwrap());
        }
    }
}

/// What the page answers, each with everything that it knows.
const ROUTES: [&str; 15] = [
    "/",
    "/?q=zq",
    "/status.json",
    "/settings.json",
    "/blame.json",
    "/effective.yaml",
    "/explain.json?path=password",
    "/silent",
    "/silent.json",
    "/schema.json",
    "/template.yaml",
    "/reference.md",
    "/variables.env",
    "/healthz",
    "/events",
];

impl Outputs {
    /// The page, its data and its first event.
    pub(crate) async fn page(&self, page: &Page) {
        for uri in ROUTES {
            let request = http::Request::get(uri).body(String::new()).unwrap();
            let reply = page.clone().call(request).await.unwrap();
            let mut body = reply.into_body();
            // The stream of events goes on.
            let text = body.frame().await.unwrap().unwrap().into_data().unwrap();
            self.text(&String::from_utf8_lossy(&text));
        }
    }
}

/// The names and labels of metrics.
struct Labels(Outputs);

impl metrics::Recorder for Labels {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, text: SharedString) {
        self.0.text(&text);
    }
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, text: SharedString) {
        self.0.text(&text);
    }
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, text: SharedString) {
        self.0.text(&text);
    }
    fn register_counter(&self, key: &Key, _: &metrics::Metadata<'_>) -> Counter {
        self.0.text(&key.to_string());
        Counter::noop()
    }
    fn register_gauge(&self, key: &Key, _: &metrics::Metadata<'_>) -> Gauge {
        self.0.text(&key.to_string());
        Gauge::noop()
    }
    fn register_histogram(&self, key: &Key, _: &metrics::Metadata<'_>) -> Histogram {
        self.0.text(&key.to_string());
        Histogram::noop()
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, "{}={value} ", field.name());
    }
}

impl Subscriber for Outputs {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut text = String::new();
        attributes.record(&mut Fields(&mut text));
        self.text(&text);
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut text = String::new();
        values.record(&mut Fields(&mut text));
        self.text(&text);
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        event.record(&mut Fields(&mut text));
        self.text(&text);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// A text as it is, in capitals, in base64, in hexadecimal, with percent signs, or as Rust prints it.
pub(crate) fn written(text: &str, encoding: usize) -> String {
    let bytes = text.bytes();
    match encoding {
        1 => text.to_uppercase(),
        2 => base64(text.as_bytes()),
        3 => bytes.map(|byte| format!("{byte:02x}")).collect(),
        4 => bytes.map(|byte| format!("%{byte:02X}")).collect(),
        5 => text.escape_debug().to_string(),
        _ => text.to_owned(),
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (three.iter()).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(char::from(letter));
        }
    }
    text
}
