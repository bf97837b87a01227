//! Makes a declaration a layer that is ready to be watched: which format a file has, and which declarations are refused.

#[cfg(feature = "file")]
use super::places::{first_there, searched};
use super::{
    Source, SourceKind,
    expand::{expand, in_unicode, value_of},
};
use crate::{
    codec::Decoder,
    problem::{escaped, shortened},
    report::ARGUMENTS,
    source::{
        DynWatcher, Observer, Patience, Session, Terms, UriSecrets, arguments::Arguments,
        drop_ins::DropInLayers, environment::Variables, renewed::Renewed,
    },
};
use flux_syntax::{Format, Remote, Template, Uri};
#[cfg(feature = "json")]
use std::path::Path;
use std::{path::PathBuf, sync::Arc, time::Duration};

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
    /// Where it is looked for, if in several places.
    pub(crate) searched: Vec<String>,
    /// Its files, where it is a pattern of several: each is a layer of its own.
    pub(crate) drop_ins: Option<Arc<DropInLayers>>,
    /// Those of its URI, where it has some.
    pub(crate) secrets: Option<Arc<UriSecrets>>,
    pub(crate) input: Input,
}

/// Expands the variables and makes the source ready, or reports what cannot work.
pub(crate) fn open(source: Source, resync: Option<Duration>) -> Result<Opened, String> {
    let name = source.name.clone();
    let mut opened = opened(source, resync)?;
    if let Some(name) = name {
        opened.origin = name;
    }
    opened.origin = shown(&opened.origin);
    Ok(opened)
}

/// What a layer is called in every output: a variable or the program may have put anything in.
fn shown(origin: &str) -> String {
    escaped(&shortened(origin)).into_owned()
}

impl Opened {
    /// Every file and folder that it may read.
    #[cfg(feature = "json")]
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let folder = || self.origin.strip_prefix("dir:").map(Path::new);
        let first = self.file.as_deref().or_else(folder);
        let others = self.searched.iter().map(Path::new);
        first.into_iter().chain(others)
    }

    /// The file that it would be read from now.
    pub(crate) fn file_now(&self) -> Option<PathBuf> {
        #[cfg(feature = "file")]
        if let Some(there) = first_there(&self.searched) {
            return std::path::absolute(there).ok();
        }
        self.file.clone()
    }

    /// The file that it is called by this name for: the one that was found, where it is looked for in several places.
    pub(crate) fn file_called(&self, origin: &str) -> Option<PathBuf> {
        let found = self.searched.iter().find(|place| shown(place) == origin);
        match found {
            Some(found) => std::path::absolute(found).ok(),
            // A layer with a name of its own has it wherever its file is.
            None => self.file_now(),
        }
    }
}

