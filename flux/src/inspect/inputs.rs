//! Documents that are judged without being applied, and the layers that they are for.

use crate::source::Content;
use flux_syntax::Format;
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Documents for [`check`](crate::Builder::check) and [`plan`](crate::Capacitor::plan): each for a layer, by the layer's name, its
/// file or its number.
///
/// A layer's name is the one of reports and of the status: `app.yaml`, `consul://..`, or the one of [`Source::named`](crate::Source::named);
/// its number counts from 0, lowest precedence first. The name of a file without its folders is enough where one layer alone has it.
///
/// ```
/// use flux::inspect::Inputs;
///
/// let edited = Inputs::new().layer("app.yaml", "port: 8080");
/// let rolled_out = Inputs::new().file("deploy/production/app.yaml");
/// ```
#[derive(Clone, Default)]
pub struct Inputs {
    pub(super) documents: Vec<InputDocument>,
    pub(super) without: Vec<String>,
    pub(super) only_given: bool,
    pub(super) is_partial: bool,
    pub(super) variables: Option<Vec<(String, OsString)>>,
    pub(super) arguments: Vec<OsString>,
}

#[derive(Clone)]
pub(super) struct InputDocument {
    pub(super) target: InputTarget,
    content: InputContent,
}

#[derive(Clone)]
pub(super) enum InputTarget {
    Layer(String),
    /// The layer that reads this file.
    File(PathBuf),
    New(String, Format),
}

#[derive(Clone)]
enum InputContent {
    Text(Arc<[u8]>),
    File(PathBuf),
    /// What was in this file where it was read, which may be another process.
    #[cfg_attr(
        not(feature = "cli"),
        allow(
            dead_code,
            reason = "a command sends documents to the process that runs"
        )
    )]
    Sent(PathBuf, Arc<[u8]>),
}

/// Why documents could not be judged. It is about what was asked, not about the documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// No layer has the name.
    #[error(
        "no layer is called `{name}`; {}",
        match known.is_empty() {
            true => "no layer is declared".to_owned(),
            false => format!("the layers are {}", listed(known)),
        }
    )]
    NoLayer {
        /// The name.
        name: String,
        /// The layers, lowest precedence first.
        known: Vec<String>,
    },
    /// More than one layer has the name.
    #[error(
        "`{name}` may be any of {}; write the layer's whole name, or its number",
        listed(layers)
    )]
    Several {
        /// The name.
        name: String,
        /// Those layers.
        layers: Vec<String>,
    },
    /// The layer is read at start, and has no document: the environment, the arguments, a figment provider.
    #[error("the layer `{origin}` has no document; {}", match origin.as_str() {
        "environment" => "give its variables by `Inputs::variables`",
        "arguments" => "give them by `Inputs::arguments`",
        _ => "it can be left out by `Inputs::without`",
    })]
    NoDocument {
        /// The layer.
        origin: String,
    },
    /// Two documents are for the same layer.
    #[error("two documents are given for the layer `{origin}`; give one")]
    Twice {
        /// The layer.
        origin: String,
    },
    /// A file cannot be read.
    #[error("`{path}` cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: String,
    },
    /// The declaration of a layer cannot work here, as where a variable of its URI is not set. A document for the layer, or leaving it
    /// out, is enough.
    #[error(
        "{problem}; to judge without that source, give a document for the layer `{origin}`, or leave it out"
    )]
    Declaration {
        /// The layer.
        origin: String,
        /// What is wrong.
        problem: String,
    },
    /// What these layers contain now is not known: they serve from the last known good file, or cannot be read a second time.
    #[error(
        "what {} contain now is not known, so that nothing can be compared with it; give documents for them",
        listed(layers)
    )]
    Unknown {
        /// The layers.
        layers: Vec<String>,
    },
    /// A running capacitor has the layers that it was started with.
    #[error("{what} is not known to a running capacitor; use `check`")]
    NotRunning {
        /// What was given.
        what: &'static str,
    },
    /// Nothing was applied yet, so that there is nothing to compare with.
    #[error("{name}: no configuration was applied since its start (state: {state}); use `check`")]
    NotApplied {
        /// The capacitor's name.
        name: String,
        /// Its state.
        state: crate::State,
    },
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl Inputs {
    /// Nothing is given.
    pub fn new() -> Self {
        Inputs::default()
    }

    /// The document of this layer. Its format is the layer's.
    #[must_use]
    pub fn layer(mut self, name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        let text: Vec<u8> = text.into();
        self.documents.push(InputDocument {
            target: InputTarget::Layer(name.into()),
            content: InputContent::Text(text.into()),
        });
        self
    }

    /// The document of this layer, from a file. Its format is the layer's.
    #[must_use]
    pub fn layer_file(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.documents.push(InputDocument {
            target: InputTarget::Layer(name.into()),
            content: InputContent::File(path.into()),
        });
        self
    }

    /// The content of a file, for the layer that reads it: the one of this path, or else of this file name, or else the only one with a
    /// document.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.documents.push(InputDocument {
            target: InputTarget::File(path.clone()),
            content: InputContent::File(path),
        });
        self
    }

    /// A document in a layer of its own, above the sources and below the overrides, called `name` in reports. For a config type
    /// without sources it is the way to give one.
    #[must_use]
    pub fn document(
        mut self,
        name: impl Into<String>,
        format: Format,
        text: impl Into<Vec<u8>>,
    ) -> Self {
        let text: Vec<u8> = text.into();
        self.documents.push(InputDocument {
            target: InputTarget::New(name.into(), format),
            content: InputContent::Text(text.into()),
        });
        self
    }

    /// Leaves a layer out, as if it contained nothing; values that no other layer sets may come from it later.
    #[must_use]
    pub fn without(mut self, layer: impl Into<String>) -> Self {
        self.without.push(layer.into());
        self
    }

    /// Leaves every layer out for which no document is given, the environment too: then the verdict does not depend on the machine.
    #[must_use]
    pub fn only_given(mut self) -> Self {
        self.only_given = true;
        self
    }

    /// Values that are missing refuse nothing, because they come later: secrets, most of the time. They are listed.
    #[must_use]
    pub fn partial(mut self) -> Self {
        self.is_partial = true;
        self
    }

    /// Reads these variables in the place of the process's environment.
    #[must_use]
    pub fn variables<N: Into<String>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs = variables.into_iter();
        let pairs = pairs.map(|(name, value)| (name.into(), value.into()));
        self.variables = Some(pairs.collect());
        self
    }

    /// Reads these arguments, without the program's name, where arguments are a layer; none by default, since those of the process may
    /// be for something else.
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments = arguments.into_iter().map(Into::into).collect();
        self
    }
}

