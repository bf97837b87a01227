//! What an event of the file system means for a file: written, finished, gone, or only read.

use std::{fs, path::Path};

use notify::{
    EventKind,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode},
};

/// What happened to one of the entries that lead to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// Permissions, owner or times.
    Metadata,
    /// A directory on the way appeared.
    Structure,
    /// Written to, and the writer may go on.
    Written,
    /// A writer closed it, or something whole came into its place.
    Finished,
    /// It went away; something may come in its place.
    Gone,
    /// Events were lost.
    Rescan,
}

impl Touch {
    /// One touch for two that were not looked at yet.
    pub(super) fn then(self, next: Touch) -> Touch {
        match (self, next) {
            (before, Touch::Metadata) => before,
            // A link was swapped and what it led to before was removed.
            (Touch::Finished, Touch::Gone) => Touch::Finished,
            (_, next) => next,
        }
    }
}

/// inotify reports each name of a rename by itself, and then of both.
pub(super) fn is_told_twice(kind: EventKind) -> bool {
    kind == EventKind::Modify(ModifyKind::Name(RenameMode::Both))
}

/// Reading a file makes events as well; those of our own reads would never end.
pub(super) fn is_of_a_reader(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(mode)) => mode == AccessMode::Read,
        EventKind::Access(_) => true,
        _ => false,
    }
}

/// Whether the path of the event is gone by it.
pub(super) fn takes_away(kind: EventKind) -> bool {
    match kind {
        EventKind::Remove(_) => true,
        EventKind::Modify(ModifyKind::Name(mode)) => mode == RenameMode::From,
        _ => false,
    }
}

pub(super) fn classify(kind: EventKind, path: &Path) -> Touch {
    if takes_away(kind) {
        return Touch::Gone;
    }
    match kind {
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
            Touch::Finished
        }
        // FSEvents reports both names in the same words.
        EventKind::Modify(ModifyKind::Name(_)) => match fs::symlink_metadata(path) {
            Err(_) => Touch::Gone,
            Ok(_) => Touch::Finished,
        },
        EventKind::Modify(ModifyKind::Metadata(_)) => Touch::Metadata,
        EventKind::Create(CreateKind::Folder) => Touch::Structure,
        EventKind::Create(_) => match fs::symlink_metadata(path) {
            Err(_) => Touch::Gone,
            Ok(found) if found.is_dir() => Touch::Structure,
            Ok(found) if found.is_symlink() || is_hard_link(&found) => Touch::Finished,
            Ok(_) => Touch::Written,
        },
        _ => Touch::Written,
    }
}

/// A second name for a file that was there before: nobody is writing it, and no close follows.
fn is_hard_link(found: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        found.nlink() > 1
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        false
    }
}
