//! What a capacitor is built and started from, any number of times.

use super::{clock::now, error::Error, recorder_hook::RecorderHook};
#[cfg(feature = "json")]
use crate::engine::TrialRules;
use crate::{
    change::Group,
    codec::Unknown,
    engine::{AnyLayer, AnySnapshot, LayerState, Reducer, Schema, Settings, State, whole_entry},
    pipeline::{Answer, AnyParts},
    problem::{ProblemKind, caught},
    source::{
        Given, Source,
        arguments::{self, Arguments},
        declare::{Input, Opened},
        environment,
        mailbox::Mailbox,
        supervisor::supervise,
    },
};
use std::{future::Future, path::Path, pin::Pin, sync::Arc, time::Duration};

#[cfg(feature = "json")]
pub(super) use super::keeper::DiskFindings;

pub(super) type BoxedTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The limit of a load where no startup timeout is declared: a program that waits before it has started shows nobody why.
const LOAD_LIMIT: Duration = Duration::from_secs(30);

/// After how many deaths content is quarantined.
#[cfg(feature = "json")]
const TRIES: u32 = 2;

/// How long a change is on trial where there is no probation.
#[cfg(feature = "json")]
const ON_TRIAL: Duration = Duration::from_secs(60);

/// Called with the final state.
pub(crate) type OnStop = Arc<dyn Fn(State) + Send + Sync>;

/// The program's own health check.
pub(crate) type HealthCheck = Arc<dyn Fn(AnySnapshot) -> Answer<()> + Send + Sync>;

/// Everything that is declared of a capacitor.
pub(crate) struct Spec {
    pub(crate) schema: &'static Schema,
    pub(crate) name: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) overrides: Vec<Source>,
    pub(crate) debounce: Duration,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) startup_timeout: Option<Duration>,
    pub(crate) resync: Option<Duration>,
    pub(crate) unknown: Unknown,
    pub(crate) history: usize,
    pub(crate) manual: bool,
    pub(crate) reducer: Option<Reducer>,
    pub(crate) generations: usize,
    /// None where nothing of the program is to be asked before a change.
    pub(crate) pipeline: Option<Box<dyn AnyParts>>,
    pub(crate) group: Option<Group>,
    pub(crate) recorder: Option<Box<dyn RecorderHook>>,
    pub(crate) probation: Option<Duration>,
    pub(crate) health_check: Option<HealthCheck>,
    #[cfg(feature = "json")]
    pub(crate) last_known_good: Option<(flux_syntax::Template, super::Secrets)>,
    /// After how many deaths content is quarantined; none where a change is on trial only if there is a probation.
    #[cfg(feature = "json")]
    pub(crate) trial: Option<u32>,
    pub(crate) on_stop: Option<OnStop>,
    #[cfg(feature = "signal")]
    pub(crate) reload_on: Option<super::Signal>,
}

/// Everything a capacitor needs to be started.
pub(crate) struct Plan {
    pub(super) schema: &'static Schema,
    pub(super) name: String,
    pub(super) layers: Vec<Opened>,
    pub(super) debounce: Duration,
    pub(super) max_wait: Duration,
    pub(super) startup_timeout: Option<Duration>,
    pub(super) unknown: Unknown,
    pub(super) history: usize,
    pub(super) manual: bool,
    pub(super) generations: usize,
    pub(super) reducer: Option<Reducer>,
    pub(super) pipeline: Option<Box<dyn AnyParts>>,
    pub(super) group: Option<Group>,
    pub(super) recorder: Option<Box<dyn RecorderHook>>,
    pub(super) probation: Option<Duration>,
    pub(super) health_check: Option<HealthCheck>,
    #[cfg(feature = "json")]
    pub(super) last_known_good: Option<super::last_known_good::KeepOnDisk>,
    pub(super) on_stop: Option<OnStop>,
    #[cfg(feature = "signal")]
    pub(super) reload_on: Option<super::Signal>,
}

impl Spec {
    /// Nothing is declared yet.
    pub(crate) fn new(schema: &'static Schema) -> Self {
        Spec {
            schema,
            name: schema.name.to_owned(),
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
            pipeline: None,
            group: None,
            recorder: None,
            probation: None,
            health_check: None,
            #[cfg(feature = "json")]
            last_known_good: None,
            #[cfg(feature = "json")]
            trial: None,
            on_stop: None,
            #[cfg(feature = "signal")]
            reload_on: None,
        }
    }

