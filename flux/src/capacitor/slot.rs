//! One layer inside the engine: what its source said last, what of it could be decoded, and what of it readers see.

use super::stored::{Quarantine, Seen, Stored};
use crate::{
    codec::{self, Decoder, Unknown},
    layer::{Config, Layer},
    problem::{Problem, What},
    report::Entry,
    source::{Content, Given, Health, Observation, VariablePaths},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
    time::SystemTime,
};

/// One decoded content of a layer.
pub(crate) struct Version<L> {
    /// The document; none for an absent one and for the environment.
    pub(crate) bytes: Option<Arc<[u8]>>,
    /// Which variable set which path.
    pub(crate) variables: VariablePaths,
    /// None for a layer that says nothing, and after the lowest layer was moved into the struct: then it is decoded once more
    /// when it is needed again, which is cheaper than a copy at every change.
    layer: Option<L>,
    silent: bool,
    fresh: bool,
    /// From the last known good configuration on disk.
    kept: bool,
}

impl<L: Layer> Version<L> {
    pub(crate) fn silent(bytes: Option<Arc<[u8]>>) -> Self {
        Version {
            bytes,
            variables: Vec::new(),
            layer: None,
            silent: true,
            fresh: false,
            kept: false,
        }
    }

    /// A document that was decoded before, and is again when it is needed.
    fn stored(bytes: Arc<[u8]>) -> Self {
        Version {
            bytes: Some(bytes),
            variables: Vec::new(),
            layer: None,
            silent: false,
            fresh: false,
            kept: false,
        }
    }

    fn decoded(bytes: Arc<[u8]>, layer: L) -> Self {
        Version {
            bytes: Some(bytes),
            variables: Vec::new(),
            layer: Some(layer),
            silent: false,
            fresh: true,
            kept: false,
        }
    }

    /// A layer that has no document, such as the environment.
    pub(crate) fn given(layer: L, variables: VariablePaths) -> Self {
        Version {
            bytes: None,
            variables,
            layer: Some(layer),
            silent: false,
            fresh: false,
            kept: false,
        }
    }

    /// What was kept of the layer on disk.
    #[cfg(feature = "json")]
    pub(crate) fn kept(layer: Option<L>) -> Self {
        let version = match layer {
            Some(layer) => Version::given(layer, Vec::new()),
            None => Version::silent(None),
        };
        Version {
            kept: true,
            ..version
        }
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent
    }

    /// The layer, decoded again if it was moved away.
    pub(crate) fn layer<C: Config<Layer = L>>(&mut self, decoder: Option<&Decoder>) -> Option<&L> {
        if self.silent {
            return None;
        }
        if self.layer.is_none() {
            let bytes = self.bytes.as_ref()?;
            let again = codec::decode::<C>(decoder?, bytes, Unknown::Ignore).ok()?;
            self.layer = Some(again.layer);
        }
        self.fresh = false;
        self.layer.as_ref()
    }

    /// The layer as the base of a fold: moved the first time, a copy afterwards.
    pub(crate) fn base<C: Config<Layer = L>>(&mut self, decoder: Option<&Decoder>) -> Option<L> {
        if self.fresh && self.bytes.is_some() {
            self.fresh = false;
            return self.layer.take();
        }
        self.layer::<C>(decoder).cloned()
    }
}

/// One layer inside the engine.
pub(crate) struct Slot<L> {
    pub(crate) origin: String,
    pub(crate) decoder: Option<Decoder>,
    pub(crate) optional: bool,
    /// The file that is watched, absolute.
    pub(crate) file: Option<PathBuf>,
    pub(crate) health: Health,
    pub(crate) changed: Option<SystemTime>,
    pub(crate) received: u64,
    pub(crate) revision: Option<String>,
    /// What the source said and no update has taken up yet.
    pending: Option<Observation>,
    /// What the source said last, for telling equal content.
    newest: Option<Seen>,
    /// Decoded, but not what readers see.
    pub(crate) candidate: Option<Version<L>>,
    /// The update in which the candidate was taken up.
    pub(crate) since: u64,
    /// What readers see.
    pub(crate) accepted: Option<Version<L>>,
    /// Why the newest content could not be decoded.
    pub(crate) refusal: Option<Vec<Entry>>,
    /// What of refused content could be read all the same; only for finding its other problems.
    pub(crate) partial: Option<L>,
    /// What is not tried again until it changes.
    pub(super) quarantine: Quarantine,
    /// What must not be printed of a layer that has no document.
    pub(crate) secrets: Vec<String>,
}

