//! The capacitor: watches the layers of one config type, holds the last good value, moves between the states.

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
pub(crate) mod tape;

pub use builder::Builder;
pub use generations::{Generation, GenerationOutcome};
pub use history::Refusal;
#[cfg(feature = "json")]
pub use last_known_good::Secrets;
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
pub(crate) use command::Command;
use command::Commands;
use driver::{Driver, Plan};
use std::{
    fmt,
    future::{Future, poll_fn},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
        let Launch {
            plan,
            mut stopped,
            commands,
            end,
        } = self.shared.launch()?;
        let (first, outcome) = oneshot::channel();
        let mut driver = Driver::new(Arc::clone(&plan), Arc::clone(&self.shared), first, commands);
        if plan.manual {
            return self.start_manually(driver, end).await;
        }
        let limit = plan.startup_timeout;
        tokio::spawn(async move {
            let _ended = Ended(end);
            poll_fn(|cx| {
                if std::pin::Pin::new(&mut stopped).poll(cx).is_ready() {
                    return std::task::Poll::Ready(());
                }
                driver.poll(cx)
            })
            .await;
            driver.saved().await;
            driver.stop();
        });
        let name = || self.shared.name.clone();
        let outcome = async {
            outcome
                .await
                .unwrap_or_else(|_| Err(Error::Stopped { name: name() }))
        };
        let Some(limit) = limit else {
            return outcome.await;
        };
        match tokio::time::timeout(limit, outcome).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let status = self.status();
                self.stop().await;
                let silent = status.layers.iter().filter(|layer| layer.changed.is_none());
                let waiting = silent.map(|layer| layer.origin.clone());
                Err(Error::StartupTimeout {
                    name: name(),
                    after: limit,
                    waiting: waiting.collect(),
                })
            }
        }
    }

    async fn start_manually(
        &self,
        mut driver: Driver<C>,
        end: watch::Sender<bool>,
    ) -> Result<(), Error> {
        poll_fn(|cx| match driver.poll_until_loaded(cx) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        })
        .await;
        let outcome = match (self.state(), self.last_error()) {
            (State::Empty, Some(report)) => Err(Error::Refused(report)),
            _ => Ok(()),
        };
        driver.hold(Ended(end));
        *self.shared.manual.lock().await = Some(driver);
        outcome
    }

    /// [`start`](Capacitor::start) for programs without a Tokio runtime: a thread of its own watches the sources until the
    /// capacitor is stopped.
    ///
    /// # Errors
    /// As for [`start`](Capacitor::start).
    pub fn start_blocking(&self) -> Result<(), Error> {
        let name = || self.shared.name.clone();
        let cannot = |error: std::io::Error| Error::Declaration {
            name: name(),
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
                    // Whoever asked waits for this; it is gone only if its thread is.
                    let _ = report.send(outcome);
                    let ended = shared
                        .control()
                        .running
                        .as_ref()
                        .map(|running| running.ended.clone());
                    if let Some(mut ended) = ended {
                        let _ = ended.wait_for(|ended| *ended).await;
                    }
                });
            })
            .map_err(cannot)?;
        outcome
            .recv()
            .unwrap_or_else(|_| Err(Error::Stopped { name: name() }))
    }

    /// Ends the watching and waits until no task and no descriptor is left. The last configuration stays readable.
    pub async fn stop(&self) {
        let ended = self.shared.ask_to_stop();
        drop(self.shared.manual.lock().await.take());
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
        match &mut *self.shared.manual.lock().await {
            Some(driver) => Ok(driver.process().await),
            None => Err(Error::NotManual {
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
