//! A capacitor over one server's document, and all that was applied from it.

use flux::{
    Capacitor, Flux, Source, State,
    source::{ErrorKind, Health},
};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// How long anything may take that comes about by itself once the faults are over.
pub(crate) const BOUND: Duration = Duration::from_secs(90);

#[derive(Flux, Debug)]
pub(crate) struct App {
    pub(crate) n: u64,
    #[flux(default = "")]
    pub(crate) pad: String,
}

/// The document that says `n`.
pub(crate) fn document(n: u64) -> Vec<u8> {
    format!("{{\"n\": {n}}}").into_bytes()
}

pub(crate) struct Watched {
    pub(crate) capacitor: Capacitor<App>,
    applied: Arc<Mutex<Vec<u64>>>,
}

impl Watched {
    pub(crate) fn new(source: Source) -> Self {
        Self::debounced(source, Duration::from_millis(10))
    }

    fn debounced(source: Source, debounce: Duration) -> Self {
        let applied = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&applied);
        let capacitor = Capacitor::<App>::builder()
            .source(source)
            .debounce(debounce)
            .history(100)
            .on_apply(move |_, next| {
                noted.lock().unwrap().push(next.n);
                async { Ok::<(), std::io::Error>(()) }
            })
            .build()
            .unwrap();
        Watched { capacitor, applied }
    }

    /// Started, with the outcome that is expected of a good document.
    pub(crate) async fn started(source: Source) -> Self {
        Self::new(source).start().await
    }

    /// The same with the debounce that a capacitor has when it is told of none: slow servers spread their changes.
    pub(crate) async fn started_as_usual(source: Source) -> Self {
        Self::debounced(source, Duration::from_millis(100))
            .start()
            .await
    }

    async fn start(self) -> Self {
        let outcome = tokio::time::timeout(BOUND, self.capacitor.start()).await;
        outcome.expect("it starts in time").expect("it starts");
        self
    }

    /// Starts without waiting for the outcome.
    pub(crate) fn starting(source: Source) -> Self {
        let watched = Self::new(source);
        let capacitor = watched.capacitor.clone();
        tokio::spawn(async move {
            let _ = capacitor.start().await;
        });
        watched
    }

    /// Waits for the value `n`, in health.
    pub(crate) async fn sees(&self, n: u64) {
        self.until(&format!("n = {n}"), || {
            self.capacitor.try_snapshot().is_some_and(|app| app.n == n)
                && self.capacitor.state() == State::Healthy
                && self.is_live()
        })
        .await;
    }

    pub(crate) async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let begin = Instant::now();
        while !condition() {
            assert!(
                begin.elapsed() < BOUND,
                "{what} never came true: {:?}",
                self.capacitor.status()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn applied(&self) -> Vec<u64> {
        self.applied.lock().unwrap().clone()
    }

    /// Exactly these, in this order, each once.
    pub(crate) fn has_applied(&self, expected: &[u64]) {
        assert_eq!(self.applied(), expected);
    }

    pub(crate) fn health(&self) -> Health {
        let status = self.capacitor.status();
        status
            .layers
            .first()
            .map_or(Health::Starting, |layer| layer.health.clone())
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(self.health(), Health::Live)
    }

    /// Why it is stale; nothing while it is not.
    pub(crate) fn trouble(&self) -> Option<flux::source::SourceError> {
        match self.health() {
            Health::Stale { error, .. } => Some(error),
            _ => None,
        }
    }

    /// What says that the right to read is missing. Of a file that is an observation: it is watched all the same.
    pub(crate) fn refusal(&self) -> Option<String> {
        let trouble = self
            .trouble()
            .filter(|trouble| trouble.kind() == ErrorKind::Permission);
        let report = || {
            let report = self.capacitor.last_error()?.to_string();
            report.contains("no permission").then_some(report)
        };
        trouble.map(|trouble| trouble.to_string()).or_else(report)
    }

    /// Nothing was ever refused.
    pub(crate) fn was_never_refused(&self) {
        let history = &self.capacitor.status().history;
        assert!(history.is_empty(), "{history:?}");
    }
}

/// Waits for a condition that comes true by itself.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let begin = Instant::now();
    while !condition().await {
        assert!(begin.elapsed() < BOUND, "{what} never came true");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