fn opened(source: Source, resync: Option<Duration>) -> Result<Opened, String> {
    let own = source.resync;
    let patience = source.wait.map(|wait| Patience {
        wait,
        optional: source.optional,
    });
    let watched = |watcher, resync| {
        Input::Watched(Arc::new(tokio::sync::Mutex::new(Box::new(OnTerms {
            watcher,
            resync,
            patience,
        }))))
    };
    match source.kind {
        SourceKind::Uri(template) => {
            let kind =
                read(&template, &source.variables).map_err(|error| named(&template, &error))?;
            opened(Source { kind, ..source }, resync)
        }
        SourceKind::Env(template) => {
            let prefix = expand(&template, &source.variables)?;
            Ok(Opened {
                origin: "environment".to_owned(),
                decoder: None,
                optional: true,
                file: None,
                searched: Vec::new(),
                drop_ins: None,
                secrets: None,
                input: Input::Environment(prefix, source.variables),
            })
        }
        SourceKind::Args => Ok(Opened {
            origin: ARGUMENTS.to_owned(),
            decoder: None,
            optional: true,
            file: None,
            searched: Vec::new(),
            drop_ins: None,
            secrets: None,
            input: Input::Arguments(source.arguments),
        }),
        #[cfg(feature = "figment")]
        SourceKind::Provider(provider) => Ok(Opened {
            origin: format!("provider {}", provider.metadata().name),
            decoder: None,
            optional: source.optional,
            file: None,
            searched: Vec::new(),
            drop_ins: None,
            secrets: None,
            input: Input::Provider(std::sync::Mutex::new(provider)),
        }),
        SourceKind::Watcher(watcher) => Ok(Opened {
            origin: watcher.origin(),
            decoder: source.format.or_else(default_decoder),
            optional: source.optional,
            file: None,
            searched: Vec::new(),
            drop_ins: source.drop_ins,
            secrets: None,
            input: watched(watcher, own),
        }),
        SourceKind::Remote(place) => {
            let template = place;
            let place = in_unicode(&source.variables, |lookup| template.expand(lookup));
            let place = place
                .map_err(|error| format!("a `{}:` source: {error}", template.scheme.as_str()))?;
            // What the URI sets is nearer to the source than what the builder sets for all.
            let resync = own.or(resync.filter(|_| place.get("resync").is_none()));
            let folder = place.origin().strip_prefix("dir:").map(std::path::absolute);
            let folder = folder.and_then(Result::ok);
            let (origin, decoder) = (place.origin(), decoder_of(&place));
            let secrets = UriSecrets::of(&place);
            let watcher: Box<dyn DynWatcher> = match template.reads_files() {
                true => {
                    let variables = source.variables;
                    let lookup = Arc::new(move |name: &str| value_of(name, &variables));
                    Box::new(Renewed::open(template, place, lookup, secrets.clone())?)
                }
                false => crate::source::open::open(place)?,
            };
            Ok(Opened {
                origin,
                decoder: Some(source.format.unwrap_or(decoder)),
                optional: source.optional,
                file: folder,
                searched: Vec::new(),
                drop_ins: None,
                secrets,
                input: watched(watcher, resync),
            })
        }
        #[cfg(feature = "dotenv")]
        SourceKind::Dotenv(file) => Err(format!("`dotenv:{file}` is read for no config type")),
        #[cfg(feature = "file")]
        SourceKind::File(template) => {
            let path = expand(&template, &source.variables)?;
            if let Some(layers) = drop_ins_of(&path, source.format.clone(), source.name.as_deref())?
            {
                let mut files = crate::source::DropIns::of(&layers, &path);
                if let Some(settle) = source.settle {
                    files = files.settle(settle);
                }
                if let Some(resync) = own.or(resync) {
                    files = files.resync(resync);
                }
                return Ok(Opened {
                    origin: path,
                    decoder: Some(decoder_of_all(&layers)),
                    optional: source.optional,
                    file: Some(layers.folder().to_owned()),
                    searched: Vec::new(),
                    drop_ins: Some(layers),
                    secrets: None,
                    input: watched(Box::new(files), None),
                });
            }
            let decoder = decoder_of_file(&path, source.format)?;
            let mut file = crate::source::File::new(&path);
            if let Some(settle) = source.settle {
                file = file.settle(settle);
            }
            if let Some(resync) = own.or(resync) {
                file = file.resync(resync);
            }
            Ok(Opened {
                origin: path,
                decoder: Some(decoder),
                optional: source.optional,
                file: Some(file.path().to_owned()),
                searched: Vec::new(),
                drop_ins: None,
                secrets: None,
                input: watched(Box::new(file), None),
            })
        }
        #[cfg(feature = "file")]
        SourceKind::Search(file, folders) => {
            let (name, places) = searched(&file, &folders, &source.variables)?;
            let decoder = decoder_of_file(&name, source.format)?;
            let mut file = crate::source::File::in_places(&name, &places, source.name.is_some());
            if let Some(settle) = source.settle {
                file = file.settle(settle);
            }
            if let Some(resync) = own.or(resync) {
                file = file.resync(resync);
            }
            Ok(Opened {
                origin: name,
                decoder: Some(decoder),
                optional: source.optional,
                file: Some(file.path().to_owned()),
                searched: places,
                drop_ins: None,
                secrets: None,
                input: watched(Box::new(file), None),
            })
        }
        #[cfg(not(feature = "file"))]
        SourceKind::File(template) | SourceKind::Search(template, _) => {
            let _ = source.settle;
            Err(format!(
                "`file:{template}` needs the cargo feature `file` of flux"
            ))
        }
    }
}

