//! Kills at random moments, changes that kill, and changes that do not, in random order. `FLUX_TRIAL_SEED` repeats one of them.

use crate::child::Program;
use std::time::Duration;

/// A few numbers in a row that look random; the same for one seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

const WAYS: [&str; 6] = [
    "rule abort",
    "callback abort",
    "later abort",
    "later kill",
    "callback kill",
    "later exit",
];

/// What `app.yaml` contains, and how often a process died while it contained that.
struct Content {
    n: u32,
    kills: bool,
    deaths: u32,
    /// 1 where a process that dies of the content before may have read that one only.
    late: u32,
}

fn number(seen: &str) -> Option<u32> {
    let (_, rest) = seen.split_once("Some(")?;
    rest.split_once(')')?.0.parse().ok()
}

fn run(seed: u64) {
    let mut dice = Dice(seed | 1);
    let mut program = Program::new("");
    program.probation = Some(Duration::from_millis(1 + dice.below(150)));
    program.is_good("n: 1", 1);
    let mut held = Content {
        n: 1,
        kills: false,
        deaths: 0,
        late: 0,
    };
    // What can be the last known good configuration.
    let mut good = vec![1];
    program.start();
    for step in 0..14 {
        match dice.below(3) {
            // A change, which kills in one case of two.
            0 => {
                held = Content {
                    n: step + 2,
                    kills: dice.below(2) == 0,
                    deaths: 0,
                    late: u32::from(held.kills),
                };
                let way = WAYS[usize::try_from(dice.below(6)).unwrap()];
                let document = match held.kills {
                    true => format!("{{ n: {}, dies: {way} }}", held.n),
                    false => format!("n: {}", held.n),
                };
                good.extend((!held.kills).then_some(held.n));
                program.write(&document);
            }
            // A death that has nothing to do with the configuration, at any moment.
            1 => {
                std::thread::sleep(Duration::from_millis(dice.below(120)));
                match program.has_died_before(std::time::Instant::now()) {
                    true => held.deaths += u32::from(held.kills),
                    false => program.kill(),
                }
                program.start();
            }
            _ => std::thread::sleep(Duration::from_millis(dice.below(300))),
        }
        // A supervisor.
        while program.has_died_before(std::time::Instant::now() + Duration::from_millis(60)) {
            if held.kills {
                held.deaths += 1;
                assert!(
                    held.deaths <= 2 + held.late,
                    "seed {seed}: {} killed three",
                    held.n
                );
            }
            program.start();
        }
    }
    // Whatever has happened, it comes to rest: what is good is served at the latest after a person trusts it, and what kills is not.
    let healthy = format!("healthy Some({})", held.n);
    let rests: &[&str] = match held.kills {
        true => &["degraded"],
        false => &["degraded", &healthy],
    };
    let seen = loop {
        if let Some(seen) = program.shows_one_or_dies(rests) {
            break seen;
        }
        held.deaths += 1;
        assert!(
            held.deaths <= 2 + held.late,
            "seed {seed}: {} killed three",
            held.n
        );
        program.start();
    };
    match held.kills {
        true => {
            let served = number(&seen).unwrap();
            assert!(good.contains(&served), "seed {seed}: {seen}");
            // It may have shown what was refused before, and only now read what kills.
            program.write("n: 99");
            while program.shows_one_or_dies(&["healthy Some(99)"]).is_none() {
                held.deaths += 1;
                assert!(
                    held.deaths <= 2 + held.late,
                    "seed {seed}: {} killed three",
                    held.n
                );
                program.start();
            }
        }
        false => {
            if seen.starts_with("degraded") {
                program.trusts();
            }
            // Trusted may have been what was there before, which kills once more.
            if program.shows_one_or_dies(&[healthy.as_str()]).is_none() {
                program.start();
                program.shows(&healthy);
            }
        }
    }
}

#[test]
fn no_content_kills_more_than_two_processes_however_kills_and_changes_follow_one_another() {
    let given = std::env::var("FLUX_TRIAL_SEED").ok();
    let seeds: Vec<u64> = match given.and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (1..=12)
            .map(|seed: u64| seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .collect(),
    };
    for seed in seeds {
        run(seed);
    }
}
