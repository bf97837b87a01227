//! How long a source waits before it is tried again: exponential, capped, with full jitter, and spread over a few seconds where
//! everybody lost the server at once.

use crate::time::ceiling;
use std::time::Duration;

const BASE: Duration = Duration::from_millis(100);
/// The same where access is refused, or the declaration cannot work.
const SLOW: Duration = Duration::from_secs(1);
/// Over how long they come back who lose a server together: with 3 s it is a thirtieth of them in 100 ms.
pub(crate) const SPREAD: Duration = Duration::from_secs(3);
pub(super) const CAP: Duration = Duration::from_secs(30);

/// How many sessions failed in a row, and so how long to wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How many sessions failed in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// A session ended. One that had `observed` the source shows that the trouble before it was over: the count begins anew.
    pub(super) fn failed(&mut self, observed: bool) {
        if observed {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
    }

    /// The pause for a `random` number in `0.0..1.0`. What was live once is `lost`, and is waited for from the spread on. Trouble
    /// that a person has to end (`slow`) begins with longer pauses; it may be over within seconds all the same, as when the rights
    /// arrive shortly after the program.
    pub(super) fn pause(&self, slow: bool, lost: bool, random: f64) -> Duration {
        self.ceiling(slow, lost).mul_f64(random.clamp(0.0, 1.0))
    }

    fn ceiling(&self, slow: bool, lost: bool) -> Duration {
        let base = if slow { SLOW } else { BASE };
        let least = if lost { SPREAD } else { base };
        ceiling(self.failures, base, CAP).max(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ceilings(slow: bool, lost: bool) -> Vec<u128> {
        let mut backoff = Backoff::default();
        let longest = |_| {
            backoff.failed(false);
            backoff.pause(slow, lost, 1.0).as_millis()
        };
        (0..11).map(longest).collect()
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        assert_eq!(
            ceilings(false, false),
            [
                100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000
            ]
        );
    }

    #[test]
    fn what_a_person_has_to_end_is_tried_soon_and_then_seldom() {
        assert_eq!(
            ceilings(true, false)[..7],
            [1000, 2000, 4000, 8000, 16000, 30000, 30000]
        );
    }

    #[test]
    fn what_was_lost_is_waited_for_from_the_spread_on() {
        assert_eq!(
            ceilings(false, true),
            [
                3000, 3000, 3000, 3000, 3000, 3200, 6400, 12800, 25600, 30000, 30000
            ]
        );
    }

    proptest! {
        #[test]
        fn a_pause_never_exceeds_the_cap(failures: u32, slow: bool, lost: bool, random in 0.0..1.0f64) {
            let pause = Backoff { failures }.pause(slow, lost, random);
            prop_assert!(pause <= CAP);
        }

        #[test]
        fn the_first_pause_after_a_loss_is_its_share_of_the_spread(random in 0.0..1.0f64) {
            let pause = Backoff { failures: 1 }.pause(false, true, random);
            prop_assert_eq!(pause, SPREAD.mul_f64(random));
        }

        #[test]
        fn a_loss_never_shortens_a_pause(failures: u32, slow: bool, random in 0.0..1.0f64) {
            let pause = |lost| Backoff { failures }.pause(slow, lost, random);
            prop_assert!(pause(false) <= pause(true));
        }

        #[test]
        fn more_failures_never_wait_less(failures in 0..u32::MAX, lost: bool, random in 0.0..1.0f64) {
            let fewer = Backoff { failures }.pause(false, lost, random);
            let more = Backoff { failures: failures + 1 }.pause(false, lost, random);
            prop_assert!(fewer <= more);
        }

        #[test]
        fn only_a_session_that_observed_the_source_resets(failures in 0..u32::MAX, observed: bool) {
            let mut backoff = Backoff { failures };
            backoff.failed(observed);
            let expected = if observed { 1 } else { failures + 1 };
            prop_assert_eq!(backoff.failures(), expected);
        }
    }
}
