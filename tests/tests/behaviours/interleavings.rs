//! Random interleavings of what sources, callbacks, parties, people and time do.
//!
//! By hand against a small reference model that knows every answer; by itself, with time and two layers, against rules that must
//! hold at every moment and a state that must be reached once the trouble is over.

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

/// What became of a generation, in the model.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Applied,
    OnProbation,
    TakenBack,
}

#[derive(Debug, Clone)]
struct Kept {
    number: u64,
    n: u32,
    said: Document,
    fate: Fate,
}

/// The whole capacitor as a person would describe it.
#[derive(Debug, Clone)]
struct Model {
    probation: bool,
    yes: bool,
    /// What the source says, and whether that is taken up.
    newest: Option<Document>,
    news: bool,
    /// Why the newest is no candidate: it was in quarantine when it came, or was given up.
    given_up: bool,
    /// What the layer says for what readers see.
    accepted: Option<Document>,
    served: Option<(u64, u32)>,
    last: u64,
    ring: Vec<Kept>,
    state: State,
    pinned: bool,
    begun: bool,
    quarantine: BTreeSet<Document>,
    /// The newest content is wanted, and was refused.
    wanted: bool,
    back: Option<u64>,
    watched: bool,
    reports: Vec<u64>,
    asked: Vec<(&'static str, u32)>,
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
            reports: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// A stop and a start keep what readers see, and the count.
    fn restart(&mut self) {
        let fresh = Model::new(self.probation);
        let before = std::mem::replace(self, fresh);
        (self.yes, self.served, self.last) = (before.yes, before.served, before.last);
    }

    fn says(&mut self, document: Document) {
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
        self.asked.push(("asked", n));
        if self.yes {
            self.asked.extend([("accepted", n), ("committed", n)]);
        }
        self.yes
    }

    /// What was taken up and readers do not see.
    fn candidate(&self) -> bool {
        let newest = self.newest.as_ref();
        newest.is_some_and(Document::decodes) && !self.given_up && self.accepted.as_ref() != newest
    }

    fn good_before(&self, number: u64) -> Option<u64> {
        let good = |kept: &&Kept| kept.number < number && kept.fate == Fate::Applied;
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
        self.ring.push(Kept {
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

    /// What people and the program ordered.
    fn obey(&mut self) {
        for number in std::mem::take(&mut self.reports) {
            let served = self.served.map_or(0, |(number, _)| number);
            if served == number && std::mem::take(&mut self.watched) {
                let to = self.good_before(number).expect("something to go back to");
                self.go_back(to, false);
            }
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
        self.obey();
        news
    }

    fn rollback(&mut self, wanted: Option<u64>) -> Result<u64, ()> {
        self.obey();
        let now = self.served.map_or(0, |(number, _)| number);
        let to = wanted.or_else(|| self.good_before(now));
        let to = to.filter(|to| *to != now && self.ring.iter().any(|kept| kept.number == *to));
        let to = to.ok_or(())?;
        self.go_back(to, true).then_some(to).ok_or(())
    }
}

#[derive(Debug, Clone)]
enum Turn {
    Says(Document),
    Answers(bool),
    Process,
    Unhealthy,
    Rollback(Option<u64>),
    Pin(bool),
    Restart(Document),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        8 => documents().prop_map(Turn::Says),
        2 => any::<bool>().prop_map(Turn::Answers),
        8 => Just(Turn::Process),
        3 => Just(Turn::Unhealthy),
        2 => proptest::option::of(1..8_u64).prop_map(Turn::Rollback),
        1 => any::<bool>().prop_map(Turn::Pin),
        1 => documents().prop_map(Turn::Restart),
    ];
    proptest::collection::vec(turn, 1..48)
}

/// Compares everything that can be seen.
fn compare(capacitor: &Capacitor<App>, asked: &Asked, model: &mut Model) {
    let status = capacitor.status();
    assert_eq!(status.state, model.state);
    let served = capacitor
        .try_snapshot()
        .map(|app| (Snapshot::generation(&app), app.n));
    assert_eq!(served, model.served);
    assert_eq!(
        status.generation,
        model.served.map_or(0, |(number, _)| number)
    );
    assert_eq!(
        status.error.is_none(),
        matches!(status.state, State::Healthy | State::Loading)
    );
    assert_eq!(status.pinned, model.pinned);
    let on_probation =
        |kept: &Kept| kept.fate == Fate::OnProbation && kept.number == status.generation;
    assert_eq!(status.on_probation, model.ring.iter().any(on_probation));
    let fate = |outcome: &GenerationOutcome| match outcome {
        GenerationOutcome::Applied => Fate::Applied,
        GenerationOutcome::OnProbation => Fate::OnProbation,
        _ => Fate::TakenBack,
    };
    let ring: Vec<_> = (status.generations.iter())
        .map(|one| (one.number, fate(&one.outcome)))
        .collect();
    let expected: Vec<_> = model
        .ring
        .iter()
        .map(|kept| (kept.number, kept.fate))
        .collect();
    assert_eq!(ring, expected);
    assert_eq!(asked.log.take(), std::mem::take(&mut model.asked));
    asked.paired();
    check_history(&status);
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

async fn by_hand(probation: bool, turns: Vec<Turn>) {
    let asked = Asked::new();
    let party = asked.clone();
    let (capacitor, sender) = crate::by_hand::<App>(|builder| {
        let builder = builder.party(party).generations(RING - 1).history(8);
        match probation {
            true => builder.probation(Duration::from_secs(1_000_000)),
            false => builder,
        }
    });
    let mut model = Model::new(probation);
    let first = Document::Number(1, 0);
    first.send(&sender).await;
    capacitor.start().await.unwrap();
    model.says(first);
    model.take_up();
    compare(&capacitor, &asked, &mut model);
    for turn in turns {
        match turn {
            Turn::Says(document) => {
                document.send(&sender).await;
                // Not seen before it is processed; what comes and goes in between is never seen.
                assert_eq!(capacitor.process().await.unwrap(), {
                    model.says(document);
                    model.process()
                });
            }
            Turn::Answers(yes) => {
                asked.set(if yes { Answer::Yes } else { Answer::No });
                model.yes = yes;
            }
            Turn::Process => {
                assert_eq!(capacitor.process().await.unwrap(), model.process());
            }
            Turn::Unhealthy => {
                let number = model.served.map_or(0, |(number, _)| number);
                let kept = model.ring.iter().find(|kept| kept.number == number);
                let expected = kept.is_some_and(|kept| kept.fate == Fate::OnProbation);
                assert_eq!(capacitor.report_unhealthy("bad"), expected);
                if expected {
                    model.reports.push(number);
                }
            }
            Turn::Rollback(to) => {
                let answer = capacitor.rollback(to).await;
                assert!(matches!(
                    answer,
                    Ok(_) | Err(Error::NoSuchGeneration { .. } | Error::Refused(_))
                ));
                assert_eq!(answer.map_err(drop), model.rollback(to));
            }
            Turn::Pin(pinned) => {
                model.obey();
                let unpins = !pinned;
                model.pinned = pinned;
                match pinned {
                    true => capacitor.pin().await.unwrap(),
                    false => capacitor.unpin().await.unwrap(),
                }
                if unpins {
                    model.take_up();
                }
            }
            Turn::Restart(document) => {
                capacitor.stop().await;
                document.send(&sender).await;
                let outcome = capacitor.start().await;
                model.restart();
                model.says(document);
                model.take_up();
                assert_eq!(outcome.is_ok(), model.begun);
            }
        }
        compare(&capacitor, &asked, &mut model);
    }
    capacitor.stop().await;
    asked.paired();
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

#[test]
fn by_hand_every_interleaving_ends_where_a_small_model_says() {
    let config = ProptestConfig::with_cases(cases(512));
    proptest!(config, |(probation: bool, turns in turns())| {
        paused().block_on(by_hand(probation, turns));
    });
}

/// `FLUX_MODEL=20` asks for twenty times as many cases.
fn cases(normal: u32) -> u32 {
    let times = std::env::var("FLUX_MODEL").map_or(1, |times| times.parse().unwrap());
    normal * times
}

/// What happens while the capacitor runs by itself.
#[derive(Debug, Clone)]
enum Event {
    /// To the lower or to the upper layer; the upper one may say nothing.
    Says(bool, Document),
    /// The first or the second party.
    Answers(bool, Answer),
    Unhealthy,
    Rollback(Option<u64>),
    Pin(bool),
    Wait(u64),
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let answer = prop_oneof![
        3 => Just(Answer::Yes),
        2 => Just(Answer::No),
        1 => Just(Answer::Panic),
        2 => (1..3_000_u64).prop_map(Answer::Late),
    ];
    let event = prop_oneof![
        8 => (any::<bool>(), documents()).prop_map(|(upper, says)| Event::Says(upper, says)),
        4 => (any::<bool>(), answer).prop_map(|(second, says)| Event::Answers(second, says)),
        2 => Just(Event::Unhealthy),
        1 => proptest::option::of(1..8_u64).prop_map(Event::Rollback),
        1 => any::<bool>().prop_map(Event::Pin),
        8 => prop_oneof![0..50_u64, 0..5_000_u64].prop_map(Event::Wait),
        1 => Just(Event::Restart),
    ];
    proptest::collection::vec(event, 1..48)
}

/// How the capacitor is built.
#[derive(Debug, Clone, Copy)]
struct Kind {
    probation: bool,
    timeout: bool,
    retries: bool,
    breaker: bool,
    debounce: u64,
}

fn kinds() -> impl Strategy<Value = Kind> {
    (any::<[bool; 4]>(), 0..200_u64).prop_map(
        |([probation, timeout, retries, breaker], debounce)| Kind {
            probation,
            timeout,
            retries,
            breaker,
            debounce,
        },
    )
}

/// Follows what readers see, and compares it with what the parties were told.
struct Watch {
    log: Log<(&'static str, u32)>,
    /// Numbers that were given, the highest last, with their values.
    seen: Vec<(u64, u32)>,
    now: Option<(u64, u32)>,
}

impl Watch {
    fn look(&mut self, capacitor: &Capacitor<App>) {
        let now = capacitor
            .try_snapshot()
            .map(|app| (Snapshot::generation(&app), app.n));
        if now == self.now {
            return;
        }
        let (number, n) = now.expect("after the first success a read never fails");
        match self.seen.iter().find(|(known, _)| *known == number) {
            Some((_, known)) => assert_eq!(n, *known, "a generation is one value for ever"),
            None => {
                // One that was replaced between two looks may come back; it is known to the capacitor, in its order.
                let highest = self.seen.last().map_or(0, |(number, _)| *number);
                let status = capacitor.status();
                let kept = status.generations.iter().map(|kept| kept.number);
                let kept: Vec<u64> = kept.collect();
                assert!(kept.is_sorted() && kept.contains(&number), "{kept:?}");
                let newest = kept.last().copied().unwrap_or_default();
                assert!(
                    number > highest || newest >= highest,
                    "{number} after {highest}"
                );
                self.seen.push((number, n));
                self.seen.sort_unstable();
            }
        }
        self.now = now;
    }
}

async fn by_itself(kind: Kind, events: Vec<Event>) {
    let (ear, _listening) = Ear::listen();
    let (first, second) = (Asked::new(), Asked::new());
    let (builder, lower) = over_a_channel::<App>();
    let (upper, channel) = Channel::buffered("upper", 64);
    let source = flux::Source::watcher(channel)
        .format(flux::Format::Yaml)
        .optional();
    let mut builder = builder
        .override_with(source)
        .debounce(Duration::from_millis(kind.debounce))
        .history(8)
        .party(first.clone())
        .party(second.clone());
    if kind.timeout {
        builder = builder.timeout(Duration::from_secs(1));
    }
    if kind.retries {
        let pause = Duration::from_millis(100);
        builder = builder.retry(flux::pipeline::Retry::attempts(2).base(pause).max(pause));
    }
    if kind.breaker {
        builder = builder.circuit_breaker(
            flux::pipeline::CircuitBreaker::failures(2).recovery(Duration::from_secs(5)),
        );
    }
    if kind.probation {
        builder = builder.probation(Duration::from_secs(10));
    }
    let capacitor = builder.build().unwrap();
    Document::Number(1, 0).send(&lower).await;
    Document::Absent.send(&upper).await;
    capacitor.start().await.unwrap();
    let mut watch = Watch {
        log: first.log.clone(),
        seen: Vec::new(),
        now: None,
    };
    watch.look(&capacitor);
    for event in events {
        match event {
            Event::Says(false, document) => document.send(&lower).await,
            Event::Says(true, document) => document.send(&upper).await,
            Event::Answers(false, answer) => first.set(answer),
            Event::Answers(true, answer) => second.set(answer),
            Event::Unhealthy => drop(capacitor.report_unhealthy("bad")),
            Event::Rollback(to) => {
                // An answer may take as long as the update under way.
                let capacitor = capacitor.clone();
                tokio::spawn(async move { drop(capacitor.rollback(to).await) });
            }
            Event::Pin(pinned) => {
                let capacitor = capacitor.clone();
                tokio::spawn(async move {
                    // Stopped meanwhile is an answer too.
                    let _ = match pinned {
                        true => capacitor.pin().await,
                        false => capacitor.unpin().await,
                    };
                });
            }
            Event::Wait(millis) => {
                let until = tokio::time::Instant::now() + Duration::from_millis(millis);
                while tokio::time::Instant::now() < until {
                    pass(0.05).await;
                    watch.look(&capacitor);
                    check_history(&capacitor.status());
                }
            }
            Event::Restart => {
                capacitor.stop().await;
                watch.look(&capacitor);
                first.paired();
                second.paired();
                Document::Number(7, 0).send(&lower).await;
                Document::Number(8, 0).send(&upper).await;
                let starting = capacitor.clone();
                tokio::spawn(async move { drop(starting.start().await) });
                pass(0.01).await;
            }
        }
        watch.look(&capacitor);
    }
    // The trouble is over: what is newest now must be what readers see, and soon.
    first.set(Answer::Yes);
    second.set(Answer::Yes);
    pass(10.0).await;
    let _ = capacitor.unpin().await;
    write(&upper, "text: last").await;
    write(&lower, "n: 42").await;
    for _ in 0..4_000 {
        pass(0.05).await;
        watch.look(&capacitor);
    }
    let expected = App {
        text: "last".to_owned(),
        ..app(42)
    };
    assert_eq!(*capacitor.get(), expected);
    let status = capacitor.status();
    assert_eq!(status.state, State::Healthy);
    check_history(&status);
    capacitor.stop().await;
    first.paired();
    second.paired();
    check_parties(&watch.log.take(), &second.log.take());
    check_states(&ear.take());
}

/// Everything that is committed was accepted just before, by both, and by both in the same order.
fn check_parties(first: &[(&str, u32)], second: &[(&str, u32)]) {
    let committed = |log: &[(&str, u32)]| -> Vec<u32> {
        let each = log.iter().filter(|(what, _)| *what == "committed");
        each.map(|(_, n)| *n).collect()
    };
    assert_eq!(committed(first), committed(second));
    for log in [first, second] {
        let mut held = None;
        for (what, n) in log {
            match *what {
                "accepted" => assert_eq!(held.replace(*n), None, "one at a time"),
                "committed" | "rolled back" => assert_eq!(held.take(), Some(*n)),
                _ => {}
            }
        }
        assert_eq!(held, None);
    }
}

/// The state goes only where the table lets it go.
fn check_states(told: &[Told]) {
    let mut now = "loading".to_owned();
    for event in told {
        match &*event.message {
            "flux.capacitor.started" => now = "loading".to_owned(),
            "flux.capacitor.state.changed" => {
                let (old, new) = (&*event.fields["old_state"], &*event.fields["new_state"]);
                assert_eq!(old, now);
                let allowed = [
                    ("loading", "healthy"),
                    ("loading", "degraded"),
                    ("loading", "empty"),
                    ("empty", "healthy"),
                    ("empty", "degraded"),
                    ("healthy", "degraded"),
                    ("degraded", "healthy"),
                ];
                assert!(allowed.contains(&(old, new)), "{old} to {new}");
                now = new.to_owned();
            }
            _ => {}
        }
    }
}

#[test]
fn by_itself_no_interleaving_breaks_a_rule_and_all_reach_the_newest_content() {
    let config = ProptestConfig::with_cases(cases(128));
    proptest!(config, |(kind in kinds(), events in events())| {
        paused().block_on(by_itself(kind, events));
    });
}
