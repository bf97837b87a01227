//! What a capacitor is started from, and what of all layers together is refused in a declaration before that.

mod before_start;

use super::{
    clock::now,
    error::Error,
    spec::{Options, Spec},
    task::BoxedTask,
};
#[cfg(feature = "json")]
use crate::engine::TrialRules;
use crate::{
    codec::Unknown,
    engine::{AnyLayer, LayerState, Reducer, Schema, Served, ServedLayer, Settings, whole_entry},
    problem::{ProblemKind, caught},
    report::outgoing::SafeText,
    schema::MAX_DEPTH,
    source::{
        Given, arguments,
        declare::{self, Input, Opened},
        drop_ins::DropInLayers,
        environment::{self, Variables},
        mailbox::Mailbox,
        supervisor::supervise,
    },
};
use before_start::{check_arguments, check_defaults, check_keys};
#[cfg(feature = "json")]
use std::path::Path;
use std::{path::PathBuf, sync::Arc, time::Duration};

#[cfg(feature = "json")]
pub(super) use super::{claim::Claim, keeper::DiskFindings};
#[cfg(feature = "json")]
use crate::source::off_the_worker;

/// After how many deaths content is quarantined.
#[cfg(feature = "json")]
const TRIES: u32 = 2;

/// How long a change is on trial where there is no probation.
#[cfg(feature = "json")]
const ON_TRIAL: Duration = Duration::from_secs(60);

/// Everything a capacitor needs to be started.
pub(crate) struct Plan {
    pub(super) options: Options,
    pub(super) layers: Vec<Opened>,
    #[cfg(feature = "json")]
    pub(super) last_known_good: Option<super::last_known_good::KeepOnDisk>,
    /// Of somebody who looks on: what a process that begins now would not apply.
    #[cfg(feature = "json")]
    held: Option<super::HeldContents>,
}

/// How changes are on trial across processes.
#[cfg(feature = "json")]
fn trial_rules(
    trial: Option<u32>,
    probation: Option<Duration>,
    layers: &[Opened],
) -> Option<TrialRules> {
    let tries = trial.or(probation.map(|_| TRIES))?;
    Some(TrialRules {
        tries,
        lasts: probation.unwrap_or(ON_TRIAL),
        has_folders: layers.iter().any(|layer| layer.drop_ins.is_some()),
    })
}

