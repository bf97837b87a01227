//! What schedules of faults have in common: the seed, the time, and the end.
//!
//! Each run takes `FLUX_FAULTS_SECONDS` for each store (20 by default; hours when asked), and prints the seed of each schedule and its
//! time. With both, a schedule that failed is replayed; two minutes where no time is given, as long as one lasts at most.

use crate::{oracle::Watch, watched::Watched};
use flux_tests::table::Case;
use std::time::{Duration, Instant};

/// One schedule is some minutes at most, so that a seed that failed is replayed soon.
const LONGEST: Duration = Duration::from_secs(120);

/// A small generator of its own, so that a seed and a time are the same schedule everywhere: which faults fit depends on the time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn part_of(&mut self, time: Duration) -> Duration {
        time * u32::try_from(self.below(1000)).unwrap_or(0) / 1000
    }

    pub(crate) fn millis(&mut self, end: u64) -> Duration {
        Duration::from_millis(self.below(end))
    }
}

/// Waits until what the store holds is applied.
pub(crate) async fn settles(watched: &Watched, watch: &Watch) {
    match watch.held() {
        Some(n) => watched.sees(n).await,
        None => {
            let absent = || watched.is_live() && !watched.capacitor.status().layers[0].present;
            watched.until("absent", absent).await;
        }
    }
    watch.was_no_lie();
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Schedules of one kind of server, by `schedule` from a seed and in a time, for as long as was asked for; nothing where the server is
/// missing.
pub(crate) async fn schedules<F: Future<Output = Option<()>>>(
    source: &'static str,
    fault: &'static str,
    schedule: impl Fn(u64, Duration) -> F,
) {
    let case = Case::begin(source, fault);
    let begin = Instant::now();
    let replayed = number("FLUX_FAULTS_SEED");
    let usual = match replayed {
        Some(_) => LONGEST,
        None => Duration::from_secs(20),
    };
    let time = number("FLUX_FAULTS_SECONDS").map_or(usual, Duration::from_secs);
    let mut seed = replayed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        u64::try_from(now.unwrap_or_default().as_micros() % u128::from(u64::MAX)).unwrap_or(0)
    });
    let mut done = 0;
    loop {
        let time_of_one = time.min(LONGEST);
        println!(
            "{source} {fault}: FLUX_FAULTS_SEED={seed} FLUX_FAULTS_SECONDS={}",
            time_of_one.as_secs()
        );
        if schedule(seed, time_of_one).await.is_none() {
            return case.skipped();
        }
        done += 1;
        if replayed.is_some() || begin.elapsed() >= time {
            break;
        }
        seed = seed.wrapping_add(1);
    }
    println!(
        "{source} {fault}: {done} schedules in {:?}",
        begin.elapsed()
    );
    case.passed();
}
