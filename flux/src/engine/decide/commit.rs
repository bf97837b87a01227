//! What happens after the swap: what readers see now, what is kept of it, when the state is Degraded, and what is reported as
//! refused.

use super::{Engine, dotted};
use crate::{
    engine::{
        content::LayerContent,
        event::{EngineEvent, LayerVerdict, RefusedStage},
        generations::{GenerationOutcome, KeptGeneration},
        now::Now,
        probation::Probation,
        proposal::{Action, Direction, Proposal},
        retry::RetryTarget,
        served::WaitingPath,
        state::UpdateOutcome,
        value::AnySnapshot,
    },
    problem::caught,
    report::{Entry, Keeping},
};
use std::sync::Arc;

impl Engine {
    /// Readers see `snapshot`, which was proposed.
    pub(crate) fn swapped(&mut self, snapshot: &AnySnapshot, now: Now) -> Action {
        let Some(proposal) = self.proposal.take() else {
            return Action::Nothing;
        };
        let (first, before) = (!self.begun, self.generation());
        let forward = !proposal.goes_back();
        let number = proposal.number;
        self.commit(proposal, snapshot, now);
        if forward && let Some(RetryTarget::Back(_, reason)) = self.agenda.retry.back() {
            self.condemn(before, &reason);
        }
        self.agenda.retry.clear();
        self.agenda.probation = None;
        if forward
            && !first
            && let Some(window) = self.settings.probation
            && self.generations.good_before(number).is_some()
        {
            self.generations
                .mark(number, GenerationOutcome::OnProbation);
            let checks = self.settings.checks;
            self.agenda.probation = Some(Probation::new(number, window, checks, now));
        }
        self.review_trial(!forward, now);
        let denied = self.denied.take().is_some_and(|denied| denied.may_pass);
        if (!forward || denied) && self.layers.waits() {
            // It was refused before the way back, or before what is kept on disk, and may succeed after it.
            let retry = &mut self.agenda.retry;
            retry.failed(now.instant, RetryTarget::Newest);
        }
        Action::Settled
    }

    fn commit(&mut self, proposal: Proposal, snapshot: &AnySnapshot, now: Now) {
        let before = self.current.replace(snapshot.clone());
        let made = &proposal.before_pipeline;
        let made_before = self.before_pipeline.replace(made.clone());
        match proposal.direction {
            Direction::Forward {
                chosen,
                refused,
                pending_restart,
                changed,
            } => {
                self.last_generation = proposal.number;
                let origins = (self.layers.states.iter().zip(&chosen))
                    .filter(|(state, candidate)| **candidate && state.changes_something())
                    .map(|(state, _)| state.origin_of(true).clone())
                    .collect();
                self.adopt(&chosen);
                let changed = match (&before, &made_before) {
                    // No stage has made anything else of either.
                    (Some(before), Some(made_before))
                        if self.begun && before.is(made_before) && snapshot.is(made) =>
                    {
                        dotted(&changed)
                    }
                    (Some(before), _) if self.begun => self.differences(snapshot, before),
                    _ => Vec::new(),
                };
                if let Some(mut kept) = self.kept(pending_restart, now) {
                    let before = before.as_ref().map_or(0, AnySnapshot::generation);
                    kept.describe(origins, changed, before);
                    self.generations.push(kept);
                }
                let is_kept = !refused.is_empty() && self.layers.contents().is_none();
                let keeping = match is_kept {
                    true => Keeping::LastKnownGood,
                    false => Keeping::Rest,
                };
                self.settle(refused, keeping, now);
            }
            Direction::Back { reason, by_hand } => {
                let from = before.as_ref().map_or(0, AnySnapshot::generation);
                self.return_to(proposal.number, from, &reason, by_hand, now);
            }
        }
        self.events.push(EngineEvent::Committed {
            generation: proposal.number,
        });
    }

