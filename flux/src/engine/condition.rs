//! How a capacitor's state changes with an applied or a refused update, since when it holds, and the refusals before.

use super::{
    event::{EngineEvent, RefusedStage},
    history::{History, Refusal},
    now::Now,
    state::{State, UpdateOutcome},
};
use crate::Report;
use std::time::SystemTime;

pub(super) struct Condition {
    pub(super) state: State,
    pub(super) since: SystemTime,
    pub(super) error: Option<Report>,
    history: History,
}

impl Condition {
    pub(super) fn new(history: usize, now: Now) -> Self {
        Condition {
            state: State::Loading,
            since: now.wall,
            error: None,
            history: History::new(history),
        }
    }

    /// The layers have other numbers now.
    pub(super) fn renumber(&mut self, now: impl Fn(usize) -> Option<usize>) {
        if let Some(report) = &mut self.error {
            report.renumber(&now);
        }
        self.history.renumber(now);
    }

    pub(super) fn history(&self) -> Vec<Refusal> {
        self.history.to_vec()
    }

    /// The newest content of every layer is what readers see.
    pub(super) fn applied(&mut self, now: Now, events: &mut Vec<EngineEvent>) {
        self.error = None;
        self.enter(UpdateOutcome::Applied, now, events);
        self.history.healed(now.wall);
    }

    /// Newest content is refused.
    pub(super) fn refused(
        &mut self,
        stage: RefusedStage,
        report: Report,
        outcome: UpdateOutcome,
        now: Now,
        events: &mut Vec<EngineEvent>,
    ) {
        self.enter(outcome, now, events);
        self.history.refused(&report, now.wall);
        self.error = Some(report.clone());
        events.push(EngineEvent::Refused { stage, report });
    }

    fn enter(&mut self, outcome: UpdateOutcome, now: Now, events: &mut Vec<EngineEvent>) {
        let to = self.state.after(outcome);
        if to != self.state {
            let from = std::mem::replace(&mut self.state, to);
            self.since = now.wall;
            events.push(EngineEvent::StateChanged { from, to });
        }
    }
}
