//! Content that was taken back and is not tried again until it changes.

use super::content::LayerContent;
use crate::source::Observation;
use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
};

/// More than this is forgotten, the oldest first.
const MOST: usize = 64;

/// Content of one layer, by its hash, and why it was taken back.
#[derive(Default)]
pub(super) struct Quarantine(VecDeque<(u64, String)>);

impl Quarantine {
    pub(super) fn add(&mut self, content: &LayerContent, why: &str) {
        if matches!(content, LayerContent::Given | LayerContent::Kept) {
            return;
        }
        self.remove(content);
        self.0
            .push_back((hash(content.bytes().as_deref()), why.to_owned()));
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    pub(super) fn remove(&mut self, content: &LayerContent) {
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
        quarantine.add(&LayerContent::Given, "never counts");
        assert_eq!(quarantine.why(&seen("a")), Some("bad"));
        assert_eq!(quarantine.why(&seen("b")), None);
        assert_eq!(quarantine.why(&Observation::Absent), Some("gone"));
        quarantine.add(&document("a"), "worse");
        assert_eq!(quarantine.why(&seen("a")), Some("worse"));
        quarantine.remove(&document("a"));
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
