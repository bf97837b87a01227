//! How a layer is declared: a source, its format, and whether it may be absent.

mod expand;
#[cfg(test)]
mod tests;

pub(crate) use expand::expand;

use crate::{
    codec::{Codec, Decoder},
    report::ARGUMENTS,
    source::{
        DynWatcher, Observer, Patience, Session, Terms, Watcher, arguments::Arguments,
        environment::Variables, renewed::Renewed,
    },
};
use expand::{in_unicode, value_of};
use flux_syntax::{Format, Remote, Template, Uri};
use std::{ffi::OsString, fmt, path::PathBuf, sync::Arc, time::Duration};

/// The declaration of one layer.
///
/// ```
/// use flux::{Format, Source};
/// let file = Source::file("/etc/app/config").format(Format::Toml).optional();
/// let environment = Source::env("APP_");
/// ```
pub struct Source {
    pub(crate) kind: SourceKind,
    pub(crate) format: Option<Decoder>,
    optional: bool,
    settle: Option<Duration>,
    resync: Option<Duration>,
    wait: Option<Duration>,
    name: Option<String>,
    pub(crate) variables: Variables,
    pub(crate) arguments: Arguments,
}

impl fmt::Debug for Source {
    /// Without the declaration, whose URI may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("optional", &self.optional)
            .finish_non_exhaustive()
    }
}

pub(crate) enum SourceKind {
    File(Template),
    Env(Template),
    Args,
    Uri(Template),
    Remote(Remote),
    Watcher(Box<dyn DynWatcher>),
    #[cfg(feature = "figment")]
    Provider(Box<dyn figment::Provider + Send>),
}

/// Where an opened layer's content comes from.
pub(crate) enum Input {
    Watched(Arc<tokio::sync::Mutex<Box<dyn DynWatcher>>>),
    Environment(String, Variables),
    Arguments(Arguments),
    #[cfg(feature = "figment")]
    Provider(std::sync::Mutex<Box<dyn figment::Provider + Send>>),
}

/// A layer that is ready to be watched, any number of times.
pub(crate) struct Opened {
    pub(crate) origin: String,
    pub(crate) decoder: Option<Decoder>,
    pub(crate) optional: bool,
    /// The file or folder that is watched, absolute.
    pub(crate) file: Option<PathBuf>,
    pub(crate) input: Input,
}

impl Source {
    fn new(kind: SourceKind) -> Self {
        Source {
            kind,
            format: None,
            optional: false,
            settle: None,
            resync: None,
            wait: None,
            name: None,
            variables: Variables::Process,
            arguments: Arguments::Process,
        }
    }

    /// A file. The format is that of its extension unless [`format`](Source::format) names one.
    pub fn file(path: impl Into<Template>) -> Self {
        Source::new(SourceKind::File(path.into()))
    }

    /// A mounted directory in which every file is one key: [`source::Dir`](crate::source::Dir).
    #[cfg(feature = "file")]
    pub fn dir(path: impl Into<std::path::PathBuf>) -> Self {
        Source::watcher(crate::source::Dir::new(path)).codec(crate::source::Dir::codec())
    }

    /// The process environment: `APP_` reads `APP_PORT`, `APP_POOL_MAX_SIZE`, ... It is read once, at start. The prefix may have
    /// the options of the URI: `APP_?separator=__`.
    pub fn env(prefix: impl Into<Template>) -> Self {
        Source::new(SourceKind::Env(prefix.into()))
    }

    /// The arguments of the process, read once, at start: `--port 80`, `--pool.max-size=20`, `--no-tls`, `--set tenants.a.max=3`. It
    /// is meant for [`override_with`](crate::Builder::override_with): what somebody typed is above everything else. See
    /// [the guide](crate::guide::arguments).
    ///
    /// ```
    /// use flux::{Flux, Source};
    ///
    /// #[derive(Flux)]
    /// struct AppConfig {
    ///     port: u16,
    /// }
    ///
    /// # fn main() -> Result<(), flux::Error> {
    /// let app = flux::Capacitor::<AppConfig>::builder()
    ///     .override_with(Source::args().arguments(["--port", "80"]))
    ///     .load()?;
    /// assert_eq!(app.port, 80);
    /// # Ok(())
    /// # }
    /// ```
    pub fn args() -> Self {
        Source::new(SourceKind::Args)
    }

