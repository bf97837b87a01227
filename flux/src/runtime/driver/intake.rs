//! Polls the watchers and hands what they report to the engine; when every source is closed.

use super::Driver;
use crate::{
    runtime::{clock::now, run::Phase},
    source::mailbox::SourceReport,
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
        let mut take = |changed: Option<bool>| {
            if let Some(changed) = changed {
                (news, unchanged) = (news | changed, unchanged | !changed);
            }
        };
        let mut with_errors = Vec::new();
        for item in mailbox.reports(!reading) {
            match item.has_error() {
                // It may quote a secret of a document that another layer has only now.
                true => with_errors.push(item),
                false => take(self.reported(item)),
            }
        }
        for item in with_errors {
            // The secrets of every document are looked for in an error.
            take(self.long(|driver| driver.reported(item)));
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

    /// Hands one report to the engine; answers as [`Engine::reported`](crate::engine::Engine::reported).
    fn reported(&mut self, item: SourceReport) -> Option<bool> {
        if let Some(recorder) = &self.plan.options.recorder {
            recorder.received(&item, &self.engine);
        }
        let (layer, answered) = (item.layer, item.answered);
        let changed = self.engine.reported(item, now);
        if let Some(reload) = &mut self.reload {
            reload.answered(layer, answered);
        }
        changed
    }

    pub(super) fn all_closed(&self) -> bool {
        let ended = self.watchers.iter().all(Option::is_none);
        self.engine.loaded() && !self.watchers.is_empty() && ended
    }
}
