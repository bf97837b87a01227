//! What of a document can be read although the whole cannot: the layer that the slow pass fills, whatever its type.

use crate::{
    document::{
        NodeDecoder, TreeDecoder,
        tree::{Tree, TreeError},
    },
    layer::{Config, decode::Section},
    problem::Cx,
};
use serde::Deserialize;

/// A layer of any type, which the slow pass fills. Apart from it, the pass is compiled once.
pub(super) trait FillLayer {
    /// Decodes a document; of several calls the first one counts.
    fn fill_from_nodes(&mut self, decoder: NodeDecoder<'_>) -> Result<(), TreeError>;
    /// Decodes a tree; of several calls the first one counts.
    fn fill_from_tree(&mut self, tree: &Tree) -> Result<(), TreeError>;
    /// Asks the rules of what the last call read.
    fn ask_rules(&mut self, cx: &mut Cx);
}

/// What of a layer could be read.
pub(super) struct PartialLayer<C: Config> {
    begun: bool,
    pub(super) layer: Option<C::Layer>,
    /// What the last of several passes read.
    last: Option<C::Layer>,
}

impl<C: Config> PartialLayer<C> {
    pub(super) fn new() -> Self {
        PartialLayer {
            begun: false,
            layer: None,
            last: None,
        }
    }

    fn take(&mut self, section: Result<Section<C::Layer>, TreeError>) -> Result<(), TreeError> {
        self.last = None;
        let section = section?;
        match std::mem::replace(&mut self.begun, true) {
            false => self.layer = Some(section.0),
            true => self.last = Some(section.0),
        }
        Ok(())
    }
}

impl<C: Config> FillLayer for PartialLayer<C> {
    fn fill_from_nodes(&mut self, decoder: NodeDecoder<'_>) -> Result<(), TreeError> {
        self.take(Section::deserialize(decoder))
    }
    fn fill_from_tree(&mut self, tree: &Tree) -> Result<(), TreeError> {
        self.take(Section::deserialize(TreeDecoder(tree)))
    }
    fn ask_rules(&mut self, cx: &mut Cx) {
        let value = self.last.take().and_then(|layer| C::finish(layer, cx));
        if let Some(value) = value {
            value.validate(cx);
        }
    }
}
