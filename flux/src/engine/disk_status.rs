//! What the status reports of the last known good file and of the record of trials: path, last write, problem.

use crate::time::{lasting_since, unix};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Both files.
#[derive(Clone, Default)]
pub(crate) struct DiskStatus {
    pub(crate) last_known_good: Option<LastKnownGood>,
    pub(crate) trial_record: Option<TrialRecordFile>,
}

/// The file of the last known good configuration.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LastKnownGood {
    /// The file.
    pub path: PathBuf,
    /// When this process last wrote it.
    pub written: Option<SystemTime>,
    /// Why the newest configuration could not be kept: then the file contains an older one. Or what the file lacks of it, because
    /// an entry of a map has the name of a secret field, or nearly. Or, at a start, what of it cannot serve. A write that the disk refused is tried again after a second, then
    /// two, four, up to a minute.
    pub problem: Option<String>,
    /// Since when a write is under way that has lasted for more than 10 s.
    pub writing: Option<SystemTime>,
}

/// The file with the record of what is on [`trial`](crate::Builder::trial).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrialRecordFile {
    /// The file.
    pub path: PathBuf,
    /// When this process last wrote or removed it.
    pub written: Option<SystemTime>,
    /// Why the newest record is not on disk. Until it is, the death of this process is not counted. A write that the disk refused is
    /// tried again after a second, then two, four, up to a minute.
    pub problem: Option<String>,
    /// Since when a write is under way that has lasted for more than 10 s. Updates do not wait for it any more.
    pub writing: Option<SystemTime>,
}

macro_rules! disk_files {
    ($($name:ident)*) => {$(
        impl $name {
            pub(super) fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                show(f, &self.path, self.problem.as_deref(), self.writing)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut file = serializer.serialize_struct(stringify!($name), 4)?;
                file.serialize_field("path", &self.path.display().to_string())?;
                file.serialize_field("written", &self.written.map(unix))?;
                file.serialize_field("problem", &self.problem)?;
                file.serialize_field("writing", &self.writing.map(unix))?;
                file.end()
            }
        }
    )*};
}

disk_files! { LastKnownGood TrialRecordFile }

/// The lines of a file with which something is wrong.
fn show(
    f: &mut fmt::Formatter<'_>,
    path: &Path,
    problem: Option<&str>,
    writing: Option<SystemTime>,
) -> fmt::Result {
    if let Some(problem) = problem {
        write!(f, "\n  {problem}")?;
    }
    if let Some(since) = writing {
        let (path, lasts) = (path.display(), lasting_since(since));
        write!(
            f,
            "\n  {path}: a write has been under way for {lasts}; the disk does not answer"
        )?;
    }
    Ok(())
}
