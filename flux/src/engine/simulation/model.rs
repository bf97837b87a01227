//! For the tests: a reference model of an engine with one layer, driven by hand, which knows every answer.

use super::SimulatedDocument;
use crate::engine::state::State;
use std::collections::BTreeSet;

/// What became of a generation, in the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fate {
    Applied,
    OnProbation,
    TakenBack,
}

#[derive(Debug, Clone)]
pub(super) struct ModelGeneration {
    pub(super) number: u64,
    n: u32,
    said: SimulatedDocument,
    pub(super) fate: Fate,
}

/// The whole capacitor as a person would describe it.
#[derive(Debug, Clone)]
pub(super) struct Model {
    probation: bool,
    pub(super) yes: bool,
    /// What the source holds, and whether that is taken up.
    newest: Option<SimulatedDocument>,
    news: bool,
    /// Why the newest is no candidate: it was in quarantine when it came, or was given up.
    given_up: bool,
    /// What the layer contains in what readers see.
    accepted: Option<SimulatedDocument>,
    pub(super) served: Option<(u64, u32)>,
    last: u64,
    pub(super) ring: Vec<ModelGeneration>,
    pub(super) state: State,
    pub(super) pinned: bool,
    begun: bool,
    quarantine: BTreeSet<SimulatedDocument>,
    /// The newest content is to be applied, and was refused.
    wanted: bool,
    back: Option<u64>,
    watched: bool,
    pub(super) asked: Vec<u32>,
}

pub(super) const RING: usize = 4;

impl Model {
    pub(super) fn new(probation: bool) -> Self {
        Model {
            probation,
            yes: true,
            newest: None,
            news: false,
            given_up: false,
            accepted: None,
            served: None,
            last: 0,
            ring: Vec::new(),
            state: State::Loading,
            pinned: false,
            begun: false,
            quarantine: BTreeSet::new(),
            wanted: false,
            back: None,
            watched: false,
            asked: Vec::new(),
        }
    }

    /// A stop and a start keep what readers see, and the count.
    pub(super) fn restart(&mut self) {
        let fresh = Model::new(self.probation);
        let before = std::mem::replace(self, fresh);
        (self.yes, self.served, self.last) = (before.yes, before.served, before.last);
    }

    pub(super) fn says(&mut self, document: SimulatedDocument) {
        if self.newest.as_ref() != Some(&document) {
            self.newest = Some(document);
            self.news = true;
        }
    }

    fn refused(&mut self) {
        self.state = match self.served {
            Some(_) => State::Degraded,
            None => State::Empty,
        };
    }

    fn ask(&mut self, n: u32) -> bool {
        self.asked.push(n);
        self.yes
    }

    /// What was taken up and readers do not see.
    fn candidate(&self) -> bool {
        let newest = self.newest.as_ref();
        newest.is_some_and(SimulatedDocument::decodes)
            && !self.given_up
            && self.accepted.as_ref() != newest
    }

    fn good_before(&self, number: u64) -> Option<u64> {
        let good = |kept: &&ModelGeneration| kept.number < number && kept.fate == Fate::Applied;
        self.ring.iter().rev().find(good).map(|kept| kept.number)
    }

    pub(super) fn take_up(&mut self) {
        let Some(newest) = self.newest.clone() else {
            return;
        };
        if std::mem::take(&mut self.news) {
            self.given_up = self.quarantine.contains(&newest);
        }
        self.wanted = false;
        let Some(n) = newest.keeps_the_rule().filter(|_| !self.given_up) else {
            return self.refused();
        };
        if self.begun && self.served.is_some_and(|(_, served)| served == n) {
            self.accepted = Some(newest.clone());
            self.state = State::Healthy;
            let number = self.served.unwrap().0;
            if let Some(kept) = self.ring.iter_mut().find(|kept| kept.number == number) {
                kept.said = newest;
            }
            return;
        }
        if self.pinned && self.served.is_some() {
            return self.refused();
        }
        if !self.ask(n) {
            self.wanted = true;
            return self.refused();
        }
        let before = self.served.map_or(0, |(number, _)| number);
        self.last += 1;
        self.served = Some((self.last, n));
        self.accepted = Some(newest.clone());
        let good = self.good_before(self.last);
        self.ring.push(ModelGeneration {
            number: self.last,
            n,
            said: newest.clone(),
            fate: Fate::Applied,
        });
        if self.ring.len() > RING {
            let spared = usize::from(Some(self.ring[0].number) == good);
            self.ring.remove(spared);
        }
        if self.back.take().is_some()
            && let Some(bad) = self.ring.iter_mut().find(|kept| kept.number == before)
        {
            bad.fate = Fate::TakenBack;
            if bad.said != newest {
                self.quarantine.insert(bad.said.clone());
            }
        }
        self.watched = self.probation && self.begun && self.good_before(self.last).is_some();
        if self.watched {
            self.ring.last_mut().unwrap().fate = Fate::OnProbation;
        }
        self.begun = true;
        self.state = State::Healthy;
    }

    /// Answers whether it went back.
    fn go_back(&mut self, to: u64, by_hand: bool) -> bool {
        let Some(target) = self.ring.iter().find(|kept| kept.number == to).cloned() else {
            self.back = None;
            return false;
        };
        if !self.ask(target.n) {
            if !by_hand {
                self.back = Some(to);
                self.refused();
            }
            return false;
        }
        let from = self.served.unwrap().0;
        if to < from {
            self.quarantine.extend(self.accepted.clone());
        }
        let candidate = self.candidate();
        for kept in &mut self.ring {
            if kept.number > to && kept.fate != Fate::TakenBack {
                if kept.fate == Fate::OnProbation {
                    self.quarantine.insert(kept.said.clone());
                }
                kept.fate = Fate::TakenBack;
            }
            if kept.number == to {
                kept.fate = Fate::Applied;
            }
        }
        if by_hand && candidate {
            self.quarantine.extend(self.newest.clone());
        }
        self.quarantine.remove(&target.said);
        self.served = Some((to, target.n));
        self.accepted = Some(target.said.clone());
        (self.wanted, self.back, self.watched) = (false, None, false);
        if self.newest.as_ref() == Some(&target.said) {
            self.given_up = false;
            self.state = State::Healthy;
        } else {
            self.given_up |= by_hand || !candidate;
            self.wanted = !self.given_up;
            self.state = State::Degraded;
        }
        true
    }

    pub(super) fn unhealthy(&mut self) {
        if std::mem::take(&mut self.watched) {
            let number = self.served.map_or(0, |(number, _)| number);
            let to = self.good_before(number).expect("something to go back to");
            self.go_back(to, false);
        }
    }

    pub(super) fn process(&mut self) -> bool {
        let news = self.news;
        if let Some(to) = self.back {
            self.go_back(to, false);
        }
        if news || self.wanted {
            self.take_up();
        }
        news
    }

    pub(super) fn rollback(&mut self, wanted: Option<u64>) -> Result<u64, ()> {
        let now = self.served.map_or(0, |(number, _)| number);
        let to = wanted.or_else(|| self.good_before(now));
        let to = to.filter(|to| *to != now && self.ring.iter().any(|kept| kept.number == *to));
        let to = to.ok_or(())?;
        self.go_back(to, true).then_some(to).ok_or(())
    }
}
