//! Which files of a watched folder are read, and what is reported where there is no folder.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::PathBuf,
    sync::Arc,
};

use super::{
    chain::LinkChain,
    entry::{PathContent, PathState},
    read::{FileContent, ReadOutcome, explain},
    target::Target,
};
use crate::source::{SourceError, drop_ins::refusal_of_size};
use flux_syntax::Pattern;

/// A folder whose files are watched.
pub(super) struct Folder {
    pub(super) target: Arc<Target>,
    /// Which of its files are read, each as a document; where every one is a key there is none.
    pub(super) pattern: Option<Pattern>,
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
            shown: self.shown(name),
            path: self.target.path.join(name),
            max_size: self.target.max_size,
        })
    }

    /// What a file of it is called.
    pub(super) fn shown(&self, name: &OsStr) -> String {
        let name = name.to_string_lossy();
        match &self.pattern {
            Some(pattern) => format!("{}{name}", pattern.folder()),
            None => format!("{}/{name}", self.target.shown),
        }
    }

    /// Whether a file of this name is read.
    pub(super) fn reads(&self, name: &OsStr) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.fits(&name.to_string_lossy()),
            None => is_shown(name),
        }
    }

    /// Why so many files are too many; of keys none are.
    fn refusal(&self, files: usize) -> Option<SourceError> {
        self.pattern.as_ref()?;
        refusal_of_size(&self.target.shown, files, 0)
    }

    /// Whether it has, or may have, more files than are read: then its list decides, whichever of them changes.
    pub(super) fn is_full(&self, files: usize) -> bool {
        let is_refused = matches!(self.entry.held(), Some(PathContent::Unreadable(_)));
        self.pattern.is_some() && (is_refused || self.refusal(files).is_some())
    }

    /// Whether it is there, and where without links, and the names of its files.
    pub(super) fn list(&self) -> (ReadOutcome, Option<(PathBuf, Vec<OsString>)>) {
        let names = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.target.path)? {
                let entry = entry?;
                if self.reads(&entry.file_name()) && !entry.path().is_dir() {
                    names.push(entry.file_name());
                }
                // One more is enough to refuse them.
                if self.refusal(names.len()).is_some() {
                    break;
                }
            }
            Ok((self.target.path.canonicalize()?, names))
        };
        let names = names();
        let count = names.as_ref().map_or(0, |(_, names)| names.len());
        // A part of them is not what the folder has. Where it is stays known, so that it is seen when there are fewer.
        if let (Some(error), Ok((real, _))) = (self.refusal(count), &names) {
            let refused = ReadOutcome::bare(FileContent::Unreadable(error));
            return (refused, Some((real.clone(), Vec::new())));
        }
        match names {
            Ok((real, names)) => {
                // One without files to read is no empty document: each of them settles by itself.
                let there = match names.is_empty() && self.pattern.is_none() {
                    true => Vec::new(),
                    false => vec![1],
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
fn is_shown(name: &OsStr) -> bool {
    !name.as_encoded_bytes().starts_with(b".")
}
