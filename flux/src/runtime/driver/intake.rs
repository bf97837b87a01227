//! Polls the watchers and hands what they report to the engine.

use super::Driver;
use crate::{
    runtime::{clock::now, run::Phase},
    source::Health,
};
use std::{sync::Arc, task::Context};

impl Driver {
    pub(super) fn poll_watchers(&mut self, cx: &mut Context<'_>) {
        for watcher in &mut self.watchers {
            let closed = watcher
                .as_mut()
                .is_some_and(|w| w.as_mut().poll(cx).is_ready());
            if closed {
                *watcher = None;
            }
        }
    }

    /// Hands what the sources reported to the engine.
    pub(super) fn drain(&mut self) -> bool {
        let (mut news, mut unchanged) = (false, false);
        let mailbox = Arc::clone(&self.mailbox);
        // While a record is written, what it names stays what will be read: a source faster than the disk would never be applied.
        let run = self.run.as_ref();
        let reading = run.is_some_and(|run| matches!(run.phase, Phase::Reading));
        for item in mailbox.reports(!reading) {
            if let Some(recorder) = &self.plan.options.recorder {
                recorder.received(&item);
            }
            let (layer, answered) = (item.layer, item.answered);
            // The secrets of every document are looked for in an error.
            let is_error = matches!(item.health, Some(Health::Stale { .. }));
            let changed = match is_error {
                true => self.long(|driver| driver.engine.reported(item, now)),
                false => self.engine.reported(item, now),
            };
            if let Some(changed) = changed {
                (news, unchanged) = (news | changed, unchanged | !changed);
            }
            if let Some(reload) = &mut self.reload {
                reload.answered(layer, answered);
            }
        }
        self.listeners.notify(&mut self.engine);
        if news {
            self.tell_group_of_news();
        } else if unchanged {
            // Its revision may be another one; no update will show it.
            self.publish_status();
        }
        news
    }

    pub(super) fn all_closed(&self) -> bool {
        let ended = self.watchers.iter().all(Option::is_none);
        self.engine.loaded() && !self.watchers.is_empty() && ended
    }
}
