//! How a report is composed: which problems are in it, which is left out because another one explains it, in which order, with
//! which line and column.

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
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

pub use crate::problem::{Fix, KeyPath, KeyPathError, ProblemKind, Seg as PathStep};
pub(crate) use problem::ARGUMENTS;
pub use problem::Problem;

/// An argument of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArgumentPlace {
    /// As it was typed, without its value: `--pool.max-size`; empty for one that has no name.
    pub(crate) name: String,
    /// Its place behind the program's name, from 1; none where another parser read the command line.
    pub(crate) position: Option<usize>,
}

/// A problem and its layer, before it is reported.
#[derive(Clone)]
pub(crate) struct Entry {
    origin: String,
    /// Its number in the order of precedence.
    layer: Option<usize>,
    problem: Flaw,
    at: Option<(usize, usize)>,
    pub(crate) variable: Option<String>,
    argument: Option<ArgumentPlace>,
    text: Option<(Arc<[u8]>, Decoder)>,
    /// Where `at` is not known: the path of the place in the text.
    place: Option<Vec<Seg>>,
    /// Whether its layer sets the whole of the value, and not only what contains it.
    is_set: bool,
    /// What to do.
    fix: Option<Fix>,
    /// It refuses nothing by itself.
    is_warning: bool,
    /// What serves in the place of its layer, once anything is applied.
    kept: Option<String>,
    /// What follows the sentence; nothing of a document is in it.
    note: Option<String>,
}

impl Entry {
    pub(crate) fn new(origin: &str, problem: Flaw) -> Self {
        Entry {
            origin: origin.to_owned(),
            layer: None,
            problem,
            at: None,
            variable: None,
            argument: None,
            text: None,
            place: None,
            is_set: false,
            fix: None,
            is_warning: false,
            kept: None,
            note: None,
        }
    }

    /// Adds this behind the sentence; nothing of a document is in it.
    pub(crate) fn note(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }

    /// This, from the disk, is to serve in the place of its layer.
    #[cfg(feature = "json")]
    pub(crate) fn kept(mut self, kept: String) -> Self {
        self.kept = Some(kept);
        self
    }

    /// What became of that which was to serve in the place of its layer: only where it is reported is that known.
    fn conclude(&mut self, keeping: Keeping) {
        if let Some(kept) = self.kept.take() {
            self.note = Some(match keeping {
                Keeping::Nothing => {
                    format!("{kept}, does not serve, for the other problems of this report")
                }
                _ => format!("served is {kept}"),
            });
        }
    }

    pub(crate) fn at(mut self, at: Option<(usize, usize)>) -> Self {
        self.at = at;
        self
    }

    /// The problem is in the layer of this name.
    pub(crate) fn of(mut self, origin: &str) -> Self {
        origin.clone_into(&mut self.origin);
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

    /// The problem is in this document, where `place` leads. The line is found when it is reported.
    pub(crate) fn within(self, bytes: &Arc<[u8]>, decoder: &Decoder, place: &[Seg]) -> Self {
        let mut entry = self.text(bytes, decoder);
        entry.place = Some(place.to_vec());
        entry
    }

    /// The argument that contains it.
    pub(crate) fn argument(mut self, argument: Option<ArgumentPlace>) -> Self {
        self.argument = argument;
        self
    }

    pub(crate) fn warning(mut self, is_warning: bool) -> Self {
        self.is_warning = is_warning;
        self
    }

    pub(crate) fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    pub(crate) fn path(&self) -> &[Seg] {
        &self.problem.path
    }

    /// What is wrong, without its layer.
    #[cfg(feature = "dotenv")]
    pub(crate) fn into_flaw(self) -> Flaw {
        self.problem
    }

    /// Whether a value is missing that no layer sets.
    pub(crate) fn is_missing(&self) -> bool {
        self.problem.what.kind() == ProblemKind::Missing
    }

    /// Whether a way back is all that is reported.
    pub(crate) fn is_taken_back(&self) -> bool {
        self.problem.what.kind() == ProblemKind::TakenBack
    }

    /// A sentence of this kind.
    pub(crate) fn kind(mut self, is: ProblemKind) -> Self {
        if let What::Told { kind, .. } = &mut self.problem.what {
            *kind = is;
        }
        self
    }

    /// The same for all that report something about one place of one layer.
    pub(crate) fn place_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.layer, &self.problem.path).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether another one reports the same about the same layer.
    pub(crate) fn is_same(&self, other: &Entry) -> bool {
        self.layer == other.layer && self.problem == other.problem
    }

