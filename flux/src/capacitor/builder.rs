//! Declares a capacitor: its layers, in order of precedence, its options, and the user's own code.

use super::{Capacitor, Shared, core::Reducer, plan::Plan, probation::HealthCheck};
use crate::{
    Error, Snapshot, State,
    capacitor::Root,
    change::{AnyParty, Group},
    codec::Unknown,
    handle::HandleRef,
    layer::Config,
    pipeline::{AddLayer, BoxError, Stage},
    source::declare::{Input, Source},
};
use std::{fmt, future::Future, sync::Arc, time::Duration};

/// Declares a capacitor. `AppConfig::builder()` has what the attributes declare; [`Capacitor::builder`] starts empty.
pub struct Builder<C: Config> {
    name: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) overrides: Vec<Source>,
    debounce: Duration,
    max_wait: Option<Duration>,
    startup_timeout: Option<Duration>,
    resync: Option<Duration>,
    unknown: Unknown,
    history: usize,
    manual: bool,
    reducer: Option<Reducer<C>>,
    generations: usize,
    pub(super) stages: Vec<Stage<C>>,
    pub(super) parties: Vec<Arc<dyn AnyParty<C>>>,
    pub(super) pipeline: Vec<AddLayer<C>>,
    group: Option<Group>,
    pub(crate) tape: super::tape::Tape<C>,
    probation: Option<Duration>,
    health_check: Option<HealthCheck<C>>,
    #[cfg(feature = "json")]
    last_known_good: Option<(flux_syntax::Template, super::Secrets)>,
    on_stop: Option<OnStop>,
}

pub(crate) type OnStop = Arc<dyn Fn(State) + Send + Sync>;

impl<C: Config> Default for Builder<C> {
    fn default() -> Self {
        Builder::new()
    }
}

impl<C: Config> Builder<C> {
    /// No layers yet.
    pub fn new() -> Self {
        Builder {
            name: C::NAME.to_owned(),
            sources: Vec::new(),
            overrides: Vec::new(),
            debounce: Duration::from_millis(100),
            max_wait: None,
            startup_timeout: None,
            resync: None,
            unknown: Unknown::Warn,
            history: 0,
            manual: false,
            reducer: None,
            generations: 4,
            stages: Vec::new(),
            parties: Vec::new(),
            pipeline: Vec::new(),
            group: None,
            tape: Default::default(),
            probation: None,
            health_check: None,
            #[cfg(feature = "json")]
            last_known_good: None,
            on_stop: None,
        }
    }

