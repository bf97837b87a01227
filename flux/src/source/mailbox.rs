//! Keeps the newest report of each source, so that no watcher waits for a slow reader; whether an event is older than what is
//! known; when a source becomes live.

mod observer;
#[cfg(test)]
mod tests;

pub use observer::Observer;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use tokio::{sync::Notify, time::Instant};

use crate::source::{Observation, SourceError, last_proven::LastProven};

/// How the connection to a source is. It is reported beside the capacitor's state and does not change it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Health {
    /// Nothing was received yet.
    #[default]
    Starting,
    /// Changes are seen as they happen. Within the bound of staleness that the source's page states, something has arrived that only the
    /// source itself could send; also by the clock of who reads the status while the process or its runtime was held up.
    Live,
    /// Changes may be missed.
    Stale {
        /// When it began.
        since: SystemTime,
        /// The newest reason.
        error: SourceError,
        /// How many times it failed in a row.
        attempt: u32,
    },
    /// The source ended for good, or nothing watches it any more: the capacitor was stopped, its runtime is gone, or this process is a
    /// fork of the one that watches.
    Closed,
}

/// What one layer's source reported since the last [`Mailbox::reports`].
#[derive(Debug)]
pub(crate) struct SourceReport {
    pub(crate) layer: usize,
    /// The newest observation, if there was one.
    pub(crate) observation: Option<Observation>,
    /// In which of its places the source was found with it, where it looks in several.
    pub(crate) found: Option<Arc<str>>,
    /// A writer is at work: what was observed last may be half of what comes.
    pub(crate) unsettled: bool,
    /// The health, if it changed.
    pub(crate) health: Option<Health>,
    /// How many observations this layer received in all, those replaced before they were taken included.
    pub(crate) received: u64,
    /// The newest request of [`Mailbox::read_now`] that was answered.
    pub(crate) answered: u64,
}

impl SourceReport {
    /// Whether it has words of the source.
    pub(crate) fn has_error(&self) -> bool {
        matches!(self.health, Some(Health::Stale { .. }))
            || matches!(self.observation, Some(Observation::Unreadable(_)))
    }
}

/// One slot for each layer.
pub(crate) struct Mailbox {
    slots: Box<[Mutex<Slot>]>,
    /// Wakes the watcher of each layer when it is to read.
    requests: Box<[Notify]>,
    /// When each layer was last known to be current.
    proven: Box<[LastProven]>,
    pending: AtomicBool,
    notify: Notify,
    #[cfg(feature = "testing")]
    tap: std::sync::OnceLock<Box<dyn Tap>>,
}

/// Sees every report of the observers, also those that are replaced before they are taken.
#[cfg(feature = "testing")]
pub(crate) trait Tap: Send + Sync {
    fn observed(&self, observation: &Observation);
    fn failing(&self, error: &SourceError);
    /// The report is delivered; may panic.
    fn delivered(&self);
}

#[derive(Default)]
struct Slot {
    observation: Option<Observation>,
    found: Option<Arc<str>>,
    unsettled: bool,
    health: Health,
    health_changed: bool,
    was_live: bool,
    /// When the source last showed that it is watched.
    sign: Option<Instant>,
    /// How far the order of changes was seen in this session, where the source numbers its changes.
    mark: Option<u64>,
    /// Whether this session has observed the source.
    observed: bool,
    received: u64,
    /// Something changed since it was taken.
    fresh: bool,
    requests: Requests,
}

/// Requests to read the source now, counted from 1.
#[derive(Default)]
struct Requests {
    /// The watcher takes them.
    taken_at_all: bool,
    /// The next report answers what was taken.
    by_report: bool,
    made: u64,
    taken: u64,
    answered: u64,
}

impl Mailbox {
    pub(crate) fn new(layers: usize) -> Arc<Mailbox> {
        Arc::new(Mailbox {
            slots: (0..layers).map(|_| Mutex::default()).collect(),
            requests: (0..layers).map(|_| Notify::new()).collect(),
            proven: (0..layers).map(|_| LastProven::never()).collect(),
            pending: AtomicBool::new(false),
            notify: Notify::new(),
            #[cfg(feature = "testing")]
            tap: std::sync::OnceLock::new(),
        })
    }

    #[cfg(feature = "testing")]
    pub(crate) fn tapped_by(layers: usize, tap: impl Tap + 'static) -> Arc<Mailbox> {
        let mailbox = Mailbox::new(layers);
        // A new mailbox has none.
        let _ = mailbox.tap.set(Box::new(tap));
        mailbox
    }

    #[cfg(feature = "testing")]
    fn tap(&self, tell: impl FnOnce(&dyn Tap)) {
        if let Some(tap) = self.tap.get() {
            tell(&**tap);
        }
    }

    /// The observer that fills the slot of `layer`.
    pub(crate) fn observer(self: &Arc<Self>, layer: usize) -> Observer {
        debug_assert!(layer < self.slots.len());
        Observer::new(Arc::clone(self), layer)
    }

