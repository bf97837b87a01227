//! Which documents a check or a plan is given, for which layers, and how they are read.

mod error;
mod layers;
#[cfg(feature = "cli")]
mod sent;

pub use error::InputError;
pub(super) use layers::{LayerName, by_layer, left_out};

use crate::source::{
    Content,
    declare::{OfflineContent, OfflineLayer},
};
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
    /// Whether the layers that documents are given for contain nothing: what the documents are compared with.
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "a command compares so")
    )]
    pub(super) are_compared_with: bool,
    /// Documents of layers that are not read, for where none is given.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a command has some"))]
    pub(super) kept: Vec<(String, Arc<[u8]>)>,
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
    /// The layer of this number.
    #[cfg(feature = "cli")]
    Number(usize),
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

impl Inputs {
    /// The document of a layer that is not read, where there is one.
    pub(super) fn kept(&self, layer: &OfflineLayer) -> Option<Arc<[u8]>> {
        let is_read = matches!(
            layer.content,
            OfflineContent::File(_) | OfflineContent::Files(..) | OfflineContent::Given(_)
        );
        let mut kept = self.kept.iter().filter(|_| !is_read);
        let found = kept.find(|(origin, _)| *origin == layer.origin);
        found.map(|(_, bytes)| Arc::clone(bytes))
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
