//! The methods of `Capacitor`: reads with their type; everything else is handed to the runtime.
//!
//! A thin typed shell: reads are typed, and everything else is handed to the runtime, which is compiled once.

mod builder;
#[cfg(feature = "figment")]
mod figment;
pub(crate) mod global;
pub(crate) mod hot;
mod root;
mod weak;

#[cfg(feature = "json")]
pub use crate::runtime::Secrets;
#[cfg(feature = "signal")]
pub use crate::runtime::Signal;
pub use crate::{
    engine::{
        Generation, GenerationOutcome, LastKnownGood, LayerStatus, ProbationStatus,
        QuarantineStatus, Refusal, State, Status, TrialRecordFile, TrialStatus, Trusted,
    },
    runtime::Error,
};
pub use builder::Builder;
pub use global::park;
pub use root::Root;
pub use weak::WeakCapacitor;

use crate::{
    Config, Guard, Reader, Report, Snapshot,
    change::{Events, Projection, Subscription},
    engine::AnySnapshot,
    handle::HandleRef,
    runtime::{self, Instance, Outlet, Owner, lifecycle},
};
use std::{fmt, sync::Arc};

/// Watches the layers of one config type, holds the last good value, moves between the states. Clones are the same capacitor;
/// when the last clone of an instance is dropped, its watching ends.
pub struct Capacitor<C: Config> {
    instance: Arc<Instance>,
    handle: HandleRef<C>,
    owner: Arc<Owner>,
}

impl<C: Config> Clone for Capacitor<C> {
    fn clone(&self) -> Self {
        Capacitor {
            instance: Arc::clone(&self.instance),
            handle: self.handle.clone(),
            owner: Arc::clone(&self.owner),
        }
    }
}

impl<C: Config> Outlet for HandleRef<C> {
    fn publish(&self, snapshot: &AnySnapshot) -> Option<AnySnapshot> {
        HandleRef::publish(self, snapshot.typed()).map(AnySnapshot::new)
    }
    fn load(&self) -> Option<AnySnapshot> {
        self.get().load().map(AnySnapshot::new)
    }
}

impl<C: Config> Capacitor<C> {
    /// A builder without any layer.
    pub fn builder() -> Builder<C> {
        Builder::new()
    }

    fn idle(name: String, handle: HandleRef<C>) -> Self {
        let instance = Arc::new(Instance::new(name, Box::new(handle.clone())));
        let owner = Arc::new(Owner(Arc::clone(&instance)));
        Capacitor {
            instance,
            handle,
            owner,
        }
    }

    /// The current configuration, as `AppConfig::get()` is for the static instance. No thread keeps a copy of it here, so that a
    /// guard counts on a counter that all threads share; a hot loop takes a [`reader`](Capacitor::reader).
    ///
    /// # Panics
    /// Before the first success; [`try_get`](Capacitor::try_get) answers with an `Option`.
    pub fn get(&self) -> Guard<C> {
        Guard::of(self.snapshot())
    }

    /// The current configuration; none before the first success.
    pub fn try_get(&self) -> Option<Guard<C>> {
        self.try_snapshot().map(Guard::of)
    }

    /// The current configuration as an `Arc`, to keep.
    ///
    /// # Panics
    /// Before the first success; [`try_snapshot`](Capacitor::try_snapshot) answers with an `Option`.
    pub fn snapshot(&self) -> Arc<Snapshot<C>> {
        match self.try_snapshot() {
            Some(snapshot) => snapshot,
            None => self.not_started(),
        }
    }

    /// The current configuration as an `Arc`, to keep; none before the first success. What a test has put over the reads on the type
    /// (`flux::testing`) is not seen here.
    pub fn try_snapshot(&self) -> Option<Arc<Snapshot<C>>> {
        self.handle.get().load()
    }

    /// A reader of its own for a hot loop.
    ///
    /// # Panics
    /// Before the first success.
    pub fn reader(&self) -> Reader<C> {
        match Reader::new(self.handle.clone()) {
            Some(reader) => reader,
            None => self.not_started(),
        }
    }

    #[cold]
    fn not_started(&self) -> ! {
        panic!(
            "{}: no configuration was applied yet (state: {}); look at the error that `start()` returned, or use `try_get()`",
            self.instance.name,
            self.state()
        )
    }

    /// Yields every change after the fact, from this call on.
    pub fn subscribe(&self) -> Subscription<C> {
        Subscription::new(self.events())
    }

