//! What 1,000 watched files cost while nothing happens, in a process of their own.

use crate::table::{Row, Table};
use flux::{Capacitor, Flux, Source};
use notify::{RecursiveMode, Watcher};
use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const FILES: usize = 1_000;
const FOLDERS: usize = 100;
/// What one watcher a file is tried with: a process may by default have 128 inotify instances.
const ONE_EACH: usize = 100;
const IDLE: Duration = Duration::from_secs(5);

#[derive(Flux)]
struct Live {
    n: u64,
}

pub(crate) fn run(table: &mut Table) {
    if !cfg!(target_os = "linux") {
        return;
    }
    table.title("1,000 watched files, each with a capacitor of its own");
    let output = Command::new(env::current_exe().expect("this program"))
        .args(["--watch", &FILES.to_string()])
        .output()
        .expect("this program again");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let numbers: Vec<f64> = told
        .split_whitespace()
        .map(|word| word.parse().expect("a number"))
        .collect();
    let [threads, instances, wakeups, peer_threads, peer_instances] = numbers[..] else {
        panic!("{told}");
    };
    table.add(Row::new("threads beside the runtime's own", threads, "").at_most(1.0));
    table.add(Row::new("inotify instances", instances, "").at_most(1.0));
    table.add(Row::new("wake-ups of the process in 5 idle seconds", wakeups, "").at_most(0.0));
    table.add(Row::new(
        "peer: threads of one notify watcher a file, 100 files",
        peer_threads,
        "",
    ));
    table.add(Row::new(
        "peer: inotify instances of one notify watcher a file",
        peer_instances,
        "",
    ));
}

/// Watches so many files and prints what [`run`] tells.
pub(crate) fn watch(files: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let paths: Vec<PathBuf> = (0..files)
        .map(|n| {
            folder
                .path()
                .join(format!("{}", n % FOLDERS))
                .join(format!("{n}.json"))
        })
        .collect();
    for (n, path) in paths.iter().enumerate() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, format!("{{\"n\": {n}}}")).expect("a file");
    }
    // The workers are started by now, and asleep.
    thread::sleep(Duration::from_millis(100));
    let before = (threads(), instances());
    let capacitors: Vec<Capacitor<Live>> = paths
        .iter()
        .map(|path| {
            let source = Source::file(path.to_str().expect("Unicode"));
            let capacitor = Capacitor::builder()
                .source(source)
                .build()
                .expect("a layer");
            runtime.block_on(capacitor.start()).expect("a start");
            capacitor
        })
        .collect();
    // The threads that made the watches end when they were idle for 10 s.
    let start = Instant::now();
    while threads() > before.0 + 1 && start.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(200));
    }
    let (threads_now, instances_now) = (threads(), instances());
    let switches_before = switches();
    thread::sleep(IDLE);
    let wakeups = switches() - switches_before;
    changes_are_seen(&paths, &capacitors);

    let before_each = (threads(), instances());
    let each: Vec<_> = paths[..ONE_EACH]
        .iter()
        .map(|path| {
            let mut watcher = notify::recommended_watcher(|_| {}).expect("a watcher");
            watcher
                .watch(path, RecursiveMode::NonRecursive)
                .expect("a watch");
            watcher
        })
        .collect();
    println!(
        "{} {} {wakeups} {} {}",
        threads_now - before.0,
        instances_now - before.1,
        threads() - before_each.0,
        instances() - before_each.1,
    );
    drop(each);
}

/// It is no use to be idle and deaf.
fn changes_are_seen(paths: &[PathBuf], capacitors: &[Capacitor<Live>]) {
    for at in [0, paths.len() / 2, paths.len() - 1] {
        fs::write(&paths[at], "{\"n\": 1000000}").expect("a file");
        let start = Instant::now();
        while capacitors[at].get().n != 1_000_000 {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "file {at} is not watched"
            );
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("Linux").count()
}

fn instances() -> usize {
    fs::read_dir("/proc/self/fd")
        .expect("Linux")
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| target.as_os_str() == "anon_inode:inotify")
        .count()
}

/// How often any thread but this one has gone to sleep, and so was woken before.
fn switches() -> u64 {
    let own = fs::read_link("/proc/thread-self").expect("Linux");
    let of = |status: String| {
        let line = status
            .lines()
            .find(|line| line.starts_with("voluntary_ctxt_switches"))?
            .to_owned();
        line.split_whitespace().last()?.parse::<u64>().ok()
    };
    fs::read_dir("/proc/self/task")
        .expect("Linux")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|task| task.file_name() != own.file_name())
        .filter_map(|task| of(fs::read_to_string(task.join("status")).ok()?))
        .sum()
}
