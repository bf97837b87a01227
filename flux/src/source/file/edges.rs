//! Tests slow writers in folders, file systems without events, mounts of one file, full tables and pools.

#![allow(clippy::unwrap_used)] // In helpers too.
#![allow(clippy::print_stdout)] // What was run, and what the machine does not allow.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::symlink,
    path::Path,
    process::Command,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use tokio::{runtime, task::spawn_blocking, time::sleep};

use super::{
    Dir, File,
    chain::EventSpot,
    entry::Trust,
    event::Touch,
    hub::{self, Wait},
    place::WatchedPlace,
    target::Target,
    tests::{NEVER, SeenFile, TestFolder, WatchedPath},
    touches::Touches,
};
use crate::{
    codec::{Codec, Tree},
    source::{Observer, SourceError, Watcher},
};

pub(super) const SETTLE: Duration = Duration::from_millis(300);

pub(super) fn dir(path: &Path) -> WatchedPath {
    patient(path, SETTLE)
}

/// What has events does not wait for the settle time, however long it is.
fn patient(path: &Path, settle: Duration) -> WatchedPath {
    WatchedPath::of(Dir::new(path).resync(NEVER).settle(settle))
}

/// What a directory was seen to hold: `a=1 b=2`; `-` where it was absent.
fn values(seen: &SeenFile) -> String {
    let SeenFile::Text(text) = seen else {
        return if *seen == SeenFile::Absent {
            "-".to_owned()
        } else {
            format!("{seen:?}")
        };
    };
    let tree = Dir::codec().decode(text).unwrap();
    let Tree::Map(entries) = &tree else {
        panic!("{tree:?}");
    };
    let pairs = entries.iter().map(|(name, value)| match value {
        Tree::Raw(value) => format!("{name}={value}"),
        other => panic!("{other:?}"),
    });
    pairs.collect::<Vec<_>>().join(" ")
}

impl WatchedPath {
    pub(super) async fn holds(&mut self, expected: &str) {
        self.until(expected, |watched| {
            watched.seen.last().map(values).as_deref() == Some(expected)
        })
        .await;
    }

    pub(super) fn history(&self) -> Vec<String> {
        self.seen.iter().map(values).collect()
    }
}

#[tokio::test]
async fn a_slow_writer_of_one_file_of_a_folder_is_not_seen_when_another_one_is_finished() {
    let place = TestFolder::new().await;
    place.write("d/a", "1");
    place.write("d/b", "1");
    let mut watched = patient(&place.at("d"), NEVER);
    watched.holds("a=1 b=1").await;
    let mut writer = fs::File::create(place.at("d/a")).unwrap();
    place.write("d/b", "2");
    watched.holds("a=1 b=2").await;
    writer.write_all(b"ha").unwrap();
    place.replace("d/b", "3");
    watched.holds("a=1 b=3").await;
    writer.write_all(b"lf").unwrap();
    drop(writer);
    watched.holds("a=half b=3").await;
    assert_eq!(
        watched.history(),
        ["a=1 b=1", "a=1 b=2", "a=1 b=3", "a=half b=3"]
    );
}

#[tokio::test]
async fn a_file_of_a_folder_that_is_emptied_while_its_writer_is_slow_keeps_its_value() {
    let place = TestFolder::new().await;
    place.write("d/s", "old");
    let mut watched = WatchedPath::of(Dir::new(place.at("d")).resync(NEVER));
    watched.holds("s=old").await;
    // As `( sleep 1.5; echo new ) > s`.
    let mut writer = fs::File::create(place.at("d/s")).unwrap();
    sleep(Duration::from_millis(1500)).await;
    writer.write_all(b"new\n").unwrap();
    drop(writer);
    watched.holds("s=new").await;
    assert_eq!(watched.history(), ["s=old", "s=new"]);
}

#[tokio::test]
async fn a_file_of_a_folder_that_went_away_for_less_than_the_settle_time_keeps_its_value() {
    let place = TestFolder::new().await;
    place.write("d/s", "old");
    place.write("d/t", "1");
    let mut watched = patient(&place.at("d"), 7 * SETTLE);
    watched.holds("s=old t=1").await;
    fs::remove_file(place.at("d/s")).unwrap();
    place.write("d/t", "2");
    watched.holds("s=old t=2").await;
    sleep(SETTLE / 3).await;
    place.write("d/s", "new");
    watched.holds("s=new t=2").await;
    assert_eq!(watched.history(), ["s=old t=1", "s=old t=2", "s=new t=2"]);
    fs::remove_file(place.at("d/s")).unwrap();
    watched.holds("t=2").await;
}