impl Plan {
    /// Opens the layers of what is declared.
    pub(crate) fn of(mut spec: Spec) -> Result<Plan, Error> {
        let named = spec.name_variables();
        let wrong = |problem: String| Error::Declaration {
            name: spec.options.name.clone(),
            // A variable may have put anything into a URI.
            problem: SafeText::own(&problem).into(),
        };
        named.map_err(|(origin, problem)| wrong(format!("the source `{origin}`: {problem}")))?;
        let mut layers = Vec::new();
        for source in spec.sources.into_iter().chain(spec.overrides) {
            layers.push(declare::open(source, spec.resync).map_err(wrong)?);
        }
        if layers.is_empty() {
            return Err(wrong(
                "no layers; declare one, as in `#[flux(source = \"file:app.yaml\")]`".into(),
            ));
        }
        #[cfg(feature = "json")]
        if let Some(tries) = spec.trial {
            if spec.last_known_good.is_none() {
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
        let last_known_good = match &spec.last_known_good {
            None => None,
            Some((path, secrets)) => {
                let path = declare::expand(path, &Default::default()).map_err(wrong)?;
                let trials = trial_rules(spec.trial, spec.options.probation, &layers);
                let keep = super::last_known_good::KeepOnDisk::new(path, *secrets, trials);
                Some(keep.map_err(wrong)?)
            }
        };
        #[cfg(feature = "json")]
        if let Some(keep) = &last_known_good {
            keep.beside_sources(files(&layers)).map_err(wrong)?;
        }
        check_defaults((spec.options.schema.fields)(), MAX_DEPTH, &mut Vec::new())
            .map_err(wrong)?;
        check_keys((spec.options.schema.fields)()).map_err(wrong)?;
        for layer in &layers {
            if let Input::Environment(prefix, _) = &layer.input {
                environment::check_names((spec.options.schema.fields)(), prefix).map_err(wrong)?;
            }
        }
        check_arguments(spec.options.schema, &spec.options.name, &layers)?;
        let mut options = spec.options;
        // A probation needs something to go back to.
        options.generations = options.generations.max(options.probation.is_some().into());
        Ok(Plan {
            options,
            layers,
            #[cfg(feature = "json")]
            last_known_good,
            #[cfg(feature = "json")]
            held: spec.held,
        })
    }
}

/// The files and folders that the layers read.
#[cfg(feature = "json")]
fn files(layers: &[Opened]) -> impl Iterator<Item = &Path> {
    layers.iter().flat_map(Opened::files)
}

/// The layers of one start.
pub(super) struct StartedLayers {
    pub(super) states: Vec<LayerState>,
    /// What watches each; nothing where it is read at start alone.
    pub(super) watchers: Vec<Option<BoxedTask>>,
    /// The variables of layers with files that were read, by their places.
    pub(super) variables: Vec<(usize, Variables)>,
}

/// Nothing is kept on disk.
#[cfg(not(feature = "json"))]
pub(super) use std::convert::Infallible as DiskFindings;

/// Without a last known good configuration nothing is written over.
#[cfg(not(feature = "json"))]
pub(super) struct NoClaim;

impl Plan {
    /// No other capacitor of this process writes what this one reads, as long as the claim is there.
    #[cfg(feature = "json")]
    pub(super) async fn claimed(&self) -> Result<Claim, Error> {
        let sources = files(&self.layers).map(std::path::absolute);
        let sources: Vec<PathBuf> = sources.filter_map(Result::ok).collect();
        let claimed = Claim::to_read(sources, &self.options.name).await;
        claimed.map_err(|problem| Error::Declaration {
            name: self.options.name.clone(),
            problem,
        })
    }

    #[cfg(not(feature = "json"))]
    pub(super) async fn claimed(&self) -> Result<NoClaim, Error> {
        Ok(NoClaim)
    }

    /// Reads what is on disk of what was on trial, off the task.
    #[cfg(feature = "json")]
    pub(super) async fn found(&self) -> Result<Option<DiskFindings>, Error> {
        let Some(keep) = self.last_known_good.clone() else {
            return Ok(None);
        };
        let (config, name) = (self.options.schema.name, self.options.name.clone());
        let read = move || DiskFindings::read(&keep, config, &name);
        let found = off_the_worker(read).await.and_then(|found| found);
        let found = found.map(Some);
        found.map_err(|problem| Error::Declaration {
            name: self.options.name.clone(),
            problem,
        })
    }

    #[cfg(not(feature = "json"))]
    pub(super) async fn found(&self) -> Result<Option<DiskFindings>, Error> {
        Ok(None)
    }

    /// How the engine decides.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            name: self.options.name.as_str().into(),
            history: self.options.history,
            generations: self.options.generations,
            debounce: self.options.debounce,
            max_wait: self.max_wait(),
            grouped: self.options.group.is_some(),
            asks: self.options.pipeline.is_some(),
            probation: self.options.probation,
            checks: self.options.health_check.is_some(),
            fallback: self.fallback(),
        }
    }

    /// How long changes may follow one another before they are taken up.
    fn max_wait(&self) -> Duration {
        let debounce = self.options.debounce;
        let usual = || debounce.saturating_mul(10).max(Duration::from_secs(1));
        self.options.max_wait.unwrap_or_else(usual)
    }

    #[cfg(feature = "json")]
    fn fallback(&self) -> Option<Duration> {
        let limit = self.options.startup_timeout.map(|limit| limit / 2);
        let patience = limit.unwrap_or(super::fallback_start::PATIENCE);
        self.last_known_good.as_ref().map(|_| patience)
    }

    #[cfg(not(feature = "json"))]
    fn fallback(&self) -> Option<Duration> {
        None
    }

    /// The layers of a source's files, where it has several.
    pub(crate) fn drop_ins(&self, source: usize) -> Option<&Arc<DropInLayers>> {
        self.layers.get(source)?.drop_ins.as_ref()
    }

    /// The files that the layers would be read from now.
    pub(crate) fn files_now(&self, served: &Served) -> Vec<Option<PathBuf>> {
        let file = |layer: &ServedLayer| {
            let opened = self.layers.get(layer.source)?;
            match (&opened.drop_ins, &layer.drop_in) {
                (Some(files), Some(file)) => Some(files.folder().join(&**file)),
                // Its files have layers of their own.
                (Some(_), None) => None,
                (None, _) => opened.file_now(),
            }
        };
        served.layers.iter().map(file).collect()
    }

    /// The layers with what readers see of them; those of which that is not known.
    pub(crate) fn serving(&self, served: &Served) -> (Vec<LayerState>, Vec<String>) {
        let (mut states, mut unknown) = (Vec::new(), Vec::new());
        for (layer, content) in served.layers.iter().zip(&*served.contents) {
            let Some(opened) = self.layers.get(layer.source) else {
                continue;
            };
            let mut state = match (&opened.drop_ins, &layer.drop_in) {
                (Some(files), Some(file)) => LayerState::of_file(layer.source, files, file),
                (drop_ins, _) => {
                    let (origin, decoder) = (layer.origin.clone(), opened.decoder.clone());
                    let file = opened.file_called(&origin);
                    let mut state = LayerState::new(origin, decoder, opened.optional);
                    state.file = file;
                    state.source = layer.source;
                    state.declared = opened.origin.as_str().into();
                    state.drop_ins.clone_from(drop_ins);
                    state
                }
            };
            state.searched.clone_from(&opened.searched);
            state.uri_secrets.clone_from(&opened.secrets);
            let again = match &opened.input {
                Input::Watched(_) => None,
                input => {
                    given(
                        self.options.schema,
                        &opened.origin,
                        input,
                        self.options.unknown,
                    )
                    .again
                }
            };
            if !state.serve(self.options.schema, content, again) {
                unknown.push(layer.origin.to_string());
            }
            states.push(state);
        }
        (states, unknown)
    }

