//! That an earlier generation is gone back to, by hand or because a trial has failed, and what is quarantined then.

use super::{Engine, whole_entry};
use crate::{
    engine::{
        content::LayerContent,
        event::EngineEvent,
        now::Now,
        probation::ProbationStep,
        proposal::{Action, Direction, Proposal, Question},
    },
    report::Keeping,
};
use std::time::Instant;

/// How long content that is taken back stays so: the next process does not know of it.
const NOT_AGAIN: &str =
    "this content is not tried again until it changes, but a restart of the program reads it anew";

impl Engine {
    /// By hand: to this generation, or to the last good one. An error lists those that are kept.
    pub(crate) fn roll_back(&mut self, wanted: Option<u64>, now: Now) -> Result<Action, Vec<u64>> {
        let current = self.generation();
        let to = wanted.or_else(|| self.generations.good_before(current));
        match to.filter(|to| *to != current && self.generations.find(*to).is_some()) {
            Some(to) => Ok(self.go_back(to, "rolled back by hand", true, now)),
            None => {
                let kept = self.generations.records();
                Err(kept.iter().map(|one| one.number).collect())
            }
        }
    }

    /// Asks the pipeline to go back to an earlier generation. Without one there is nothing to do.
    pub(crate) fn go_back(&mut self, to: u64, reason: &str, by_hand: bool, now: Now) -> Action {
        let Some(kept) = self.generations.find(to) else {
            self.agenda.retry.clear_back();
            return Action::Nothing;
        };
        let snapshot = kept.snapshot.clone();
        self.update += 1;
        let raw = kept.contents.iter().map(LayerContent::bytes).collect();
        self.proposal = Some(Proposal {
            direction: Direction::Back {
                reason: reason.to_owned(),
                by_hand,
            },
            number: to,
            before_pipeline: kept.before_pipeline.clone(),
            since: now,
        });
        if !self.settings.asks {
            return Action::Swap {
                snapshot,
                alone: true,
            };
        }
        Action::Ask(Question {
            previous: self.current.clone(),
            proposed: snapshot,
            raw,
            back: true,
            transition: false,
            update: self.update,
            secrets: self.secret_book(),
        })
    }

    /// The layers' contents of the generation `to` count again; what made the program go back is quarantined.
    pub(super) fn return_to(&mut self, to: u64, from: u64, reason: &str, by_hand: bool, now: Now) {
        let Some(back) = self.generations.return_to(to, reason) else {
            return;
        };
        let text = format!(
            "is taken back, and generation {to} is served again: {reason}; {NOT_AGAIN}: the sources still contain it"
        );
        // What is served may be another generation by the time that the content comes again.
        let again = format!("is taken back: {reason}; {NOT_AGAIN}");
        let states = self.layers.states.iter_mut();
        for (i, (state, content)) in states.zip(&*back.contents).enumerate() {
            let suspects = back.suspects.iter().map(|contents| contents[i].clone());
            let served = Some(state.content()).filter(|_| to < from);
            for suspect in suspects.chain(served) {
                state.take_back_unless_same(&suspect, content, &again);
            }
            if by_hand {
                state.give_up_candidate(content, &again);
            }
            state.go_back(content, &text);
        }
        let known = std::mem::replace(&mut self.waiting, back.waiting);
        self.waits_have_changed(known.as_deref(), now);
        self.served.contents = self.layers.all_contents();
        self.look_for_secrets_by_default();
        self.adoptions += 1;
        let mut entries = self.layers.refusals();
        if entries.is_empty() && self.layers.waits() {
            entries.push(whole_entry("", text));
        }
        self.settle(entries, Keeping::Previous, now);
    }

    /// The generation `number` made the program unhealthy, and newer content came before the way back succeeded.
    pub(super) fn condemn(&mut self, number: u64, reason: &str) {
        let text = format!("is taken back: {reason}; {NOT_AGAIN}");
        let Some(contents) = self.generations.take_back(number, reason) else {
            return;
        };
        for (state, content) in self.layers.states.iter_mut().zip(&*contents) {
            state.condemn(content, &text);
        }
    }

    /// Whether a configuration is on trial.
    pub(crate) fn has_trial(&self) -> bool {
        self.agenda.probation.is_some() || self.agenda.passes_at.is_some()
    }

    /// What the trial asks for now; a failure is acted on by [`unhealthy`](Engine::unhealthy).
    pub(crate) fn trial(&mut self, now: Instant) -> ProbationStep {
        if self.pass_trial(false, now) {
            return ProbationStep::Passed;
        }
        let probation = self.agenda.probation.as_mut();
        let step = probation.map_or(ProbationStep::Wait, |probation| probation.step(now));
        self.after_trial(step, now)
    }

    /// The health check has answered.
    pub(crate) fn health_checked(
        &mut self,
        answer: Result<(), String>,
        now: Instant,
    ) -> ProbationStep {
        let probation = self.agenda.probation.as_mut();
        let step = probation.map_or(ProbationStep::Wait, |probation| {
            probation.answered(answer, now)
        });
        self.after_trial(step, now)
    }

    fn after_trial(&mut self, step: ProbationStep, now: Instant) -> ProbationStep {
        if step == ProbationStep::Passed
            && let Some(probation) = self.agenda.probation.take()
        {
            self.generations.confirm(probation.generation);
            self.pass_trial(true, now);
            self.events.push(EngineEvent::Confirmed);
        }
        step
    }

    /// Takes the configuration on trial back.
    pub(crate) fn unhealthy(&mut self, reason: &str, now: Now) -> Action {
        let probation = self.agenda.probation.take();
        match probation.and_then(|_| self.generations.good_before(self.generation())) {
            Some(to) => {
                let reason = String::from(self.secret_book().safe(&reason));
                self.events.push(EngineEvent::Unhealthy {
                    reason: reason.clone(),
                });
                self.go_back(to, &reason, false, now)
            }
            None => Action::Nothing,
        }
    }
}
