//! What is watched and known of one file, or of every file of a folder, and when it is due to be read. Each path is settled by
//! itself.

mod last_step;
mod look;
mod turn;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use self::last_step::LastStep;
pub(super) use self::turn::Turn;
use super::{
    chain::{self, LinkChain},
    drop_ins,
    entry::{PathContent, PathState},
    folder::Folder,
    hub::FileSubscription,
    mounts::Mounts,
    target::Target,
    touches::Touches,
    values,
};
use crate::source::{Observation, SourceError};
use flux_syntax::Pattern;

/// How often the way to a file is followed again when it changes meanwhile.
const TRIES: usize = 8;
/// A folder of more files takes so long to be read that no worker thread does it.
const MANY: usize = 1000;

pub(super) struct WatchedPlace {
    subscription: FileSubscription,
    quiet: Duration,
    folder: Option<Folder>,
    /// By name; a file that is watched by itself has none. Of a file that is looked for, by the order of the places.
    leaves: BTreeMap<OsString, LastStep>,
    /// The first of them that is there counts; what they are called together.
    searched: Option<Arc<str>>,
    /// The layer keeps its name, whichever of them counts.
    is_named: bool,
    mounts: Mounts,
    /// There are no events, or not of all changes.
    silent: bool,
    /// Why there are no events.
    deaf: Option<Arc<str>>,
    /// Something counts that did not when it was last asked for.
    news: bool,
    /// The folder was replaced as a whole: what is new in it counts together.
    together: bool,
}

impl WatchedPlace {
    pub(super) fn file(target: Arc<Target>, quiet: Duration) -> Self {
        let leaf = new_leaf(target, quiet);
        WatchedPlace::new(quiet, None, BTreeMap::from([(OsString::new(), leaf)]))
    }

    /// The first of these files that is there.
    pub(super) fn first_of(
        name: &str,
        targets: &[Arc<Target>],
        is_named: bool,
        quiet: Duration,
    ) -> Self {
        let leaf = |(number, target): (usize, &Arc<Target>)| {
            let name = OsString::from(format!("{number:08}"));
            (name, new_leaf(Arc::clone(target), quiet))
        };
        let leaves = targets.iter().enumerate().map(leaf);
        WatchedPlace {
            searched: Some(name.into()),
            is_named,
            ..WatchedPlace::new(quiet, None, leaves.collect())
        }
    }

    /// The folder, every file of which is a key; with a pattern each one that it fits is a document.
    pub(super) fn folder(target: Arc<Target>, pattern: Option<Pattern>, quiet: Duration) -> Self {
        let folder = Folder {
            target,
            pattern,
            entry: PathState::new(quiet),
            way: LinkChain::default(),
            real: None,
            data: None,
        };
        WatchedPlace::new(quiet, Some(folder), BTreeMap::new())
    }

    fn new(quiet: Duration, folder: Option<Folder>, leaves: BTreeMap<OsString, LastStep>) -> Self {
        WatchedPlace {
            subscription: FileSubscription::new(),
            quiet,
            folder,
            leaves,
            searched: None,
            is_named: false,
            mounts: Mounts::default(),
            silent: false,
            deaf: None,
            news: false,
            together: false,
        }
    }

    pub(super) async fn touched(&self) -> Touches {
        self.subscription.touched().await
    }

    /// Whether reading may hang, or misses events.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    /// Whether reading takes long, because it is a folder of many files; one that was not read yet is counted.
    pub(super) fn is_large(&self) -> bool {
        let Some(folder) = &self.folder else {
            return false;
        };
        match folder.entry.held() {
            Some(_) => self.leaves.len() > MANY,
            None => {
                let listed = fs::read_dir(&folder.target.path);
                listed.is_ok_and(|entries| entries.take(MANY + 1).count() > MANY)
            }
        }
    }

    pub(super) fn is_deaf(&self) -> bool {
        self.deaf.is_some()
    }

    /// Whether a look at it may hang: asked without looking at anything that may.
    pub(super) fn may_hang(&mut self) -> bool {
        self.mounts = Mounts::read();
        let silent = |entry: &Path| self.mounts.silent(entry);
        let hangs = |path: &Path| silent(path) || chain::follow(path, silent).hangs;
        self.silent = match &self.folder {
            Some(folder) => hangs(&folder.target.path),
            None => self.leaves.values().any(|leaf| hangs(&leaf.target.path)),
        };
        self.silent
    }

    /// Whether something counts since the last time that did not.
    pub(super) fn take_news(&mut self) -> bool {
        if self.together && self.leaves.values().any(|leaf| leaf.entry.is_calming()) {
            return false;
        }
        self.together = false;
        std::mem::take(&mut self.news)
    }

    /// Whether it is a file, not a folder of them.
    pub(super) fn is_file(&self) -> bool {
        self.folder.is_none()
    }

    /// Whether what is read of it because of an event is all of it.
    pub(super) fn is_one_file(&self) -> bool {
        self.folder.is_none() && self.searched.is_none()
    }

