//! Real files on a real file system. What is awaited has a generous bound; what must not come gets a short one.

#![allow(clippy::unwrap_used)] // In helpers too.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{Mutex, MutexGuard},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{DropIns, File};
use crate::source::{
    Observation, SourceError, Watcher,
    drop_ins::DropInLayers,
    mailbox::{Health, Mailbox},
    supervisor::supervise,
};

/// Tests run one at a time: some count the threads and descriptors of the process.
pub(super) static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
pub(super) const BOUND: Duration = Duration::from_secs(60);
/// Long enough for an event to arrive that should not.
pub(super) const A_WHILE: Duration = Duration::from_millis(150);
/// No poll comes to the rescue of a missed event.
pub(super) const NEVER: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum SeenFile {
    Text(String),
    Absent,
    Unreadable(String),
}

pub(super) struct WatchedPath {
    mailbox: Arc<Mailbox>,
    task: JoinHandle<()>,
    pub(super) seen: Vec<SeenFile>,
    pub(super) unsettled: bool,
    answered: u64,
    pub(super) failing: Option<SourceError>,
}

impl WatchedPath {
    pub(super) fn of(mut watcher: impl Watcher) -> Self {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        let task = tokio::spawn(async move { supervise(&mut watcher, &observer).await });
        WatchedPath {
            mailbox,
            task,
            seen: Vec::new(),
            unsettled: false,
            answered: 0,
            failing: None,
        }
    }

    pub(super) fn at(path: &Path) -> Self {
        Self::of(File::new(path).resync(NEVER))
    }

    pub(super) fn take(&mut self) {
        for news in self.mailbox.take() {
            self.unsettled = news.unsettled;
            self.answered = news.answered;
            match news.health {
                Some(Health::Stale { error, .. }) => self.failing = Some(error),
                Some(_) => self.failing = None,
                None => {}
            }
            self.seen.extend(news.observation.map(|seen| match seen {
                Observation::Value(content) => {
                    SeenFile::Text(String::from_utf8(content.bytes.to_vec()).unwrap())
                }
                Observation::Absent => SeenFile::Absent,
                Observation::Unreadable(error) => SeenFile::Unreadable(error.to_string()),
            }));
        }
    }

    /// Asks for the source to be read now.
    pub(super) fn ask(&self) {
        assert!(self.mailbox.read_now(0).is_some());
    }

    /// Asks, and waits for the answer.
    pub(super) async fn answers(&mut self) {
        let request = self.mailbox.read_now(0).unwrap();
        self.until("an answer", |watched| watched.answered >= request)
            .await;
    }

    pub(super) async fn changed(&self) {
        self.mailbox.changed().await;
    }

    pub(super) async fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let waiting = timeout(BOUND, async {
            self.take();
            while !done(self) {
                self.mailbox.changed().await;
                self.take();
            }
        });
        if waiting.await.is_err() {
            panic!("{what} never came; seen {:?}", self.seen);
        }
    }

    pub(super) async fn sees(&mut self, expected: SeenFile) {
        let what = format!("{expected:?}");
        self.until(&what, |watched| watched.seen.last() == Some(&expected))
            .await;
    }

    pub(super) async fn reads(&mut self, text: &str) {
        self.sees(SeenFile::Text(text.to_owned())).await;
    }

    /// Nothing more is delivered.
    pub(super) async fn stays(&mut self) {
        let before = self.seen.len();
        sleep(A_WHILE).await;
        self.take();
        assert_eq!(self.seen.len(), before, "{:?}", self.seen);
    }

    pub(super) async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

