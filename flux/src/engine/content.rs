//! Whether what a source delivers is what its layer contains already: contents, compared, and kept for going back.

use crate::{
    codec::Decoder,
    document::tree::Tree,
    source::{ArgumentPaths, Observation, ValueFile, VariablePaths},
};
use std::{fmt, sync::Arc};

/// What a layer contained in some generation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LayerContent {
    /// It is read once at start, so it still contains the same.
    Given(Arc<GivenContent>),
    /// Nothing: absent, or an empty document.
    Silent(Option<Arc<[u8]>>),
    /// This document.
    Document(Arc<[u8]>, FoundPlace),
    /// What was kept of it on disk.
    Kept(KeptPart),
}

/// What the last known good configuration has of a layer.
#[cfg_attr(
    not(feature = "json"),
    allow(dead_code, reason = "the last known good file is JSON")
)]
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum KeptPart {
    /// Nothing: it was absent, or empty, or is new since.
    Nothing,
    /// Something that is no document which can be read again.
    Unread,
    /// This, its secrets left out.
    Document(Arc<KeptDocument>),
}

/// A document of the last known good configuration.
pub(crate) struct KeptDocument {
    pub(crate) decoder: Decoder,
    pub(crate) bytes: Arc<[u8]>,
}

impl PartialEq for KeptDocument {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl fmt::Debug for KeptDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptDocument")
    }
}

impl LayerContent {
    pub(crate) fn bytes(&self) -> Option<Arc<[u8]>> {
        match self {
            LayerContent::Document(bytes, _) => Some(Arc::clone(bytes)),
            LayerContent::Silent(bytes) => bytes.clone(),
            LayerContent::Given(_) | LayerContent::Kept(_) => None,
        }
    }

    /// Whether it is from the disk.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self, LayerContent::Kept(_))
    }

    /// Whether the source holds just this.
    pub(super) fn is(&self, observed: &Observed) -> bool {
        match (self, observed) {
            (
                LayerContent::Document(bytes, _) | LayerContent::Silent(Some(bytes)),
                Observed::Bytes(seen),
            ) => bytes == seen,
            (LayerContent::Silent(None), Observed::Absent) => true,
            _ => false,
        }
    }
}

/// Where a document was found, if its layer is looked for in several places. In another place it is the same document.
#[derive(Debug, Clone, Default)]
pub(crate) struct FoundPlace(pub(crate) Option<Arc<str>>);

impl PartialEq for FoundPlace {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What a source was seen to hold, for recognizing equal content.
#[derive(PartialEq)]
pub(super) enum Observed {
    Bytes(Arc<[u8]>),
    Absent,
    Unreadable(String),
}

impl From<&Observation> for Observed {
    fn from(observation: &Observation) -> Self {
        match observation {
            Observation::Value(content) => Observed::Bytes(Arc::clone(&content.bytes)),
            Observation::Absent => Observed::Absent,
            Observation::Unreadable(error) => Observed::Unreadable(error.to_string()),
        }
    }
}

/// What a layer without a document contains.
#[derive(Default)]
pub(crate) struct GivenContent {
    /// Which variable set which path.
    pub(crate) variables: VariablePaths,
    /// Which argument set which path, where it is the arguments.
    pub(crate) arguments: Option<ArgumentPaths>,
    pub(crate) tree: Option<Tree>,
    /// What must not be printed of it.
    pub(crate) secrets: Vec<String>,
    /// Which variable of which path is empty, and counts as not set.
    pub(crate) empty: VariablePaths,
    /// The files that its values were read from.
    pub(crate) files: Vec<ValueFile>,
}

impl PartialEq for GivenContent {
    fn eq(&self, other: &Self) -> bool {
        self.variables == other.variables
    }
}

/// Without any content, which may be secret.
impl fmt::Debug for GivenContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenContent").finish_non_exhaustive()
    }
}
