//! Processes that die of a file of a folder, or of its removal, at any moment, while files come, change, break rules and go.

use crate::engine::{
    agenda::Due,
    decide::{Engine, Past, Settings, TrialRules},
    fingerprint::FingerprintKey,
    layer_state::{FillReason, LayerState},
    proposal::{Action, Passed},
    small::{Clock, Small, document, engine_of_folder, folder, kept_of, settings, small},
    state::State,
    trial_record::{Fingerprints, QuarantinedContent, TrialRecord},
};
use fastrand::Rng;
use std::{collections::BTreeMap, time::Duration};

const TRIES: u32 = 2;
const LASTS: Duration = Duration::from_secs(60);

/// The name of the file without which `m` is 0, which kills the process as soon as readers see it.
const SAFE: &str = "z";

/// What a file sets, or what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FileKind {
    /// `n`, and `m` of the safe one.
    Good(u32),
    Rubbish,
    BreaksTheRule,
    /// Kills the process when readers see it; only in the highest file, since one that another file hides would kill without its own
    /// fault once that one is gone.
    Deadly,
    /// Kills the process while it is read.
    Unreadable,
}

impl FileKind {
    fn any(rng: &mut Rng, name: &str) -> Self {
        match rng.u8(0..10) {
            0 if name == "y" => FileKind::Deadly,
            1 => FileKind::Unreadable,
            2 => FileKind::Rubbish,
            3 if name != SAFE => FileKind::BreaksTheRule,
            _ => FileKind::Good(rng.u32(1..9)),
        }
    }

    fn text(self, name: &str) -> String {
        let key = if name == SAFE { "m" } else { "n" };
        match self {
            FileKind::Good(value) => format!("{key}={value}"),
            FileKind::Rubbish => format!("{key}=x"),
            FileKind::BreaksTheRule => "n=100".to_owned(),
            FileKind::Deadly => "n=13".to_owned(),
            FileKind::Unreadable => format!("{key}=14"),
        }
    }
}

/// What is on disk of one layer: `n` and `m`.
type KeptValues = (Option<u32>, Option<u32>);

struct FolderLife {
    record: TrialRecord,
    running: bool,
    good: Option<(BTreeMap<String, KeptValues>, Fingerprints)>,
    clock: Clock,
    engine: Option<Engine>,
    files: BTreeMap<String, FileKind>,
    /// What the last known good configuration was made of, by the engine's count.
    kept: u64,
    /// How often the process died since the folder changed, or something of it was tried after a quarantine.
    deaths: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum FolderDeath {
    OfContent,
    ByFate,
}

fn first_files() -> BTreeMap<String, FileKind> {
    let files = [("a", FileKind::Good(1)), (SAFE, FileKind::Good(1))];
    files
        .into_iter()
        .map(|(name, kind)| (name.to_owned(), kind))
        .collect()
}

impl FolderLife {
    fn new() -> Self {
        FolderLife {
            record: TrialRecord::new(FingerprintKey(1, 2)),
            running: false,
            good: None,
            clock: Clock::new(),
            engine: None,
            files: first_files(),
            kept: 0,
            deaths: 0,
        }
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("a process that lives")
    }

    fn start(&mut self, rng: &mut Rng) -> Result<(), FolderDeath> {
        let now = self.clock.now();
        let settings = Settings {
            asks: rng.bool(),
            fallback: Some(Duration::from_secs(5)),
            ..settings()
        };
        let mut engine = engine_of_folder(settings, now);
        let past = Past {
            record: self.record.clone(),
            died: self.running,
            trusted: self.good.as_ref().map(|(_, trusted)| trusted.clone()),
            rules: TrialRules {
                tries: TRIES,
                lasts: LASTS,
                has_folders: true,
            },
        };
        let over = |content: &QuarantinedContent| content.until <= now.wall;
        if past.record.in_quarantine().any(over) {
            self.deaths = self.deaths.min(TRIES - 1);
        }
        engine.remember(past, now);
        self.engine = Some(engine);
        self.kept = 0;
        self.sync(rng)?;
        self.engine().observe(0, document("n=1"), now);
        self.observe();
        self.go_on(rng)
    }

