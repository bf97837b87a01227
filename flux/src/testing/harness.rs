//! The harness for tests: a capacitor whose declared layers are fed by the test instead of by files, servers and the environment.

use super::{Script, ScriptHandle, usual_decoder};
use crate::{
    Builder, Capacitor, Config, Error, Format, Report, Root, Source,
    codec::Decoder,
    source::{
        SourceError,
        arguments::Arguments,
        declare::{SourceKind, document_of},
        environment::Variables,
    },
};
use std::{collections::HashMap, ffi::OsString, fmt, ops::Deref};

/// Puts a config type on the bench with the layers that its attributes declare: their order, formats and options are the real
/// ones, but files and remote sources hold what the test sets (nothing, until it sets something), and variables are those the
/// test gives. Nothing of the process is read or changed, so such tests run side by side.
///
/// ```
/// use flux::{Flux, State};
///
/// #[derive(Flux)]
/// #[flux(source = "file:app.yaml", override = "env:APP_")]
/// struct AppConfig {
///     #[flux(range = 1..=65535)]
///     port: u16,
///     #[flux(default = "localhost")]
///     host: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let app = flux::testing::harness::<AppConfig>()
///     .document("app.yaml", "port: 80")
///     .variable("APP_HOST", "example.org")
///     .start()
///     .await;
/// assert_eq!((app.get().port, app.get().host.as_str()), (80, "example.org"));
///
/// app.set("app.yaml", "port: 81").await.expect("a good change");
/// assert_eq!(app.get().port, 81);
///
/// let report = app.set("app.yaml", "port: none").await.expect_err("not a number");
/// assert_eq!(report.problems()[0].path, "port");
/// assert_eq!((app.get().port, app.state()), (81, State::Degraded));
/// # }
/// ```
pub fn harness<C: Root>() -> Harness<C> {
    Harness::over(C::declared())
}

/// A bench that is being set up. From [`harness`], or over any builder.
#[must_use = "it is `start` that makes a bench of it"]
pub struct Harness<C: Config> {
    builder: Builder<C>,
    documents: Vec<(String, Vec<u8>)>,
    variables: HashMap<String, OsString>,
    arguments: Option<Vec<OsString>>,
    scripts: Vec<ScriptHandle>,
}

impl<C: Config> Harness<C> {
    /// Over a builder: its files and remote sources hold what the test sets; its own watchers and providers stay as they are.
    pub fn over(builder: Builder<C>) -> Self {
        Harness {
            builder,
            documents: Vec::new(),
            variables: HashMap::new(),
            arguments: None,
            scripts: Vec::new(),
        }
    }

    /// What the layer with this name holds at the start. The name is the file's path as it is declared, the URI of a remote source.
    /// A document of a `dir:` source is written by [`source::Dir::document`](crate::source::Dir::document).
    pub fn document(mut self, layer: &str, document: impl Into<Vec<u8>>) -> Self {
        self.documents.push((layer.to_owned(), document.into()));
        self
    }

    /// Another layer, above the sources and below the overrides. Its format is that of the name's extension; without one YAML, where
    /// that feature is on, or else JSON.
    pub fn layer(mut self, name: &str, document: impl Into<Vec<u8>>) -> Self {
        let script = Script::new(name);
        self.scripts.push(script.handle());
        let mut source = Source::watcher(script);
        source.format = Some(decoder_of(name));
        self.builder = self.builder.source(source);
        self.document(name, document)
    }

    /// A variable of the environment, for `env` layers and for `${NAME}` in paths and URIs. No other is seen.
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// The arguments of the process, for an `args` layer, without the program's name; none by default. What was given before is
    /// forgotten.
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments = Some(arguments.into_iter().map(Into::into).collect());
        self
    }

    /// Changes anything else about the builder: callbacks, stages, a history.
    pub fn with(mut self, change: impl FnOnce(Builder<C>) -> Builder<C>) -> Self {
        self.builder = change(self.builder);
        self
    }

    /// Starts it in manual mode: nothing happens but by the test's calls.
    ///
    /// # Panics
    /// Where the first configuration is refused (see [`start_refused`](Harness::start_refused)), where the layers cannot work, and
    /// where a document is given for a layer that there is none of.
    pub async fn start(self) -> Bench<C> {
        let (bench, outcome) = self.try_start().await;
        match outcome {
            Ok(()) => bench,
            Err(report) => panic!("{}: the first {report}", C::NAME),
        }
    }

    /// Starts it with a first configuration that is refused, and answers with the reasons. A good one heals it.
    ///
    /// # Panics
    /// Where the first configuration is applied, and as for [`start`](Harness::start).
    pub async fn start_refused(self) -> (Bench<C>, Report) {
        let (bench, outcome) = self.try_start().await;
        match outcome {
            Ok(()) => panic!(
                "{}: the first configuration was applied, and should have been refused",
                C::NAME
            ),
            Err(report) => (bench, report),
        }
    }

    /// Starts it, whatever becomes of the first configuration.
    ///
    /// # Panics
    /// Where the layers cannot work, and where a document, or arguments, are given for a layer that there is none of.
    pub async fn try_start(mut self) -> (Bench<C>, Result<(), Report>) {
        let variables = Variables::given(self.variables);
        let spec = &mut self.builder.spec;
        let mut layers = spec.sources.iter().chain(&spec.overrides);
        assert!(
            self.arguments.is_none() || layers.any(Source::is_args),
            "{}: arguments are given, and no layer reads them; declare one, `override = \"args\"`",
            C::NAME
        );
        let layers = spec.sources.iter_mut().chain(&mut spec.overrides);
        layers.for_each(|source| source.variables = variables.clone());
        if let Err((origin, problem)) = spec.name_variables() {
            panic!("{}: the source `{origin}`: {problem}", C::NAME);
        }
        let given = self.arguments.unwrap_or_default();
        let given = Arguments::Given(given.into());
        let sources = spec.sources.iter_mut();
        for source in sources.chain(&mut spec.overrides) {
            source.arguments = given.clone();
            match stand_in(source) {
                Ok(script) => self.scripts.extend(script),
                Err(problem) => panic!("{}: {problem}", C::NAME),
            }
        }
        let capacitor = match self.builder.manual().build() {
            Ok(capacitor) => capacitor,
            Err(error) => panic!("{error}"),
        };
        let bench = Bench {
            capacitor,
            scripts: self.scripts,
        };
        for script in &bench.scripts {
            if !self.documents.iter().any(|(name, _)| name == script.name()) {
                script.absent();
            }
        }
        for (name, document) in self.documents {
            bench.put(&name, document);
        }
        let outcome = match bench.capacitor.start().await {
            Ok(()) => Ok(()),
            Err(Error::Refused(report)) => Err(report),
            Err(error) => panic!("{error}"),
        };
        (bench, outcome)
    }
}

