//! A problem and its layer before it is reported, and which other one it explains.

use super::Keeping;
use crate::{
    codec::Decoder,
    problem::{Fix, Flaw, ProblemKind, Seg, What},
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

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
    pub(super) origin: String,
    /// Its number in the order of precedence.
    pub(super) layer: Option<usize>,
    pub(super) problem: Flaw,
    pub(super) at: Option<(usize, usize)>,
    pub(crate) variable: Option<String>,
    pub(super) argument: Option<ArgumentPlace>,
    pub(super) text: Option<(Arc<[u8]>, Decoder)>,
    /// Where `at` is not known: the path of the place in the text.
    pub(super) place: Option<Vec<Seg>>,
    /// Whether its layer sets the whole of the value, and not only what contains it.
    pub(super) is_set: bool,
    /// What to do.
    pub(super) fix: Option<Fix>,
    /// It refuses nothing by itself.
    pub(super) is_warning: bool,
    /// What serves in the place of its layer, once anything is applied.
    pub(super) kept: Option<String>,
    /// What follows the sentence; nothing of a document is in it.
    pub(super) note: Option<String>,
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

    /// The name to write is that of the variable which names a file.
    pub(crate) fn in_file(&mut self) {
        if let What::Outdated {
            text, to: Some(to), ..
        } = &mut self.problem.what
        {
            let own = format!("`{to}`");
            to.push_str("_FILE");
            *text = text.replacen(&own, &format!("`{to}`"), 1);
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
    pub(super) fn conclude(&mut self, keeping: Keeping) {
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

    /// The layers have other numbers now.
    pub(crate) fn renumber(&mut self, now: impl Fn(usize) -> Option<usize>) {
        self.layer = self.layer.and_then(now);
    }

    /// The number of its layer, where it is in one.
    pub(crate) fn layer_number(&self) -> Option<usize> {
        self.layer
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

    /// Whether a key of an earlier version is no longer read.
    pub(crate) fn is_removed(&self) -> bool {
        self.problem.what.is_removed()
    }

    /// Whether a way back is all that is reported.
    pub(crate) fn is_taken_back(&self) -> bool {
        self.problem.what.kind() == ProblemKind::TakenBack
    }

    /// Whether it is a finding of the same kind.
    pub(crate) fn is_alike(&self, other: &Entry) -> bool {
        self.problem.what.kind() == other.problem.what.kind()
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

    /// Whether another one reports the same, at the same place of the same document.
    pub(crate) fn is_same_there(&self, other: &Entry) -> bool {
        let text = |entry: &Entry| entry.text.as_ref().map(|(bytes, _)| Arc::as_ptr(bytes));
        self.is_same(other) && self.place == other.place && text(self) == text(other)
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

    /// Whether it is a broken rule of an item, found where a document was decoded, and a layer above sets the value. `locate` finds
    /// the layer that sets it.
    pub(crate) fn is_replaced_rule(&self, locate: impl FnOnce(Flaw) -> Entry) -> bool {
        let kind = self.problem.what.kind();
        let is_rule = matches!(kind, ProblemKind::Rule | ProblemKind::Panic);
        is_rule
            && !self.problem.path.is_empty()
            && (self.layer).is_some_and(|layer| locate(self.problem.clone()).is_set_above(layer))
    }

    /// Whether the other one may be there only because of this one, which keeps a value from being read. `path` is its path without
    /// aliases.
    pub(crate) fn explains(&self, path: &[Seg], other: &Entry) -> bool {
        let is_of_key = matches!(self.problem.what, What::Unknown(_) | What::Outdated { .. });
        if self.is_warning || is_of_key {
            return false;
        }
        let inner = &other.problem.path;
        let is_inside = path.starts_with(inner) && (path != inner.as_slice() || path.is_empty());
        let is_around = !path.is_empty() && inner.starts_with(path);
        let is_replaced = || self.layer.is_some_and(|layer| other.is_set_above(layer));
        is_inside || is_around && !is_replaced()
    }
}
