//! Files of a folder that come, change and go, and kill the program by it.

use crate::child::Program;
use std::fs;

/// A program with a folder of drop-ins, which has these.
fn program(document: &str, files: &[(&str, &str)]) -> Program {
    let mut program = Program::new(document);
    program.has_drop_ins = true;
    fs::create_dir(program.path("conf.d")).unwrap();
    for (name, text) in files {
        put(&program, name, text);
    }
    program
}

fn put(program: &Program, name: &str, text: &str) {
    let aside = program.path("aside");
    fs::write(&aside, text).unwrap();
    fs::rename(aside, program.path("conf.d").join(name)).unwrap();
}

fn remove(program: &Program, name: &str) {
    fs::remove_file(program.path("conf.d").join(name)).unwrap();
}

const DIES: &str = "n: 1\ndies: later abort";

#[test]
fn the_removal_of_a_file_that_kills_is_held_back_and_everything_else_goes_on() {
    let mut program = program(DIES, &[("50-safe.yaml", "dies: ''"), ("60-n.yaml", "n: 2")]);
    program.is_good(DIES, 2);
    program.start();
    program.shows("healthy Some(2)");
    remove(&program, "50-safe.yaml");
    program.dies();
    program.start();
    program.dies();
    program.start();
    let seen = program.shows("degraded Some(2)");
    for part in [
        "the process died twice while the removal of this file was on trial",
        "50-safe.yaml",
        "in quarantine",
        "with changes of `dies`",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    // What is new in another file is applied beside what was kept of this one.
    put(&program, "60-n.yaml", "n: 3");
    program.shows("degraded Some(3)");
    program.stop();
    program.start();
    program.shows("degraded Some(3)");
    // With other content the file is what it is, and so it is once it is as it was.
    put(&program, "50-safe.yaml", "dies: ''\nn: 9");
    program.shows("healthy Some(3)");
    program.stop();
    program.start();
    program.shows("healthy Some(3)");
    remove(&program, "60-n.yaml");
    program.shows("healthy Some(9)");
}

#[test]
fn what_runs_is_known_whole_while_a_new_file_that_kills_is_held_back() {
    let mut program = program("n: 1", &[("50-safe.yaml", "n: 2")]);
    program.has_admin = true;
    program.is_good("n: 1", 2);
    program.start();
    program.shows("healthy Some(2)");
    put(&program, "65-new.yaml", "n: 3\ndies: later abort");
    program.dies();
    program.start();
    program.dies();
    program.start();
    let seen = program.shows("degraded Some(2)");
    assert!(seen.contains("65-new.yaml"), "{seen}");
    let (code, told, _) = program.command("explain n");
    assert_eq!(code, 0, "{told}");
    assert!(told.starts_with("n = 2\n"), "{told}");
    let (_, shown, _) = program.command("show --origins");
    assert!(shown.contains("50-safe.yaml:1:4"), "{shown}");
    for text in [told, shown] {
        assert!(!text.contains("not known"), "{text}");
    }
    program.stop();
}

#[test]
fn a_removal_that_was_survived_is_not_held_to_blame_for_a_later_death() {
    let mut program = program("n: 1", &[("10-a.yaml", "n: 2"), ("20-b.yaml", "dies: ''")]);
    program.is_good("n: 1", 2);
    program.start();
    program.shows("healthy Some(2)");
    remove(&program, "10-a.yaml");
    program.shows("healthy Some(1)");
    program.trusts();
    program.has_no_record();
    for _ in 0..3 {
        program.kill();
        program.start();
        program.shows("healthy Some(1)");
    }
    // The same name with other content that kills, and without it.
    put(&program, "10-a.yaml", "dies: later abort\nn: 4");
    program.shows("healthy Some(4)");
    remove(&program, "20-b.yaml");
    program.dies();
    program.start();
    program.dies();
    program.start();
    let seen = program.shows("degraded Some(1)");
    assert!(
        seen.contains("10-a.yaml") && seen.contains("20-b.yaml"),
        "{seen}"
    );
}

#[test]
fn more_files_than_have_room_in_a_report_are_all_held_back_also_by_later_starts() {
    let mut program = program("n: 1", &[("00.yaml", "n: 2")]);
    program.is_good("n: 1", 2);
    program.start();
    program.shows("healthy Some(2)");
    program.stop();
    for number in 1..150 {
        put(
            &program,
            &format!("{number:02}.yaml"),
            "n: 5\ndies: later abort",
        );
    }
    for _ in 0..2 {
        program.start();
        program.dies();
    }
    for _ in 0..3 {
        program.start();
        program.shows("degraded Some(2)");
        program.stop();
    }
}
