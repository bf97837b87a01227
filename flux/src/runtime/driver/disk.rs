//! What the task asks of the disk: that what is kept there serves, that a trial is recorded, that a write is done.

use super::Driver;
use crate::engine::Action;
#[cfg(feature = "json")]
use crate::{
    engine::listed,
    observe,
    report::outgoing::SafeText,
    runtime::{clock::now, fallback_start},
};
#[cfg(feature = "json")]
use std::future::poll_fn;
use std::task::{Context, Poll};

#[cfg(feature = "json")]
impl Driver {
    /// Fills layers of which nothing could be read from what is kept on disk; tried once. Answers what reports call it, where the
    /// layers are to be taken up again.
    pub(super) fn fall_back(&mut self) -> Option<String> {
        use tokio::task::block_in_place;
        let (wanted, is_waited_for) = (self.engine.fallback_tried(), self.may_block());
        let keeper = self.listeners.keeper.as_mut().filter(|_| wanted)?;
        let mut unfit = Vec::new();
        let mut fill = || fallback_start::fill(&mut self.engine, &keeper.keep, &mut unfit);
        self.was_away |= is_waited_for;
        // The file may be large, and its disk slow.
        let serves = match is_waited_for {
            true => block_in_place(fill),
            false => fill(),
        };
        keeper.cannot_serve(unfit);
        self.engine.take_stand_ins(now());
        serves
    }

    /// What is kept on disk, proposed in the place of a first configuration that the program refuses.
    pub(super) fn fall_back_from_denied(&mut self) -> Option<Action> {
        if !self.engine.is_denied() {
            return None;
        }
        let kept = self.fall_back()?;
        self.listeners.notify(&mut self.engine);
        self.engine.propose_kept(kept, now())
    }

    /// The paths of a first configuration that is on trial, and its record, on the way to the disk.
    pub(super) fn describe_trial(&mut self) {
        if self.engine.lacks_trial_paths()
            && let Some(keeper) = &mut self.listeners.keeper
        {
            let paths = keeper.differences(&self.engine);
            self.engine.describe_trial(paths);
        }
        self.record_trial();
    }

    /// The paths in which content differs that is about to be read, since that may kill the process already.
    pub(super) fn describe_reading(&mut self) {
        if self.engine.lacks_trial_paths()
            && let Some(keeper) = &self.listeners.keeper
        {
            let paths = keeper.differences_to_read(&self.engine);
            self.engine.describe_trial(paths);
        }
    }

    pub(super) fn record_trial(&mut self) {
        if let Some(keeper) = &mut self.listeners.keeper {
            keeper.record(&self.engine);
        }
    }

    pub(super) fn poll_saver(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(keeper) = &mut self.listeners.keeper else {
            return Poll::Ready(());
        };
        let polled = keeper.poll(self.engine.name(), cx);
        if keeper.report(&mut self.engine) {
            self.listeners.notify(&mut self.engine);
        }
        polled
    }

    /// What the disk refused is tried once more.
    pub(super) fn save_again(&mut self) {
        if let Some(keeper) = &mut self.listeners.keeper {
            keeper.try_again();
        }
    }

    /// The runtime ends without a stop. Content that readers see, and that is on trial, may be why: it counts as a death.
    pub(super) fn leave(&mut self) {
        let Some(keeper) = &mut self.listeners.keeper else {
            return;
        };
        keeper.record_at_once(&self.engine);
        if let Some(trial) = self.engine.trials().and_then(|trials| trials.applied()) {
            let what = match trial.changed.is_empty() {
                true => "a configuration".to_owned(),
                false => listed(&trial.changed),
            };
            let text = format!(
                "the program ends without a stop while {what} is on trial, which counts as a death of the process; call `stop().await` \
                 before `main` returns"
            );
            observe::warning(self.engine.name(), &SafeText::own(&text));
        }
    }

    /// A stop in good order is no death.
    pub(super) async fn end_trial(&mut self) {
        self.engine.end_trial();
        self.record_trial();
        poll_fn(|cx| self.poll_saver(cx)).await;
    }
}

/// Without files of the last known good configuration.
#[cfg(not(feature = "json"))]
impl Driver {
    pub(super) fn fall_back(&mut self) -> Option<String> {
        None
    }

    pub(super) fn fall_back_from_denied(&mut self) -> Option<Action> {
        None
    }

    pub(super) fn describe_trial(&mut self) {}

    pub(super) fn describe_reading(&mut self) {}

    pub(super) fn record_trial(&mut self) {}

    pub(super) fn save_again(&mut self) {}

    pub(super) fn poll_saver(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    pub(super) fn leave(&mut self) {}

    pub(super) async fn end_trial(&mut self) {}
}
