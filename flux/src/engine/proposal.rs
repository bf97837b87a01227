//! What a configuration on its way to the readers carries, what is asked of the pipeline, and the actions with which the engine
//! answers.

use super::{now::Now, retry::RetryTarget, value::AnySnapshot};
use crate::{
    problem::{Flaw, Seg},
    report::{Entry, outgoing::SecretBook},
};
use std::sync::Arc;

/// What the pipeline is working on.
pub(super) struct Proposal {
    pub(super) direction: Direction,
    /// The number of the configuration that is asked about.
    pub(super) number: u64,
    /// What was made of the layers, before stages make something else of it.
    pub(super) before_pipeline: AnySnapshot,
    pub(super) since: Now,
}

pub(super) enum Direction {
    /// To newer content.
    Forward {
        /// Which layers contribute their candidate.
        chosen: Vec<bool>,
        /// What of the newest content is refused already.
        refused: Vec<Entry>,
        /// Paths that keep their running values until a restart.
        pending_restart: Vec<String>,
        /// The paths in which it differs from what was made of the layers before.
        changed: Vec<Vec<Seg>>,
    },
    /// Back to an earlier generation.
    Back { reason: String, by_hand: bool },
}

impl Proposal {
    /// What is tried again if this is refused.
    pub(super) fn target(&self) -> RetryTarget {
        match &self.direction {
            Direction::Forward { .. } => RetryTarget::Newest,
            Direction::Back { reason, .. } => RetryTarget::Back(self.number, reason.clone()),
        }
    }

    pub(super) fn goes_back(&self) -> bool {
        matches!(self.direction, Direction::Back { .. })
    }
}

/// What the pipeline is asked.
pub(crate) struct Question {
    /// What readers see; none before the first.
    pub(crate) previous: Option<AnySnapshot>,
    pub(crate) proposed: AnySnapshot,
    /// The documents it was built from, lowest layer first.
    pub(crate) raw: Arc<[Option<Arc<[u8]>>]>,
    /// It leads back to an earlier generation.
    pub(crate) back: bool,
    /// Whether rules from the previous value to this one apply.
    pub(crate) transition: bool,
    pub(crate) update: u64,
    /// What the program's texts must not quote.
    pub(crate) secrets: SecretBook,
}

/// What the pipeline lets through.
pub(crate) struct Passed {
    pub(crate) snapshot: AnySnapshot,
    /// It is the proposed value, or was checked after its last replacement.
    pub(crate) checked: bool,
}

/// Why the pipeline does not let it through.
pub(crate) enum Denial {
    /// What it made of the value breaks rules: the same again would too.
    Invalid(Vec<Flaw>),
    /// The program refuses, in its own words; it may think otherwise later.
    Failed(String),
}

/// What is to be done next.
pub(crate) enum Action {
    Nothing,
    /// Bring the record of trials to the disk, and report that it is there.
    Record,
    /// Ask the pipeline, and report its answer.
    Ask(Question),
    /// Let readers see it, and report that; `alone` where the rest of a group is not waited for.
    Swap {
        snapshot: AnySnapshot,
        alone: bool,
    },
    /// An update is over.
    Settled,
    /// What was ordered by hand is refused; whoever ordered it gets this report, and nothing else changes.
    Denied(crate::Report),
}