    /// Reads these arguments instead of the process's, where this is [`args`](Source::args). The program's name is not one of them.
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        let given = arguments.into_iter().map(Into::into);
        self.arguments = Arguments::Given(given.collect());
        self
    }

    /// A source by its URI, as the attributes write it: `etcd://127.0.0.1:2379/app/config`. Variables, `${NAME}`, are read at start.
    pub fn uri(uri: impl Into<Template>) -> Self {
        Source::new(SourceKind::Uri(uri.into()))
    }

    /// A source of your own. Its documents are JSON unless [`format`](Source::format) or [`codec`](Source::codec) says otherwise.
    pub fn watcher(watcher: impl Watcher) -> Self {
        Source::new(SourceKind::Watcher(Box::new(watcher)))
    }

    /// Any figment provider, read once at start. Reports and the status call it `provider` and the name of its metadata, unless
    /// [`named`](Source::named) gives the layer a name.
    ///
    /// ```
    /// use flux::{Flux, Source, figment::providers::Serialized};
    ///
    /// #[derive(Flux)]
    /// struct AppConfig {
    ///     port: u16,
    /// }
    ///
    /// # fn main() -> Result<(), flux::Error> {
    /// let flags = Source::provider(Serialized::default("port", 8080)).named("command line");
    /// let app = flux::Capacitor::<AppConfig>::builder()
    ///     .override_with(Source::env("APP_").variables([("APP_PORT", "80")]))
    ///     .override_with(flags)       // above the environment
    ///     .load()?;
    /// assert_eq!(app.port, 8080);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "figment")]
    pub fn provider(provider: impl figment::Provider + Send + 'static) -> Self {
        Source::new(SourceKind::Provider(Box::new(provider)))
    }

    /// What reports, the status and events call the layer; by default where it comes from.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The format of the documents.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(Decoder::from(format));
        self
    }

    /// A format of your own.
    #[must_use]
    pub fn codec(mut self, codec: impl Codec + 'static) -> Self {
        self.format = Some(Decoder::Custom(Arc::new(codec)));
        self
    }

    /// An absent or empty document contributes nothing, instead of being refused.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// How long a file must be quiet before a writer that keeps it open is judged finished; 1 s by default.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = Some(settle);
        self
    }

    /// How often the source is read again although no change was reported.
    #[must_use]
    pub fn resync(mut self, resync: Duration) -> Self {
        self.resync = Some(resync);
        self
    }

    /// Looks variables up here instead of in the process's environment: those that [`env`](Source::env) reads, and every
    /// `${NAME}` of a path or URI.
    ///
    /// ```
    /// # use flux::Source;
    /// let source = Source::env("APP_").variables([("APP_PORT", "80")]);
    /// ```
    #[must_use]
    pub fn variables<N: Into<String>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs = variables.into_iter();
        let known = pairs.map(|(name, value)| (name.into(), value.into()));
        self.variables = Variables::Given(Arc::new(known.collect()));
        self
    }

    /// How long the start waits for the source's first word before it goes on without it; for ever by default. An
    /// [`optional`](Source::optional) layer then contributes nothing until something is heard of it, any other is refused until then.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    pub(crate) fn is_args(&self) -> bool {
        matches!(self.kind, SourceKind::Args)
    }

    /// Expands the variables and makes the source ready, or says what cannot work.
    pub(crate) fn open(mut self, resync: Option<Duration>) -> Result<Opened, String> {
        let name = self.name.take();
        let mut opened = self.opened(resync)?;
        if let Some(name) = name {
            opened.origin = name;
        }
        Ok(opened)
    }

    fn opened(self, resync: Option<Duration>) -> Result<Opened, String> {
        let own = self.resync;
        let patience = self.wait.map(|wait| Patience {
            wait,
            optional: self.optional,
        });
        let watched = |watcher, resync| {
            Input::Watched(Arc::new(tokio::sync::Mutex::new(Box::new(OnTerms {
                watcher,
                resync,
                patience,
            }))))
        };
        match self.kind {
            SourceKind::Uri(template) => {
                let kind =
                    read(&template, &self.variables).map_err(|error| named(&template, &error))?;
                Source { kind, ..self }.opened(resync)
            }
            SourceKind::Env(template) => {
                let prefix = expand(&template, &self.variables)?;
                Ok(Opened {
                    origin: "environment".to_owned(),
                    decoder: None,
                    optional: true,
                    file: None,
                    input: Input::Environment(prefix, self.variables),
                })
            }
            SourceKind::Args => Ok(Opened {
                origin: ARGUMENTS.to_owned(),
                decoder: None,
                optional: true,
                file: None,
                input: Input::Arguments(self.arguments),
            }),
            #[cfg(feature = "figment")]
            SourceKind::Provider(provider) => Ok(Opened {
                origin: format!("provider {}", provider.metadata().name),
                decoder: None,
                optional: self.optional,
                file: None,
                input: Input::Provider(std::sync::Mutex::new(provider)),
            }),
            SourceKind::Watcher(watcher) => Ok(Opened {
                origin: watcher.origin(),
                decoder: self.format.or_else(default_decoder),
                optional: self.optional,
                file: None,
                input: watched(watcher, own),
            }),
            SourceKind::Remote(place) => {
                let template = place;
                let place = in_unicode(&self.variables, |lookup| template.expand(lookup));
                let place = place.map_err(|error| {
                    format!("a `{}:` source: {error}", template.scheme.as_str())
                })?;
                // What the URI says is nearer to the source than what the builder says of all.
                let resync = own.or(resync.filter(|_| place.get("resync").is_none()));
                let folder = place.origin().strip_prefix("dir:").map(std::path::absolute);
                let folder = folder.and_then(Result::ok);
                let (origin, decoder) = (place.origin(), decoder_of(&place));
                let watcher: Box<dyn DynWatcher> = match template.reads_files() {
                    true => {
                        let variables = self.variables;
                        let lookup = Box::new(move |name: &str| value_of(name, &variables));
                        Box::new(Renewed::open(template, place, lookup)?)
                    }
                    false => crate::source::open::open(place)?,
                };
                Ok(Opened {
                    origin,
                    decoder: Some(self.format.unwrap_or(decoder)),
                    optional: self.optional,
                    file: folder,
                    input: watched(watcher, resync),
                })
            }
            #[cfg(feature = "file")]
            SourceKind::File(template) => {
                let path = expand(&template, &self.variables)?;
                let decoder = decoder_of_file(&path, self.format)?;
                let mut file = crate::source::File::new(&path);
                if let Some(settle) = self.settle {
                    file = file.settle(settle);
                }
                if let Some(resync) = own.or(resync) {
                    file = file.resync(resync);
                }
                Ok(Opened {
                    origin: path,
                    decoder: Some(decoder),
                    optional: self.optional,
                    file: Some(file.path().to_owned()),
                    input: watched(Box::new(file), None),
                })
            }
            #[cfg(not(feature = "file"))]
            SourceKind::File(template) => {
                let _ = self.settle;
                Err(format!(
                    "`file:{template}` needs the cargo feature `file` of flux"
                ))
            }
        }
    }
}

