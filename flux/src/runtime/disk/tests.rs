//! The order of the calls, and what is left when one of them fails.

#[cfg(all(feature = "derive", feature = "yaml"))]
mod protocol;

use super::*;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// A disk in memory that stops before one of its calls, and what is on it after a loss of power: of what was not synced,
/// anything may be there and anything may be missing.
#[derive(Debug, Default, Clone)]
struct Medium {
    /// By the number of the file: what is written, and how much of it is surely on the medium.
    files: Vec<(Vec<u8>, usize)>,
    /// What names led to when the folder was last synced, and what has happened since.
    synced: BTreeMap<PathBuf, usize>,
    since: Vec<(PathBuf, Option<usize>)>,
}

impl Medium {
    fn names(&self, happened: usize) -> BTreeMap<PathBuf, usize> {
        let mut names = self.synced.clone();
        for (path, file) in &self.since[..happened] {
            match file {
                Some(file) => names.insert(path.clone(), *file),
                None => names.remove(path),
            };
        }
        names
    }
    /// Everything that `path` may hold after the power is gone.
    fn possible(&self, path: &Path) -> Vec<Option<Vec<u8>>> {
        let mut all = Vec::new();
        for happened in 0..=self.since.len() {
            let names = self.names(happened);
            match names.get(path) {
                None => all.push(None),
                Some(file) => {
                    let (content, sure) = &self.files[*file];
                    let lengths = *sure..=content.len();
                    all.extend(lengths.map(|length| Some(content[..length].to_vec())));
                }
            }
        }
        all
    }
}

#[derive(Debug, Clone)]
struct Faulty {
    medium: Arc<Mutex<Medium>>,
    left: Arc<Mutex<usize>>,
    /// What was on it after each call.
    past: Arc<Mutex<Vec<Medium>>>,
    after: Option<AfterCall>,
}

/// What is done after each call.
#[derive(Clone)]
struct AfterCall(Arc<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for AfterCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AfterCall")
    }
}

impl Faulty {
    fn stopping_after(medium: &Arc<Mutex<Medium>>, calls: usize) -> Self {
        Faulty {
            medium: Arc::clone(medium),
            left: Arc::new(Mutex::new(calls)),
            past: Arc::default(),
            after: None,
        }
    }
    fn call<T>(&self, call: impl FnOnce(&mut Medium) -> io::Result<T>) -> io::Result<T> {
        let mut left = self.left.lock().unwrap();
        match left.checked_sub(1) {
            Some(fewer) => *left = fewer,
            None => return Err(io::Error::other("the power is gone")),
        }
        let mut medium = self.medium.lock().unwrap();
        let done = call(&mut medium);
        self.past.lock().unwrap().push(medium.clone());
        if let Some(AfterCall(after)) = &self.after {
            after();
        }
        done
    }
    fn is_gone(&self) -> bool {
        *self.left.lock().unwrap() == 0
    }
}

struct FaultyFile(Faulty, usize);

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = self.call(|medium| {
            medium.files.push((Vec::new(), 0));
            let number = medium.files.len() - 1;
            medium.since.push((path.to_owned(), Some(number)));
            Ok(number)
        })?;
        Ok(Box::new(FaultyFile(self.clone(), number)))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|medium| {
            let names = medium.names(medium.since.len());
            let file = names.get(from).ok_or(io::ErrorKind::NotFound)?;
            medium.since.push((to.to_owned(), Some(*file)));
            medium.since.push((from.to_owned(), None));
            Ok(())
        })
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(|medium| {
            let names = medium.names(medium.since.len());
            names.get(path).ok_or(io::ErrorKind::NotFound)?;
            medium.since.push((path.to_owned(), None));
            Ok(())
        })
    }
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.call(|medium| {
            medium.synced = medium.names(medium.since.len());
            medium.since.clear();
            Ok(())
        })
    }
}

impl DiskFile for FaultyFile {
    /// In two calls, as a large file would be.
    fn write_all(&mut self, content: &[u8]) -> io::Result<()> {
        for half in content.chunks(content.len().div_ceil(2).max(1)) {
            self.0.call(|medium| {
                medium.files[self.1].0.extend_from_slice(half);
                Ok(())
            })?;
        }
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        self.0.call(|medium| {
            let (content, sure) = &mut medium.files[self.1];
            *sure = content.len();
            Ok(())
        })
    }
}

