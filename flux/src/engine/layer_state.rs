//! One layer inside the engine: what its source holds, what of it could be decoded, what of it readers see; that equal content is
//! no change.

mod drop_in;
mod found;
mod given;
mod kept;
mod take_up;
mod way_back;

pub(in crate::engine) use drop_in::renumber_entry;
#[cfg(feature = "json")]
pub(crate) use kept::{FillReason, KeptContent};

use super::{
    content::{LayerContent, Observed},
    decoded::DecodedContent,
    fingerprint::{Fingerprint, FingerprintKey},
    identity::Identities,
    now::Now,
    quarantine::Quarantine,
    status::LayerStatus,
    value::AnyLayer,
};
use crate::{
    codec::Decoder,
    problem::{Flaw, ProblemKind, What},
    report::{self, Entry},
    source::{
        ArgumentPaths, Content, Health, LastProven, Observation, ReadAgain, UriSecrets,
        VariablePaths, drop_ins::DropInLayers,
    },
};
use std::{path::PathBuf, sync::Arc, time::SystemTime};

/// One layer inside the engine.
pub(crate) struct LayerState {
    /// What reports call it: where its newest content was found, where it looks in several places.
    pub(crate) origin: Arc<str>,
    /// What it is called wherever it must keep its name: on disk, in metrics.
    pub(crate) declared: Arc<str>,
    /// Where it is looked for, if in several places.
    pub(crate) searched: Vec<String>,
    /// Which of the declared sources it is of.
    pub(crate) source: usize,
    /// The layers of its files, where it is a source of several.
    pub(crate) drop_ins: Option<Arc<DropInLayers>>,
    /// The name of its file, where it is one of several.
    pub(crate) drop_in: Option<Arc<str>>,
    pub(crate) decoder: Option<Decoder>,
    pub(crate) optional: bool,
    /// The file that is watched, absolute.
    pub(crate) file: Option<PathBuf>,
    pub(crate) health: Health,
    /// It is not read at start alone.
    is_watched: bool,
    /// When it was last known to be current.
    pub(crate) proven: LastProven,
    /// A writer is at work on the source: what was observed last may be half of what comes.
    pub(crate) unsettled: bool,
    pub(crate) changed: Option<SystemTime>,
    pub(crate) received: u64,
    pub(crate) revision: Option<String>,
    /// What the source holds and no update has taken up yet.
    pending: Option<Observation>,
    /// What the source held last, for recognizing equal content.
    newest: Option<Observed>,
    /// A document was read, or known to be absent, since the start.
    was_read: bool,
    /// Nothing was heard of it in time: it is taken for absent once what is kept on disk was asked for.
    pub(crate) stands_in: bool,
    /// Decoded, but not what readers see.
    pub(super) candidate: Option<DecodedContent>,
    /// The update in which the candidate was taken up.
    pub(super) since: u64,
    /// Whether a verdict on what was taken up is still owed.
    pub(super) unjudged: bool,
    /// What readers see.
    pub(super) accepted: Option<DecodedContent>,
    /// The file that filled it at the start.
    kept_in: Option<String>,
    /// Where it had secrets that the file does not have.
    #[cfg(feature = "json")]
    kept_secrets: Vec<Vec<crate::problem::Seg>>,
    /// The document before that: a secret that was replaced is still one.
    replaced: Option<Arc<[u8]>>,
    /// Why the newest content could not be decoded.
    pub(super) refusal: Option<Vec<Entry>>,
    /// What of refused content could be read all the same; only for finding its other problems.
    pub(super) partial: Option<AnyLayer>,
    /// Which variable set which path of it.
    pub(super) partial_variables: VariablePaths,
    /// What was found in the newest document that does not refuse it.
    pub(super) warnings: Vec<report::Problem>,
    /// Entries of the newest document that are null where null is no value.
    pub(super) emptied: Vec<Entry>,
    /// Those of them that take nothing away.
    pub(super) without_effect: Vec<Entry>,
    /// The same, as the status has them.
    pub(super) empty_entries: Vec<report::Problem>,
    /// Its values that take keys of a layer below away.
    pub(super) replacing: Vec<Entry>,
    /// The same, as the status has them.
    pub(super) replaced_tables: Vec<report::Problem>,
    /// Such findings in a layer that has no document, which no update has reported yet.
    given_warnings: Vec<Entry>,
    /// The warnings of the newest reading, where what is given is read again.
    pub(super) warned_again: Option<Vec<Entry>>,
    /// What is not tried again until it changes.
    pub(super) quarantine: Quarantine,
    /// By what its content is known again; by its bytes alone where the config type is not known.
    pub(super) identities: Option<Box<Identities>>,
    /// What must not be printed of a layer that has no document.
    pub(crate) secrets: Vec<String>,
    /// Those of the URI of its source, where it has some.
    pub(crate) uri_secrets: Option<Arc<UriSecrets>>,
    /// Which argument set which path, where it is the arguments.
    pub(super) arguments: Option<ArgumentPaths>,
    /// What the names of its variables begin with, where it is the environment.
    pub(super) prefix: Option<String>,
    /// Reads it again, with the keys of the layers below.
    pub(super) again: Option<ReadAgain<AnyLayer>>,
}