    /// All that is new, in the order of the layers. Each step of the iteration empties one slot, so it is to be followed to its end.
    /// Without content, what has new content stays, and the newest of it is reported after [`release`](Self::release).
    pub(crate) fn reports(&self, content: bool) -> impl Iterator<Item = SourceReport> {
        // Cleared before the slots are read: what arrives meanwhile raises it again.
        let layers = match self.pending.swap(false, Ordering::AcqRel) {
            true => self.slots.len(),
            false => 0,
        };
        (0..layers).filter_map(move |layer| self.report(layer, content))
    }

    /// Whoever waits looks again, also for what stayed.
    pub(crate) fn release(&self) {
        self.pending.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    fn report(&self, layer: usize, content: bool) -> Option<SourceReport> {
        let mut slot = self.slot(layer);
        let stays = !content && slot.observation.is_some();
        if stays || !std::mem::take(&mut slot.fresh) {
            return None;
        }
        Some(SourceReport {
            layer,
            observation: slot.observation.take(),
            found: slot.found.take(),
            unsettled: slot.unsettled,
            health: std::mem::take(&mut slot.health_changed).then(|| slot.health.clone()),
            received: slot.received,
            answered: slot.requests.answered,
        })
    }

    /// All that is new, for the tests.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn take(&self) -> Vec<SourceReport> {
        self.reports(true).collect()
    }

    /// Asks the source of `layer` to be read now, even if no change was seen. The number of the request, which
    /// [`SourceReport::answered`] reaches when it was read; `None` where the watcher takes no requests.
    pub(crate) fn read_now(&self, layer: usize) -> Option<u64> {
        let mut slot = self.slot(layer);
        slot.requests.made += 1;
        let made = slot.requests.made;
        let taken = slot.requests.taken_at_all;
        drop(slot);
        self.requests[layer].notify_one();
        taken.then_some(made)
    }

    /// When `layer` was last known to be current.
    pub(crate) fn proven(&self, layer: usize) -> LastProven {
        self.proven[layer].clone()
    }

    /// Whether the source of `layer` is live.
    #[cfg(feature = "testing")]
    pub(crate) fn is_live(&self, layer: usize) -> bool {
        matches!(self.slot(layer).health, Health::Live)
    }

    /// Waits until [`reports`](Self::reports) has something to give. For one waiter; may be dropped at any time.
    pub(crate) async fn changed(&self) {
        while !self.pending.load(Ordering::Acquire) {
            self.notify.notified().await;
        }
    }

    fn slot(&self, layer: usize) -> MutexGuard<'_, Slot> {
        self.slots[layer]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, layer: usize, change: impl FnOnce(&mut Slot) -> bool) {
        let mut slot = self.slot(layer);
        if change(&mut slot) {
            slot.fresh = true;
            drop(slot);
            self.release();
        }
    }
}

impl Requests {
    fn answer(&mut self) -> bool {
        self.by_report = false;
        std::mem::replace(&mut self.answered, self.taken) != self.taken
    }
}

impl Slot {
    /// A report: the answer to a request, where the watcher answers so.
    fn reported(&mut self, changed: bool) -> bool {
        let answered = self.requests.by_report && self.requests.answer();
        changed || answered
    }
    fn become_live(&mut self) -> bool {
        if matches!(self.health, Health::Live) {
            return false;
        }
        self.was_live = true;
        self.set_health(Health::Live)
    }
    fn become_stale(&mut self, error: SourceError, attempt: Option<u32>) -> bool {
        let (since, before) = match &self.health {
            Health::Stale { since, attempt, .. } => (*since, *attempt),
            _ => (SystemTime::now(), 0),
        };
        self.set_health(Health::Stale {
            since,
            error,
            attempt: attempt.unwrap_or(before.saturating_add(1)),
        })
    }
    fn is_outdated(&self, order: Order) -> bool {
        match (order, self.mark) {
            (Order::Announced(number), Some(mark)) => number < mark,
            _ => false,
        }
    }
    /// Takes what was observed, which is not outdated.
    fn take(&mut self, observation: Observation, order: Order) -> bool {
        self.observed = true;
        self.mark = match order {
            Order::Unnumbered => None,
            Order::Read(number) | Order::Announced(number) => Some(number),
        };
        self.observation = Some(observation);
        self.unsettled = false;
        self.received += 1;
        self.become_live();
        true
    }
    fn set_health(&mut self, health: Health) -> bool {
        self.health = health;
        self.health_changed = true;
        true
    }
}

/// How an observation is placed among the others of its session.
#[derive(Clone, Copy)]
enum Order {
    /// The source does not number its changes.
    Unnumbered,
    /// An answer to a read, whatever its number.
    Read(u64),
    /// A change that the source announced.
    Announced(u64),
}
