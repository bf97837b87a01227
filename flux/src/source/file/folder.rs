//! Which files of a watched folder are keys, and what is reported where there is no folder.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::PathBuf,
    sync::Arc,
};

use super::{
    chain::LinkChain,
    entry::PathState,
    read::{FileContent, ReadOutcome, explain},
    target::Target,
};
use crate::source::SourceError;

/// A folder whose files are watched.
pub(super) struct Folder {
    pub(super) target: Arc<Target>,
    /// Whether it is there; an entry like those of its files.
    pub(super) entry: PathState,
    pub(super) way: LinkChain,
    /// Without links, while it is there.
    pub(super) real: Option<PathBuf>,
    /// Where its `..data` led when it was read last.
    pub(super) data: Option<PathBuf>,
}

impl Folder {
    pub(super) fn target_of(&self, name: &OsStr) -> Arc<Target> {
        Arc::new(Target {
            shown: format!("{}/{}", self.target.shown, name.to_string_lossy()),
            path: self.target.path.join(name),
            max_size: self.target.max_size,
        })
    }

    /// Whether it is there, and where without links, and the names of its files.
    pub(super) fn list(&self) -> (ReadOutcome, Option<(PathBuf, Vec<OsString>)>) {
        let names = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.target.path)? {
                let entry = entry?;
                if is_shown(&entry.file_name()) && !entry.path().is_dir() {
                    names.push(entry.file_name());
                }
            }
            Ok((self.target.path.canonicalize()?, names))
        };
        match names() {
            Ok((real, names)) => {
                let there = if names.is_empty() {
                    Vec::new()
                } else {
                    vec![1]
                };
                (
                    ReadOutcome::bare(FileContent::Bytes(there)),
                    Some((real, names)),
                )
            }
            Err(error) => (ReadOutcome::bare(self.explain(&error)), None),
        }
    }

    fn explain(&self, error: &io::Error) -> FileContent {
        let shown = &self.target.shown;
        match error.kind() {
            io::ErrorKind::NotADirectory if self.target.path.is_file() => FileContent::Unreadable(
                SourceError::configuration(format!("{shown} is a file; expected a directory")),
            ),
            _ => explain(error, shown),
        }
    }
}

/// Hidden files are no keys.
pub(super) fn is_shown(name: &OsStr) -> bool {
    !name.as_encoded_bytes().starts_with(b".")
}
