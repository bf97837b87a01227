//! How a layer is declared: a source, its format, and whether it may be absent.

use crate::{
    codec::{Codec, Decoder},
    environment::Variables,
    source::{DynWatcher, Watcher},
};
use flux_syntax::{Format, Template, Uri};
use std::{ffi::OsString, sync::Arc, time::Duration};

/// The declaration of one layer.
///
/// ```
/// use flux::{Format, Source};
/// let file = Source::file("/etc/app/config").format(Format::Toml).optional();
/// let environment = Source::env("APP_");
/// ```
pub struct Source {
    pub(crate) kind: Kind,
    pub(crate) format: Option<Decoder>,
    optional: bool,
    settle: Option<Duration>,
    resync: Option<Duration>,
    pub(crate) variables: Variables,
}

pub(crate) enum Kind {
    File(Template),
    Env(Template),
    Uri(Template),
    Watcher(Box<dyn DynWatcher>),
    #[cfg(feature = "figment")]
    Provider(Box<dyn figment::Provider + Send>),
}

/// Where an opened layer's content comes from.
pub(crate) enum Input {
    Watched(Arc<tokio::sync::Mutex<Box<dyn DynWatcher>>>),
    Environment(String, Variables),
    #[cfg(feature = "figment")]
    Provider(std::sync::Mutex<Box<dyn figment::Provider + Send>>),
}

/// A layer that is ready to be watched, any number of times.
pub(crate) struct Opened {
    pub(crate) origin: String,
    pub(crate) decoder: Option<Decoder>,
    pub(crate) optional: bool,
    pub(crate) input: Input,
}

impl Source {
    fn new(kind: Kind) -> Self {
        Source {
            kind,
            format: None,
            optional: false,
            settle: None,
            resync: None,
            variables: Variables::Process,
        }
    }

    /// A file. The format is that of its extension unless [`format`](Source::format) names one.
    pub fn file(path: impl Into<Template>) -> Self {
        Source::new(Kind::File(path.into()))
    }

    /// The process environment: `APP_` reads `APP_PORT`, `APP_POOL_MAX_SIZE`, ... It is read once, at start.
    pub fn env(prefix: impl Into<Template>) -> Self {
        Source::new(Kind::Env(prefix.into()))
    }

    /// A source whose URI is known only at start.
    pub fn uri(uri: impl Into<Template>) -> Self {
        Source::new(Kind::Uri(uri.into()))
    }

    /// A source of your own. Its documents are JSON unless [`format`](Source::format) or [`codec`](Source::codec) says otherwise.
    pub fn watcher(watcher: impl Watcher) -> Self {
        Source::new(Kind::Watcher(Box::new(watcher)))
    }

    /// Any figment provider, read once at start. Its metadata names the origin in reports.
    #[cfg(feature = "figment")]
    pub fn provider(provider: impl figment::Provider + Send + 'static) -> Self {
        Source::new(Kind::Provider(Box::new(provider)))
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

    /// How often a file is compared with what was read, for file systems without events.
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

    /// Expands the variables and makes the source ready, or says what cannot work.
    pub(crate) fn open(self, resync: Option<Duration>) -> Result<Opened, String> {
        let resync = self.resync.or(resync);
        match self.kind {
            Kind::Uri(template) => {
                let text = expand(&template, &self.variables)?;
                let kind = match flux_syntax::parse_uri(&text) {
                    Ok(Uri::File { path }) => Kind::File(path),
                    Ok(Uri::Env { prefix }) => Kind::Env(prefix),
                    Ok(_) => return Err(format!("`{text}` is not a source URI")),
                    Err(error) => return Err(format!("the source `{template}`: {error}")),
                };
                Source { kind, ..self }.open(resync)
            }
            Kind::Env(template) => {
                let prefix = expand(&template, &self.variables)?;
                Ok(Opened {
                    origin: "environment".to_owned(),
                    decoder: None,
                    optional: true,
                    input: Input::Environment(prefix, self.variables),
                })
            }
            #[cfg(feature = "figment")]
            Kind::Provider(provider) => Ok(Opened {
                origin: provider.metadata().name.into_owned(),
                decoder: None,
                optional: self.optional,
                input: Input::Provider(std::sync::Mutex::new(provider)),
            }),
            Kind::Watcher(watcher) => Ok(Opened {
                origin: watcher.origin(),
                decoder: self.format.or_else(default_decoder),
                optional: self.optional,
                input: watched(watcher),
            }),
            #[cfg(feature = "file")]
            Kind::File(template) => {
                let path = expand(&template, &self.variables)?;
                let decoder = match self.format {
                    Some(decoder) => decoder,
                    None => Format::of_path(&path).map(Decoder::from).ok_or_else(|| {
                        format!("the format of `{path}` cannot be told from its name; name one of json, yaml, toml")
                    })?,
                };
                let mut file = crate::source::File::new(&path);
                if let Some(settle) = self.settle {
                    file = file.settle(settle);
                }
                if let Some(resync) = resync {
                    file = file.resync(resync);
                }
                Ok(Opened {
                    origin: path,
                    decoder: Some(decoder),
                    optional: self.optional,
                    input: watched(Box::new(file)),
                })
            }
            #[cfg(not(feature = "file"))]
            Kind::File(template) => {
                let _ = (self.settle, resync);
                Err(format!(
                    "`file:{template}` needs the cargo feature `file` of flux"
                ))
            }
        }
    }
}

fn watched(watcher: Box<dyn DynWatcher>) -> Input {
    Input::Watched(Arc::new(tokio::sync::Mutex::new(watcher)))
}

fn default_decoder() -> Option<Decoder> {
    Decoder::enabled(Format::Json)
}

pub(crate) fn expand(template: &Template, variables: &Variables) -> Result<String, String> {
    template
        .expand(&|name| variables.get(name)?.into_string().ok())
        .map_err(|unset| format!("`{template}`: {unset}"))
}