/// A file's own format, or that of its name.
#[cfg(feature = "file")]
fn decoder_of_file(path: &str, format: Option<Decoder>) -> Result<Decoder, String> {
    format
        .or_else(|| Format::of_path(path).map(Decoder::from))
        .ok_or_else(|| {
            format!(
                "the format of `{path}` is not known from its name; name one of json, yaml, toml"
            )
        })
}

/// A source that holds documents: where they are as its declaration names it, and how they are read.
#[cfg(feature = "testing")]
pub(crate) fn document_of(source: &Source) -> Result<Option<(String, Decoder)>, String> {
    let (format, variables) = (&source.format, &source.variables);
    let of_remote = |place: &Remote| {
        let lookup = |name: &str| value_of(name, variables);
        let place = place.expand(&lookup)?;
        let decoder = format.clone().unwrap_or_else(|| decoder_of(&place));
        Ok::<_, String>((place.origin(), decoder))
    };
    let of_file = |path: &Template| {
        let path = expand(path, variables)?;
        let decoder = decoder_of_file(&path, format.clone())?;
        Ok::<_, String>((path, decoder))
    };
    let mut written = None;
    let mut kind = &source.kind;
    let mut inner;
    // A URI may come from a variable as a whole.
    loop {
        return match kind {
            SourceKind::File(path) => of_file(path).map(Some),
            SourceKind::Remote(place) => {
                let (origin, decoder) = of_remote(place)?;
                Ok(Some((written.unwrap_or(origin), decoder)))
            }
            SourceKind::Uri(template) => {
                written = Some(expand(template, variables)?);
                inner = read(template, variables)?;
                kind = &inner;
                continue;
            }
            SourceKind::Env(_) | SourceKind::Args | SourceKind::Watcher(_) => Ok(None),
            #[cfg(feature = "figment")]
            SourceKind::Provider(_) => Ok(None),
        };
    }
}

