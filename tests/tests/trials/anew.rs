//! A document that is written anew before each start, as templates and sidecars write it: its values are what counts, and a value that
//! differs at every start does not kill the program for ever.

use crate::child::{LIMIT, Program};
use std::time::Instant;

/// When the document was last seen to change, in the program's own terms.
fn changed_at(seen: &str) -> String {
    let (_, text) = seen.split_once("app.yaml changed at ").unwrap();
    text.split_once(';').unwrap().0.to_owned()
}

#[test]
fn a_document_that_is_only_written_anew_before_each_start_kills_two_starts() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    let written = [
        "# at 03:00:00\nn: 2\ndies: callback abort\n",
        "dies: 'callback abort'  # at 03:00:05\nn:   2\n",
        "# at 03:00:10\n{n: 2, \"dies\": \"callback abort\"}",
        "written_at: 11415\nn: 2\ndies: \"callback abort\"\n",
    ];
    for document in &written[..2] {
        program.write(document);
        program.start();
        program.dies();
    }
    for document in &written[2..] {
        program.write(document);
        program.start();
        let seen = program.shows("degraded Some(1)");
        assert!(seen.contains("the process died twice"), "{seen}");
        program.records(|record| record["on_trial"].is_null());
        program.kill();
    }
    program.write("# at 03:00:20\nn: 3\n");
    program.start();
    program.shows("healthy Some(3)");
}

#[test]
fn a_document_that_is_only_written_anew_while_the_program_runs_ends_no_quarantine() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    program.write("n: 2\ndies: callback abort");
    for _ in 0..2 {
        program.start();
        program.dies();
    }
    program.start();
    let before = changed_at(&program.shows("degraded Some(1)"));
    program.write("# a comment\ndies: callback abort\nn: 2");
    let until = Instant::now() + LIMIT;
    while changed_at(&program.shows("degraded Some(1)")) == before {
        assert!(Instant::now() < until, "the new document was never read");
    }
    // What follows it is taken up, so that it was judged before.
    program.write_to("other.yaml", "pin: '1'");
    program.shows_text("generation 2");
    program.shows("degraded Some(1)");
    program.write("n: 3");
    program.shows("healthy Some(3)");
}

#[test]
fn a_value_that_differs_at_every_start_kills_three_and_then_what_is_new_is_held_back() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    let bad = |n: u32| format!("n: {n}\ndies: callback abort");
    for n in 2..5 {
        program.write(&bad(n));
        program.start();
        program.dies();
    }
    program.write(&bad(5));
    program.start();
    let seen = program.shows("degraded Some(1)");
    for part in [
        "this content is new",
        "3 other contents in a row",
        "with changes of `n`, `dies`",
        "app.yaml",
        "`trust()`",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    // What comes while the program runs is tried, and kills once.
    program.write(&bad(6));
    program.dies();
    program.write(&bad(7));
    program.start();
    program.shows("degraded Some(1)");
    program.write("n: 3");
    program.shows("healthy Some(3)");
    // What serves is trusted, and the row is over.
    program.trusts();
    program.records(|record| record["in_a_row"].is_null() && record["on_trial"].is_null());
    program.write("n: 4");
    program.shows("healthy Some(4)");
    program.kill();
    program.start();
    program.shows("healthy Some(4)");
}

#[test]
fn what_is_held_back_is_the_first_content_though_nothing_could_be_read_before_it() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    for n in 2..5 {
        program.write(&format!("n: {n}\ndies: callback abort"));
        program.start();
        program.dies();
    }
    let path = program.path("app.yaml");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    program.start();
    program.shows("degraded Some(1)");
    std::fs::remove_dir(&path).unwrap();
    program.write("n: 5\ndies: callback abort");
    program.shows_text("this content is new");
    program.shows("degraded Some(1)");
    program.write("n: 6");
    program.shows("healthy Some(6)");
}
