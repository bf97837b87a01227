//! Starts from the last known good file, alone and in a group.

mod of_folders;

use crate::{
    Capacitor, Format, Secrets, Snapshot, Source, State,
    change::Group,
    source::{Channel, ChannelSender},
};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct MemberApp {
    n: u32,
    #[flux(default = 0)]
    m: u32,
}

async fn member(group: &Group, path: &Path, text: &str) -> (Capacitor<MemberApp>, ChannelSender) {
    let (sender, channel) = Channel::buffered("app", 4);
    let capacitor = Capacitor::<MemberApp>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .group(group)
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .trial(2)
        .build()
        .unwrap();
    sender.send(text.as_bytes()).await.unwrap();
    (capacitor, sender)
}

#[tokio::test]
async fn a_member_of_a_group_starts_from_its_last_known_good_though_another_member_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["one", "other"] {
        let (good, _sender) = member(&Group::new(), &path(name), "n: 1").await;
        good.start().await.unwrap();
        good.stop().await;
    }
    for (document, state) in [("n: 1", State::Healthy), ("n: x", State::Degraded)] {
        let group = Group::new();
        let (one, _sender) = member(&group, &path("one"), "n: x").await;
        one.start().await.unwrap();
        assert_eq!((one.state(), one.get().n), (State::Degraded, 1));
        let (other, sender) = member(&group, &path("other"), document).await;
        other.start().await.unwrap();
        assert_eq!((other.state(), other.get().n), (state, 1));
        // What is new still waits for the group.
        sender.send(&b"n: 2"[..]).await.unwrap();
        let waits = async {
            while !other.status().to_string().contains("waits for its group") {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let limit = std::time::Duration::from_secs(30);
        tokio::time::timeout(limit, waits).await.unwrap();
        assert_eq!(other.get().n, 1);
        one.stop().await;
        other.stop().await;
    }
}

#[test]
fn a_last_known_good_file_that_a_source_reads_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("app.yaml"), "n: 1").unwrap();
    std::fs::create_dir(file("keys")).unwrap();
    let build = |source: Source, keep: String| {
        let builder = Capacitor::<MemberApp>::builder().source(source);
        builder.last_known_good(&*keep, Secrets::Omit).build()
    };
    let dotted = format!("{}/./app.yaml", folder.path().display());
    let mut refused = vec![file("app.yaml"), dotted];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(file("app.yaml"), file("link")).unwrap();
        refused.push(file("link"));
    }
    for keep in refused {
        let error = build(Source::file(file("app.yaml")), keep).unwrap_err();
        assert!(error.to_string().contains("which the source"), "{error}");
    }
    build(Source::file(file("app.yaml")), file("last.json")).unwrap();
    let inside = build(Source::dir(file("keys")), file("keys/last.json"));
    assert!(inside.is_err());
    build(Source::dir(file("keys")), file("last.json")).unwrap();
    let folders = || [file("none"), folder.path().to_str().unwrap().to_owned()];
    let searched = build(Source::search("last.json", folders()), file("last.json"));
    let error = searched.unwrap_err().to_string();
    assert!(error.contains("which the source"), "{error}");
    build(Source::search("app.yaml", folders()), file("last.json")).unwrap();
}

/// A capacitor whose callback refuses these numbers, with a second layer and the environment above.
fn refusing(
    path: &Path,
    refuses: &Arc<Mutex<Vec<u32>>>,
) -> (Capacitor<MemberApp>, [ChannelSender; 2]) {
    let (sender, channel) = Channel::buffered("app", 4);
    let (upper, upper_channel) = Channel::buffered("upper", 4);
    let refuses = Arc::clone(refuses);
    let capacitor = Capacitor::<MemberApp>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .source(
            Source::watcher(upper_channel)
                .format(Format::Yaml)
                .optional(),
        )
        .override_with(Source::env("X_").variables([("X_M", "5")]))
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .trial(2)
        .on_apply(move |_, app: Arc<Snapshot<MemberApp>>| {
            let refused = refuses.lock().unwrap().contains(&app.n);
            let answer = match refused {
                true => Err(format!("port {} is taken", app.n)),
                false => Ok(()),
            };
            async move { answer }
        })
        .build()
        .unwrap();
    (capacitor, [sender, upper])
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waits = async {
        while !is_so() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, waits).await.expect(what);
}

