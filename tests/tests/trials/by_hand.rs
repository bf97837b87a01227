//! `config trust`: a person ends a quarantine at the command line, with a process that runs and without one.

use crate::child::Program;
use std::{fs, time::Duration};

/// A program whose document is in quarantine, though it is good: the deaths had another reason. It runs.
fn unlucky(mut program: Program) -> Program {
    program.is_good("n: 1", 1);
    program.write("n: 2");
    for _ in 0..2 {
        program.start();
        program.shows("healthy Some(2)");
        program.kill();
    }
    program.start();
    let seen = program.shows("degraded Some(1)");
    assert!(
        seen.contains("or when `config trust` is run or `trust()` called"),
        "{seen}"
    );
    program.records(|record| record["quarantined"][0]["lifted"] == false);
    program
}

/// What the command prints of the document in quarantine.
fn lifted(program: &Program, when: &str) -> String {
    let path = program.path("app.yaml");
    let path = path.display();
    format!(
        "{path} is not in quarantine any more: where the source still contains it, it is tried {when}, with changes of `n`; if the process dies with it once more, it is in quarantine again\ndeaths with one content are forgotten\n"
    )
}

const NOTHING: &str = "nothing is on trial or in quarantine\n";

#[test]
fn config_trust_is_carried_out_by_the_process_that_runs_and_has_an_end() {
    let mut program = Program::new("");
    program.has_admin = true;
    let mut program = unlucky(program);
    let (code, out, err) = program.command("trust");
    assert_eq!((code, out), (0, lifted(&program, "now")), "{err}");
    assert!(
        err.starts_with("note: answered by the process at `"),
        "{err}"
    );
    program.shows("healthy Some(2)");
    // What it lifted is on trial once more, and that is passed by a second one.
    program.records(|record| record["on_trial"]["running"] == true);
    let (code, out, _) = program.command("trust --format json");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["verdict"]), (0, &"trusted".into()), "{out}");
    assert!(json["trusted"]["passed"].is_u64(), "{out}");
    assert_eq!(json["trusted"]["lifted"], serde_json::json!([]));
    program.has_no_record();
    assert_eq!(program.command("trust").1, NOTHING);
    let (code, out, _) = program.command("trust --format json");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["verdict"]), (1, &"nothing".into()), "{out}");
    program.stop();
    program.start();
    program.shows("healthy Some(2)");
}

#[test]
fn config_trust_lifts_the_record_where_no_process_runs() {
    for has_admin in [false, true] {
        let mut program = Program::new("");
        program.has_admin = has_admin;
        let mut program = unlucky(program);
        program.stop();
        let (code, out, err) = program.command("trust");
        assert_eq!(
            (code, out),
            (0, lifted(&program, "at the next start")),
            "{err}"
        );
        let note = "the record of trials on disk is looked at\n";
        assert_eq!(err.ends_with(note), has_admin, "{err}");
        assert_eq!(program.command("trust").0, 1);
        program.start();
        program.shows("healthy Some(2)");
        // One more death puts it back.
        program.kill();
        program.start();
        program.shows("degraded Some(1)");
        program.kill();
        // The same for a record that a process left behind when it died.
        assert_eq!(program.command("trust --offline").0, 0);
        program.start();
        program.shows("healthy Some(2)");
    }
}

#[test]
fn config_trust_forgets_a_death_that_no_start_has_counted() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    program.write("n: 2");
    for _ in 0..3 {
        program.start();
        program.shows("healthy Some(2)");
        program.kill();
        let (code, out, err) = program.command("trust");
        let forgotten = "deaths with one content are forgotten\n";
        assert_eq!((code, &*out), (0, forgotten), "{err}");
        program.has_no_record();
        assert_eq!(
            program.command("trust"),
            (1, NOTHING.to_owned(), String::new())
        );
    }
    program.start();
    program.shows("healthy Some(2)");
}

#[test]
fn deaths_are_forgotten_by_a_process_with_nothing_on_trial_or_with_a_probation() {
    for probation in [None, Some(Duration::from_secs(3600))] {
        let mut program = Program::new("");
        program.is_good("n: 1", 1);
        program.probation = probation;
        program.write("n: 2");
        program.start();
        program.shows("healthy Some(2)");
        program.kill();
        if probation.is_none() {
            // Nothing can be on trial: the last known good configuration serves.
            fs::remove_file(program.path("app.yaml")).unwrap();
            program.start();
            program.shows("degraded Some(1)");
            program.records(|record| record["on_trial"]["deaths"] == 1);
            program.trusts();
            program.has_no_record();
            program.write("n: 2");
        } else {
            // A first configuration has no probation.
            program.write("n: 1");
            program.start();
            program.shows("healthy Some(1)");
            program.write("n: 2");
            program.shows("healthy Some(2)");
            program.records(|record| record["on_trial"]["deaths"] == 1);
            program.trusts();
        }
        program.shows("healthy Some(2)");
        program.records(|record| {
            record["on_trial"]["running"] == true && record["on_trial"]["deaths"] == 0
        });
        program.kill();
        program.start();
        program.shows("healthy Some(2)");
        program.records(|record| record["on_trial"]["deaths"] == 1);
        program.kill();
        program.start();
        program.shows("degraded Some(1)");
    }
}