impl<L: Layer> Slot<L> {
    pub(crate) fn new(origin: String, decoder: Option<Decoder>, optional: bool) -> Self {
        Slot {
            origin,
            decoder,
            optional,
            file: None,
            health: Health::Starting,
            changed: None,
            received: 0,
            revision: None,
            pending: None,
            newest: None,
            candidate: None,
            since: 0,
            accepted: None,
            refusal: None,
            partial: None,
            quarantine: Quarantine::default(),
            secrets: Vec::new(),
        }
    }

    /// Takes what a layer without a document says.
    pub(crate) fn give(&mut self, given: Given<L>) {
        self.health = Health::Live;
        self.changed = Some(SystemTime::now());
        self.secrets = given.secrets;
        match given.read {
            Ok((layer, variables)) => self.candidate = Some(Version::given(layer, variables)),
            Err(entries) => self.refusal = Some(entries),
        }
    }

    /// What readers see of the layer.
    pub(crate) fn stored(&self) -> Stored {
        match &self.accepted {
            None => Stored::Silent(None),
            Some(version) if version.kept => Stored::Kept,
            Some(version) if version.silent => Stored::Silent(version.bytes.clone()),
            Some(version) => match &version.bytes {
                Some(bytes) => Stored::Document(Arc::clone(bytes)),
                None => Stored::Given,
            },
        }
    }

    /// Whether the candidate says something else than what readers see.
    pub(crate) fn changes_something(&self) -> bool {
        match (&self.candidate, &self.accepted) {
            (Some(new), Some(old)) => new.bytes != old.bytes,
            (Some(new), None) => !new.silent,
            (None, _) => false,
        }
    }

    /// Says again what it said before, if that is anything else.
    pub(crate) fn go_back(&mut self, to: &Stored, why: &str) {
        let now = self.stored();
        let version = match to {
            Stored::Given | Stored::Kept => return,
            Stored::Silent(bytes) => Version::silent(bytes.clone()),
            Stored::Document(bytes) => Version::stored(Arc::clone(bytes)),
        };
        self.quarantine.remove(to);
        if now != *to {
            self.accepted = Some(version);
        }
        let Some(newest) = self.newest.as_ref().filter(|_| self.pending.is_none()) else {
            return;
        };
        if to.is(newest) {
            (self.candidate, self.refusal) = (None, None);
        } else if self.candidate.is_none() && self.refusal.is_none() {
            self.refusal = Some(vec![Entry::new(&self.origin, whole(why))]);
        }
    }

    /// What was taken up and could not be applied yet is not tried again either.
    pub(crate) fn give_up_candidate(&mut self, why: &str) {
        if let Some(candidate) = self.candidate.take() {
            let content = match (candidate.silent, candidate.bytes) {
                (true, bytes) => Stored::Silent(bytes),
                (false, Some(bytes)) => Stored::Document(bytes),
                (false, None) => Stored::Given,
            };
            self.quarantine.add(&content, why);
            self.refusal = Some(vec![Entry::new(&self.origin, whole(why))]);
        }
    }

    /// Its source ended before it said anything.
    pub(crate) fn never_heard(&mut self) {
        match self.optional {
            true => self.candidate = Some(Version::silent(None)),
            false => {
                let entry = Entry::new(&self.origin, whole("ended before it said anything"));
                self.refusal = Some(vec![entry]);
            }
        }
    }

    /// Whether the source has said anything at all.
    pub(crate) fn seen(&self) -> bool {
        self.newest.is_some()
            || self.candidate.is_some()
            || self.accepted.is_some()
            || self.refusal.is_some()
    }

    /// Whether the source has a document.
    pub(crate) fn present(&self) -> bool {
        !matches!(self.newest, Some(Seen::Absent))
    }

