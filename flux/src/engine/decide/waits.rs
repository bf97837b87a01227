//! What is known of what waits for a restart besides the paths: what was withdrawn of it, what a restart would read in the place of what
//! waits, and which waits are reported as new.

use super::Engine;
use crate::{
    engine::{
        event::EngineEvent,
        now::Now,
        served::{BesideWaits, NewestContents, WaitingPath, WithdrawnWaits},
    },
    problem::ProblemKind,
};
use std::sync::Arc;

impl Engine {
    /// Other paths wait than `known`, or the same ones. What the layers contained until now is still there.
    #[cold]
    pub(super) fn waits_have_changed(&mut self, known: Option<&[WaitingPath]>, now: Now) {
        let (known, waiting) = (known.unwrap_or_default(), self.waiting.as_deref());
        let paths = |all: Vec<WaitingPath>| all.into_iter().map(|one| one.path).collect();
        let new: Vec<String> = paths(WaitingPath::ended(waiting.unwrap_or_default(), Some(known)));
        if !new.is_empty() {
            self.events
                .push(EngineEvent::WaitsForRestart { paths: new });
        }
        let ended = WaitingPath::ended(known, waiting);
        if ended.is_empty() || self.settings.generations == 0 {
            return;
        }
        // As many as there are generations: they keep documents too.
        if self.withdrawn.len() >= self.settings.generations {
            self.withdrawn.remove(0);
        }
        self.withdrawn.push(Arc::new(WithdrawnWaits {
            paths: ended,
            waited: Arc::clone(&self.served.contents),
            until: now.wall,
        }));
    }

    /// What the status has of it.
    pub(super) fn beside_waits(&self) -> Option<Arc<BesideWaits>> {
        let is_behind = self.waiting.is_some() && self.condition.error.is_some();
        if !is_behind && self.withdrawn.is_empty() {
            return None;
        }
        Some(Arc::new(BesideWaits {
            newest: is_behind.then(|| self.newest_contents()),
            withdrawn: self.withdrawn.clone(),
        }))
    }

    /// What a restart would read.
    fn newest_contents(&self) -> NewestContents {
        // What is refused because of what runs, or by order of a person, is no reason for a restart.
        let is_of_this_process = |kind: ProblemKind| {
            matches!(
                kind,
                ProblemKind::TakenBack
                    | ProblemKind::Pinned
                    | ProblemKind::Group
                    | ProblemKind::Restart
                    | ProblemKind::ChangeRule
            )
        };
        let problems = self.condition.error.iter().flat_map(|one| one.problems());
        let mut problems = problems.filter(|problem| !problem.is_warning());
        NewestContents {
            contents: self.layers.observed_contents(),
            is_refused: problems.any(|problem| !is_of_this_process(problem.kind)),
        }
    }
}
