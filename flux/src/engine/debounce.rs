//! When pending observations are taken up, so that two edits become one update: a quiet window after the last one, but never later
//! than a maximum wait after the first.

use crate::time::after;
use std::time::{Duration, Instant};

/// The debounce decision; it holds no timer.
#[derive(Debug, Clone)]
pub(crate) struct Debounce {
    window: Duration,
    max_wait: Duration,
    pending: Option<PendingSince>,
}

#[derive(Debug, Clone, Copy)]
struct PendingSince {
    first: Instant,
    last: Instant,
}

impl Debounce {
    pub(crate) fn new(window: Duration, max_wait: Duration) -> Self {
        Debounce {
            window,
            max_wait: max_wait.max(window),
            pending: None,
        }
    }

    /// Something was observed.
    pub(crate) fn observed(&mut self, now: Instant) {
        let first = self.pending.map_or(now, |pending| pending.first);
        self.pending = Some(PendingSince { first, last: now });
    }

    /// Whether anything is pending.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// When to take up what is pending.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let pending = self.pending?;
        Some(after(pending.last, self.window).min(after(pending.first, self.max_wait)))
    }

    /// When to look again: while a writer is at work only the longest wait counts.
    pub(crate) fn deadline_while(&self, unsettled: bool) -> Option<Instant> {
        match (self.pending, unsettled) {
            (Some(pending), true) => Some(after(pending.first, self.max_wait)),
            _ => self.deadline(),
        }
    }

    /// Whether the longest wait is over: also a source that is being written to is then judged.
    pub(crate) fn overdue(&self, now: Instant) -> bool {
        self.pending
            .is_some_and(|pending| now >= after(pending.first, self.max_wait))
    }

    /// What was pending is taken up.
    pub(crate) fn clear(&mut self) {
        self.pending = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_pending_has_no_deadline() {
        let debounce = Debounce::new(Duration::from_millis(100), Duration::from_secs(1));
        assert_eq!(debounce.deadline(), None);
    }

    proptest! {
        #[test]
        fn the_deadline_follows_the_last_but_is_bounded_by_the_first(
            window in 0_u64..1_000,
            wait in 0_u64..5_000,
            gaps in proptest::collection::vec(0_u64..2_000, 1..20),
        ) {
            let (window, wait) = (Duration::from_millis(window), Duration::from_millis(wait));
            let mut debounce = Debounce::new(window, wait);
            let first = Instant::now();
            let mut last = first;
            for gap in gaps {
                last += Duration::from_millis(gap);
                debounce.observed(last);
            }
            if first == last {
                debounce.observed(first);
            }
            let deadline = debounce.deadline().expect("something is pending");
            prop_assert!(deadline <= last + window);
            prop_assert!(deadline == last + window || debounce.overdue(deadline));
            debounce.clear();
            prop_assert_eq!(debounce.deadline(), None);
        }
    }
}
