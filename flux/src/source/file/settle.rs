//! When a touched file is worth reading: at once when its writer finished, else when it has been quiet for a while.

use std::time::Duration;

use tokio::time::Instant;

/// What happened to one of the entries that lead to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// Permissions, owner or times.
    Metadata,
    /// A directory on the way appeared.
    Structure,
    /// Written to, and the writer may go on.
    Written,
    /// A writer closed it, or something whole came into its place.
    Finished,
    /// It went away; something may come in its place.
    Gone,
    /// Events were lost.
    Rescan,
}

/// What to do about a touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// What was seen last may be half of it: wait for the writer.
    Wait,
    /// Read: the writer says that it finished.
    Read,
    /// Read, but do not trust something new that is young.
    ReadWithCare,
}

impl Touch {
    /// What stands for both of two touches that were not looked at yet.
    pub(super) fn then(self, next: Touch) -> Touch {
        match (self, next) {
            (before, Touch::Metadata) => before,
            // A link was swapped and what it led to before was removed.
            (Touch::Finished, Touch::Gone) => Touch::Finished,
            (_, next) => next,
        }
    }
}

/// Whether a writer is at work, and until when to wait for it.
#[derive(Debug)]
pub(super) struct Settle {
    quiet: Duration,
    due: Option<Instant>,
}

impl Settle {
    /// Waits until a file has been left alone for `quiet`.
    pub(super) fn new(quiet: Duration) -> Self {
        Settle { quiet, due: None }
    }

    pub(super) fn touched(&mut self, touch: Touch, now: Instant) -> Step {
        match touch {
            Touch::Finished => {
                self.due = None;
                Step::Read
            }
            Touch::Written | Touch::Rescan => {
                self.suspect(now);
                Step::Wait
            }
            Touch::Gone if self.busy() => {
                self.suspect(now);
                Step::Wait
            }
            Touch::Metadata | Touch::Structure if self.busy() => Step::Nothing,
            Touch::Metadata | Touch::Structure | Touch::Gone => Step::ReadWithCare,
        }
    }

    /// What was read looks unfinished.
    pub(super) fn suspect(&mut self, now: Instant) {
        self.due = Some(now + self.quiet);
    }

    /// A writer is at work.
    pub(super) fn busy(&self) -> bool {
        self.due.is_some()
    }

    /// When the file counts as settled, if a writer is at work.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// True once when the wait is over.
    pub(super) fn expired(&mut self, now: Instant) -> bool {
        let over = self.due.is_some_and(|due| due <= now);
        if over {
            self.due = None;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::{Step::*, Touch::*, *};
    use proptest::prelude::*;

    const QUIET: Duration = Duration::from_secs(1);

    #[test]
    fn a_write_waits_for_its_close() {
        let now = Instant::now();
        let mut settle = Settle::new(QUIET);
        assert_eq!(settle.touched(Written, now), Wait);
        assert_eq!(settle.touched(Metadata, now), Nothing);
        assert_eq!(settle.touched(Finished, now), Read);
        assert!(!settle.busy());
        assert_eq!(settle.touched(Metadata, now), ReadWithCare);
    }

    #[test]
    fn a_write_without_a_close_settles_after_the_last_one() {
        let now = Instant::now();
        let mut settle = Settle::new(QUIET);
        settle.touched(Written, now);
        settle.touched(Written, now + QUIET / 2);
        assert!(!settle.expired(now + QUIET));
        assert!(settle.expired(now + QUIET * 3 / 2));
        assert!(!settle.expired(now + QUIET * 2), "only once");
    }

    fn touch() -> impl Strategy<Value = Touch> {
        prop_oneof![
            Just(Metadata),
            Just(Structure),
            Just(Written),
            Just(Finished),
            Just(Gone),
            Just(Rescan)
        ]
    }

    proptest! {
        /// However touches are merged, the file is read once all is quiet, and never at once after an unfinished write.
        #[test]
        fn nothing_is_left_unread(touches in proptest::collection::vec((touch(), any::<bool>()), 1..40)) {
            let now = Instant::now();
            let mut settle = Settle::new(QUIET);
            let mut unread = false;
            let mut waiting: Option<Touch> = None;
            for (touch, look) in touches {
                let merged = waiting.map_or(touch, |before| before.then(touch));
                waiting = Some(merged);
                unread = true;
                if look {
                    waiting = None;
                    match settle.touched(merged, now) {
                        Read | ReadWithCare => {
                            prop_assert!(!matches!(merged, Written | Rescan));
                            unread = false;
                        }
                        Wait | Nothing => prop_assert!(settle.busy()),
                    }
                }
            }
            prop_assert!(!unread || waiting.is_some() || settle.expired(now + QUIET));
        }
    }
}
