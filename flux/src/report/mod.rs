//! How a report is composed: which problems are in it, in which order, with which line and column.

mod entry;
pub(crate) mod hidden;
#[cfg(all(test, feature = "derive", feature = "json"))]
mod made_tests;
pub(crate) mod outgoing;
mod pieces;
mod problem;
pub(crate) mod secrets;
mod sentence;
#[cfg(test)]
mod shown_types;
mod snippet;
#[cfg(test)]
mod tests;
mod text;
mod unseen;

use crate::{
    codec::Decoder,
    document::Finder,
    problem::{Flaw, MOST_PROBLEMS, Seg, What},
    schema::{self, Field},
};
use secrets::{DocumentText, KnownSecrets, ReadDocument, SecretSources};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use snippet::Excerpt;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

pub use crate::problem::{Fix, KeyPath, KeyPathError, ProblemKind, Seg as PathStep};
pub(crate) use entry::{ArgumentPlace, Entry};
pub(crate) use problem::ARGUMENTS;
pub use problem::Problem;

/// A report has about so many bytes of text at most: problems that it has no room for are counted.
const MOST_BYTES: usize = 256 << 10;

/// What happens with a configuration that has problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Readers keep seeing the previous one.
    Previous,
    /// There is no previous one.
    Nothing,
    /// The other layers' changes are applied.
    Rest,
    /// What was kept on disk serves in the place of what is refused.
    LastKnownGood,
    /// It is applied: these are warnings.
    Applied,
    /// It was judged, and nothing was to be applied.
    WouldRefuse,
    /// It was judged to be good, and nothing was to be applied: these are warnings.
    WouldApply,
}

/// Every problem of one update. `Display` and `Debug` print it for people, `Serialize` for programs; secrets are in neither.
///
/// `Serialize` gives `outcome` (`kept_previous`, `nothing_applied`, `partly_applied`, `last_known_good` or `applied`; of a check or a plan `would_be_refused` or `would_be_applied`), `keeps_previous` and
/// `problems`, each as described on [`Problem`]. Those names stay.
///
/// ```
/// # fn alerts(report: &flux::Report) {
/// use flux::report::ProblemKind;
///
/// for problem in report.problems() {
///     if problem.kind == ProblemKind::Missing {
///         println!("{}: {:?}", problem.path, problem.fix);
///     }
/// }
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    keeping: Keeping,
    problems: Vec<Problem>,
    /// What the refused update would have changed, where it is known: problems of the program's code have no path.
    changed: Option<Arc<[String]>>,
}

impl Report {
    /// Puts a report together: by layer in the order of precedence, in a layer by line and column, or by the position of the
    /// argument.
    #[cold]
    pub(crate) fn compose(
        fields: &'static [Field],
        entries: Vec<Entry>,
        keeping: Keeping,
        secrets: &SecretSources<'_>,
    ) -> Self {
        let mut reports = Report::compose_each(fields, vec![entries], keeping, secrets);
        reports.pop().unwrap_or(Report {
            keeping,
            problems: Vec::new(),
            changed: None,
        })
    }

