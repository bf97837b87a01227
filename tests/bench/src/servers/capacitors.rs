//! Many capacitors in a process of their own, which tells on a line what it is asked on a line:
//! `seen N` when each of them saw the document N, `lost` that they have lost the server and when each of them was back.

use super::{BOUND, now};
use flux::{Capacitor, Flux, Source, source::Health};
use flux_tests::process::resident;
use std::{
    io::{BufRead, Write},
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, task::JoinSet};

#[derive(Flux)]
struct Live {
    n: u64,
    at: u64,
}

type Capacitors = [Capacitor<Live>];

/// Starts so many on one document, and obeys until its input ends.
pub(crate) fn run(uri: &str, count: usize) {
    let runtime = Runtime::new().expect("a runtime");
    // The workers are started by now, and asleep.
    thread::sleep(Duration::from_millis(100));
    let before = resident("self");
    let begin = Instant::now();
    let all = runtime.block_on(start(uri, count));
    let took = begin.elapsed();
    thread::sleep(Duration::from_secs(1));
    let memory = resident("self") - before;
    say(&[
        memory,
        took.as_micros().try_into().expect("minutes at most"),
    ]);
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("text");
        match line.split_once(' ') {
            Some(("seen", n)) => seen(&all, n.parse().expect("a number")),
            None if line == "lost" => lost(&all),
            _ => panic!("what is `{line}`?"),
        }
    }
}

async fn start(uri: &str, count: usize) -> Vec<Capacitor<Live>> {
    let mut starting = JoinSet::new();
    for _ in 0..count {
        let capacitor = Capacitor::<Live>::builder()
            .source(Source::uri(uri))
            .debounce(Duration::ZERO)
            .build()
            .expect("a layer");
        starting.spawn(async move {
            capacitor.start().await.expect("a start");
            capacitor
        });
    }
    starting.join_all().await
}

/// Tells how many microseconds after it was written each saw the document `n`.
fn seen(all: &Capacitors, n: u64) {
    // That it is looked for now.
    say(&[]);
    let took = each(all, Duration::from_micros(200), |capacitor| {
        let live = capacitor.get();
        (live.n == n).then(|| now().saturating_sub(live.at))
    });
    say(&took);
}

/// Tells that all are stale, and then when each was live again, in microseconds since 1970.
fn lost(all: &Capacitors) {
    say(&[]);
    // A fleet of such processes must not be busy with looking.
    let every = Duration::from_millis(if all.len() > 1 { 1 } else { 10 });
    let is_live =
        |capacitor: &Capacitor<Live>| matches!(capacitor.status().layers[0].health, Health::Live);
    each(all, every, |capacitor| (!is_live(capacitor)).then_some(()));
    say(&[]);
    let back = each(all, every, |capacitor| is_live(capacitor).then(now));
    say(&back);
}

/// What `tell` says of each as soon as it says something, looked at again and again.
fn each<T: Clone + PartialEq>(
    all: &Capacitors,
    every: Duration,
    tell: impl Fn(&Capacitor<Live>) -> Option<T>,
) -> Vec<T> {
    let begin = Instant::now();
    let mut told = vec![None; all.len()];
    while told.contains(&None) {
        for (at, capacitor) in all.iter().enumerate() {
            if told[at].is_none() {
                told[at] = tell(capacitor);
            }
        }
        let missing = told.iter().filter(|told| told.is_none()).count();
        let first = told.iter().position(Option::is_none);
        assert!(
            begin.elapsed() < BOUND,
            "{missing} never came, such as {:?}",
            first.map(|at| all[at].status())
        );
        thread::sleep(every);
    }
    told.into_iter().flatten().collect()
}

fn say(numbers: &[u64]) {
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    println!("{}", words.join(" "));
    std::io::stdout().flush().expect("somebody listens");
}
