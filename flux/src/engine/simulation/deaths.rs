//! Tests processes that die at any moment: each begins with what the one before brought to the disk.

use crate::engine::{
    agenda::Due,
    decide::{Engine, Past, Settings, TrialRules},
    fingerprint::FingerprintKey,
    layer_state::FillReason,
    proposal::{Action, Passed},
    small::{Clock, document, engine, kept, settings, small},
    state::State,
    trial_record::{Fingerprints, QuarantinedContent, TrialRecord},
};
use fastrand::Rng;
use std::time::Duration;

const TRIES: u32 = 2;
const LASTS: Duration = Duration::from_secs(60);

/// Kills the process when readers see it.
const DEADLY: u32 = 13;
/// Kills the process while it is read.
const UNREADABLE: u32 = 14;

/// What outlives a process.
struct OnDisk {
    record: TrialRecord,
    /// The process that wrote the record may have died.
    running: bool,
    /// The last known good configuration.
    good: Option<(u32, Fingerprints)>,
}

/// A process, and the world around it.
struct Life {
    disk: OnDisk,
    clock: Clock,
    settings: Settings,
    engine: Option<Engine>,
    /// What the source holds.
    holds: u32,
    /// What the last known good configuration was made of, by the engine's count.
    kept: u64,
    /// How often the process died with what the source holds, since that was written or was tried after a quarantine.
    deaths: u32,
}

/// The process is gone, and why.
#[derive(Clone, Copy, PartialEq)]
enum Died {
    OfContent,
    /// For a reason that has nothing to do with the configuration.
    ByFate,
}

impl Life {
    fn new() -> Self {
        Life {
            disk: OnDisk {
                record: TrialRecord::new(FingerprintKey(1, 2)),
                running: false,
                good: None,
            },
            clock: Clock::new(),
            settings: Settings {
                asks: false,
                ..settings()
            },
            engine: None,
            holds: 1,
            kept: 0,
            deaths: 0,
        }
    }

    fn start(&mut self, rng: &mut Rng) -> Result<(), Died> {
        let now = self.clock.now();
        let settings = Settings {
            asks: rng.bool(),
            probation: rng.bool().then_some(LASTS),
            fallback: Some(Duration::from_secs(5)),
            ..self.settings.clone()
        };
        let mut engine = engine(settings, 0, None, 0, now);
        let past = Past {
            record: self.disk.record.clone(),
            died: self.disk.running,
            trusted: self.disk.good.as_ref().map(|(_, trusted)| trusted.clone()),
            rules: TrialRules {
                tries: TRIES,
                lasts: LASTS,
                has_folders: false,
            },
        };
        let over = |content: &QuarantinedContent| content.until <= now.wall;
        if past.record.in_quarantine().any(over) {
            // It is tried again, and one more death is enough.
            self.deaths = self.deaths.min(TRIES - 1);
        }
        engine.remember(past, now);
        self.engine = Some(engine);
        self.kept = 0;
        self.sync(rng)?;
        self.observe();
        self.go_on(rng)
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("a process that lives")
    }

    fn observe(&mut self) {
        let (text, now) = (format!("n={}", self.holds), self.clock.now());
        self.engine().observe(0, document(&text), now);
    }

    /// The process dies for a reason of its own, now and then.
    fn fate(rng: &mut Rng) -> Result<(), Died> {
        match rng.u8(0..100) {
            0 => Err(Died::ByFate),
            _ => Ok(()),
        }
    }

    /// Brings to the disk what is to be there, in its order.
    fn sync(&mut self, rng: &mut Rng) -> Result<(), Died> {
        Self::fate(rng)?;
        let engine = self.engine.as_ref().expect("a process that lives");
        let from_sources = engine.layers.contents().is_some();
        if self.kept != engine.adoptions() && engine.is_trusted() && from_sources {
            self.kept = engine.adoptions();
            let n = engine.current().map(|current| small(current).n);
            let n = n.expect("what is trusted is served");
            assert!(
                n != DEADLY && n != UNREADABLE,
                "{n} became the last known good one"
            );
            self.disk.good = engine.fingerprints().map(|trusted| (n, trusted));
            Self::fate(rng)?;
        }
        let engine = self.engine.as_ref().expect("a process that lives");
        let (record, _) = engine.trials().expect("they are kept").record();
        (self.disk.record, self.disk.running) = (record.clone(), true);
        Self::fate(rng)
    }

    fn perform(&mut self, action: Action, rng: &mut Rng) -> Result<(), Died> {
        let now = self.clock.now();
        match action {
            Action::Nothing | Action::Denied(_) => Ok(()),
            Action::Settled => self.sync(rng),
            Action::Record => {
                self.sync(rng)?;
                let action = self.engine().recorded();
                self.perform(action, rng)
            }
            Action::Ask(question) => {
                Self::fate(rng)?;
                let passed = Passed {
                    snapshot: question.proposed,
                    checked: true,
                };
                let action = self.engine().answered(Ok(passed), now);
                self.perform(action, rng)
            }
            Action::Swap { snapshot, .. } => {
                if small(&snapshot).n == DEADLY {
                    return Err(Died::OfContent);
                }
                let action = self.engine().swapped(&snapshot, now);
                self.perform(action, rng)
            }
        }
    }

