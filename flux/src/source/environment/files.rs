//! Variables that name a file with the value: `APP_PASSWORD_FILE=/run/secrets/password`, as containers are given their secrets.

#[cfg(feature = "testing")]
use super::Variable;
use super::{Variables, variables};
use crate::{
    problem::{Flaw, ProblemKind, Seg, What},
    report::Entry,
    schema::{self, Field},
    source::{Given, ValueFile, value_file::NamedFile},
};
use flux_syntax::Naming;
use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs::File,
    io::Read,
    path::Path,
    sync::Arc,
};

/// What is behind the name of a field's variable in that of the file with its value.
pub(super) const SUFFIX: &str = "_FILE";

/// Larger files have no value.
pub(in crate::source) const LARGEST: u64 = 1 << 20;

/// The variables with the values that files contain.
#[derive(Clone)]
pub(super) struct FileValues {
    /// All variables; in the place of those that name files are those whose values the files contain.
    pub(super) variables: Variables,
    /// By the name of a variable whose value is from a file, the one that names the file.
    by: HashMap<String, String>,
    problems: Vec<Entry>,
    secrets: Vec<String>,
    read: Vec<ValueFile>,
}

impl Variables {
    /// These, with the files that some of them name as they are now; nothing where the names have no such option.
    pub(crate) fn with_files_read(&self, fields: &'static [Field], prefix: &str) -> Option<Self> {
        let values = read(fields, prefix, self)?;
        Some(Variables {
            files: Some(Arc::new(values)),
            ..self.clone()
        })
    }

    /// All, with the values that files contain in the place of those that name them.
    #[cfg(feature = "testing")]
    pub(crate) fn with_values_of_files(&self) -> &Variables {
        self.files.as_ref().map_or(self, |files| &files.variables)
    }

    /// The variables of files that were refused.
    #[cfg(feature = "testing")]
    pub(crate) fn refused_files(&self) -> Vec<String> {
        let problems = self.files.iter().flat_map(|files| &files.problems);
        problems.filter_map(|one| one.variable.clone()).collect()
    }

    /// Of a recording: the values of files are there, and these variables of files were refused.
    #[cfg(feature = "testing")]
    pub(crate) fn with_recorded_files(
        self,
        fields: &'static [Field],
        prefix: &str,
        refused: &[String],
    ) -> Self {
        if !Naming::parse(prefix).is_ok_and(|naming| naming.files) {
            return self;
        }
        let mut values = FileValues {
            variables: self.clone(),
            by: HashMap::new(),
            problems: Vec::new(),
            secrets: Vec::new(),
            read: Vec::new(),
        };
        for Variable { name, path, .. } in variables(fields, prefix) {
            let by = format!("{name}{SUFFIX}");
            if refused.contains(&by) {
                let text = format!("{by} was refused when this was recorded");
                let what = What::plain(ProblemKind::InvalidValue, text);
                values.refuse(path, by, what);
            }
        }
        Variables {
            files: Some(Arc::new(values)),
            ..self
        }
    }
}

