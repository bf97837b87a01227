//! The phases of one update between its proposal and its outcome, and when it counts as slow.

use super::{order::Reply, task::BoxedTask};
use crate::{
    change::Transaction,
    engine::{AnySnapshot, discard},
    pipeline::{Answer, AnyApplied},
};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Span;

/// After this time an update is reported as slow; then after twice the time, and so on.
const SLOW: Duration = Duration::from_secs(30);

/// An update under way.
pub(super) struct PipelineRun {
    pub(super) phase: Phase,
    pub(super) span: Span,
    /// Who rolls back by hand.
    pub(super) reply: Option<Reply>,
    began: Instant,
    slow_after: Duration,
    /// It has been waited for, so that the status shows it.
    pub(super) shown: bool,
}

pub(super) enum Phase {
    /// The record that its content is read is on its way to the disk.
    Reading,
    /// The record of its trial is on its way to the disk.
    Recording,
    /// No update: the parties are asked what they would answer to one.
    Rehearsing(Option<BoxedTask>),
    /// The pipeline works on it.
    Asked(Option<Answer<AnyApplied>>),
    /// It is ready, and the rest of its group is not.
    Ready {
        snapshot: AnySnapshot,
        transaction: Transaction,
    },
}

impl PipelineRun {
    pub(super) fn new(phase: Phase, span: Span, reply: Option<Reply>, began: Instant) -> Self {
        PipelineRun {
            phase,
            span,
            reply,
            began,
            slow_after: SLOW,
            shown: false,
        }
    }

    /// When it is to be reported as slow.
    pub(super) fn slow_at(&self) -> Instant {
        self.began + self.slow_after
    }

    /// Answers how long it lasts, if that is to be reported now.
    pub(super) fn is_slow(&mut self) -> Option<Duration> {
        let lasts = self.began.elapsed();
        (lasts >= self.slow_after).then(|| {
            self.slow_after *= 2;
            lasts
        })
    }
}

/// The program's own future may panic in its drop.
impl Drop for PipelineRun {
    fn drop(&mut self) {
        match &mut self.phase {
            Phase::Asked(answer) => discard(answer.take()),
            Phase::Rehearsing(rehearsal) => discard(rehearsal.take()),
            _ => {}
        }
    }
}