#[tokio::test]
async fn a_file_that_is_new_in_a_folder_is_seen_when_it_is_finished() {
    let place = TestFolder::new().await;
    place.write("d/a", "1");
    let mut watched = patient(&place.at("d"), NEVER);
    watched.holds("a=1").await;
    let begin = Instant::now();
    place.replace("d/b", "2");
    watched
        .until("b", |watched| {
            watched.history().last().unwrap().contains("b=2")
        })
        .await;
    let mut writer = fs::File::create(place.at("d/c")).unwrap();
    writer.write_all(b"ha").unwrap();
    sleep(SETTLE / 2).await;
    writer.write_all(b"lf").unwrap();
    drop(writer);
    watched
        .until("c", |watched| {
            watched.history().last().unwrap().contains("c=half")
        })
        .await;
    assert!(begin.elapsed() < Duration::from_secs(60));
    let halves = watched.history();
    assert!(
        !halves.iter().any(|seen| seen.ends_with("c=ha")),
        "{halves:?}"
    );
}

#[tokio::test]
async fn a_folder_that_is_made_anew_leaves_no_gap() {
    let place = TestFolder::new().await;
    place.write("d/a", "1");
    place.write("d/b", "1");
    let mut watched = patient(&place.at("d"), 7 * SETTLE);
    watched.holds("a=1 b=1").await;
    fs::remove_dir_all(place.at("d")).unwrap();
    sleep(SETTLE / 3).await;
    place.write("d/a", "2");
    place.write("d/b", "2");
    watched.holds("a=2 b=2").await;
    let gap = |seen: &String| !(seen.contains("a=") && seen.contains("b="));
    assert!(
        !watched.history().iter().any(gap),
        "{:?}",
        watched.history()
    );

    fs::remove_dir_all(place.at("d")).unwrap();
    watched.holds("-").await;
    fs::create_dir(place.at("d")).unwrap();
    sleep(SETTLE / 3).await;
    place.write("d/a", "3");
    watched.holds("a=3").await;
    assert!(
        !watched.history().contains(&String::new()),
        "{:?}",
        watched.history()
    );
}

#[tokio::test]
async fn a_swap_of_the_data_link_is_seen_at_once_and_as_a_whole() {
    let place = TestFolder::new().await;
    let mount = |n: u32| {
        place.write(&format!("d/..v{n}/a"), &n.to_string());
        // Every second version has a file that the others do not have.
        if n.is_multiple_of(2) {
            place.write(&format!("d/..v{n}/b"), &n.to_string());
        }
        symlink(format!("..v{n}"), place.at("d/..new")).unwrap();
        fs::rename(place.at("d/..new"), place.at("d/..data")).unwrap();
        if n > 0 {
            fs::remove_dir_all(place.at(&format!("d/..v{}", n - 1))).unwrap();
        }
    };
    mount(0);
    symlink("..data/a", place.at("d/a")).unwrap();
    symlink("..data/b", place.at("d/b")).unwrap();
    let mut watched = patient(&place.at("d"), NEVER);
    watched.holds("a=0 b=0").await;
    let mut expected = vec!["a=0 b=0".to_owned()];
    for n in 1..60 {
        let begin = Instant::now();
        mount(n);
        let held = if n.is_multiple_of(2) {
            format!("a={n} b={n}")
        } else {
            format!("a={n}")
        };
        watched.holds(&held).await;
        expected.push(held);
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "swap {n}: {:?}",
            begin.elapsed()
        );
    }
    assert_eq!(watched.history(), expected);
}

