//! How long until a source is read and watched anew whose server ends each watch at once, or announces changes that are none.

use std::time::Duration;

use crate::time::ceiling;

/// The pause after a watch that was of use.
pub(crate) const SPACING: Duration = Duration::from_millis(100);

/// A watch that the server ends sooner, and without a change, is of no use.
pub(crate) const BRIEF: Duration = Duration::from_millis(500);

/// The longest pause where a change may be under way each time.
#[cfg(any(feature = "consul", feature = "zookeeper"))]
pub(crate) const IDLE: Duration = Duration::from_secs(1);

/// Counts the watches in a row that were of no use: the server ended them at once.
#[derive(Default)]
pub(crate) struct Watches {
    spent: u32,
}

impl Watches {
    /// From the beginning of the reading before a watch to the next reading, for a `random` number in `0.0..1.0`. Each reading is the
    /// truth, and the next one is one more question to a server that may be overloaded.
    pub(crate) fn pause(&mut self, was_of_use: bool, longest: Duration, random: f64) -> Duration {
        if was_of_use {
            self.spent = 0;
            return SPACING;
        }
        self.spent = self.spent.saturating_add(1);
        let longest = ceiling(self.spent, SPACING, longest);
        longest.mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_whose_watches_are_ended_at_once_is_read_less_and_less() {
        let mut watches = Watches::default();
        let longest = Duration::from_secs(10);
        let pauses = [false; 9].map(|was_of_use| watches.pause(was_of_use, longest, 1.0));
        let pauses = pauses.map(|pause| pause.as_millis());
        assert_eq!(
            pauses,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
        assert_eq!(watches.pause(false, longest, 0.0), longest / 2);
        assert_eq!(watches.pause(true, longest, 1.0), SPACING);
        assert_eq!(watches.pause(false, longest, 1.0), SPACING, "anew");
    }
}
