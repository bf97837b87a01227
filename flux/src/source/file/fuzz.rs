//! Tests random operations on several files, folders and links at once. Once they end, what was observed last is what the disk
//! holds; and nothing was ever observed that no writer had finished, but for the one limit that the page of files states: a file
//! that was finished and is written to in place before that was read.
//!
//! `FLUX_FILE_OPS=50000` runs so many operations instead of 20,000, `FLUX_FILE_SEED=7` repeats one seed.

#![allow(clippy::unwrap_used)] // In helpers too.
#![allow(clippy::print_stdout)] // What was run, and what the machine does not allow.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

use super::{
    Dir, File,
    tests::{BOUND, NEVER, ONE_AT_A_TIME, SeenFile, WatchedPath},
};
use crate::codec::{Codec, Tree};

const SETTLE: Duration = Duration::from_millis(60);
/// So many worlds at a time.
const WORLDS: usize = 16;
const OPS_OF_A_WORLD: usize = 100;

/// What a path holds: the texts by name, one without a name where it is a file. `None`: nothing is there.
type FolderTexts = Option<BTreeMap<String, String>>;

/// A folder with everything that is watched in it.
struct FuzzedFolder {
    root: PathBuf,
    rng: fastrand::Rng,
    documents: u64,
    log: Vec<String>,
    finished: [Vec<Finished>; 2],
}

/// A document that came to be at a path, in this burst or in the one before.
struct Finished {
    /// Without links.
    path: PathBuf,
    text: String,
    in_place: bool,
}

/// Paths that are written to; what is watched leads to them by links, or is them.
const FILES: [&str; 11] = [
    "plain/f", "plain/g", "v0/g", "v1/g", "v2/g", "cur/g", "deep/x/h", "d/a", "d/b", "d/c", "e/a",
];
/// What is watched as a file.
const WATCHED: [&str; 8] = [
    "plain/f", "plain/g", "cur/g", "via", "deep/x/h", "k/n", "k/m", "d/a",
];
/// What is watched as a directory of values.
const FOLDERS: [&str; 4] = ["d", "k", "cur", "link-to-e"];

