//! For the tests: one capacitor of a simulation, the engine with the little of the runtime that it needs.

use super::SimulatedDocument;
use crate::{
    change::{Group, GroupVerdict, Member},
    engine::{
        agenda::Due,
        decide::{Engine, Settings},
        event::EngineEvent,
        now::Now,
        probation::ProbationStep,
        proposal::{Action, Denial, Passed},
        small::{Small, engine, settings, small},
        state::State,
        value::AnySnapshot,
    },
    source::Health,
};
use fastrand::Rng;
use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// What the program's callback does with the next question.
#[derive(Debug, Clone, Copy)]
pub(super) enum CallbackAnswer {
    Yes,
    No,
    /// It makes a value that breaks a rule.
    Invalid,
    /// A timeout of the pipeline ends it after a second.
    Never,
}

pub(super) enum Run {
    Asked {
        snapshot: AnySnapshot,
        at: Instant,
        answer: CallbackAnswer,
    },
    /// The rest of the group is not ready.
    Ready(AnySnapshot),
}

/// One capacitor: the engine, and the little of the runtime that a simulation needs.
pub(super) struct Simulated {
    pub(super) engine: Engine,
    pub(super) settings: Settings,
    /// What readers see.
    pub(super) published: Arc<Mutex<Option<AnySnapshot>>>,
    pub(super) run: Option<Run>,
    member: Option<Member>,
    pub(super) answer: (CallbackAnswer, Duration),
    /// When the health check answers, and what.
    check: Option<(Instant, bool)>,
    pub(super) healthy: bool,
    /// Numbers that were given, with their values.
    seen: Vec<(u64, Small)>,
    state: State,
}

impl Simulated {
    pub(super) fn new(rng: &mut Rng, number: usize, group: Option<&Group>, now: Now) -> Self {
        let settings = Settings {
            name: format!("c{number}").into(),
            debounce: Duration::from_millis(rng.u64(0..200)),
            grouped: group.is_some(),
            asks: rng.u8(0..4) > 0,
            probation: rng.bool().then_some(Duration::from_secs(10)),
            checks: rng.bool(),
            ..settings()
        };
        Simulated {
            engine: engine(settings.clone(), 1, None, 0, now),
            published: Arc::default(),
            run: None,
            member: group.map(|group| group.join(&settings.name)),
            answer: (CallbackAnswer::Yes, Duration::ZERO),
            check: None,
            healthy: true,
            seen: Vec::new(),
            state: State::Loading,
            settings,
        }
    }

    pub(super) fn observe(&mut self, upper: bool, document: &SimulatedDocument, now: Now) {
        let key = if upper { "m" } else { "n" };
        let observation = document.observation(key);
        self.engine.health(usize::from(upper), Health::Live);
        if self.engine.observe(usize::from(upper), observation, now) {
            self.news(now);
        }
    }

    pub(super) fn news(&mut self, now: Now) {
        if !self.swapped_meanwhile(now) && matches!(self.run, Some(Run::Ready(_))) {
            self.run = None;
            self.engine.withdraw();
        }
        if let Some(member) = &self.member {
            member.busy();
        }
    }

    fn swapped_meanwhile(&mut self, now: Now) -> bool {
        let (Some(Run::Ready(_)), Some(member)) = (&self.run, &self.member) else {
            return false;
        };
        let swapped = member.busy() == Some(GroupVerdict::Swapped);
        if swapped && let Some(Run::Ready(snapshot)) = self.run.take() {
            let action = self.engine.swapped(&snapshot, now);
            self.perform(action, now);
        }
        swapped
    }

    pub(super) fn perform(&mut self, action: Action, now: Now) {
        match action {
            Action::Nothing | Action::Denied(_) => {}
            Action::Record => {
                let action = self.engine.recorded();
                self.perform(action, now);
            }
            Action::Ask(question) => {
                let (answer, after) = self.answer;
                let after = match answer {
                    CallbackAnswer::Never => Duration::from_secs(1),
                    _ => after,
                };
                self.run = Some(Run::Asked {
                    snapshot: question.proposed,
                    at: now.instant + after,
                    answer,
                });
            }
            Action::Swap { snapshot, alone } => match &self.member {
                Some(_) if !alone => {
                    self.run = Some(Run::Ready(snapshot));
                    self.offer();
                }
                _ => {
                    *self.published.lock().unwrap() = Some(snapshot.clone());
                    let action = self.engine.swapped(&snapshot, now);
                    self.perform(action, now);
                }
            },
            Action::Settled => {
                if let Some(member) = &self.member {
                    match (self.engine.has_news(), self.engine.error()) {
                        (true, _) => drop(member.busy()),
                        (false, None) => member.idle(),
                        (false, Some(_)) => member.refused(),
                    }
                }
            }
        }
    }

    fn offer(&self) {
        if let (Some(Run::Ready(snapshot)), Some(member)) = (&self.run, &self.member) {
            let (published, ready) = (Arc::clone(&self.published), snapshot.clone());
            member.ready(Box::new(move || published.lock().unwrap().replace(ready)));
        }
    }

