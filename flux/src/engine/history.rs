//! How many of the last refusals the status keeps, and when each was followed by an applied configuration.

use crate::{Report, problem::serialized};
use std::{collections::VecDeque, time::SystemTime};

/// One refusal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Refusal {
    /// Its number since the start; the first is 1. Unlike the time it always increases.
    pub number: u64,
    /// When it happened.
    pub at: SystemTime,
    /// Everything that was wrong.
    pub report: Report,
    /// When a configuration was next applied, if one was.
    pub healed: Option<SystemTime>,
}

serialized! {
    Refusal, own => {
        number: own.number,
        at: crate::time::unix(own.at),
        report: own.report,
        healed: own.healed.map(crate::time::unix),
    }
}

/// A ring of refusals.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    size: usize,
    /// How many there were, kept or not.
    count: u64,
    refusals: VecDeque<Refusal>,
}

impl History {
    pub(super) fn new(size: usize) -> Self {
        History {
            size,
            count: 0,
            refusals: VecDeque::new(),
        }
    }

    pub(crate) fn refused(&mut self, report: &Report, at: SystemTime) {
        self.count += 1;
        if self.size == 0 {
            return;
        }
        if self.refusals.len() == self.size {
            self.refusals.pop_front();
        }
        self.refusals.push_back(Refusal {
            number: self.count,
            at,
            report: report.clone(),
            healed: None,
        });
    }

    /// A success marks what it ended instead of erasing it, so that flapping stays visible.
    pub(crate) fn healed(&mut self, at: SystemTime) {
        for refusal in self.refusals.iter_mut().rev() {
            if refusal.healed.is_some() {
                break;
            }
            refusal.healed = Some(at);
        }
    }

    /// The layers have other numbers now.
    pub(super) fn renumber(&mut self, now: impl Fn(usize) -> Option<usize>) {
        for refusal in &mut self.refusals {
            refusal.report.renumber(&now);
        }
    }

    pub(crate) fn to_vec(&self) -> Vec<Refusal> {
        self.refusals.iter().cloned().collect()
    }
}
