//! Files of a folder in what is kept: the last known good configuration, trials, recordings.

use super::{DropInApp, DropInFolder};
use flux::{
    Builder, Capacitor, Error, Flux, Format, Secrets, Source, State,
    source::{Channel, DropIns},
    testing::{Recorder, Recording, harness},
};
use std::{fs, time::Duration};

fn keeping(folder: &DropInFolder, at: &tempfile::TempDir) -> Builder<DropInApp> {
    let kept = at.path().join("known-good.json");
    Capacitor::<DropInApp>::builder()
        .source(folder.source())
        .debounce(Duration::ZERO)
        .last_known_good(kept.to_str().unwrap(), Secrets::Omit)
}

#[tokio::test]
async fn a_start_over_a_broken_file_serves_the_files_of_before() {
    let at = tempfile::tempdir().unwrap();
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "name: b")]);
    let before = keeping(&folder, &at).build().unwrap();
    before.start().await.unwrap();
    before.stop().await;
    let kept = fs::read_to_string(at.path().join("known-good.json")).unwrap();
    assert!(kept.contains(&folder.origin("20-b.yaml")), "{kept}");

    folder.put("20-b.yaml", "name: [");
    folder.put("30-c.yaml", "labels: {c: c}");
    folder.remove("10-a.yaml");
    let after = keeping(&folder, &at).build().unwrap();
    let _ = after.start().await;
    assert_eq!(after.state(), State::Degraded);
    let app = after.get();
    assert_eq!((app.n, &*app.name, app.labels.len()), (1, "b", 0));
    let report = after.last_error().unwrap().to_string();
    assert!(report.contains(&folder.origin("20-b.yaml")), "{report}");
    folder.put("20-b.yaml", "name: new");
    crate::until("what is there now", || {
        let app = after.get();
        app.n == 0 && app.name == "new" && app.labels.len() == 1
    })
    .await;
    assert_eq!(after.state(), State::Healthy);
    after.stop().await;

    // The same files are what is kept.
    let again = keeping(&folder, &at).build().unwrap();
    again.start().await.unwrap();
    assert_eq!(again.state(), State::Healthy);
    again.stop().await;
}

/// A required source, of which the last known good file has files alone.
#[tokio::test]
async fn a_start_over_files_that_break_a_rule_or_are_gone_serves_those_of_before() {
    for (files, reason) in [
        (&[("20-b.yaml", "n: 5000")][..], "must be in 0..=1000"),
        (&[], "names no file that exists"),
    ] {
        let at = tempfile::tempdir().unwrap();
        let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "name: b")]);
        let before = keeping(&folder, &at).build().unwrap();
        before.start().await.unwrap();
        before.stop().await;
        folder.remove("10-a.yaml");
        folder.remove("20-b.yaml");
        for (name, text) in files {
            folder.put(name, text);
        }
        let after = keeping(&folder, &at).build().unwrap();
        let _ = after.start().await;
        let app = after.get();
        assert_eq!((app.n, &*app.name), (1, "b"), "{reason}");
        let report = after.last_error().unwrap().to_string();
        assert!(report.contains(reason), "{report}");
        folder.put("20-b.yaml", "n: 7");
        crate::until("what is there now", || {
            after.get().n == 7 && after.state() == State::Healthy
        })
        .await;
        assert_eq!(after.get().name, "nobody");
        after.stop().await;
        let again = keeping(&folder, &at).build().unwrap();
        again.start().await.unwrap();
        assert_eq!((again.get().n, again.state()), (7, State::Healthy));
        again.stop().await;
    }
}

#[tokio::test]
async fn a_new_file_is_on_trial_and_the_same_files_are_not() {
    let at = tempfile::tempdir().unwrap();
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1")]);
    let start = async || {
        let capacitor = keeping(&folder, &at).trial(2).build().unwrap();
        capacitor.start().await.unwrap();
        capacitor
    };
    let first = start().await;
    crate::until("what is served is kept", || {
        at.path().join("known-good.json").exists()
    })
    .await;
    first.trust().await.unwrap();
    first.stop().await;
    let second = start().await;
    assert!(second.status().trial.is_none(), "{}", second.status());
    folder.put("20-b.yaml", "name: b");
    crate::until("the new file", || second.get().name == "b").await;
    let trial = second.status().trial.clone().expect("it is on trial");
    assert_eq!(trial.changed, ["name"]);
    second.trust().await.unwrap();
    assert!(second.status().trial.is_none());
    folder.remove("10-a.yaml");
    crate::until("without the first file", || second.get().n == 0).await;
    assert_eq!(second.status().trial.as_ref().unwrap().changed, ["n"]);
    second.trust().await.unwrap();
    second.stop().await;
    let third = start().await;
    assert!(third.status().trial.is_none(), "{}", third.status());
    third.stop().await;
}

#[derive(Flux, Debug)]
#[flux(optional_source = "file:app.yaml", source = "file:conf.d/*")]
struct RecordedApp {
    #[flux(default = 0, range = 0..=9)]
    n: u32,
    #[flux(secret, default = "none", non_empty)]
    token: String,
}

