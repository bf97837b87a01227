//! A mounted directory in which every file is one key, as Kubernetes mounts ConfigMaps and Secrets.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use super::{
    chain::{self, Spot},
    hub::Subscription,
    read::{What, read},
    settle::Touch,
};
use crate::{
    codec::{Codec, Tree},
    source::{Content, Observation, Observer, SourceError, Watcher},
};

/// How often the directory is read although no event came: one of a file that is new in it comes only where it is a link's.
const RESYNC: Duration = Duration::from_secs(10);
/// How long it must be quiet where a writer does not say that it finished.
const SETTLE: Duration = Duration::from_secs(1);
/// All files together.
const MAX_SIZE: u64 = 16 << 20;

/// Watches a directory in which every file holds the value of one key: `/etc/secrets/password`. Its name is the key, dots lead
/// into sections (`pool.size`); the content is read by the field's type, as a variable of the environment is, without a line
/// break at its end. Hidden files are passed over. A swap of the link `..data` is seen at once and as a whole; a file that is
/// new in a plain directory within ten seconds.
///
/// ```
/// use flux::{Source, source::Dir};
///
/// let source = Source::dir("/etc/secrets");
/// let watcher = Dir::new("/etc/secrets");
/// ```
#[derive(Clone, Debug)]
pub struct Dir {
    shown: String,
    path: PathBuf,
    resync: Duration,
}

impl Dir {
    /// The directory at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Dir {
            shown: format!("dir:{}", path.display()),
            path: std::path::absolute(&path).unwrap_or(path),
            resync: RESYNC,
        }
    }

    /// How often the directory is read although no event came; 10 seconds by default.
    #[must_use]
    pub fn every(mut self, resync: Duration) -> Self {
        self.resync = resync.max(Duration::from_millis(10));
        self
    }

    /// How the documents that this source makes are read.
    pub fn codec() -> impl Codec + use<> {
        Entries
    }
}

/// What was found, and the entries that lead to it.
struct Look {
    subscription: Subscription,
    observation: Observation,
    armed: notify::Result<()>,
}

fn look(dir: &Dir, mut subscription: Subscription) -> Look {
    // Watched first, then read: what changes in between is read again.
    let armed = subscription.arm(spots(&dir.path));
    Look {
        subscription,
        observation: observe(dir),
        armed,
    }
}

/// Every entry whose change can change what is read.
fn spots(path: &Path) -> BTreeSet<Spot> {
    let mut spots = chain::resolve(path);
    if let Ok(real) = path.canonicalize() {
        spots.insert(Spot {
            dir: real.clone(),
            name: "..data".into(),
        });
        for entry in fs::read_dir(&real).into_iter().flatten().flatten() {
            spots.extend(chain::resolve(&entry.path()));
        }
    }
    spots
}

fn observe(dir: &Dir) -> Observation {
    match read_all(dir) {
        Ok(Some(files)) => Observation::Value(Content {
            bytes: written(&files).into(),
            revision: None,
        }),
        Ok(None) => Observation::Absent,
        Err(error) => Observation::Unreadable(error),
    }
}

fn read_all(dir: &Dir) -> Result<Option<BTreeMap<String, String>>, SourceError> {
    let failed = |error: io::Error| {
        SourceError::transient(format!("{} cannot be read: {error}", dir.path.display()))
    };
    let entries = match fs::read_dir(&dir.path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(SourceError::permission(format!(
                "{} may not be read",
                dir.path.display()
            )));
        }
        Err(error) => return Err(failed(error)),
    };
    let (mut files, mut size) = (BTreeMap::new(), 0);
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || path.is_dir() {
            continue;
        }
        let shown = format!("{}/{name}", dir.shown);
        let bytes = match read(&path, &shown, MAX_SIZE).what {
            What::Bytes(bytes) => bytes,
            // It went away between the list and the reading.
            What::Absent => continue,
            What::Unreadable(error) => return Err(error),
        };
        size += bytes.len() as u64;
        if size > MAX_SIZE {
            return Err(SourceError::configuration(format!(
                "{} holds more than the limit of 16 MiB",
                dir.shown
            )));
        }
        let text = String::from_utf8(bytes).map_err(|_| {
            SourceError::configuration(format!("{shown} is not UTF-8, so it cannot be a value"))
        })?;
        files.insert(name.into_owned(), text);
    }
    Ok(Some(files))
}