fn holding(content: &[u8]) -> Arc<Mutex<Medium>> {
    let medium = Arc::default();
    let disk = Faulty::stopping_after(&medium, usize::MAX);
    replace(&disk, Path::new("/d/f"), content).unwrap();
    medium
}

#[test]
fn a_loss_of_power_between_any_two_calls_leaves_the_old_file_or_the_new_one() {
    let path = Path::new("/d/f");
    for calls in 0.. {
        let medium = holding(b"the old one");
        let disk = Faulty::stopping_after(&medium, calls);
        let done = replace(&disk, path, b"the new one");
        for left in medium.lock().unwrap().possible(path) {
            let left = left.expect("there always is one");
            let whole = left == b"the old one" || left == b"the new one";
            assert!(
                whole,
                "after {calls} calls: {}",
                String::from_utf8_lossy(&left)
            );
            assert!(done.is_err() || left == b"the new one");
        }
        if done.is_ok() {
            assert!(calls >= 6, "nothing was stopped");
            return;
        }
        assert!(disk.is_gone());
    }
}

#[test]
fn a_file_that_is_removed_is_whole_or_gone_and_gone_once_that_is_reported() {
    let path = Path::new("/d/f");
    for calls in 0.. {
        let medium = holding(b"the old one");
        let done = remove(&Faulty::stopping_after(&medium, calls), path);
        for left in medium.lock().unwrap().possible(path) {
            assert!(left.is_none() || left.as_deref() == Some(b"the old one"));
            assert!(done.is_err() || left.is_none());
        }
        if done.is_ok() {
            return;
        }
    }
}

#[test]
fn a_folder_that_cannot_be_synced_fails_no_write_and_a_failing_medium_does() {
    for (code, fails) in [(22, false), (95, false), (5, true), (28, true)] {
        // The numbers are those of Linux: EINVAL, EOPNOTSUPP, EIO, ENOSPC.
        if cfg!(target_os = "linux") {
            assert_eq!(!cannot_sync(&io::Error::from_raw_os_error(code)), fails);
        }
    }
}

#[test]
fn the_medium_notices_a_file_that_is_renamed_before_it_is_synced() {
    let medium = holding(b"the old one");
    let disk = Faulty::stopping_after(&medium, usize::MAX);
    let (beside, path) = (Path::new("/d/.f"), Path::new("/d/f"));
    let mut file = disk.create(beside).unwrap();
    file.write_all(b"the new one").unwrap();
    disk.rename(beside, path).unwrap();
    let left = medium.lock().unwrap().possible(path);
    assert!(
        left.contains(&Some(b"the n".to_vec())),
        "a careless order shows"
    );
}

#[test]
fn what_killed_processes_left_beside_a_file_is_removed_unless_it_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let file = |name: &str, age: u64| {
        let file = File::create(folder.path().join(name)).unwrap();
        let age = Duration::from_secs(age);
        file.set_modified(std::time::SystemTime::now() - age)
            .unwrap();
    };
    let kept = [
        ("last.json", 3600),
        (".last.json.12.new", 0),
        (".last.json.12.old", 3600),
        (".last.json.x.new", 3600),
        (".last.json.trial.12.new", 3600),
        (".other.json.12.new", 3600),
    ];
    for (name, age) in kept {
        file(name, age);
    }
    file(".last.json.13.new", 61);
    fs::create_dir(folder.path().join(".last.json.14.new")).unwrap();
    sweep(&path);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), kept.len() + 1, "{left:?}");
    assert!(!folder.path().join(".last.json.13.new").exists());
    sweep(Path::new("/nowhere/at/all"));
}

#[test]
fn only_regular_files_of_the_allowed_size_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    assert_eq!(read(&path, 5), Ok(None));
    fs::write(&path, "12345").unwrap();
    assert_eq!(read(&path, 5), Ok(Some(b"12345".to_vec())));
    assert!(read(&path, 4).unwrap_err().contains("limit"));
    assert!(
        read(folder.path(), 5)
            .unwrap_err()
            .contains("no regular file")
    );
    #[cfg(unix)]
    {
        let endless = folder.path().join("endless");
        std::os::unix::fs::symlink("/dev/zero", &endless).unwrap();
        assert!(read(&endless, 5).unwrap_err().contains("no regular file"));
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        if made.is_ok_and(|made| made.success()) {
            assert!(read(&fifo, 5).unwrap_err().contains("no regular file"));
        }
    }
}