impl FuzzedFolder {
    fn new(root: &Path, seed: u64) -> FuzzedFolder {
        let mut world = FuzzedFolder {
            root: root.to_owned(),
            rng: fastrand::Rng::with_seed(seed),
            documents: 0,
            log: Vec::new(),
            finished: Default::default(),
        };
        for file in FILES.iter().filter(|file| !file.starts_with("cur/")) {
            fs::create_dir_all(world.at(file).parent().unwrap()).unwrap();
            world.write(file);
        }
        symlink("v0", world.at("cur")).unwrap();
        symlink("cur/g", world.at("via")).unwrap();
        symlink("e", world.at("link-to-e")).unwrap();
        fs::create_dir(world.at("k")).unwrap();
        world.mount();
        world.log.clear();
        world
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A text that no other one is a part of.
    fn document(&mut self) -> String {
        self.documents += 1;
        let n = self.documents;
        format!("<{n}:{}>", "x".repeat(n as usize * 7 % 60))
    }

    fn write(&mut self, path: &str) {
        let text = self.document();
        self.log.push(format!("write {path} {text:.8}"));
        self.finishes(path, &text, true);
        let _ = fs::write(self.at(path), text);
    }

    fn finishes(&mut self, path: &str, text: &str, in_place: bool) {
        let path = self.at(path);
        let real = path.parent().and_then(|folder| folder.canonicalize().ok());
        self.finished[1].push(Finished {
            path: real.map_or(path.clone(), |real| real.join(path.file_name().unwrap())),
            text: text.to_owned(),
            in_place,
        });
    }

    fn begin_burst(&mut self) {
        self.log.clear();
        self.finished.swap(0, 1);
        self.finished[1].clear();
    }

    /// Whether `half` is the beginning of what was written in place to a file that had been finished just before.
    fn excuses(&self, half: &str) -> bool {
        let all: Vec<&Finished> = self.finished.iter().flatten().collect();
        let writes = all.iter().enumerate();
        let mut writes = writes.filter(|(_, write)| write.in_place && write.text.starts_with(half));
        writes.any(|(n, write)| all[..n].iter().any(|before| before.path == write.path))
    }

    /// A whole file that has no name which is watched yet.
    fn aside(&mut self) -> (PathBuf, String) {
        let text = self.document();
        let path = self.at("aside");
        fs::write(&path, &text).unwrap();
        (path, text)
    }

    fn replace(&mut self, path: &str) {
        let (aside, text) = self.aside();
        self.log.push(format!("replace {path} {text:.8}"));
        self.finishes(path, &text, false);
        let _ = fs::rename(aside, self.at(path));
    }

    fn swap(&mut self, link: &str, target: &str) {
        self.log.push(format!("swap {link} to {target}"));
        let aside = self.at("aside-link");
        let _ = fs::remove_file(&aside);
        symlink(target, &aside).unwrap();
        let _ = fs::rename(aside, self.at(link));
    }

    /// As Kubernetes writes the next version of a mounted object.
    fn mount(&mut self) {
        let version = format!("..v{}", self.documents);
        self.log.push(format!("mount {version}"));
        let folder = self.at("k").join(&version);
        fs::create_dir(&folder).unwrap();
        for name in ["n", "m"] {
            // Of one version, so that a mixture is noticed.
            fs::write(folder.join(name), format!("<{}:>", self.documents)).unwrap();
        }
        self.documents += 1;
        let before = fs::read_link(self.at("k/..data")).ok();
        self.swap("k/..data", &version);
        for name in ["n", "m"] {
            let link = self.at("k").join(name);
            if !link.is_symlink() {
                symlink(format!("..data/{name}"), link).unwrap();
            }
        }
        if let Some(before) = before {
            let _ = fs::remove_dir_all(self.at("k").join(before));
        }
    }

    /// A folder of the same files in the place of another one.
    fn replace_folder(&mut self, folder: &str) {
        let new = self.at("aside-folder");
        let _ = fs::remove_dir_all(&new);
        fs::create_dir(&new).unwrap();
        for file in FILES {
            if let Some(name) = file.strip_prefix(&format!("{folder}/")) {
                let text = self.document();
                self.finishes(file, &text, false);
                fs::write(new.join(name), text).unwrap();
            }
        }
        self.log.push(format!("replace folder {folder}"));
        let old = self.at("old-folder");
        let _ = fs::rename(self.at(folder), &old);
        let _ = fs::rename(new, self.at(folder));
        let _ = fs::remove_dir_all(old);
    }

    fn pause(&mut self) {
        thread::sleep(Duration::from_micros(self.rng.u64(0..1500)));
    }

    fn operate(&mut self) {
        let path = self.rng.choice(FILES).unwrap();
        let folder = self
            .rng
            .choice(["v0", "v1", "v2", "e", "deep/x", "plain", "d"])
            .unwrap();
        let version = self.rng.choice(["v0", "v1", "v2"]).unwrap();
        match self.rng.u8(0..20) {
            0..3 => self.write(path),
            3..6 => self.replace(path),
            6 => {
                let text = self.document();
                self.log.push(format!("write {path} {text:.8} slowly"));
                self.finishes(path, &text, true);
                if let Ok(mut file) = fs::File::create(self.at(path)) {
                    for part in text.as_bytes().chunks(text.len().div_ceil(3)) {
                        self.pause();
                        file.write_all(part).unwrap();
                    }
                    self.pause();
                }
            }
            7 => {
                self.log.push(format!("remove {path}"));
                let _ = fs::remove_file(self.at(path));
                self.pause();
                self.write(path);
            }
            8 => {
                self.log.push(format!("remove {path} for good"));
                let _ = fs::remove_file(self.at(path));
            }
            9..11 => self.swap("cur", version),
            11 => {
                // The folder behind the link is not watched yet when its file is replaced.
                self.swap("cur", version);
                self.replace(&format!("{version}/g"));
            }
            12 => {
                self.log.push(format!("link cur to {version} again"));
                let _ = fs::remove_file(self.at("cur"));
                symlink(version, self.at("cur")).unwrap();
            }
            13 => self.replace_folder(folder),
            14 => {
                self.log.push(format!("make {folder} again"));
                let _ = fs::remove_dir_all(self.at(folder));
                self.pause();
                fs::create_dir_all(self.at(folder)).unwrap();
                for file in FILES {
                    if file.starts_with(&format!("{folder}/")) {
                        self.write(file);
                    }
                }
            }
            15 => {
                self.log.push(format!("chmod {path}"));
                let mode = fs::Permissions::from_mode(0o640);
                let _ = fs::set_permissions(self.at(path), mode);
            }
            16 => {
                let (aside, text) = self.aside();
                self.log.push(format!("hard link {path} {text:.8}"));
                self.finishes(path, &text, false);
                let _ = fs::remove_file(self.at(path));
                let _ = fs::hard_link(&aside, self.at(path));
                let _ = fs::remove_file(aside);
            }
            17 => {
                // As vim does with a backup.
                let backup = self.at(&format!("{path}~"));
                self.log.push(format!("back up {path}"));
                let _ = fs::rename(self.at(path), &backup);
                self.write(path);
                let _ = fs::remove_file(backup);
            }
            18 => {
                let swapped = self.rng.choice(["via", "link-to-e"]).unwrap();
                let target = match swapped {
                    "via" => self.rng.choice(["cur/g", "plain/g", "v1/g"]).unwrap(),
                    _ => self.rng.choice(["e", "v2"]).unwrap(),
                };
                self.swap(swapped, target);
            }
            _ => self.mount(),
        }
        if self.rng.u8(0..3) == 0 {
            self.pause();
        }
    }

    fn held(&self, watched: &str, folder: bool) -> FolderTexts {
        let path = self.at(watched);
        if !folder {
            let text = fs::read_to_string(path).ok()?;
            return Some(BTreeMap::from([(String::new(), text)]));
        }
        let names = fs::read_dir(&path).ok()?.flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let shown = names.filter(|name| !name.starts_with('.'));
        let read = |name: String| Some((name.clone(), fs::read_to_string(path.join(name)).ok()?));
        Some(shown.filter_map(read).collect())
    }
}

/// What a path holds by an observation; `Err` for what none can hold.
fn held_by(seen: &SeenFile, folder: bool) -> Result<FolderTexts, String> {
    let text = match seen {
        SeenFile::Text(text) => text,
        SeenFile::Absent => return Ok(None),
        SeenFile::Unreadable(error) => return Err(format!("unreadable: {error}")),
    };
    if !folder {
        return Ok(Some(BTreeMap::from([(String::new(), text.clone())])));
    }
    let tree = Dir::codec().decode(text)?;
    let Tree::Map(entries) = &tree else {
        return Err("no map".to_owned());
    };
    let entry = |(name, value): &(String, Tree)| match value {
        Tree::Raw(text) => (name.clone(), text.clone()),
        other => panic!("{other:?}"),
    };
    Ok(Some(entries.iter().map(entry).collect()))
}

fn is_whole(text: &str) -> bool {
    let inner = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    let Some((n, pad)) = inner.and_then(|text| text.split_once(':')) else {
        return false;
    };
    n.parse()
        .is_ok_and(|n: usize| pad.is_empty() || pad.len() == n * 7 % 60)
}

/// One path, what it was last seen to hold, and how many observations were judged.
struct FuzzedPath {
    path: &'static str,
    folder: bool,
    watched: WatchedPath,
    judged: usize,
    /// How many halves there were within the stated limit.
    excused: usize,
}

impl FuzzedPath {
    /// Judges what was newly observed: `before` and `after` are what the disk held. `prompt`: nothing was away or half for
    /// as long as the settle time in between.
    fn judge(
        &mut self,
        world: &FuzzedFolder,
        before: &FolderTexts,
        after: &FolderTexts,
        prompt: bool,
    ) -> Result<(), String> {
        self.watched.take();
        for seen in &self.watched.seen[self.judged..] {
            let seen_now = held_by(seen, self.folder)?;
            if !prompt {
                continue;
            }
            if seen_now.is_none() && before.is_some() && after.is_some() {
                return Err("seen as absent".to_owned());
            }
            let seen_now = seen_now.unwrap_or_default();
            if let Some(half) = seen_now.values().find(|text| !is_whole(text)) {
                if world.excuses(half) {
                    self.excused += 1;
                    continue;
                }
                return Err(format!("seen to hold {half:?}"));
            }
            if self.folder
                && let (Some(before), Some(after)) = (before, after)
            {
                let gap = before
                    .keys()
                    .find(|&name| after.contains_key(name) && !seen_now.contains_key(name));
                if let Some(name) = gap {
                    return Err(format!("seen without {name}"));
                }
            }
            if self.path == "k" && seen_now.len() == 2 && seen_now["n"] != seen_now["m"] {
                return Err(format!("a mixture: {seen_now:?}"));
            }
        }
        self.judged = self.watched.seen.len();
        Ok(())
    }