pub(super) struct TestFolder {
    pub(super) root: PathBuf,
    _temp: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl TestFolder {
    pub(super) async fn new() -> Self {
        let turn = ONE_AT_A_TIME.lock().await;
        let temp = tempfile::tempdir().unwrap();
        TestFolder {
            root: temp.path().canonicalize().unwrap(),
            _temp: temp,
            _turn: turn,
        }
    }
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
    pub(super) fn replace(&self, name: &str, text: &str) {
        let new = self.write(&format!("{name}.new"), text);
        fs::rename(new, self.at(name)).unwrap();
    }
}

#[tokio::test]
async fn every_write_in_place_is_seen_once() {
    let place = TestFolder::new().await;
    let path = place.write("f", "0");
    let mut watched = WatchedPath::at(&path);
    watched.reads("0").await;
    for n in 1..=200 {
        fs::write(&path, n.to_string()).unwrap();
        watched.reads(&n.to_string()).await;
    }
    assert_eq!(watched.seen.len(), 201, "{:?}", watched.seen);
}

#[tokio::test]
async fn a_writer_that_has_just_emptied_the_file_is_waited_for_at_the_beginning_too() {
    let place = TestFolder::new().await;
    let path = place.at("f");
    let mut writer = fs::File::create(&path).unwrap();
    let mut watched = WatchedPath::at(&path);
    watched
        .until("unsettled", |watched| watched.unsettled)
        .await;
    writer.write_all(b"whole").unwrap();
    drop(writer);
    watched.reads("whole").await;
    assert_eq!(watched.seen.len(), 1, "{:?}", watched.seen);

    // Nobody writes: what is there counts.
    let path = place.write("empty", "");
    let file = File::new(&path)
        .resync(NEVER)
        .settle(Duration::from_millis(100));
    let mut watched = WatchedPath::of(file);
    watched.reads("").await;
    assert_eq!(watched.seen.len(), 1, "{:?}", watched.seen);
}

#[tokio::test]
async fn the_last_of_many_renames_is_seen() {
    let place = TestFolder::new().await;
    let path = place.write("f", "0");
    let mut watched = WatchedPath::at(&path);
    watched.reads("0").await;
    for n in 1..=100 {
        place.replace("f", &n.to_string());
        if n % 10 == 0 {
            watched.reads(&n.to_string()).await;
        }
    }
    watched.stays().await;
    assert!(!watched.seen.contains(&SeenFile::Absent));
}

#[tokio::test]
async fn editors_are_seen_to_finish_and_never_halfway() {
    let place = TestFolder::new().await;
    let path = place.write("f", "0");
    let mut watched = WatchedPath::at(&path);
    watched.reads("0").await;
    for n in 1..=20 {
        // vim with a backup: the old file is renamed away, a new one written, the old one removed.
        fs::rename(&path, place.at("f~")).unwrap();
        sleep(Duration::from_millis(2)).await;
        let text = format!("vim {n}");
        let mut file = fs::File::create(&path).unwrap();
        for byte in text.as_bytes() {
            file.write_all(&[*byte]).unwrap();
            tokio::task::yield_now().await;
        }
        drop(file);
        fs::remove_file(place.at("f~")).unwrap();
        watched.reads(&text).await;
        // sed -i: a temporary file beside it, renamed over it.
        place.replace("f", &format!("sed {n}"));
        watched.reads(&format!("sed {n}")).await;
    }
    assert_eq!(watched.seen.len(), 41, "{:?}", watched.seen);
}

#[tokio::test]
async fn swaps_of_a_kubernetes_data_link_are_seen() {
    let place = TestFolder::new().await;
    place.write("..v0/f", "0");
    symlink("..v0", place.at("..data")).unwrap();
    symlink("..data/f", place.at("f")).unwrap();
    let mut watched = WatchedPath::at(&place.at("f"));
    watched.reads("0").await;
    for n in 1..=50 {
        place.write(&format!("..v{n}/f"), &n.to_string());
        symlink(format!("..v{n}"), place.at("..data_tmp")).unwrap();
        fs::rename(place.at("..data_tmp"), place.at("..data")).unwrap();
        fs::remove_dir_all(place.at(&format!("..v{}", n - 1))).unwrap();
        watched.reads(&n.to_string()).await;
    }
    assert_eq!(watched.seen.len(), 51, "{:?}", watched.seen);
}

#[tokio::test]
async fn every_link_of_a_chain_over_directories_is_followed() {
    let place = TestFolder::new().await;
    place.write("one/f", "1");
    place.write("two/f", "2");
    fs::create_dir(place.at("links")).unwrap();
    symlink("../one", place.at("links/dir")).unwrap();
    symlink(place.at("links/dir/f"), place.at("start")).unwrap();
    let mut watched = WatchedPath::at(&place.at("start"));
    watched.reads("1").await;
    place.write("one/f", "in the target");
    watched.reads("in the target").await;
    symlink("../two", place.at("links/new")).unwrap();
    fs::rename(place.at("links/new"), place.at("links/dir")).unwrap();
    watched.reads("2").await;
    place.write("two/f", "in the new target");
    watched.reads("in the new target").await;
    place.write("one/f", "nobody looks here");
    watched.stays().await;
    place.write("other", "other");
    symlink("other", place.at("new")).unwrap();
    fs::rename(place.at("new"), place.at("start")).unwrap();
    watched.reads("other").await;
}

#[tokio::test]
async fn a_file_and_its_directories_may_go_and_come_back() {
    let place = TestFolder::new().await;
    let path = place.write("a/b/f", "1");
    let mut watched = WatchedPath::of(
        File::new(&path)
            .resync(NEVER)
            .settle(Duration::from_millis(50)),
    );
    watched.reads("1").await;
    for n in 0..5 {
        fs::remove_file(&path).unwrap();
        watched.sees(SeenFile::Absent).await;
        fs::write(&path, format!("file {n}")).unwrap();
        watched.reads(&format!("file {n}")).await;

        fs::remove_dir_all(place.at("a")).unwrap();
        watched.sees(SeenFile::Absent).await;
        place.write("a/b/f", &format!("directory {n}"));
        watched.reads(&format!("directory {n}")).await;

        fs::remove_dir_all(place.at("a")).unwrap();
        place.write("a/b/f", &format!("at once {n}"));
        watched.reads(&format!("at once {n}")).await;

        fs::rename(place.at("a/b"), place.at(&format!("moved {n}"))).unwrap();
        watched.sees(SeenFile::Absent).await;
        place.write("a/b/f", &format!("in its place {n}"));
        watched.reads(&format!("in its place {n}")).await;
        place.write(&format!("moved {n}/f"), "nobody looks here");
        watched.stays().await;
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_yet_is_absent_until_it_is() {
    let place = TestFolder::new().await;
    let mut watched = WatchedPath::at(&place.at("a/b/c/f"));
    watched.sees(SeenFile::Absent).await;
    fs::create_dir(place.at("a")).unwrap();
    sleep(Duration::from_millis(20)).await;
    place.write("a/b/c/f", "here");
    watched.reads("here").await;
    assert_eq!(watched.seen.len(), 2);
}

#[tokio::test]
async fn metadata_and_equal_content_deliver_nothing() {
    let place = TestFolder::new().await;
    let path = place.write("f", "same");
    let mut watched = WatchedPath::at(&path);
    watched.reads("same").await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    drop(file);
    fs::write(&path, "same").unwrap();
    place.replace("f", "same");
    let _ = fs::read(&path).unwrap();
    watched.stays().await;
    watched.until("settled", |watched| !watched.unsettled).await;
    assert_eq!(watched.seen.len(), 1);
}

#[tokio::test]
async fn a_change_without_an_event_is_found_by_the_poll_though_time_and_size_are_equal() {
    let place = TestFolder::new().await;
    let path = place.write("watched/f", "before");
    fs::create_dir(place.at("elsewhere")).unwrap();
    let other = place.at("elsewhere/f");
    fs::hard_link(&path, &other).unwrap();
    let time = SystemTime::now() - Duration::from_secs(3600);
    let set = |path: &Path| {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    };
    set(&other);
    let file = File::new(&path).settle(Duration::from_millis(100));
    let mut watched = WatchedPath::of(file.resync(Duration::from_millis(50)));
    watched.reads("before").await;
    fs::write(&other, "after!").unwrap();
    set(&other);
    watched.reads("after!").await;
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), time);
}

#[tokio::test]
async fn a_slow_writer_is_never_seen_half() {
    let place = TestFolder::new().await;
    let path = place.write("f", "before");
    // Polled all the time, which must not tempt it either.
    let mut watched = WatchedPath::of(File::new(&path).resync(Duration::from_millis(20)));
    watched.reads("before").await;
    let mut file = fs::File::create(&path).unwrap();
    for part in ["a: 1\n", "b: 2\n", "c: 3\n", "d: 4\n"] {
        sleep(A_WHILE).await;
        watched.take();
        assert!(watched.unsettled, "the writer is at work");
        file.write_all(part.as_bytes()).unwrap();
        file.flush().unwrap();
    }
    sleep(A_WHILE).await;
    drop(file);
    watched.reads("a: 1\nb: 2\nc: 3\nd: 4\n").await;
    assert!(!watched.unsettled);
    assert_eq!(watched.seen.len(), 2, "{:?}", watched.seen);
}

#[tokio::test]
async fn a_writer_that_never_closes_is_read_when_quiet() {
    let place = TestFolder::new().await;
    let path = place.write("f", "before");
    let mut watched = WatchedPath::of(
        File::new(&path)
            .resync(NEVER)
            .settle(Duration::from_millis(80)),
    );
    watched.reads("before").await;
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b" and after").unwrap();
    watched.reads("before and after").await;
    drop(file);
    watched.stays().await;
}

