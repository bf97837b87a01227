//! What readers see and what it was made of, for those who explain it: shared, so that an update copies a few pointers.

use super::{content::LayerContent, layer_state::LayerState, value::AnySnapshot};
use crate::{codec::Decoder, document::tree::Tree, source::VariablePaths};
use std::{fmt, sync::Arc};

/// What readers see, and the layers' contents that it was made of. The clone is cheap.
#[derive(Clone, Default)]
pub(crate) struct Served {
    /// Lowest precedence first; none before a start.
    pub(crate) layers: Arc<[ServedLayer]>,
    /// Of each layer; none before the first configuration.
    pub(crate) contents: Arc<[LayerContent]>,
    /// What readers see.
    pub(crate) current: Option<AnySnapshot>,
    /// What was made of the layers for it, before stages made something else of it.
    pub(crate) before_pipeline: Option<AnySnapshot>,
    /// Whether the program's own reducer puts the layers together.
    pub(crate) reduced: bool,
}

/// What does not change of a layer.
pub(crate) struct ServedLayer {
    pub(crate) origin: String,
    pub(crate) decoder: Option<Decoder>,
    /// What the names of its variables begin with, where it is the environment.
    pub(crate) prefix: Option<String>,
}

/// What a layer without a document contains.
#[derive(Default)]
pub(crate) struct GivenContent {
    /// Which variable set which path.
    pub(crate) variables: VariablePaths,
    pub(crate) tree: Option<Tree>,
    /// What must not be printed of it.
    pub(crate) secrets: Vec<String>,
}

impl Served {
    /// The layers, which nobody sees anything of yet.
    pub(super) fn of(states: &[LayerState], reduced: bool) -> Self {
        let layers = states.iter().map(|state| ServedLayer {
            origin: state.origin.clone(),
            decoder: state.decoder.clone(),
            prefix: state.prefix.clone(),
        });
        Served {
            layers: layers.collect(),
            reduced,
            ..Served::default()
        }
    }
}

/// Without any content, which may be secret.
impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served")
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
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
