//! A file with the value of a variable, after it was read: where it is, when that was, and whether it contains the same now.

use crate::{
    problem::{Seg, escaped},
    time::clock_time,
};
use std::{
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The file that a variable names.
pub(super) struct NamedFile {
    pub(super) file: PathBuf,
    pub(super) shown: Option<String>,
    pub(super) may_be_empty: bool,
}

/// A file that was read in the place of a variable. What it contained is not in it.
#[derive(Clone)]
pub(crate) struct ValueFile {
    /// What it sets.
    pub(crate) path: Vec<Seg>,
    /// The variable that names it.
    variable: String,
    file: PathBuf,
    /// What the file is called: a path may be the secret itself, where it is no path.
    shown: Option<String>,
    /// An empty file is a value.
    may_be_empty: bool,
    read: SystemTime,
    /// Reads such a file.
    value: fn(&Path) -> Result<String, String>,
    /// Hashes what it contained, under a key that is known to this process alone.
    key: RandomState,
    hash: u64,
}

impl ValueFile {
    /// It contained this just now, as `value` reads it.
    pub(super) fn read(
        path: Vec<Seg>,
        variable: String,
        named: NamedFile,
        text: &str,
        value: fn(&Path) -> Result<String, String>,
    ) -> Self {
        let key = RandomState::new();
        ValueFile {
            path,
            variable,
            file: named.file,
            shown: named.shown,
            may_be_empty: named.may_be_empty,
            read: SystemTime::now(),
            value,
            hash: key.hash_one(text),
            key,
        }
    }

    /// Which file it is, when it was read, and what is different now: it is looked at.
    pub(crate) fn described(&self) -> String {
        let (variable, file) = (escaped(&self.variable), self.shown("a file"));
        let read = clock_time(self.read);
        let since = match self.difference() {
            Some(difference) => format!("; {difference}"),
            None => String::new(),
        };
        format!("{variable} names {file}, which was read at {read}{since}")
    }

    /// That it contains something else now, or cannot be read; none where a restart would read the same. It is looked at.
    pub(crate) fn changed(&self) -> Option<String> {
        let difference = self.difference()?;
        let (variable, file) = (escaped(&self.variable), self.shown("its file"));
        let read = clock_time(self.read);
        Some(format!(
            "{variable}: the program has what {file} contained at {read}; {difference}"
        ))
    }

    fn difference(&self) -> Option<String> {
        match (self.value)(&self.file) {
            Ok(text) if self.key.hash_one(&*text) == self.hash => None,
            Ok(text) if text.is_empty() && !self.may_be_empty => {
                Some("it is empty now, and a restart would be refused".to_owned())
            }
            Ok(_) => Some(
                "it contains another value now, which a restart of the program reads, and a reload does not"
                    .to_owned(),
            ),
            Err(why) => {
                // It begins with the word that goes on from a name.
                let why = why.strip_prefix("which ").unwrap_or(&why);
                let why = escaped(why);
                Some(format!("now it {why}, and a restart would be refused"))
            }
        }
    }

    fn shown(&self, otherwise: &str) -> String {
        match &self.shown {
            Some(file) => format!("`{}`", escaped(file)),
            None => otherwise.to_owned(),
        }
    }
}