impl LayerState {
    pub(crate) fn new(
        origin: impl Into<Arc<str>>,
        decoder: Option<Decoder>,
        optional: bool,
    ) -> Self {
        let origin = origin.into();
        LayerState {
            declared: Arc::clone(&origin),
            origin,
            searched: Vec::new(),
            source: 0,
            drop_ins: None,
            drop_in: None,
            decoder,
            optional,
            file: None,
            health: Health::Starting,
            is_watched: true,
            proven: LastProven::never(),
            unsettled: false,
            changed: None,
            received: 0,
            revision: None,
            pending: None,
            newest: None,
            was_read: false,
            stands_in: false,
            candidate: None,
            since: 0,
            unjudged: false,
            accepted: None,
            kept_in: None,
            #[cfg(feature = "json")]
            kept_secrets: Vec::new(),
            replaced: None,
            refusal: None,
            partial: None,
            partial_variables: Vec::new(),
            warnings: Vec::new(),
            emptied: Vec::new(),
            without_effect: Vec::new(),
            empty_entries: Vec::new(),
            replacing: Vec::new(),
            replaced_tables: Vec::new(),
            given_warnings: Vec::new(),
            warned_again: None,
            quarantine: Quarantine::default(),
            identities: None,
            secrets: Vec::new(),
            uri_secrets: None,
            arguments: None,
            prefix: None,
            again: None,
        }
    }

    /// How many bytes it has: those that wait to be taken up, else those that were.
    pub(crate) fn size(&self) -> usize {
        match &self.pending {
            Some(Observation::Value(content)) => content.bytes.len(),
            _ => {
                let newest = self.candidate.as_ref().or(self.accepted.as_ref());
                let bytes = newest.and_then(|newest| newest.bytes.as_ref());
                bytes.map_or(0, |bytes| bytes.len())
            }
        }
    }

    /// How many bytes are read to compare what is new with what readers see.
    pub(crate) fn size_to_compare(&self) -> usize {
        let served = self.accepted.as_ref();
        let served = served.filter(|_| self.pending.is_some() || self.candidate.is_some());
        let bytes = served.and_then(|served| served.bytes.as_ref());
        self.size() + bytes.map_or(0, |bytes| bytes.len())
    }

    /// What readers see of the layer.
    pub(crate) fn content(&self) -> LayerContent {
        match &self.accepted {
            None => LayerContent::Silent(None),
            Some(accepted) => accepted.content(),
        }
    }

