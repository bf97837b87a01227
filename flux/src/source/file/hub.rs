//! One watcher of file system events for the whole process: one thread and one descriptor while anything is watched.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::OsString,
    fs,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex},
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::{
    chain::Spot,
    event::{classify, is_of_a_reader, is_told_twice, takes_away},
    read::identity,
    settle::Touch,
    subscriber::{Subscriber, lock},
};

/// Changed by subscribers only, and held while the watcher is told. The thread that delivers events never takes it: it is
/// the one that answers.
static CONTROL: LazyLock<Mutex<Control>> = LazyLock::new(Mutex::default);
/// Who wants to know. Held for moments, by both sides.
static ROUTES: LazyLock<Mutex<Routes>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Control {
    watcher: Option<RecommendedWatcher>,
    dirs: HashMap<PathBuf, Watched>,
}

struct Watched {
    users: usize,
    /// Which directory it was when the watch was made; `None` when there is no watch.
    identity: Option<Identity>,
}

type Identity = Option<(u64, u64)>;

#[derive(Default)]
struct Routes {
    dirs: HashMap<PathBuf, Entries>,
    subscribers: Vec<Arc<Subscriber>>,
}

#[derive(Default)]
struct Entries {
    /// The directory went away and its watch with it.
    lost: bool,
    names: HashMap<OsString, Vec<Arc<Subscriber>>>,
}

/// Wakes when one of its entries is touched. Dropping it takes back all that only it needed.
pub(super) struct Subscription {
    subscriber: Arc<Subscriber>,
    spots: BTreeSet<Spot>,
    /// The directories of `spots`, and which ones they were when they were watched.
    armed: BTreeMap<PathBuf, Option<Identity>>,
}

impl Subscription {
    pub(super) fn new() -> Self {
        let subscriber = Arc::<Subscriber>::default();
        lock(&ROUTES).subscribers.push(Arc::clone(&subscriber));
        Subscription {
            subscriber,
            spots: BTreeSet::new(),
            armed: BTreeMap::new(),
        }
    }

    /// Whether exactly `spots` are watched, and their directories are still the ones that were. Never blocks on a watch
    /// that is being made.
    pub(super) fn is_armed(&self, spots: &BTreeSet<Spot>) -> bool {
        if *spots != self.spots {
            return false;
        }
        let routes = lock(&ROUTES);
        self.armed.iter().all(|(dir, armed)| {
            !routes.lost(dir) && armed.is_some_and(|identity| identity == current(dir))
        })
    }

    /// Watches `spots` and nothing else. Blocks for a moment. Touches are seen from here on, even after an error.
    pub(super) fn arm(&mut self, spots: BTreeSet<Spot>) -> notify::Result<()> {
        let mut control = lock(&CONTROL);
        let old = std::mem::take(&mut self.spots);
        let before: BTreeSet<&Path> = dirs(&old).collect();
        let after: BTreeSet<&Path> = dirs(&spots).collect();
        {
            // Entered before others are left: a directory that stays keeps the mark that it was lost.
            let mut routes = lock(&ROUTES);
            routes.enter(&self.subscriber, spots.difference(&old));
            routes.leave(&self.subscriber, old.difference(&spots));
        }
        // Released before others are watched: a moved directory may be watched under its old name and its new one.
        before
            .difference(&after)
            .for_each(|dir| control.release(dir));
        after
            .difference(&before)
            .for_each(|dir| control.retain(dir));
        let mut result = Ok(());
        self.armed.clear();
        for dir in after {
            let armed = control.ensure(dir);
            self.armed
                .insert(dir.to_owned(), armed.as_ref().ok().copied());
            result = result.and(armed.map(drop));
        }
        self.spots = spots;
        result
    }
}

impl Deref for Subscription {
    type Target = Subscriber;
    fn deref(&self) -> &Subscriber {
        &self.subscriber
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut control = lock(&CONTROL);
        {
            let mut routes = lock(&ROUTES);
            routes.leave(&self.subscriber, self.spots.iter());
            routes
                .subscribers
                .retain(|other| !Arc::ptr_eq(other, &self.subscriber));
        }
        for dir in dirs(&self.spots).collect::<BTreeSet<_>>() {
            control.release(dir);
        }
        if control.dirs.is_empty() {
            control.watcher = None;
        }
    }
}

