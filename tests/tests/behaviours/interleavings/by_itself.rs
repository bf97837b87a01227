//! By itself, with time, two layers and parties, no rule is broken at any moment.

use super::*;

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