#[cfg(feature = "cli")]
impl Inputs {
    /// Whether nothing is asked but what runs.
    pub(crate) fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.without.is_empty() && !self.only_given && !self.is_partial
    }

    /// All of it for another process: the files are read here.
    pub(crate) fn to_json(&self) -> Result<serde_json::Value, InputError> {
        let mut documents = Vec::new();
        for document in &self.documents {
            let path = document.path().map(|path| path.display().to_string());
            let bytes = document.read()?.bytes;
            let text = std::str::from_utf8(&bytes).map_err(|error| InputError::Unreadable {
                path: path.clone().unwrap_or_default(),
                error: error.to_string(),
            })?;
            let layer = match &document.target {
                InputTarget::Layer(name) => Some(name),
                InputTarget::File(_) | InputTarget::New(..) => None,
            };
            documents.push(serde_json::json!({ "layer": layer, "path": path, "text": text }));
        }
        Ok(serde_json::json!({
            "documents": documents,
            "without": self.without,
            "only_given": self.only_given,
            "partial": self.is_partial,
        }))
    }

    /// What [`to_json`](Inputs::to_json) made; none of what it did not make. No file is read.
    pub(crate) fn from_json(json: &serde_json::Value) -> Option<Inputs> {
        let mut inputs = Inputs {
            only_given: json.get("only_given")?.as_bool()?,
            is_partial: json.get("partial")?.as_bool()?,
            ..Inputs::default()
        };
        for name in json.get("without")?.as_array()? {
            inputs.without.push(name.as_str()?.to_owned());
        }
        for document in json.get("documents")?.as_array()? {
            let text = |key: &str| document.get(key).and_then(serde_json::Value::as_str);
            let bytes: Arc<[u8]> = text("text")?.as_bytes().into();
            let path = PathBuf::from(text("path").unwrap_or_default());
            inputs.documents.push(InputDocument {
                target: match text("layer") {
                    Some(name) => InputTarget::Layer(name.to_owned()),
                    None => InputTarget::File(path.clone()),
                },
                content: InputContent::Sent(path, bytes),
            });
        }
        Some(inputs)
    }

    /// The same without any document and any layer left out for that: what is compared with.
    pub(crate) fn terms(&self) -> Inputs {
        Inputs {
            without: self.without.clone(),
            is_partial: true,
            variables: self.variables.clone(),
            arguments: self.arguments.clone(),
            ..Inputs::default()
        }
    }
}

/// Without the documents, which may contain secrets.
impl std::fmt::Debug for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inputs")
            .field("documents", &self.documents.len())
            .field("only_given", &self.only_given)
            .field("is_partial", &self.is_partial)
            .finish_non_exhaustive()
    }
}

impl InputDocument {
    /// The file that it is read from.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.content {
            InputContent::Text(_) => None,
            InputContent::File(path) | InputContent::Sent(path, _) => Some(path),
        }
    }

    pub(super) fn read(&self) -> Result<Content, InputError> {
        let bytes = match &self.content {
            InputContent::Text(bytes) | InputContent::Sent(_, bytes) => Arc::clone(bytes),
            InputContent::File(path) => {
                let unreadable = |error: String| InputError::Unreadable {
                    path: path.display().to_string(),
                    error,
                };
                match read_file(path) {
                    Ok(Some(bytes)) => bytes.into(),
                    Ok(None) => return Err(unreadable("it does not exist".to_owned())),
                    Err(error) => return Err(unreadable(error.to_string())),
                }
            }
        };
        Ok(Content {
            bytes,
            revision: None,
        })
    }
}