    /// The arguments that are read, in every layer that reads some, or else in one above all others.
    pub(crate) fn set_arguments(&mut self, given: Arguments) {
        let mut layers = self.sources.iter_mut().chain(&mut self.overrides);
        if !layers.any(|layer| layer.is_args()) {
            self.overrides.push(Source::args());
        }
        for layer in self.sources.iter_mut().chain(&mut self.overrides) {
            layer.arguments = given.clone();
        }
    }

    /// For a single load: nothing of it outlives the first configuration, and no running program takes part.
    pub(crate) fn once(mut self) -> Self {
        self.startup_timeout.get_or_insert(LOAD_LIMIT);
        (self.manual, self.generations) = (false, 0);
        (self.group, self.recorder) = (None, None);
        (self.probation, self.health_check) = (None, None);
        self.on_stop = None;
        #[cfg(feature = "signal")]
        {
            self.reload_on = None;
        }
        #[cfg(feature = "json")]
        {
            (self.last_known_good, self.trial) = (None, None);
        }
        self
    }

    /// How changes are on trial across processes.
    #[cfg(feature = "json")]
    fn trial_rules(&self) -> Option<TrialRules> {
        let tries = self.trial.or(self.probation.map(|_| TRIES))?;
        Some(TrialRules {
            tries,
            lasts: self.probation.unwrap_or(ON_TRIAL),
        })
    }

    /// Opens the layers.
    pub(crate) fn plan(self) -> Result<Plan, Error> {
        let wrong = |problem: String| Error::Declaration {
            name: self.name.clone(),
            problem,
        };
        #[cfg(feature = "json")]
        let trials = self.trial_rules();
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
        if let Some(tries) = self.trial {
            if self.last_known_good.is_none() {
                return Err(wrong(
                    "`trial` needs a last known good configuration to serve; add `last_known_good(PATH, Secrets::Omit)`".into(),
                ));
            }
            if tries == 0 {
                return Err(wrong(
                    "`trial(0)` would quarantine content without a death; write `trial(1)` or more"
                        .into(),
                ));
            }
        }
        #[cfg(feature = "json")]
        let last_known_good = match &self.last_known_good {
            None => None,
            Some((path, secrets)) => Some(super::last_known_good::KeepOnDisk {
                path: crate::source::declare::expand(path, &Default::default())
                    .map_err(wrong)?
                    .into(),
                secrets: *secrets,
                trials,
            }),
        };
        #[cfg(feature = "json")]
        if let Some(keep) = &last_known_good {
            let files = layers.iter().filter_map(|layer| {
                let folder = || layer.origin.strip_prefix("dir:").map(Path::new);
                layer.file.as_deref().or_else(folder)
            });
            keep.beside_sources(files).map_err(wrong)?;
        }
        for layer in &layers {
            if let Input::Environment(prefix, _) = &layer.input {
                environment::check_names((self.schema.fields)(), prefix).map_err(wrong)?;
            }
        }
        check_arguments(self.schema, &self.name, &layers)?;
        let max_wait = self
            .max_wait
            .unwrap_or_else(|| self.debounce.saturating_mul(10).max(Duration::from_secs(1)));
        Ok(Plan {
            schema: self.schema,
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
            pipeline: self.pipeline,
            group: self.group,
            recorder: self.recorder,
            probation: self.probation,
            health_check: self.health_check,
            #[cfg(feature = "json")]
            last_known_good,
            on_stop: self.on_stop,
            #[cfg(feature = "signal")]
            reload_on: self.reload_on,
        })
    }
}

/// Names that mean two fields are refused; and `--help` gives the help instead of a configuration.
fn check_arguments(schema: &Schema, name: &str, layers: &[Opened]) -> Result<(), Error> {
    let given = layers.iter().find_map(|layer| match &layer.input {
        Input::Arguments(given) => Some(given),
        _ => None,
    });
    let Some(given) = given else { return Ok(()) };
    let (fields, decode) = ((schema.fields)(), schema.decode_tree);
    arguments::check_names(fields, decode).map_err(|problem| Error::Declaration {
        name: name.to_owned(),
        problem,
    })?;
    if !arguments::ask_for_help(fields, decode, given) {
        return Ok(());
    }
    let prefixes = layers.iter().filter_map(|layer| match &layer.input {
        Input::Environment(prefix, _) => Some(prefix.as_str()),
        _ => None,
    });
    let prefixes: Vec<&str> = prefixes.collect();
    Err(Error::Help(arguments::help(
        fields, decode, &prefixes, given,
    )))
}