    fn update(&mut self, rng: &mut Rng) -> Result<(), Died> {
        let now = self.clock.now();
        while self.engine().record_reading(now) {
            self.sync(rng)?;
        }
        if self.holds == UNREADABLE && self.engine().layers.states[0].quarantine_reason().is_none()
        {
            return Err(Died::OfContent);
        }
        let action = self.engine().take_up(now);
        let refused = matches!(action, Action::Settled) && self.engine().generation() == 0;
        if refused && self.fall_back() {
            return self.update(rng);
        }
        self.perform(action, rng)
    }

    fn fall_back(&mut self) -> bool {
        let good = self.disk.good.as_ref().map(|(n, _)| *n);
        let wanted = self.engine().fallback_tried();
        let Some(n) = good.filter(|_| wanted) else {
            return false;
        };
        let reason = FillReason {
            why: None,
            kept: "kept.json".to_owned(),
        };
        self.engine().layers.states[0].fill(kept(n), reason, "kept.json");
        true
    }

    /// Does what is due, and lets time pass up to the next thing that is.
    fn go_on(&mut self, rng: &mut Rng) -> Result<(), Died> {
        for _ in 0..8 {
            let now = self.clock.now();
            if self.engine().has_trial() {
                self.engine().trial(now.instant);
                self.sync(rng)?;
            }
            match self.engine().due(now.instant, false) {
                Due::Newest => self.update(rng)?,
                Due::Lift => {
                    if self.engine().lift_quarantine(false, now) {
                        // One more death is enough.
                        self.deaths = self.deaths.min(TRIES - 1);
                        self.update(rng)?;
                    }
                }
                Due::Fallback => panic!("the source answers at once"),
                Due::Back(..) | Due::Nothing => match self.engine().deadline() {
                    Some(at) if at <= now.instant + Duration::from_secs(1) => {
                        self.clock.pass_to(at);
                    }
                    _ => break,
                },
            }
        }
        Ok(())
    }

    /// A person or a pipeline writes another document.
    fn write(&mut self, n: u32) {
        if self.holds != n {
            (self.holds, self.deaths) = (n, 0);
        }
    }

    /// Runs one step; a process that died is started again, as a supervisor does.
    fn step(&mut self, rng: &mut Rng, step: impl FnOnce(&mut Self, &mut Rng) -> Result<(), Died>) {
        let mut outcome = step(self, rng);
        while let Err(died) = outcome {
            self.engine = None;
            let deadly = self.holds == DEADLY || self.holds == UNREADABLE;
            if self.disk.good.is_some() && died == Died::OfContent {
                self.deaths += 1;
                assert!(
                    self.deaths <= TRIES,
                    "{} deaths of {}",
                    self.deaths,
                    self.holds
                );
            }
            // Without anything good to serve it dies for ever.
            if self.disk.good.is_none() && deadly {
                self.write(1);
            }
            outcome = self.start(rng);
        }
    }
}

pub(super) fn run(rng: &mut Rng) {
    let mut life = Life::new();
    life.step(rng, |life, rng| life.start(rng));
    for _ in 0..rng.usize(1..40) {
        let seconds = match rng.u8(0..10) {
            0 => 5_000,
            1..4 => 61,
            _ => rng.u64(0..30),
        };
        life.clock.pass(Duration::from_secs(seconds));
        match rng.u8(0..8) {
            0..4 => {
                let n = match rng.u8(0..4) {
                    0 => DEADLY,
                    1 => UNREADABLE,
                    _ => rng.u32(1..5),
                };
                life.write(n);
                life.step(rng, |life, rng| {
                    life.observe();
                    life.go_on(rng)
                });
            }
            4 => life.step(rng, |_, _| Err(Died::ByFate)),
            5 => life.step(rng, |life, rng| {
                // A stop in good order.
                life.engine().end_trial();
                life.sync(rng)?;
                life.start(rng)
            }),
            _ => life.step(rng, Life::go_on),
        }
        let status = life.engine().status(true);
        assert!(status.generation > 0, "something serves");
        assert_ne!(status.state, State::Empty);
    }
    // The trouble is over: good content serves, at the latest after its quarantine.
    life.write(7);
    let calm = &mut Rng::with_seed(0);
    for _ in 0..4 {
        life.engine = None;
        life.disk.running = false;
        while life.start(calm).is_err() {}
        for _ in 0..4 {
            life.clock.pass(Duration::from_secs(25 * 60 * 60));
            life.step(calm, Life::go_on);
        }
    }
    let status = life.engine().status(true);
    let served = life.engine().current().map(|current| small(current).n);
    assert_eq!(
        (status.state, served),
        (State::Healthy, Some(7)),
        "{status}"
    );
    assert_eq!(life.disk.good.as_ref().map(|(n, _)| *n), Some(7));
}