    /// Those on which depends what counts: of a file that is looked for, no place behind the one where it is.
    fn counting(&self) -> impl Iterator<Item = &LastStep> {
        let first = match &self.searched {
            Some(_) => self.leaves.values().position(is_there),
            None => None,
        };
        let count = first.map_or(self.leaves.len(), |first| first + 1);
        self.leaves.values().take(count)
    }

    /// What a file that is looked for in several places is called, unless it has a name: the place where it is.
    pub(super) fn found(&self) -> Option<&str> {
        let name = self.searched.as_ref().filter(|_| !self.is_named)?;
        let found = self.counting().last().filter(|leaf| is_there(leaf));
        Some(found.map_or(name, |leaf| &leaf.target.shown))
    }

    pub(super) fn shown(&self) -> &str {
        match (&self.folder, &self.searched, self.leaves.values().next()) {
            (Some(folder), _, _) => &folder.target.shown,
            (None, Some(name), _) => name,
            (None, None, Some(leaf)) => &leaf.target.shown,
            (None, None, None) => "",
        }
    }

    /// While the folder is not there, or cannot be listed, its files are not judged: it is waited for as a whole.
    fn is_gone(&self) -> bool {
        let folder = self.folder.as_ref();
        folder.is_some_and(|folder| folder.real.is_none() || folder.entry.is_failing())
    }

    /// When something is to be read although nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        let folder = self.folder.as_ref().and_then(|folder| folder.entry.due());
        let leaves = self.leaves.values().filter(|_| !self.is_gone());
        leaves
            .filter_map(|leaf| leaf.entry.due())
            .chain(folder)
            .min()
    }

    /// A writer is at work.
    pub(super) fn is_busy(&self) -> bool {
        self.counting().any(|leaf| leaf.entry.is_busy())
    }

    /// Whether a folder holds what does not count yet, because it is not settled. Of a file that is reported as such.
    pub(super) fn is_waiting(&self) -> bool {
        let Some(folder) = &self.folder else {
            return false;
        };
        folder.entry.is_busy() || !self.is_gone() && self.is_busy()
    }

    /// Why what counts may not be what is there, and how many readings failed so.
    pub(super) fn trouble(&self, now: Instant) -> Option<(SourceError, u32)> {
        let folder = self.folder.iter();
        let folder = folder.filter_map(|folder| folder.entry.trouble(&folder.target.shown, now));
        let leaves = self.counting();
        let leaves = leaves.filter_map(|leaf| leaf.entry.trouble(&leaf.target.shown, now));
        folder.chain(leaves).next()
    }

    /// Why there are no events, and that it is read instead.
    pub(super) fn deafness(&self, interval: Duration) -> Option<SourceError> {
        let (reason, shown) = (self.deaf.as_ref()?, self.shown());
        Some(SourceError::transient(format!(
            "{shown}: file events cannot be had ({reason}); it is read every {interval:?} instead"
        )))
    }

    /// What counts, once anything does.
    pub(super) fn observation(&self) -> Option<Observation> {
        let Some(folder) = &self.folder else {
            // What is not known of a better place may be that the file is there.
            let held = self.counting().map(|leaf| leaf.entry.held());
            return Some(held.collect::<Option<Vec<_>>>()?.last()?.observation());
        };
        match folder.entry.held()? {
            PathContent::Value(_) => {
                let leaves = self.leaves.iter();
                let held = leaves.map(|(name, leaf)| Some((name.as_os_str(), leaf.entry.held()?)));
                let held: Vec<(&OsStr, &PathContent)> = held.collect::<Option<_>>()?;
                Some(match folder.pattern {
                    Some(_) => drop_ins::documents(folder, &held),
                    None => values::document(&folder.target.shown, folder.target.max_size, &held),
                })
            }
            other => Some(other.observation()),
        }
    }
}

/// Whether its path is known to hold something, be it nothing that can be read.
fn is_there(leaf: &LastStep) -> bool {
    let held = leaf.entry.held();
    held.is_some_and(|held| *held != PathContent::Absent)
}

fn new_leaf(target: Arc<Target>, quiet: Duration) -> LastStep {
    LastStep {
        target,
        entry: PathState::new(quiet),
        way: LinkChain::default(),
        root: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::source::file::{entry::Trust, hub::Wait};

    #[test]
    fn a_folder_of_many_files_is_not_read_on_a_worker_thread() {
        for (files, many) in [(2, false), (MANY, false), (MANY + 1, true)] {
            let folder = tempfile::tempdir().unwrap();
            for at in 0..files {
                fs::write(folder.path().join(at.to_string()), "1").unwrap();
            }
            let target = Arc::new(Target {
                path: folder.path().canonicalize().unwrap(),
                shown: "d".to_owned(),
                max_size: 100_000,
            });
            let mut place = WatchedPlace::folder(target, None, Duration::from_secs(1));
            assert_eq!(place.is_large(), many, "at first");
            let looked = place.look(Trust::Unproven, Wait::Forever, Instant::now());
            looked.unwrap();
            assert_eq!(place.is_large(), many, "{files}");
        }
    }
}