    /// Yields every change and every refusal after the fact, from this call on.
    pub fn events(&self) -> Events<C> {
        Events::new(self.instance.notices.subscribe())
    }

    /// Yields one part of the configuration whenever it has changed: `watch(|config| &config.pool.size)`.
    pub fn watch<T, F>(&self, part: F) -> Projection<C, T, F>
    where
        T: PartialEq + ?Sized,
        F: Fn(&C) -> &T,
    {
        Projection::new(self.subscribe(), part)
    }

    /// [`watch`](Capacitor::watch), but the first call of [`changed`](Projection::changed) yields the current value, once there is
    /// one: for code that does the same with the first value as with each later one.
    ///
    /// ```
    /// # use flux::{Format, Flux, Source, source::Channel};
    /// # #[derive(Flux)] struct AppConfig { workers: usize }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (document, channel) = Channel::latest("app.yaml");
    /// # let capacitor = flux::Capacitor::<AppConfig>::builder()
    /// #     .source(Source::watcher(channel).format(Format::Json)).build()?;
    /// # document.try_send(&b"{ \"workers\": 4 }"[..])?;
    /// # capacitor.start().await?;
    /// let mut workers = capacitor.follow(|config| &config.workers);
    /// assert_eq!(workers.changed().await, Some(&4));     // at once
    /// # capacitor.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn follow<T, F>(&self, part: F) -> Projection<C, T, F>
    where
        T: PartialEq + ?Sized,
        F: Fn(&C) -> &T,
    {
        self.watch(part).current_first()
    }

