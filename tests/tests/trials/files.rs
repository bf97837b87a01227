//! The two files themselves: a disk that refuses them, files of before, and files that people have damaged.

use crate::child::Program;
use flux::{
    Capacitor, Flux, Format, Secrets, Source,
    capacitor::Status,
    source::{Channel, ChannelSender},
};
use std::{fs, path::Path, sync::Arc, time::Duration};

#[derive(Flux, Debug)]
struct Plain {
    #[flux(default)]
    n: u32,
}

async fn keeping(path: &Path) -> (Capacitor<Plain>, ChannelSender) {
    let (sender, channel) = Channel::buffered("app", 4);
    let capacitor = Capacitor::<Plain>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .trial(2)
        .build()
        .unwrap();
    sender.send(&b"n: 1"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    (capacitor, sender)
}

async fn until(capacitor: &Capacitor<Plain>, holds: impl Fn(&Status) -> bool) -> Arc<Status> {
    for _ in 0..3000 {
        let status = capacitor.status();
        if holds(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{}", capacitor.status());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_written_is_in_the_status_until_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let (capacitor, sender) = keeping(&path).await;
    until(&capacitor, |status| status.last_known_good.is_some()).await;
    assert_eq!(capacitor.status().trial_record, None);
    // A folder in its place is what every user meets alike: root may write into one that is read-only.
    let record = folder.path().join("last.json.trial");
    fs::create_dir(&record).unwrap();
    sender.send(&b"n: 2"[..]).await.unwrap();
    let status = until(&capacitor, |status| status.generation == 2).await;
    let file = status.trial_record.as_ref().unwrap();
    assert_eq!((&file.path, file.written), (&record, None));
    let problem = file.problem.as_ref().unwrap();
    for part in [
        "last.json.trial",
        "cannot be kept",
        "is not counted",
        "tried again",
    ] {
        assert!(problem.contains(part), "{problem}");
    }
    assert!(status.to_string().contains(problem), "{status}");
    fs::remove_dir(&record).unwrap();
    let status = until(&capacitor, |status| {
        status.trial_record.as_ref().unwrap().problem.is_none()
    })
    .await;
    assert!(!status.to_string().contains("cannot be kept"), "{status}");
    assert!(record.is_file() || status.trial.is_none());
    capacitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_last_known_good_file_that_cannot_be_written_is_tried_again_without_any_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    fs::create_dir(&path).unwrap();
    let (capacitor, sender) = keeping(&path).await;
    let status = until(&capacitor, |status| status.last_known_good.is_some()).await;
    let problem = status.last_known_good.as_ref().unwrap().problem.clone();
    assert!(problem.unwrap().contains("cannot be kept"), "{status}");
    fs::remove_dir(&path).unwrap();
    let status = until(&capacitor, |status| {
        status.last_known_good.as_ref().unwrap().problem.is_none()
    })
    .await;
    assert!(status.last_known_good.as_ref().unwrap().written.is_some());
    assert!(path.is_file());
    drop(sender);
    capacitor.stop().await;
}

/// As a version of before wrote it, or one without trials.
fn without_fingerprints(path: &Path, version: u64) {
    let mut file: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    file.as_object_mut().unwrap().remove("key").unwrap();
    let layers = file["layers"].as_array_mut().unwrap();
    layers.retain(|layer| layer.get("content").is_some());
    for layer in layers.iter_mut() {
        layer
            .as_object_mut()
            .unwrap()
            .remove("fingerprint")
            .unwrap();
    }
    if version == 1 {
        let of = |layer: &serde_json::Value| {
            let key = layer["layer"].as_str().unwrap().to_owned();
            (key, layer["content"].clone())
        };
        let layers: serde_json::Map<_, _> = layers.iter().map(of).collect();
        (file["version"], file["layers"]) = (1.into(), layers.into());
    }
    fs::write(path, file.to_string()).unwrap();
}

#[test]
fn a_change_that_kills_is_held_back_where_the_file_has_no_fingerprints_yet() {
    for version in [1, 2] {
        let mut program = Program::new("");
        program.is_good("n: 1", 1);
        without_fingerprints(&program.path("last.json"), version);
        program.write("{ n: 2, dies: later abort }");
        for _ in 0..2 {
            program.start();
            program.dies();
        }
        program.start();
        let seen = program.shows("degraded Some(1)");
        assert!(seen.contains("in quarantine"), "{seen}");
        program.write("n: 3");
        program.shows("healthy Some(3)");
    }
}

#[test]
fn a_file_without_fingerprints_gets_them_once_the_first_configuration_has_passed_its_trial() {
    for version in [1, 2] {
        let mut program = Program::new("");
        program.probation = Some(Duration::from_millis(100));
        program.is_good("n: 1", 1);
        let path = program.path("last.json");
        without_fingerprints(&path, version);
        program.start();
        program.shows("healthy Some(1)");
        program.holds("last.json", |text| {
            text.is_some_and(|text| text.contains("fingerprint"))
        });
        program.stop();
        program.has_no_record();
    }
}

/// Does to a file what people and disks do.
fn damage(path: &Path, how: &str) {
    let before = fs::read(path).unwrap_or_default();
    let _ = fs::remove_file(path);
    match how {
        "gone" => {}
        "empty" => fs::write(path, "").unwrap(),
        "half" => fs::write(path, &before[..before.len() / 2]).unwrap(),
        "bytes" => fs::write(path, [0xff; 64]).unwrap(),
        "another type" => {
            let text = String::from_utf8(before).unwrap();
            fs::write(path, text.replace("\"App\"", "\"Other\"")).unwrap();
        }
        "a later version" => {
            let text = String::from_utf8(before).unwrap();
            let text = text.replace("\"version\": 1", "\"version\": 9");
            fs::write(path, text.replace("\"version\": 2", "\"version\": 9")).unwrap();
        }
        "deep" => fs::write(path, "[".repeat(1 << 20)).unwrap(),
        "huge" => fs::File::create(path).unwrap().set_len(300 << 20).unwrap(),
        "a folder" => fs::create_dir(path).unwrap(),
        "a pipe" => {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        }
        "a loop" => std::os::unix::fs::symlink(path, path).unwrap(),
        other => unreachable!("{other}"),
    }
}

#[test]
fn whatever_has_become_of_the_files_a_good_document_is_served() {
    let ways = [
        "gone",
        "empty",
        "half",
        "bytes",
        "another type",
        "a later version",
        "deep",
        "huge",
        "a folder",
        "a pipe",
        "a loop",
    ];
    for name in ["last.json", "last.json.trial"] {
        for how in ways {
            let mut program = Program::new("");
            program.is_good("n: 1", 1);
            // There is a record, and something in it.
            program.write("{ n: 2, dies: later abort }");
            program.start();
            program.dies();
            program.records(|record| record["on_trial"]["running"] == true);
            damage(&program.path(name), how);
            program.write("n: 3");
            program.start();
            program.shows("healthy Some(3)");
            program.write("n: 4");
            program.shows("healthy Some(4)");
            program.stop();
            program.start();
            program.shows("healthy Some(4)");
        }
    }
}

#[test]
fn what_processes_died_with_stays_held_back_when_the_last_known_good_file_is_lost_or_damaged() {
    // After one death and after both, before the third start.
    for deaths in [1, 2] {
        for how in ["gone", "half", "bytes"] {
            let mut program = Program::new("");
            program.is_good("n: 1", 1);
            program.write("{ n: 2, dies: later abort }");
            for death in 1..=2 {
                program.start();
                program.dies();
                if death == deaths {
                    damage(&program.path("last.json"), how);
                }
            }
            // Nothing is there to serve, and what kills is not tried: neither now nor at the next start.
            for _ in 0..2 {
                let _ = fs::remove_file(program.path("seen"));
                program.start();
                program.shows_text("in quarantine");
                program.kill();
            }
            program.write("n: 3");
            program.start();
            program.shows("healthy Some(3)");
            program.stop();
        }
    }
}
