//! The methods of `Builder`: its layers in order of precedence, its options, and the program's own code.

mod load;
mod pipeline;

use super::{Capacitor, Root};
use crate::{
    Error, Snapshot, State,
    change::Group,
    codec::Unknown,
    engine::{AnyLayer, Reducer, Schema},
    handle::HandleRef,
    layer::Config,
    pipeline::{BoxError, PipelineParts},
    problem::{escaped, shortened},
    runtime::{Plan, Spec},
    source::{Source, arguments::Arguments},
};
use std::{ffi::OsString, fmt, future::Future, marker::PhantomData, sync::Arc, time::Duration};

/// Declares a capacitor. `AppConfig::builder()` has what the attributes declare; [`Capacitor::builder`] starts empty.
pub struct Builder<C: Config> {
    pub(crate) spec: Spec,
    config: PhantomData<fn() -> C>,
}

impl<C: Config> Default for Builder<C> {
    fn default() -> Self {
        Builder::new()
    }
}

impl<C: Config> Builder<C> {
    /// No layers yet.
    pub fn new() -> Self {
        Builder {
            spec: Spec::new(Schema::of::<C>()),
            config: PhantomData,
        }
    }

    /// Adds a layer above the sources that are there already, below every override.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.spec.sources.push(source);
        self
    }

    /// Adds a layer above everything that is there already.
    #[must_use]
    pub fn override_with(mut self, source: Source) -> Self {
        self.spec.overrides.push(source);
        self
    }

    /// Reads these arguments instead of the process's. Where no layer reads arguments, one is added above everything else. The
    /// program's name is not one of them.
    ///
    /// ```
    /// use flux::Flux;
    ///
    /// #[derive(Flux)]
    /// #[flux(override = "args")]
    /// struct AppConfig {
    ///     #[flux(default = 80, short = 'p')]
    ///     port: u16,
    /// }
    ///
    /// # fn main() -> Result<(), flux::Error> {
    /// let app = AppConfig::builder().arguments(["-p", "8080"]).load()?;
    /// assert_eq!(app.port, 8080);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        self.spec.set_arguments(Arguments::Given(arguments));
        self
    }

    /// Any figment provider as a source: above the sources that are there already, below every override, also below those that are
    /// declared earlier. [`Source::provider`] with [`override_with`](Builder::override_with) puts it above everything, and
    /// [`Source::named`] gives it a name in reports.
    #[cfg(feature = "figment")]
    #[must_use]
    pub fn provider(self, provider: impl figment::Provider + Send + 'static) -> Self {
        self.source(Source::provider(provider))
    }

    /// Removes the layers that were declared so far, so that a test can declare its own.
    #[must_use]
    pub fn clear_sources(mut self) -> Self {
        self.spec.sources.clear();
        self.spec.overrides.clear();
        self
    }

    /// The name in events, reports and the status; the struct's by default.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.spec.options.name = escaped(&shortened(&name.into())).into_owned();
        self
    }

    /// How long the sources must be quiet before changes are taken up; 100 ms by default. The first configuration never waits.
    #[must_use]
    pub fn debounce(mut self, window: Duration) -> Self {
        self.spec.options.debounce = window;
        self
    }

    /// How long changes that follow one another can put an update off at most; ten times the debounce, at least 1 s, by default.
    #[must_use]
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.spec.options.max_wait = Some(wait);
        self
    }

    /// How long `start` waits for every layer's first value and its outcome; for ever by default.
    #[must_use]
    pub fn startup_timeout(mut self, limit: Duration) -> Self {
        self.spec.options.startup_timeout = Some(limit);
        self
    }

    /// How often files and stores are read again although they reported no change. A source whose declaration or URI has a `resync`
    /// of its own keeps that; a watcher of your own is not affected.
    #[must_use]
    pub fn resync(mut self, every: Duration) -> Self {
        self.spec.resync = Some(every);
        self
    }

    /// What is done with keys that no field has; a warning by default.
    #[must_use]
    pub fn unknown(mut self, unknown: Unknown) -> Self {
        self.spec.options.unknown = unknown;
        self
    }

    /// How many refusals the status remembers; none by default.
    #[must_use]
    pub fn history(mut self, size: usize) -> Self {
        self.spec.options.history = size;
        self
    }

    /// Manual mode: nothing happens by itself, [`Capacitor::process`] takes one step.
    #[must_use]
    pub fn manual(mut self) -> Self {
        self.spec.options.manual = true;
        self
    }

    /// Replaces the generated reducer. It is given the value that readers see, and the layers that contribute something, lowest first.
    /// The type of a layer is `flux::LayerOf<AppConfig>`.
    #[must_use]
    pub fn reducer<E: Into<BoxError>>(
        mut self,
        reduce: impl Fn(Option<&C>, &[&C::Layer]) -> Result<C::Layer, E> + Send + Sync + 'static,
    ) -> Self {
        let reducer: Reducer = Arc::new(move |current, layers| {
            let layers: Vec<&C::Layer> = layers.iter().map(|layer| layer.get()).collect();
            let current = current.map(|snapshot| &**snapshot.get::<C>());
            reduce(current, &layers)
                .map(AnyLayer::new)
                .map_err(Into::into)
        });
        self.spec.options.reducer = Some(reducer);
        self
    }

    /// How many configurations before the current one are kept for [`Capacitor::rollback`]; 4 by default. Each keeps its value and
    /// its documents in memory.
    #[must_use]
    pub fn generations(mut self, earlier: usize) -> Self {
        self.spec.options.generations = earlier;
        self
    }

    /// Joins a group of config types: all of them swap or none does.
    #[must_use]
    pub fn group(mut self, group: &Group) -> Self {
        self.spec.options.group = Some(group.clone());
        self
    }

    /// After each change but the first, the program may take it back for so long: by [`Capacitor::report_unhealthy`], or by a
    /// failing [`health_check`](Builder::health_check). What is taken back is not tried again until it changes.
    #[must_use]
    pub fn probation(mut self, window: Duration) -> Self {
        self.spec.options.probation = Some(window);
        self
    }

    /// Called about ten times during a [`probation`](Builder::probation); the first error takes the change back.
    #[must_use]
    pub fn health_check<F, E>(
        mut self,
        check: impl Fn(Arc<Snapshot<C>>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.spec.options.health_check = Some(Arc::new(move |snapshot| {
            let answer = check(snapshot.typed());
            Box::pin(async move { answer.await.map_err(Into::into) })
        }));
        self
    }

    /// Keeps the last good configuration in this file (JSON, readable by its owner alone, replaced at once and synced to disk after
    /// each change that is no longer on probation). A start while sources are down, silent for half of the startup timeout (5 s
    /// without one), or hold what cannot be decoded, breaks a rule, or is refused by the callback, a stage or a party, serves it: the
    /// state is `Degraded`, and the status contains the reason. The layers that are read at start, such as the environment, are not
    /// kept: they take part as they are. Every value is kept as it is written in its document; what cannot be
    /// kept is a warning and in [`Status::last_known_good`](crate::capacitor::Status::last_known_good) when it is written.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn last_known_good(
        mut self,
        path: impl Into<flux_syntax::Template>,
        secrets: super::Secrets,
    ) -> Self {
        self.spec.last_known_good = Some((path.into(), secrets));
        self
    }

    /// Changes are on trial: until a new configuration has served for 60 s (or passed its [`probation`](Builder::probation), which
    /// is a trial too), the death of the process is held against it. A record beside the file of the
    /// [`last_known_good`](Builder::last_known_good) configuration, `PATH.trial`, is on disk before the change is applied: it
    /// contains fingerprints of the documents' values, the paths that changed, and no value. After `tries` deaths the content is in
    /// quarantine: the last known good configuration serves, the state is `Degraded`, and the report lists the paths. Content with other
    /// values is taken up at once; the same content again after an hour, then two, four, up to a day, or by
    /// [`trust`](crate::Capacitor::trust). A stop by [`stop`](crate::Capacitor::stop) is no death, everything else is.
    ///
    /// With a probation and a last known good configuration, changes are on trial with two tries without this call.
    ///
    /// `build` and `start` refuse `tries` of 0, and a trial without a last known good configuration.
    ///
    /// ```no_run
    /// # #[derive(flux::Flux)] struct AppConfig { port: u16 }
    /// # fn build() -> Result<flux::Capacitor<AppConfig>, flux::Error> {
    /// flux::Capacitor::<AppConfig>::builder()
    ///     .source(flux::Source::file("app.yaml"))
    ///     .last_known_good("/var/lib/app/last.json", flux::Secrets::Omit)
    ///     .trial(2)
    ///     .build()
    /// # }
    /// ```
    #[cfg(feature = "json")]
    #[must_use]
    pub fn trial(mut self, tries: u32) -> Self {
        self.spec.trial = Some(tries);
        self
    }

    /// Called once with the final state when watching ends: by `stop`, or because every source closed.
    #[must_use]
    pub fn on_stop(mut self, call: impl Fn(State) + Send + Sync + 'static) -> Self {
        self.spec.options.on_stop = Some(Arc::new(call));
        self
    }

    /// Reads every source again when the process receives this signal, as [`Capacitor::reload`] does; the outcome is in the events
    /// `flux.capacitor.reloaded` and `flux.capacitor.reload.failed`. From the first start on the signal does nothing else: `SIGHUP`
    /// does not end the process any more. In manual mode, and on systems without such signals, it does nothing; the latter is
    /// reported as a warning at start.
    ///
    /// ```
    /// use flux::{Builder, Flux, capacitor::Signal};
    ///
    /// #[derive(Flux)]
    /// #[flux(source = "file:app.yaml", reload_on = "SIGHUP")]
    /// struct AppConfig {
    ///     port: u16,
    /// }
    ///
    /// # fn builder() -> Builder<AppConfig> {
    /// AppConfig::builder().reload_on(Signal::User1)       // in the place of the declared one
    /// # }
    /// ```
    #[cfg(feature = "signal")]
    #[must_use]
    pub fn reload_on(mut self, signal: super::Signal) -> Self {
        self.spec.options.reload_on = Some(signal);
        self
    }

    /// An instance of its own, beside the static one and any other; not started yet.
    ///
    /// # Errors
    /// [`Error::Declaration`] where the layers cannot work.
    pub fn build(self) -> Result<Capacitor<C>, Error> {
        let name = self.spec.options.name.clone();
        let capacitor = Capacitor::idle(name, HandleRef::Shared(Arc::default()));
        capacitor.instance.install(Plan::of(self.spec)?)?;
        Ok(capacitor)
    }

    /// What the program adds to the pipeline. Made by the first addition: without one, a config type has no pipeline at all.
    pub(super) fn parts(&mut self) -> &mut PipelineParts<C> {
        let pipeline = &mut self.spec.options.pipeline;
        let parts = pipeline.get_or_insert_with(|| Box::new(PipelineParts::<C>::default()));
        match parts.as_any_mut().downcast_mut() {
            Some(parts) => parts,
            None => unreachable!("the parts of a builder are those of its config type"),
        }
    }
}

impl<C: Root> Builder<C> {
    /// Starts the static instance, the one behind `AppConfig::get()`: see [`Capacitor::start`].
    ///
    /// # Errors
    /// As for [`Capacitor::start`], and [`Error::Declaration`] where the layers cannot work.
    pub async fn start(self) -> Result<(), Error> {
        let capacitor = super::global::capacitor::<C>();
        match capacitor.instance.rejoin() {
            Some(outcome) => outcome,
            None => {
                capacitor.instance.install(Plan::of(self.spec)?)?;
                capacitor.start().await
            }
        }
    }

    /// [`start`](Builder::start) for programs without a Tokio runtime: a thread of its own watches the sources.
    ///
    /// # Errors
    /// As for [`start`](Builder::start).
    pub fn start_blocking(self) -> Result<(), Error> {
        let capacitor = super::global::capacitor::<C>();
        match capacitor.instance.rejoin() {
            Some(outcome) => outcome,
            None => {
                capacitor.instance.install(Plan::of(self.spec)?)?;
                capacitor.start_blocking()
            }
        }
    }
}

impl<C: Config> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.spec.options.name)
            .finish_non_exhaustive()
    }
}
