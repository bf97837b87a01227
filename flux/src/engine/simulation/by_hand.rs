//! One engine with one layer, against a reference model that knows every answer.

use super::SimulatedDocument;
use crate::engine::{
    agenda::Due,
    decide::{Engine, Settings},
    generations::GenerationOutcome,
    proposal::{Action, Denial, Passed},
    small::{Clock, engine, settings, small},
    state::State,
};
use fastrand::Rng;
use std::{collections::BTreeSet, time::Duration};

/// What became of a generation, in the model.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Applied,
    OnProbation,
    TakenBack,
}

#[derive(Debug, Clone)]
struct ModelGeneration {
    number: u64,
    n: u32,
    said: SimulatedDocument,
    fate: Fate,
}

/// The whole capacitor as a person would describe it.
#[derive(Debug, Clone)]
struct Model {
    probation: bool,
    yes: bool,
    /// What the source says, and whether that is taken up.
    newest: Option<SimulatedDocument>,
    news: bool,
    /// Why the newest is no candidate: it was in quarantine when it came, or was given up.
    given_up: bool,
    /// What the layer says for what readers see.
    accepted: Option<SimulatedDocument>,
    served: Option<(u64, u32)>,
    last: u64,
    ring: Vec<ModelGeneration>,
    state: State,
    pinned: bool,
    begun: bool,
    quarantine: BTreeSet<SimulatedDocument>,
    /// The newest content is wanted, and was refused.
    wanted: bool,
    back: Option<u64>,
    watched: bool,
    asked: Vec<u32>,
}

const RING: usize = 4;

