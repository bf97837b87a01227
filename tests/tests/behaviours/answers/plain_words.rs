//! Answers in the words of operators: lists, defaults, generations, what is held back and why.

use flux::{
    Capacitor, Flux, Format, Source,
    inspect::{BlameOutcome, CheckError, Describe, Inputs},
    source::Channel,
};
use std::time::Duration;

#[derive(Flux, Debug)]
struct App {
    #[flux(default = 80, range = 1..=9999)]
    port: u16,
    #[flux(default = Duration::from_secs(30))]
    timeout: Duration,
    #[flux(default = std::time::Duration::from_millis(1500))]
    pause: Duration,
    #[flux(default)]
    hosts: Vec<String>,
    #[flux(default, secret)]
    auth_password: String,
}

/// A running program with these documents of one layer, one after the other.
async fn after(documents: &[&str]) -> Capacitor<App> {
    let (sender, channel) = Channel::buffered("app.yaml", 4);
    sender.send(documents[0].as_bytes()).await.unwrap();
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = Capacitor::<App>::builder().source(source);
    let app = builder.manual().build().unwrap();
    app.start().await.unwrap();
    for document in &documents[1..] {
        sender.send(document.as_bytes()).await.unwrap();
        app.process().await.unwrap();
    }
    app
}

fn refusal(document: &str) -> String {
    let source = Source::file("/nowhere/app.yaml").optional();
    let builder = Capacitor::<App>::builder().source(source);
    match builder.check(Inputs::new().layer("app.yaml", document)) {
        Err(CheckError::Refused(report)) => report.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_default_that_is_a_duration_of_a_number_is_written_as_in_a_document() {
    let template = App::template(Format::Yaml);
    for line in ["timeout: \"30s\"", "pause: \"1s 500ms\""] {
        assert!(template.lines().any(|one| one == line), "{template}");
    }
    let reference = App::reference("APP_");
    assert!(
        reference.contains("| `timeout` | `Duration` | `30s` |"),
        "{reference}"
    );
    assert!(!(template + &reference).contains("from_"));
}

#[tokio::test]
async fn such_a_default_is_a_value_for_those_who_explain_it_and_is_decoded_alike() {
    let app = after(&["port: 81\n"]).await;
    let one = app.explain("timeout").unwrap();
    assert_eq!(one.value.unwrap().to_string(), "\"30s\"");
    assert_eq!(app.get().pause, Duration::from_millis(1500));
    let written = after(&["timeout: 30s\npause: 1s 500ms\n"]).await;
    assert_eq!(app.get().timeout, written.get().timeout);
    assert_eq!(app.get().pause, written.get().pause);
}

#[test]
fn a_list_is_called_one_and_a_key_that_begins_a_name_is_taken_for_it() {
    let refused = refusal("hosts: 3\n");
    assert!(
        refused.contains("hosts: expected a list, found integer `3`"),
        "{refused}"
    );
    let refused = refusal("port: [1]\n");
    assert!(
        refused.contains("port: expected u16, found list"),
        "{refused}"
    );
    let refused = refusal("port: 0\nauth_pass: a\nauthor: b\n");
    assert!(
        refused.contains("auth_pass: unknown key, did you mean `auth_password`?"),
        "{refused}"
    );
    assert!(refused.contains("author: unknown key\n"), "{refused}");
}

#[tokio::test]
async fn a_rollback_in_blame_is_no_refusal_and_without_another_generation_it_is_said_so() {
    let app = after(&["port: 81\n"]).await;
    for (wanted, words) in [
        (
            None,
            "App: there is no good generation before this one to go back to; only generation 1 is kept, which is the current one",
        ),
        (
            Some(7),
            "App: generation 7 cannot be gone back to; only generation 1 is kept, which is the current one",
        ),
    ] {
        assert_eq!(app.rollback(wanted).await.unwrap_err().to_string(), words);
    }
    let app = after(&["port: 81\n", "port: 82\n"]).await;
    let refused = app.rollback(9).await.unwrap_err().to_string();
    assert!(
        refused.ends_with("; kept are the generations 1 and 2"),
        "{refused}"
    );
    app.rollback(None).await.unwrap();
    let blame = app.blame("port").unwrap();
    let text = blame.to_string();
    assert!(text.contains("taken back (rolled back by hand)"), "{text}");
    let is_refused = |outcome: &BlameOutcome| *outcome == BlameOutcome::Refused;
    assert!(
        !blame.changes.iter().any(|one| is_refused(&one.outcome)),
        "{text}"
    );
    assert!(!text.contains("Builder::"), "{text}");
    app.stop().await;
}

#[tokio::test]
async fn blame_of_a_setting_that_is_held_back_names_the_one_that_is_refused() {
    let app = after(&["timeout: 5s\n", "timeout: 9s\nport: 0\nhosts: [a]\n"]).await;
    let held = "the newest content of app.yaml is not applied, since `port` (app.yaml:2:7) is refused: what it has for this is held back with it";
    let blame = app.blame("timeout").unwrap();
    assert!(blame.notes.iter().any(|note| note == held), "{blame}");
    let blame = app.blame("port").unwrap();
    assert!(!blame.to_string().contains("held back"), "{blame}");
    app.stop().await;
}