    /// Whether its layer sets the whole of the value, and not only what contains it.
    pub(crate) fn set(mut self, is_set: bool) -> Self {
        self.is_set = is_set;
        self
    }

    /// Whether a layer above this one sets the value. A rule of a whole struct has values of every layer.
    pub(crate) fn is_set_above(&self, layer: usize) -> bool {
        let is_one_value = self.problem.what.kind() != ProblemKind::CrossField;
        is_one_value && self.is_set && self.layer.is_some_and(|own| own > layer)
    }

    /// Whether the other one may be there only because of this one, which keeps a value from being read. `path` is its path without
    /// aliases.
    pub(crate) fn explains(&self, path: &[Seg], other: &Entry) -> bool {
        if self.is_warning || matches!(self.problem.what, What::Unknown(_)) {
            return false;
        }
        let inner = &other.problem.path;
        let is_inside = path.starts_with(inner) && (path != inner.as_slice() || path.is_empty());
        let is_around = !path.is_empty() && inner.starts_with(path);
        let is_replaced = || self.layer.is_some_and(|layer| other.is_set_above(layer));
        is_inside || is_around && !is_replaced()
    }
}

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
    /// It is applied: these are warnings.
    Applied,
    /// It was judged, and nothing was to be applied.
    WouldRefuse,
    /// It was judged to be good, and nothing was to be applied: these are warnings.
    WouldApply,
}

/// Every problem of one update. `Display` and `Debug` print it for people, `Serialize` for programs; secrets are in neither.
///
/// `Serialize` gives `outcome` (`kept_previous`, `nothing_applied`, `partly_applied` or `applied`; of a check or a plan `would_be_refused` or `would_be_applied`), `keeps_previous` and
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
}

impl Report {
    /// Puts a report together: by layer in the order of precedence, in a layer by line and column, or by the position of the
    /// argument.
    #[cold]
    pub(crate) fn compose(
        fields: &'static [Field],
        mut entries: Vec<Entry>,
        keeping: Keeping,
        secrets: &SecretSources<'_>,
    ) -> Self {
        for entry in &mut entries {
            entry.conclude(keeping);
        }
        let are_warnings = entries.iter().all(|entry| entry.is_warning);
        let mut more = 0;
        entries.retain(|entry| match entry.problem.what {
            What::More(count) => {
                more += count;
                false
            }
            _ => true,
        });
        let sources = sources(&entries);
        let needs_places = entries.iter().any(|entry| entry.place.is_some());
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
        let texts: Vec<Text<'_, '_>> = (read.iter())
            .filter(|read| sources.iter().any(|(bytes, _)| read.is_of(bytes)))
            .map(|read| Text {
                read,
                excerpt: Excerpt::read(fields, read),
                finder: read.document().map(Finder::new),
            })
            .collect();
        let secrets = &KnownSecrets::in_documents(fields, &read, secrets);
        let text_of = |entry: &Entry| {
            let (bytes, _) = entry.text.as_ref()?;
            texts.iter().find(|text| text.read.is_of(bytes))
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
        Report { keeping, problems }
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

    /// The problems, by layer and line. Warnings of documents that were judged and not applied follow what refuses them.
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
struct Text<'r, 't> {
    read: &'r ReadDocument<'t>,
    excerpt: Excerpt<'r>,
    finder: Option<Finder<'r, 't>>,
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
            match problem.is_warning && warnings < self.problems.len() {
                true => write!(f, "\n  warning: {}", problem.after_word())?,
                false => write!(f, "\n{problem}")?,
            }
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

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 3)?;
        let outcome = match self.keeping {
            Keeping::Previous => "kept_previous",
            Keeping::Nothing => "nothing_applied",
            Keeping::Rest => "partly_applied",
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
