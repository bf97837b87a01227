//! The file at the end of a path.

use std::sync::Arc;

use crate::source::file::{
    chain::{self, LinkChain},
    entry::PathState,
    read::{FileContent, ReadOutcome, read},
    target::Target,
};

/// One file.
pub(super) struct LastStep {
    pub(super) target: Arc<Target>,
    pub(super) entry: PathState,
    pub(super) way: LinkChain,
}

impl LastStep {
    /// Whether its path leads where it did. Of a link that is new it is not known where that is.
    pub(super) fn is_where_it_was(&self) -> bool {
        let end = &self.way.end;
        end.as_os_str().is_empty() || chain::resolve(&self.target.path).end == *end
    }

    pub(super) fn read(&self, in_folder: bool) -> ReadOutcome {
        let target = &self.target;
        let found = read(&target.path, &target.shown, target.max_size);
        // Folders in a folder are passed over.
        match found.what {
            FileContent::Unreadable(_) if in_folder && target.path.is_dir() => {
                ReadOutcome::bare(FileContent::Absent)
            }
            _ => found,
        }
    }
}
