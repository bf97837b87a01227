//! The capacitor: watches the layers of one config type, holds the last good value, moves between the states.

mod build;
mod builder;
mod command;
mod commit;
mod core;
mod debounce;
mod driver;
mod flight;
mod generations;
mod history;
#[cfg(feature = "json")]
mod last_known_good;
mod probation;
mod rescue;
mod retry;
mod slot;
mod stack;
mod state;
mod status;
mod stored;

pub use builder::Builder;
pub use generations::{Generation, GenerationOutcome};
pub use history::Refusal;
#[cfg(feature = "json")]
pub use last_known_good::Secrets;
pub(crate) use slot::Given;
pub use state::State;
#[cfg(feature = "metrics")]
pub(crate) use status::unix;
pub use status::{LayerStatus, Status};

use crate::{
    Config, Error, Reader, Report, Root, Snapshot,
    change::{Events, Projection, Subscription, Told},
    handle::HandleRef,
};
use arc_swap::ArcSwap;
use command::{Command, Commands};
use driver::{Driver, Plan};
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
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

/// What a task is launched with.
struct Launch<C: Config> {
    plan: Arc<Plan<C>>,
    /// The order to stop.
    stopped: oneshot::Receiver<()>,
    commands: Commands,
    /// Where to tell that it ended.
    end: watch::Sender<bool>,
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

