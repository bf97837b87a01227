//! However a change kills the program: at most two starts die, the third serves the last known good, and the next good document
//! heals it.

use crate::child::Program;
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

/// The change comes while the program runs.
fn kills_at_most_two_starts(dies: &str) {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    program.start();
    program.shows("healthy Some(1)");
    program.write(&format!("n: 2\ndies: {dies}\npin: 'sesame4711'"));
    program.dies();
    program.start();
    program.dies();
    program.start();
    let seen = program.shows("degraded Some(1)");
    let paths = ["with changes of `n`, `dies`", "with changes of `dies`, `n`"];
    let listed = paths.iter().any(|paths| seen.contains(paths));
    assert!(listed, "{seen}");
    for part in ["the process died twice", "app.yaml", "in quarantine"] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    let record = program.records(|record| record["quarantined"][0]["lifted"] == false);
    for secret in ["sesame", "abort", "kill"] {
        assert!(!record.contains(secret), "{record}");
    }
    let mode = fs::metadata(program.path("last.json.trial")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    program.write("n: 3");
    program.shows("healthy Some(3)");
    program.stop();
    program.start();
    program.shows("healthy Some(3)");
}

macro_rules! ways_to_die {
    ($($name:ident: $dies:literal;)*) => {$(
        #[test]
        fn $name() {
            kills_at_most_two_starts($dies);
        }
    )*};
}

ways_to_die! {
    an_abort_after_the_change: "later abort";
    an_abort_in_a_callback: "callback abort";
    an_abort_in_a_rule: "rule abort";
    a_kill_9_after_the_change: "later kill";
    a_kill_9_in_a_callback: "callback kill";
    out_of_memory_after_the_change: "later memory";
    out_of_memory_in_a_rule: "rule memory";
    a_stack_overflow_after_the_change: "later stack";
    a_stack_overflow_in_a_rule: "rule stack";
    a_panic_that_aborts_in_a_callback: "callback panic";
    an_exit_with_an_error: "later exit";
}

#[test]
fn a_first_value_that_differs_from_the_last_known_good_is_on_trial_too() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    program.write("n: 1\ndies: later abort");
    for _ in 0..2 {
        program.start();
        program.dies();
    }
    program.start();
    let seen = program.shows("degraded Some(1)");
    assert!(seen.contains("with changes of `dies`"), "{seen}");
}

#[test]
fn a_document_with_keys_of_mebibytes_is_in_quarantine_after_two_deaths_as_any_other() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    let key = "k".repeat(5 << 20);
    program.write(&format!("dies: rule abort\n? {key}\n: 1\n"));
    for _ in 0..2 {
        program.start();
        program.dies();
    }
    program.start();
    let seen = program.shows("degraded Some(1)");
    assert!(seen.contains("the process died twice"), "{seen:.2000}");
}

#[test]
fn a_probation_is_a_trial_that_outlives_the_process() {
    let mut program = Program::new("");
    program.probation = Some(Duration::from_secs(60));
    program.is_good("n: 1", 1);
    program.start();
    program.shows("healthy Some(1)");
    program.write("dies: later abort");
    program.dies();
    program.start();
    program.dies();
    program.start();
    program.shows("degraded Some(1)");
}

#[test]
fn a_change_that_was_confirmed_is_not_held_to_blame_for_a_later_death() {
    let mut program = Program::new("");
    program.probation = Some(Duration::from_millis(200));
    program.is_good("n: 1", 1);
    for _ in 0..3 {
        program.start();
        program.shows("healthy Some(1)");
        program.write("n: 2");
        program.shows("healthy Some(2)");
        program.has_no_record();
        program.kill();
        program.start();
        program.shows("healthy Some(2)");
        program.write("n: 1");
        program.shows("healthy Some(1)");
        program.has_no_record();
        program.kill();
    }
}

#[test]
fn a_death_with_nothing_on_trial_counts_for_nothing() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    for _ in 0..4 {
        program.start();
        program.shows("healthy Some(1)");
        program.kill();
    }
}

#[test]
fn a_layer_that_is_not_declared_any_more_is_no_change_on_trial() {
    let mut program = Program::new("");
    program.write_to("other.yaml", "n: 2");
    program.is_good("n: 1", 2);
    program.has_one_layer = true;
    for _ in 0..3 {
        program.start();
        program.shows("healthy Some(1)");
        program.kill();
    }
    program.has_one_layer = false;
    program.start();
    program.shows("healthy Some(2)");
}

#[test]
fn a_stop_in_good_order_is_no_death_however_often() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    for _ in 0..4 {
        program.is_good("n: 2", 2);
    }
}

#[test]
fn a_person_ends_the_quarantine_by_removing_the_record_or_by_trust() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    program.write("n: 2");
    // Deaths that have nothing to do with the configuration.
    let unlucky = |program: &mut Program| {
        for _ in 0..2 {
            program.start();
            program.shows("healthy Some(2)");
            program.kill();
        }
        program.start();
        program.shows("degraded Some(1)");
    };
    unlucky(&mut program);
    program.trusts();
    program.shows("healthy Some(2)");
    program.stop();
    fs::remove_file(program.path("last.json.trial")).unwrap();
    unlucky(&mut program);
    program.stop();
    fs::remove_file(program.path("last.json.trial")).unwrap();
    program.start();
    program.shows("healthy Some(2)");
}

#[test]
fn a_record_that_is_no_record_does_not_stop_a_start() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    for content in ["", "{", "null", "{\"version\": 1}", "[]"] {
        fs::write(program.path("last.json.trial"), content).unwrap();
        program.start();
        program.shows("healthy Some(1)");
        program.stop();
    }
    fs::remove_file(program.path("last.json.trial")).ok();
    fs::create_dir(program.path("last.json.trial")).unwrap();
    program.start();
    program.shows("healthy Some(1)");
    program.write("n: 2");
    program.shows("healthy Some(2)");
}

#[test]
fn the_report_lists_what_a_document_that_appeared_or_vanished_changes() {
    for (before, after, changed) in [("", "dies: never", "`dies`"), ("n: 2", "", "`n`")] {
        let mut program = Program::new("");
        program.write_to("other.yaml", before);
        let good = if before.is_empty() { 1 } else { 2 };
        program.is_good("n: 1", good);
        program.write_to("other.yaml", after);
        for _ in 0..2 {
            program.start();
            program.shows("healthy Some(1)");
            program.kill();
        }
        program.start();
        let seen = program.shows(&format!("degraded Some({good})"));
        assert!(
            seen.contains(&format!("with changes of {changed};")),
            "{seen}"
        );
    }
}

#[test]
fn a_program_that_goes_to_another_folder_writes_where_the_next_start_reads() {
    let mut program = Program::new("");
    program.wanders = true;
    program.is_good("n: 1", 1);
    program.write("n: 2\ndies: callback abort");
    for _ in 0..2 {
        program.start();
        program.dies();
    }
    program.start();
    program.shows("degraded Some(1)");
    program.records(|record| record["quarantined"][0]["lifted"] == false);
    program.stop();
}
