//! Whether the file at the end of a path is still where it was, and whether a mounted file has lost its name.

use std::sync::Arc;

use crate::source::file::{
    chain::{self, LinkChain, Part},
    entry::PathState,
    mounts::{MountRoot, Mounts},
    read::{FileContent, FileStamp, ReadOutcome, read},
    target::Target,
};

/// One file.
pub(super) struct LastStep {
    pub(super) target: Arc<Target>,
    pub(super) entry: PathState,
    pub(super) way: LinkChain,
    /// Of a file that is a mount itself: what was mounted when it was first read, and which file that is.
    pub(super) root: Option<(MountRoot, Option<(u64, u64)>)>,
}

impl LastStep {
    /// Whether its path leads where it did. Of a link that is new it is not known where that is.
    pub(super) fn is_where_it_was(&self) -> bool {
        let end = &self.way.end;
        end.as_os_str().is_empty() || chain::resolve(&self.target.path).end == *end
    }

    /// Whether the file that was just read is a mount itself, and has lost the name that it had when it was first read. It may have
    /// others, such as that of a backup.
    pub(super) fn has_lost_its_name(&mut self, found: &ReadOutcome) -> bool {
        let end = &self.way.end;
        let mut spots = self.way.spots.iter();
        let is_mounted = spots.any(|spot| spot.part == Part::Itself && spot.dir == *end);
        let file = found.stamp.as_ref().map(FileStamp::identity);
        let (true, Some(file)) = (is_mounted, file) else {
            return false;
        };
        let mounts = Mounts::read();
        let Some(now) = mounts.at(end) else {
            return false;
        };
        // The number of a mount is given again; the same file is not likely to be mounted again under another name.
        let first = self
            .root
            .as_ref()
            .filter(|(first, before)| now.is_the_mount_of(first) && file == *before);
        let lost = now.has_lost_its_name(first.map_or(now, |(first, _)| first));
        if first.is_none() {
            self.root = Some((now.clone(), file));
        }
        lost
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