#[tokio::test]
async fn what_is_not_a_readable_file_is_refused_and_says_why() {
    let place = TestFolder::new().await;
    let path = place.write("f", "good");
    let shown = path.display().to_string();
    let mut watched = WatchedPath::of(
        File::new(&path)
            .resync(NEVER)
            .max_size(1024)
            .settle(A_WHILE),
    );
    watched.reads("good").await;

    fs::write(&path, "x".repeat(1536)).unwrap();
    let refused = format!("{shown} holds 1.5 KiB, more than the limit of 1 KiB");
    watched.sees(SeenFile::Unreadable(refused)).await;

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let refused = format!("{shown} is a directory; expected a regular file");
    watched.sees(SeenFile::Unreadable(refused)).await;

    fs::remove_dir(&path).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if made.is_ok_and(|status| status.success()) {
        let refused = format!("{shown} is a FIFO; expected a regular file");
        watched.sees(SeenFile::Unreadable(refused)).await;
        fs::remove_file(&path).unwrap();
    }
    symlink("/dev/null", &path).unwrap();
    let refused = format!("{shown} is a device; expected a regular file");
    watched.sees(SeenFile::Unreadable(refused)).await;

    place.replace("f", "good again");
    watched.reads("good again").await;
}

#[cfg(target_os = "linux")]
mod footprint {
    use super::*;