#[tokio::test]
async fn a_recording_has_every_file_without_its_secrets_and_is_played_again() {
    let recorder = Recorder::in_memory();
    let app = harness::<RecordedApp>()
        .document(
            "conf.d/*",
            DropIns::document([
                ("10-a.yaml", "n: 1\ntoken: hunter2"),
                ("20-b.toml", "n = 2"),
            ]),
        )
        .with(|builder| builder.record(&recorder))
        .start()
        .await;
    let set = |files: &[(&str, &str)]| {
        let document = DropIns::document(files.iter().copied());
        let app = &app;
        async move { app.set("conf.d/*", document).await }
    };
    set(&[
        ("10-a.yaml", "n: 1\ntoken: hunter2"),
        ("15-c.json", r#"{"token": "geheim"}"#),
    ])
    .await
    .unwrap();
    assert_eq!((app.get().n, &*app.get().token), (1, "geheim"));
    set(&[("10-a.yaml", "n: 99\ntoken: hunter2")])
        .await
        .unwrap_err();
    set(&[
        ("10-a.yaml", "n: [\ntoken: hunter2"),
        ("20-b.toml", "n = 5"),
    ])
    .await
    .unwrap_err();
    app.remove("conf.d/*").await.unwrap_err();
    set(&[("20-b.toml", "n = 5")]).await.unwrap();
    set(&[("20-b.toml", "# another comment\nn = 5")])
        .await
        .unwrap();
    set(&[("README", "hunter2")]).await.unwrap_err();
    set(&[("20-b.toml", "n = 6")]).await.unwrap();
    app.stop().await;
    let log = recorder.lines();
    assert!(!log.contains("hunter2") && !log.contains("geheim"), "{log}");
    assert!(log.contains("15-c.json"), "{log}");
    let recording: Recording = log.parse().unwrap();
    let replay = recording.replay(RecordedApp::builder()).await.unwrap();
    replay.assert_same();
    assert_eq!(replay.get().n, 6);
    let refused = recording.outcomes();
    let mut refused = refused.iter().flat_map(|outcome| &outcome.refused);
    assert!(refused.any(|one| one.layer == "conf.d/10-a.yaml"), "{log}");
}

#[tokio::test]
async fn a_start_that_is_refused_without_anything_kept_is_an_error() {
    let at = tempfile::tempdir().unwrap();
    let folder = DropInFolder::of(&[("10-a.yaml", "n: many")]);
    let capacitor = keeping(&folder, &at).build().unwrap();
    assert!(matches!(capacitor.start().await, Err(Error::Refused(_))));
    capacitor.stop().await;
}

/// A start from the last known good file, with another layer that goes on.
#[tokio::test]
async fn a_second_broken_file_after_such_a_start_holds_back_nothing_of_other_layers() {
    let at = tempfile::tempdir().unwrap();
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "name: b")]);
    let before = keeping(&folder, &at).build().unwrap();
    before.start().await.unwrap();
    before.stop().await;

    folder.put("20-b.yaml", "name: [");
    folder.put("30-c.yaml", "labels: {c: c}");
    let (sender, channel) = Channel::buffered("above", 4);
    let above = Source::watcher(channel).format(Format::Yaml).optional();
    let after = keeping(&folder, &at).override_with(above).build().unwrap();
    sender.send(&b"pool: {size: 3}"[..]).await.unwrap();
    let _ = after.start().await;
    assert_eq!((after.get().n, &*after.get().name), (1, "b"));
    crate::until("the other layer", || after.get().pool.size == 3).await;
    folder.put("40-d.yaml", "n: [");
    let origin = folder.origin("40-d.yaml");
    let names = |capacitor: &Capacitor<DropInApp>| {
        let report = capacitor.last_error();
        report.is_some_and(|report| report.to_string().contains(&origin))
    };
    crate::until("the second refusal", || names(&after)).await;
    sender.send(&b"pool: {size: 4}"[..]).await.unwrap();
    crate::until("a change of the other layer", || after.get().pool.size == 4).await;
    assert_eq!((after.get().n, &*after.get().name), (1, "b"));
    folder.put("20-b.yaml", "name: new");
    folder.put("40-d.yaml", "n: 4");
    crate::until("what is there", || {
        let app = after.get();
        (app.n, &*app.name, app.labels.len()) == (4, "new", 1)
    })
    .await;
    assert_eq!(after.state(), State::Healthy);
    after.stop().await;
}

