//! Reports: every problem of an update, each with path, layer, file, line and column, for the person who must act.

pub(crate) mod secrets;
mod snippet;
mod text;

use crate::{
    codec::Decoder,
    problem::{self, Dotted, What},
    schema::{self, Field, Place},
};
use secrets::Secrets;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use snippet::{Document, Shown};
use std::{fmt, sync::Arc};
use text::escaped;

/// A problem and where it was said, before it is told.
#[derive(Clone)]
pub(crate) struct Entry {
    origin: String,
    /// Its number in the order of precedence.
    layer: Option<usize>,
    problem: problem::Problem,
    at: Option<(usize, usize)>,
    pub(crate) variable: Option<String>,
    text: Option<(Arc<[u8]>, Decoder)>,
}

impl Entry {
    pub(crate) fn new(origin: &str, problem: problem::Problem) -> Self {
        Entry {
            origin: origin.to_owned(),
            layer: None,
            problem,
            at: None,
            variable: None,
            text: None,
        }
    }

    pub(crate) fn at(mut self, at: Option<(usize, usize)>) -> Self {
        self.at = at;
        self
    }

    pub(crate) fn layer(mut self, number: usize) -> Self {
        self.layer = Some(number);
        self
    }

    pub(crate) fn text(mut self, bytes: &Arc<[u8]>, decoder: &Decoder) -> Self {
        self.text = Some((Arc::clone(bytes), decoder.clone()));
        self
    }

    #[cfg(feature = "testing")]
    pub(crate) fn path(&self) -> &[problem::Seg] {
        &self.problem.path
    }

    /// Whether the problem is at `path` or below it.
    pub(crate) fn concerns(&self, path: &[problem::Seg]) -> bool {
        self.problem.path.starts_with(path)
    }
}

/// What happens with a configuration that has problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Readers keep seeing the previous one.
    Previous,
    /// There is no previous one.
    Nothing,
    /// The other layers' changes are applied.
    Rest,
    /// It is applied: these are warnings.
    Applied,
}

/// Every problem of one update. `Display` and `Debug` print it for people, `Serialize` for programs; secrets are in neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    keeping: Keeping,
    problems: Vec<Problem>,
}

/// One problem of a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where in the configuration: `pool.hosts[2]`; empty for a document as a whole.
    pub path: String,
    /// What is wrong and what was expected.
    pub message: String,
    /// Which layer said it: a file's path, `environment`, ...; empty where no layer did.
    pub origin: String,
    /// The environment variable that said it.
    pub variable: Option<String>,
    /// The line in the document, from 1.
    pub line: Option<usize>,
    /// The column in that line, from 1.
    pub column: Option<usize>,
    /// The line's text, where it can be shown without showing a secret; control characters are written out.
    pub snippet: Option<String>,
    /// What leads to the column, under the snippet.
    blanks: Option<String>,
}

impl Report {
    /// Puts a report together: by layer in the order of precedence, by line and column in a layer.
    #[cold]
    pub(crate) fn compose(
        fields: &'static [Field],
        mut entries: Vec<Entry>,
        keeping: Keeping,
        secrets: &Secrets,
    ) -> Self {
        entries.sort_by_key(|entry| (entry.layer, entry.at.is_none(), entry.at));
        let mut documents: Vec<(*const u8, Document)> = Vec::new();
        let mut problems: Vec<Problem> = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut shown = None;
            if let (Some((bytes, decoder)), Some(at)) = (&entry.text, entry.at) {
                let key = bytes.as_ptr();
                if !documents.iter().any(|(known, _)| *known == key) {
                    documents.push((key, Document::read(fields, bytes, decoder)));
                }
                shown = documents
                    .iter()
                    .find(|(known, _)| *known == key)
                    .and_then(|(_, document)| document.line(at, &entry.problem, secrets));
            }
            let (snippet, blanks) = match shown {
                Some(Shown { line, blanks }) => (Some(line), blanks),
                None => (None, None),
            };
            let path = &entry.problem.path;
            let path = &path[..schema::shown_steps(fields, path)];
            let text = |text: &str| escaped(text).into_owned();
            problems.push(Problem {
                path: text(&Dotted(path).to_string()),
                message: text(&sentence(fields, &entry.problem, secrets)),
                origin: text(&entry.origin),
                variable: entry.variable.as_deref().map(text),
                line: entry.at.map(|at| at.0),
                column: entry.at.map(|at| at.1),
                snippet,
                blanks,
            });
        }
        Report { keeping, problems }
    }

    /// The problems, by layer and line.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether readers keep seeing a previous configuration.
    pub fn keeps_previous(&self) -> bool {
        matches!(self.keeping, Keeping::Previous | Keeping::Rest)
    }
}