    pub(super) fn adopt(&mut self, chosen: &[bool]) {
        for (state, candidate) in self.layers.states.iter_mut().zip(chosen) {
            if *candidate {
                state.adopt();
                self.adoptions += 1;
            }
        }
        self.layers.new_files_are_absent();
    }

    /// What readers see, to be kept for a way back, with what of it waits for a restart.
    pub(super) fn kept(
        &mut self,
        pending_restart: Vec<String>,
        now: Now,
    ) -> Option<KeptGeneration> {
        let contents = self.layers.all_contents();
        let known = self.waiting.take();
        let before = &self.served.contents;
        self.waiting = WaitingPath::all(pending_restart, known.as_deref(), before, now.wall);
        if known.is_some() || self.waiting.is_some() {
            self.waits_have_changed(known.as_deref(), now);
        }
        self.served.contents = Arc::clone(&contents);
        self.look_for_secrets_by_default();
        let (current, made) = (self.current.as_ref()?, self.before_pipeline.as_ref()?);
        if contents.iter().any(LayerContent::is_kept) {
            return None;
        }
        Some(KeptGeneration::new(
            current,
            made,
            contents,
            self.waiting.clone(),
        ))
    }

    pub(super) fn look_for_secrets_by_default(&mut self) {
        #[cfg(feature = "json")]
        {
            self.secrets_by_default = self.layers.secrets_by_default();
        }
    }

    /// The paths in which two configurations differ; none where the comparison panics.
    fn differences(&self, new: &AnySnapshot, old: &AnySnapshot) -> Vec<String> {
        let differences = self.layers.schema.differences;
        let paths = caught(|| differences(new, old, true));
        dotted(&paths.unwrap_or_default())
    }

    /// An update is over, and what of the newest content is `refused` is reported.
    pub(super) fn settle(&mut self, mut refused: Vec<Entry>, keeping: Keeping, now: Now) {
        self.begun = true;
        if !self.unreported.is_empty() {
            self.report_warnings(&mut refused);
        }
        if refused.is_empty() {
            self.condition.applied(now, &mut self.events);
        } else {
            let report = self.report(refused, keeping);
            let states = &self.layers.states;
            let stage = match states.iter().any(|state| state.refusal.is_some()) {
                true => RefusedStage::Transform,
                false => RefusedStage::Validation,
            };
            let (condition, events) = (&mut self.condition, &mut self.events);
            condition.refused(stage, report, UpdateOutcome::Partly, now, events);
        }
        self.judge_layers();
    }

    pub(super) fn refuse(&mut self, stage: RefusedStage, entries: Vec<Entry>, now: Now) -> Action {
        self.refuse_change(stage, entries, Vec::new(), now)
    }

    /// [`refuse`](Engine::refuse) of an update that would have changed these paths.
    pub(super) fn refuse_change(
        &mut self,
        stage: RefusedStage,
        mut entries: Vec<Entry>,
        changed: Vec<String>,
        now: Now,
    ) -> Action {
        let warnings = self.take_warnings().into_iter();
        entries.extend(warnings.map(|entry| entry.warning(true)));
        let (keeping, outcome) = match &self.current {
            // After a stop and a start readers see what they saw before.
            Some(_) => (Keeping::Previous, UpdateOutcome::Partly),
            None => (Keeping::Nothing, UpdateOutcome::Refused),
        };
        let report = self.report(entries, keeping).of_changed(changed);
        let (condition, events) = (&mut self.condition, &mut self.events);
        condition.refused(stage, report, outcome, now, events);
        self.judge_layers();
        Action::Settled
    }

    /// Tells what became of the content of each layer that was taken up.
    fn judge_layers(&mut self) {
        for (layer, state) in self.layers.states.iter_mut().enumerate() {
            if std::mem::take(&mut state.unjudged) {
                let good = state.candidate.is_none() && state.refusal.is_none();
                let verdict = match good {
                    true => LayerVerdict::Applied,
                    false => LayerVerdict::Refused,
                };
                self.events.push(EngineEvent::Judged { layer, verdict });
            }
        }
    }
}
