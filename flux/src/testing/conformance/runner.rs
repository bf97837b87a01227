//! Runs a watcher under trial in a task of its own, and remembers everything that it reports.

use super::oracle::Held;
use crate::source::{
    DynWatcher, ErrorKind, Observation, SourceError, Watcher,
    mailbox::{Mailbox, Tap},
    supervisor::{session, supervise},
};
use std::{
    panic::resume_unwind,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::sleep,
};

/// Between sessions; the supervisor's own pauses are not what is tried.
const PAUSE: Duration = Duration::from_millis(10);

/// Everything that a watcher reported.
#[derive(Default)]
pub(super) struct RunnerReport {
    state: Mutex<RunnerState>,
    changed: watch::Sender<()>,
    panics: AtomicBool,
}

#[derive(Default)]
struct RunnerState {
    seen: Vec<Held>,
    errors: Vec<ErrorKind>,
    sessions: u64,
    failures: u64,
    closed: Option<String>,
}

impl RunnerReport {
    fn state(&self) -> MutexGuard<'_, RunnerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut RunnerState)) {
        change(&mut self.state());
        self.changed.send_replace(());
    }

    pub(super) fn seen(&self) -> Vec<Held> {
        self.state().seen.clone()
    }

    pub(super) fn last(&self) -> Option<Held> {
        self.state().seen.last().cloned()
    }

    /// Whether an error of this kind was reported, by the end of a session, as health, or as what cannot be read.
    pub(super) fn told(&self, kind: ErrorKind) -> bool {
        self.state().errors.contains(&kind)
    }

    /// Why it reported that the source ended for good.
    pub(super) fn closed(&self) -> Option<String> {
        self.state().closed.clone()
    }

    /// Sessions and reports of failure.
    pub(super) fn attempts(&self) -> u64 {
        let state = self.state();
        state.sessions + state.failures
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The watcher's next report panics, in its own session, after it was delivered.
    pub(super) fn panic_once(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    /// Whether the panic is still to come.
    pub(super) fn will_panic(&self) -> bool {
        self.panics.load(Ordering::SeqCst)
    }
}

struct Listening(Arc<RunnerReport>);

impl Tap for Listening {
    fn observed(&self, observation: &Observation) {
        self.0.tell(|state| {
            if let Observation::Unreadable(error) = observation {
                state.errors.push(error.kind());
            }
            state.seen.push(Held::from(observation));
        });
    }
    fn failing(&self, error: &SourceError) {
        self.0.tell(|state| {
            state.errors.push(error.kind());
            state.failures += 1;
        });
    }
    fn delivered(&self) {
        if self.0.panics.swap(false, Ordering::SeqCst) {
            // A panic that is meant prints nothing.
            resume_unwind(Box::new("the conformance kit panics in a report"));
        }
    }
}

/// An mailbox of which everything is remembered.
pub(super) fn listening() -> (Arc<RunnerReport>, Arc<Mailbox>) {
    let said = Arc::new(RunnerReport::default());
    let mailbox = Mailbox::tapped_by(1, Listening(Arc::clone(&said)));
    (said, mailbox)
}

/// A watcher at work.
pub(super) struct Runner {
    pub(super) said: Arc<RunnerReport>,
    pub(super) mailbox: Arc<Mailbox>,
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Runner {
    /// Session after session, with short pauses.
    pub(super) fn new(watcher: impl Watcher) -> Self {
        let (said, mailbox) = listening();
        Self::over(watcher, said, mailbox)
    }

    /// The same, of a watcher that was at work before.
    pub(super) fn over(
        mut watcher: impl Watcher,
        said: Arc<RunnerReport>,
        mailbox: Arc<Mailbox>,
    ) -> Self {
        let terms = DynWatcher::terms(&watcher);
        let told = Arc::clone(&said);
        let observer = mailbox.observer(0).with_resync(terms.resync);
        Self::run(said, mailbox, async move {
            loop {
                told.tell(|state| state.sessions += 1);
                let end = session(&mut watcher, &observer, "the subject", terms.deadline).await;
                let error = end.err();
                if let Some(error) = &error {
                    observer.stale(error.clone(), 1);
                }
                told.tell(|state| {
                    state.errors.extend(error.as_ref().map(SourceError::kind));
                    state.closed = error
                        .filter(|error| error.kind() == ErrorKind::Closed)
                        .map(|error| error.to_string());
                });
                if told.closed().is_some() {
                    return std::future::pending().await;
                }
                sleep(PAUSE).await;
            }
        })
    }

    /// As a capacitor does it, with the supervisor's pauses.
    pub(super) fn supervised(watcher: impl Watcher) -> Self {
        struct CountedWatch<W>(W, Arc<RunnerReport>);
        impl<W: Watcher> Watcher for CountedWatch<W> {
            fn origin(&self) -> String {
                Watcher::origin(&self.0)
            }
            fn deadline(&self) -> Option<Duration> {
                Watcher::deadline(&self.0)
            }
            fn resync(&self) -> Option<Duration> {
                Watcher::resync(&self.0)
            }
            async fn watch(
                &mut self,
                observer: &crate::source::Observer,
            ) -> Result<(), SourceError> {
                self.1.tell(|state| state.sessions += 1);
                Watcher::watch(&mut self.0, observer).await
            }
        }
        let (said, mailbox) = listening();
        let mut watcher: Box<dyn DynWatcher> = Box::new(CountedWatch(watcher, Arc::clone(&said)));
        let observer = mailbox.observer(0);
        Self::run(said, mailbox, async move {
            supervise(&mut *watcher, &observer).await;
        })
    }

    fn run(
        said: Arc<RunnerReport>,
        mailbox: Arc<Mailbox>,
        watching: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            tokio::pin!(watching);
            let mut stopped = std::pin::pin!(stopped.notified());
            std::future::poll_fn(|cx| {
                if stopped.as_mut().poll(cx).is_ready() {
                    return std::task::Poll::Ready(());
                }
                watching.as_mut().poll(cx)
            })
            .await;
        });
        Runner {
            said,
            mailbox,
            stop,
            task,
        }
    }

    /// Drops the watcher at once.
    pub(super) async fn stop(self) {
        self.stop.notify_one();
        // A panic out of a session is the session's error; this task has none of its own.
        let _ = self.task.await;
    }
}