/// Puts a script in the place of a file or a remote source. Its documents are read as the declared source's are.
fn stand_in(source: &mut Source) -> Result<Option<ScriptHandle>, String> {
    let Some((name, decoder, drop_ins)) = document_of(source)? else {
        return Ok(None);
    };
    let script = Script::new(&name);
    let handle = script.handle();
    (source.format, source.drop_ins) = (Some(decoder), drop_ins);
    source.kind = SourceKind::Watcher(Box::new(script));
    Ok(Some(handle))
}

fn decoder_of(name: &str) -> Decoder {
    Format::of_path(name).map_or_else(usual_decoder, Decoder::from)
}

/// A started capacitor in manual mode whose layers the test feeds. Derefs to the [`Capacitor`].
pub struct Bench<C: Config> {
    capacitor: Capacitor<C>,
    scripts: Vec<ScriptHandle>,
}

impl<C: Config> Bench<C> {
    /// The layer holds this document now. It is taken up at once; answers with the report where the newest content of any layer
    /// is refused after that.
    ///
    /// # Errors
    /// The report, as [`step`](Bench::step).
    ///
    /// # Panics
    /// Where no layer has this name, and after a `stop`.
    pub async fn set(&self, layer: &str, document: impl Into<Vec<u8>>) -> Result<(), Report> {
        self.put(layer, document);
        self.step().await
    }

    /// The layer's document is gone: the file was removed, the key deleted.
    ///
    /// # Errors
    /// The report, as [`step`](Bench::step): a required layer's absence is refused.
    ///
    /// # Panics
    /// Where no layer has this name, and after a `stop`.
    pub async fn remove(&self, layer: &str) -> Result<(), Report> {
        self.each(layer, ScriptHandle::absent);
        self.step().await
    }

    /// The layer's source answers with something that cannot be a document.
    ///
    /// # Errors
    /// The report, as [`step`](Bench::step).
    ///
    /// # Panics
    /// Where no layer has this name, and after a `stop`.
    pub async fn unreadable(&self, layer: &str, error: SourceError) -> Result<(), Report> {
        self.each(layer, |script| script.unreadable(error.clone()));
        self.step().await
    }

    /// The connection to the layer's source is lost until the next document: its health is stale, the state is not touched.
    ///
    /// # Panics
    /// Where no layer has this name, and after a `stop`.
    pub async fn lose(&self, layer: &str, error: SourceError) {
        self.each(layer, |script| script.failing(error.clone()));
        // The outcome of the last change is not reported by this call.
        let _ = self.step().await;
    }

    /// [`set`](Bench::set) without taking it up: for several layers that change together.
    ///
    /// # Panics
    /// Where no layer has this name.
    pub fn put(&self, layer: &str, document: impl Into<Vec<u8>>) {
        let document = document.into();
        self.each(layer, |script| script.value(document.clone()));
    }

    /// Takes up what the layers hold, and what is due for another try.
    ///
    /// # Errors
    /// The report, where the newest content of any layer is refused.
    ///
    /// # Panics
    /// After a `stop`.
    pub async fn step(&self) -> Result<(), Report> {
        if let Err(error) = self.capacitor.process().await {
            panic!("{error}");
        }
        self.capacitor.last_error().map_or(Ok(()), Err)
    }

    fn each(&self, layer: &str, act: impl Fn(&ScriptHandle)) {
        let mut found = false;
        for script in self.scripts.iter().filter(|script| script.name() == layer) {
            found = true;
            act(script);
        }
        let names: Vec<_> = self.scripts.iter().map(ScriptHandle::name).collect();
        assert!(
            found,
            "{}: no layer `{layer}` to feed; there are: {}",
            C::NAME,
            names.join(", ")
        );
    }
}

impl<C: Config> Deref for Bench<C> {
    type Target = Capacitor<C>;
    fn deref(&self) -> &Capacitor<C> {
        &self.capacitor
    }
}

impl<C: Config> fmt::Debug for Bench<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("capacitor", &self.capacitor)
            .field("layers", &self.scripts)
            .finish()
    }
}

impl<C: Config> fmt::Debug for Harness<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness")
            .field("builder", &self.builder)
            .finish_non_exhaustive()
    }
}
