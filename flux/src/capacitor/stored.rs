//! What a layer said, for comparing and for going back; and what of it is not tried again.

use crate::source::Observation;
use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

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

    /// Whether the source says just this.
    pub(super) fn is(&self, seen: &Seen) -> bool {
        match (self, seen) {
            (Stored::Document(bytes) | Stored::Silent(Some(bytes)), Seen::Bytes(seen)) => {
                bytes == seen
            }
            (Stored::Silent(None), Seen::Absent) => true,
            _ => false,
        }
    }
}

/// What a source said, for telling equal content.
#[derive(PartialEq)]
pub(super) enum Seen {
    Bytes(Arc<[u8]>),
    Absent,
    Unreadable(String),
}

impl From<&Observation> for Seen {
    fn from(observation: &Observation) -> Self {
        match observation {
            Observation::Value(content) => Seen::Bytes(Arc::clone(&content.bytes)),
            Observation::Absent => Seen::Absent,
            Observation::Unreadable(error) => Seen::Unreadable(error.to_string()),
        }
    }
}

/// More than this is forgotten, the oldest first.
const MOST: usize = 64;

/// Content that was taken back, by its hash, and why.
#[derive(Default)]
pub(super) struct Quarantine(VecDeque<(u64, String)>);

impl Quarantine {
    pub(super) fn add(&mut self, content: &Stored, why: &str) {
        if matches!(content, Stored::Given | Stored::Kept) {
            return;
        }
        self.remove(content);
        self.0
            .push_back((hash(content.bytes().as_deref()), why.to_owned()));
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    pub(super) fn remove(&mut self, content: &Stored) {
        let hash = hash(content.bytes().as_deref());
        self.0.retain(|(known, _)| *known != hash);
    }

    /// Why this is not tried again, if it was taken back before.
    pub(super) fn why(&self, observation: &Observation) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let hash = match observation {
            Observation::Value(content) => hash(Some(&content.bytes)),
            Observation::Absent => hash(None),
            Observation::Unreadable(_) => return None,
        };
        let found = self.0.iter().find(|(known, _)| *known == hash);
        found.map(|(_, why)| why.as_str())
    }
}

fn hash(content: Option<&[u8]>) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}