/// The folder was empty when the file was written, and its first file is broken.
#[tokio::test]
async fn a_first_file_that_is_broken_is_not_there_beside_what_was_kept() {
    let at = tempfile::tempdir().unwrap();
    let folder = DropInFolder::new();
    let start = || {
        let kept = at.path().join("known-good.json");
        let (sender, channel) = Channel::latest("below");
        sender.try_send(&b"n: 5"[..]).unwrap();
        let builder = Capacitor::<DropInApp>::builder()
            .source(Source::watcher(channel).format(Format::Yaml))
            .source(folder.source().optional())
            .debounce(Duration::ZERO)
            .last_known_good(kept.to_str().unwrap(), Secrets::Omit);
        (builder.build().unwrap(), sender)
    };
    let (before, _sender) = start();
    before.start().await.unwrap();
    before.stop().await;
    folder.put("10-a.yaml", "n: [");
    let (after, _sender) = start();
    let _ = after.start().await;
    assert_eq!((after.get().n, after.state()), (5, State::Degraded));
    folder.put("10-a.yaml", "n: 6");
    crate::until("the first file", || after.get().n == 6).await;
    after.stop().await;
}

mod earlier {
    #[derive(flux::Flux, Debug)]
    pub(super) struct UpgradedApp {
        #[flux(default = 0)]
        pub(super) n: u32,
        #[flux(default = "nobody")]
        pub(super) name: String,
    }
}

mod later {
    #[derive(flux::Flux, Debug)]
    pub(super) struct UpgradedApp {
        #[flux(default = 0)]
        pub(super) n: u32,
        #[flux(default = 0)]
        pub(super) name: u32,
    }
}

/// The program has changed since the file was written, and one of two files has another type today.
#[tokio::test]
async fn a_folder_is_not_served_without_a_kept_file_that_cannot_be_read_any_more() {
    fn build<C: flux::Config>(folder: &DropInFolder, at: &tempfile::TempDir) -> Capacitor<C> {
        let kept = at.path().join("known-good.json");
        let builder = Capacitor::<C>::builder()
            .source(folder.source())
            .debounce(Duration::ZERO)
            .last_known_good(kept.to_str().unwrap(), Secrets::Omit)
            .startup_timeout(Duration::from_secs(5));
        builder.build().unwrap()
    }
    type Break = fn(&DropInFolder);
    let breaks: [(&str, Break); 4] = [
        ("the other file", |folder| folder.put("10-a.yaml", "n: [")),
        ("both files", |folder| {
            folder.put("10-a.yaml", "n: [");
            folder.put("20-b.yaml", "name: [");
        }),
        ("the folder cannot be read", |folder| {
            folder.put("30\n-c.yaml", "");
        }),
        ("the folder is gone", |folder| {
            fs::remove_dir_all(&folder.path).unwrap();
        }),
    ];
    for (what, makes) in breaks {
        let at = tempfile::tempdir().unwrap();
        let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), ("20-b.yaml", "name: b")]);
        let before = build::<earlier::UpgradedApp>(&folder, &at);
        before.start().await.unwrap();
        assert_eq!((before.get().n, &*before.get().name), (1, "b"));
        before.stop().await;
        folder.put("20-b.yaml", "name: 7");
        makes(&folder);
        let after = build::<later::UpgradedApp>(&folder, &at);
        let refused = match after.start().await {
            Ok(()) => panic!("{what}: served is {:?}", *after.get()),
            Err(Error::Refused(report)) => report.to_string(),
            Err(other) => panic!("{what}: {other}"),
        };
        assert!(refused.contains("does not serve"), "{what}: {refused}");
        let reason = format!("what was kept of {}", folder.origin("20-b.yaml"));
        assert!(refused.contains(&reason), "{what}: {refused}");
        assert_eq!(after.state(), State::Empty, "{what}");
        let _ = fs::create_dir(&folder.path);
        let _ = fs::remove_file(folder.file("30\n-c.yaml"));
        folder.put("10-a.yaml", "n: 2");
        folder.put("20-b.yaml", "name: 7");
        crate::until("what is there now", || {
            after.state() == State::Healthy && (after.get().n, after.get().name) == (2, 7)
        })
        .await;
        after.stop().await;
    }
}

#[tokio::test]
async fn a_file_of_any_name_is_kept_beside_a_declared_layer_of_the_same_file() {
    let at = tempfile::tempdir().unwrap();
    let odd = "20-\u{1b}[2J\tb.yaml";
    let folder = DropInFolder::of(&[("10-a.yaml", "n: 1"), (odd, "name: b")]);
    let plain = || {
        Source::file(folder.origin("10-a.yaml"))
            .optional()
            .settle(Duration::from_millis(50))
    };
    let start = || keeping(&folder, &at).source(plain()).build().unwrap();
    let before = start();
    before.start().await.unwrap();
    before.stop().await;
    folder.put(odd, "name: [");
    // With the file in both, and in neither.
    folder.put("10-a.yaml", "n: 9");
    let after = start();
    let _ = after.start().await;
    assert_eq!(&*after.get().name, "b", "{}", after.status());
    assert_eq!(after.state(), State::Degraded);
    after.stop().await;
    folder.remove("10-a.yaml");
    let after = start();
    let _ = after.start().await;
    assert_eq!(&*after.get().name, "b", "{}", after.status());
    after.stop().await;
}