#[tokio::test]
async fn a_first_configuration_that_the_callback_refuses_is_replaced_by_the_last_known_good_one_until_it_passes()
 {
    // The new value is in the lower layer, or in an upper one that was absent.
    for is_in_upper in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.json");
        let refuses = Arc::new(Mutex::new(vec![2]));
        let (good, [lower, upper]) = refusing(&path, &refuses);
        lower.send(&b"n: 1"[..]).await.unwrap();
        upper.absent().await.unwrap();
        good.start().await.unwrap();
        good.stop().await;
        let (capacitor, [lower, upper]) = refusing(&path, &refuses);
        if is_in_upper {
            lower.send(&b"n: 1"[..]).await.unwrap();
            upper.send(&b"n: 2"[..]).await.unwrap();
        } else {
            lower.send(&b"n: 2"[..]).await.unwrap();
            upper.absent().await.unwrap();
        }
        capacitor.start().await.unwrap();
        assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
        assert_eq!(capacitor.get().m, 5, "the environment is what it is");
        let report = capacitor.last_error().unwrap().to_string();
        for part in [
            "port 2 is taken",
            "served is the last known good configuration",
            "last.json",
        ] {
            assert!(report.contains(part), "{part}: {report}");
        }
        // What is desired is tried again.
        refuses.lock().unwrap().clear();
        until("healthy", || capacitor.state() == State::Healthy).await;
        assert_eq!(capacitor.get().n, 2);
        capacitor.stop().await;
    }
}

#[tokio::test]
async fn where_the_callback_refuses_the_last_known_good_one_too_nothing_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let refuses = Arc::new(Mutex::new(Vec::new()));
    let (good, [lower, upper]) = refusing(&path, &refuses);
    lower.send(&b"n: 1"[..]).await.unwrap();
    upper.absent().await.unwrap();
    good.start().await.unwrap();
    good.stop().await;
    refuses.lock().unwrap().extend([1, 2]);
    let (capacitor, [lower, upper]) = refusing(&path, &refuses);
    lower.send(&b"n: 2"[..]).await.unwrap();
    upper.absent().await.unwrap();
    capacitor.start().await.unwrap_err();
    assert_eq!(capacitor.state(), State::Empty);
    lower.send(&b"n: 3"[..]).await.unwrap();
    until("healthy", || capacitor.state() == State::Healthy).await;
    assert_eq!(capacitor.get().n, 3);
    capacitor.stop().await;
}

#[tokio::test]
async fn what_the_file_lacks_is_not_taken_from_a_first_configuration_that_the_program_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let (good, [lower, upper]) = refusing(&path, &Arc::default());
    lower.send(&b"n: 1"[..]).await.unwrap();
    upper.absent().await.unwrap();
    good.start().await.unwrap();
    good.stop().await;
    let (sender, channel) = Channel::buffered("app", 4);
    let (new, new_channel) = Channel::buffered("new since", 4);
    let layer = |channel| Source::watcher(channel).format(Format::Yaml);
    let capacitor = Capacitor::<MemberApp>::builder()
        .source(layer(channel))
        .source(layer(new_channel))
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .on_apply(|_, app: Arc<Snapshot<MemberApp>>| async move {
            match app.n {
                2 => Err("port 2 is taken"),
                _ => Ok(()),
            }
        })
        .build()
        .unwrap();
    sender.send(&b"n: 2"[..]).await.unwrap();
    new.send(&b"m: 7"[..]).await.unwrap();
    capacitor.start().await.unwrap_err();
    assert_eq!(capacitor.state(), State::Empty);
    assert!(capacitor.try_snapshot().is_none());
    sender.send(&b"n: 3"[..]).await.unwrap();
    until("healthy", || capacitor.state() == State::Healthy).await;
    assert_eq!((capacitor.get().n, capacitor.get().m), (3, 7));
    capacitor.stop().await;
}

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct Guarded {
    #[flux(range = 0..=99)]
    n: u32,
    #[flux(secret)]
    password: String,
}

fn guarded(path: &Path, origin: &'static str) -> (Capacitor<Guarded>, ChannelSender) {
    let (sender, channel) = Channel::buffered(origin, 4);
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = Capacitor::<Guarded>::builder().source(source);
    let kept = builder.last_known_good(path.to_str().unwrap(), Secrets::Omit);
    (kept.trial(1).build().unwrap(), sender)
}

