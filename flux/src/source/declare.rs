//! How a layer is declared (`Source`): its source, its format, whether it may be absent.

#[cfg(feature = "testing")]
mod document_of;
mod expand;
mod named;
mod offline;
mod opening;
#[cfg(feature = "file")]
mod places;
#[cfg(test)]
mod tests;

#[cfg(feature = "testing")]
pub(crate) use document_of::document_of;
#[cfg(any(feature = "json", feature = "dotenv"))]
pub(crate) use expand::expand;
pub(crate) use named::share_variables;
pub(crate) use offline::{OfflineContent, OfflineLayer};
#[cfg(feature = "dotenv")]
pub(super) use opening::read;
pub(crate) use opening::{Input, Opened, open};

use crate::{
    codec::{Codec, Decoder},
    source::{
        DynWatcher, Watcher, arguments::Arguments, drop_ins::DropInLayers, environment::Variables,
    },
};
use flux_syntax::{Format, Remote, Template};
use std::{ffi::OsString, fmt, sync::Arc, time::Duration};

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
    /// The documents hold several files, each a layer of its own.
    pub(crate) drop_ins: Option<Arc<DropInLayers>>,
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
    /// A file, and the folders that it is looked for in.
    Search(Template, Vec<Template>),
    Env(Template),
    /// A file of variables, until it is known for which type it is read.
    #[cfg(feature = "dotenv")]
    Dotenv(Template),
    Args,
    Uri(Template),
    Remote(Remote),
    Watcher(Box<dyn DynWatcher>),
    #[cfg(feature = "figment")]
    Provider(Box<dyn figment::Provider + Send>),
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
            drop_ins: None,
            variables: Variables::default(),
            arguments: Arguments::Process,
        }
    }

    /// A file. The format is that of its extension unless [`format`](Source::format) names one.
    ///
    /// With a `*` in its name, `conf.d/*.yaml`, every file of the folder that fits is a layer of its own, in the order of the names;
    /// files come and go while the program runs. See [the guide](mod@crate::guide::sources::file).
    pub fn file(path: impl Into<Template>) -> Self {
        Source::new(SourceKind::File(path.into()))
    }

    /// The file in the first of these folders that has it. One that appears in an earlier folder takes its place, and one that vanishes
    /// gives it to the next. A folder may begin with `~`, and an empty one is left out. See [the guide](mod@crate::guide::sources::file).
    ///
    /// ```
    /// use flux::Source;
    /// let file = Source::search("app.yaml", [".", "~/.config/app", "/etc/app"]);
    /// ```
    pub fn search<T: Into<Template>>(
        file: impl Into<Template>,
        folders: impl IntoIterator<Item = T>,
    ) -> Self {
        let folders = folders.into_iter().map(Into::into).collect();
        Source::new(SourceKind::Search(file.into(), folders))
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

    /// A file of variables, `.env`: lines such as `APP_PORT=80`, watched like any other file. Its place is below the environment, whose
    /// prefix and separator it has unless it has options of its own: `.env?prefix=APP_`. See [the guide](crate::guide::sources::dotenv).
    ///
    /// ```
    /// use flux::{Flux, Source};
    ///
    /// #[derive(Flux)]
    /// struct AppConfig {
    ///     port: u16,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join(".env");
    /// std::fs::write(&path, "APP_PORT=80 # in development\n")?;
    /// let app = flux::Capacitor::<AppConfig>::builder()
    ///     .source(Source::dotenv(path.display().to_string()))
    ///     .override_with(Source::env("APP_"))
    ///     .load()?;
    /// assert_eq!(app.port, 80);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "dotenv")]
    pub fn dotenv(file: impl Into<Template>) -> Self {
        Source::new(SourceKind::Dotenv(file.into()))
    }

    /// The arguments of the process, read once, at start: `--port 80`, `--pool.max-size=20`, `--no-tls`, `--set tenants.a.max=3`. It
    /// is meant for [`override_with`](crate::Builder::override_with): what was typed is above everything else. See
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

    /// A source of your own. Its documents are JSON unless [`format`](Source::format) or [`codec`](Source::codec) names another format.
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
        self.variables = Variables::given(known.collect());
        self
    }

    /// How long the start waits for the source's first report before it goes on without it; for ever by default. An
    /// [`optional`](Source::optional) layer then contributes nothing until the first report, unless something is kept of it in the
    /// [last known good file](crate::Builder::last_known_good); any other is refused until then.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    pub(crate) fn is_args(&self) -> bool {
        matches!(self.kind, SourceKind::Args)
    }
}

/// A document on a server, for generated code: the URI was taken apart at compile time.
pub fn remote(place: Remote) -> Source {
    Source::new(SourceKind::Remote(place))
}
