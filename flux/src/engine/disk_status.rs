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
    /// The file is as new as what runs: the problem is only what it lacks of that.
    pub(crate) is_written: bool,
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

impl LastKnownGood {
    pub(super) fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = self.problem.as_deref();
        match problem.filter(|_| self.is_written) {
            // Whoever asks for the status has mostly another question; what to do about it is in `problem`.
            Some(lacking) => show(f, &self.path, Some(first_clause(lacking)), self.writing),
            None => show(f, &self.path, problem, self.writing),
        }
    }
}

impl TrialRecordFile {
    pub(super) fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, &self.path, self.problem.as_deref(), self.writing)
    }
}

/// The text up to the first semicolon that is not in the name of a key.
fn first_clause(text: &str) -> &str {
    let mut is_name = false;
    let end = text.char_indices().find(|(_, letter)| {
        is_name ^= *letter == '`';
        *letter == ';' && !is_name
    });
    end.map_or(text, |(end, _)| &text[..end])
}

macro_rules! disk_files {
    ($($name:ident)*) => {$(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_written_file_lacks_is_one_short_line_of_the_status_and_all_of_it_in_its_data() {
        struct ShownFile(LastKnownGood);
        impl fmt::Display for ShownFile {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.show(f)
            }
        }
        let text = "a start would be refused, since it lacks `a;b`; secrets are not kept";
        let mut file = LastKnownGood {
            path: PathBuf::from("last.json"),
            written: None,
            problem: Some(text.to_owned()),
            writing: None,
            is_written: true,
        };
        let shown = ShownFile(file.clone()).to_string();
        assert_eq!(shown, "\n  a start would be refused, since it lacks `a;b`");
        // Where it is not as new as what runs, everything is said.
        file.is_written = false;
        assert_eq!(ShownFile(file).to_string(), format!("\n  {text}"));
    }
}
