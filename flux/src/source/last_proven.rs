//! When a layer was last known to be current.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

type OnProof = Box<dyn Fn(SystemTime) + Send + Sync>;

/// When a layer was last known to be current: its source was read, or sent what only the source could send. Shared between the
/// watcher, which sets it, and every status, which so never shows an old time.
#[derive(Clone)]
pub(crate) struct LastProven(Arc<Shared>);

struct Shared {
    began: (Instant, SystemTime),
    /// Milliseconds since it began, and one more; 0 means never.
    millis: AtomicU64,
    on_proof: OnceLock<OnProof>,
}

impl LastProven {
    /// Never proven yet.
    pub(crate) fn never() -> Self {
        LastProven(Arc::new(Shared {
            began: (Instant::now(), SystemTime::now()),
            millis: AtomicU64::new(0),
            on_proof: OnceLock::new(),
        }))
    }

    /// Calls this at each proof from now on. Only the first call counts.
    #[cfg(feature = "metrics")]
    pub(crate) fn on_proof(&self, call: impl Fn(SystemTime) + Send + Sync + 'static) {
        // Another call set it already.
        let _ = self.0.on_proof.set(Box::new(call));
    }

    /// The layer is current now.
    pub(crate) fn prove(&self, now: Instant) {
        let millis = now.saturating_duration_since(self.0.began.0).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX - 1);
        self.0.millis.store(millis + 1, Ordering::Relaxed);
        if let Some(call) = self.0.on_proof.get()
            && let Some(at) = self.at()
        {
            call(at);
        }
    }

    /// When that was; `None` before the first time.
    pub(crate) fn at(&self) -> Option<SystemTime> {
        let millis = self.0.millis.load(Ordering::Relaxed).checked_sub(1)?;
        self.0.began.1.checked_add(Duration::from_millis(millis))
    }
}

impl fmt::Debug for LastProven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LastProven").field(&self.at()).finish()
    }
}