#[tokio::test]
async fn without_events_a_slow_writer_is_never_seen_half() {
    let place = TestFolder::new().await;
    let path = place.write("watched/f", "before");
    // Writes by the other name have no events here.
    fs::create_dir(place.at("elsewhere")).unwrap();
    fs::hard_link(&path, place.at("elsewhere/f")).unwrap();
    sleep(SETTLE).await;
    let file = File::new(&path)
        .settle(7 * SETTLE)
        .resync(Duration::from_millis(10));
    let mut watched = WatchedPath::of(file);
    watched.reads("before").await;
    let mut writer = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(place.at("elsewhere/f"))
        .unwrap();
    for _ in 0..8 {
        writer.write_all(b"part ").unwrap();
        sleep(SETTLE / 3).await;
    }
    drop(writer);
    watched.reads(&"part ".repeat(8)).await;
    assert_eq!(watched.seen.len(), 2, "{:?}", watched.seen);
}

#[tokio::test]
async fn a_file_that_is_written_to_for_long_is_reported_as_unsettled() {
    let place = TestFolder::new().await;
    let path = place.write("f", "before");
    let mut watched = WatchedPath::of(File::new(&path).resync(NEVER).settle(3 * SETTLE));
    watched.reads("before").await;
    let mut writer = fs::File::create(&path).unwrap();
    let begin = Instant::now();
    while watched.failing.is_none() {
        assert!(begin.elapsed() < Duration::from_secs(60), "never reported");
        writer.write_all(b"x").unwrap();
        sleep(SETTLE / 6).await;
        watched.take();
    }
    let text = watched.failing.clone().unwrap().to_string();
    assert!(
        text.contains("has been written to for more than 2s"),
        "{text}"
    );
    assert!(begin.elapsed() >= Duration::from_secs(2));
    assert_eq!(watched.seen.len(), 1, "{:?}", watched.seen);
    drop(writer);
    watched
        .until("healthy", |watched| {
            watched.failing.is_none() && watched.seen.len() == 2
        })
        .await;
}

/// The event of the swap comes after that of the last write to the old file.
#[tokio::test]
async fn a_finished_write_says_nothing_of_the_file_to_which_a_link_leads_by_now() {
    let place = TestFolder::new().await;
    let old = place.write("v1/f", "old");
    symlink("v1", place.at("link")).unwrap();
    let target = Target {
        path: place.at("link/f"),
        shown: "f".to_owned(),
        max_size: 100,
    };
    let mut watched = WatchedPlace::file(Arc::new(target), SETTLE);
    let look = watched.look(Trust::Unproven, Wait::Forever, Instant::now().into());
    look.unwrap();
    sleep(SETTLE).await;
    watched.overdue(Instant::now().into());
    assert!(watched.take_news());
    // A writer is at work where the link leads now.
    place.write("v2/f", "ha");
    symlink("v2", place.at("new")).unwrap();
    fs::rename(place.at("new"), place.at("link")).unwrap();
    let mut touches = Touches::default();
    let spot = EventSpot::entry(old.parent().unwrap(), "f");
    touches.add(&spot, Touch::Finished);
    watched.touch(&touches, Instant::now().into());
    assert!(!watched.take_news(), "the half of a document");
}

/// The thread is held up between the event and its reading for longer than the settle time.
#[tokio::test]
async fn a_file_that_is_found_absent_late_is_waited_for_from_then_on() {
    let place = TestFolder::new().await;
    let path = place.write("f", "old");
    let target = Target {
        path: path.clone(),
        shown: "f".to_owned(),
        max_size: 100,
    };
    let mut watched = WatchedPlace::file(Arc::new(target), SETTLE);
    let event = Instant::now();
    let look = watched.look(Trust::Unproven, Wait::Forever, event.into());
    look.unwrap();
    sleep(SETTLE).await;
    watched.overdue(Instant::now().into());
    assert!(watched.take_news());
    fs::remove_file(&path).unwrap();
    let mut touches = Touches::default();
    touches.add(&EventSpot::entry(&place.root, "f"), Touch::Gone);
    watched.touch(&touches, event.into());
    watched.overdue(Instant::now().into());
    assert!(!watched.take_news(), "it was seen to be away for a moment");
    let due = watched.due().unwrap();
    assert!(due > Instant::now().into());
    watched.overdue(due);
    assert!(watched.take_news());
}

