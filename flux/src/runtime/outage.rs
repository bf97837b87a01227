//! When operators are reminded of a layer that cannot be watched: how soon, and how often. Pure: a health and a time go in, a
//! remark comes out.

use crate::source::{ErrorKind, Health};
use std::time::Duration;
use tokio::time::Instant;

/// A layer of which nothing was received yet is remarked on after this time.
const WAITING: Duration = Duration::from_secs(10);
/// An outage that lasts is remarked on after this time, and then each time it has lasted twice as long.
const LASTING: Duration = Duration::from_secs(60);
/// The longest time between two remarks on one outage.
const LONGEST: Duration = Duration::from_secs(3600);

/// What operators are to know about one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Remark {
    /// Nothing was received since it is watched.
    Waiting { lasts: Duration },
    /// Changes may be missed.
    Stale { lasts: Duration, error: String },
    /// The same, and no time heals it: access is refused, or the source cannot work as declared.
    Refused {
        lasts: Duration,
        kind: ErrorKind,
        error: String,
    },
    /// It is watched again.
    Recovered { lasted: Duration },
    /// It ended for good.
    Closed,
}

/// One layer that cannot be watched.
#[derive(Debug)]
struct Outage {
    began: Instant,
    next: Instant,
    /// The time between the last remark and the next.
    pause: Duration,
    /// None where nothing was received yet.
    error: Option<(ErrorKind, String)>,
}

impl Outage {
    fn new(now: Instant, pause: Duration, error: Option<(ErrorKind, String)>) -> Self {
        Outage {
            began: now,
            next: now + pause,
            pause,
            error,
        }
    }

    fn remark(&self, now: Instant) -> Remark {
        let lasts = now.saturating_duration_since(self.began);
        match &self.error {
            None => Remark::Waiting { lasts },
            Some((kind @ (ErrorKind::Permission | ErrorKind::Configuration), error)) => {
                Remark::Refused {
                    lasts,
                    kind: *kind,
                    error: error.clone(),
                }
            }
            Some((_, error)) => Remark::Stale {
                lasts,
                error: error.clone(),
            },
        }
    }

    fn is_refused(&self) -> bool {
        matches!(
            self.error,
            Some((ErrorKind::Permission | ErrorKind::Configuration, _))
        )
    }
}

/// Every layer that cannot be watched.
#[derive(Debug, Default)]
pub(super) struct Outages(Vec<Option<Outage>>);

impl Outages {
    /// None of these layers was received yet, where `waiting` is true.
    pub(super) fn new(waiting: impl Iterator<Item = bool>, now: Instant) -> Self {
        let each = waiting.map(|waits| waits.then(|| Outage::new(now, WAITING, None)));
        Outages(each.collect())
    }

    /// The health of a layer is this now. Answers what operators are to know at once: the first of an outage, its end, and a
    /// transient failure that has become one that no time heals.
    pub(super) fn health(&mut self, layer: usize, health: &Health, now: Instant) -> Option<Remark> {
        let outage = self.0.get_mut(layer)?;
        match health {
            Health::Starting => None,
            Health::Live => {
                let ended = outage.take()?;
                let lasted = now.saturating_duration_since(ended.began);
                // A start that needs no remark ends without one.
                let remarked = ended.error.is_some() || lasted >= WAITING;
                remarked.then_some(Remark::Recovered { lasted })
            }
            Health::Stale { error, .. } => {
                let text = Some((error.kind(), error.to_string()));
                match outage {
                    Some(known) if known.error.is_some() => {
                        let before = known.is_refused();
                        known.error = text;
                        (known.is_refused() && !before).then(|| known.remark(now))
                    }
                    outage => {
                        let began = outage.as_ref().map_or(now, |waiting| waiting.began);
                        let mut fresh = Outage::new(now, LASTING, text);
                        fresh.began = began;
                        Some(outage.insert(fresh).remark(now))
                    }
                }
            }
            Health::Closed => {
                *outage = None;
                Some(Remark::Closed)
            }
        }
    }

    /// When the next remark is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().flatten().map(|outage| outage.next).min()
    }

    /// The remarks that are due, each with its layer. The next of the same outage comes after twice the time, an hour at most.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(usize, Remark)> {
        let mut remarks = Vec::new();
        for (layer, outage) in self.0.iter_mut().enumerate() {
            let Some(outage) = outage.as_mut().filter(|outage| outage.next <= now) else {
                continue;
            };
            remarks.push((layer, outage.remark(now)));
            outage.pause = (outage.pause * 2).min(LONGEST);
            outage.next = now + outage.pause;
        }
        remarks
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        runtime::outage::*,
        source::{Health, SourceError},
    };
    use std::time::SystemTime;

    fn stale(error: SourceError) -> Health {
        Health::Stale {
            since: SystemTime::now(),
            error,
            attempt: 1,
        }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn an_outage_is_remarked_on_at_once_then_ever_more_rarely_and_at_its_end() {
        let start = Instant::now();
        let mut outages = Outages::new([false].into_iter(), start);
        assert_eq!(outages.deadline(), None);
        let lost = outages.health(0, &stale(SourceError::transient("cut")), start);
        let expected = Remark::Stale {
            lasts: Duration::ZERO,
            error: "cut".into(),
        };
        assert_eq!(lost, Some(expected));
        // Each further failed attempt is no remark, but its reason is in the next one.
        let again = outages.health(
            0,
            &stale(SourceError::transient("down")),
            start + seconds(9),
        );
        assert_eq!(again, None);
        let mut times = Vec::new();
        let end = start + seconds(6 * 3600);
        while let Some(at) = outages.deadline().filter(|at| *at <= end) {
            let remarks = outages.due(at);
            let lasts = at - start;
            let error = "down".into();
            assert_eq!(remarks, [(0, Remark::Stale { lasts, error })]);
            times.push(lasts.as_secs() / 60);
        }
        assert_eq!(times, [1, 3, 7, 15, 31, 63, 123, 183, 243, 303]);
        let lasted = end - start;
        let back = outages.health(0, &Health::Live, end);
        assert_eq!(back, Some(Remark::Recovered { lasted }));
        assert_eq!(outages.deadline(), None);
    }

    #[test]
    fn what_no_time_heals_is_remarked_on_as_soon_as_it_is_known() {
        let start = Instant::now();
        let mut outages = Outages::new([true].into_iter(), start);
        outages.health(0, &stale(SourceError::transient("cut")), start);
        let refused = SourceError::permission("no READ");
        for expected in [true, false] {
            let remark = outages.health(0, &stale(refused.clone()), start + seconds(1));
            assert_eq!(
                matches!(remark, Some(Remark::Refused { .. })),
                expected,
                "once"
            );
        }
    }

    #[test]
    fn a_quick_start_needs_no_remark_and_a_slow_one_gets_them() {
        let start = Instant::now();
        let mut outages = Outages::new([true, false].into_iter(), start);
        assert_eq!(outages.health(0, &Health::Live, start + seconds(1)), None);
        let mut outages = Outages::new([false, true].into_iter(), start);
        assert_eq!(outages.due(start + seconds(9)), []);
        let lasts = seconds(10);
        assert_eq!(outages.due(start + lasts), [(1, Remark::Waiting { lasts })]);
        let remark = outages.health(1, &Health::Live, start + seconds(11));
        assert!(matches!(remark, Some(Remark::Recovered { .. })));
    }
}
