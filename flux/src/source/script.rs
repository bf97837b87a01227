//! A watcher for tests that does what a test wrote down, in that order.

use crate::source::{Content, ErrorKind, Observation, Observer, SourceError, Watcher};
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

/// A watcher that plays a script: documents, absences, errors, ends, panics and pauses, in the order written. What comes after
/// an act that ends the session is played by the next session. At its end it waits, for ever or for what its
/// [`ScriptHandle`] adds.
///
/// ```
/// use flux::{source::SourceError, testing::Script};
/// use std::time::Duration;
///
/// let script = Script::new("app.yaml")
///     .value("port: 80")
///     .after(Duration::from_secs(5))
///     .error(SourceError::transient("connection lost"))
///     .value("port: 81")
///     .absent();
/// let handle = script.handle();
/// # let _ = (script, handle);
/// ```
#[derive(Debug)]
pub struct Script {
    handle: ScriptHandle,
}

/// Watches a [`Script`] at work, and adds to it. Clones are the same script.
#[derive(Clone)]
pub struct ScriptHandle {
    shared: Arc<ScriptShared>,
}

struct ScriptShared {
    name: String,
    state: Mutex<ScriptState>,
    more: Notify,
    /// How many acts are left.
    left: watch::Sender<usize>,
}

#[derive(Default)]
struct ScriptState {
    acts: VecDeque<Act>,
    /// When the pause under way is over; it goes on where a session was dropped.
    until: Option<Instant>,
    played: usize,
    sessions: Vec<Instant>,
}

#[derive(Clone, Debug)]
enum Act {
    Observe(Observation),
    Pause(Duration),
    Live,
    Failing(SourceError),
    Unsettled,
    Settled,
    Return(Result<(), SourceError>),
    Panic(String),
}

/// The acts, on the script and on its handle.
macro_rules! acts {
    ($($(#[$docs:meta])* $name:ident($($argument:ident: $type:ty),*) => $act:expr;)*) => {
        impl Script {
            $(
                $(#[$docs])*
                #[must_use]
                pub fn $name(self $(, $argument: $type)*) -> Self {
                    self.handle.add($act);
                    self
                }
            )*
        }
        impl ScriptHandle {
            $(
                $(#[$docs])*
                pub fn $name(&self $(, $argument: $type)*) {
                    self.add($act);
                }
            )*
        }
    };
}

acts! {
    /// Delivers a document.
    value(document: impl Into<Vec<u8>>) => Act::Observe(Observation::Value(Content {
        bytes: document.into().into(),
        revision: None,
    }));
    /// Delivers a document under the source's own name for its version.
    revision(document: impl Into<Vec<u8>>, revision: impl Into<String>) => Act::Observe(Observation::Value(Content {
        bytes: document.into().into(),
        revision: Some(revision.into()),
    }));
    /// Says that there is nothing.
    absent() => Act::Observe(Observation::Absent);
    /// Says that what is there cannot be a document.
    unreadable(error: SourceError) => Act::Observe(Observation::Unreadable(error));
    /// Waits, in Tokio's time: under a paused clock it costs none.
    after(pause: Duration) => Act::Pause(pause);
    /// Says that changes are seen as they happen.
    live() => Act::Live;
    /// Says that changes may be missed, and goes on.
    failing(error: SourceError) => Act::Failing(error);
    /// Says that a writer is at work.
    unsettled() => Act::Unsettled;
    /// Says that the writer has finished and nothing has changed.
    settled() => Act::Settled;
    /// Ends the session with an error of any kind.
    error(error: SourceError) => Act::Return(Err(error));
    /// Ends the session with `Ok`.
    end() => Act::Return(Ok(()));
    /// Ends the source for good.
    closed() => Act::Return(Err(SourceError::closed("the script is over")));
    /// Panics inside the session.
    panic(message: impl Into<String>) => Act::Panic(message.into());
}

impl Script {
    /// An empty script; `name` is its origin.
    pub fn new(name: impl Into<String>) -> Self {
        Script {
            handle: ScriptHandle {
                shared: Arc::new(ScriptShared {
                    name: name.into(),
                    state: Mutex::default(),
                    more: Notify::new(),
                    left: watch::channel(0).0,
                }),
            },
        }
    }

    /// What watches the script at work, after the script itself was handed to a capacitor.
    pub fn handle(&self) -> ScriptHandle {
        self.handle.clone()
    }
}

impl ScriptHandle {
    /// The script's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// How many sessions were started.
    pub fn sessions(&self) -> usize {
        self.state().sessions.len()
    }

    /// When each session was started.
    pub fn session_starts(&self) -> Vec<Instant> {
        self.state().sessions.clone()
    }

    /// How many acts were played, pauses included.
    pub fn played(&self) -> usize {
        self.state().played
    }

    /// Waits until every act was played.
    pub async fn finished(&self) {
        // The sender is ours: it cannot be gone.
        let _ = self
            .shared
            .left
            .subscribe()
            .wait_for(|left| *left == 0)
            .await;
    }

    fn add(&self, act: Act) {
        let mut state = self.state();
        state.acts.push_back(act);
        self.shared.left.send_modify(|left| *left += 1);
        drop(state);
        self.shared.more.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, ScriptState> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// When the act that is next can be played; none without one.
    fn next_at(&self) -> Option<Option<Instant>> {
        let mut state = self.state();
        let Some(Act::Pause(pause)) = state.acts.front() else {
            return state.acts.front().map(|_| None);
        };
        let over = Instant::now() + *pause;
        Some(Some(*state.until.get_or_insert(over)))
    }

    fn take(&self) -> Option<Act> {
        let mut state = self.state();
        state.until = None;
        let act = state.acts.pop_front()?;
        state.played += 1;
        self.shared.left.send_modify(|left| *left -= 1);
        Some(act)
    }
}

impl Watcher for Script {
    fn origin(&self) -> String {
        self.handle.shared.name.clone()
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        let handle = &self.handle;
        handle.state().sessions.push(Instant::now());
        loop {
            match handle.next_at() {
                None => {
                    handle.shared.more.notified().await;
                    continue;
                }
                Some(Some(at)) => sleep_until(at).await,
                Some(None) => {}
            }
            let Some(act) = handle.take() else { continue };
            match act {
                Act::Observe(observation) => observer.observe(observation),
                Act::Pause(_) => {}
                Act::Live => observer.live(),
                Act::Failing(error) if error.kind() == ErrorKind::Closed => return Err(error),
                Act::Failing(error) => observer.failing(error),
                Act::Unsettled => observer.unsettled(),
                Act::Settled => observer.settled(),
                Act::Return(result) => return result,
                Act::Panic(message) => panic!("{message}"),
            }
        }
    }
}

impl fmt::Debug for ScriptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("ScriptHandle")
            .field("name", &self.shared.name)
            .field("sessions", &state.sessions.len())
            .field("played", &state.played)
            .field("left", &state.acts.len())
            .finish()
    }
}
