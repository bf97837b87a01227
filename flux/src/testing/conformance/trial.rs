//! Tries one behaviour: a subject, a watcher of it, and what the source has held so far.

use super::{
    oracle::{Held, applied, in_order},
    runner::{Runner, RunnerReport},
    subject::{Cannot, Fault, Limits, Subject},
};
use crate::source::{ErrorKind, Watcher, mailbox::Mailbox};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// How often the truth is read again while the watcher is waited for.
const TICK: Duration = Duration::from_millis(20);

/// Why a trial is over before its end.
pub(super) enum Stop {
    Failed(String),
    Cannot(Cannot),
}

impl From<Cannot> for Stop {
    fn from(cannot: Cannot) -> Self {
        Stop::Cannot(cannot)
    }
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Stop::Failed(why)
    }
}

pub(super) type TrialOutcome = Result<(), Stop>;

pub(super) struct CaseTrial<'a, S: Subject> {
    pub(super) subject: &'a mut S,
    pub(super) limits: Limits,
    /// What the source held since the watcher began, oldest first.
    held: Vec<Held>,
    /// The number of the next document: no two are equal.
    number: &'a mut u64,
    runner: Option<Runner>,
    /// What the watcher states as its deadline.
    deadline: Option<Duration>,
}

impl<'a, S: Subject> CaseTrial<'a, S> {
    pub(super) fn new(subject: &'a mut S, number: &'a mut u64) -> Self {
        let limits = subject.limits();
        CaseTrial {
            subject,
            limits,
            held: Vec::new(),
            number,
            runner: None,
            deadline: None,
        }
    }

    /// Makes a watcher and lets it go.
    pub(super) async fn watch(&mut self) {
        self.begin().await;
        let watcher = self.subject.watcher();
        self.deadline = Watcher::deadline(&watcher);
        self.runner = Some(Runner::new(watcher));
    }

    /// The same under the supervisor.
    pub(super) async fn watch_supervised(&mut self) {
        self.begin().await;
        let watcher = self.subject.watcher();
        self.runner = Some(Runner::supervised(watcher));
    }

    /// Lets a watcher go on that was at work before.
    pub(super) fn keep(
        &mut self,
        watcher: S::Watcher,
        said: Arc<RunnerReport>,
        mailbox: Arc<Mailbox>,
    ) {
        self.runner = Some(Runner::over(watcher, said, mailbox));
    }

    /// Waits until an error of this kind is reported.
    pub(super) async fn until_told(&mut self, kind: ErrorKind) -> TrialOutcome {
        let deadline = Instant::now() + self.limits.within;
        while !self.runner()?.said.told(kind) {
            if Instant::now() >= deadline {
                let within = self.limits.within;
                return Err(Stop::Failed(format!(
                    "no {kind} error was reported within {within:?}"
                )));
            }
            sleep(TICK).await;
        }
        Ok(())
    }

    /// Waits until the source is not called live any more: within the deadline that its watcher states, which a question under way may
    /// begin anew.
    pub(super) async fn until_stale(&mut self) -> TrialOutcome {
        let (silent, states) = match self.deadline {
            Some(deadline) => (
                deadline.saturating_add(self.limits.within),
                format!("the watcher states a deadline of {deadline:?}"),
            ),
            None => (
                self.limits.silent,
                "the watcher states no deadline".to_owned(),
            ),
        };
        let deadline = Instant::now() + silent;
        while self.mailbox()?.is_live(0) {
            if Instant::now() >= deadline {
                return Err(Stop::Failed(format!(
                    "the source is silent, and still called live after {silent:?}; {states}"
                )));
            }
            sleep(TICK).await;
        }
        Ok(())
    }

    /// The source holds again what it held before.
    pub(super) async fn goes_back(&mut self) {
        self.held.push(Held::of(self.subject.read().await));
    }

    /// What the source holds now is where the order begins.
    pub(super) async fn begin(&mut self) {
        self.stop().await;
        self.held = vec![Held::of(self.subject.read().await)];
    }

    pub(super) async fn stop(&mut self) {
        if let Some(runner) = self.runner.take() {
            runner.stop().await;
        }
    }

    pub(super) fn runner(&self) -> Result<&Runner, Stop> {
        let missing = || Stop::Failed("nothing is watched".to_owned());
        self.runner.as_ref().ok_or_else(missing)
    }

    pub(super) fn mailbox(&self) -> Result<Arc<Mailbox>, Stop> {
        Ok(Arc::clone(&self.runner()?.mailbox))
    }

    /// Writes a document that was never there.
    pub(super) async fn change(&mut self) -> TrialOutcome {
        *self.number += 1;
        let document = format!("conformance: {}\n", self.number);
        self.write(document.into_bytes()).await
    }

    pub(super) async fn write(&mut self, document: Vec<u8>) -> TrialOutcome {
        self.held.push(Held::Document(document.as_slice().into()));
        Ok(self.subject.write(document).await?)
    }

    pub(super) async fn delete(&mut self) -> TrialOutcome {
        self.held.push(Held::Nothing);
        Ok(self.subject.delete().await?)
    }

    pub(super) async fn inject(&mut self, fault: Fault) -> TrialOutcome {
        Ok(self.subject.inject(fault).await?)
    }

    /// Waits until the newest that was seen is what the source holds, and that nothing more comes then; the whole order is checked.
    pub(super) async fn settle(&mut self) -> TrialOutcome {
        self.settle_within(self.limits.within).await
    }

    pub(super) async fn settle_within(&mut self, within: Duration) -> TrialOutcome {
        let said = Arc::clone(&self.runner()?.said);
        let mut changes = said.changes();
        let deadline = Instant::now() + within;
        loop {
            let truth = Held::of(self.subject.read().await);
            let last = said.last();
            if last.as_ref() == Some(&truth) {
                break;
            }
            if let Some(why) = said.closed() {
                return Err(Stop::Failed(format!(
                    "said that the source ended for good, while it lives: {why}"
                )));
            }
            if Instant::now() >= deadline {
                let seen = last.map_or("nothing was seen".to_owned(), |last| {
                    format!("the last that was seen is {last}")
                });
                return Err(Stop::Failed(format!(
                    "the source holds {truth}; after {within:?} {seen}"
                )));
            }
            let until = deadline.min(Instant::now() + TICK);
            // Whichever comes first: it is looked at again.
            let _ = timeout_at(until, changes.changed()).await;
        }
        self.quiet().await
    }

    /// Nothing more may come while nothing changes.
    pub(super) async fn quiet(&mut self) -> TrialOutcome {
        let said = Arc::clone(&self.runner()?.said);
        let before = said.seen();
        sleep(self.limits.quiet).await;
        let after = said.seen();
        in_order(&self.held, &after)?;
        let (then, now) = (applied(&before), applied(&after));
        if then.len() < now.len() {
            let more = now[then.len()];
            return Err(Stop::Failed(format!(
                "nothing changed, and {more} was delivered as if it were new"
            )));
        }
        Ok(())
    }
}