#[tokio::test]
async fn after_events_were_lost_everything_is_read_when_it_is_quiet() {
    let place = TestFolder::new().await;
    fs::create_dir(place.at("elsewhere")).unwrap();
    for name in ["d/a", "d/b"] {
        let path = place.write(name, "before");
        fs::hard_link(path, place.at("elsewhere").join(&name[2..])).unwrap();
    }
    let file = File::new(place.at("d/a")).settle(SETTLE).resync(NEVER);
    let mut file = WatchedPath::of(file);
    let mut folder = dir(&place.at("d"));
    file.reads("before").await;
    folder.holds("a=before b=before").await;
    for name in ["elsewhere/a", "elsewhere/b"] {
        place.write(name, "after");
    }
    file.stays().await;
    let lost = notify::Event::new(notify::EventKind::Other).set_flag(notify::event::Flag::Rescan);
    hub::deliver(Ok(lost));
    file.reads("after").await;
    folder
        .until("after", |watched| {
            watched.history().last().unwrap() == "a=after b=after"
        })
        .await;
}

#[test]
fn a_full_pool_of_blocking_threads_stops_neither_a_start_nor_events() {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (release, stuck) = mpsc::channel::<()>();
    runtime.block_on(async {
        let place = TestFolder::new().await;
        spawn_blocking(move || stuck.recv().is_ok());
        place.write("v1/f", "1");
        symlink("v1", place.at("link")).unwrap();
        let mut file = WatchedPath::at(&place.at("link/f"));
        let mut folder = dir(&place.at("link"));
        file.reads("1").await;
        folder.holds("f=1").await;
        place.write("v1/f", "2");
        file.reads("2").await;
        folder.holds("f=2").await;
        place.write("v2/f", "3");
        symlink("v2", place.at("new")).unwrap();
        fs::rename(place.at("new"), place.at("link")).unwrap();
        file.reads("3").await;
        folder.holds("f=3").await;
        place.replace("v2/f", "4");
        file.reads("4").await;
        folder
            .until("f=4", |watched| {
                watched.history().last().unwrap().contains("f=4")
            })
            .await;
    });
    drop(release);
}

#[tokio::test]
async fn a_file_is_read_when_it_is_asked_for() {
    let place = TestFolder::new().await;
    let path = place.write("watched/f", "before");
    fs::create_dir(place.at("elsewhere")).unwrap();
    fs::hard_link(&path, place.at("elsewhere/f")).unwrap();
    let file = File::new(&path)
        .resync(NEVER)
        .settle(Duration::from_millis(20));
    let mut watched = WatchedPath::of(file);
    watched.reads("before").await;
    fs::write(place.at("elsewhere/f"), "after").unwrap();
    watched.stays().await;
    watched.ask();
    watched.reads("after").await;
}

/// A file or a folder on the terms of its layer.
struct OfLayer<W>(W, Duration);

impl<W: Watcher> Watcher for OfLayer<W> {
    fn origin(&self) -> String {
        self.0.origin()
    }
    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        self.0.watch(observer).await
    }
    fn resync(&self) -> Option<Duration> {
        Some(self.1)
    }
}

#[tokio::test]
async fn the_resync_of_the_layer_holds_for_files_and_folders() {
    let place = TestFolder::new().await;
    let path = place.write("watched/f", "before");
    fs::create_dir(place.at("elsewhere")).unwrap();
    fs::hard_link(&path, place.at("elsewhere/f")).unwrap();
    sleep(SETTLE).await;
    let often = Duration::from_millis(10);
    let file = File::new(&path).settle(SETTLE).resync(NEVER);
    let folder = Dir::new(place.at("watched")).settle(SETTLE).resync(NEVER);
    let mut file = WatchedPath::of(OfLayer(file, often));
    let mut folder = WatchedPath::of(OfLayer(folder, often));
    file.reads("before").await;
    folder.holds("f=before").await;
    // Writes by the other name have no events here.
    fs::write(place.at("elsewhere/f"), "after").unwrap();
    file.reads("after").await;
    folder.holds("f=after").await;
}

#[tokio::test]
async fn a_folder_answers_once_what_it_holds_is_settled() {
    let place = TestFolder::new().await;
    place.write("watched/a", "1");
    let path = place.at("watched");
    let mut watched = dir(&path);
    watched.holds("a=1").await;
    fs::remove_dir_all(&path).unwrap();
    watched.answers().await;
    assert_eq!(watched.history().last().map(String::as_str), Some("-"));
    fs::create_dir(&path).unwrap();
    fs::write(path.join("a"), "2").unwrap();
    watched.answers().await;
    assert_eq!(watched.history().last().map(String::as_str), Some("a=2"));
}