#[test]
fn config_trust_forgets_a_death_with_content_that_is_not_on_trial_any_more() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    program.write("n: 2");
    program.start();
    program.shows("healthy Some(2)");
    program.kill();
    program.write("n: 3");
    program.start();
    program.shows("healthy Some(3)");
    program.stop();
    program.records(|record| record["quarantined"][0]["deaths"] == 1);
    let (code, out, err) = program.command("trust");
    let forgotten = "deaths with one content are forgotten\n";
    assert_eq!((code, &*out), (0, forgotten), "{err}");
    program.write("n: 2");
    program.start();
    program.shows("healthy Some(2)");
    program.kill();
    program.start();
    program.shows("healthy Some(2)");
}

#[test]
fn config_trust_leaves_the_record_of_a_process_that_runs_alone() {
    // The process of the record, and one that has found the record of another one.
    for starts_again in [false, true] {
        let mut program = unlucky(Program::new(""));
        if starts_again {
            program.stop();
            program.start();
            program.shows("degraded Some(1)");
        }
        let id = program.id();
        program.records(|record| record["process"]["id"] == id);
        let before = fs::read(program.path("last.json.trial")).unwrap();
        for words in ["trust", "trust --offline", "trust --format json"] {
            let (code, out, err) = program.command(words);
            assert_eq!(code, 2, "{out}{err}");
            let text = out + &err;
            for part in [
                "last.json.trial",
                &format!("process {id}, which runs"),
                "admin = ",
            ] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
        assert_eq!(fs::read(program.path("last.json.trial")).unwrap(), before);
        program.stop();
        assert_eq!(program.command("trust").0, 0);
    }
}

#[test]
fn config_trust_changes_nothing_that_is_no_record() {
    let program = Program::new("n: 1");
    assert_eq!(
        program.command("trust"),
        (1, NOTHING.to_owned(), String::new())
    );
    for content in ["", "{", "{\"version\": 1}"] {
        fs::write(program.path("last.json.trial"), content).unwrap();
        let (code, out, err) = program.command("trust");
        assert_eq!((code, &*out), (2, ""), "{err}");
        assert!(err.contains("is no record of trials of App"), "{err}");
        let after = fs::read_to_string(program.path("last.json.trial")).unwrap();
        assert_eq!(after, content);
    }
}

/// What a command prints to both streams, and its code.
fn asked(program: &Program, words: &str) -> (u8, String) {
    let (code, out, err) = program.command(words);
    (code, out + &err)
}

#[test]
fn check_plan_and_diff_say_that_a_document_is_in_quarantine_and_what_ends_that() {
    let mut program = Program::new("");
    program.has_admin = true;
    let mut program = unlucky(program);
    let file = program.path("app.yaml").display().to_string();
    let other = program.path("other-document.yaml").display().to_string();
    fs::write(&other, "n: 3").unwrap();
    let why = [
        "the process died twice while this content was on trial with changes of `n`",
        "or when `config trust` is run",
    ];
    let is_told = |words: &str, code: u8| {
        let (found, text) = asked(&program, words);
        assert_eq!(found, code, "{words}: {text}");
        for why in why {
            assert!(text.contains(why), "{words}: {text}");
        }
        assert!(text.contains("in quarantine"), "{words}: {text}");
        assert!(!text.contains("would be applied\n"), "{words}: {text}");
    };
    let layer = format!("--layer {file}={file}");
    is_told(&format!("check {layer}"), 1);
    is_told("check", 1);
    is_told(&format!("plan {layer}"), 1);
    is_told(&format!("plan --format json {layer}"), 1);
    is_told(&format!("plan --format github {layer}"), 1);
    is_told(&format!("diff {layer}"), 0);
    // What the last known good file serves in its place is nothing to compare with, and the content is known all the same.
    let (code, text) = asked(&program, "plan");
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("is in quarantine, since the process died with it"),
        "{text}"
    );
    assert!(
        text.contains("`config trust` ends that") && !text.contains("not known"),
        "{text}"
    );
    // Other content is not held back.
    let layer = format!("--layer {file}={other}");
    for command in ["check", "plan", "diff"] {
        let (code, text) = asked(&program, &format!("{command} {layer}"));
        assert_eq!(code, 0, "{command}: {text}");
        assert!(!text.contains("in quarantine:"), "{command}: {text}");
    }
    program.stop();
    for words in ["check", "plan", "check --format json"] {
        let (code, text) = asked(&program, words);
        assert_eq!(code, 1, "{words}: {text}");
        assert!(why.iter().all(|why| text.contains(why)), "{words}: {text}");
    }
    assert_eq!(program.command("trust").0, 0);
    for words in ["check", "plan"] {
        let (code, text) = asked(&program, words);
        assert_eq!(code, 0, "{words}: {text}");
        assert!(!text.contains("in quarantine"), "{words}: {text}");
    }
}