/// One document: each file's name, its length and its content.
fn written(files: &BTreeMap<String, String>) -> Vec<u8> {
    let mut document = Vec::new();
    for (name, text) in files {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        document.extend_from_slice(format!("{name}\n{}\n{text}\n", text.len()).as_bytes());
    }
    match document.is_empty() {
        // An empty directory is there, and says nothing.
        true => b"\n".to_vec(),
        false => document,
    }
}

/// The codec of what [`written`] makes.
struct Entries;

impl Codec for Entries {
    fn name(&self) -> &str {
        "a directory of values"
    }
    fn decode(&self, text: &str) -> Result<Tree, String> {
        let broken = || "an entry is cut".to_owned();
        let mut root = Vec::new();
        let mut rest = text.trim_start_matches('\n');
        while !rest.is_empty() {
            let (name, behind) = rest.split_once('\n').ok_or_else(broken)?;
            let (length, behind) = behind.split_once('\n').ok_or_else(broken)?;
            let length: usize = length.parse().map_err(|_| broken())?;
            let value = behind.get(..length).ok_or_else(broken)?;
            rest = behind.get(length + 1..).ok_or_else(broken)?;
            insert(&mut root, name, value);
        }
        Ok(Tree::Map(root))
    }
}

fn insert(map: &mut Vec<(String, Tree)>, name: &str, value: &str) {
    let Some((section, rest)) = name
        .split_once('.')
        .filter(|(s, r)| !s.is_empty() && !r.is_empty())
    else {
        map.push((name.to_owned(), Tree::Raw(value.to_owned())));
        return;
    };
    if !map
        .iter()
        .any(|(known, inner)| known == section && matches!(inner, Tree::Map(_)))
    {
        map.push((section.to_owned(), Tree::Map(Vec::new())));
    }
    for (known, inner) in map {
        if let (true, Tree::Map(inner)) = (known == section, inner) {
            return insert(inner, rest, value);
        }
    }
}

impl Watcher for Dir {
    fn origin(&self) -> String {
        self.shown.clone()
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        let mut subscription = Subscription::new();
        loop {
            let dir = Arc::new(self.clone());
            let looked = spawn_blocking(move || look(&dir, subscription)).await;
            let looked = looked
                .map_err(|error| SourceError::transient(format!("{}: {error}", self.shown)))?;
            subscription = looked.subscription;
            observer.observe(looked.observation);
            if let Err(error) = looked.armed {
                observer.failing(SourceError::transient(format!(
                    "{}: no events, read every {:?} instead: {error}",
                    self.shown, self.resync
                )));
            }
            let mut until = Instant::now() + self.resync;
            while let Ok(touch) = timeout_at(until, subscription.touched()).await {
                match touch {
                    Touch::Finished | Touch::Structure | Touch::Rescan => break,
                    Touch::Written | Touch::Gone => {
                        observer.unsettled();
                        until = Instant::now() + SETTLE;
                    }
                    Touch::Metadata => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dots_in_a_name_lead_into_sections() {
        let files = BTreeMap::from([
            ("pool.size".to_owned(), "5\n".to_owned()),
            ("pool.host".to_owned(), "a".to_owned()),
            ("port".to_owned(), "80".to_owned()),
        ]);
        let text = String::from_utf8(written(&files)).unwrap();
        let raw = |text: &str| Tree::Raw(text.to_owned());
        let pool = vec![("host".to_owned(), raw("a")), ("size".to_owned(), raw("5"))];
        assert_eq!(
            Entries.decode(&text),
            Ok(Tree::Map(vec![
                ("pool".to_owned(), Tree::Map(pool)),
                ("port".to_owned(), raw("80")),
            ]))
        );
    }

    proptest! {
        #[test]
        fn whatever_stands_in_the_files_is_read_back(
            files in proptest::collection::btree_map("[a-z]{1,8}", "(?s).{0,40}[^\r\n]", 0..6)
        ) {
            let text = String::from_utf8(written(&files)).unwrap();
            let read: Vec<_> = files.iter().map(|(name, text)| (name.clone(), Tree::Raw(text.clone()))).collect();
            prop_assert_eq!(Entries.decode(&text), Ok(Tree::Map(read)));
        }
    }
}