    /// The newest document.
    pub(crate) fn document(&self) -> Option<&Arc<[u8]>> {
        match &self.newest {
            Some(Seen::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Every document that takes part in an update, or may.
    pub(crate) fn documents(&self) -> impl Iterator<Item = (&Arc<[u8]>, &Decoder)> {
        let versions = [&self.candidate, &self.accepted].into_iter().flatten();
        let documents = versions.filter_map(|version| version.bytes.as_ref());
        documents
            .chain(self.document())
            .zip(self.decoder.iter().cycle())
    }

    /// Takes an observation; answers whether it says anything new.
    pub(crate) fn observe(&mut self, observation: Observation) -> bool {
        let seen = Seen::from(&observation);
        if let Observation::Value(Content { revision, .. }) = &observation {
            self.revision.clone_from(revision);
        }
        if self.newest.as_ref() == Some(&seen) {
            return false;
        }
        self.newest = Some(seen);
        self.changed = Some(SystemTime::now());
        self.pending = Some(observation);
        true
    }

    /// Decodes what is pending into a candidate or a refusal; answers with the warnings.
    pub(crate) fn take_up<C: Config<Layer = L>>(
        &mut self,
        unknown: Unknown,
        update: u64,
    ) -> Vec<Entry> {
        let Some(observation) = self.pending.take() else {
            return Vec::new();
        };
        let (result, warnings) = self.judge::<C>(observation, unknown);
        (self.candidate, self.refusal) = match result {
            Ok(version) => (Some(version), None),
            Err(refusal) => (None, Some(refusal)),
        };
        self.since = update;
        warnings
    }

    /// What is said of a required source that holds nothing.
    fn absence(&self) -> String {
        match &self.file {
            #[cfg(feature = "file")]
            Some(file) => crate::source::missing(file, &self.origin),
            _ => "does not exist, and this layer is required".to_owned(),
        }
    }

    fn judge<C: Config<Layer = L>>(
        &mut self,
        observation: Observation,
        unknown: Unknown,
    ) -> (Result<Version<L>, Vec<Entry>>, Vec<Entry>) {
        self.partial = None;
        let told = |what: What| {
            let path = Vec::new();
            let entry = Entry::new(&self.origin, Problem { path, what });
            (Err(vec![entry]), Vec::new())
        };
        let refuse = |text: &str| told(What::Plain(text.to_owned()));
        if let Some(why) = self.quarantine.why(&observation) {
            return refuse(why);
        }
        let content = match observation {
            Observation::Value(content) => content,
            Observation::Absent if self.optional => return (Ok(Version::silent(None)), Vec::new()),
            Observation::Absent => return refuse(&self.absence()),
            Observation::Unreadable(error) => return told(What::Message(error.to_string())),
        };
        let Some(decoder) = &self.decoder else {
            return refuse("has no format; name one, as in `format = \"json\"`");
        };
        let bytes = content.bytes;
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            codec::decode::<C>(decoder, &bytes, unknown)
        }));
        let entries = |found: Vec<codec::Found>| {
            let located = found.into_iter().map(|found| {
                Entry::new(&self.origin, found.problem)
                    .at(found.at)
                    .text(&bytes, decoder)
            });
            located.collect::<Vec<_>>()
        };
        match decoded {
            Ok(Ok(decoded)) if decoded.empty && self.optional => {
                (Ok(Version::silent(Some(bytes))), Vec::new())
            }
            Ok(Ok(decoded)) if decoded.empty => refuse("is empty, and this layer is required"),
            Ok(Ok(decoded)) => {
                let warnings = entries(decoded.warnings);
                (Ok(Version::decoded(bytes, decoded.layer)), warnings)
            }
            Ok(Err(failed)) => {
                let refusal = entries(failed.found);
                self.partial = failed.partial;
                (Err(refusal), Vec::new())
            }
            Err(panic) => told(What::Panic(format!(
                "decoding panicked: {}",
                crate::problem::panic_text(&*panic)
            ))),
        }
    }
}

/// A problem of a document as a whole.
fn whole(text: &str) -> Problem {
    Problem {
        path: Vec::new(),
        what: What::Message(text.to_owned()),
    }
}