/// Keeps `n: 1`, and the record of a process that died while `n: 2` was on trial.
async fn died_with_n_2(path: &Path) {
    let (capacitor, sender) = guarded(path, "app");
    let document = |n: u32| format!("{{n: {n}, password: hunter2hunter2}}").into_bytes();
    sender.send(document(1)).await.unwrap();
    capacitor.start().await.unwrap();
    sender.send(document(2)).await.unwrap();
    while capacitor.get().n != 2 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let record = path.with_extension("json.trial");
    let died = std::fs::read_to_string(&record).unwrap();
    capacitor.stop().await;
    let own = format!("\"id\": {}", std::process::id());
    let died = died.replace(&own, "\"id\": 4194305");
    std::fs::write(&record, died).unwrap();
}

/// What becomes of the file of the last known good configuration before the start.
type Spoil = fn(String) -> Option<String>;

#[tokio::test(start_paused = true)]
async fn the_state_and_the_sentences_of_a_start_from_the_disk_agree_whatever_the_file_has() {
    let without = |text: String| Some(text.replace("\"key\"", "\"other\""));
    let files: [(&str, Spoil, &'static str, bool); 8] = [
        (
            "good, and the environment has the secret",
            Some,
            "app",
            true,
        ),
        ("the required secret is missing", Some, "app", false),
        ("absent", |_| None, "app", true),
        ("unreadable", |_| Some("{".to_owned()), "app", true),
        (
            "of another process, without fingerprints",
            without,
            "app",
            true,
        ),
        (
            "refused by a rule",
            |text| Some(text.replace("\"n\": 1", "\"n\": 100")),
            "app",
            true,
        ),
        (
            "of another type",
            |text| Some(text.replace("\"n\": 1", "\"n\": \"x\"")),
            "app",
            true,
        ),
        ("without the document, which has moved", Some, "moved", true),
    ];
    for (case, spoil, origin, has_secret) in files {
        for holds in ["n: 2", "n: x", "down"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("last.json");
            died_with_n_2(&path).await;
            let text = std::fs::read_to_string(&path).unwrap();
            match spoil(text) {
                Some(text) => std::fs::write(&path, text).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let (sender, channel) = Channel::buffered(origin, 4);
            let source = Source::watcher(channel).format(Format::Yaml);
            let mut builder = Capacitor::<Guarded>::builder().source(source);
            if has_secret {
                let secret = [("APP_PASSWORD", "hunter2hunter2")];
                builder = builder.source(Source::env("APP_").variables(secret));
            }
            let builder = builder.last_known_good(path.to_str().unwrap(), Secrets::Omit);
            let limit = std::time::Duration::from_millis(200);
            let capacitor = builder.trial(1).startup_timeout(limit).build().unwrap();
            match holds {
                "down" => {
                    let down = crate::source::SourceError::transient("no route");
                    sender.fail(down).await.unwrap();
                }
                "n: x" => sender
                    .send(&b"{n: x, password: hunter2hunter2}"[..])
                    .await
                    .unwrap(),
                _ => sender
                    .send(&b"{n: 2, password: hunter2hunter2}"[..])
                    .await
                    .unwrap(),
            }
            let started = capacitor.start().await;
            let (state, applied) = (capacitor.state(), capacitor.try_snapshot().is_some());
            let report = capacitor.last_error().map(|report| report.to_string());
            let report = report.unwrap_or_default();
            let shown = format!("{case}, {holds}: {state}: {started:?}\n{report}");
            assert!(!report.contains("hunter2"), "{shown}");
            assert_eq!(started.is_ok(), applied, "{shown}");
            assert_eq!(
                applied,
                matches!(state, State::Healthy | State::Degraded),
                "{shown}"
            );
            assert_eq!(
                report.contains("no configuration is applied"),
                state == State::Empty,
                "{shown}"
            );
            let serves = applied && capacitor.get().n == 1;
            let names_it = report.contains("served is the last known good configuration");
            assert_eq!(names_it, serves, "{shown}");
            if case.starts_with("refused") {
                assert!(
                    report.contains("--> ") && report.contains("last.json, what was kept of app"),
                    "{shown}"
                );
            }
            if case.starts_with("the required") {
                assert!(report.contains("contains no secrets"), "{shown}");
                assert!(!report.contains("set `password` in app"), "{shown}");
            }
            if case.starts_with("without the") && holds == "n: x" {
                assert!(
                    report.contains("it contains nothing of moved (it has app)"),
                    "{shown}"
                );
            }
            capacitor.stop().await;
        }
    }
}