    /// Adds a layer above the sources that are there already, below every override.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.sources.push(source);
        self
    }

    /// Adds a layer above everything that is there already.
    #[must_use]
    pub fn override_with(mut self, source: Source) -> Self {
        self.overrides.push(source);
        self
    }

    /// Any figment provider as a source.
    #[cfg(feature = "figment")]
    #[must_use]
    pub fn provider(self, provider: impl figment::Provider + Send + 'static) -> Self {
        self.source(Source::provider(provider))
    }

    /// Forgets the layers that were declared so far, so that a test can name its own.
    #[must_use]
    pub fn clear_sources(mut self) -> Self {
        self.sources.clear();
        self.overrides.clear();
        self
    }

    /// The name in events, reports and the status; the struct's by default.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How long the sources must be quiet before changes are taken up; 100 ms by default. The first configuration never waits.
    #[must_use]
    pub fn debounce(mut self, window: Duration) -> Self {
        self.debounce = window;
        self
    }

    /// The longest that a steady writer can put changes off; ten times the debounce, at least 1 s, by default.
    #[must_use]
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(wait);
        self
    }

    /// How long `start` waits for every layer's first value and its outcome; for ever by default.
    #[must_use]
    pub fn startup_timeout(mut self, limit: Duration) -> Self {
        self.startup_timeout = Some(limit);
        self
    }

    /// How often files are compared with what was read, for file systems that send no events.
    #[must_use]
    pub fn resync(mut self, every: Duration) -> Self {
        self.resync = Some(every);
        self
    }

    /// What is done with keys that no field has; a warning by default.
    #[must_use]
    pub fn unknown(mut self, unknown: Unknown) -> Self {
        self.unknown = unknown;
        self
    }

    /// How many refusals the status remembers; none by default.
    #[must_use]
    pub fn history(mut self, size: usize) -> Self {
        self.history = size;
        self
    }

    /// Manual mode: nothing happens by itself, [`Capacitor::process`] takes one step.
    #[must_use]
    pub fn manual(mut self) -> Self {
        self.manual = true;
        self
    }

    /// Replaces the generated reducer: it sees the value that readers see and the layers that say something, lowest first.
    #[must_use]
    pub fn reducer<E: Into<BoxError>>(
        mut self,
        reduce: impl Fn(Option<&C>, &[&C::Layer]) -> Result<C::Layer, E> + Send + Sync + 'static,
    ) -> Self {
        self.reducer = Some(Arc::new(move |current, layers| {
            reduce(current, layers).map_err(Into::into)
        }));
        self
    }

    /// How many configurations before the current one are kept for [`Capacitor::rollback`]; 4 by default. Each keeps its value and
    /// its documents in memory.
    #[must_use]
    pub fn generations(mut self, earlier: usize) -> Self {
        self.generations = earlier;
        self
    }

    /// Joins a group of config types: all of them swap or none does.
    #[must_use]
    pub fn group(mut self, group: &Group) -> Self {
        self.group = Some(group.clone());
        self
    }

    /// After each change but the first, the program may take it back for so long: by [`Capacitor::report_unhealthy`], or by a
    /// failing [`health_check`](Builder::health_check). What is taken back is not tried again until it changes.
    #[must_use]
    pub fn probation(mut self, window: Duration) -> Self {
        self.probation = Some(window);
        self
    }

    /// Asks the program how it is, some ten times in a [`probation`](Builder::probation); the first failure takes the change back.
    #[must_use]
    pub fn health_check<F, E>(
        mut self,
        check: impl Fn(Arc<Snapshot<C>>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.health_check = Some(Arc::new(move |snapshot| {
            let answer = check(snapshot);
            Box::pin(async move { answer.await.map_err(Into::into) })
        }));
        self
    }

    /// Keeps the last good configuration in this file (JSON, readable by its owner alone, replaced at once and synced to disk after
    /// each change that is no longer on probation). A start while sources are down, silent for half of the startup timeout (5 s
    /// without one), or hold a refused document, serves it: the state is `Degraded`, and the status says why. The layers that are
    /// read at start, such as the environment, are not kept.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn last_known_good(
        mut self,
        path: impl Into<flux_syntax::Template>,
        secrets: super::Secrets,
    ) -> Self {
        self.last_known_good = Some((path.into(), secrets));
        self
    }

    /// Called once with the final state when watching ends: by `stop`, or because every source closed.
    #[must_use]
    pub fn on_stop(mut self, call: impl Fn(State) + Send + Sync + 'static) -> Self {
        self.on_stop = Some(Arc::new(call));
        self
    }

    /// An instance of its own, beside the static one and any other; not started yet.
    ///
    /// # Errors
    /// [`Error::Declaration`] where the layers cannot work.
    pub fn build(self) -> Result<Capacitor<C>, Error> {
        let capacitor = Capacitor::idle(self.name.clone(), HandleRef::Shared(Arc::default()));
        capacitor.shared.install(self.plan()?)?;
        Ok(capacitor)
    }

    /// Opens the layers.
    fn plan(self) -> Result<Plan<C>, Error> {
        let wrong = |problem: String| Error::Declaration {
            name: self.name.clone(),
            problem,
        };
        let mut layers = Vec::new();
        for source in self.sources.into_iter().chain(self.overrides) {
            layers.push(source.open(self.resync).map_err(wrong)?);
        }
        if layers.is_empty() {
            return Err(wrong(
                "no layers; declare one, as in `#[flux(source = \"file:app.yaml\")]`".into(),
            ));
        }
        #[cfg(feature = "json")]
        let last_known_good = match &self.last_known_good {
            None => None,
            Some((path, secrets)) => Some(super::last_known_good::Keep {
                path: crate::source::declare::expand(path, &Default::default())
                    .map_err(wrong)?
                    .into(),
                secrets: *secrets,
            }),
        };
        for layer in &layers {
            if let Input::Environment(prefix, _) = &layer.input {
                crate::source::environment::check_names(C::fields(), prefix).map_err(wrong)?;
            }
        }
        let max_wait = self
            .max_wait
            .unwrap_or_else(|| (self.debounce * 10).max(Duration::from_secs(1)));
        Ok(Plan {
            name: self.name,
            layers,
            debounce: self.debounce,
            max_wait,
            startup_timeout: self.startup_timeout,
            unknown: self.unknown,
            history: self.history,
            manual: self.manual,
            // A probation needs something to go back to.
            generations: self.generations.max(self.probation.is_some().into()),
            reducer: self.reducer,
            stages: self.stages.into(),
            parties: self.parties.into(),
            pipeline: self.pipeline,
            group: self.group,
            tape: self.tape,
            probation: self.probation,
            health_check: self.health_check,
            #[cfg(feature = "json")]
            last_known_good,
            on_stop: self.on_stop,
        })
    }
}

impl<C: Root> Builder<C> {
    /// Starts the static instance, the one behind `AppConfig::get()`; returns with the outcome of the first configuration.
    ///
    /// # Errors
    /// [`Error::Refused`] where the first configuration is bad (watching goes on), and every other [`Error`].
    pub async fn start(self) -> Result<(), Error> {
        self.global()?.start().await
    }

    /// [`start`](Builder::start) for programs without a Tokio runtime: a thread of its own watches the sources.
    ///
    /// # Errors
    /// As for [`start`](Builder::start).
    pub fn start_blocking(self) -> Result<(), Error> {
        self.global()?.start_blocking()
    }

    fn global(self) -> Result<&'static Capacitor<C>, Error> {
        let capacitor = super::global_capacitor::<C>();
        capacitor.shared.install(self.plan()?)?;
        Ok(capacitor)
    }
}

impl<C: Config> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<C: Config> Shared<C> {
    /// Puts a plan in place of the last one, unless that one is running.
    fn install(&self, plan: Plan<C>) -> Result<(), Error> {
        let mut control = self.control();
        if control.is_running() {
            return Err(Error::AlreadyStarted { name: plan.name });
        }
        control.plan = Some(Arc::new(plan));
        Ok(())
    }
}
