//! What the sources delivered, without secrets, and played again.

use flux::{
    Builder, Capacitor, Config, Flux, Format, Source, State,
    codec::{Codec, Tree},
    source::SourceError,
    testing::{Bench, Harness, Outcome, Recorder, Recording, Script, harness},
};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[derive(Flux, Debug)]
#[flux(
    source = "file:app.yaml",
    source("file:more.toml", optional),
    override = "env:APP_"
)]
struct App {
    #[flux(range = 1..=65535)]
    port: u16,
    #[flux(default = "localhost", non_empty)]
    host: String,
    #[flux(secret, length = 8..=20, default = "unset-yet")]
    password: String,
    #[flux(secret)]
    keys: Option<BTreeMap<String, String>>,
    #[flux(secret, range = 100_000_000..=999_999_999)]
    pin: Option<u32>,
    #[flux(nested)]
    db: Db,
}

#[derive(Flux, Debug)]
struct Db {
    #[flux(secret, url)]
    url: Option<String>,
    #[flux(secret, pattern = "^[0-9a-f]{16}$")]
    hex: Option<String>,
    #[flux(default = 1, range = 1..=9)]
    size: u32,
}

fn recorded() -> (Harness<App>, Recorder) {
    let recorder = Recorder::in_memory();
    let setup = harness::<App>().with(|builder| builder.record(&recorder));
    (setup, recorder)
}

async fn replayed<C: Config>(recorder: &Recorder, builder: Builder<C>) -> Vec<Outcome> {
    let recording: Recording = recorder.lines().parse().unwrap();
    let replay = recording.replay(builder).await.unwrap();
    assert_eq!(replay.difference(), None, "{}", recorder.lines());
    assert_eq!(replay.outcomes(), recording.outcomes());
    recording.outcomes()
}

fn states(outcomes: &[Outcome]) -> Vec<(State, u64)> {
    outcomes
        .iter()
        .map(|one| (one.state, one.generation))
        .collect()
}