    /// Does everything that can be done now; answers whether there was anything.
    pub(super) fn go_on(&mut self, now: Now) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let polled = self.member.as_ref().map(|member| member.poll(&mut cx));
        match (&self.run, polled) {
            (Some(Run::Ready(_)), Some(Poll::Ready(verdict))) => {
                let Some(Run::Ready(snapshot)) = self.run.take() else {
                    return false;
                };
                match verdict {
                    GroupVerdict::Swapped => {
                        let action = self.engine.swapped(&snapshot, now);
                        self.perform(action, now);
                    }
                    GroupVerdict::Vetoed(by) => self.engine.vetoed(&by, now),
                    GroupVerdict::Again => {
                        self.run = Some(Run::Ready(snapshot));
                        self.offer();
                    }
                }
                return true;
            }
            (None, Some(Poll::Ready(GroupVerdict::Again))) => {
                let action = self.engine.take_up(now);
                self.perform(action, now);
                return true;
            }
            (Some(Run::Asked { at, .. }), _) if *at <= now.instant => {
                self.answered(now);
                return true;
            }
            (Some(_), _) => return false,
            (None, _) => {}
        }
        if self.trial(now) {
            return true;
        }
        let action = match self.engine.due(now.instant, false) {
            Due::Nothing => return false,
            Due::Newest => self.engine.take_up(now),
            Due::Back(to, reason) => self.engine.go_back(to, &reason, false, now),
            Due::Fallback | Due::Lift => panic!("nothing is kept"),
        };
        self.perform(action, now);
        true
    }

    fn answered(&mut self, now: Now) {
        let Some(Run::Asked {
            snapshot, answer, ..
        }) = self.run.take()
        else {
            return;
        };
        let generation = snapshot.generation();
        let answer = match answer {
            CallbackAnswer::Yes => Ok(Passed {
                snapshot,
                checked: true,
            }),
            CallbackAnswer::No => Err(Denial::Failed("no".to_owned())),
            CallbackAnswer::Never => Err(Denial::Failed("no answer within 1s".to_owned())),
            CallbackAnswer::Invalid => {
                let bad = crate::Snapshot::new(Small { n: 100, m: 0 }, generation);
                Ok(Passed {
                    snapshot: AnySnapshot::new(Arc::new(bad)),
                    checked: false,
                })
            }
        };
        let action = self.engine.answered(answer, now);
        self.perform(action, now);
    }

    fn trial(&mut self, now: Now) -> bool {
        if !self.engine.has_trial() {
            self.check = None;
            return false;
        }
        let step = match self.check {
            Some((at, healthy)) if at <= now.instant => {
                self.check = None;
                let answer = if healthy {
                    Ok(())
                } else {
                    Err("bad".to_owned())
                };
                self.engine.health_checked(answer, now.instant)
            }
            _ => self.engine.trial(now.instant),
        };
        match step {
            ProbationStep::Wait => false,
            ProbationStep::Passed => true,
            ProbationStep::Check => {
                let at = now.instant + Duration::from_millis(20);
                self.check = Some((at, self.healthy));
                true
            }
            ProbationStep::Failed(reason) => {
                let action = self.engine.unhealthy(&reason, now);
                self.perform(action, now);
                true
            }
        }
    }

    /// When there is something to do next.
    pub(super) fn next(&self) -> Option<Instant> {
        let answer = match &self.run {
            Some(Run::Asked { at, .. }) => Some(*at),
            _ => None,
        };
        let check = self.check.map(|(at, _)| at).filter(|_| self.run.is_none());
        [self.engine.deadline(), answer, check]
            .into_iter()
            .flatten()
            .min()
    }

    /// A stop and a start: what readers see stays, and the count.
    pub(super) fn restart(&mut self, group: Option<&Group>, now: Now) {
        self.swapped_meanwhile(now);
        (self.run, self.check) = (None, None);
        self.member = None;
        self.look();
        let current = self.published.lock().unwrap().clone();
        let highest = self.engine.last_generation();
        self.engine = engine(self.settings.clone(), 1, current, highest, now);
        self.member = group.map(|group| group.join(&self.settings.name));
        self.state = State::Loading;
    }

    /// Checks what must hold at every moment.
    pub(super) fn look(&mut self) {
        for event in self.engine.take_events() {
            if let EngineEvent::StateChanged { from, to } = event {
                assert_eq!(from, self.state);
                assert_ne!((from, to), (State::Healthy, State::Empty));
                assert_ne!(to, State::Loading);
                self.state = to;
            }
        }
        let status = self.engine.status(true);
        assert_eq!(status.state, self.state);
        let good = matches!(status.state, State::Healthy | State::Loading);
        assert_eq!(status.error.is_none(), good);
        let healed = status
            .history
            .iter()
            .map(|refusal| refusal.healed.is_some());
        assert!(
            healed.is_sorted_by(|a, b| a >= b),
            "a success heals all before it"
        );
        let published = self.published.lock().unwrap().clone();
        let Some(published) = published else {
            assert!(
                self.seen.is_empty(),
                "after the first success a read never fails"
            );
            return;
        };
        let (number, value) = (published.generation(), small(&published));
        assert!(value.n < 100, "readers never see what breaks a rule");
        match self.seen.iter().find(|(known, _)| *known == number) {
            Some((_, known)) => assert_eq!(value, *known, "a generation is one value for ever"),
            None => {
                let highest = self.seen.last().map_or(0, |(number, _)| *number);
                assert!(number > highest, "{number} after {highest}");
                self.seen.push((number, value));
            }
        }
    }
}
