//! The capacitor: watches the layers of one config type, holds the last good value, moves between the states.

mod build;
mod builder;
mod command;
mod commit;
mod core;
mod debounce;
mod driver;
mod error;
mod flight;
mod generations;
pub(crate) mod global;
mod history;
pub mod hot;
#[cfg(feature = "json")]
mod last_known_good;
mod lifecycle;
mod plan;
mod probation;
mod rescue;
mod retry;
mod root;
mod slot;
mod stack;
mod state;
mod status;
mod stored;
pub(crate) mod tape;

pub use builder::Builder;
pub use error::Error;
pub use generations::{Generation, GenerationOutcome};
pub use global::park;
pub use history::Refusal;
#[cfg(feature = "json")]
pub use last_known_good::Secrets;
pub use root::Root;
pub use state::State;
pub use status::{LayerStatus, Status};

use crate::{
    Config, Reader, Report, Snapshot,
    change::{Events, Projection, Subscription, Told},
    handle::HandleRef,
};
use arc_swap::ArcSwap;
pub(crate) use command::Command;
use driver::Driver;
use plan::Plan;
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};
use tokio::sync::{mpsc, oneshot, watch};

/// Watches the layers of one config type, holds the last good value, moves between the states. Clones are the same capacitor;
/// when the last clone of an instance is dropped, its watching ends.
pub struct Capacitor<C: Config> {
    shared: Arc<Shared<C>>,
    _owner: Arc<Owner<C>>,
}

impl<C: Config> Clone for Capacitor<C> {
    fn clone(&self) -> Self {
        Capacitor {
            shared: Arc::clone(&self.shared),
            _owner: Arc::clone(&self._owner),
        }
    }
}

/// What the task, the readers and the owners of a capacitor have in common.
pub(crate) struct Shared<C: Config> {
    name: String,
    handle: HandleRef<C>,
    status: ArcSwap<Status>,
    told: watch::Sender<Told<C>>,
    /// The highest generation number that was given; it outlives a stop.
    count: AtomicU64,
    control: Mutex<Control<C>>,
    manual: tokio::sync::Mutex<Option<Driver<C>>>,
}

struct Control<C: Config> {
    plan: Option<Arc<Plan<C>>>,
    running: Option<Running>,
}

/// The strings to a running capacitor.
struct Running {
    stop: Option<oneshot::Sender<()>>,
    commands: mpsc::UnboundedSender<Command>,
    ended: watch::Receiver<bool>,
}

impl<C: Config> Control<C> {
    fn is_running(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| !*running.ended.borrow() && running.ended.has_changed().is_ok())
    }
}

impl<C: Config> Shared<C> {
    fn control(&self) -> MutexGuard<'_, Control<C>> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, snapshot: Arc<Snapshot<C>>) {
        self.handle.publish(snapshot);
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn keep_count(&self, highest: u64) {
        self.count.fetch_max(highest, Ordering::Relaxed);
    }

    fn ask_to_stop(&self) -> Option<watch::Receiver<bool>> {
        let mut control = self.control();
        let running = control.running.as_mut()?;
        if let Some(stop) = running.stop.take() {
            // The task may have ended by itself.
            let _ = stop.send(());
        }
        Some(running.ended.clone())
    }
}

struct Owner<C: Config>(Arc<Shared<C>>);

impl<C: Config> Drop for Owner<C> {
    fn drop(&mut self) {
        self.0.ask_to_stop();
        // In manual mode no task does it.
        if let Ok(mut manual) = self.0.manual.try_lock() {
            drop(manual.take());
        }
    }
}

impl<C: Config> Capacitor<C> {
    /// A builder without any layer.
    pub fn builder() -> Builder<C> {
        Builder::new()
    }

    fn idle(name: String, handle: HandleRef<C>) -> Self {
        let status = Status {
            name: name.clone(),
            state: State::Loading,
            since: SystemTime::now(),
            running: false,
            generation: 0,
            applied: None,
            error: None,
            pending_restart: Vec::new(),
            on_probation: false,
            pinned: false,
            generations: Vec::new(),
            layers: Vec::new(),
            history: Vec::new(),
        };
        let (told, _) = watch::channel(Told::new(handle.get().load()));
        let shared = Arc::new(Shared {
            name,
            handle,
            status: ArcSwap::from_pointee(status),
            told,
            count: AtomicU64::new(0),
            control: Mutex::new(Control {
                plan: None,
                running: None,
            }),
            manual: tokio::sync::Mutex::new(None),
        });
        let owner = Arc::new(Owner(Arc::clone(&shared)));
        Capacitor {
            shared,
            _owner: owner,
        }
    }

    /// The configuration that readers see; none before the first success.
    pub fn current(&self) -> Option<Arc<Snapshot<C>>> {
        self.shared.handle.get().load()
    }

    /// The configuration that readers see.
    ///
    /// # Panics
    /// Before the first success; [`current`](Capacitor::current) answers with an `Option`.
    pub fn get(&self) -> Arc<Snapshot<C>> {
        match self.current() {
            Some(snapshot) => snapshot,
            None => panic!(
                "{}: no configuration was applied yet (state: {}); look at the error that `start()` returned, or use `current()`",
                self.shared.name,
                self.state()
            ),
        }
    }

    /// A reader for a hot loop; none before the first success.
    pub fn reader(&self) -> Option<Reader<C, HandleRef<C>>> {
        Reader::new(self.shared.handle.clone())
    }

    /// Tells every change after the fact; begins with what comes after this call.
    pub fn subscribe(&self) -> Subscription<C> {
        Subscription::new(self.events())
    }

    /// Tells every change and every refusal after the fact; begins with what comes after this call.
    pub fn events(&self) -> Events<C> {
        Events::new(self.shared.told.subscribe())
    }

    /// Tells when one part of the configuration has changed: `watch(|config| &config.pool.size)`.
    pub fn watch<T, F>(&self, part: F) -> Projection<C, T, F>
    where
        T: PartialEq + ?Sized,
        F: Fn(&C) -> &T,
    {
        Projection::new(self.subscribe(), part)
    }

    /// The state.
    pub fn state(&self) -> State {
        self.shared.status.load().state
    }

    /// One consistent picture: state, generation, error, layers, history.
    pub fn status(&self) -> Arc<Status> {
        self.shared.status.load_full()
    }

    /// Why the newest change is refused; none while the newest content of every layer is applied.
    pub fn last_error(&self) -> Option<Report> {
        self.shared.status.load().error.clone()
    }
}

impl<C: Config> fmt::Debug for Capacitor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status();
        f.debug_struct("Capacitor")
            .field("name", &status.name)
            .field("state", &status.state)
            .field("generation", &status.generation)
            .finish_non_exhaustive()
    }
}

/// The capacitor behind a config struct's static handle.
pub fn global_capacitor<C: Root>() -> &'static Capacitor<C> {
    let global = C::global();
    global.capacitor.get_or_init(|| {
        Capacitor::idle(
            C::NAME.to_owned(),
            HandleRef::Static(&global.handle, C::publish_hot),
        )
    })
}