#[tokio::test]
async fn good_bad_and_absent_documents_replay_to_the_same_states_refusals_and_generations() {
    let (setup, recorder) = recorded();
    let (app, _) = setup
        .document("app.yaml", "port: 0")
        .variable("APP_PASSWORD", "correct horse")
        .start_refused()
        .await;
    app.set("app.yaml", "port: 1 # was: 2").await.unwrap();
    app.set("app.yaml", "port: none\nhost: ''")
        .await
        .unwrap_err();
    app.remove("app.yaml").await.unwrap_err();
    app.set("more.toml", "host = 'more'").await.unwrap_err();
    app.set("app.yaml", "port: [").await.unwrap_err();
    app.unreadable("app.yaml", SourceError::permission("no"))
        .await
        .unwrap_err();
    app.lose("app.yaml", SourceError::transient("cut")).await;
    app.set("app.yaml", "port: 3").await.unwrap();
    app.set("app.yaml", "port: 3").await.unwrap();
    app.remove("more.toml").await.unwrap();

    let outcomes = replayed(&recorder, App::builder()).await;
    use State::{Degraded, Empty, Healthy};
    let expected = [
        (Empty, 0),
        (Healthy, 1),
        (Degraded, 1),
        (Degraded, 1),
        (Degraded, 2),
        (Degraded, 2),
        (Degraded, 2),
        (Healthy, 3),
        (Healthy, 4),
    ];
    assert_eq!(states(&outcomes), expected);
    let paths = |at: usize| {
        outcomes[at]
            .refused
            .iter()
            .map(|one| one.path.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (paths(0), paths(2), paths(3)),
        (vec!["port"], vec!["host", "port"], vec![""])
    );
    assert!(!recorder.lines().contains("correct horse"));
    assert!(
        !recorder.lines().contains("was: 2"),
        "comments are not kept"
    );
}

#[tokio::test]
async fn a_placeholder_keeps_what_validity_needs_and_no_more() {
    let (setup, recorder) = recorded();
    let document = "port: 1\npassword: hunter2hunter2\npin: 471147114\ndb:\n  url: https://me:geheim@db.example.org:5432/x\n  hex: 0123456789abcdef\nkeys:\n  sk_live_1: alice-token\n";
    let app = setup.document("app.yaml", document).start().await;
    // Too short, too long, out of range, no URL, no hex: each is refused in the replay too.
    for (good, bad) in [
        ("hunter2hunter2", "hunter2"),
        ("hunter2hunter2", "hunter2hunter2hunter2"),
        ("471147114", "47114711"),
        (
            "https://me:geheim@db.example.org:5432/x",
            "no-url-but-geheim",
        ),
        ("0123456789abcdef", "0123456789abcdeX"),
    ] {
        app.set("app.yaml", document.replace(good, bad))
            .await
            .unwrap_err();
        assert_eq!(app.status().generation, 1);
    }
    let log = recorder.lines();
    for secret in [
        "hunter2",
        "471147114",
        "geheim",
        "example.org",
        "0123456789",
        "sk_live",
        "alice",
    ] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
    let outcomes = replayed(&recorder, App::builder()).await;
    assert_eq!(states(&outcomes)[1..], [(State::Degraded, 1); 5]);
    let recording: Recording = log.parse().unwrap();
    assert_eq!(recording.notes(), [""; 0]);

    let replay = recording.replay(App::builder()).await.unwrap();
    let app = replay.get();
    assert!(
        app.password.starts_with("redacted-"),
        "nothing of it is needed"
    );
    assert!(app.db.url.as_ref().unwrap().contains("://"));
    assert_eq!(app.keys.as_ref().unwrap().len(), 1);
}

#[tokio::test]
async fn a_changed_secret_is_a_change_and_the_same_one_is_not() {
    let (setup, recorder) = recorded();
    let app = setup
        .document("app.yaml", "port: 1\npassword: first-one")
        .start()
        .await;
    for password in ["second-one", "second-one # again", "first-one"] {
        let document = format!("port: 1\npassword: {password}");
        app.set("app.yaml", document).await.unwrap();
    }
    assert_eq!(app.status().generation, 3);
    let outcomes = replayed(&recorder, App::builder()).await;
    assert_eq!(states(&outcomes).last(), Some(&(State::Healthy, 3)));
}

#[tokio::test]
async fn what_may_be_a_misspelt_secret_and_what_cannot_be_parsed_is_not_told() {
    let (setup, recorder) = recorded();
    let app = setup.document("app.yaml", "port: 1").start().await;
    app.set("app.yaml", "port: 2\npasword: hunter2\nkesy: {sk_live: 1}")
        .await
        .unwrap();
    app.set("app.yaml", "port: 3\npassword: \"hunter2")
        .await
        .unwrap_err();
    app.set("app.yaml", &b"port: 3\npassword: hunter2\xff"[..])
        .await
        .unwrap_err();
    app.set("app.yaml", "hunter2").await.unwrap_err();
    app.set("app.yaml", "db: hunter2\nport: 3")
        .await
        .unwrap_err();
    let log = recorder.lines();
    assert!(
        !log.contains("hunter2") && !log.contains("sk_live"),
        "{log}"
    );
    let recording: Recording = log.parse().unwrap();
    let notes = recording.notes();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("replaced as a whole"), "{notes:?}");
    replayed(&recorder, App::builder()).await;
}

#[tokio::test]
async fn a_type_without_secrets_is_recorded_word_for_word() {
    #[derive(Flux)]
    #[flux(source = "file:app.yaml")]
    struct Open {
        #[flux(default = 1)]
        n: u32,
    }
    let recorder = Recorder::in_memory();
    let app = harness::<Open>()
        .with(|builder| builder.record(&recorder))
        .document("app.yaml", "n: 1 # one")
        .start()
        .await;
    app.set("app.yaml", "n: [").await.unwrap_err();
    assert!(recorder.lines().contains("n: 1 # one") && recorder.lines().contains("n: ["));
    replayed(&recorder, Open::builder()).await;
}

