//! What the changes of a plan are since: what runs, the last known good configuration, or what the layers make without the given documents.

use super::{PlannedChange, Planning, change::AnsweredSide};
#[cfg(feature = "cli")]
use super::{PlannedUpdate, other_defaults::OtherDefaults};
use crate::{
    engine::{self, EvaluationInput, Status},
    inspect::{answers::Answers, check::Checked},
    runtime,
    source::Observation,
};

/// What a plan is compared with.
#[derive(Clone, Copy)]
pub(crate) enum PlanBase<'a> {
    /// What runs.
    Running,
    /// The last known good configuration, which has no secrets.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a command has one"))]
    Kept(KeptBase<'a>),
    /// What the layers make without those that documents are given for.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a command plans so"))]
    WithoutGiven,
}

/// The last known good configuration.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a command has one"))]
pub(crate) struct KeptBase<'a> {
    pub(in crate::inspect) configuration: &'a Checked,
    /// The defaults of the program that wrote it, where they are known.
    #[cfg(feature = "cli")]
    pub(in crate::inspect) defaults: Option<&'a runtime::KeptDefaults>,
}

impl KeptBase<'_> {
    /// What differs from it, without the rules on changes. It has no secrets, which are not compared.
    pub(in crate::inspect) fn changes_to(&self, new: AnsweredSide<'_>) -> Vec<PlannedChange> {
        let old = (self.configuration.answers(), &self.configuration.status);
        #[cfg(feature = "cli")]
        let mut changes = match self.defaults {
            Some(before) => OtherDefaults::new(old.0.fields, before).changes(old, new),
            None => PlannedChange::between(old, new),
        };
        #[cfg(not(feature = "cli"))]
        let mut changes = PlannedChange::between(old, new);
        changes.retain(|one| !one.has_secret());
        changes
    }
}

#[cfg(feature = "cli")]
impl PlannedUpdate {
    /// What was judged without a start, in the words of a plan.
    pub(crate) fn judged(
        changes: Vec<PlannedChange>,
        after: &Checked,
        notes: Vec<String>,
        files: Vec<Option<std::path::PathBuf>>,
    ) -> Self {
        PlannedUpdate {
            changes,
            quarantined: after.quarantined(),
            refused: None,
            standing: None,
            hidden: Vec::new(),
            warnings: after.warnings.clone(),
            missing: after.missing.clone(),
            parties: Vec::new(),
            notes,
            unasked: Vec::new(),
            files,
        }
    }
}

/// A configuration in the place of the one that runs.
pub(super) enum OtherBase<'a> {
    Kept(KeptBase<'a>),
    Made(Box<(Answers, Status)>),
}

impl OtherBase<'_> {
    pub(super) fn changes_to(&self, new: AnsweredSide<'_>) -> Vec<PlannedChange> {
        match self {
            OtherBase::Kept(kept) => kept.changes_to(new),
            OtherBase::Made(made) => PlannedChange::between((&made.0, &made.1), new),
        }
    }
}

impl Planning<'_> {
    /// What is compared with instead of what runs.
    pub(super) fn other_base(
        &self,
        plan: &runtime::Plan,
        given: &[usize],
        now: engine::Now,
    ) -> Option<OtherBase<'_>> {
        match self.base {
            PlanBase::Running => None,
            PlanBase::Kept(kept) => Some(OtherBase::Kept(kept)),
            PlanBase::WithoutGiven => {
                let (mut states, _) = plan.serving(&self.status.served);
                for number in given {
                    states[*number].optional = true;
                    states[*number].observe(Observation::Absent, now);
                }
                let (unknown, reducer) = plan.terms();
                let judged = engine::evaluate(EvaluationInput {
                    unknown,
                    reducer,
                    is_partial: true,
                    ..EvaluationInput::of_start(self.schema, states, now)
                });
                let mut status = Status::idle(self.status.name.clone(), self.status.since);
                status.served = judged.served;
                let answers = Answers::new(self.schema, self.types, &status, None);
                Some(OtherBase::Made(Box::new((answers, status))))
            }
        }
    }
}
