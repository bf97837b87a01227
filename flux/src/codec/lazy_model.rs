//! That a document is read with spans at most once, for all the passes that need its model.

#[cfg(feature = "dotenv")]
use super::variables::{VariableText, VariablesRead};
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
    #[cfg(feature = "dotenv")]
    variables: OnceCell<VariablesRead>,
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
            #[cfg(feature = "dotenv")]
            variables: OnceCell::new(),
        }
    }

    /// Whether no line of it may be shown, whatever type it is read for. A file of variables may be shared with other programs, and where it
    /// is not known what its lines contain, one of them may be a secret of theirs.
    pub(crate) fn shows_nothing(&self) -> bool {
        match self.decoder {
            #[cfg(feature = "dotenv")]
            Decoder::Variables(_) => self.placed().is_err(),
            _ => false,
        }
    }

    /// Whether it is followed, and is one scalar without a text.
    pub(super) fn is_of_nothing(&self) -> bool {
        let nothing = |document: &Document<'_>| {
            let scalar = document.scalar(document.root());
            scalar.is_some_and(|scalar| scalar.text.is_empty())
        };
        self.placed().is_ok_and(nothing)
    }

    /// What its reader finds in a text of variables.
    #[cfg(feature = "dotenv")]
    pub(super) fn variables(&self, reader: &dyn VariableText) -> &VariablesRead {
        self.variables.get_or_init(|| reader.read(self.text))
    }

    /// The nodes with their places. Of a format of the user's own there are none.
    pub(crate) fn placed(&self) -> Result<&Document<'t>, &Unfollowed> {
        let read = || match (self.decoder, dialect(self.decoder)) {
            #[cfg(feature = "dotenv")]
            (Decoder::Variables(reader), _) => {
                self.variables(&**reader).placed(reader.fields(), self.text)
            }
            (_, Some(dialect)) => Document::parse(dialect, self.text),
            (_, None) => Err(Unfollowed::Syntax(0)),
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
            #[cfg(feature = "dotenv")]
            Decoder::Variables(reader) => self.variables(&**reader).tree(),
            _ => as_written(self),
        }
    }

    /// The nodes with their places.
    pub(crate) fn into_placed(self) -> Option<Document<'t>> {
        let _ = self.placed();
        self.placed.into_inner()?.ok()
    }

    /// The nodes, without places where the parser with spans cannot follow the text. None where it cannot be read.
    pub(crate) fn into_document(self) -> Option<Document<'t>> {
        if self.placed().is_err() {
            return Some(Document::of_tree(&self.tree().ok()?));
        }
        self.into_placed()
    }
}
