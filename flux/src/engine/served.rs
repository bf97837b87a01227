//! What is kept of the configuration that readers see for explanations: its layers and contents, shared, so that an update copies a
//! few pointers.

use super::{content::LayerContent, value::AnySnapshot};
use crate::codec::Decoder;
use std::{fmt, sync::Arc};

/// What readers see, and the layers' contents that it was made of. The clone is cheap.
#[derive(Clone, Default)]
pub(crate) struct Served {
    /// Lowest precedence first; none before a start.
    pub(crate) layers: Arc<[ServedLayer]>,
    /// Of each layer; none before the first configuration.
    pub(crate) contents: Arc<[LayerContent]>,
    /// What readers see and what the layers make, where stages made something else of it.
    pub(crate) staged: Option<Arc<Staged>>,
    /// Whether the program's own reducer puts the layers together.
    pub(crate) reduced: bool,
}

/// What readers see, and what was made of the layers for it before the pipeline.
#[derive(Clone)]
pub(crate) struct Staged {
    pub(crate) current: AnySnapshot,
    pub(crate) before_pipeline: AnySnapshot,
}

/// What does not change of a layer.
pub(crate) struct ServedLayer {
    pub(crate) origin: Arc<str>,
    pub(crate) decoder: Option<Decoder>,
    /// What the names of its variables begin with, where it is the environment.
    pub(crate) prefix: Option<String>,
}

/// Without any content, which may be secret.
impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served")
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}
