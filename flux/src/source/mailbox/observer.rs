//! What a watcher may report, and what each report means for health and order.

use super::{Health, Mailbox, Order};
#[cfg(feature = "file")]
use crate::problem::{escaped, shortened};
use crate::source::{AsOf, Content, Observation, Resync, SourceError};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Where a watcher reports what it sees. Never blocks; a newer report replaces one that was not taken up yet.
#[derive(Clone)]
pub struct Observer {
    mailbox: Arc<Mailbox>,
    layer: usize,
    resync: Option<Duration>,
    /// When the source was as the next report shows it, where that is not now.
    shown: Option<AsOf>,
    /// In which of its places the source was found.
    found: Option<Arc<str>>,
}

impl Observer {
    pub(super) fn new(mailbox: Arc<Mailbox>, layer: usize) -> Self {
        Observer {
            mailbox,
            layer,
            resync: None,
            shown: None,
            found: None,
        }
    }

    /// The source holds this document.
    pub fn value(&self, bytes: impl Into<Arc<[u8]>>) {
        self.observe(Observation::Value(Content {
            bytes: bytes.into(),
            revision: None,
        }));
    }

    /// The source answered that there is nothing.
    pub fn absent(&self) {
        self.observe(Observation::Absent);
    }

    /// The source was seen to hold this. It is [`live`](Self::live) with it, and settled.
    pub fn observe(&self, observation: Observation) {
        self.deliver(observation, Order::Unnumbered);
    }

    /// [`observe`](Self::observe) for the answer to a read of a source that numbers its changes. It is taken whatever its number,
    /// because a source that was restored or made anew counts from before; changes that are announced for less are outdated from here
    /// on.
    pub fn read_at(&self, number: u64, observation: Observation) {
        self.deliver(observation, Order::Read(number));
    }

    /// [`observe`](Self::observe) for a change that a source announced with its number. One that is older than what this session has
    /// seen is dropped, such as history that a server sends again; it is a sign of life, and does not make the source live. Numbers of
    /// different sessions are never compared.
    pub fn announced_at(&self, number: u64, observation: Observation) {
        self.deliver(observation, Order::Announced(number));
    }

    fn deliver(&self, observation: Observation, order: Order) {
        self.mailbox.update(self.layer, |slot| {
            #[cfg(feature = "testing")]
            if !slot.is_outdated(order) {
                self.mailbox.tap(|tap| tap.observed(&observation));
            }
            if slot.is_outdated(order) {
                // History proves that the line is open, and not that what was observed last still holds.
                slot.sign = Some(Instant::now());
                return false;
            }
            slot.sign = Some(self.prove());
            let changed = slot.take(observation, order);
            if let Some(found) = &self.found {
                slot.found = Some(Arc::clone(found));
            }
            slot.reported(changed)
        });
        #[cfg(feature = "testing")]
        self.mailbox.tap(|tap| tap.delivered());
    }

    /// For what was found in one of the places of a source that looks in several: what reports call the layer from now on.
    #[cfg(feature = "file")]
    pub(crate) fn found_in(&self, place: &str) -> Observer {
        let shown = escaped(&shortened(place)).into_owned();
        Observer {
            found: Some(shown.into()),
            ..self.clone()
        }
    }

    /// For the answer to a question that was asked at an instant, or that shows the source as it was before: as it was then at the
    /// earliest, whenever it is read. It proves no more.
    #[cfg(any(feature = "file", feature = "_remote"))]
    pub(crate) fn as_of(&self, shown: impl Into<AsOf>) -> Observer {
        Observer {
            shown: Some(shown.into()),
            ..self.clone()
        }
    }

    /// When to read the source again although no change was reported: at the watcher's [`resync`](crate::source::Watcher::resync).
    pub fn resync(&self) -> Resync {
        Resync::every(self.resync).asked_through(self)
    }

    /// How often the layer asks for its source to be read; `None` where it leaves that to the source.
    #[cfg(feature = "file")]
    pub(crate) fn resync_of_layer(&self) -> Option<Duration> {
        self.resync
    }

    /// A writer is at work: what was seen last may be half of what it writes. The next observation ends this.
    pub fn unsettled(&self) {
        self.mailbox.update(self.layer, |slot| {
            !std::mem::replace(&mut slot.unsettled, true)
        });
    }

    /// Takes [`unsettled`](Self::unsettled) back: the writer finished and what was seen last still holds.
    pub fn settled(&self) {
        self.mailbox.update(self.layer, |slot| {
            std::mem::replace(&mut slot.unsettled, false)
        });
    }

    /// The source cannot be watched well just now. Changes its health only.
    pub fn failing(&self, error: SourceError) {
        #[cfg(feature = "testing")]
        self.mailbox.tap(|tap| tap.failing(&error));
        self.mailbox.update(self.layer, |slot| {
            let changed = slot.become_stale(error, None);
            slot.reported(changed)
        });
    }

