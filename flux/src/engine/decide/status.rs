//! What the status shows of an engine, with the configuration that readers see for explanations.

use super::{Engine, trials::Trials};
use crate::engine::{
    served::{Served, Staged},
    status::{ProbationStatus, Status, TrialStatus},
    value::AnySnapshot,
};
use std::sync::Arc;

impl Engine {
    pub(crate) fn status(&self, running: bool) -> Status {
        let states = self.layers.states.iter();
        let on_disk = self.on_disk.as_deref().cloned().unwrap_or_default();
        Status {
            name: self.settings.name.clone(),
            state: self.condition.state,
            since: self.condition.since,
            running,
            generation: self.generation(),
            applied: self.current.as_ref().map(AnySnapshot::applied),
            error: self.condition.error.clone(),
            pending_restart: self.waiting.as_ref().map_or(Vec::new(), |waiting| {
                waiting.iter().map(|one| one.path.clone()).collect()
            }),
            on_probation: self.on_probation(),
            probation: self.probation(),
            trial: self.trial_status(),
            quarantined: self
                .trials
                .as_deref()
                .map_or(Vec::new(), Trials::quarantined),
            last_known_good: on_disk.last_known_good,
            secrets_by_default: self.secrets_by_default.clone(),
            trial_record: on_disk.trial_record,
            pinned: self.pinned,
            generations: self.generations.records(),
            warnings: self.layers.warnings(),
            layers: states.map(|state| state.status()).collect(),
            under_way: self.proposal.as_ref().map(|one| one.since.wall),
            history: self.condition.history(),
            served: Served {
                staged: self.staged(),
                waiting: self.waiting.clone(),
                besides: self.beside_waits(),
                ..self.layers.found(&self.served)
            },
        }
    }

    /// The probation of what readers see.
    fn probation(&self) -> Option<ProbationStatus> {
        let probation = self.agenda.probation.as_ref();
        let probation = probation.filter(|one| one.generation == self.generation())?;
        let until = probation.since.checked_add(probation.window);
        Some(ProbationStatus {
            since: probation.since,
            until: until.unwrap_or(probation.since),
        })
    }

    /// The trial, which a probation ends.
    fn trial_status(&self) -> Option<TrialStatus> {
        let mut trial = self.trials.as_deref().and_then(Trials::status)?;
        if let Some(probation) = self.probation() {
            trial.until = probation.until;
        }
        Some(trial)
    }

    /// What readers see and what the layers make, where stages made something else of it.
    fn staged(&self) -> Option<Arc<Staged>> {
        let (current, before_pipeline) = (self.current.as_ref()?, self.before_pipeline.as_ref()?);
        (!current.is(before_pipeline)).then(|| {
            Arc::new(Staged {
                current: current.clone(),
                before_pipeline: before_pipeline.clone(),
            })
        })
    }
}
