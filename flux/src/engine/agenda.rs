//! What is due when: the first configuration, pending changes, further tries, and the end of a trial.

use super::{debounce::Debounce, probation::Probation, retry::RetrySchedule};
use std::time::Instant;

pub(super) struct Agenda {
    pub(super) debounce: Debounce,
    pub(super) retry: RetrySchedule,
    pub(super) probation: Option<Probation>,
    /// The first update was taken up.
    pub(super) loaded: bool,
    /// When what readers see is trusted, where it is on trial and no probation decides it.
    pub(super) passes_at: Option<Instant>,
    /// When the first quarantine that outlives the process ends.
    pub(super) lifts_at: Option<Instant>,
    /// When a start falls back to what is kept on disk, although sources have not answered; none once that was tried.
    pub(super) fallback_at: Option<Instant>,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Take up what is pending, or try it again.
    Newest,
    /// Go back to this generation, and why.
    Back(u64, String),
    /// End the quarantines whose time is over, and take up what was in them.
    Lift,
    /// Read what is kept on disk in the place of sources that do not answer.
    Fallback,
}

impl Agenda {
    /// When to ask again. `busy` while an update is under way: then only the pipeline is waited for. `on_trial` while the death of the
    /// process would be held against what readers see: then no quarantine ends.
    pub(super) fn deadline(&self, busy: bool, unsettled: bool, on_trial: bool) -> Option<Instant> {
        let fallback = self.fallback_at.filter(|_| !self.loaded);
        let probation = self.probation.as_ref().map(Probation::deadline);
        // The first update waits for every layer, and not for a time.
        let changes = self.debounce.deadline_while(unsettled);
        let idle = [
            changes.filter(|_| self.loaded),
            self.retry.at(),
            probation,
            self.passes_at,
            self.lifts_at.filter(|_| self.loaded && !on_trial),
        ];
        let idle = idle.into_iter().flatten().filter(|_| !busy);
        idle.chain(fallback).min()
    }
}