    /// A handle that does not keep the capacitor alive: for callbacks, parties and tasks of the program that a capacitor owns or
    /// that own one. See [`WeakCapacitor`].
    pub fn downgrade(&self) -> WeakCapacitor<C> {
        WeakCapacitor::new(self)
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// The state.
    pub fn state(&self) -> State {
        self.instance.state()
    }

    /// One consistent picture: state, generation, error, layers, history.
    pub fn status(&self) -> Arc<Status> {
        self.instance.status()
    }

    /// Why the newest change is refused; none while the newest content of every layer is applied.
    pub fn last_error(&self) -> Option<Report> {
        self.instance.status.load().error.clone()
    }

    /// Starts watching; returns with the outcome of the first configuration. Dropped before that, as by `tokio::time::timeout`, it
    /// stops, and may be called again.
    ///
    /// After a refusal the watching goes on, and one more `start` joins it: it returns `Ok` once a good configuration is applied, and
    /// the newest report until then, so that a loop of tries ends. To start with other layers, call [`stop`](Capacitor::stop) first.
    ///
    /// # Errors
    /// [`Error::Refused`] where the first configuration is bad: the state is `Empty` until a good one comes. After
    /// [`Error::StartupTimeout`] everything is released and `start` may be called again. [`Error::AlreadyStarted`],
    /// [`Error::NoRuntime`], [`Error::NoTimers`] and [`Error::Forked`] where it cannot start.
    pub async fn start(&self) -> Result<(), Error> {
        lifecycle::start(&self.instance).await
    }

    /// Waits for the first good configuration, and returns it; at once where there is one. May be called
    /// before `start`, any number of times, and dropped at any time.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the watching ends before that.
    pub async fn ready(&self) -> Result<Guard<C>, Error> {
        let mut notices = self.instance.notices.subscribe();
        loop {
            // Marked as seen before it is looked at: what is applied meanwhile wakes this again.
            let ended = notices.borrow_and_update().has_ended();
            if let Some(guard) = self.try_get() {
                return Ok(guard);
            }
            if ended || notices.changed().await.is_err() {
                return Err(self.instance.not_running());
            }
        }
    }

    /// [`start`](Capacitor::start) for programs without a Tokio runtime: a thread of its own watches the sources until the
    /// capacitor is stopped.
    ///
    /// # Errors
    /// As for [`start`](Capacitor::start).
    pub fn start_blocking(&self) -> Result<(), Error> {
        lifecycle::start_blocking(Arc::clone(&self.owner))
    }

    /// Ends the watching and waits until no task and no descriptor is left. The last configuration stays readable.
    ///
    /// From inside a stage, a callback, a party or a tower layer of the same capacitor it returns at once, because that code itself is
    /// waited for: the watching ends as soon as it is done, and an event at level ERROR reports the call.
    pub async fn stop(&self) {
        lifecycle::stop(&self.instance).await;
    }

    /// Reads every source again now, whether or not it has reported a change, takes up what they hold without waiting for quiet, and
    /// returns the number of the configuration that is served. What was refused before, by a callback for example, is tried again.
    /// The environment, arguments and figment providers are read at start alone.
    ///
    /// A source has 10 s for its answer, one that is lost already 2 s. A call while another reload is under way waits for both.
    ///
    /// # Errors
    /// [`Error::Refused`] where the newest content of a layer is refused; [`Error::Unread`] where a source could not be read (the
    /// others are applied); [`Error::Stopped`] where the capacitor is not running; [`Error::Inside`] from inside the own pipeline.
    pub async fn reload(&self) -> Result<u64, Error> {
        runtime::reload(&self.instance).await
    }

    /// Manual mode: takes up what the sources hold since the last call, applies it, and answers whether there was anything.
    ///
    /// # Errors
    /// [`Error::NotManual`] outside manual mode and before `start`; [`Error::Inside`] from inside the own pipeline.
    pub async fn process(&self) -> Result<bool, Error> {
        lifecycle::process(&self.instance).await
    }

    /// Reports that the program is unhealthy with the current configuration. While that is on probation
    /// ([`Builder::probation`](crate::Builder::probation)), it is taken back: the last good generation is served again, and the
    /// content that made the bad one is not tried again until it changes. Answers whether it was on probation.
    pub fn report_unhealthy(&self, reason: impl Into<String>) -> bool {
        runtime::report_unhealthy(&self.instance, reason.into())
    }

    /// Serves an earlier generation again, by hand: the one with this number, or the last good one before the current one.
    /// Parties prepare and commit as for any change. What the layers hold now is not tried again until it changes. Answers with
    /// the number that is served.
    ///
    /// The next process knows nothing of it: it starts with what the sources hold then, so correct them before a restart.
    ///
    /// # Errors
    /// [`Error::NoSuchGeneration`] where it is not kept any more ([`Builder::generations`](crate::Builder::generations)),
    /// [`Error::Refused`] where a party refuses it, [`Error::Stopped`] where the capacitor is not running, [`Error::Inside`] from
    /// inside the own pipeline.
    pub async fn rollback(&self, to: impl Into<Option<u64>>) -> Result<u64, Error> {
        runtime::rollback(&self.instance, to.into()).await
    }

    /// Keeps the current configuration until [`unpin`](Capacitor::unpin), whatever the sources hold: newer content is refused
    /// meanwhile, and shown in the status.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the capacitor is not running, [`Error::Inside`] from inside the own pipeline.
    pub async fn pin(&self) -> Result<(), Error> {
        runtime::pin(&self.instance, true).await
    }

    /// Ends [`pin`](Capacitor::pin) and takes up what has come meanwhile.
    ///
    /// # Errors
    /// As for [`pin`](Capacitor::pin).
    pub async fn unpin(&self) -> Result<(), Error> {
        runtime::pin(&self.instance, false).await
    }

    /// Trusts the content of the sources: what is on [`trial`](crate::Builder::trial) has passed, what is in quarantine because
    /// the process died with it is tried again at once (one more death puts it back), and deaths with one content after the other
    /// count no more. Answers what there was of it. A [`probation`](crate::Builder::probation) goes on. So does a
    /// [`pin`](Capacitor::pin): while it lasts, what was in quarantine waits for [`unpin`](Capacitor::unpin).
    ///
    /// At the command line of the program it is `config trust`, with the feature `cli`: where [`admin`](crate::Builder::admin) is
    /// declared, of the process that runs, and where none runs, on the record `PATH.trial` (on systems other than Linux, whether one runs
    /// without `admin` is not known). Without the feature, that record can be
    /// removed while the program does not run.
    ///
    /// ```no_run
    /// # #[derive(flux::Flux)] struct AppConfig { port: u16 }
    /// # async fn trust(capacitor: flux::Capacitor<AppConfig>) -> Result<(), flux::Error> {
    /// let trusted = capacitor.trust().await?;
    /// for content in &trusted.lifted {
    ///     eprintln!("{} is not in quarantine any more", content.origin);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Stopped`] where the capacitor is not running, [`Error::Inside`] from inside the own pipeline.
    pub async fn trust(&self) -> Result<Trusted, Error> {
        runtime::trust(&self.instance).await
    }

    /// In manual mode no task carries commands out.
    #[cfg(feature = "testing")]
    pub(crate) async fn step(&self) {
        runtime::obey(&self.instance).await;
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
