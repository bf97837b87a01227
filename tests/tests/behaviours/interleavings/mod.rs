//! Random interleavings of what sources, callbacks, parties, people and time do.
//!
//! By hand against a small reference model that knows every answer; by itself, with time and two layers, against rules that must
//! hold at every moment and a state that must be reached once the trouble is over.

mod by_hand;
mod by_itself;
mod model;

use crate::kit::{App, Count, Ear, Log, Told, app, over_a_channel, pass, write};
use flux::{
    Capacitor, Error, Snapshot, State,
    capacitor::GenerationOutcome,
    change::{Change, Party},
    pipeline::BoxError,
    source::{Channel, ChannelSender},
};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What a source may hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Document {
    /// A number, and a comment that changes the bytes alone.
    Number(u32, u8),
    Rubbish,
    Absent,
}

impl Document {
    fn keeps_the_rule(&self) -> Option<u32> {
        match self {
            Document::Number(n, _) if *n < 100 => Some(*n),
            _ => None,
        }
    }
    /// Whether both have the same values, however they are written.
    fn has_values_of(&self, other: &Document) -> bool {
        match (self, other) {
            (Document::Number(one, _), Document::Number(other, _)) => one == other,
            _ => self == other,
        }
    }
    fn decodes(&self) -> bool {
        matches!(self, Document::Number(..))
    }
    async fn send(&self, sender: &ChannelSender) {
        match self {
            Document::Number(n, comment) => write(sender, &format!("n: {n} # {comment}")).await,
            Document::Rubbish => write(sender, "n: x").await,
            Document::Absent => sender.absent().await.unwrap(),
        }
    }
}

fn documents() -> impl Strategy<Value = Document> {
    prop_oneof![
        6 => (1..6_u32, 0..2_u8).prop_map(|(n, comment)| Document::Number(n, comment)),
        1 => Just(Document::Number(100, 0)),
        1 => Just(Document::Rubbish),
        1 => Just(Document::Absent),
    ]
}

/// What a callback or a party answers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    Yes,
    No,
    Panic,
    /// Yes, after so many milliseconds.
    Late(u64),
}

/// Asked like a party; its answer is set from outside.
#[derive(Clone)]
struct Asked {
    answer: Arc<Mutex<Answer>>,
    /// `asked 2`, `accepted 2`, `committed 2`, `rolled back 2`.
    log: Log<(&'static str, u32)>,
    prepared: Count,
    ended: Count,
}

impl Asked {
    fn new() -> Self {
        Asked {
            answer: Arc::new(Mutex::new(Answer::Yes)),
            log: Log::default(),
            prepared: Count::default(),
            ended: Count::default(),
        }
    }
    fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }
    fn paired(&self) {
        assert_eq!(
            self.prepared.get(),
            self.ended.get(),
            "each is committed or rolled back"
        );
    }
}

impl Party<App> for Asked {
    type Prepared = u32;
    type Error = BoxError;
    async fn prepare(&self, change: &Change<App>) -> Result<u32, BoxError> {
        let n = change.current.n;
        self.log.push(("asked", n));
        let answer = *self.answer.lock().unwrap();
        match answer {
            Answer::Yes => {}
            Answer::No => return Err("no".into()),
            Answer::Panic => panic!("out of cheese"),
            Answer::Late(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        }
        self.prepared.add();
        self.log.push(("accepted", n));
        Ok(n)
    }
    fn commit(&self, n: u32) {
        self.ended.add();
        self.log.push(("committed", n));
    }
    fn rollback(&self, n: u32) {
        self.ended.add();
        self.log.push(("rolled back", n));
    }
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

/// `FLUX_MODEL=20` asks for twenty times as many cases.
fn cases(normal: u32) -> u32 {
    let times = std::env::var("FLUX_MODEL").map_or(1, |times| times.parse().unwrap());
    normal * times
}

/// Oldest first, at most as many as asked for; a success heals all before it.
fn check_history(status: &flux::Status) {
    let history = &status.history;
    assert!(history.len() <= 8);
    assert!(history.is_sorted_by_key(|refusal| refusal.at));
    let healed: Vec<bool> = history
        .iter()
        .map(|refusal| refusal.healed.is_some())
        .collect();
    assert!(healed.is_sorted_by(|a, b| a >= b), "{healed:?}");
    match status.state {
        State::Healthy => assert!(!healed.contains(&false), "{healed:?}"),
        State::Degraded | State::Empty => assert!(healed.last().is_some_and(|healed| !healed)),
        State::Loading => {}
    }
}
