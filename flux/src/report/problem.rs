//! One problem of a report as data and in print: its fields, and how it is written for people.

use super::{
    Entry,
    secrets::KnownSecrets,
    sentence::{ProblemWords, words},
    snippet::Shown,
};
use crate::{
    problem::{Fix, KeyPath, LONGEST, ProblemKind, escaped, shortened},
    schema::{self, Field},
};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::fmt;

/// One problem of a [`Report`](super::Report). No field of it ever has anything of a secret.
///
/// `Serialize` gives a map with these names, which stay; what is not known is null:
///
/// | name | is |
/// |---|---|
/// | `kind` | one of the names of [`ProblemKind`] |
/// | `path` | the path as a text, as described on [`KeyPath`] |
/// | `steps` | the same as a list: keys are texts, positions are numbers |
/// | `message` | the sentence for people |
/// | `expected`, `found` | texts, for problems that have them; what is secret is not found |
/// | `fix` | what to do, as described on [`Fix`] |
/// | `origin` | the layer's origin; empty where no layer is concerned |
/// | `layer` | the layer's number, from 0, lowest precedence first: its index in the status |
/// | `variable` | the environment variable |
/// | `argument`, `position` | the argument, without its value, and its place on the command line, from 1; only for one, the place null where the program's own parser read it |
/// | `line`, `column` | the place in the document, from 1 |
/// | `warning` | whether it refuses nothing by itself |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where in the configuration: `pool.hosts[2]`; empty for a document as a whole.
    pub path: KeyPath,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What is wrong and what was expected.
    pub message: String,
    /// What was expected: a type's own words, or the rule.
    pub expected: Option<String>,
    /// What was found, unless it may be secret.
    pub found: Option<String>,
    /// What to do about it, where that is known.
    pub fix: Option<Fix>,
    /// Which layer contains it: a file's path, `environment`, ...; empty where no layer does.
    pub origin: String,
    /// The number of that layer, from 0, lowest precedence first: its index in the status' layers.
    pub layer: Option<usize>,
    /// The environment variable that contains it.
    pub variable: Option<String>,
    /// The argument that contains it, without its value: `--pool.max-size`; empty for one without a name.
    pub argument: Option<String>,
    /// The place of that argument behind the program's name, from 1; none where the program's own parser read it.
    pub position: Option<usize>,
    /// The line in the document, from 1.
    pub line: Option<usize>,
    /// The column in that line, from 1.
    pub column: Option<usize>,
    /// The line's text, where it can be shown without showing a secret; control characters are written out.
    pub snippet: Option<String>,
    /// What leads to the column, under the snippet.
    blanks: Option<String>,
    /// It refuses nothing by itself.
    pub(super) is_warning: bool,
}

/// What reports call the layer of the arguments, unless it has a name of its own.
pub(crate) const ARGUMENTS: &str = "arguments";

impl Problem {
    pub(super) fn new(
        fields: &'static [Field],
        entry: &Entry,
        shown: Option<Shown>,
        secrets: &KnownSecrets,
    ) -> Self {
        let (snippet, blanks) = match shown {
            Some(Shown { line, blanks }) => (Some(line), blanks),
            None => (None, None),
        };
        let path = &entry.problem.path;
        let path = &path[..schema::shown_steps(fields, path)];
        // Once more, since what is escaped is up to eight times as long.
        let text = |text: &str| shortened(&escaped(&shortened(text))).into_owned();
        let words = words(fields, entry, secrets);
        let ProblemWords {
            sentence,
            expected,
            found,
            fix,
        } = words;
        // The others are part of the sentence.
        let sentence = match &entry.fix {
            Some(fix @ Fix::Set { .. }) => format!("{sentence}; {fix}"),
            _ => sentence,
        };
        let sentence = match &entry.note {
            Some(note) => format!("{sentence}; {note}"),
            None => sentence,
        };
        Problem {
            path: KeyPath::shortened(path, LONGEST),
            kind: entry.problem.what.kind(),
            message: text(&sentence),
            expected: expected.as_deref().map(text),
            found: found.as_deref().map(text),
            fix: entry.fix.clone().or(fix),
            origin: text(&entry.origin),
            layer: entry.layer,
            variable: entry.variable.as_deref().map(text),
            argument: entry.argument.as_ref().map(|one| text(&one.name)),
            position: entry.argument.as_ref().and_then(|one| one.position),
            line: entry.at.map(|at| at.0),
            column: entry.at.map(|at| at.1),
            snippet,
            blanks,
            is_warning: entry.is_warning,
        }
    }