/// Whether what was found must be left out by its path.
fn may_not_show(fields: &'static [Field], problem: &problem::Problem) -> bool {
    match (&problem.what, schema::place(fields, &problem.path)) {
        (_, Place::Leaf { secret }) => secret,
        // What stands in the place of a section may be a secret; a rule of a section speaks of all its fields.
        (What::Message(_) | What::Panic(_) | What::Rule { .. }, Place::Structure) => false,
        (_, Place::Structure | Place::Unknown) => schema::any_secret(fields),
    }
}

/// The sentence of a problem; nothing of a secret's value is in it.
fn sentence(fields: &'static [Field], problem: &problem::Problem, secrets: &Secrets) -> String {
    let hidden = may_not_show(fields, problem);
    let hides = |text: &str| hidden || secrets.are_in(text);
    match &problem.what {
        What::Plain(text) => text.clone(),
        What::Type { expected, .. } if secrets.are_in(expected) => {
            "is not what was expected; what was found is secret".to_owned()
        }
        What::Type { found, expected } if hides(found) => {
            format!("expected {expected}; what was found is secret")
        }
        What::Type { found, expected } => {
            let near = nearest_variant(found, expected);
            let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
            format!("expected {expected}, found {found}{near}")
        }
        What::Message(text) | What::Panic(text) if hides(text) => {
            "is not valid; the reason may quote the secret and is not shown".to_owned()
        }
        What::Message(text) | What::Panic(text) => text.clone(),
        What::Rule {
            must,
            found: Some(found),
        } if !hides(found) => format!("{must}, found {found}"),
        What::Rule { must, .. } => must.clone(),
        What::Missing => "is required, and no layer sets it".to_owned(),
        What::Unknown(Some(known)) => format!("unknown key, did you mean `{known}`?"),
        What::Unknown(None) => "unknown key".to_owned(),
        What::Twice => "this key stands here twice; remove one".to_owned(),
    }
}

/// The variant of an enum that was probably meant: serde lists them in backticks.
fn nearest_variant<'a>(found: &str, expected: &'a str) -> Option<&'a str> {
    let found = found.strip_prefix('`')?.strip_suffix('`')?;
    let variants = expected.split('`').skip(1).step_by(2);
    flux_syntax::nearest(found, variants)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = match self.problems.len() {
            1 => "1 problem".to_owned(),
            n => format!("{n} problems"),
        };
        match self.keeping {
            Keeping::Previous => write!(
                f,
                "configuration refused: {count}; keeping the previous configuration"
            )?,
            Keeping::Nothing => write!(
                f,
                "configuration refused: {count}; no configuration is applied yet"
            )?,
            Keeping::Rest => write!(
                f,
                "part of the configuration refused: {count}; the rest is applied"
            )?,
            Keeping::Applied => write!(f, "configuration applied with {count}")?,
        }
        for problem in &self.problems {
            write!(f, "\n{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Report {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => write!(f, "  {}", self.message)?,
            false => write!(f, "  {}: {}", self.path, self.message)?,
        }
        match (&self.variable, self.line, self.column) {
            (Some(variable), ..) => write!(f, "\n    --> environment variable {variable}")?,
            (None, Some(line), Some(column)) => {
                write!(f, "\n    --> {}:{line}:{column}", self.origin)?
            }
            _ if self.origin.is_empty() => {}
            _ => write!(f, "\n    --> {}", self.origin)?,
        }
        if let (Some(snippet), Some(blanks), Some(line)) = (&self.snippet, &self.blanks, self.line)
        {
            let width = line.to_string().len();
            write!(
                f,
                "\n    {:width$} |\n    {line} | {snippet}\n    {:width$} | {blanks}^",
                "", ""
            )?;
        }
        Ok(())
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 2)?;
        report.serialize_field("keeps_previous", &self.keeps_previous())?;
        report.serialize_field("problems", &self.problems)?;
        report.end()
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut problem = serializer.serialize_struct("Problem", 6)?;
        problem.serialize_field("path", &self.path)?;
        problem.serialize_field("message", &self.message)?;
        problem.serialize_field("origin", &self.origin)?;
        problem.serialize_field("variable", &self.variable)?;
        problem.serialize_field("line", &self.line)?;
        problem.serialize_field("column", &self.column)?;
        problem.end()
    }
}