#[tokio::test]
async fn formats_of_ones_own_providers_and_bad_variables_are_played_too() {
    /// One `key value` pair a line.
    struct Words;
    impl Codec for Words {
        fn name(&self) -> &str {
            "words"
        }
        fn decode(&self, text: &str) -> Result<Tree, String> {
            let pair = |line: &str| {
                let (key, value) = line.split_once(' ').ok_or("no value")?;
                Ok((key.to_owned(), Tree::Raw(value.to_owned())))
            };
            text.lines()
                .map(pair)
                .collect::<Result<_, String>>()
                .map(Tree::Map)
        }
    }
    let recorder = Recorder::in_memory();
    let script = Script::new("words").value("port 1\npin 123498765\npassword hunter2hunter2");
    let handle = script.handle();
    let provider = flux::figment::providers::Serialized::default("host", "from-figment");
    let builder = Capacitor::<App>::builder()
        .provider(provider)
        .source(Source::watcher(script).codec(Words))
        .override_with(
            Source::env("APP_").variables([("APP_PIN", "402349876"), ("APP_DB_SIZE", "many")]),
        )
        .record(&recorder)
        .manual();
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap_err();
    for document in ["no-value", "port 2\npassword hunter3hunter3", "port x"] {
        handle.value(document);
        capacitor.process().await.unwrap();
    }
    let log = recorder.lines();
    for secret in ["hunter", "123498765", "402349876"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
    assert!(log.contains("from-figment"));
    let outcomes = replayed(&recorder, Capacitor::<App>::builder()).await;
    assert!(outcomes.iter().all(|one| one.state == State::Empty));
    assert!(outcomes[0].refused.iter().any(|one| one.path == "db.size"));
}

/// Not by hand: the engine's own debounce, retries and restarts decide when what was heard is taken up.
#[tokio::test(start_paused = true)]
async fn a_run_with_bursts_retries_lost_connections_and_a_closed_source_replays() {
    let calls = Arc::new(AtomicUsize::new(0));
    let with_callback = |builder: Builder<App>| {
        let calls = Arc::clone(&calls);
        calls.store(0, Ordering::SeqCst);
        builder.on_apply(move |_, _| {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            async move {
                match call {
                    1 | 2 => Err("not now"),
                    _ => Ok(()),
                }
            }
        })
    };
    let recorder = Recorder::in_memory();
    let mut script = Script::new("app.yaml").value("port: 1\npassword: hunter2hunter2");
    for port in 2..40 {
        script = script
            .after(Duration::from_millis(30))
            .value(format!("port: {port}"));
    }
    let script = script
        .after(Duration::from_secs(30))
        .error(SourceError::transient("cut"))
        .value("port: 0")
        .after(Duration::from_secs(1))
        .end()
        .panic("out of cheese")
        .value("port: 50")
        .after(Duration::from_secs(5))
        .value("port: 51")
        .closed();
    let builder = Capacitor::<App>::builder()
        .source(Source::watcher(script).format(Format::Yaml))
        .record(&recorder);
    let capacitor = with_callback(builder).build().unwrap();
    capacitor.start().await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(!capacitor.status().running, "the source is closed");
    assert_eq!(capacitor.get().port, 51);

    let recording: Recording = recorder.lines().parse().unwrap();
    let outcomes = recording.outcomes();
    let pipeline = |one: &Outcome| {
        one.refused
            .iter()
            .any(|refused| refused.layer == "pipeline")
    };
    assert!(
        outcomes.iter().filter(|one| pipeline(one)).count() == 2,
        "{outcomes:?}"
    );
    assert!(outcomes.len() < 12, "the burst was coalesced: {outcomes:?}");
    let replay = recording
        .replay(with_callback(Capacitor::builder()))
        .await
        .unwrap();
    replay.assert_same();
    assert_eq!(replay.get().port, 51);
    assert!(!recorder.lines().contains("hunter2"));

    // Without the callback that refused, the difference is told.
    let other = recording.replay(Capacitor::<App>::builder()).await.unwrap();
    let told = other.difference().expect("nothing refuses here");
    assert!(
        told.contains("recorded: degraded") && told.contains("refused: pipeline"),
        "{told}"
    );
    assert!(told.contains("replayed: healthy, generation 2"), "{told}");
}

#[tokio::test]
async fn orders_are_played_too() {
    let (setup, recorder) = recorded();
    let app = setup
        .with(|builder| builder.probation(Duration::from_secs(3600)))
        .document("app.yaml", "port: 1")
        .start()
        .await;
    app.set("app.yaml", "port: 2").await.unwrap();
    assert!(app.report_unhealthy("it burns"));
    app.step().await.unwrap_err();
    assert_eq!(app.get().port, 1);
    app.set("app.yaml", "port: 3").await.unwrap();
    app.pin().await.unwrap();
    app.set("app.yaml", "port: 4").await.unwrap_err();
    app.unpin().await.unwrap();
    app.rollback(1).await.unwrap();
    app.rollback(77).await.unwrap_err();
    assert_eq!(app.get().port, 1);
    let builder = App::builder().probation(Duration::from_secs(3600));
    let outcomes = replayed(&recorder, builder).await;
    assert_eq!(outcomes.len(), 7, "{outcomes:?}");
}

#[tokio::test]
async fn each_start_is_a_recording_of_its_own() {
    let (setup, recorder) = recorded();
    let app: Bench<App> = setup.document("app.yaml", "port: 1").start().await;
    app.set("app.yaml", "port: 2").await.unwrap();
    app.stop().await;
    let (again, _) = recorded();
    let app = again
        .with(|builder| builder.record(&recorder))
        .document("app.yaml", "port: 7")
        .start()
        .await;
    assert_eq!(app.get().port, 7);
    let all = Recording::all(&recorder.lines()).unwrap();
    assert_eq!(
        all.iter()
            .map(|one| one.outcomes().len())
            .collect::<Vec<_>>(),
        [2, 1]
    );
    for recording in &all {
        recording
            .replay(App::builder())
            .await
            .unwrap()
            .assert_same();
    }
    let replay = recorder.lines().parse::<Recording>().unwrap();
    assert_eq!(replay.replay(App::builder()).await.unwrap().get().port, 7);
}

#[tokio::test]
async fn a_log_can_be_written_to_a_file_and_a_broken_one_is_told_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("incident.jsonl");
    let recorder = Recorder::to_writer(std::fs::File::create(&path).unwrap());
    let app = harness::<App>()
        .with(|builder| builder.record(&recorder))
        .document("app.yaml", "port: 1")
        .start()
        .await;
    app.set("app.yaml", "port: 2").await.unwrap();
    let log = std::fs::read_to_string(&path).unwrap();
    assert_eq!(log.parse::<Recording>().unwrap().outcomes().len(), 2);
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );

    let broken = log.replace("{\"at\"", "{\"ta\"");
    let told = Recording::all(&broken).unwrap_err().to_string();
    assert!(told.starts_with("line 1: "), "{told}");
    assert!("".parse::<Recording>().is_err());
    let of_another = log.parse::<Recording>().unwrap();
    let told = of_another
        .replay(Capacitor::<Db>::builder())
        .await
        .err()
        .unwrap();
    assert_eq!(told.to_string(), "is a recording of App, not of Db");
}

