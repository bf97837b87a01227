//! How long to wait before a source is tried again: exponential, capped, with full jitter; and over a few seconds for who
//! had it and lost it, because a server that goes is lost by everybody at once.

use crate::time::ceiling;
use std::time::Duration;

const BASE: Duration = Duration::from_millis(100);
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

    /// A session ended after it had been healthy for `healthy`. Longer than the cap means the trouble was over, and the
    /// count begins anew.
    pub(super) fn failed(&mut self, healthy: Duration) {
        if healthy > CAP {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
    }

    /// The pause for a `random` number in `0.0..1.0`. What was live once is `lost`, and is waited for from the spread on; trouble
    /// that a person must mend (`slow`) waits at the cap at once.
    pub(super) fn pause(&self, slow: bool, lost: bool, random: f64) -> Duration {
        self.ceiling(slow, lost).mul_f64(random.clamp(0.0, 1.0))
    }

    fn ceiling(&self, slow: bool, lost: bool) -> Duration {
        if slow {
            return CAP;
        }
        let least = if lost { SPREAD } else { BASE };
        ceiling(self.failures, BASE, CAP).max(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ceilings(lost: bool) -> Vec<u128> {
        let mut backoff = Backoff::default();
        let longest = |_| {
            backoff.failed(Duration::ZERO);
            backoff.pause(false, lost, 1.0).as_millis()
        };
        (0..11).map(longest).collect()
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        assert_eq!(
            ceilings(false),
            [
                100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000
            ]
        );
    }

    #[test]
    fn what_was_lost_is_waited_for_from_the_spread_on() {
        assert_eq!(
            ceilings(true),
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
        fn only_a_long_healthy_session_resets(failures in 0..u32::MAX, millis in 0..120_000u64) {
            let mut backoff = Backoff { failures };
            backoff.failed(Duration::from_millis(millis));
            let expected = if millis > 30_000 { 1 } else { failures + 1 };
            prop_assert_eq!(backoff.failures(), expected);
        }
    }
}