/// Nothing is kept on disk.
#[cfg(not(feature = "json"))]
pub(super) use std::convert::Infallible as DiskFindings;

impl Plan {
    /// Reads what is on disk of what was on trial, off the task.
    #[cfg(feature = "json")]
    pub(super) async fn found(&self) -> Option<DiskFindings> {
        let keep = self.last_known_good.clone()?;
        let config = self.schema.name;
        let reading = tokio::task::spawn_blocking(move || DiskFindings::read(&keep, config));
        reading.await.ok()
    }

    #[cfg(not(feature = "json"))]
    pub(super) async fn found(&self) -> Option<DiskFindings> {
        None
    }

    /// How the engine decides.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            name: self.name.clone(),
            history: self.history,
            generations: self.generations,
            debounce: self.debounce,
            max_wait: self.max_wait,
            grouped: self.group.is_some(),
            asks: self.pipeline.is_some(),
            probation: self.probation,
            checks: self.health_check.is_some(),
            fallback: self.fallback(),
        }
    }

    #[cfg(feature = "json")]
    fn fallback(&self) -> Option<Duration> {
        let limit = self.startup_timeout.map(|limit| limit / 2);
        let patience = limit.unwrap_or(super::fallback_start::PATIENCE);
        self.last_known_good.as_ref().map(|_| patience)
    }

    #[cfg(not(feature = "json"))]
    fn fallback(&self) -> Option<Duration> {
        None
    }

    /// By hand, and where nothing is watched, there is nothing to wait for.
    pub(super) fn needs_timers(&self) -> bool {
        let watched = |layer: &Opened| matches!(layer.input, Input::Watched(_));
        self.startup_timeout.is_some() || !self.manual && self.layers.iter().any(watched)
    }

    /// The layers: what is read now, and what is watched.
    pub(super) fn layers(
        &self,
        mailbox: &Arc<Mailbox>,
    ) -> (Vec<LayerState>, Vec<Option<BoxedTask>>) {
        let mut states = Vec::with_capacity(self.layers.len());
        let mut watchers = Vec::new();
        for (i, opened) in self.layers.iter().enumerate() {
            let mut state = LayerState::new(
                opened.origin.clone(),
                opened.decoder.clone(),
                opened.optional,
            );
            state.file.clone_from(&opened.file);
            state.proven = mailbox.proven(i);
            #[cfg(feature = "metrics")]
            state.proven.on_proof({
                let (name, origin) = (self.name.clone(), opened.origin.clone());
                move |at| crate::observe::metrics::layer_proven(&name, &origin, at)
            });
            match &opened.input {
                Input::Watched(watcher) => {
                    let (watcher, observer) = (Arc::clone(watcher), mailbox.observer(i));
                    watchers.push(Some(Box::pin(async move {
                        let mut watcher = watcher.lock().await;
                        supervise(&mut **watcher, &observer).await;
                    }) as BoxedTask));
                }
                input => {
                    let given = given(self.schema, &opened.origin, input, self.unknown);
                    state.give(given, now());
                }
            }
            states.push(state);
        }
        (states, watchers)
    }
}

/// Reads what a layer without a watcher contains; a panic is a refusal.
fn given(schema: &Schema, origin: &str, input: &Input, unknown: Unknown) -> Given<AnyLayer> {
    let (fields, decode) = ((schema.fields)(), schema.decode_tree);
    let read = || match input {
        Input::Environment(prefix, variables) => {
            environment::layer(fields, decode, prefix, variables, unknown)
        }
        Input::Arguments(given) => arguments::layer(fields, decode, given),
        #[cfg(feature = "figment")]
        Input::Provider(provider) => {
            let lock = provider.lock();
            let provider = lock.unwrap_or_else(std::sync::PoisonError::into_inner);
            crate::source::figment::layer_of(fields, decode, &**provider, unknown)
        }
        Input::Watched(_) => Given {
            read: Err(Vec::new()),
            secrets: Vec::new(),
            warnings: Vec::new(),
            arguments: None,
            prefix: None,
            tree: None,
            again: None,
        },
    };
    caught(read).unwrap_or_else(|panic| {
        let text = format!("reading it panicked: {panic}");
        Given {
            read: Err(vec![whole_entry(origin, text).kind(ProblemKind::Panic)]),
            secrets: Vec::new(),
            warnings: Vec::new(),
            arguments: None,
            prefix: None,
            tree: None,
            again: None,
        }
    })
}
