//! What the builder declares of a capacitor, with the values that hold where nothing is declared.

use super::recorder_hook::RecorderHook;
#[cfg(feature = "cli")]
use super::task::Companion;
use crate::{
    change::Group,
    codec::Unknown,
    engine::{AnySnapshot, Reducer, Schema, State},
    pipeline::{Answer, AnyParts},
    source::{Source, arguments::Arguments},
};
use std::{sync::Arc, time::Duration};

/// The limit of a load where no startup timeout is declared: a program that waits before it has started shows nobody why.
const LOAD_LIMIT: Duration = Duration::from_secs(30);

/// Called with the final state.
pub(crate) type OnStop = Arc<dyn Fn(State) + Send + Sync>;

/// The program's own health check.
pub(crate) type HealthCheck = Arc<dyn Fn(AnySnapshot) -> Answer<()> + Send + Sync>;

/// Everything that is declared of a capacitor.
pub(crate) struct Spec {
    pub(crate) sources: Vec<Source>,
    pub(crate) overrides: Vec<Source>,
    pub(crate) resync: Option<Duration>,
    #[cfg(feature = "json")]
    pub(crate) last_known_good: Option<(flux_syntax::Template, super::Secrets)>,
    /// After how many deaths content is quarantined; none where a change is on trial only if there is a probation.
    #[cfg(feature = "json")]
    pub(crate) trial: Option<u32>,
    /// What a process that begins now would not apply, for somebody who looks on.
    #[cfg(feature = "json")]
    pub(crate) held: Option<super::HeldContents>,
    pub(crate) options: Options,
}

/// What is declared apart from layers and files.
pub(crate) struct Options {
    pub(crate) schema: &'static Schema,
    pub(crate) name: String,
    pub(crate) debounce: Duration,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) startup_timeout: Option<Duration>,
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
    pub(crate) on_stop: Option<OnStop>,
    /// Where the running program answers its own command line, as declared, and what answers there.
    #[cfg(feature = "cli")]
    pub(crate) admin: Option<(flux_syntax::Template, Companion)>,
    #[cfg(feature = "signal")]
    pub(crate) reload_on: Option<super::Signal>,
}

impl Spec {
    /// Gives each layer of the environment the variables that are read elsewhere, which are not misspelt.
    pub(crate) fn share_variables(&mut self) {
        let paths = std::iter::empty();
        #[cfg(feature = "json")]
        let paths = paths.chain(self.last_known_good.iter().map(|(path, _)| path));
        #[cfg(feature = "cli")]
        let paths = paths.chain(self.options.admin.iter().map(|(address, _)| address));
        crate::source::declare::share_variables(&mut self.sources, &mut self.overrides, paths);
    }

    /// Nothing is declared yet.
    pub(crate) fn new(schema: &'static Schema) -> Self {
        Spec {
            sources: Vec::new(),
            overrides: Vec::new(),
            resync: None,
            #[cfg(feature = "json")]
            last_known_good: None,
            #[cfg(feature = "json")]
            trial: None,
            #[cfg(feature = "json")]
            held: None,
            options: Options {
                schema,
                name: schema.name.to_owned(),
                debounce: Duration::from_millis(100),
                max_wait: None,
                startup_timeout: None,
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
                on_stop: None,
                #[cfg(feature = "cli")]
                admin: None,
                #[cfg(feature = "signal")]
                reload_on: None,
            },
        }
    }

    /// Whether arguments are a layer.
    pub(crate) fn reads_arguments(&self) -> bool {
        let mut layers = self.sources.iter().chain(&self.overrides);
        layers.any(Source::is_args)
    }

    /// Gives the files of variables among the layers the names that they are read by. To be called before the layers are opened.
    ///
    /// # Errors
    /// The layer whose declaration cannot work, and what is wrong with it.
    pub(crate) fn name_variables(&mut self) -> Result<(), (String, String)> {
        self.share_variables();
        #[cfg(feature = "dotenv")]
        {
            let schema = self.options.schema;
            let layers = self.sources.iter_mut().chain(&mut self.overrides);
            crate::source::dotenv::name_variables(layers, schema.fields, schema.decode_tree)?;
        }
        Ok(())
    }

    /// The arguments that are read, in every layer that reads some, or else in one above all others.
    pub(crate) fn set_arguments(&mut self, given: Arguments) {
        if !self.reads_arguments() {
            self.overrides.push(Source::args());
        }
        for layer in self.sources.iter_mut().chain(&mut self.overrides) {
            layer.arguments = given.clone();
        }
    }

    /// For somebody who looks on: nothing of it is kept on disk, no running program takes part, and what came and went is remembered.
    #[cfg(feature = "cli")]
    pub(crate) fn looked_on(self) -> Self {
        let mut spec = self.with_held().once();
        (spec.options.history, spec.options.generations) = (64, 64);
        spec
    }

    /// With what a start would not apply, for those who judge documents.
    #[cfg(feature = "cli")]
    pub(crate) fn with_held(mut self) -> Self {
        self.held = super::HeldContents::of(&self);
        self
    }

    /// For a single load: nothing of it outlives the first configuration, and no running program takes part.
    pub(crate) fn once(mut self) -> Self {
        let options = &mut self.options;
        options.startup_timeout.get_or_insert(LOAD_LIMIT);
        (options.manual, options.generations) = (false, 0);
        (options.group, options.recorder) = (None, None);
        (options.probation, options.health_check) = (None, None);
        options.on_stop = None;
        #[cfg(feature = "cli")]
        {
            options.admin = None;
        }
        #[cfg(feature = "signal")]
        {
            options.reload_on = None;
        }
        #[cfg(feature = "json")]
        {
            (self.last_known_good, self.trial) = (None, None);
        }
        self
    }
}
