//! Latest-wins slots between the watchers and the capacitor: no watcher ever waits for a slow reader.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::{sync::Notify, time::Instant};

use crate::source::{Content, Observation, Resync, SourceError, last_proven::LastProven};

/// How the connection to a source is. It is reported beside the capacitor's state and does not change it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Health {
    /// Nothing was received yet.
    #[default]
    Starting,
    /// Changes are seen as they happen. Within the bound of staleness that the source's page states, something has arrived that only the
    /// source itself could send.
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
    /// A writer is at work: what was observed last may be half of what comes.
    pub(crate) unsettled: bool,
    /// The health, if it changed.
    pub(crate) health: Option<Health>,
    /// How many observations this layer received in all, those replaced before they were taken included.
    pub(crate) received: u64,
    /// The newest request of [`Mailbox::read_now`] that was answered.
    pub(crate) answered: u64,
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
        Observer {
            mailbox: Arc::clone(self),
            layer,
            resync: None,
        }
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
    /// Takes what was observed, unless it is a change that was announced after something newer was seen.
    fn take(&mut self, observation: Observation, order: Order) -> bool {
        self.observed = true;
        if self.is_outdated(order) {
            return self.become_live();
        }
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

/// Where a watcher reports what it sees. Never blocks; a newer report replaces one that nobody took yet.
#[derive(Clone)]
pub struct Observer {
    mailbox: Arc<Mailbox>,
    layer: usize,
    resync: Option<Duration>,
}

impl Observer {
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
    /// seen is dropped, such as history that a server sends again. Numbers of different sessions are never compared.
    pub fn announced_at(&self, number: u64, observation: Observation) {
        self.deliver(observation, Order::Announced(number));
    }

    fn deliver(&self, observation: Observation, order: Order) {
        self.mailbox.update(self.layer, |slot| {
            #[cfg(feature = "testing")]
            if !slot.is_outdated(order) {
                self.mailbox.tap(|tap| tap.observed(&observation));
            }
            slot.sign = Some(self.prove());
            let changed = slot.take(observation, order);
            slot.reported(changed)
        });
        #[cfg(feature = "testing")]
        self.mailbox.tap(|tap| tap.delivered());
    }

    /// When to read the source again although no change was reported: at the watcher's [`resync`](crate::source::Watcher::resync).
    pub fn resync(&self) -> Resync {
        Resync::every(self.resync).asked_through(self)
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

    /// The layer is current now.
    fn prove(&self) -> Instant {
        let now = Instant::now();
        self.mailbox.proven[self.layer].prove(now);
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

#[cfg(test)]
mod tests {
    use crate::source::mailbox::*;

    fn text(news: &SourceReport) -> &str {
        match &news.observation {
            Some(Observation::Value(content)) => std::str::from_utf8(&content.bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn content_that_stays_is_replaced_by_newer_content_and_reported_once_released() {
        let mailbox = Mailbox::new(2);
        let count = |content: bool| mailbox.reports(content).count();
        mailbox.observer(0).live();
        mailbox.observer(1).value(*b"old");
        assert_eq!(count(false), 1, "health alone is reported");
        mailbox.observer(1).value(*b"new");
        assert_eq!(
            (count(false), count(true)),
            (0, 0),
            "nobody is woken for it"
        );
        mailbox.release();
        let news = mailbox.take();
        assert_eq!((news.len(), news[0].layer, text(&news[0])), (1, 1, "new"));
    }

    #[test]
    fn the_newest_observation_replaces_the_one_nobody_took() {
        let mailbox = Mailbox::new(2);
        mailbox.observer(1).value(*b"old");
        mailbox.observer(1).value(*b"new");
        let news = mailbox.take();
        assert_eq!(news.len(), 1);
        assert_eq!(
            (news[0].layer, text(&news[0]), news[0].received),
            (1, "new", 2)
        );
        assert!(matches!(news[0].health, Some(Health::Live)));
        assert!(mailbox.take().is_empty());
    }

    #[test]
    fn health_is_news_only_when_it_changes() {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        observer.live();
        observer.live();
        assert_eq!(mailbox.take().len(), 1);
        observer.live();
        assert!(mailbox.take().is_empty());
        observer.failing(SourceError::transient("cut"));
        let Some(Health::Stale {
            since, attempt: 1, ..
        }) = mailbox.take()[0].health.clone()
        else {
            panic!("not stale");
        };
        observer.failing(SourceError::transient("cut again"));
        let Some(Health::Stale {
            since: again,
            attempt: 2,
            error,
        }) = mailbox.take()[0].health.clone()
        else {
            panic!("not stale");
        };
        assert_eq!(since, again, "stale since the first failure");
        assert_eq!(error.to_string(), "cut again");
    }

    #[test]
    fn an_observation_ends_what_was_unsettled() {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        observer.unsettled();
        let news = mailbox.take();
        assert!(news[0].unsettled && news[0].observation.is_none());
        observer.unsettled();
        assert!(mailbox.take().is_empty(), "no news in saying it twice");
        observer.absent();
        let news = mailbox.take();
        assert!(!news[0].unsettled);
        assert!(matches!(news[0].observation, Some(Observation::Absent)));
    }

    fn value(text: &str) -> Observation {
        Observation::Value(Content {
            bytes: text.as_bytes().into(),
            revision: None,
        })
    }

    #[test]
    fn a_change_that_is_announced_late_is_dropped_but_a_sign_of_life() {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        observer.read_at(7, value("seven"));
        assert_eq!(text(&mailbox.take()[0]), "seven");
        observer.announced_at(8, Observation::Absent);
        mailbox.take();
        observer.failing(SourceError::transient("restart"));
        observer.announced_at(7, value("seven"));
        let news = mailbox.take();
        assert!(news[0].observation.is_none(), "a deletion is not undone");
        assert!(matches!(news[0].health, Some(Health::Live)));
        observer.announced_at(8, value("eight"));
        assert_eq!(text(&mailbox.take()[0]), "eight");
    }

    #[test]
    fn an_answer_to_a_read_is_taken_whatever_its_number() {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        observer.announced_at(40, value("forty"));
        mailbox.take();
        observer.read_at(2, value("restored"));
        assert_eq!(text(&mailbox.take()[0]), "restored");
        observer.announced_at(3, value("three"));
        assert_eq!(text(&mailbox.take()[0]), "three");
        observer.observe(Observation::Absent);
        observer.announced_at(1, value("made anew"));
        assert_eq!(text(&mailbox.take()[0]), "made anew");
    }

    #[test]
    fn numbers_of_different_sessions_are_not_compared() {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        observer.begin();
        observer.announced_at(40, value("forty"));
        mailbox.take();
        observer.begin();
        observer.announced_at(2, value("two"));
        assert_eq!(text(&mailbox.take()[0]), "two");
    }

    #[tokio::test]
    async fn a_request_to_read_now_is_answered_once_the_source_was_read() {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        assert_eq!(mailbox.read_now(0), None, "nobody takes it");
        observer.asked().await;
        observer.answer();
        assert_eq!(mailbox.take()[0].answered, 1);
        let second = mailbox.read_now(0).unwrap();
        let third = mailbox.read_now(0).unwrap();
        assert!(mailbox.take().is_empty(), "nothing was read yet");
        observer.asked().await;
        observer.value(*b"x");
        assert_eq!(mailbox.take()[0].answered, 1, "not yet");
        observer.answer();
        assert_eq!((second, third, mailbox.take()[0].answered), (2, 3, 3));
        observer.answer();
        assert!(mailbox.take().is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_is_lost_between_take_and_changed() {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        let writer = tokio::task::spawn_blocking(move || {
            for n in 0..10_000u32 {
                observer.value(n.to_le_bytes());
                if n % 64 == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let last = 9_999u32.to_le_bytes();
        tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                mailbox.changed().await;
                for news in mailbox.take() {
                    if let Some(Observation::Value(content)) = news.observation
                        && *content.bytes == last
                    {
                        assert_eq!(news.received, 10_000);
                        return;
                    }
                }
            }
        })
        .await
        .expect("the last value arrives");
        writer.await.unwrap();
    }
}
