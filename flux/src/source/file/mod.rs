//! The source `file:`: events where there are any, and a slow poll by content where there are none; its intervals and limits.

mod chain;
mod dir;
mod drop_ins;
#[cfg(all(test, unix))]
mod edges;
mod elsewhere;
mod entry;
mod event;
mod folder;
#[cfg(all(test, unix))]
mod fuzz;
mod hub;
#[cfg(all(test, target_os = "linux"))]
mod mounted;
mod mounts;
mod not_found_hint;
mod place;
mod read;
#[cfg(all(test, unix, feature = "derive", feature = "yaml"))]
#[allow(clippy::unwrap_used)]
mod search;
mod session;
#[cfg(all(test, target_os = "linux"))]
mod strange;
mod subscriber;
mod target;
#[cfg(all(test, unix))]
mod tests;
mod touches;
mod values;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use dir::Dir;
pub use drop_ins::DropIns;

use self::{place::WatchedPlace, session::Intervals, target::Target};
use super::{Observer, SourceError, Watcher};

pub(crate) use not_found_hint::missing;

/// How often a file is read although no event came.
const RESYNC: Duration = Duration::from_secs(60);

/// Watches a file: its content, whatever way it is written or replaced.
///
/// A finished write (the writer closed the file, or something was renamed into its place) is read at once; an
/// unfinished one when the file has been quiet for the settle time. Symbolic links are followed and watched on every
/// step, and nothing need exist yet. All files of a process share one thread and one descriptor.
///
/// Not everything has an event: a write through a hard link or on a network file system has none, nor has the renaming of a
/// directory further up. The resync poll finds those, by content; then a file is quiet when it is unchanged.
///
/// ```
/// use flux::source::File;
/// use std::time::Duration;
///
/// let file = File::new("app.yaml").resync(Duration::from_secs(5)).max_size(64 * 1024);
/// ```
#[derive(Clone, Debug)]
pub struct File {
    target: Arc<Target>,
    /// Where it is looked for, the best place first, where it is looked for in several.
    places: Vec<Arc<Target>>,
    /// The layer has a name of its own, wherever the file is found.
    is_named: bool,
    settle: Duration,
    resync: Option<Duration>,
}

impl File {
    /// The file at `path`, which need not exist. A relative path is taken from the current folder of this moment.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        File {
            target: target_at(path.into()),
            places: Vec::new(),
            is_named: false,
            settle: Duration::from_secs(1),
            resync: None,
        }
    }

    /// The first of these files that exists, none of which need exist, and what the source is called before one is found. One that
    /// appears at a better place takes the place of the one that was found, and one that vanishes gives it to the next.
    pub(crate) fn in_places(name: &str, places: &[String], is_named: bool) -> Self {
        let mut file = File::new(places.first().map_or(name, String::as_str));
        Arc::make_mut(&mut file.target).shown = name.to_owned();
        let places = places.iter().map(|path| target_at(path.into()));
        File {
            places: places.collect(),
            is_named,
            ..file
        }
    }

    /// How long a file must be quiet to be read when its writer has not closed it. Default: 1 second.
    #[must_use]
    pub fn settle(mut self, quiet: Duration) -> Self {
        self.settle = quiet;
        self
    }

    /// How often the file is read even when no event came. Default: 60 seconds, 10 on network and shared folders.
    #[must_use]
    pub fn resync(mut self, interval: Duration) -> Self {
        self.resync = Some(interval.max(Duration::from_millis(1)));
        self
    }

    /// How many bytes are read at most; a larger file is refused. Default: 16 MiB.
    #[must_use]
    pub fn max_size(mut self, bytes: u64) -> Self {
        for target in self.places.iter_mut().chain([&mut self.target]) {
            Arc::make_mut(target).max_size = bytes;
        }
        self
    }

    /// Where the file is, at best where it is looked for in several places: absolute, links not followed.
    pub fn path(&self) -> &Path {
        &self.target.path
    }
}

fn target_at(path: PathBuf) -> Arc<Target> {
    Arc::new(Target {
        shown: path.display().to_string(),
        path: std::path::absolute(&path).unwrap_or(path),
        max_size: 16 << 20,
    })
}

impl Watcher for File {
    fn origin(&self) -> String {
        self.target.shown.clone()
    }

    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        let place = match self.places.is_empty() {
            true => WatchedPlace::file(Arc::clone(&self.target), self.settle),
            false => {
                WatchedPlace::first_of(&self.target.shown, &self.places, self.is_named, self.settle)
            }
        };
        let intervals = Intervals {
            asked: self.resync,
            usual: RESYNC,
        };
        session::run(place, intervals, observer).await
    }
}
