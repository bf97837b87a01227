//! Tests one engine with one layer against a reference model that knows every answer.

use super::{
    SimulatedDocument,
    model::{Fate, Model, RING},
};
use crate::engine::{
    agenda::Due,
    decide::{Engine, Settings},
    generations::GenerationOutcome,
    proposal::{Action, Denial, Passed},
    small::{Clock, engine, settings, small},
    state::State,
};
use fastrand::Rng;
use std::time::Duration;

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
        drop(self.engine.take_events());
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
