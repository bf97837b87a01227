//! Which content is not tried again until it changes, because it was taken back: known by its bytes in this process, by its values
//! after the death of one. So a person can have it tried again by any edit, and a document that is written anew at every start is
//! recognised.

use super::fingerprint::Fingerprint;
use std::collections::VecDeque;

/// More than this is forgotten, the oldest first.
const MOST: usize = 64;

/// Content of one layer, by its fingerprint, and why it was taken back.
#[derive(Default)]
pub(super) struct Quarantine {
    /// Of this process, by the bytes.
    taken_back: VecDeque<(Fingerprint, String)>,
    /// Of the processes before, by the values.
    remembered: Vec<(Fingerprint, String)>,
}

impl Quarantine {
    pub(super) fn is_empty(&self) -> bool {
        self.taken_back.is_empty() && self.remembered.is_empty()
    }

    /// What of it this process took back, where there is anything.
    pub(super) fn into_taken_back(self) -> Option<Quarantine> {
        (!self.taken_back.is_empty()).then(|| Quarantine {
            taken_back: self.taken_back,
            remembered: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, content: Fingerprint, why: &str) {
        self.remove(content);
        self.taken_back.push_back((content, why.to_owned()));
        while self.taken_back.len() > MOST {
            self.taken_back.pop_front();
        }
    }

    pub(super) fn remove(&mut self, content: Fingerprint) {
        self.taken_back.retain(|(known, _)| *known != content);
    }

    /// The process died while this content was on trial.
    #[cfg_attr(
        not(feature = "json"),
        allow(dead_code, reason = "what outlives a process is kept as JSON")
    )]
    pub(super) fn remember(&mut self, content: Fingerprint, why: String) {
        self.remembered.push((content, why));
    }

    /// Ends the quarantine of content of the processes before; answers whether there was any.
    pub(super) fn forget(&mut self, of: impl Fn(Fingerprint) -> bool) -> bool {
        let before = self.remembered.len();
        self.remembered.retain(|(content, _)| !of(*content));
        self.remembered.len() < before
    }

    /// Why this is not tried, where a process before died with it.
    pub(super) fn remembered(&self, content: Fingerprint) -> Option<&str> {
        let mut all = self.remembered.iter();
        let found = all.find(|(known, _)| *known == content);
        found.map(|(_, why)| why.as_str())
    }

    /// Whether anything of the processes before is in quarantine.
    pub(super) fn remembers(&self) -> bool {
        !self.remembered.is_empty()
    }

    /// Why this is not tried again, if this process took it back.
    pub(super) fn taken_back(&self, content: Fingerprint) -> Option<&str> {
        let mut all = self.taken_back.iter();
        let found = all.find(|(known, _)| *known == content);
        found.map(|(_, why)| why.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_back_is_known_until_it_is_removed() {
        let mut quarantine = Quarantine::default();
        assert!(quarantine.is_empty());
        quarantine.add(Fingerprint(1), "bad");
        quarantine.add(Fingerprint(0), "gone");
        assert_eq!(quarantine.taken_back(Fingerprint(1)), Some("bad"));
        assert_eq!(quarantine.taken_back(Fingerprint(2)), None);
        assert_eq!(quarantine.taken_back(Fingerprint(0)), Some("gone"));
        quarantine.add(Fingerprint(1), "worse");
        assert_eq!(quarantine.taken_back(Fingerprint(1)), Some("worse"));
        quarantine.remove(Fingerprint(1));
        assert_eq!(quarantine.taken_back(Fingerprint(1)), None);
        assert!(!quarantine.is_empty());
    }

    #[test]
    fn what_a_process_died_of_is_known_until_it_is_forgotten() {
        let mut quarantine = Quarantine::default();
        quarantine.remember(Fingerprint(1), "died".to_owned());
        quarantine.remember(Fingerprint(0), "died without it".to_owned());
        assert_eq!(quarantine.remembered(Fingerprint(1)), Some("died"));
        assert_eq!(quarantine.remembered(Fingerprint(2)), None);
        assert_eq!(
            quarantine.remembered(Fingerprint(0)),
            Some("died without it")
        );
        assert!(quarantine.forget(|one| one == Fingerprint(1)));
        assert!(!quarantine.forget(|one| one == Fingerprint(1)));
        assert_eq!(quarantine.remembered(Fingerprint(1)), None);
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let mut quarantine = Quarantine::default();
        for number in 0..=MOST as u128 {
            quarantine.add(Fingerprint(number), "bad");
        }
        assert_eq!(quarantine.taken_back(Fingerprint(0)), None);
        assert_eq!(quarantine.taken_back(Fingerprint(1)), Some("bad"));
    }
}