/// Runs the test `name` (with its modules) again by `command`, which ends with the program and its arguments. Answers what it
/// printed, or `None` where the machine does not allow it.
pub(super) fn again(name: &str, command: &str) -> Option<String> {
    let program = env::current_exe().unwrap();
    let script = format!("{command} \"$0\" --exact --nocapture '{name}'");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(program)
        .env(CHILD, name)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("running 0 tests"), "there is no test {name}");
    if !text.contains("running 1 test") {
        let reason = String::from_utf8_lossy(&output.stderr);
        skipped(name, &reason);
        return None;
    }
    assert!(
        text.contains("1 passed"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(text)
}

/// The machine does not allow what the test needs. `tests/run` lists what it finds in `target/skipped` at its end.
pub(super) fn skipped(name: &str, reason: &str) {
    println!("!!! SKIPPED: {name}: {reason}");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    if target.is_dir() {
        let folder = target.join("skipped");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name.replace("::", ".")), reason).unwrap();
    }
}

const CHILD: &str = "FLUX_TEST_CHILD";

pub(super) fn is_child(name: &str) -> bool {
    env::var(CHILD).is_ok_and(|child| child == name)
}

/// The processor time of this process, in hundredths of a second, by its open `/proc/self/stat`.
fn ticks(stat: &mut fs::File) -> u64 {
    let mut text = String::new();
    stat.seek(SeekFrom::Start(0)).unwrap();
    stat.read_to_string(&mut text).unwrap();
    let fields: Vec<&str> = text
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    [11, 12]
        .map(|at| fields[at].parse::<u64>().unwrap())
        .iter()
        .sum()
}

#[tokio::test]
async fn a_read_without_a_free_descriptor_keeps_the_value_and_is_tried_again() {
    let name =
        "source::file::edges::a_read_without_a_free_descriptor_keeps_the_value_and_is_tried_again";
    if !is_child(name) {
        again(name, "ulimit -n 64 &&");
        return;
    }
    let place = TestFolder::new().await;
    let path = place.write("f", "before");
    place.write("d/a", "before");
    let mut file = WatchedPath::at(&path);
    let mut folder = dir(&place.at("d"));
    file.reads("before").await;
    folder.holds("a=before").await;
    place.write("next", "after");
    place.write("next-a", "after");
    // Another file of the folder is being written to: it is due again and again, and cannot be read.
    let writer = fs::File::create(place.at("d/b")).unwrap();
    (&writer).write_all(b"half").unwrap();
    let mut stat = fs::File::open("/proc/self/stat").ok();
    let mut all = Vec::new();
    while let Ok(one) = fs::File::open(&path) {
        all.push(one);
    }
    fs::rename(place.at("next"), &path).unwrap();
    fs::rename(place.at("next-a"), place.at("d/a")).unwrap();
    file.until("stale", |watched| watched.failing.is_some())
        .await;
    folder
        .until("stale", |watched| watched.failing.is_some())
        .await;
    for watched in [&mut file, &mut folder] {
        let text = watched.failing.clone().unwrap().to_string();
        assert!(
            text.contains("cannot be read") && text.contains("open files"),
            "{text}"
        );
        assert_eq!(watched.seen.len(), 1, "{:?}", watched.seen);
    }
    let before = stat.as_mut().map(ticks);
    sleep(SETTLE * 4).await;
    if let (Some(stat), Some(before)) = (&mut stat, before) {
        let spent = ticks(stat) - before;
        assert!(
            spent < 60,
            "{spent} hundredths of a second were spent on waiting for 1.2 s"
        );
    }
    drop(all);
    file.reads("after").await;
    folder
        .until("after", |watched| {
            watched.history().last().unwrap().contains("a=after")
        })
        .await;
    drop(writer);
    folder.holds("a=after b=half").await;
    file.until("live", |watched| watched.failing.is_none())
        .await;
    folder
        .until("live", |watched| watched.failing.is_none())
        .await;
}
