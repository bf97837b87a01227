//! Tests the engine by random schedules from seeds, with a clock that is moved by hand: what sources, callbacks, people and time
//! do.
//!
//! [`by_hand`] compares every step of one engine with a reference model that knows every answer. [`by_itself`] lets several
//! engines run with time, slow answers and a group, checks rules that hold at every moment, and a state that must be reached once the
//! trouble is over. [`deaths`] ends the process at any moment and starts it again from what is on disk; [`folder_deaths`] does so
//! with files that come, change, break and go, and with ways back.
//!
//! A failing schedule prints its seed. `FLUX_SEED=123 cargo test -p flux-config --lib simulation` runs that one alone;
//! `FLUX_SCHEDULES=100000 cargo test --release -p flux-config --lib simulation` runs so many of each kind, from seeds that no run had
//! before.

mod by_hand;
mod by_itself;
#[cfg(feature = "json")]
mod deaths;
#[cfg(feature = "json")]
mod folder_deaths;
mod model;
mod simulated;

use fastrand::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs `schedule` with one seed after the other.
fn each_seed(normal: u64, schedule: impl Fn(&mut Rng)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    if let Some(seed) = number("FLUX_SEED") {
        return schedule(&mut Rng::with_seed(seed));
    }
    let (first, count) = match number("FLUX_SCHEDULES") {
        Some(count) => (fastrand::u64(..), count),
        None => (0, normal),
    };
    for seed in (0..count).map(|more| first.wrapping_add(more)) {
        let run = || schedule(&mut Rng::with_seed(seed));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            eprintln!("the schedule of FLUX_SEED={seed} failed");
            resume_unwind(panic);
        }
    }
}

/// What a source may hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum SimulatedDocument {
    /// A number, and a comment that changes the bytes alone.
    Number(u32, u8),
    Rubbish,
    Absent,
}

impl SimulatedDocument {
    fn any(rng: &mut Rng) -> Self {
        match rng.u8(0..9) {
            0 => SimulatedDocument::Number(100, 0),
            1 => SimulatedDocument::Rubbish,
            2 => SimulatedDocument::Absent,
            _ => SimulatedDocument::Number(rng.u32(1..6), rng.u8(0..2)),
        }
    }
    fn keeps_the_rule(&self) -> Option<u32> {
        match self {
            SimulatedDocument::Number(n, _) if *n < 100 => Some(*n),
            _ => None,
        }
    }
    fn decodes(&self) -> bool {
        matches!(self, SimulatedDocument::Number(..))
    }
    fn observation(&self, key: &str) -> crate::source::Observation {
        match self {
            SimulatedDocument::Number(n, comment) => {
                super::small::document(&format!("{key}={n} # {comment}"))
            }
            SimulatedDocument::Rubbish => super::small::document(&format!("{key}=x")),
            SimulatedDocument::Absent => crate::source::Observation::Absent,
        }
    }
}

#[test]
fn by_hand_every_schedule_ends_where_a_small_model_says() {
    each_seed(3_000, by_hand::run);
}

#[test]
fn by_itself_no_schedule_breaks_a_rule_and_all_reach_the_newest_content() {
    each_seed(3_000, by_itself::run);
}

#[cfg(feature = "json")]
#[test]
fn deaths_of_one_content_are_few_and_the_newest_good_content_serves_in_the_end() {
    each_seed(3_000, deaths::run);
}

#[cfg(feature = "json")]
#[test]
fn deaths_of_what_files_of_a_folder_contain_or_lack_are_few_and_all_of_it_serves_in_the_end() {
    each_seed(3_000, folder_deaths::run);
}