/// As many bytes are read of a file at most.
const LARGEST: u64 = 16 << 20;

/// The content of a file; none where there is none. What is no file, such as a pipe, is not waited for.
pub(super) fn read_file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST {
        true => Err(io::Error::other("it is larger than 16 MiB")),
        false => Ok(Some(bytes)),
    }
}

/// A layer by which documents are found.
pub(super) struct LayerName {
    pub(super) origin: String,
    pub(super) file: Option<PathBuf>,
    pub(super) has_document: bool,
}

/// The layer that a name means.
pub(super) fn find_layer(layers: &[LayerName], name: &str) -> Result<usize, InputError> {
    let found = |is: &dyn Fn(&LayerName) -> bool| -> Vec<usize> {
        let layers = layers.iter().enumerate();
        let layers = layers.filter(|(_, layer)| is(layer));
        layers.map(|(number, _)| number).collect()
    };
    let plain = name.strip_prefix("file:").unwrap_or(name);
    let is_file = |layer: &LayerName| {
        let own = layer.file.as_ref().and_then(|file| file.file_name());
        own.is_some_and(|own| own == plain)
    };
    let all = [
        found(&|layer| layer.origin == name),
        found(&|layer| layer.origin == plain && layer.file.is_some()),
        found(&is_file),
    ];
    let number = name.parse().ok().filter(|number| *number < layers.len());
    match (all.iter().find(|found| !found.is_empty()), number) {
        (Some(found), _) => match found[..] {
            [one] => Ok(one),
            _ => Err(several(layers, name, found)),
        },
        (None, Some(number)) => Ok(number),
        (None, None) => Err(no_layer(layers, name)),
    }
}

/// The layer that reads a file.
pub(super) fn find_file(layers: &[LayerName], path: &Path) -> Result<usize, InputError> {
    let name = path.display().to_string();
    let absolute = |path: &Path| std::path::absolute(path).ok();
    let is_same = |layer: &LayerName| {
        let own = layer.file.as_deref().and_then(absolute);
        own.is_some() && own == absolute(path)
    };
    if let Some(number) = layers.iter().position(is_same) {
        return Ok(number);
    }
    if let Some(name) = path.file_name().and_then(|name| name.to_str())
        && let Ok(number) = find_layer(layers, name)
        && layers[number].file.is_some()
    {
        return Ok(number);
    }
    let documents = layers.iter().enumerate();
    let documents = documents.filter(|(_, layer)| layer.has_document);
    let documents: Vec<usize> = documents.map(|(number, _)| number).collect();
    match documents[..] {
        [one] => Ok(one),
        [] => Err(no_layer(layers, &name)),
        _ => Err(several(layers, &name, &documents)),
    }
}

fn no_layer(layers: &[LayerName], name: &str) -> InputError {
    InputError::NoLayer {
        name: name.to_owned(),
        known: layers.iter().map(|layer| layer.origin.clone()).collect(),
    }
}

fn several(layers: &[LayerName], name: &str, found: &[usize]) -> InputError {
    let names = found.iter().map(|number| layers[*number].origin.clone());
    InputError::Several {
        name: name.to_owned(),
        layers: names.collect(),
    }
}

/// Which document is for which layer. `layers` has the new ones too, in the order in which they are given.
pub(super) fn by_layer<'i>(
    inputs: &'i Inputs,
    layers: &[LayerName],
    new: &[usize],
) -> Result<Vec<Option<&'i InputDocument>>, InputError> {
    let mut all: Vec<Option<&InputDocument>> = layers.iter().map(|_| None).collect();
    let mut new = new.iter();
    for document in &inputs.documents {
        let number = match &document.target {
            InputTarget::Layer(name) => find_layer(layers, name)?,
            InputTarget::File(path) => find_file(layers, path)?,
            InputTarget::New(..) => match new.next() {
                Some(number) => *number,
                None => {
                    return Err(InputError::NotRunning {
                        what: "a document in a layer of its own",
                    });
                }
            },
        };
        let origin = || layers[number].origin.clone();
        if !layers[number].has_document {
            return Err(InputError::NoDocument { origin: origin() });
        }
        if all[number].replace(document).is_some() {
            return Err(InputError::Twice { origin: origin() });
        }
    }
    Ok(all)
}

/// Whether each layer is left out.
pub(super) fn left_out(
    inputs: &Inputs,
    layers: &[LayerName],
    documents: &[Option<&InputDocument>],
) -> Result<Vec<bool>, InputError> {
    let given = documents.iter().map(Option::is_some);
    let mut all: Vec<bool> = given
        .map(|is_given| inputs.only_given && !is_given)
        .collect();
    for name in &inputs.without {
        all[find_layer(layers, name)?] = true;
    }
    Ok(all)
}
