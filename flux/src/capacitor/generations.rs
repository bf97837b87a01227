//! The last configurations, so that one of them can be served again.

use super::slot::Stored;
use crate::Snapshot;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{collections::VecDeque, sync::Arc, time::SystemTime};

/// One configuration that readers saw, or see.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Generation {
    /// Its number; the first is 1.
    pub number: u64,
    /// When it was applied.
    pub at: SystemTime,
    /// The layers whose new content made it.
    pub origins: Vec<String>,
    /// The paths in which it differed from the one before; empty for the first after a start.
    pub changed: Vec<String>,
    /// What became of it.
    pub outcome: GenerationOutcome,
}

/// What became of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GenerationOutcome {
    /// Applied, and nothing was said against it.
    Applied,
    /// Applied, and taken back if the program turns unhealthy now.
    OnProbation,
    /// Taken back; why.
    TakenBack(String),
}

impl Serialize for Generation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut one = serializer.serialize_struct("Generation", 5)?;
        let (outcome, reason) = match &self.outcome {
            GenerationOutcome::Applied => ("applied", None),
            GenerationOutcome::OnProbation => ("on probation", None),
            GenerationOutcome::TakenBack(reason) => ("taken back", Some(reason)),
        };
        one.serialize_field("number", &self.number)?;
        one.serialize_field("at", &super::status::unix(self.at))?;
        one.serialize_field("origins", &self.origins)?;
        one.serialize_field("changed", &self.changed)?;
        one.serialize_field("outcome", outcome)?;
        one.serialize_field("reason", &reason)?;
        one.end()
    }
}

/// A configuration and what its layers said.
pub(crate) struct Kept<C> {
    pub(crate) record: Generation,
    pub(crate) snapshot: Arc<Snapshot<C>>,
    pub(crate) contents: Vec<Stored>,
}

impl<C> Kept<C> {
    pub(super) fn new(
        snapshot: Arc<Snapshot<C>>,
        contents: Vec<Stored>,
        origins: Vec<String>,
        changed: Vec<String>,
    ) -> Self {
        Kept {
            record: Generation {
                number: Snapshot::generation(&snapshot),
                at: Snapshot::applied(&snapshot),
                origins,
                changed,
                outcome: GenerationOutcome::Applied,
            },
            snapshot,
            contents,
        }
    }
}

/// A ring of configurations, the oldest first.
pub(crate) struct Generations<C> {
    /// How many besides the one that readers see.
    earlier: usize,
    kept: VecDeque<Kept<C>>,
}

impl<C> Generations<C> {
    pub(crate) fn new(earlier: usize) -> Self {
        Generations {
            earlier,
            kept: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, kept: Kept<C>) {
        self.kept.push_back(kept);
        while self.kept.len() > self.earlier + 1 {
            self.kept.pop_front();
        }
    }

    pub(crate) fn find(&self, number: u64) -> Option<&Kept<C>> {
        self.kept.iter().find(|kept| kept.record.number == number)
    }

    /// The newest one before `number` that was not taken back and is not on probation.
    pub(crate) fn good_before(&self, number: u64) -> Option<u64> {
        let good = |kept: &&Kept<C>| {
            kept.record.number < number && kept.record.outcome == GenerationOutcome::Applied
        };
        self.kept
            .iter()
            .rev()
            .find(good)
            .map(|kept| kept.record.number)
    }

    pub(super) fn mark(&mut self, number: u64, outcome: GenerationOutcome) {
        if let Some(kept) = self
            .kept
            .iter_mut()
            .find(|kept| kept.record.number == number)
        {
            kept.record.outcome = outcome;
        }
    }

    /// Marks everything after `to` as taken back; answers with what the layers said then.
    pub(super) fn return_to(&mut self, to: u64, reason: &str) -> Option<Vec<Stored>> {
        for kept in &mut self.kept {
            let record = &mut kept.record;
            if record.number > to && !matches!(record.outcome, GenerationOutcome::TakenBack(_)) {
                record.outcome = GenerationOutcome::TakenBack(reason.to_owned());
            }
        }
        self.find(to).map(|kept| kept.contents.clone())
    }

    pub(crate) fn records(&self) -> Vec<Generation> {
        self.kept.iter().map(|kept| kept.record.clone()).collect()
    }
}