    fn observe(&mut self) {
        let now = self.clock.now();
        let texts: Vec<(String, String)> = (self.files.iter())
            .map(|(name, kind)| (name.clone(), kind.text(name)))
            .collect();
        let files = folder(texts.iter().map(|(name, text)| (&**name, &**text)));
        self.engine().observe(1, files, now);
    }

    fn fate(rng: &mut Rng) -> Result<(), FolderDeath> {
        match rng.u8(0..100) {
            0 => Err(FolderDeath::ByFate),
            _ => Ok(()),
        }
    }

    fn sync(&mut self, rng: &mut Rng) -> Result<(), FolderDeath> {
        Self::fate(rng)?;
        let engine = self.engine.as_ref().expect("a process that lives");
        let from_sources = engine.layers.contents().is_some();
        if self.kept != engine.adoptions() && engine.is_trusted() && from_sources {
            self.kept = engine.adoptions();
            let keys = engine.layers.keys();
            let values = engine.layers.states.iter().zip(keys);
            let values = values.filter_map(|(state, key)| {
                let bytes = state.content().bytes()?;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let value = |name| text.strip_prefix(name)?.parse().ok();
                Some((key, (value("n="), value("m="))))
            });
            self.good = engine
                .fingerprints()
                .map(|trusted| (values.collect(), trusted));
            Self::fate(rng)?;
        }
        let engine = self.engine.as_ref().expect("a process that lives");
        let (record, _) = engine.trials().expect("they are kept").record();
        (self.record, self.running) = (record.clone(), true);
        Self::fate(rng)
    }

    fn perform(&mut self, action: Action, rng: &mut Rng) -> Result<(), FolderDeath> {
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
                let Small { n, m } = small(&snapshot);
                if n == 13 || m == 0 {
                    return Err(FolderDeath::OfContent);
                }
                let action = self.engine().swapped(&snapshot, now);
                self.perform(action, rng)
            }
        }
    }

    fn update(&mut self, rng: &mut Rng) -> Result<(), FolderDeath> {
        let now = self.clock.now();
        while self.engine().record_reading(now) {
            self.sync(rng)?;
        }
        let mut states = self.engine().layers.states.iter();
        let kills = |state: &LayerState| {
            let incoming = state.incoming().flatten();
            incoming.is_some_and(|bytes| bytes.ends_with(b"=14"))
        };
        if states.any(kills) {
            return Err(FolderDeath::OfContent);
        }
        let action = self.engine().take_up(now);
        let refused = matches!(action, Action::Settled) && self.engine().generation() == 0;
        if refused && self.fall_back() {
            return self.update(rng);
        }
        self.perform(action, rng)
    }

    /// As a start from the last known good file does.
    fn fall_back(&mut self) -> bool {
        let wanted = self.engine().fallback_tried();
        let Some((good, _)) = self.good.clone().filter(|_| wanted) else {
            return false;
        };
        let now = self.clock.now();
        let known: Vec<&str> = good.keys().map(|key| &**key).collect();
        self.engine().expect_files(&known, now);
        let keys = self.engine().layers.keys();
        let states = self.engine().layers.states.iter().zip(&keys).enumerate();
        let serves = |state: &LayerState, key: &String| {
            state.is_accepted()
                || (state.is_usable() || state.has_newer()) && !good.contains_key(key)
        };
        let lacking: Vec<usize> = states
            .filter(|(_, (state, key))| !serves(state, key))
            .map(|(layer, _)| layer)
            .collect();
        for layer in lacking {
            let reason = FillReason {
                why: None,
                kept: "kept.json".to_owned(),
            };
            let content = kept_of(good.get(&keys[layer]).copied());
            self.engine().fill(layer, content, reason, "kept.json");
        }
        true
    }

    fn go_on(&mut self, rng: &mut Rng) -> Result<(), FolderDeath> {
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
                        self.deaths = self.deaths.min(TRIES - 1);
                        self.update(rng)?;
                    }
                }
                Due::Fallback => panic!("the sources answer at once"),
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

    fn change(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(1..3) {
            let name = ["a", "b", "c", "y", SAFE][rng.usize(0..5)];
            let before = self.files.clone();
            match rng.u8(0..4) {
                0 => drop(self.files.remove(name)),
                _ => drop(self.files.insert(name.to_owned(), FileKind::any(rng, name))),
            }
            if self.files != before {
                self.deaths = 0;
            }
        }
    }

    /// How many contents and removals kill the process, each by itself.
    fn causes(&self) -> u32 {
        let kills = |kind: &&FileKind| matches!(kind, FileKind::Deadly | FileKind::Unreadable);
        let files = self.files.values().filter(kills).count();
        let is_unsafe = u32::from(!self.files.contains_key(SAFE));
        u32::try_from(files).unwrap_or(u32::MAX) + is_unsafe
    }

    /// What readers see where everything that is there is applied.
    fn expected(&self) -> Option<Small> {
        let mut value = Small { n: 1, m: 0 };
        for (name, kind) in &self.files {
            match (kind, &**name) {
                (FileKind::Good(m), SAFE) => value.m = *m,
                (FileKind::Good(n), _) => value.n = *n,
                // One that a later file overrides kills nobody once it was read.
                (FileKind::Deadly, _) => value.n = 13,
                (FileKind::BreaksTheRule, _) => value.n = 100,
                (FileKind::Rubbish | FileKind::Unreadable, _) => return None,
            }
        }
        Some(value)
    }

    fn step(
        &mut self,
        rng: &mut Rng,
        step: impl FnOnce(&mut Self, &mut Rng) -> Result<(), FolderDeath>,
    ) {
        let mut outcome = step(self, rng);
        while let Err(died) = outcome {
            self.engine = None;
            if self.good.is_none() {
                self.files = first_files();
            } else if died == FolderDeath::OfContent {
                self.deaths += 1;
                let most = TRIES * self.causes();
                assert!(
                    self.deaths <= most,
                    "{} deaths of {:?}",
                    self.deaths,
                    self.files
                );
            }
            outcome = self.start(rng);
        }
        // Nothing is kept back silently.
        let expected = self.expected();
        let engine = self.engine();
        if engine.state() == State::Healthy && !engine.has_news() && !engine.wants_newest() {
            let served = engine.current().map(small);
            assert_eq!(served, expected, "{}", engine.status(true));
        }
    }
}