    /// About how many bytes of text it has.
    pub(super) fn size(&self) -> usize {
        let texts = [
            &self.expected,
            &self.found,
            &self.variable,
            &self.argument,
            &self.snippet,
            &self.blanks,
        ];
        let optional = texts.into_iter().flatten().map(String::len).sum::<usize>();
        let fix = match &self.fix {
            Some(Fix::Set { key: Some(key), .. }) => key.as_str().len(),
            _ => 0,
        };
        // The path is there as steps as well.
        2 * self.path.as_str().len() + self.message.len() + self.origin.len() + optional + fix
    }

    /// Whether it is the other one, which may refuse or not.
    pub(super) fn is_same(&self, other: &Problem) -> bool {
        let place = |one: &Problem| (one.layer, one.line, one.column, one.position);
        let name = |one: &Problem| one.variable.as_ref().or(one.argument.as_ref()).cloned();
        place(self) == place(other)
            && (self.kind, &self.path, &self.message) == (other.kind, &other.path, &other.message)
            && name(self) == name(other)
    }

    /// As it is printed behind a word such as `warning:`.
    pub(crate) fn after_word(&self) -> String {
        self.to_string().trim_start().to_owned()
    }

    /// Whether it is a warning, which refuses nothing by itself.
    pub fn is_warning(&self) -> bool {
        self.is_warning
    }

    /// Where it is: `app.yaml:3:9`, `environment variable APP_PORT`, `argument --port, position 2`.
    pub(crate) fn place(&self) -> Option<String> {
        let origin = &self.origin;
        // A layer that has a name of its own.
        let named = |usual: &str| match origin.as_str() {
            "" => String::new(),
            own if own == usual => String::new(),
            own => format!(" ({own})"),
        };
        if let Some(name) = &self.argument {
            let name = match (name.is_empty(), self.position) {
                (true, Some(position)) => position.to_string(),
                (false, Some(position)) => format!("{name}, position {position}"),
                (_, None) => name.clone(),
            };
            return Some(format!("argument {name}{}", named(ARGUMENTS)));
        }
        match (&self.variable, self.line, self.column) {
            (Some(variable), ..) => {
                let layer = named("environment");
                Some(format!("environment variable {variable}{layer}"))
            }
            (None, Some(line), Some(column)) => Some(format!("{origin}:{line}:{column}")),
            _ => Some(origin.clone()).filter(|origin| !origin.is_empty()),
        }
    }

    /// The line's number, its text, and what leads to the column under it.
    pub(crate) fn marked(&self) -> Option<(usize, &str, &str)> {
        Some((
            self.line?,
            self.snippet.as_deref()?,
            self.blanks.as_deref()?,
        ))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("  ")?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(place) = self.place() {
            write!(f, "\n    --> {place}")?;
        }
        if self.argument.is_some() {
            return Ok(());
        }
        if let Some((line, snippet, blanks)) = self.marked() {
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

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = 13 + 2 * usize::from(self.argument.is_some());
        let mut problem = serializer.serialize_struct("Problem", fields)?;
        problem.serialize_field("kind", &self.kind)?;
        problem.serialize_field("path", &self.path)?;
        problem.serialize_field("steps", self.path.steps())?;
        problem.serialize_field("message", &self.message)?;
        problem.serialize_field("expected", &self.expected)?;
        problem.serialize_field("found", &self.found)?;
        problem.serialize_field("fix", &self.fix)?;
        problem.serialize_field("origin", &self.origin)?;
        problem.serialize_field("layer", &self.layer)?;
        problem.serialize_field("variable", &self.variable)?;
        if let Some(name) = &self.argument {
            problem.serialize_field("argument", name)?;
            problem.serialize_field("position", &self.position)?;
        }
        problem.serialize_field("line", &self.line)?;
        problem.serialize_field("column", &self.column)?;
        problem.serialize_field("warning", &self.is_warning)?;
        problem.end()
    }
}
