//! That a document is read with spans at most once, for all the passes that need its model.

#[cfg(feature = "yaml")]
use super::yaml;
use super::{Decoder, Syntax, as_written, custom, dialect};
use crate::document::{Document, Unfollowed, tree::Tree};
use std::cell::OnceCell;

/// A text and its document model. Each form of the model is read at most once, when a pass needs it first: parsing is most of what
/// a pass costs.
pub(crate) struct LazyModel<'d, 't> {
    pub(super) decoder: &'d Decoder,
    pub(super) text: &'t str,
    placed: OnceCell<Result<Document<'t>, Unfollowed>>,
    #[cfg(feature = "yaml")]
    unplaced: OnceCell<Result<Document<'static>, Syntax>>,
}

impl<'d, 't> LazyModel<'d, 't> {
    #[inline]
    pub(crate) fn new(decoder: &'d Decoder, text: &'t str) -> Self {
        LazyModel {
            decoder,
            text,
            placed: OnceCell::new(),
            #[cfg(feature = "yaml")]
            unplaced: OnceCell::new(),
        }
    }

    /// The nodes with their places. Of a format of the user's own there are none.
    pub(crate) fn placed(&self) -> Result<&Document<'t>, &Unfollowed> {
        let read = || match dialect(self.decoder) {
            Some(dialect) => Document::parse(dialect, self.text),
            None => Err(Unfollowed::Syntax(0)),
        };
        self.placed.get_or_init(read).as_ref()
    }

    /// The nodes of a text of YAML as its decoder reads them, without places.
    #[cfg(feature = "yaml")]
    pub(super) fn unplaced(&self) -> Result<&Document<'static>, &Syntax> {
        let read = || {
            Document::unplaced(self.text).map_err(|error| yaml::failure(self.text, &error, false))
        };
        self.unplaced.get_or_init(read).as_ref()
    }

    /// The document as a tree.
    pub(crate) fn tree(&self) -> Result<Tree, Syntax> {
        match self.decoder {
            Decoder::Custom(codec) => custom(&**codec, self.text),
            _ => as_written(self),
        }
    }

    /// The nodes, without places where the parser with spans cannot follow the text. None where it cannot be read.
    pub(crate) fn into_document(self) -> Option<Document<'t>> {
        if self.placed().is_err() {
            return Some(Document::of_tree(&self.tree().ok()?));
        }
        self.placed.into_inner()?.ok()
    }
}
