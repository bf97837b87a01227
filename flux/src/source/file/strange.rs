//! Tests what takes a file's place and is none, mounted objects that are replaced without a pause, times that cannot be, and limits
//! of the system that are reached.

#![allow(clippy::unwrap_used)] // In helpers too.
#![allow(clippy::print_stdout)] // What the machine does not allow.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, SystemTime},
};

use tokio::time::sleep;

use super::{
    Dir, File,
    edges::{SETTLE, again, dir, is_child, skipped},
    hub,
    tests::{NEVER, SeenFile, TestFolder, WatchedPath},
};

fn remove(path: &Path) {
    if fs::remove_file(path).is_err() {
        let _ = fs::remove_dir_all(path);
    }
}

type Make = fn(&Path);

/// What is no file, and what `file:` reports of it; nothing where it is absent.
const STRANGE: [(Make, Option<&str>); 8] = [
    (|path| fs::create_dir(path).unwrap(), Some("is a directory")),
    (
        |path| {
            let made = Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        },
        Some("is a FIFO"),
    ),
    (
        |path| drop(UnixListener::bind(path).unwrap()),
        Some("is a socket"),
    ),
    (
        |path| symlink("/dev/full", path).unwrap(),
        Some("is a device"),
    ),
    (
        |path| symlink(path.file_name().unwrap(), path).unwrap(),
        Some("cannot be read"),
    ),
    (
        |path| {
            let other = path.with_extension("other");
            let _ = fs::remove_file(&other);
            symlink(path, &other).unwrap();
            symlink(&other, path).unwrap();
        },
        Some("cannot be read"),
    ),
    (
        |path| symlink("x".repeat(300), path).unwrap(),
        Some("cannot be read"),
    ),
    (|path| symlink("nowhere/at/all", path).unwrap(), None),
];

#[tokio::test]
async fn what_takes_the_place_of_a_file_is_refused_and_the_next_good_file_counts() {
    let place = TestFolder::new().await;
    let path = place.write("d/f", "good");
    let settled = File::new(&path).resync(NEVER).settle(SETTLE);
    let mut file = WatchedPath::of(settled);
    let mut folder = dir(&place.at("d"));
    file.reads("good").await;
    folder.holds("f=good").await;
    for (n, (make, refusal)) in STRANGE.into_iter().enumerate() {
        remove(&path);
        make(&path);
        let what = format!("{n}: {refusal:?}");
        file.until(&what, |file| match (file.seen.last(), refusal) {
            (Some(SeenFile::Unreadable(error)), Some(refusal)) => error.contains(refusal),
            (Some(SeenFile::Absent), None) => true,
            _ => false,
        })
        .await;
        let good = format!("good again {n}");
        let _ = fs::remove_file(path.with_extension("other"));
        remove(&path);
        place.replace("d/f", &good);
        file.reads(&good).await;
        file.until("health", |file| file.failing.is_none()).await;
        folder.holds(&format!("f={good}")).await;
        folder
            .until("health", |folder| folder.failing.is_none())
            .await;
    }
}

/// Beside it, other names of the folder change all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_that_are_replaced_without_a_pause_are_never_seen_mixed() {
    const SWAPS: usize = 300;
    let place = TestFolder::new().await;
    let root = place.at("d");
    fs::create_dir(&root).unwrap();
    let swap = |n: usize| {
        let version = root.join(format!("..v{n}"));
        fs::create_dir(&version).unwrap();
        for name in ["a", "b"] {
            fs::write(version.join(name), n.to_string()).unwrap();
        }
        symlink(format!("..v{n}"), root.join("..tmp")).unwrap();
        fs::rename(root.join("..tmp"), root.join("..data")).unwrap();
        if n > 0 {
            fs::remove_dir_all(root.join(format!("..v{}", n - 1))).unwrap();
        }
    };
    swap(0);
    for name in ["a", "b"] {
        symlink(format!("..data/{name}"), root.join(name)).unwrap();
    }
    let mut folder = dir(&root);
    folder.holds("a=0 b=0").await;
    let ended = AtomicBool::new(false);
    // The session runs meanwhile, on another thread.
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                let name = |n: usize| root.join(format!(".noise{}", n % 7));
                fs::write(name(n), "noise").unwrap();
                let _ = fs::rename(name(n), name(n * 3 + 1));
                if ended.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for n in 1..=SWAPS {
            swap(n);
            if n % 10 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
        ended.store(true, Ordering::Relaxed);
    });
    folder.holds(&format!("a={SWAPS} b={SWAPS}")).await;
    let history = folder.history();
    for held in &history {
        let values = held
            .split(' ')
            .map(|pair| pair.split_once('=').map(|(_, value)| value));
        assert_eq!(values.collect::<BTreeSet<_>>().len(), 1, "{held}");
        assert!(
            held.starts_with("a=") && held.contains(" b="),
            "{history:?}"
        );
    }
    // While what leads to it changes all the time it is stale, which is looked at again after 10 s at most.
    let live = |folder: &WatchedPath| folder.failing.is_none();
    folder.until("health", live).await;
}