    /// The source is watched: something arrived that only the source itself could send, so what was observed last still holds. Also
    /// the sign of life that a session with a [`deadline`](crate::source::Watcher::deadline) owes while nothing changes.
    pub fn live(&self) {
        self.mailbox.update(self.layer, |slot| {
            slot.sign = Some(self.prove());
            let changed = slot.become_live();
            slot.reported(changed)
        });
    }

    /// For how long what is seen shows that the source is watched. Whoever reads the status when it is over sees that, although
    /// nothing is reported: the process was stopped, or its runtime had no thread to spare.
    pub(crate) fn holds_for(&self, bound: Duration) {
        self.mailbox.proven[self.layer].holds_for(bound);
    }

    /// How often the source is read: at its resync, else `usually`.
    #[cfg(any(feature = "firestore", feature = "https", feature = "redis"))]
    pub(crate) fn period(&self, usually: Duration) -> Duration {
        self.resync.unwrap_or(usually)
    }

    /// [`holds_for`](Self::holds_for) of a source that is read at its resync, else `usually` so often; the times are spread by a tenth.
    #[cfg(any(feature = "firestore", feature = "https", feature = "redis"))]
    pub(crate) fn is_read_every(&self, usually: Duration, answer: Duration) {
        let every = self.period(usually);
        self.holds_for(every.saturating_add(every / 10).saturating_add(answer));
    }

    /// The connection is open: a sign of life, and no proof that what was observed last still holds.
    #[cfg(any(feature = "firestore", feature = "redis"))]
    pub(crate) fn connected(&self) {
        self.mailbox.slot(self.layer).sign = Some(Instant::now());
    }

    /// The layer is current now, or was when the question was asked. Returns now: an answer is a sign of life when it is read.
    fn prove(&self) -> Instant {
        let now = Instant::now();
        let proven = &self.mailbox.proven[self.layer];
        match self.shown {
            Some(shown) => proven.prove_as_of(shown),
            None => proven.prove(now),
        }
        now
    }

    /// Waits until the source is to be read now. May be dropped at any time.
    pub(crate) async fn asked(&self) {
        loop {
            {
                let requests = &mut self.mailbox.slot(self.layer).requests;
                requests.taken_at_all = true;
                if requests.made > requests.taken {
                    requests.taken = requests.made;
                    return;
                }
            }
            self.mailbox.requests[self.layer].notified().await;
        }
    }

    /// [`asked`](Self::asked) of a watcher whose next report is the answer.
    pub(crate) async fn asked_of_reports(&self) {
        self.asked().await;
        self.mailbox.slot(self.layer).requests.by_report = true;
    }

    /// What [`asked`](Self::asked) asked for was read, and is reported.
    #[cfg(any(test, feature = "file"))]
    pub(crate) fn answer(&self) {
        self.mailbox
            .update(self.layer, |slot| slot.requests.answer());
    }

    pub(crate) fn with_resync(mut self, period: Option<Duration>) -> Self {
        self.resync = period;
        self
    }

    /// A session begins, which is a sign of life. The order of changes begins with it.
    pub(crate) fn begin(&self) {
        let mut slot = self.mailbox.slot(self.layer);
        slot.sign = Some(Instant::now());
        slot.mark = None;
        slot.observed = false;
    }

    /// Whether this session has observed the source.
    pub(crate) fn has_observed(&self) -> bool {
        self.mailbox.slot(self.layer).observed
    }

    /// When the source last showed that it is watched.
    pub(crate) fn last_sign(&self) -> Instant {
        let sign = self.mailbox.slot(self.layer).sign;
        sign.unwrap_or_else(Instant::now)
    }

    /// The start goes on without the source, if nothing was received from it: this takes its place until something is.
    pub(crate) fn unheard(&self, stand_in: impl FnOnce(&Health) -> Observation) {
        self.mailbox.update(self.layer, |slot| {
            let unheard = slot.received == 0;
            if unheard {
                slot.observation = Some(stand_in(&slot.health));
            }
            unheard
        });
    }

    pub(crate) fn stale(&self, error: SourceError, attempt: u32) {
        self.mailbox.update(self.layer, |slot| {
            let changed = slot.become_stale(error, Some(attempt));
            slot.reported(changed)
        });
    }

    pub(crate) fn closed(&self) {
        self.mailbox.update(self.layer, |slot| {
            slot.unsettled = false;
            slot.set_health(Health::Closed)
        });
    }

    /// Whether the source was ever live, so that trouble with it is a loss.
    pub(crate) fn was_live(&self) -> bool {
        self.mailbox.slot(self.layer).was_live
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}