pub(super) fn run(rng: &mut Rng) {
    let mut life = FolderLife::new();
    life.step(rng, |life, rng| life.start(rng));
    for _ in 0..rng.usize(1..40) {
        let seconds = match rng.u8(0..10) {
            0 => 5_000,
            1..4 => 61,
            _ => rng.u64(0..30),
        };
        life.clock.pass(Duration::from_secs(seconds));
        match rng.u8(0..9) {
            0..4 => {
                life.change(rng);
                life.step(rng, |life, rng| {
                    life.observe();
                    life.go_on(rng)
                });
            }
            4 => life.step(rng, |_, _| Err(FolderDeath::ByFate)),
            5 => life.step(rng, |life, rng| {
                life.engine().end_trial();
                life.sync(rng)?;
                life.running = false;
                life.start(rng)
            }),
            6 => life.step(rng, |life, rng| {
                let now = life.clock.now();
                match life.engine().roll_back(None, now) {
                    Ok(action) => life.perform(action, rng),
                    Err(_) => Ok(()),
                }
            }),
            _ => life.step(rng, FolderLife::go_on),
        }
        let status = life.engine().status(true);
        assert!(status.generation > 0, "something serves: {status}");
    }
    // The trouble is over: what is there serves, at the latest after its quarantine.
    life.files = [("a", FileKind::Good(7)), (SAFE, FileKind::Good(2))]
        .into_iter()
        .map(|(name, kind)| (name.to_owned(), kind))
        .collect();
    let calm = &mut Rng::with_seed(0);
    for _ in 0..4 {
        life.engine = None;
        life.running = false;
        while life.start(calm).is_err() {}
        for _ in 0..8 {
            life.clock.pass(Duration::from_secs(25 * 60 * 60));
            life.step(calm, FolderLife::go_on);
        }
    }
    let status = life.engine().status(true);
    let served = life.engine().current().map(small);
    assert_eq!(
        (status.state, served),
        (State::Healthy, Some(Small { n: 7, m: 2 })),
        "{status}"
    );
    assert!(status.layers.len() < 8, "{status}");
}
