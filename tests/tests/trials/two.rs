//! Two processes with one file of the last known good configuration.

use crate::child::Program;
use std::{fs, time::Duration};

#[test]
fn a_record_of_a_process_that_lives_is_no_death_and_is_left_alone() {
    let mut one = Program::new("");
    one.is_good("n: 1", 1);
    one.start();
    one.shows("healthy Some(1)");
    one.write("n: 2");
    one.shows("healthy Some(2)");
    let record = one.records(|record| record["on_trial"]["changed"][0] == "n");
    let mut other = Program::new("n: 2");
    other.keep = Some(one.path("last.json"));
    for _ in 0..3 {
        other.start();
        other.shows("healthy Some(2)");
        other.kill();
    }
    let after = fs::read_to_string(one.path("last.json.trial")).unwrap();
    assert_eq!(record, after);
    assert!(
        record.contains(&format!("\"id\": {}", one.id())),
        "{record}"
    );
    one.kill();
    one.start();
    one.shows("healthy Some(2)");
}

#[test]
fn whichever_process_writes_last_the_file_is_whole() {
    let mut one = Program::new("");
    one.is_good("n: 1", 1);
    let mut other = Program::new("n: 1");
    other.keep = Some(one.path("last.json"));
    one.probation = Some(Duration::from_millis(20));
    other.probation = one.probation;
    let last = one.path("last.json");
    let mut programs = [one, other];
    for program in &mut programs {
        program.start();
        program.shows("healthy Some(1)");
    }
    for n in 2..12 {
        for program in &programs {
            program.write(&format!("n: {n}"));
        }
        for program in &mut programs {
            program.shows(&format!("healthy Some({n})"));
            let text = fs::read_to_string(&last).unwrap();
            assert!(text.starts_with('{') && text.ends_with('}'), "{text}");
        }
    }
    for program in &mut programs {
        program.stop();
    }
    let [mut one, _other] = programs;
    one.start();
    one.shows("healthy Some(11)");
}

#[test]
fn whenever_either_process_is_killed_the_file_is_whole_and_good_documents_are_served() {
    let mut one = Program::new("");
    one.is_good("n: 1", 1);
    let mut other = Program::new("n: 1");
    other.keep = Some(one.path("last.json"));
    one.probation = Some(Duration::from_millis(10));
    other.probation = one.probation;
    let last = one.path("last.json");
    let mut programs = [one, other];
    for program in &mut programs {
        program.start();
        program.shows("healthy Some(1)");
    }
    // Numbers from a fixed seed: which one dies, and how long after the change.
    let mut seed = 0x9e37_79b9_u32;
    let mut random = move |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) % below
    };
    for n in 2..42 {
        for program in &programs {
            program.write(&format!("n: {n}"));
        }
        std::thread::sleep(Duration::from_millis(random(60).into()));
        let dies = random(2) as usize;
        programs[dies].kill();
        let text = fs::read(&last).unwrap();
        let whole: Result<serde_json::Value, _> = serde_json::from_slice(&text);
        assert!(whole.is_ok(), "{}", String::from_utf8_lossy(&text));
        programs[dies].start();
        for program in &mut programs {
            program.shows(&format!("healthy Some({n})"));
        }
    }
}

#[test]
fn the_process_that_replaces_the_file_of_one_that_runs_shows_it_in_its_status() {
    let mut one = Program::new("");
    one.is_good("n: 1", 1);
    one.start();
    one.shows("healthy Some(1)");
    one.write("n: 2");
    one.shows("healthy Some(2)");
    let mut other = Program::new("n: 1");
    other.keep = Some(one.path("last.json"));
    one.probation = Some(Duration::from_millis(20));
    other.probation = one.probation;
    one.kill();
    one.start();
    one.shows("healthy Some(2)");
    one.write("n: 3");
    one.shows("healthy Some(3)");
    let id = format!("\"id\": {}", one.id());
    one.holds("last.json", |text| {
        text.is_some_and(|text| text.contains(&id))
    });
    other.start();
    other.shows("healthy Some(1)");
    let whose = format!("the process {}, which runs, keeps its last", one.id());
    other.write("n: 4");
    let seen = other.shows_text(&whose);
    assert!(
        seen.contains("give each process a file of its own"),
        "{seen}"
    );
}