fn decoder_of(place: &Remote<String>) -> Decoder {
    match place.scheme {
        #[cfg(feature = "file")]
        flux_syntax::Scheme::Dir => Decoder::Custom(Arc::new(crate::source::Dir::codec())),
        _ => place.format().into(),
    }
}

/// A watcher on the terms of its layer.
struct OnTerms {
    watcher: Box<dyn DynWatcher>,
    resync: Option<Duration>,
    patience: Option<Patience>,
}

impl DynWatcher for OnTerms {
    fn origin(&self) -> String {
        self.watcher.origin()
    }
    fn watch<'a>(&'a mut self, observer: &'a Observer) -> Session<'a> {
        self.watcher.watch(observer)
    }
    fn terms(&self) -> Terms {
        let own = self.watcher.terms();
        Terms {
            deadline: own.deadline,
            resync: self.resync.or(own.resync),
            patience: self.patience,
        }
    }
}

/// A document on a server, for generated code: the URI was taken apart at compile time.
pub fn remote(place: Remote) -> Source {
    Source::new(SourceKind::Remote(place))
}

/// What a URI means that is known only at start.
fn read(template: &Template, variables: &Variables) -> Result<SourceKind, String> {
    let uri = match template.as_literal() {
        Some(text) => flux_syntax::parse_uri(text),
        None => flux_syntax::parse_given_uri(&expand(template, variables)?),
    };
    match uri.map_err(|error| error.message)? {
        Uri::File { path } => Ok(SourceKind::File(path)),
        Uri::Env { prefix } => Ok(SourceKind::Env(prefix)),
        Uri::Args => Ok(SourceKind::Args),
        Uri::Remote(place) => Ok(SourceKind::Remote(place)),
        Uri::Whole(template) => Ok(SourceKind::Uri(template)),
        _ => Err("it is new to this version of flux".to_owned()),
    }
}

/// The error with its source, unless that may hold a password.
fn named(template: &Template, error: &str) -> String {
    let text = template.to_string();
    match text.contains('@') {
        true => format!("a source URI: {error}"),
        false => format!("the source `{text}`: {error}"),
    }
}

fn default_decoder() -> Option<Decoder> {
    Decoder::enabled(Format::Json)
}