/// A writer that fails ends the recording, and nothing else.
#[tokio::test]
async fn a_writer_that_fails_ends_the_recording_only() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("no space"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let recorder = Recorder::to_writer(Full);
    let app = harness::<App>()
        .with(|builder| builder.record(&recorder))
        .document("app.yaml", "port: 1")
        .start()
        .await;
    app.set("app.yaml", "port: 2").await.unwrap();
    assert_eq!(app.get().port, 2);
}

/// Something a source can do, with secrets in all the places where they could be.
#[derive(Debug, Clone)]
enum Act {
    Document(&'static str, String),
    Absent(&'static str),
    Lost(&'static str),
}

fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9]{8,24}",
        "[a-z]{3}[!@#é:/ ]{1,4}[a-zA-Z0-9]{8,12}"
    ]
}

/// A secret as it stands in a YAML or TOML document.
fn quoted(secret: &str) -> String {
    format!("{secret:?}")
}

fn act() -> impl Strategy<Value = Act> {
    let yaml = (secret(), secret(), 0_u32..70_000, 0..12_u8).prop_map(|(one, two, port, kind)| {
        let (q, r) = (quoted(&one), quoted(&two));
        let text = match kind {
            0 => format!("port: {port}\npassword: {q}\n"),
            1 => format!("port: {port} # {one}\npassword: {r}\n"),
            2 => format!("port: {port}\nkeys: {{{q}: {r}}}\n"),
            3 => format!("port: {port}\npasword: {q}\n"),
            4 => format!("port: {port}\npassword: {q}\nhost: [\n"),
            5 => format!("port: {port}\ndb: {q}\n"),
            6 => format!(
                "port: {port}\ndb:\n  url: {}\n  hex: {q}\n",
                quoted(&format!("https://u:{one}@h/"))
            ),
            7 => format!("port: {port}\nkeys: [{q}, {r}]\n"),
            8 => format!("{q}\n"),
            9 => format!("port: {port}\npassword: |\n  {one}\n  {two}\n"),
            10 => format!("port: {port}\npin: {q}\ndb: {{urll: {r}}}\n"),
            _ => format!("port: {port}\npassword: &p {q}\nkeys: {{a: *p}}\n"),
        };
        Act::Document("app.yaml", text)
    });
    let toml = (secret(), 0..5_u8).prop_map(|(one, kind)| {
        let q = serde_json::to_string(&one).unwrap();
        let text = match kind {
            0 => format!("password = {q}\n"),
            1 => format!("# {one}\nhost = \"h\"\n[keys]\n{q} = {q}\n"),
            2 => format!("password = {q} {q}\n"),
            3 => format!("[[keys]]\na = {q}\n"),
            _ => format!("[db]\nurl = {q}\nsize = 10\n"),
        };
        Act::Document("more.toml", text)
    });
    let layer = prop_oneof![Just("app.yaml"), Just("more.toml")];
    prop_oneof![
        6 => yaml,
        3 => toml,
        1 => layer.clone().prop_map(Act::Absent),
        1 => layer.prop_map(Act::Lost),
    ]
}