    /// Why each of these layers would not be given the document that it is about to take up, since processes died with it.
    #[cfg(feature = "json")]
    pub(crate) fn held(&self, states: &[LayerState]) -> Vec<Option<String>> {
        let schema = self.options.schema;
        let trials = self.last_known_good.as_ref();
        let trials = trials.filter(|keep| keep.trials.is_some());
        let read = || trials.and_then(|keep| super::HeldContents::read(keep, schema.name));
        let Some(held) = self.held.clone().or_else(read) else {
            return vec![None; states.len()];
        };
        held.each(schema, states)
    }

    #[cfg(not(feature = "json"))]
    pub(crate) fn held(&self, states: &[LayerState]) -> Vec<Option<String>> {
        vec![None; states.len()]
    }

    /// How keys that no field has are judged, and the program's own reducer.
    pub(crate) fn terms(&self) -> (Unknown, Option<Reducer>) {
        (self.options.unknown, self.options.reducer.clone())
    }

    /// By hand, and where nothing is watched, there is nothing to wait for.
    pub(super) fn needs_timers(&self) -> bool {
        let watched = |layer: &Opened| matches!(layer.input, Input::Watched(_));
        self.options.startup_timeout.is_some()
            || !self.options.manual && self.layers.iter().any(watched)
    }

    /// The layers: what is read now, and what is watched.
    pub(super) fn layers(&self, mailbox: &Arc<Mailbox>) -> StartedLayers {
        let mut states = Vec::with_capacity(self.layers.len());
        let (mut watchers, mut variables) = (Vec::new(), Vec::new());
        let fields = (self.options.schema.fields)();
        for (i, opened) in self.layers.iter().enumerate() {
            let mut state = LayerState::new(
                opened.origin.clone(),
                opened.decoder.clone(),
                opened.optional,
            );
            state.file.clone_from(&opened.file);
            state.searched.clone_from(&opened.searched);
            state.source = i;
            state.drop_ins.clone_from(&opened.drop_ins);
            state.uri_secrets.clone_from(&opened.secrets);
            state.proven = mailbox.proven(i);
            #[cfg(feature = "metrics")]
            state.proven.on_proof({
                let (name, origin) = (self.options.name.clone(), opened.origin.clone());
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
                    let read = match input {
                        Input::Environment(prefix, variables) => {
                            variables.with_files_read(fields, prefix)
                        }
                        _ => None,
                    };
                    let given = given_with(
                        self.options.schema,
                        &opened.origin,
                        input,
                        read.as_ref(),
                        self.options.unknown,
                    );
                    state.give(given, now());
                    variables.extend(read.map(|read| (i, read)));
                }
            }
            states.push(state);
        }
        StartedLayers {
            states,
            watchers,
            variables,
        }
    }
}

/// Reads what a layer without a watcher contains; a panic is a refusal.
pub(crate) fn given(
    schema: &Schema,
    origin: &str,
    input: &Input,
    unknown: Unknown,
) -> Given<AnyLayer> {
    given_with(schema, origin, input, None, unknown)
}

/// The same with the variables of the layer, where the files that they name were read already.
fn given_with(
    schema: &Schema,
    origin: &str,
    input: &Input,
    with_files: Option<&Variables>,
    unknown: Unknown,
) -> Given<AnyLayer> {
    let (fields, decode) = ((schema.fields)(), schema.decode_tree);
    let read = || match input {
        Input::Environment(prefix, variables) => {
            let variables = with_files.unwrap_or(variables);
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
            partial: None,
            secrets: Vec::new(),
            warnings: Vec::new(),
            arguments: None,
            prefix: None,
            tree: None,
            again: None,
            empty: Vec::new(),
            files: Vec::new(),
        },
    };
    caught(read).unwrap_or_else(|panic| {
        let text = format!("reading it panicked: {panic}");
        Given {
            read: Err(vec![whole_entry(origin, text).kind(ProblemKind::Panic)]),
            partial: None,
            secrets: Vec::new(),
            warnings: Vec::new(),
            arguments: None,
            prefix: None,
            tree: None,
            again: None,
            empty: Vec::new(),
            files: Vec::new(),
        }
    })
}
