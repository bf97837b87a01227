//! Reports: every problem of an update, each with path, layer, file, line and column, for the person who must act.

pub(crate) mod secrets;
mod snippet;
mod text;

use crate::{
    codec::{self, Decoder},
    document::{Document, Finder},
    problem::{self, Dotted, What},
    schema::{self, Field, Place},
};
use secrets::KnownSecrets;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use snippet::{Excerpt, Shown};
use std::{fmt, sync::Arc};
use text::escaped;

/// A problem and where it was said, before it is told.
#[derive(Clone)]
pub(crate) struct Entry {
    origin: String,
    /// Its number in the order of precedence.
    layer: Option<usize>,
    problem: problem::Flaw,
    at: Option<(usize, usize)>,
    pub(crate) variable: Option<String>,
    text: Option<(Arc<[u8]>, Decoder)>,
    /// Where `at` is not known: so many steps of the path lead to the place in the text.
    steps: Option<usize>,
    /// What to do.
    fix: Option<String>,
    /// It refuses nothing by itself.
    is_warning: bool,
}

impl Entry {
    pub(crate) fn new(origin: &str, problem: problem::Flaw) -> Self {
        Entry {
            origin: origin.to_owned(),
            layer: None,
            problem,
            at: None,
            variable: None,
            text: None,
            steps: None,
            fix: None,
            is_warning: false,
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

    /// The problem is in this document, where so many steps of its path lead. The place is found when it is reported.
    pub(crate) fn within(self, bytes: &Arc<[u8]>, decoder: &Decoder, steps: usize) -> Self {
        let mut entry = self.text(bytes, decoder);
        entry.steps = Some(steps.min(entry.problem.path.len()));
        entry
    }

    pub(crate) fn warning(mut self, is_warning: bool) -> Self {
        self.is_warning = is_warning;
        self
    }

    pub(crate) fn fix(mut self, fix: Option<String>) -> Self {
        self.fix = fix;
        self
    }

    #[cfg(feature = "testing")]
    pub(crate) fn path(&self) -> &[problem::Seg] {
        &self.problem.path
    }

    /// Whether the problem is at something that contains `path`, and not the document as a whole.
    pub(crate) fn covers(&self, path: &[problem::Seg]) -> bool {
        !self.problem.path.is_empty() && path.starts_with(&self.problem.path)
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
    /// It refuses nothing by itself.
    is_warning: bool,
}

impl Report {
    /// Puts a report together: by layer in the order of precedence, by line and column in a layer.
    #[cold]
    pub(crate) fn compose(
        fields: &'static [Field],
        mut entries: Vec<Entry>,
        keeping: Keeping,
        secrets: &KnownSecrets,
    ) -> Self {
        let sources = sources(&entries);
        let needs_nodes = entries.iter().any(|entry| entry.steps.is_some());
        let texts: Vec<(&[u8], Text<'_>)> = (sources.iter())
            .map(|(bytes, decoder)| (&**bytes, Text::read(fields, bytes, decoder, needs_nodes)))
            .collect();
        let text_of = |entry: &Entry| {
            let (bytes, _) = entry.text.as_ref()?;
            let (_, text) = texts
                .iter()
                .find(|(known, _)| known.as_ptr() == bytes.as_ptr())?;
            Some(text)
        };
        let finders: Vec<(&[u8], Finder<'_, '_>)> = (texts.iter())
            .filter_map(|(bytes, text)| Some((*bytes, Finder::new(text.document.as_ref()?))))
            .collect();
        for entry in &mut entries {
            if let (Some(steps), Some((bytes, _))) = (entry.steps, &entry.text) {
                let finder = finders
                    .iter()
                    .find(|(known, _)| known.as_ptr() == bytes.as_ptr());
                entry.at =
                    finder.and_then(|(_, finder)| finder.place(&entry.problem.path[..steps]));
            }
        }
        entries.sort_by_key(|entry| (entry.layer, entry.at.is_none(), entry.at));
        let mut problems: Vec<Problem> = Vec::with_capacity(entries.len());
        for entry in &entries {
            let mut shown = None;
            if let (Some(text), Some(at)) = (text_of(entry), entry.at) {
                shown = text.excerpt.line(at, &entry.problem, secrets);
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
                message: text(&match &entry.fix {
                    Some(fix) => {
                        let sentence = sentence(fields, &entry.problem, secrets);
                        format!("{sentence}; {fix}")
                    }
                    None => sentence(fields, &entry.problem, secrets),
                }),
                origin: text(&entry.origin),
                variable: entry.variable.as_deref().map(text),
                line: entry.at.map(|at| at.0),
                column: entry.at.map(|at| at.1),
                snippet,
                blanks,
                is_warning: entry.is_warning,
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

/// The documents that problems are in, each once.
fn sources(entries: &[Entry]) -> Vec<(Arc<[u8]>, Decoder)> {
    let mut sources: Vec<(Arc<[u8]>, Decoder)> = Vec::new();
    for source in entries.iter().filter_map(|entry| entry.text.as_ref()) {
        let is_known = |(known, _): &(Arc<[u8]>, _)| Arc::ptr_eq(known, &source.0);
        if !sources.iter().any(is_known) {
            sources.push(source.clone());
        }
    }
    sources
}

/// A document that problems are in.
struct Text<'t> {
    /// None where nobody asks for its nodes, or nobody can follow it.
    document: Option<Document<'t>>,
    excerpt: Excerpt,
}

impl<'t> Text<'t> {
    fn read(
        fields: &'static [Field],
        bytes: &'t [u8],
        decoder: &Decoder,
        needs_nodes: bool,
    ) -> Self {
        let text = codec::text_of(bytes);
        let dialect = codec::dialect(decoder).filter(|_| needs_nodes || schema::any_secret(fields));
        let document = match (dialect, &text) {
            (Some(dialect), Ok(text)) => Document::parse(dialect, text).ok(),
            _ => None,
        };
        let lossy = String::from_utf8_lossy(bytes);
        let lines = lossy.trim_start_matches('\u{feff}');
        Text {
            excerpt: Excerpt::read(fields, lines, document.as_ref()),
            document,
        }
    }
}

/// Whether what was found must be left out by its path.
fn may_not_show(fields: &'static [Field], problem: &problem::Flaw) -> bool {
    match (&problem.what, schema::place(fields, &problem.path)) {
        (_, Place::Leaf { secret }) => secret,
        // What stands in the place of a section may be a secret; a rule of a section speaks of all its fields.
        (What::Message(_) | What::Panic(_) | What::Rule { .. }, Place::Structure) => false,
        (_, Place::Structure | Place::Unknown) => schema::any_secret(fields),
    }
}

/// The sentence of a problem; nothing of a secret's value is in it.
fn sentence(fields: &'static [Field], problem: &problem::Flaw, secrets: &KnownSecrets) -> String {
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
        let warnings = self.problems.iter().filter(|one| one.is_warning).count();
        let count = match self.problems.len() - warnings {
            1 => "1 problem".to_owned(),
            n => format!("{n} problems"),
        };
        let count = match warnings {
            0 => count,
            1 => format!("{count}, 1 warning"),
            n => format!("{count}, {n} warnings"),
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
