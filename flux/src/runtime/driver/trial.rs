//! Runs the health check of the configuration on trial, and takes it back where that fails.

use super::Driver;
use crate::{
    engine::{ProbationStep, discard},
    pipeline::{Answer, guarded},
    problem::printed,
    runtime::clock::now,
};
use std::task::{Context, Poll};
use tokio::time::Instant;

impl Driver {
    /// Looks after the configuration on trial; answers whether there was anything to do.
    pub(super) fn poll_trial(&mut self, cx: &mut Context<'_>) -> bool {
        if self.run.is_some() || !self.engine.has_trial() {
            return false;
        }
        let at = Instant::now().into_std();
        let step = match &mut self.check {
            None => self.engine.trial(at),
            Some(check) => match check.as_mut().poll(cx) {
                Poll::Pending => self.engine.trial(at),
                Poll::Ready(answer) => {
                    discard(self.check.take());
                    let answer = answer.map_err(|error| printed(&error));
                    let step = self.engine.health_checked(answer, at);
                    if step == ProbationStep::Wait {
                        return true;
                    }
                    step
                }
            },
        };
        match step {
            ProbationStep::Wait => return false,
            ProbationStep::Passed => self.listeners.notify(&mut self.engine),
            ProbationStep::Failed(reason) => self.unhealthy(&reason),
            ProbationStep::Check => {
                let check = self.plan.options.health_check.clone();
                self.check = check
                    .zip(self.engine.current().cloned())
                    .map(|(check, now)| {
                        let begin = move || check(now);
                        Box::pin(guarded(begin, "it")) as Answer<()>
                    });
            }
        }
        true
    }

    /// Ends the quarantines whose time is over; answers whether content is to be taken up again.
    pub(super) fn lift(&mut self) -> bool {
        // Mostly there is none, and the clock is not read.
        if self.engine.trials().is_none() {
            return false;
        }
        let lifted = self.engine.lift_quarantine(false, now());
        self.listeners.notify(&mut self.engine);
        lifted
    }

    /// Takes the configuration on trial back.
    pub(super) fn unhealthy(&mut self, reason: &str) {
        discard(self.check.take());
        let action = self.engine.unhealthy(reason, now());
        self.perform_anew(action, None);
    }
}
