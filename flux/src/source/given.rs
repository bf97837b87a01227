//! What is known of a layer without a document (environment, arguments, provider): its values, their names, its secrets and
//! warnings. It is read once, at start.

use crate::{
    document::tree::Tree,
    problem::{Flaw, Seg},
    report::{ArgumentPlace, Entry},
    source::ValueFile,
};

/// Which variable set which path.
pub(crate) type VariablePaths = Vec<VariablePath>;

/// A path, and the variable that set it.
pub(crate) type VariablePath = (Vec<Seg>, String);

/// Which argument set which path.
pub(crate) type ArgumentPaths = Vec<(Vec<Seg>, ArgumentPlace)>;

/// Decodes a document that was read already; the flag is whether a plain number is also a legal string.
pub(crate) type DecodeTree<L> = fn(&Tree, bool) -> (Option<L>, Vec<Flaw>);

/// The keys of the map at a path, in the layers below.
pub(crate) type KnownKeys<'a> = &'a dyn Fn(&[Seg]) -> Vec<String>;

/// Reads a layer again, with the keys of the layers below.
pub(crate) type ReadAgain<L> = Box<dyn Fn(KnownKeys<'_>) -> Given<L> + Send + Sync>;

/// What a layer without a document contains, which is read once, at start.
pub(crate) struct Given<L> {
    /// The layer, or everything that is wrong with it.
    pub(crate) read: Result<(L, VariablePaths), Vec<Entry>>,
    /// Where something is wrong with it, what could be read all the same; only for finding its other problems.
    pub(crate) partial: Option<(L, VariablePaths)>,
    /// What must not be printed of it.
    pub(crate) secrets: Vec<String>,
    /// What is not wrong, but probably not meant.
    pub(crate) warnings: Vec<Entry>,
    /// Which argument set which path, where it is the arguments.
    pub(crate) arguments: Option<ArgumentPaths>,
    /// What the names of its variables begin with, where it is the environment.
    pub(crate) prefix: Option<String>,
    /// What was read, for the keys in it.
    pub(crate) tree: Option<Tree>,
    /// Which variable of which path is empty, and counts as not set.
    pub(crate) empty: VariablePaths,
    /// The files that its values were read from.
    pub(crate) files: Vec<ValueFile>,
    /// Reads it again, with the keys of the layers below; where variables mean entries of maps.
    pub(crate) again: Option<ReadAgain<L>>,
}
