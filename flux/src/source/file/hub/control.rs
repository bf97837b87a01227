//! Which directories are watched: one thread and one descriptor for the whole process, and what is done when a watch is lost.

use std::{
    collections::HashMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, MutexGuard, TryLockError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use super::routes::{ROUTES, deliver};
use crate::source::file::{read::identity, subscriber::lock};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// Changed by subscribers only, and held while the watcher is called. The thread that delivers events never takes it: it is
/// the one that answers.
pub(super) static CONTROL: LazyLock<Mutex<HubControl>> = LazyLock::new(Mutex::default);

#[derive(Default)]
pub(super) struct HubControl {
    pub(super) watcher: Option<RecommendedWatcher>,
    /// The process in which the watcher was made; its thread is not in a fork of it.
    process: u32,
    pub(super) dirs: HashMap<PathBuf, DirWatch>,
}

pub(super) struct DirWatch {
    users: usize,
    /// Which directory it was when the watch was made; `None` when there is no watch.
    pub(super) identity: Option<Identity>,
}

/// Which directory it is; the number of one that was removed may be used again at once.
pub(super) type Identity = Option<((u64, u64), Option<SystemTime>)>;

/// Whether to wait while a watch is being made for somebody else, which may hang with a network mount.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::source::file) enum Wait {
    /// On a worker thread: for a moment only.
    Moment,
    /// On a thread of its own.
    Forever,
}

/// The control, unless it takes too long.
pub(super) fn control(wait: Wait) -> Option<MutexGuard<'static, HubControl>> {
    const MOMENT: Duration = Duration::from_millis(5);
    if wait == Wait::Forever {
        return Some(here(lock(&CONTROL)));
    }
    let begin = Instant::now();
    loop {
        match CONTROL.try_lock() {
            Ok(control) => return Some(here(control)),
            Err(TryLockError::Poisoned(poisoned)) => return Some(here(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) if begin.elapsed() > MOMENT => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_micros(50)),
        }
    }
}

/// The control in this process. In a fork nobody answers the watcher that was copied, and its descriptor is that of the other process:
/// it is left alone, and the watches are made anew.
pub(super) fn here(
    mut control: MutexGuard<'static, HubControl>,
) -> MutexGuard<'static, HubControl> {
    if control.watcher.is_some() && control.process != std::process::id() {
        std::mem::forget(control.watcher.take());
        for watched in control.dirs.values_mut() {
            watched.identity = None;
        }
    }
    control
}

impl HubControl {
    pub(super) fn retain(&mut self, dir: &Path) {
        self.dirs
            .entry(dir.to_owned())
            .or_insert(DirWatch {
                users: 0,
                identity: None,
            })
            .users += 1;
    }

    pub(super) fn release(&mut self, dir: &Path) {
        let Some(watched) = self.dirs.get_mut(dir) else {
            return;
        };
        watched.users -= 1;
        if watched.users == 0 {
            self.unwatch(dir);
            self.dirs.remove(dir);
        }
    }

    /// Makes the watch of `dir` if there is none, or if it is of another directory by now.
    pub(super) fn ensure(&mut self, dir: &Path) -> notify::Result<Identity> {
        let identity = current(dir);
        let watched = self.dirs.get(dir).and_then(|watched| watched.identity);
        let lost = {
            let mut routes = lock(&ROUTES);
            if watched.is_some_and(|watched| watched != identity) {
                // The event of it may be under way still, and is dropped with the old watch.
                routes.lose(dir);
            }
            routes.find(dir)
        };
        if !lost && watched == Some(identity) {
            return Ok(identity);
        }
        self.unwatch(dir);
        let made = self
            .watcher()
            .and_then(|watcher| shielded(|| watcher.watch(dir, RecursiveMode::NonRecursive)));
        match made {
            Ok(()) => {
                if let Some(watched) = self.dirs.get_mut(dir) {
                    watched.identity = Some(identity);
                }
                let same = self.dirs.iter().filter(|(other, watched)| {
                    identity.is_some() && watched.identity == Some(identity) && *other != dir
                });
                let same: Vec<&Path> = same.map(|(other, _)| other.as_path()).collect();
                lock(&ROUTES).pair(dir, &same);
                Ok(identity)
            }
            Err(error) => {
                // Without waking anyone: whoever tries again at once would fail again.
                if let Some(entries) = lock(&ROUTES).dirs.get_mut(dir) {
                    entries.lost = true;
                }
                Err(error)
            }
        }
    }

    fn watcher(&mut self) -> notify::Result<&mut RecommendedWatcher> {
        Ok(match &mut self.watcher {
            Some(watcher) => watcher,
            none => {
                self.process = std::process::id();
                none.insert(notify::recommended_watcher(deliver)?)
            }
        })
    }

    fn unwatch(&mut self, dir: &Path) {
        let Some(identity) = self.dirs.get_mut(dir).and_then(|w| w.identity.take()) else {
            return;
        };
        lock(&ROUTES).part(dir);
        if let Some(watcher) = &mut self.watcher {
            // It fails when the directory is gone, and its watch with it.
            let _ = shielded(|| watcher.unwatch(dir));
        }
        // A directory that was moved is one watch under two names: what took back the one took back the other.
        for (other, watched) in &mut self.dirs {
            if identity.is_some() && watched.identity == Some(identity) {
                watched.identity = None;
                lock(&ROUTES).lose(other);
            }
        }
    }
}

pub(super) fn current(dir: &Path) -> Identity {
    let found = fs::metadata(dir).ok()?;
    Some((identity(&found)?, found.created().ok()))
}

/// notify panics when its thread could not be started.
fn shielded(call: impl FnOnce() -> notify::Result<()>) -> notify::Result<()> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        Err(notify::Error::generic(
            "the thread for file events is not running",
        ))
    })
}