    /// What the next update takes from it; none where it takes what readers see. A source that holds nothing is `Some(None)`.
    pub(crate) fn incoming(&self) -> Option<Option<Arc<[u8]>>> {
        match &self.pending {
            _ if self.drop_ins.is_some() => None,
            Some(observation) if self.held_back(observation).is_some() => None,
            Some(Observation::Value(content)) => Some(Some(Arc::clone(&content.bytes))),
            Some(Observation::Absent) => Some(None),
            Some(Observation::Unreadable(_)) => None,
            None => {
                let candidate = self.candidate.as_ref().map(DecodedContent::content);
                candidate
                    .filter(|content| {
                        !matches!(content, LayerContent::Given(_) | LayerContent::Kept(_))
                    })
                    .map(|content| content.bytes())
            }
        }
    }

    /// What of it is newest: what was taken up, or what readers see.
    pub(crate) fn newest_content(&self) -> Option<LayerContent> {
        let newest = self.candidate.as_ref().or(self.accepted.as_ref());
        newest.map(DecodedContent::content)
    }

    /// What its source holds; of one that cannot be read, what is newest.
    pub(super) fn observed_content(&self) -> LayerContent {
        match &self.newest {
            Some(Observed::Bytes(_)) if self.drop_ins.is_some() => LayerContent::Silent(None),
            Some(Observed::Bytes(bytes)) => {
                LayerContent::Document(Arc::clone(bytes), self.newest_place())
            }
            Some(Observed::Absent) => LayerContent::Silent(None),
            Some(Observed::Unreadable(_)) | None => {
                self.newest_content().unwrap_or(LayerContent::Silent(None))
            }
        }
    }

    /// Whether the candidate is something else than what readers see.
    pub(super) fn changes_something(&self) -> bool {
        match (&self.candidate, &self.accepted) {
            (Some(new), Some(old)) => new.bytes != old.bytes,
            (Some(new), None) => !new.is_silent(),
            (None, _) => false,
        }
    }

    /// What was taken up that readers do not see counts as this from now on.
    pub(super) fn adopt(&mut self) {
        let before = std::mem::replace(&mut self.accepted, self.candidate.take());
        self.replaced = before
            .and_then(|content| content.bytes)
            .or(self.replaced.take());
    }

    /// A source that ended without a single observation is not waited for.
    pub(super) fn closed(&mut self) {
        if !matches!(self.health, Health::Closed) || self.answered() {
            return;
        }
        match self.optional {
            true => self.candidate = Some(DecodedContent::silent(None)),
            false => {
                let entry = Entry::new(
                    &self.origin,
                    Flaw::whole(What::message(
                        ProblemKind::Source,
                        "ended before its first report",
                    )),
                );
                self.refusal = Some(vec![entry]);
            }
        }
    }

    /// Whether readers see anything of it, be it nothing.
    pub(crate) fn is_accepted(&self) -> bool {
        self.accepted.is_some()
    }

    /// Whether it can take part in an update.
    pub(crate) fn is_usable(&self) -> bool {
        self.accepted.is_some() || self.candidate.is_some()
    }

    /// Whether anything at all is known of it.
    pub(crate) fn answered(&self) -> bool {
        self.newest.is_some() || self.is_usable() || self.refusal.is_some()
    }

    /// Whether the keys of its newest content are known: where it is no value of the program.
    pub(super) fn is_readable(&self) -> bool {
        let newest = self.candidate.as_ref().or(self.accepted.as_ref());
        newest.is_some_and(|newest| {
            newest.is_silent()
                || newest.tree().is_some()
                || (newest.bytes.is_some() && self.decoder.is_some())
        })
    }

    /// Whether what comes next is the first content of it. That a document cannot be read is no content.
    pub(super) fn is_first(&self) -> bool {
        !self.was_read
    }

    /// Whether there is anything to warn of in its newest content.
    pub(super) fn has_warnings(&self) -> bool {
        let all = [&self.warnings, &self.empty_entries, &self.replaced_tables];
        all.iter().any(|some| !some.is_empty())
    }