impl Control {
    fn retain(&mut self, dir: &Path) {
        self.dirs
            .entry(dir.to_owned())
            .or_insert(Watched {
                users: 0,
                identity: None,
            })
            .users += 1;
    }

    fn release(&mut self, dir: &Path) {
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
    fn ensure(&mut self, dir: &Path) -> notify::Result<Identity> {
        let lost = lock(&ROUTES).find(dir);
        let identity = current(dir);
        let watched = self.dirs.get(dir).and_then(|watched| watched.identity);
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
            none => none.insert(notify::recommended_watcher(deliver)?),
        })
    }

    fn unwatch(&mut self, dir: &Path) {
        let Some(identity) = self.dirs.get_mut(dir).and_then(|w| w.identity.take()) else {
            return;
        };
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

impl Routes {
    fn enter<'a>(&mut self, subscriber: &Arc<Subscriber>, spots: impl Iterator<Item = &'a Spot>) {
        for spot in spots {
            let entries = self.dirs.entry(spot.dir.clone()).or_default();
            let waiting = entries.names.entry(spot.name.clone()).or_default();
            waiting.push(Arc::clone(subscriber));
        }
    }

    fn leave<'a>(&mut self, subscriber: &Arc<Subscriber>, spots: impl Iterator<Item = &'a Spot>) {
        for spot in spots {
            let Some(entries) = self.dirs.get_mut(&spot.dir) else {
                continue;
            };
            if let Some(waiting) = entries.names.get_mut(&spot.name) {
                waiting.retain(|other| !Arc::ptr_eq(other, subscriber));
                if waiting.is_empty() {
                    entries.names.remove(&spot.name);
                }
            }
            if entries.names.is_empty() {
                self.dirs.remove(&spot.dir);
            }
        }
    }

    fn lost(&self, dir: &Path) -> bool {
        self.dirs.get(dir).is_some_and(|entries| entries.lost)
    }

    /// Whether `dir` was lost; from here on it is not. Before it is watched again, so that losing it again is noticed.
    fn find(&mut self, dir: &Path) -> bool {
        self.dirs
            .get_mut(dir)
            .is_some_and(|entries| std::mem::take(&mut entries.lost))
    }

    /// `dir` is not watched any more: whoever wanted to know something in it must look.
    fn lose(&mut self, dir: &Path) {
        if let Some(entries) = self.dirs.get_mut(dir) {
            entries.lost = true;
            entries
                .names
                .values()
                .flatten()
                .for_each(|subscriber| subscriber.touch(Touch::Gone));
        }
    }
}

/// Called by notify's thread for every event. It must never call the watcher, which would wait for this very thread.
fn deliver(event: notify::Result<Event>) {
    let event = match event {
        Ok(event) if !event.need_rescan() => event,
        _ => {
            let everyone = lock(&ROUTES).subscribers.clone();
            everyone
                .iter()
                .for_each(|subscriber| subscriber.touch(Touch::Rescan));
            return;
        }
    };
    if is_of_a_reader(event.kind) || is_told_twice(event.kind) {
        return;
    }
    for path in &event.paths {
        if takes_away(event.kind) {
            let mut routes = lock(&ROUTES);
            if routes.dirs.contains_key(path) {
                // notify forgets the watches of all that is beneath, too.
                let beneath: Vec<PathBuf> = routes
                    .dirs
                    .keys()
                    .filter(|dir| dir.starts_with(path))
                    .cloned()
                    .collect();
                beneath.iter().for_each(|dir| routes.lose(dir));
            }
        }
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            continue;
        };
        let waiting = match lock(&ROUTES)
            .dirs
            .get(dir)
            .and_then(|entries| entries.names.get(name))
        {
            Some(waiting) => waiting.clone(),
            None => continue,
        };
        match (classify(event.kind, path), &waiting[..]) {
            (Touch::Finished, [only]) => only.finished(),
            (touch, all) => all.iter().for_each(|subscriber| subscriber.touch(touch)),
        }
    }
}

fn current(dir: &Path) -> Identity {
    fs::metadata(dir).ok().and_then(|found| identity(&found))
}

fn dirs(spots: &BTreeSet<Spot>) -> impl Iterator<Item = &Path> {
    spots.iter().map(|spot| spot.dir.as_path())
}

/// notify panics when its thread could not be started.
fn shielded(call: impl FnOnce() -> notify::Result<()>) -> notify::Result<()> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        Err(notify::Error::generic(
            "the thread for file events is not running",
        ))
    })
}