    /// Marks the capacitor as running and hands out what the task needs.
    fn launch(&self) -> Result<Launch<C>, Error> {
        let mut control = self.control();
        let Some(plan) = control.plan.clone() else {
            return Err(Error::Stopped {
                name: self.name.clone(),
            });
        };
        if control.is_running() {
            return Err(Error::AlreadyStarted {
                name: plan.name.clone(),
            });
        }
        let (stop, stopped) = oneshot::channel();
        let (sender, commands) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(false);
        control.running = Some(Running {
            stop: Some(stop),
            commands: sender,
            ended,
        });
        self.told.send_modify(|told| told.ended(false));
        Ok(Launch {
            plan,
            stopped,
            commands,
            end,
        })
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

    /// Starts watching; returns with the outcome of the first configuration.
    ///
    /// # Errors
    /// [`Error::Refused`] where the first configuration is bad: watching goes on, the state is `Empty` until a good one comes.
    /// After [`Error::StartupTimeout`] everything is released and `start` may be called again. [`Error::AlreadyStarted`] and
    /// [`Error::NoRuntime`] where it cannot start.
    pub async fn start(&self) -> Result<(), Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::NoRuntime {
                name: self.shared.name.clone(),
            });
        }
        let launch = self.shared.launch()?;
        // In manual mode nobody else lets go what an earlier runtime left behind.
        drop(self.shared.manual.lock().await.take());
        let plan = Arc::clone(&launch.plan);
        let first = async {
            match plan.manual {
                true => self.start_manually(launch).await,
                false => self.start_task(launch).await,
            }
        };
        let Some(limit) = plan.startup_timeout else {
            return first.await;
        };
        if let Ok(outcome) = tokio::time::timeout(limit, first).await {
            return outcome;
        }
        let status = self.status();
        self.stop().await;
        let silent = status.layers.iter().filter(|layer| layer.changed.is_none());
        Err(Error::StartupTimeout {
            name: self.shared.name.clone(),
            after: limit,
            waiting: silent.map(|layer| layer.origin.clone()).collect(),
        })
    }

    async fn start_task(&self, launch: Launch<C>) -> Result<(), Error> {
        let (first, outcome) = oneshot::channel();
        let Launch {
            plan,
            mut stopped,
            commands,
            end,
        } = launch;
        let driver = Driver::new(plan, Arc::clone(&self.shared), first, commands);
        tokio::spawn(async move {
            // Told last, when nothing is left.
            let _ended = Ended(end);
            let mut driver = driver;
            poll_fn(|cx| match stop_was_asked(&mut stopped, cx) {
                true => Poll::Ready(()),
                false => driver.poll(cx),
            })
            .await;
            driver.end().await;
        });
        outcome.await.unwrap_or_else(|_| Err(self.not_running()))
    }

    async fn start_manually(&self, launch: Launch<C>) -> Result<(), Error> {
        let (first, mut outcome) = oneshot::channel();
        let Launch {
            plan,
            mut stopped,
            commands,
            end,
        } = launch;
        let ended = Ended(end);
        let mut driver = Driver::new(plan, Arc::clone(&self.shared), first, commands);
        let loaded = poll_fn(|cx| match stop_was_asked(&mut stopped, cx) {
            true => Poll::Ready(false),
            false if driver.poll_until_loaded(cx) => Poll::Ready(true),
            false => Poll::Pending,
        });
        if !loaded.await {
            return Err(self.not_running());
        }
        *self.shared.manual.lock().await = Some(driver);
        // So that it is known when the runtime is gone, without which no source can be watched.
        tokio::spawn(async move {
            let _ended = ended;
            let _ = stopped.await;
        });
        outcome
            .try_recv()
            .unwrap_or_else(|_| Err(self.not_running()))
    }

    fn not_running(&self) -> Error {
        Error::Stopped {
            name: self.shared.name.clone(),
        }
    }

    /// [`start`](Capacitor::start) for programs without a Tokio runtime: a thread of its own watches the sources until the
    /// capacitor is stopped.
    ///
    /// # Errors
    /// As for [`start`](Capacitor::start).
    pub fn start_blocking(&self) -> Result<(), Error> {
        let cannot = |error: std::io::Error| Error::Declaration {
            name: self.shared.name.clone(),
            problem: format!("no thread for watching: {error}"),
        };
        let (report, outcome) = std::sync::mpsc::channel();
        let capacitor = self.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(cannot)?;
        std::thread::Builder::new()
            .name(format!("flux-{}", self.shared.name))
            .spawn(move || {
                runtime.block_on(async move {
                    let outcome = capacitor.start().await;
                    let shared = Arc::clone(&capacitor.shared);
                    drop(capacitor);
                    let started = matches!(outcome, Ok(()) | Err(Error::Refused(_)));
                    // Whoever asked waits for this; it is gone only if its thread is.
                    let _ = report.send(outcome);
                    let ended =
                        (shared.control().running.as_ref()).map(|running| running.ended.clone());
                    if let Some(mut ended) = ended.filter(|_| started) {
                        let _ = ended.wait_for(|ended| *ended).await;
                    }
                });
            })
            .map_err(cannot)?;
        outcome.recv().unwrap_or_else(|_| Err(self.not_running()))
    }

    /// Ends the watching and waits until no task and no descriptor is left. The last configuration stays readable.
    pub async fn stop(&self) {
        let ended = self.shared.ask_to_stop();
        if let Some(mut driver) = self.shared.manual.lock().await.take() {
            driver.end().await;
        }
        if let Some(mut ended) = ended {
            // An error means that the task is gone, which is what is waited for.
            let _ = ended.wait_for(|ended| *ended).await;
        }
    }

    /// Manual mode: takes up what the sources said since the last call, applies it, and answers whether there was anything.
    ///
    /// # Errors
    /// [`Error::NotManual`] outside manual mode and before `start`.
    pub async fn process(&self) -> Result<bool, Error> {
        let running = self.shared.control().is_running();
        match &mut *self.shared.manual.lock().await {
            Some(driver) if running => Ok(driver.process().await),
            _ => Err(Error::NotManual {
                name: self.shared.name.clone(),
            }),
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

fn stop_was_asked(stopped: &mut oneshot::Receiver<()>, cx: &mut Context<'_>) -> bool {
    Pin::new(stopped).poll(cx).is_ready()
}

/// Tells that the watching has ended, also when the runtime drops the task.
struct Ended(watch::Sender<bool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// The capacitor behind a config struct's static handle.
pub fn global<C: Root>() -> &'static Capacitor<C> {
    let global = C::global();
    global.capacitor.get_or_init(|| {
        Capacitor::idle(
            C::NAME.to_owned(),
            HandleRef::Static(&global.handle, C::publish_hot),
        )
    })
}
