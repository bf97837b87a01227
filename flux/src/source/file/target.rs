//! Which file is read: its path, its name for people, and how large it may be.

use std::path::PathBuf;

/// Which file, and how it is read.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// As it was given, for people.
    pub(super) shown: String,
    /// Made absolute once: the program may change its folder later.
    pub(super) path: PathBuf,
    pub(super) max_size: u64,
}