/// The runs of letters and digits that only a secret has, eight or more of them, in what the generator above writes.
fn telltales(text: &str) -> Vec<String> {
    let own = ["password", "redacted"];
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|run| run.len() >= 8 && !own.contains(run))
        .map(str::to_owned)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn no_secret_is_in_a_log_and_it_replays_the_same(
        acts in proptest::collection::vec(act(), 1..8),
        variable in secret(),
        first in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (setup, recorder) = recorded();
            let setup = setup.variable("APP_PASSWORD", &variable).variable("APP_DB_HEX", &variable);
            let app = match first {
                true => setup.document("app.yaml", format!("port: 1\nkeys: {{x: {}}}", quoted(&variable))),
                false => setup,
            };
            let app = app.try_start().await.0;
            let mut secrets = telltales(&variable);
            for act in acts {
                match act {
                    Act::Document(layer, text) => {
                        secrets.extend(telltales(&text));
                        let _ = app.set(layer, text).await;
                    }
                    Act::Absent(layer) => drop(app.remove(layer).await),
                    Act::Lost(layer) => app.lose(layer, SourceError::transient("cut")).await,
                }
            }
            let log = recorder.lines();
            for secret in secrets {
                assert!(!log.contains(&secret), "{secret} is in {log}");
            }
            let recording: Recording = log.parse().unwrap();
            let replay = recording.replay(App::builder()).await.unwrap();
            if recording.notes().iter().all(|note| !note.contains("is judged otherwise")) {
                assert_eq!(replay.difference(), None, "{log}");
            }
            assert_eq!(Recording::all(&log).unwrap().len(), 1);
        });
    }
}