    fn shows(&self, held: &FolderTexts) -> bool {
        let last = self.watched.seen.last();
        last.is_some_and(|seen| held_by(seen, self.folder).is_ok_and(|seen| seen == *held))
    }

    async fn settles(
        &mut self,
        world: &FuzzedFolder,
        before: &FolderTexts,
        after: &FolderTexts,
        prompt: bool,
    ) -> Result<(), String> {
        let settled = timeout(BOUND, async {
            loop {
                self.judge(world, before, after, prompt)?;
                if self.shows(after) {
                    return Ok(());
                }
                self.watched.changed().await;
            }
        });
        match settled.await {
            Ok(judged) => judged,
            Err(_) => Err(format!(
                "lost: the disk holds {after:?}, last seen {:?}, stale {:?}",
                self.watched
                    .seen
                    .last()
                    .map(|seen| held_by(seen, self.folder)),
                self.watched.failing,
            )),
        }
    }
}

/// How many operations were run, and how many bursts took too long to be judged for halves and gaps.
#[derive(Default)]
struct Counts {
    operations: usize,
    bursts: usize,
    slow: usize,
    excused: usize,
}

async fn run(seed: u64, base: &Path) -> Result<Counts, String> {
    let temp = tempfile::tempdir_in(base).unwrap();
    let root = temp.path().canonicalize().unwrap();
    let mut world = FuzzedFolder::new(&root, seed);
    let mut subjects: Vec<FuzzedPath> = Vec::new();
    for path in WATCHED {
        let file = File::new(world.at(path)).resync(NEVER).settle(SETTLE);
        subjects.push(FuzzedPath {
            path,
            folder: false,
            watched: WatchedPath::of(file),
            judged: 0,
            excused: 0,
        });
    }
    for path in FOLDERS {
        let dir = Dir::new(world.at(path)).resync(NEVER).settle(SETTLE);
        subjects.push(FuzzedPath {
            path,
            folder: true,
            watched: WatchedPath::of(dir),
            judged: 0,
            excused: 0,
        });
    }
    let mut counts = Counts::default();
    let mut before: Vec<FolderTexts> = Vec::new();
    for subject in &mut subjects {
        let held = world.held(subject.path, subject.folder);
        subject
            .settles(&world, &held, &held, true)
            .await
            .map_err(|error| format!("{} at first: {error}", subject.path))?;
        before.push(held);
    }
    while counts.operations < OPS_OF_A_WORLD {
        world.begin_burst();
        let burst = world.rng.usize(1..8);
        let begin = Instant::now();
        world = spawn_blocking(move || {
            for _ in 0..burst {
                world.operate();
            }
            world
        })
        .await
        .unwrap();
        let prompt = begin.elapsed() < SETTLE * 2 / 3;
        counts.operations += burst;
        counts.bursts += 1;
        counts.slow += usize::from(!prompt);
        for (subject, before) in subjects.iter_mut().zip(&mut before) {
            let after = world.held(subject.path, subject.folder);
            let settled = subject.settles(&world, before, &after, prompt).await;
            settled.map_err(|error| format!("{} {error}\nafter {:#?}", subject.path, world.log))?;
            *before = after;
        }
    }
    for subject in subjects {
        counts.excused += subject.excused;
        subject.watched.stop().await;
    }
    Ok(counts)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// A file system with inode numbers that are used again at once, and one in memory.
fn bases() -> Vec<PathBuf> {
    let memory = PathBuf::from("/dev/shm");
    let mut bases = vec![env::temp_dir()];
    bases.extend(memory.is_dir().then_some(memory));
    bases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_operations_on_files_folders_and_links_lose_nothing_and_show_nothing_half() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let operations = number("FLUX_FILE_OPS").unwrap_or(20_000) as usize;
    let seeds: Vec<u64> = match number("FLUX_FILE_SEED") {
        Some(seed) => vec![seed],
        None => {
            let first = fastrand::u64(..1 << 40);
            (0..operations.div_ceil(OPS_OF_A_WORLD) as u64)
                .map(|n| first + n)
                .collect()
        }
    };
    let bases = bases();
    let lanes = Arc::new(Semaphore::new(WORLDS));
    let mut worlds = JoinSet::new();
    let begin = Instant::now();
    for &seed in &seeds {
        let lanes = Arc::clone(&lanes);
        let base = bases[seed as usize % bases.len()].clone();
        worlds.spawn(async move {
            let _lane = lanes.acquire().await;
            (seed, run(seed, &base).await)
        });
    }
    let (mut counts, mut failed) = (Counts::default(), Vec::new());
    while let Some(world) = worlds.join_next().await {
        match world.unwrap() {
            (_, Ok(one)) => {
                counts.operations += one.operations;
                counts.bursts += one.bursts;
                counts.slow += one.slow;
                counts.excused += one.excused;
            }
            (seed, Err(error)) => failed.push(format!("FLUX_FILE_SEED={seed}: {error}")),
        }
    }
    println!(
        "seeds {:?}..={:?}: {} operations in {} bursts, {} of them too slow to judge halves, {} halves within the limit; {:?}",
        seeds.first(),
        seeds.last(),
        counts.operations,
        counts.bursts,
        counts.slow,
        counts.excused,
        begin.elapsed(),
    );
    assert!(
        failed.is_empty(),
        "{} of {} worlds failed\n{}",
        failed.len(),
        seeds.len(),
        failed.join("\n\n")
    );
}
