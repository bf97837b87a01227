//! Content that is on trial, and what is beside it: other content, the environment, a calendar that was ahead.

use crate::child::Program;
use flux::{Capacitor, Flux, Secrets, Source};
use std::{
    fs,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

#[test]
fn two_contents_that_alternate_kill_two_starts_each() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    for number in [2, 3, 2, 3] {
        program.write(&format!("{{ n: {number}, dies: callback abort }}"));
        program.start();
        program.dies();
    }
    for number in [2, 3] {
        program.write(&format!("{{ n: {number}, dies: callback abort }}"));
        program.start();
        program.shows("degraded Some(1)");
        program.kill();
    }
}

#[test]
fn a_quarantine_does_not_outlast_a_day_where_the_calendar_was_ahead() {
    let mut program = Program::new("");
    program.is_good("n: 1", 1);
    program.write("{ n: 2, dies: callback abort }");
    for _ in 0..2 {
        program.start();
        program.dies();
    }
    program.start();
    program.shows("degraded Some(1)");
    let text = program.records(|record| record["quarantined"][0]["lifted"] == false);
    program.kill();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let until = record["quarantined"][0]["until"].as_u64().unwrap();
    let path = program.path("last.json.trial");
    fs::write(&path, text.replace(&until.to_string(), "4102444800")).unwrap();
    program.start();
    program.shows("degraded Some(1)");
    program.records(|record| {
        let corrected = record["quarantined"][0]["until"].as_u64();
        corrected.is_some_and(|corrected| corrected <= until + 24 * 60 * 60)
    });
    program.kill();
}

/// Whatever is in quarantine may be tried now.
fn time_is_over(program: &Program) {
    let path = program.path("last.json.trial");
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for content in record["quarantined"].as_array_mut().unwrap() {
        content["until"] = 1.into();
    }
    fs::write(&path, record.to_string()).unwrap();
}

#[test]
fn of_two_documents_that_died_together_the_innocent_one_is_served_after_its_quarantine() {
    for (innocent, guilty) in [("app.yaml", "other.yaml"), ("other.yaml", "app.yaml")] {
        let mut program = Program::new("");
        program.probation = Some(Duration::from_millis(200));
        program.write_to("other.yaml", "pin: '1'");
        program.is_good("n: 1", 1);
        program.write_to(innocent, "n: 2");
        program.write_to(guilty, "{ dies: later abort, n: 1 }");
        for _ in 0..2 {
            program.start();
            program.dies();
        }
        program.start();
        let seen = program.shows("degraded Some(1)");
        for layer in ["app.yaml", "other.yaml"] {
            let held = seen.matches(layer).count();
            assert!(held > 1, "{seen}");
        }
        assert!(seen.contains("each is tried without the others"), "{seen}");
        program.stop();
        // Each is tried alone, one after the other: one of them kills once more, and the other one is served from then on.
        time_is_over(&program);
        let mut deaths = 0;
        let seen = loop {
            program.start();
            if program.shows_one_or_dies(&["degraded Some(2)"]).is_some() {
                let until = std::time::Instant::now() + Duration::from_secs(2);
                let died = program.has_died_before(until);
                deaths += u32::from(died);
                if !died {
                    break program.shows("degraded Some(2)");
                }
            } else {
                deaths += 1;
            }
            assert!(deaths <= 1, "{guilty} killed {deaths} starts");
        };
        assert!(seen.contains("in quarantine"), "{seen}");
    }
}

static RECORD: Mutex<Option<PathBuf>> = Mutex::new(None);
static SEEN: AtomicBool = AtomicBool::new(false);

#[derive(Flux)]
struct Looks {
    #[flux(default, validate = looks)]
    n: u32,
}

/// Whether there is a record while the document is read.
fn looks(_: &u32) -> Result<(), String> {
    let path = RECORD.lock().unwrap().clone();
    SEEN.fetch_or(path.is_some_and(|path| path.exists()), SeqCst);
    Ok(())
}

#[tokio::test]
async fn the_environment_makes_no_trial_of_a_document_that_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("app.yaml"), "n: 1").unwrap();
    *RECORD.lock().unwrap() = Some(path("last.json.trial").into());
    for (n, is_new) in [(1, false), (1, false), (2, true)] {
        fs::write(path("app.yaml"), format!("n: {n}")).unwrap();
        let capacitor = Capacitor::<Looks>::builder()
            .source(Source::file(path("app.yaml")))
            .override_with(Source::env("NOBODY_SETS_THIS_"))
            .last_known_good(path("last.json"), Secrets::Omit)
            .probation(Duration::from_secs(60))
            .build()
            .unwrap();
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.get().n, n);
        capacitor.stop().await;
        assert_eq!(SEEN.swap(false, SeqCst), is_new);
        if is_new {
            let record = fs::read_to_string(path("last.json.trial")).unwrap();
            assert!(!record.contains("environment"), "{record}");
        }
    }
}

#[derive(Flux, Debug)]
struct Labelled {
    #[flux(default)]
    labels: std::collections::BTreeMap<String, String>,
    #[serde(flatten)]
    rest: std::collections::BTreeMap<String, String>,
    #[flux(secret)]
    password: Option<String>,
}

#[tokio::test]
async fn an_entry_with_the_name_of_a_secret_is_not_kept_and_that_is_reported_when_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (document, lacks) in [
        ("labels: { env: test }\npassword: hunter2\n", None),
        ("team: infra\n", None),
        (
            "labels: { env: test, passwort: hunter2 }\n",
            Some("`labels.passwort`"),
        ),
    ] {
        fs::write(path("app.yaml"), document).unwrap();
        let capacitor = Capacitor::<Labelled>::builder()
            .source(Source::file(path("app.yaml")))
            .last_known_good(path("last.json"), Secrets::Omit)
            .build()
            .unwrap();
        capacitor.start().await.unwrap();
        capacitor.stop().await;
        let kept = capacitor.status().last_known_good.clone().unwrap();
        assert!(kept.written.is_some());
        match (kept.problem, lacks) {
            (None, None) => {}
            (Some(problem), Some(lacks)) => assert!(problem.contains(lacks), "{problem}"),
            (problem, _) => panic!("{document}: {problem:?}"),
        }
        let text = fs::read_to_string(path("last.json")).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("test") || text.contains("infra"), "{text}");
    }
}