    fn threads() -> usize {
        let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
        tasks
            .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
            .filter(|name| name.starts_with("notify-rs"))
            .count()
    }

    fn descriptors() -> usize {
        let files = fs::read_dir("/proc/self/fd").unwrap().flatten();
        files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .filter(|target| target.to_string_lossy().contains("inotify"))
            .count()
    }

    async fn nothing_left() {
        let gone = timeout(BOUND, async {
            while threads() + descriptors() > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        });
        if gone.await.is_err() {
            panic!("{} threads, {} descriptors left", threads(), descriptors());
        }
    }

    #[tokio::test]
    async fn three_hundred_files_share_one_thread_which_ends_with_the_last() {
        let place = TestFolder::new().await;
        nothing_left().await;
        let name = |n: usize| format!("d{}/f{n}", n % 7);
        let mut all = Vec::new();
        for n in 0..300 {
            all.push(WatchedPath::at(&place.write(&name(n), "0")));
        }
        for watched in &mut all {
            watched.reads("0").await;
            watched
                .until("live", |watched| watched.failing.is_none())
                .await;
        }
        assert_eq!((threads(), descriptors()), (1, 1));
        for n in 0..300 {
            place.write(&name(n), &format!("text {n}"));
        }
        for (n, watched) in all.iter_mut().enumerate() {
            watched.reads(&format!("text {n}")).await;
            assert_eq!(watched.seen.len(), 2, "only its own file wakes a watcher");
        }
        let last = all.pop().unwrap();
        for watched in all {
            watched.stop().await;
        }
        assert_eq!((threads(), descriptors()), (1, 1));
        last.stop().await;
        nothing_left().await;
    }