impl Model {
    fn new(probation: bool) -> Self {
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
    fn restart(&mut self) {
        let fresh = Model::new(self.probation);
        let before = std::mem::replace(self, fresh);
        (self.yes, self.served, self.last) = (before.yes, before.served, before.last);
    }

    fn says(&mut self, document: SimulatedDocument) {
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

    fn take_up(&mut self) {
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

    fn unhealthy(&mut self) {
        if std::mem::take(&mut self.watched) {
            let number = self.served.map_or(0, |(number, _)| number);
            let to = self.good_before(number).expect("something to go back to");
            self.go_back(to, false);
        }
    }

    fn process(&mut self) -> bool {
        let news = self.news;
        if let Some(to) = self.back {
            self.go_back(to, false);
        }
        if news || self.wanted {
            self.take_up();
        }
        news
    }

    fn rollback(&mut self, wanted: Option<u64>) -> Result<u64, ()> {
        let now = self.served.map_or(0, |(number, _)| number);
        let to = wanted.or_else(|| self.good_before(now));
        let to = to.filter(|to| *to != now && self.ring.iter().any(|kept| kept.number == *to));
        let to = to.ok_or(())?;
        self.go_back(to, true).then_some(to).ok_or(())
    }
}

struct EngineUnderTest {
    engine: Engine,
    settings: Settings,
    clock: Clock,
    yes: bool,
    /// The numbers that the pipeline was asked about.
    asked: Vec<u32>,
}

impl EngineUnderTest {
    fn new(probation: bool) -> Self {
        let settings = Settings {
            probation: probation.then_some(Duration::from_secs(1_000_000)),
            generations: RING - 1,
            ..settings()
        };
        let clock = Clock::new();
        EngineUnderTest {
            engine: engine(settings.clone(), 0, None, 0, clock.now()),
            settings,
            clock,
            yes: true,
            asked: Vec::new(),
        }
    }

    /// A stop and a start keep what readers see, and the count.
    fn restart(&mut self) {
        let (current, highest) = (
            self.engine.current().cloned(),
            self.engine.last_generation(),
        );
        let now = self.clock.now();
        self.engine = engine(self.settings.clone(), 0, current, highest, now);
    }

    fn observe(&mut self, document: &SimulatedDocument) {
        let now = self.clock.now();
        self.engine.observe(0, document.observation("n"), now);
    }

    /// Answers whether an order by hand was carried out.
    fn perform(&mut self, action: Action) -> bool {
        let now = self.clock.now();
        match action {
            Action::Ask(question) => {
                self.asked.push(small(&question.proposed).n);
                let passed = Passed {
                    snapshot: question.proposed,
                    checked: true,
                };
                let answer = match self.yes {
                    true => Ok(passed),
                    false => Err(Denial::Failed("no".to_owned())),
                };
                let action = self.engine.answered(answer, now);
                self.perform(action)
            }
            Action::Swap { snapshot, .. } => {
                let action = self.engine.swapped(&snapshot, now);
                assert!(matches!(action, Action::Settled));
                true
            }
            Action::Record => {
                let action = self.engine.recorded();
                self.perform(action)
            }
            Action::Nothing | Action::Settled | Action::Denied(_) => false,
        }
    }

    fn take_up(&mut self) {
        let action = self.engine.take_up(self.clock.now());
        self.perform(action);
    }

    fn process(&mut self) -> bool {
        let news = self.engine.has_news();
        if let Due::Back(to, reason) = self.engine.wanted_back() {
            let action = self.engine.go_back(to, &reason, false, self.clock.now());
            self.perform(action);
        }
        if news || self.engine.wants_newest() {
            self.take_up();
        }
        news
    }

    fn compare(&mut self, model: &mut Model) {
        let status = self.engine.status(true);
        assert_eq!(status.state, model.state);
        let current = self.engine.current();
        let served = current.map(|snapshot| (snapshot.generation(), small(snapshot).n));
        assert_eq!(served, model.served);
        assert_eq!(
            status.error.is_none(),
            matches!(status.state, State::Healthy | State::Loading)
        );
        assert_eq!(status.pinned, model.pinned);
        let fate = |outcome: &GenerationOutcome| match outcome {
            GenerationOutcome::Applied => Fate::Applied,
            GenerationOutcome::OnProbation => Fate::OnProbation,
            GenerationOutcome::TakenBack(_) => Fate::TakenBack,
        };
        let ring = status.generations.iter();
        let ring: Vec<_> = ring.map(|one| (one.number, fate(&one.outcome))).collect();
        let kept = model.ring.iter();
        let kept: Vec<_> = kept.map(|kept| (kept.number, kept.fate)).collect();
        assert_eq!(ring, kept);
        assert_eq!(self.asked, std::mem::take(&mut model.asked));
        self.asked.clear();
        let mut events = Vec::new();
        self.engine.take_events(&mut events);
        assert!(!self.engine.busy());
    }
}

pub(super) fn run(rng: &mut Rng) {
    let probation = rng.bool();
    let (mut subject, mut model) = (EngineUnderTest::new(probation), Model::new(probation));
    let first = SimulatedDocument::Number(1, 0);
    subject.observe(&first);
    subject.take_up();
    model.says(first);
    model.take_up();
    subject.compare(&mut model);
    for _ in 0..rng.usize(1..48) {
        subject.clock.pass(Duration::from_millis(rng.u64(0..50)));
        match rng.u8(0..25) {
            0..8 => {
                let document = SimulatedDocument::any(rng);
                subject.observe(&document);
                model.says(document);
                assert_eq!(subject.process(), model.process());
            }
            8..10 => {
                subject.yes = rng.bool();
                model.yes = subject.yes;
            }
            10..18 => assert_eq!(subject.process(), model.process()),
            18..21 => {
                let action = subject.engine.unhealthy("bad", subject.clock.now());
                subject.perform(action);
                model.unhealthy();
            }
            21..23 => {
                let to = rng.bool().then(|| rng.u64(1..8));
                let answer = subject.engine.roll_back(to, subject.clock.now());
                let served = match answer {
                    Ok(action) => subject.perform(action),
                    Err(_) => false,
                };
                assert_eq!(served, model.rollback(to).is_ok());
            }
            23 => {
                model.pinned = rng.bool();
                let unpinned = subject.engine.pin(model.pinned);
                assert_eq!(unpinned, !model.pinned);
                if unpinned {
                    subject.take_up();
                    model.take_up();
                }
            }
            _ => {
                let document = SimulatedDocument::any(rng);
                subject.restart();
                subject.observe(&document);
                subject.take_up();
                model.restart();
                model.says(document);
                model.take_up();
            }
        }
        subject.compare(&mut model);
    }
}