    /// The newest document.
    pub(super) fn document(&self) -> Option<&Arc<[u8]>> {
        match &self.newest {
            Some(Observed::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Every document that takes part in an update, or may.
    pub(super) fn documents(&self) -> impl Iterator<Item = (&Arc<[u8]>, &Decoder)> {
        let contents = [&self.candidate, &self.accepted].into_iter().flatten();
        let documents = contents.filter_map(|content| content.bytes.as_ref());
        documents
            .chain(self.document())
            .chain(&self.replaced)
            .zip(self.decoder.iter().cycle())
    }

    /// Takes an observation; answers whether it is another content than before.
    pub(crate) fn observe(&mut self, observation: Observation, now: Now) -> bool {
        let observed = Observed::from(&observation);
        if let Observation::Value(Content { revision, .. }) = &observation {
            self.revision.clone_from(revision);
        }
        if self.newest.as_ref() == Some(&observed) {
            if !self.searched.is_empty() {
                self.moved();
            }
            return false;
        }
        self.was_read |= !matches!(observed, Observed::Unreadable(_));
        self.stands_in = false;
        self.newest = Some(observed);
        self.changed = Some(now.wall);
        self.pending = Some(observation);
        true
    }

    /// What the source holds is judged once more, although it is nothing new.
    pub(super) fn judge_again(&mut self) {
        if self.pending.is_some() {
            return;
        }
        self.pending = match &self.newest {
            Some(Observed::Bytes(bytes)) => Some(Observation::Value(Content {
                bytes: Arc::clone(bytes),
                revision: self.revision.clone(),
            })),
            Some(Observed::Absent) => Some(Observation::Absent),
            Some(Observed::Unreadable(_)) | None => None,
        };
    }

    /// Why the content of the source is in quarantine, where an earlier process died with it.
    #[cfg(feature = "json")]
    pub(crate) fn quarantine_reason(&self) -> Option<&str> {
        match &self.newest {
            _ if !self.quarantine.remembers() => None,
            Some(Observed::Bytes(bytes)) => {
                let content = self.fingerprint(Some(bytes));
                self.quarantine.remembered(content)
            }
            Some(Observed::Absent) => self.quarantine.remembered(self.fingerprint(None)),
            Some(Observed::Unreadable(_)) | None => None,
        }
    }

    /// What is recognised as the same content later on. None is an absent document.
    pub(super) fn fingerprint(&self, content: Option<&[u8]>) -> Fingerprint {
        if content.is_none() && self.drop_in.is_some() {
            return Fingerprint::GONE;
        }
        match &self.identities {
            Some(identities) => identities.of(self.decoder.as_ref(), content),
            None => by_bytes(content),
        }
    }

    /// Why this is not tried, if it was taken back before.
    fn held_back(&self, observation: &Observation) -> Option<&str> {
        // Mostly there is nothing, and no document is read for it.
        if self.quarantine.is_empty() {
            return None;
        }
        let content = match observation {
            Observation::Value(content) => Some(&*content.bytes),
            Observation::Absent => None,
            Observation::Unreadable(_) => return None,
        };
        let taken_back = self.quarantine.taken_back(by_bytes(content));
        // A document is read for its values only where those are asked for.
        taken_back.or_else(|| match self.quarantine.remembers() {
            true => self.quarantine.remembered(self.fingerprint(content)),
            false => None,
        })
    }

    pub(super) fn status(&self) -> LayerStatus {
        LayerStatus {
            origin: self.origin.clone(),
            health: self.health.clone(),
            present: self.is_present(),
            changed: self.changed,
            proven: self.proven.clone(),
            is_watched: self.is_watched,
            received: self.received,
            revision: self.revision.clone(),
            refused: self.refusal.is_some() || self.candidate.is_some(),
        }
    }

    /// Whether the source is known to have a document. A layer that is read at start always has.
    pub(super) fn is_present(&self) -> bool {
        match &self.newest {
            Some(observed) => !matches!(observed, Observed::Absent),
            None => self.changed.is_some(),
        }
    }
}

/// By what this process recognises what it took back.
fn by_bytes(content: Option<&[u8]>) -> Fingerprint {
    Fingerprint::of(FingerprintKey(0, 0), content)
}