    /// A report of each of these. Every document is read once for all of them.
    #[cold]
    pub(crate) fn compose_each(
        fields: &'static [Field],
        mut all: Vec<Vec<Entry>>,
        keeping: Keeping,
        secrets: &SecretSources<'_>,
    ) -> Vec<Self> {
        for entry in all.iter_mut().flatten() {
            entry.conclude(keeping);
        }
        let sources = sources(all.iter().flatten());
        let needs_places = all.iter().flatten().any(|entry| entry.place.is_some());
        let own = sources.iter().map(|(bytes, decoder)| DocumentText {
            layer: 0,
            bytes,
            decoder,
        });
        let documents = secrets
            .documents
            .iter()
            .copied()
            .filter(|_| schema::any_secret(fields));
        let read = ReadDocument::all(fields, own.chain(documents), needs_places);
        // What problems are in comes first.
        let texts = read.iter().take(sources.len());
        let texts: HashMap<*const u8, Text<'_, '_>> = texts
            .map(|read| {
                let text = Text {
                    excerpt: Excerpt::read(fields, read),
                    finder: read.document().map(Finder::new),
                };
                (read.place(), text)
            })
            .collect();
        let secrets = &KnownSecrets::in_documents(fields, &read, secrets);
        let reports = all.into_iter().map(|entries| {
            let problems = problems(fields, entries, &texts, secrets);
            Report {
                keeping,
                problems,
                changed: None,
            }
        });
        reports.collect()
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The report of an update that would have changed these paths.
    pub(crate) fn of_changed(mut self, paths: Vec<String>) -> Self {
        self.changed = (!paths.is_empty()).then(|| paths.into());
        self
    }

    /// The paths that the refused update would have changed, as far as they are known.
    pub(crate) fn changed(&self) -> &[String] {
        self.changed.as_deref().unwrap_or_default()
    }

    /// Adds warnings behind the problems, unless they are among them.
    pub(crate) fn with_warnings(mut self, warnings: Option<&Report>) -> Self {
        let warnings = warnings.map_or(&[][..], |report| &report.problems);
        for warning in warnings {
            if !self.problems.iter().any(|known| known.is_same(warning)) {
                let mut warning = warning.clone();
                warning.is_warning = true;
                self.problems.push(warning);
            }
        }
        self
    }

    /// The layers have other numbers now.
    #[cold]
    pub(crate) fn renumber(&mut self, now: impl Fn(usize) -> Option<usize>) {
        for problem in &mut self.problems {
            problem.layer = problem.layer.and_then(&now);
        }
    }

    /// What of it is about no layer of these alone; all of it where nothing is left.
    pub(crate) fn without_layers(&self, layers: &[usize]) -> Report {
        let mut report = self.clone();
        let is_of_them = |problem: &Problem| problem.layer.is_some_and(|one| layers.contains(&one));
        report.problems.retain(|problem| !is_of_them(problem));
        match report.problems.is_empty() {
            true => self.clone(),
            false => report,
        }
    }

    /// The problems, by layer and line. Warnings of documents that were judged and not applied follow what refuses them.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether readers keep seeing a previous configuration.
    pub fn keeps_previous(&self) -> bool {
        matches!(
            self.keeping,
            Keeping::Previous | Keeping::Rest | Keeping::LastKnownGood
        )
    }
}

/// Line and column of the value at a path of a document.
#[cold]
pub(crate) fn place_in(
    fields: &'static [Field],
    (bytes, decoder): (&Arc<[u8]>, &Decoder),
    path: &[Seg],
) -> Option<(usize, usize)> {
    let text = DocumentText {
        layer: 0,
        bytes,
        decoder,
    };
    let read = ReadDocument::all(fields, std::iter::once(text), true);
    let finder = read.first()?.document().map(Finder::new)?;
    finder.place(path)
}

/// What is reported of these entries, in their order.
fn problems(
    fields: &'static [Field],
    mut entries: Vec<Entry>,
    texts: &HashMap<*const u8, Text<'_, '_>>,
    secrets: &KnownSecrets,
) -> Vec<Problem> {
    let are_warnings = entries.iter().all(|entry| entry.is_warning);
    let mut more = 0;
    entries.retain(|entry| match entry.problem.what {
        What::More(count) => {
            more += count;
            false
        }
        _ => true,
    });
    let text_of = |entry: &Entry| {
        let (bytes, _) = entry.text.as_ref()?;
        texts.get(&bytes.as_ptr())
    };
    for entry in &mut entries {
        if let Some(place) = &entry.place {
            let finder = text_of(entry).and_then(|text| text.finder.as_ref());
            entry.at = finder.and_then(|finder| finder.place(place));
        }
    }
    let typed = |entry: &Entry| entry.argument.as_ref().and_then(|one| one.position);
    entries.sort_by_key(|entry| (entry.layer, entry.at.is_none(), entry.at, typed(entry)));
    more += entries.len().saturating_sub(MOST_PROBLEMS);
    entries.truncate(MOST_PROBLEMS);
    let problem_of = |entry: &Entry| {
        let shown = match (text_of(entry), entry.at) {
            (Some(text), Some(at)) => {
                let layer = entry.layer;
                text.excerpt.line(at, &entry.problem, layer, secrets)
            }
            _ => None,
        };
        Problem::new(fields, entry, shown, secrets)
    };
    let (mut problems, mut size) = (Vec::with_capacity(entries.len()), 0);
    for entry in &entries {
        let problem = problem_of(entry);
        size += problem.size();
        if size > MOST_BYTES && !problems.is_empty() {
            more += entries.len() - problems.len();
            break;
        }
        problems.push(problem);
    }
    if more > 0 {
        let more = Entry::new("", Flaw::whole(What::More(more)));
        problems.push(problem_of(&more.warning(are_warnings)));
    }
    problems
}

/// The documents that problems are in, each once.
fn sources<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<(Arc<[u8]>, Decoder)> {
    let mut sources: Vec<(Arc<[u8]>, Decoder)> = Vec::new();
    let mut known = HashSet::new();
    for source in entries.filter_map(|entry| entry.text.as_ref()) {
        if known.insert(source.0.as_ptr()) {
            sources.push(source.clone());
        }
    }
    sources
}

/// A document that problems are in.
struct Text<'r, 't> {
    excerpt: Excerpt<'r>,
    finder: Option<Finder<'r, 't>>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is applied all the same is warned of, whatever it is.
        let is_applied = matches!(self.keeping, Keeping::Applied | Keeping::WouldApply);
        let warnings = self.problems.iter().filter(|one| one.is_warning).count();
        let problems = self.problems.len() - warnings;
        let count = match (is_applied, warnings) {
            (true, _) => counted(self.problems.len(), "warning"),
            (false, 0) => counted(problems, "problem"),
            (false, _) => {
                let problems = counted(problems, "problem");
                format!("{problems}, {}", counted(warnings, "warning"))
            }
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
            Keeping::LastKnownGood => write!(
                f,
                "part of the configuration refused: {count}; the last known good one serves in its place"
            )?,
            Keeping::Applied => write!(f, "configuration applied with {count}")?,
            Keeping::WouldRefuse => write!(
                f,
                "configuration would be refused: {count}; nothing was applied"
            )?,
            Keeping::WouldApply => write!(
                f,
                "configuration would be applied with {count}; nothing was applied"
            )?,
        }
        for problem in &self.problems {
            match problem.is_warning && !is_applied && problems > 0 {
                true => write!(f, "\n  warning: {}", problem.after_word())?,
                false => write!(f, "\n{problem}")?,
            }
        }
        Ok(())
    }
}

fn counted(number: usize, word: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {word}{end}")
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Report {}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 3)?;
        let outcome = match self.keeping {
            Keeping::Previous => "kept_previous",
            Keeping::Nothing => "nothing_applied",
            Keeping::Rest => "partly_applied",
            Keeping::LastKnownGood => "last_known_good",
            Keeping::Applied => "applied",
            Keeping::WouldRefuse => "would_be_refused",
            Keeping::WouldApply => "would_be_applied",
        };
        report.serialize_field("outcome", outcome)?;
        report.serialize_field("keeps_previous", &self.keeps_previous())?;
        report.serialize_field("problems", &self.problems)?;
        report.end()
    }
}
