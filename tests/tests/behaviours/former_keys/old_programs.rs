//! What an older program has left: a last known good file with a key of then; several keys of then in one name; a variable with a file.

use super::{Gone, of, refused, told};
use crate::kit::{Ear, settle};
use flux::{
    Capacitor, Flux, Format, Secrets, Source, State,
    report::{Fix, ProblemKind},
    source::{Channel, SourceError},
};
use std::fs;

#[tokio::test(start_paused = true)]
async fn the_last_known_good_file_of_an_older_program_serves_with_a_key_that_is_removed_since() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let make = || {
        let (sender, channel) = Channel::buffered("app", 4);
        let capacitor = Capacitor::<Gone>::builder()
            .source(Source::watcher(channel).format(Format::Yaml))
            .last_known_good(path.to_str().unwrap(), Secrets::Omit)
            .build()
            .unwrap();
        (capacitor, sender)
    };
    let (capacitor, sender) = make();
    sender.send(&b"{max_size: 2, kept: 7}"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    capacitor.stop().await;
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("max_size", "max_szie")
            .replace("\"kept\"", "\"kept_too\""),
    )
    .unwrap();
    for document in [None, Some("{max_szie: 3, kept: 7}")] {
        let (ear, _guard) = Ear::listen();
        let (capacitor, sender) = make();
        match document {
            None => sender
                .fail(SourceError::transient("no route"))
                .await
                .unwrap(),
            Some(document) => sender.send(document.as_bytes()).await.unwrap(),
        }
        capacitor.start().await.unwrap();
        settle().await;
        assert_eq!(capacitor.state(), State::Degraded, "{document:?}");
        let served = capacitor.get();
        assert_eq!((served.max_size, served.kept), (2, 7), "{document:?}");
        drop(served);
        let logged = ear.text();
        assert!(!logged.contains("is not used"), "{logged}");
        capacitor.stop().await;
    }
}

/// One key of a name is read for ever, and another one no more.
#[derive(Flux, Debug, Clone, PartialEq)]
struct Halfway {
    #[flux(nested, was = "db")]
    pool: HalfwayPool,
    #[flux(secret, default, was = "pasword")]
    password: String,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct HalfwayPool {
    #[flux(default = 1, was = "max_szie", removed = "0.1")]
    max_size: u32,
}

fn halfway() -> flux::Builder<Halfway> {
    Capacitor::<Halfway>::builder()
        .source(Source::file("/nowhere/app.yaml"))
        .override_with(Source::env("APP_"))
        .override_with(Source::args())
}

#[test]
fn a_key_that_is_removed_refuses_a_name_also_behind_one_that_is_still_read() {
    for inputs in [
        of("db: {max_szie: 15}"),
        of("{}").variables([("APP_DB_MAX_SZIE", "15")]),
        of("{}").arguments(["--db.max-szie=15"]),
        of("{}").arguments(["--set", "db.max_szie=15"]),
    ] {
        let report = refused(halfway().check(inputs));
        let removed = (report.problems().iter()).filter(|one| one.kind == ProblemKind::Removed);
        assert_eq!(removed.count(), 1, "{report}");
    }
    for inputs in [
        of("{}").variables([("APP_DB_MAX_SIZE", "15")]),
        of("{}").arguments(["--db.max-size=15"]),
    ] {
        let checked = halfway().check(inputs).unwrap();
        assert_eq!(checked.warnings.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_name_since_of_a_variable_that_names_a_file_is_that_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "correct-horse").unwrap();
    let (sender, channel) = Channel::buffered("app", 4);
    let variables = [(
        "APP_PASWORD_FILE".to_owned(),
        file.to_str().unwrap().to_owned(),
    )];
    let capacitor = Capacitor::<Halfway>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .override_with(Source::uri("env:APP_?files=true").variables(variables))
        .build()
        .unwrap();
    sender.send(&b"{}"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().password, "correct-horse");
    let status = capacitor.status();
    let [warning] = &*status.warnings else {
        panic!("{status}");
    };
    let said = told([warning]);
    assert_eq!(said[0].1, "APP_PASWORD_FILE");
    assert!(
        said[0].2.contains("is called `APP_PASSWORD_FILE` now"),
        "{said:?}"
    );
    assert!(matches!(&warning.fix, Some(Fix::Rename { to, .. }) if to == "APP_PASSWORD_FILE"));
    capacitor.stop().await;
}