    #[tokio::test]
    async fn it_can_be_watched_again_after_everything_stopped() {
        let place = TestFolder::new().await;
        let path = place.write("f", "0");
        for n in 0..5 {
            let mut watched = WatchedPath::at(&path);
            watched
                .until("the first value", |watched| !watched.seen.is_empty())
                .await;
            let text = format!("round {n}");
            fs::write(&path, &text).unwrap();
            watched.reads(&text).await;
            watched.stop().await;
            nothing_left().await;
        }
    }

    fn all_descriptors() -> usize {
        fs::read_dir("/proc/self/fd").unwrap().count()
    }

    /// What a new file of them takes is compared with what one that is watched by itself does, in one and the same process.
    #[tokio::test]
    async fn a_thousand_files_of_a_pattern_are_one_thread_and_three_descriptors() {
        let place = TestFolder::new().await;
        nothing_left().await;
        for number in 0..1000 {
            place.write(&format!("conf.d/{number:04}.yaml"), "n: 1");
        }
        let alone = place.write("alone.yaml", "n: 1");
        let pattern = place.at("conf.d/*.yaml");
        let before = all_descriptors();
        let layers = DropInLayers::of(pattern.to_str().unwrap(), None);
        let layers = layers.unwrap().unwrap();
        let mut files = WatchedPath::of(DropIns::of(&layers, "conf.d").resync(NEVER));
        let has = |watched: &WatchedPath, text: &str| match watched.seen.last() {
            Some(SeenFile::Text(seen)) => seen.contains(text),
            _ => false,
        };
        files
            .until("all of them", |watched| has(watched, "0999.yaml"))
            .await;
        files
            .until("live", |watched| watched.failing.is_none())
            .await;
        assert_eq!((threads(), descriptors()), (1, 1));
        assert!(
            all_descriptors() <= before + 3,
            "{before}, {}",
            all_descriptors()
        );
        let mut one = WatchedPath::at(&alone);
        one.reads("n: 1").await;
        let (mut of_files, mut of_one) = (Vec::new(), Vec::new());
        for round in 0..20 {
            let name = format!("conf.d/2{round:03}.yaml");
            let aside = place.write("aside", &format!("round: {round}"));
            let began = std::time::Instant::now();
            fs::rename(aside, place.at(&name)).unwrap();
            let text = format!("round: {round}");
            files
                .until("the new file", |watched| has(watched, &text))
                .await;
            of_files.push(began.elapsed());
            let aside = place.write("aside", &format!("round {round}"));
            let began = std::time::Instant::now();
            fs::rename(aside, &alone).unwrap();
            one.reads(&format!("round {round}")).await;
            of_one.push(began.elapsed());
        }
        let median = |mut all: Vec<Duration>| {
            all.sort_unstable();
            all[all.len() / 2]
        };
        let (of_files, of_one) = (median(of_files), median(of_one));
        println!("a new file of 1,000: {of_files:?}; one file: {of_one:?}");
        assert!(
            of_files < of_one + Duration::from_millis(60),
            "{of_files:?}, {of_one:?}"
        );
        files.stop().await;
        one.stop().await;
        nothing_left().await;
    }
}