#[tokio::test]
async fn a_time_of_modification_that_cannot_be_hides_no_change() {
    let place = TestFolder::new().await;
    let path = place.write("d/f", "0");
    let mut file = WatchedPath::at(&path);
    let mut folder = dir(&place.at("d"));
    file.reads("0").await;
    let day = Duration::from_secs(86_400);
    let times = [
        SystemTime::now() + day,
        SystemTime::UNIX_EPOCH,
        SystemTime::now() + day * 365 * 50,
        SystemTime::now() - day,
    ];
    for (n, time) in (1..).zip(times.into_iter().cycle().take(12)) {
        match n % 2 {
            0 => drop(place.write("d/f", &n.to_string())),
            _ => place.replace("d/f", &n.to_string()),
        }
        let written = fs::File::options().write(true).open(&path).unwrap();
        written.set_modified(time).unwrap();
        drop(written);
        file.reads(&n.to_string()).await;
        folder.holds(&format!("f={n}")).await;
    }
}

/// The system's queue of events is full, as where a program cannot run for a while: what it drops is read when it is quiet.
#[tokio::test]
async fn a_queue_of_events_that_overflows_loses_no_change() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events");
    let limit: usize = limit.map_or(0, |limit| limit.trim().parse().unwrap());
    if !(1..=100_000).contains(&limit) {
        let name = "source::file::strange::a_queue_of_events_that_overflows_loses_no_change";
        skipped(name, &format!("the queue of events has {limit} places"));
        return;
    }
    let place = TestFolder::new().await;
    let path = place.write("d/f", "1");
    let mut file = WatchedPath::of(File::new(&path).resync(NEVER).settle(SETTLE));
    let mut folder = dir(&place.at("d"));
    file.reads("1").await;
    folder.holds("f=1").await;
    {
        let _held = hub::held_up();
        // The thread waits for what is held with the first event; two are made by each turn at least.
        for n in 0..limit {
            let name = place.at("d").join(format!(".{}", n % 2));
            fs::write(&name, "").unwrap();
            fs::remove_file(&name).unwrap();
        }
        fs::write(&path, "2").unwrap();
        place.write("d/g", "3");
    }
    file.reads("2").await;
    folder.holds("f=2 g=3").await;
    file.until("health", |file| file.failing.is_none()).await;
    folder
        .until("health", |folder| folder.failing.is_none())
        .await;
}

/// In a user namespace of its own, whose limit is for it alone.
#[tokio::test]
async fn without_a_watch_left_a_file_is_read_every_now_and_then_and_the_health_says_so() {
    const LIMIT: &str = "/proc/sys/user/max_inotify_watches";
    let name = "source::file::strange::without_a_watch_left_a_file_is_read_every_now_and_then_and_the_health_says_so";
    if !is_child(name) {
        let enter =
            format!("unshare --user --map-root-user sh -c 'echo 0 >{LIMIT} && exec \"$0\" \"$@\"'");
        again(name, &enter);
        return;
    }
    let place = TestFolder::new().await;
    let path = place.write("d/f", "1");
    let tick = Duration::from_millis(100);
    let mut file = WatchedPath::of(File::new(&path).resync(tick).settle(tick));
    let mut folder = WatchedPath::of(Dir::new(place.at("d")).resync(tick).settle(tick));
    file.reads("1").await;
    folder.holds("f=1").await;
    for watched in [&mut file, &mut folder] {
        let deaf = |watched: &WatchedPath| {
            let error = watched.failing.as_ref().map(ToString::to_string);
            error.is_some_and(|error| error.contains("file events cannot be had"))
        };
        watched.until("stale", deaf).await;
    }
    for n in 2..5 {
        place.replace("d/f", &n.to_string());
        file.reads(&n.to_string()).await;
        folder.holds(&format!("f={n}")).await;
        assert!(file.failing.is_some() && folder.failing.is_some());
    }
    fs::write(LIMIT, "100").unwrap();
    for watched in [&mut file, &mut folder] {
        watched
            .until("live", |watched| watched.failing.is_none())
            .await;
    }
    // Others share the watches now, and events do what the ticks did.
    sleep(tick).await;
    let mut by_events = WatchedPath::at(&path);
    by_events.reads("4").await;
    place.replace("d/f", "5");
    by_events.reads("5").await;
    assert!(by_events.failing.is_none());
}
