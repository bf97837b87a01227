//! What a layer without a document contains: the environment, a figment provider. It is read once, at start.

use crate::{
    document::tree::Tree,
    problem::{Flaw, Seg},
    report::Entry,
};

/// Which variable set which path.
pub(crate) type VariablePaths = Vec<(Vec<Seg>, String)>;

/// Decodes a document that was read already; the flag says whether a plain number is also a legal string.
pub(crate) type DecodeTree<L> = fn(&Tree, bool) -> (Option<L>, Vec<Flaw>);

/// What a layer without a document says, which is read once, at start.
pub(crate) struct Given<L> {
    /// The layer, or everything that is wrong with it.
    pub(crate) read: Result<(L, VariablePaths), Vec<Entry>>,
    /// What must not be printed of it.
    pub(crate) secrets: Vec<String>,
    /// What is not wrong, but probably not meant.
    pub(crate) warnings: Vec<Entry>,
    /// What the names of its variables begin with, where it is the environment.
    pub(crate) prefix: Option<String>,
}