/// A file's own format, or that of its name.
#[cfg(any(feature = "file", feature = "testing"))]
pub(super) fn decoder_of_file(path: &str, format: Option<Decoder>) -> Result<Decoder, String> {
    format
        .or_else(|| Format::of_path(path).map(Decoder::from))
        .ok_or_else(|| crate::source::drop_ins::unknown_format(path))
}

/// The layers of the files that a pattern names; none where the path is that of one file.
#[cfg(any(feature = "file", feature = "testing"))]
pub(super) fn drop_ins_of(
    path: &str,
    format: Option<Decoder>,
    name: Option<&str>,
) -> Result<Option<Arc<DropInLayers>>, String> {
    let layers = DropInLayers::of(path, format)?;
    Ok(layers.map(|mut layers| {
        if let Some(name) = name {
            layers.named(name);
        }
        Arc::new(layers)
    }))
}

/// The decoder of a source of several files, which is asked for none of them.
#[cfg(any(feature = "file", feature = "testing"))]
pub(super) fn decoder_of_all(layers: &DropInLayers) -> Decoder {
    let common = layers.common_decoder().cloned();
    common.unwrap_or_else(|| Decoder::from(Format::Json))
}

pub(super) fn decoder_of(place: &Remote<String>) -> Decoder {
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

/// What a URI means that is known only at start.
pub(in crate::source) fn read(
    template: &Template,
    variables: &Variables,
) -> Result<SourceKind, String> {
    let uri = match template.as_literal() {
        // What was forgotten may be the `@` behind a password.
        Some(text) => flux_syntax::parse_uri(text).map_err(|mut error| {
            let is_told = text.contains('@') && !text.starts_with("env:");
            if flux_syntax::may_hold_password(text) && !is_told {
                flux_syntax::NO_URI.clone_into(&mut error.message);
            }
            error
        }),
        None => flux_syntax::parse_given_uri(&expand(template, variables)?),
    };
    match uri.map_err(|error| error.message)? {
        Uri::File { path } => Ok(SourceKind::File(path)),
        Uri::Search { file, folders } => Ok(SourceKind::Search(file, folders)),
        Uri::Env { prefix } => Ok(SourceKind::Env(prefix)),
        #[cfg(feature = "dotenv")]
        Uri::Dotenv { file } => Ok(SourceKind::Dotenv(file)),
        #[cfg(not(feature = "dotenv"))]
        Uri::Dotenv { .. } => Err("it needs the cargo feature `dotenv` of flux".to_owned()),
        Uri::Args => Ok(SourceKind::Args),
        Uri::Remote(place) => Ok(SourceKind::Remote(place)),
        Uri::Whole(template) => Ok(SourceKind::Uri(template)),
        _ => Err("it is new to this version of flux".to_owned()),
    }
}

/// The error with its source, unless that may hold a password. An option may be a misspelt one for a token: its value is not shown.
fn named(template: &Template, error: &str) -> String {
    let text = template.to_string();
    if flux_syntax::may_hold_password(&text) {
        return format!("a source URI: {error}");
    }
    let text = match text.split_once('?') {
        Some((place, options)) => {
            let of_env = ["separator", "empty", "files"];
            let is_shown = |name: &str, value: &str| {
                is_variable(value) || text.starts_with("env:") && of_env.contains(&name)
            };
            let option = |one: &str| match one.split_once('=') {
                Some((name, value)) if !is_shown(name, value) => format!("{name}=..."),
                _ => one.to_owned(),
            };
            let options: Vec<String> = options.split('&').map(option).collect();
            format!("{place}?{}", options.join("&"))
        }
        _ => text,
    };
    format!("the source `{text}`: {error}")
}

/// Whether the text is a variable's name, and not its value.
fn is_variable(text: &str) -> bool {
    let name = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| !name.contains('}'))
}

pub(super) fn default_decoder() -> Option<Decoder> {
    Decoder::enabled(Format::Json)
}
