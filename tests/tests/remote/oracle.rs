//! The oracle of the schedules: at no moment is a source live for longer than its bound with what its store does not hold any more.

use crate::watched::Watched;
use flux::{capacitor::LayerStatus, source::Health};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// The number of a document; nothing where there is none.
type Held = Option<u64>;

/// What a machine that is busy may add to a bound.
pub(crate) const BUSY: Duration = Duration::from_secs(20);

/// What the store holds, and when it held what it held before.
struct Truth {
    held: Held,
    /// What is being written: the store may hold it already.
    next: Option<Held>,
    /// Nobody can vouch for what is held: a majority of the members is away.
    is_unknown: bool,
    /// When the store held each for the last time.
    last: HashMap<Held, Instant>,
}

impl Truth {
    /// A store without a document, until one is written.
    fn begin() -> Self {
        Truth {
            held: None,
            next: None,
            is_unknown: false,
            last: HashMap::new(),
        }
    }

    /// What may be held at this moment is written down before it is something else.
    fn pass(&mut self, now: Instant) {
        if !self.is_unknown {
            self.last.insert(self.held, now);
            self.last.extend(self.next.map(|next| (next, now)));
        }
    }

    fn holds(&mut self, held: Held, now: Instant) {
        self.pass(now);
        self.held = held;
        self.next = None;
        self.is_unknown = false;
    }

    /// For how long the store has not held this; for ever where it never did.
    fn outdated(&self, seen: Held, now: Instant) -> Duration {
        let held = !self.is_unknown && (self.held == seen || self.next == Some(seen));
        match self.last.get(&seen) {
            _ if held => Duration::ZERO,
            Some(last) => now.saturating_duration_since(*last),
            None => Duration::MAX,
        }
    }
}

/// How far what is live may be behind.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// For how long a source may show as live what its store does not hold any more.
    pub(crate) bound: Duration,
    /// How soon after a source has become live what it shows must be within the bound.
    pub(crate) settling: Duration,
}

impl Limits {
    /// Of a source whose first answer is the truth, with what a machine that is busy may add.
    pub(crate) fn of_a_server(bound: Duration) -> Self {
        Limits {
            bound: bound + BUSY,
            settling: BUSY,
        }
    }

    /// Of a source whose first answer may be that of a member which lags behind.
    pub(crate) fn of_members(bound: Duration) -> Self {
        Limits {
            bound: bound + BUSY,
            settling: bound + BUSY,
        }
    }

    fn are_passed(self, truth: &Truth, seen: Held, live_since: Instant, now: Instant) -> bool {
        truth.outdated(seen, now) > self.bound
            && now.saturating_duration_since(live_since) > self.settling
    }
}

/// Watches for lies, all the time.
pub(crate) struct Watch {
    truth: Arc<Mutex<Truth>>,
    lie: Arc<Mutex<Option<String>>>,
    over: Arc<AtomicBool>,
}

impl Watch {
    pub(crate) fn over(watched: &Watched, limits: Limits) -> Self {
        let watch = Watch {
            truth: Arc::new(Mutex::new(Truth::begin())),
            lie: Arc::default(),
            over: Arc::default(),
        };
        let capacitor = watched.capacitor.clone();
        let (truth, lie) = (Arc::clone(&watch.truth), Arc::clone(&watch.lie));
        let over = Arc::clone(&watch.over);
        tokio::spawn(async move {
            let mut live_since: Option<Instant> = None;
            while !over.load(Ordering::Relaxed) {
                {
                    let truth = truth.lock().unwrap();
                    let status = capacitor.status();
                    // There is none before the start.
                    let layer = status.layers.first();
                    let is = |of: fn(&LayerStatus) -> bool| layer.is_some_and(of);
                    let applied = capacitor.try_snapshot().map(|app| app.n);
                    let seen = applied.filter(|_| is(|layer| layer.present));
                    let now = Instant::now();
                    live_since = match is(|layer| matches!(layer.health, Health::Live)) {
                        true => live_since.or(Some(now)),
                        false => None,
                    };
                    if let Some(since) = live_since
                        && limits.are_passed(&truth, seen, since, now)
                    {
                        let Truth {
                            held, is_unknown, ..
                        } = &*truth;
                        *lie.lock().unwrap() = Some(format!(
                            "live for {:?} with {seen:?}, which the store has not held for {:?}: it holds {held:?} (unknown: {is_unknown})",
                            since.elapsed(),
                            truth.outdated(seen, now),
                        ));
                        return;
                    }
                }
                sleep(Duration::from_millis(50)).await;
            }
        });
        watch
    }

    /// From now on the store holds this, and is known to.
    pub(crate) fn holds(&self, held: Held) {
        self.truth.lock().unwrap().holds(held, Instant::now());
    }

    /// It is about to be written, deleted or put back.
    pub(crate) fn may_hold(&self, next: Held) {
        let mut truth = self.truth.lock().unwrap();
        truth.pass(Instant::now());
        truth.next = Some(next);
    }

    /// From now on nobody can vouch for what is held.
    pub(crate) fn is_unknown(&self) {
        let mut truth = self.truth.lock().unwrap();
        truth.pass(Instant::now());
        truth.is_unknown = true;
    }

    /// What the store holds by now.
    pub(crate) fn held(&self) -> Held {
        self.truth.lock().unwrap().held
    }

    pub(crate) fn was_no_lie(&self) {
        let lie = self.lie.lock().unwrap().clone();
        assert!(lie.is_none(), "{}", lie.unwrap_or_default());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// The limits are passed after so many seconds with `seen`, live all the while, where the store holds one number more each second.
fn is_a_lie(seen: impl Fn(u64) -> u64, seconds: u64) -> bool {
    let (begin, mut truth) = (Instant::now(), Truth::begin());
    let limits = Limits::of_a_server(Duration::from_secs(15));
    (0..seconds).any(|second| {
        let now = begin + Duration::from_secs(second);
        truth.holds(Some(second), now);
        limits.are_passed(&truth, Some(seen(second)), begin, now)
    })
}

#[test]
fn to_be_live_and_stuck_while_the_store_moves_on_is_a_lie() {
    assert!(!is_a_lie(|_| 3, 38), "within the bound");
    assert!(is_a_lie(|_| 3, 41));
}

#[test]
fn to_be_a_bound_behind_a_busy_store_is_no_lie() {
    assert!(!is_a_lie(|second| second.saturating_sub(15), 500));
    assert!(is_a_lie(|second| second.saturating_sub(40), 500));
}

#[test]
fn what_was_never_held_or_is_known_to_nobody_is_a_lie() {
    let (begin, mut truth) = (Instant::now(), Truth::begin());
    let at = |seconds| begin + Duration::from_secs(seconds);
    let limits = Limits::of_a_server(Duration::from_secs(15));
    truth.holds(Some(1), begin);
    assert!(!limits.are_passed(&truth, Some(1), begin, at(900)));
    assert!(limits.are_passed(&truth, Some(2), begin, at(21)));
    assert!(limits.are_passed(&truth, None, begin, at(900)));
    truth.pass(at(900));
    truth.is_unknown = true;
    assert!(!limits.are_passed(&truth, Some(1), begin, at(934)));
    assert!(limits.are_passed(&truth, Some(1), begin, at(936)));
    // It became live a moment ago, and is about to apply what it read.
    assert!(!limits.are_passed(&truth, Some(1), at(930), at(936)));
    truth.holds(Some(1), at(940));
    assert!(!limits.are_passed(&truth, Some(1), begin, at(941)));
}
