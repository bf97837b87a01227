//! What a person's `trust` ends in the record while no process of the program runs.

use super::TrialRecord;
use crate::engine::{status::QuarantineStatus, trusted::Trusted};

impl TrialRecord {
    /// Nothing is held against what the sources contain: the next start tries it. As in a running process, one more death puts back
    /// what was in quarantine. The process that wrote the record is gone.
    pub(crate) fn trust(&mut self) -> Trusted {
        let lifted = self.in_quarantine().map(QuarantineStatus::of).collect();
        self.lift(|_| true);
        let row = self.in_a_row.take().map_or(0, |row| row.contents);
        // A death that the next start would count, or that was counted.
        let died = self
            .on_trial
            .take_if(|trial| trial.running || trial.deaths > 0);
        // What processes died with before, while something else is on trial now.
        let had_suspects = self.forget_suspects();
        let is_uncounted = died.as_ref().is_some_and(|trial| trial.deaths == 0);
        Trusted {
            lifted,
            forgotten: row
                .saturating_add(u32::from(is_uncounted))
                .max(u32::from(died.is_some() || had_suspects)),
            ..Trusted::default()
        }
    }
}
