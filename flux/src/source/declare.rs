//! How a layer is declared: a source, its format, and whether it may be absent.

use crate::{
    codec::{Codec, Decoder},
    source::{
        DynWatcher, Observer, Patience, Session, Terms, Watcher, environment::Variables,
        renewed::Renewed,
    },
};
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
            SourceKind::Env(_) | SourceKind::Watcher(_) => Ok(None),
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

/// The value of a variable, or the content of a file (`file:PATH`) without the line break at its end.
pub(crate) fn value_of(name: &str, variables: &Variables) -> Option<String> {
    let Some(path) = name.strip_prefix("file:") else {
        return variables.get(name)?.into_string().ok();
    };
    let mut text = std::fs::read_to_string(path).ok()?;
    let length = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(length);
    Some(text)
}

/// Runs `expand`; a variable that cannot be read because of its bytes is the error, and not as one that is not set.
fn in_unicode<T>(
    variables: &Variables,
    expand: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<T, String>,
) -> Result<T, String> {
    let unreadable = std::cell::RefCell::new(None);
    let lookup = |name: &str| {
        let value = variables.get(name);
        if value.is_some_and(|value| value.to_str().is_none()) {
            *unreadable.borrow_mut() = Some(name.to_owned());
        }
        value_of(name, variables)
    };
    expand(&lookup).map_err(|error| match unreadable.take() {
        Some(name) => format!("the environment variable {name} is not valid Unicode"),
        None => error,
    })
}

pub(crate) fn expand(template: &Template, variables: &Variables) -> Result<String, String> {
    template
        .expand(&|name| value_of(name, variables))
        .map_err(|unset| match variables.get(&unset.name) {
            Some(value) if value.to_str().is_none() => {
                let name = &unset.name;
                format!("`{template}`: the environment variable {name} is not valid Unicode")
            }
            _ => format!("`{template}`: {unset}"),
        })
}

#[cfg(test)]
mod tests {
    use crate::source::declare::*;
    #[cfg(unix)]
    use std::ffi::OsString;

    fn opened(uri: &str) -> Result<String, String> {
        Source::uri(uri).open(None).map(|opened| opened.origin)
    }

    #[test]
    fn a_uri_in_code_is_what_it_would_be_in_an_attribute() {
        for uri in ["redis://u:hunter2@h/k", "${X:-redis://u:hunter2@h/k}"] {
            let refused = opened(uri).expect_err("a password");
            assert!(refused.contains("a password does not belong"), "{refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        let refused = opened("nats://h/bucket/app.*").expect_err("a wildcard");
        assert!(refused.contains("wildcard"), "{refused}");
        let refused = opened("redis://${FLUX_UNSET_HOST}/k").expect_err("unset");
        assert!(refused.contains("FLUX_UNSET_HOST is not set"), "{refused}");
    }

    #[test]
    #[cfg(unix)]
    fn a_variable_that_is_empty_or_no_unicode_is_reported_as_what_it_is() {
        use std::os::unix::ffi::OsStringExt;
        let bytes = OsString::from_vec(vec![b'a', 0xff]);
        let variables = [
            ("EMPTY".to_owned(), OsString::new()),
            ("BYTES".to_owned(), bytes),
        ];
        let variables = Variables::Given(Arc::new(variables.into_iter().collect()));
        for uri in ["redis://${NAME}/k", "file:${NAME}/app.yaml", "${NAME}"] {
            for (name, sentence) in [
                ("EMPTY", "EMPTY is empty"),
                ("BYTES", "BYTES is not valid Unicode"),
                ("NONE", "NONE is not set"),
            ] {
                let mut source = Source::uri(uri.replace("NAME", name));
                source.variables = variables.clone();
                let refused = source.open(None).map(|opened| opened.origin);
                let refused = refused.expect_err(uri);
                assert!(refused.contains(sentence), "{refused}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_given_uri_is_reported_as_it_was_given() {
        for (given, sentence) in [
            (
                "consul://h/k?token=abc",
                "declare the source with `?token=${NAME}`",
            ),
            (
                "consul://h/k?token=${TOKEN}",
                "in a URI that comes from a variable no other one is replaced",
            ),
            (
                "$HOME/app.yaml",
                "`$HOME/app.yaml` has no scheme; for a file write `file:$HOME/app.yaml`",
            ),
        ] {
            let source = Source::uri("${APP_CONFIG}").variables([("APP_CONFIG", given)]);
            let refused = source.open(None).map(|opened| opened.origin);
            let refused = refused.expect_err(given);
            assert!(refused.contains(sentence), "{refused}");
            assert!(
                !refused.contains("abc") && !refused.contains("$$"),
                "{refused}"
            );
        }
    }

    #[test]
    #[cfg(all(feature = "file", feature = "yaml"))]
    fn a_uri_that_comes_from_the_environment_has_defaults_in_defaults() {
        let uri = "${FLUX_UNSET:-file:${FLUX_UNSET_TOO:-app}.yaml}";
        assert_eq!(opened(uri).as_deref(), Ok("app.yaml"));
    }

    #[test]
    #[cfg(not(feature = "redis"))]
    fn a_server_without_its_feature_names_it() {
        let refused = opened("redis://h/k").expect_err("off");
        assert!(
            refused.contains("needs the cargo feature `redis`"),
            "{refused}"
        );
    }

    #[test]
    #[cfg(feature = "redis")]
    fn what_is_shown_of_a_server_is_its_place() {
        let shown = opened("redis://u:${FLUX_UNSET:-${PATH}}@h/app.yaml?db=2&poll=1s");
        assert_eq!(shown.as_deref(), Ok("redis://h/app.yaml?db=2"));
    }
}
