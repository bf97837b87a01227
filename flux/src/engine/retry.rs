//! When a refused update is tried again, where the reason can pass: the growing pauses, and what is tried.

use crate::time::ceiling;
use std::time::{Duration, Instant};

/// The first pause; doubled each time, up to [`CAP`].
const BASE: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(60);

/// What the next try is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RetryTarget {
    /// The newest content of the layers.
    Newest,
    /// An earlier generation, and why.
    Back(u64, String),
}

/// When one thing is tried again, and how often it failed.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    at: Instant,
    failures: u32,
}

impl Schedule {
    fn next(before: Option<Schedule>, now: Instant) -> Self {
        let failures = before.map_or(1, |before| before.failures + 1);
        Schedule {
            at: now + ceiling(failures, BASE, CAP),
            failures,
        }
    }
}

/// The schedules of what was refused: the newest content, and a way back from content that made the program unhealthy. Each is
/// given up only for a reason of its own: newer content may be refused too, and then the way back is still to be tried.
#[derive(Debug, Clone, Default)]
pub(super) struct RetrySchedule {
    newest: Option<Schedule>,
    back: Option<(Schedule, u64, String)>,
}

impl RetrySchedule {
    /// Refused at `now`; the next pause is longer.
    pub(super) fn failed(&mut self, now: Instant, target: RetryTarget) {
        match target {
            RetryTarget::Newest => self.newest = Some(Schedule::next(self.newest, now)),
            RetryTarget::Back(to, reason) => {
                let before = self.back.as_ref().filter(|(_, known, _)| *known == to);
                let schedule = Schedule::next(before.map(|(schedule, ..)| *schedule), now);
                self.back = Some((schedule, to, reason));
            }
        }
    }

    /// Something was applied.
    pub(super) fn clear(&mut self) {
        *self = RetrySchedule::default();
    }

    /// The newest content is another one, or it need not be tried again.
    pub(super) fn clear_newest(&mut self) {
        self.newest = None;
    }

    /// When the next try is.
    pub(super) fn at(&self) -> Option<Instant> {
        let back = self.back.as_ref().map(|(schedule, ..)| schedule.at);
        back.into_iter().chain(self.newest.map(|one| one.at)).min()
    }

    /// What is to be tried by `now`, the way back first.
    pub(super) fn due(&self, now: Instant) -> Option<RetryTarget> {
        match (&self.back, self.newest) {
            (Some((schedule, to, reason)), _) if schedule.at <= now => {
                Some(RetryTarget::Back(*to, reason.clone()))
            }
            (_, Some(schedule)) if schedule.at <= now => Some(RetryTarget::Newest),
            _ => None,
        }
    }

    /// The way back that is to be tried.
    pub(super) fn back(&self) -> Option<RetryTarget> {
        let (_, to, reason) = self.back.as_ref()?;
        Some(RetryTarget::Back(*to, reason.clone()))
    }

    /// Whether the newest content is to be tried again.
    pub(super) fn wants_newest(&self) -> bool {
        self.newest.is_some()
    }

    /// The way back leads nowhere any more.
    pub(super) fn clear_back(&mut self) {
        self.back = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        for target in [RetryTarget::Newest, RetryTarget::Back(1, String::new())] {
            let (mut retry, now) = (RetrySchedule::default(), Instant::now());
            let pauses: Vec<u64> = (0..9)
                .map(|_| {
                    retry.failed(now, target.clone());
                    (retry.at().unwrap() - now).as_secs()
                })
                .collect();
            assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
            retry.clear();
            assert_eq!(retry.at(), None);
        }
    }

    #[test]
    fn a_way_back_and_the_newest_content_have_schedules_of_their_own() {
        let (mut retry, now) = (RetrySchedule::default(), Instant::now());
        let back = RetryTarget::Back(1, "bad".to_owned());
        retry.failed(now, back.clone());
        retry.failed(now, RetryTarget::Newest);
        retry.failed(now, RetryTarget::Newest);
        assert_eq!(retry.due(now), None);
        assert_eq!(retry.at(), Some(now + BASE));
        assert_eq!(retry.due(now + BASE), Some(back.clone()));
        retry.failed(now + BASE, back.clone());
        assert_eq!(retry.due(now + 2 * BASE), Some(RetryTarget::Newest));
        retry.clear_newest();
        assert_eq!(retry.due(now + 2 * BASE), None);
        assert_eq!((retry.back(), retry.wants_newest()), (Some(back), false));
        retry.failed(now, RetryTarget::Back(2, String::new()));
        assert_eq!(retry.at(), Some(now + BASE), "another target begins anew");
    }
}
