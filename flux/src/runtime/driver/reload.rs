//! When a reload is answered: every source is read again, and for how long a silent one is waited for.

use super::Driver;
use crate::{
    engine::LayerContent,
    observe,
    runtime::{error::Error, order::Reply},
    source::{Health, ValueFile, declare::Input},
};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a source that is lost may take to be read again.
const LOST: Duration = Duration::from_secs(2);

/// How long any other source may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A reload under way.
pub(super) struct Reload {
    /// The request of each layer that has not answered.
    requests: Vec<Option<u64>>,
    began: Instant,
    alarm: Pin<Box<Sleep>>,
    step: ReloadStep,
    replies: Vec<Reply>,
}

enum ReloadStep {
    /// Sources are read.
    Reading,
    /// What was read is taken up; these could not be read.
    Applying { unread: Vec<String> },
}

impl Reload {
    /// The source of this layer has answered every request up to this one.
    pub(super) fn answered(&mut self, layer: usize, answered: u64) {
        let request = &mut self.requests[layer];
        if request.is_some_and(|request| request <= answered) {
            *request = None;
        }
    }
}

impl Driver {
    /// Begins a reload; one that is under way begins anew, because its sources may have been read already.
    pub(super) fn reload(&mut self, reply: Option<Reply>) {
        let layers = self.plan.layers.iter().enumerate();
        let requests = layers.map(|(layer, opened)| match opened.input {
            Input::Watched(_) => self.mailbox.read_now(layer),
            _ => None,
        });
        let requests = requests.collect();
        let before = self.reload.take();
        // The limit counts from the first of them: calls that follow one another quickly are all answered.
        let began = before
            .as_ref()
            .map_or_else(Instant::now, |before| before.began);
        let mut replies = before.map(|before| before.replies).unwrap_or_default();
        replies.extend(reply);
        self.reload = Some(Box::new(Reload {
            requests,
            began,
            alarm: Box::pin(sleep_until(began + LOST)),
            step: ReloadStep::Reading,
            replies,
        }));
    }

    #[cfg(feature = "signal")]
    pub(super) fn poll_signals(&mut self, cx: &mut Context<'_>) {
        let signals = self.signals.as_mut();
        if signals.is_some_and(|signals| signals.poll(cx).is_ready()) {
            self.reload(None);
        }
    }

    #[cfg(not(feature = "signal"))]
    pub(super) fn poll_signals(&mut self, _: &mut Context<'_>) {}

    /// Takes the reload a step further; answers whether there was one to take.
    pub(super) fn poll_reload(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(reload) = self.reload.as_mut().filter(|_| self.run.is_none()) else {
            return false;
        };
        if matches!(reload.step, ReloadStep::Applying { .. }) {
            self.reloaded();
            return true;
        }
        let layers = self.engine.layers();
        let states = &layers.states;
        let waits = |reload: &Reload| {
            let late = reload.began.elapsed();
            let mut asked = reload.requests.iter().zip(layers.of_sources());
            let unread = asked.any(|(request, state)| {
                let lost = matches!(state.health, Health::Stale { .. } | Health::Closed);
                request.is_some() && !(lost && late >= LOST)
            });
            let unsettled = states.iter().any(|state| state.unsettled);
            (unread || unsettled || !self.engine.loaded()) && late < LIMIT
        };
        if waits(reload) {
            if reload.alarm.as_mut().poll(cx).is_pending() {
                return false;
            }
            if waits(reload) {
                reload.alarm.as_mut().reset(reload.began + LIMIT);
                return true;
            }
        }
        let asked = reload.requests.iter().zip(layers.of_sources());
        let asked = asked.zip(&self.plan.layers);
        let unread = asked
            .filter(|(_, opened)| matches!(opened.input, Input::Watched(_)))
            .filter_map(|((request, state), _)| {
                let origin = &state.origin;
                match &state.health {
                    Health::Stale { error, .. } => Some(format!("{origin} ({error})")),
                    _ if state.unsettled => Some(format!("{origin} (a writer is at work on it)")),
                    Health::Starting => Some(format!("{origin} (nothing was received of it yet)")),
                    Health::Live if request.is_some() => {
                        Some(format!("{origin} (no answer within {LIMIT:?})"))
                    }
                    Health::Live | Health::Closed => None,
                }
            });
        let unread = unread.collect();
        reload.step = ReloadStep::Applying { unread };
        let settled = !states.iter().any(|state| state.unsettled);
        if settled && self.engine.loaded() && self.engine.wants_newest() {
            self.update();
        }
        true
    }

    fn reloaded(&mut self) {
        let Some(reload) = self.reload.take() else {
            return;
        };
        let unread = match reload.step {
            ReloadStep::Applying { unread } => unread,
            ReloadStep::Reading => Vec::new(),
        };
        let name = self.engine.name();
        let outcome = || match (self.engine.error(), unread.is_empty()) {
            (Some(report), _) => Err(Error::Refused(report.clone())),
            (None, false) => Err(Error::Unread {
                name: name.to_owned(),
                sources: unread.clone(),
            }),
            (None, true) => Ok(self.engine.generation()),
        };
        observe::reloaded(name, &outcome().map_err(|error| error.safe()));
        self.warn_of_changed_files();
        for reply in reload.replies {
            // The caller may have gone.
            let _ = reply.send(outcome());
        }
    }

    /// Whoever replaces the file that a variable names, and asks for a reload, has a warning that it is not read again.
    fn warn_of_changed_files(&self) {
        let states = self.engine.layers().states.iter().enumerate();
        let given = states.filter_map(|(layer, state)| match state.content() {
            LayerContent::Given(given) if !given.files.is_empty() => Some((layer, given)),
            _ => None,
        });
        let given: Vec<_> = given.collect();
        if given.is_empty() {
            return;
        }
        let (name, secrets) = (self.engine.name().to_owned(), self.engine.secret_book());
        let look = move || {
            let all = given.iter().flat_map(|(layer, given)| {
                let changed = given.files.iter().filter_map(ValueFile::changed);
                changed.map(|text| secrets.safe_of(*layer, &text))
            });
            all.collect::<Vec<_>>()
        };
        // A file may be on a disk that hangs, and nobody waits for it.
        tokio::spawn(async move {
            for changed in tokio::task::spawn_blocking(look).await.unwrap_or_default() {
                observe::warning(&name, &changed);
            }
        });
    }

    /// Manual mode: until the sources are read.
    pub(super) async fn reload_by_hand(&mut self) {
        poll_fn(|cx| {
            loop {
                self.poll_watchers(cx);
                self.drain();
                if self.reload.is_none() || self.poll_reload(cx) {
                    return Poll::Ready(());
                }
                match self.changed.as_mut().poll(cx) {
                    Poll::Ready(()) => self.changed = super::changed(&self.mailbox),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}
