//! Content that was taken back and is not tried again until it changes.

use super::{
    content::LayerContent,
    fingerprint::{Fingerprint, FingerprintKey},
};
use crate::source::Observation;
use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
};

/// More than this is forgotten, the oldest first.
const MOST: usize = 64;

/// Content of one layer, and why it was taken back.
#[derive(Default)]
pub(super) struct Quarantine {
    /// Of this process, by its hash.
    taken_back: VecDeque<(u64, String)>,
    /// Of the processes before, by its fingerprint.
    remembered: Vec<(Fingerprint, String)>,
    /// The key of those fingerprints.
    pub(super) key: Option<FingerprintKey>,
}

impl Quarantine {
    pub(super) fn add(&mut self, content: &LayerContent, why: &str) {
        if matches!(content, LayerContent::Given(_) | LayerContent::Kept) {
            return;
        }
        self.remove(content);
        self.taken_back
            .push_back((hash(content.bytes().as_deref()), why.to_owned()));
        while self.taken_back.len() > MOST {
            self.taken_back.pop_front();
        }
    }

    pub(super) fn remove(&mut self, content: &LayerContent) {
        let hash = hash(content.bytes().as_deref());
        self.taken_back.retain(|(known, _)| *known != hash);
    }

    /// The process died while content with this fingerprint was on trial.
    #[cfg_attr(
        not(feature = "json"),
        allow(dead_code, reason = "what outlives a process is kept as JSON")
    )]
    pub(super) fn remember(&mut self, fingerprint: Fingerprint, why: String) {
        self.remembered.push((fingerprint, why));
    }

    /// Ends the quarantine of content of the processes before; answers whether there was any.
    pub(super) fn forget(&mut self, of: impl Fn(Fingerprint) -> bool) -> bool {
        let before = self.remembered.len();
        self.remembered.retain(|(fingerprint, _)| !of(*fingerprint));
        self.remembered.len() < before
    }

    /// Why this is not tried, where a process before died with it.
    pub(super) fn remembered(&self, content: Option<&[u8]>) -> Option<&str> {
        let key = self.key.filter(|_| !self.remembered.is_empty())?;
        let fingerprint = Fingerprint::of(key, content);
        let mut all = self.remembered.iter();
        let found = all.find(|(known, _)| *known == fingerprint);
        found.map(|(_, why)| why.as_str())
    }

    /// Why this is not tried again, if it was taken back before.
    pub(super) fn why(&self, observation: &Observation) -> Option<&str> {
        if self.taken_back.is_empty() && self.remembered.is_empty() {
            return None;
        }
        let content = match observation {
            Observation::Value(content) => Some(&*content.bytes),
            Observation::Absent => None,
            Observation::Unreadable(_) => return None,
        };
        let hash = hash(content);
        let mut all = self.taken_back.iter();
        let found = all.find(|(known, _)| *known == hash);
        let why = found.map(|(_, why)| why.as_str());
        why.or_else(|| self.remembered(content))
    }
}

fn hash(content: Option<&[u8]>) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Content;

    fn document(text: &str) -> LayerContent {
        LayerContent::Document(text.as_bytes().into())
    }

    fn seen(text: &str) -> Observation {
        Observation::Value(Content {
            bytes: text.as_bytes().into(),
            revision: None,
        })
    }

    #[test]
    fn what_was_taken_back_is_known_until_it_is_removed() {
        let mut quarantine = Quarantine::default();
        quarantine.add(&document("a"), "bad");
        quarantine.add(&LayerContent::Silent(None), "gone");
        quarantine.add(
            &LayerContent::Given(std::sync::Arc::default()),
            "never counts",
        );
        assert_eq!(quarantine.why(&seen("a")), Some("bad"));
        assert_eq!(quarantine.why(&seen("b")), None);
        assert_eq!(quarantine.why(&Observation::Absent), Some("gone"));
        quarantine.add(&document("a"), "worse");
        assert_eq!(quarantine.why(&seen("a")), Some("worse"));
        quarantine.remove(&document("a"));
        assert_eq!(quarantine.why(&seen("a")), None);
    }

    #[test]
    fn what_a_process_died_of_is_known_until_it_is_forgotten() {
        let key = FingerprintKey(1, 2);
        let mut quarantine = Quarantine {
            key: Some(key),
            ..Quarantine::default()
        };
        let of = |content: Option<&str>| Fingerprint::of(key, content.map(str::as_bytes));
        quarantine.remember(of(Some("a")), "died".to_owned());
        quarantine.remember(of(None), "died without it".to_owned());
        assert_eq!(quarantine.why(&seen("a")), Some("died"));
        assert_eq!(quarantine.why(&seen("b")), None);
        assert_eq!(
            quarantine.why(&Observation::Absent),
            Some("died without it")
        );
        assert!(quarantine.forget(|one| one == of(Some("a"))));
        assert!(!quarantine.forget(|one| one == of(Some("a"))));
        assert_eq!(quarantine.why(&seen("a")), None);
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let mut quarantine = Quarantine::default();
        for number in 0..=MOST {
            quarantine.add(&document(&number.to_string()), "bad");
        }
        assert_eq!(quarantine.why(&seen("0")), None);
        assert_eq!(quarantine.why(&seen("1")), Some("bad"));
    }
}