/// Reads the files that variables name, unless that was done; none where the names have no such option.
pub(super) fn read(
    fields: &'static [Field],
    prefix: &str,
    known: &Variables,
) -> Option<FileValues> {
    let naming = Naming::parse(prefix).ok().filter(|naming| naming.files)?;
    if let Some(read) = &known.files {
        let mut read = FileValues::clone(read);
        read.variables.elsewhere = Arc::clone(&known.elsewhere);
        return Some(read);
    }
    let super::LookUp::Given(all) = known.as_now().from else {
        return None;
    };
    let mut all: HashMap<String, OsString> = (*all).clone();
    let mut values = FileValues {
        variables: Variables::default(),
        by: HashMap::new(),
        problems: Vec::new(),
        secrets: Vec::new(),
        read: Vec::new(),
    };
    for one in variables(fields, prefix) {
        let by = format!("{}{SUFFIX}", one.name);
        let Some(file) = all.remove(&by).filter(|file| !file.is_empty()) else {
            continue;
        };
        let is_set = |value: &OsString| naming.empty_is_value || !value.is_empty();
        let is_set = all.get(&one.name).is_some_and(is_set);
        let is_secret = schema::is_secret(fields, &one.path);
        let read = match is_set {
            true => Err((
                ProblemKind::DuplicateKey,
                format!("{} and {by} are both set; unset one of them", one.name),
            )),
            false => match value(Path::new(&file)) {
                Ok(text) if text.is_empty() && !naming.empty_is_value => {
                    Err("which is empty".to_owned())
                }
                other => other,
            }
            .map_err(|why| {
                (
                    ProblemKind::InvalidValue,
                    named(&by, &file, is_secret, &why),
                )
            }),
        };
        match read {
            Ok(text) => {
                let named = NamedFile {
                    shown: shown(&file, is_secret),
                    file: file.into(),
                    may_be_empty: naming.empty_is_value,
                };
                let read = ValueFile::read(one.path, by.clone(), named, &text, value);
                values.read.push(read);
                all.insert(one.name.clone(), text.into());
                values.by.insert(one.name, by);
            }
            Err((kind, text)) => {
                if is_secret {
                    values.secrets.push(file.to_string_lossy().into_owned());
                }
                values.refuse(one.path, by, What::plain(kind, text));
            }
        }
    }
    values.variables = Variables::given(all);
    values.variables.elsewhere = Arc::clone(&known.elsewhere);
    Some(values)
}

/// The content of a file without the line break at its end.
pub(in crate::source) fn value(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("which cannot be read: {error}");
    // A pipe would keep the start waiting.
    match std::fs::metadata(path).map_err(unreadable)?.is_file() {
        true => {}
        false => return Err("which is no file".to_owned()),
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    // First, as what was read may end within a character.
    if bytes.len() as u64 > LARGEST {
        return Err("which has more than 1 MiB".to_owned());
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "which is not valid UTF-8".to_owned())?;
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    Ok(text)
}

/// What is wrong with the file of a variable. In the place of a path somebody may have written the secret itself.
fn named(by: &str, file: &OsStr, is_secret: bool, why: &str) -> String {
    match shown(file, is_secret) {
        None => format!("{by} names a path, {why}"),
        Some(file) => format!("{by} names `{file}`, {why}"),
    }
}

/// The path; none where it may be the secret itself, as it leads into no folder.
fn shown(file: &OsStr, is_secret: bool) -> Option<String> {
    let folder = Path::new(file).parent();
    let is_path = || folder.is_some_and(|folder| folder.is_absolute() && folder.is_dir());
    (!is_secret || is_path()).then(|| file.to_string_lossy().into_owned())
}

impl FileValues {
    fn refuse(&mut self, path: Vec<Seg>, variable: String, what: What) {
        let mut entry = Entry::new("environment", Flaw { path, what });
        entry.variable = Some(variable);
        self.problems.push(entry);
    }

    /// What was read of the variables, with the names that were set.
    pub(super) fn named<L>(&self, mut given: Given<L>) -> Given<L> {
        let rename = |name: &mut String| {
            if let Some(by) = self.by.get(name) {
                name.clone_from(by);
            }
        };
        let rename_entry = |entry: &mut Entry| {
            if let Some(name) = &mut entry.variable {
                let is_file = self.by.contains_key(name);
                rename(name);
                if is_file {
                    entry.in_file();
                }
            }
        };
        given.secrets.extend(self.secrets.iter().cloned());
        given.files.clone_from(&self.read);
        given.warnings.iter_mut().for_each(rename_entry);
        if let Some((_, set)) = &mut given.partial {
            set.iter_mut().for_each(|(_, name)| rename(name));
        }
        match &mut given.read {
            Ok((_, set)) => set.iter_mut().for_each(|(_, name)| rename(name)),
            Err(entries) => entries.iter_mut().for_each(rename_entry),
        }
        if self.problems.is_empty() {
            return given;
        }
        let mut problems = self.problems.clone();
        match given.read {
            Ok(read) => given.partial = Some(read),
            Err(mut entries) => problems.append(&mut entries),
        }
        given.read = Err(problems);
        given
    }
}
