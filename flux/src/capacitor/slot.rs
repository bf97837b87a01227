//! One layer inside the engine: what its source said last, what of it could be decoded, and what of it readers see.

use crate::{
    codec::{self, Decoder, Unknown},
    config::Config,
    layer::{Layer, Problem, Seg, path::What},
    report::Entry,
    source::{Content, Health, Observation},
};
use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
    time::SystemTime,
};

/// Which variable set which path.
pub(crate) type Variables = Vec<(Vec<Seg>, String)>;

/// What a layer without a document says, which is read once, at start.
pub(crate) struct Given<L> {
    /// The layer, or everything that is wrong with it.
    pub(crate) read: Result<(L, Variables), Vec<Entry>>,
    /// What must not be printed of it.
    pub(crate) secrets: Vec<String>,
}

/// One decoded content of a layer.
pub(crate) struct Version<L> {
    /// The document; none for an absent one and for the environment.
    pub(crate) bytes: Option<Arc<[u8]>>,
    /// Which variable set which path.
    pub(crate) variables: Variables,
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
    pub(crate) fn given(layer: L, variables: Variables) -> Self {
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
    pub(crate) fn kept(layer: L) -> Self {
        Version {
            kept: true,
            ..Version::given(layer, Vec::new())
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
    /// Decoded in this very update.
    pub(crate) fresh: bool,
    /// What readers see.
    pub(crate) accepted: Option<Version<L>>,
    /// Why the newest content could not be decoded.
    pub(crate) refusal: Option<Vec<Entry>>,
    /// What of refused content could be read all the same; only for finding its other problems.
    pub(crate) partial: Option<L>,
    /// Content that was taken back, by its hash, and why.
    quarantine: VecDeque<(u64, String)>,
    /// What must not be printed of a layer that has no document.
    pub(crate) secrets: Vec<String>,
}

/// More than this is forgotten, the oldest first.
const QUARANTINE: usize = 64;

/// What a layer said at some generation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    /// It is read once at start, so it still says the same.
    Given,
    /// Nothing: absent, or an empty document.
    Silent(Option<Arc<[u8]>>),
    /// This document.
    Document(Arc<[u8]>),
    /// What was kept of it on disk, its secrets left out.
    Kept,
}

impl Stored {
    pub(crate) fn bytes(&self) -> Option<Arc<[u8]>> {
        match self {
            Stored::Document(bytes) => Some(Arc::clone(bytes)),
            Stored::Silent(bytes) => bytes.clone(),
            Stored::Given | Stored::Kept => None,
        }
    }

    fn hash(&self) -> u64 {
        hash(self.bytes().as_deref())
    }
}

fn hash(content: Option<&[u8]>) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

#[derive(PartialEq)]
enum Seen {
    Bytes(Arc<[u8]>),
    Absent,
    Unreadable(String),
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
            fresh: false,
            accepted: None,
            refusal: None,
            partial: None,
            quarantine: VecDeque::new(),
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

    /// Says again what it said before; what it says now is quarantined. Answers whether that is anything else.
    pub(crate) fn go_back(&mut self, to: Stored, why: &str) -> bool {
        let now = self.stored();
        if now == to {
            return false;
        }
        let version = match to {
            Stored::Given | Stored::Kept => return false,
            Stored::Silent(bytes) => Version::silent(bytes),
            Stored::Document(bytes) => Version::stored(bytes),
        };
        self.quarantine.push_back((now.hash(), why.to_owned()));
        while self.quarantine.len() > QUARANTINE {
            self.quarantine.pop_front();
        }
        if self.candidate.is_none() && self.refusal.is_none() {
            self.refusal = Some(vec![Entry::new(&self.origin, whole(why))]);
        }
        self.accepted = Some(version);
        true
    }

    /// Why this content is not tried again, if it was taken back before.
    fn quarantined(&self, observation: &Observation) -> Option<&str> {
        if self.quarantine.is_empty() {
            return None;
        }
        let hash = match observation {
            Observation::Value(content) => hash(Some(&content.bytes)),
            Observation::Absent => hash(None),
            Observation::Unreadable(_) => return None,
        };
        let found = self.quarantine.iter().find(|(known, _)| *known == hash);
        found.map(|(_, why)| why.as_str())
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
        let seen = match &observation {
            Observation::Value(content) => Seen::Bytes(Arc::clone(&content.bytes)),
            Observation::Absent => Seen::Absent,
            Observation::Unreadable(error) => Seen::Unreadable(error.to_string()),
        };
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
    pub(crate) fn take_up<C: Config<Layer = L>>(&mut self, unknown: Unknown) -> Vec<Entry> {
        let Some(observation) = self.pending.take() else {
            return Vec::new();
        };
        let (result, warnings) = self.judge::<C>(observation, unknown);
        (self.candidate, self.refusal) = match result {
            Ok(version) => (Some(version), None),
            Err(refusal) => (None, Some(refusal)),
        };
        self.fresh = true;
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
        if let Some(why) = self.quarantined(&observation) {
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
                crate::rules::panic_text(&*panic)
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
