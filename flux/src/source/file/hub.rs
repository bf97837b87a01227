//! Which watchers of files an event of the file system reaches: one thread and one descriptor for the whole process, and what is
//! done when a watch is lost.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::OsString,
    fs,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, MutexGuard, TryLockError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::ModifyKind};

use super::{
    chain::{EventSpot, Part},
    event::{Touch, classify, is_of_a_reader, is_told_twice, takes_away},
    read::identity,
    subscriber::{Subscriber, lock},
};

/// Changed by subscribers only, and held while the watcher is called. The thread that delivers events never takes it: it is
/// the one that answers.
static CONTROL: LazyLock<Mutex<HubControl>> = LazyLock::new(Mutex::default);
/// Who is notified. Held for moments, by both sides.
static ROUTES: LazyLock<Mutex<Routes>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct HubControl {
    watcher: Option<RecommendedWatcher>,
    /// The process in which the watcher was made; its thread is not in a fork of it.
    process: u32,
    dirs: HashMap<PathBuf, DirWatch>,
}

struct DirWatch {
    users: usize,
    /// Which directory it was when the watch was made; `None` when there is no watch.
    identity: Option<Identity>,
}

/// Which directory it is; the number of one that was removed may be used again at once.
type Identity = Option<((u64, u64), Option<SystemTime>)>;

#[derive(Default)]
struct Routes {
    dirs: HashMap<PathBuf, DirRoutes>,
    /// Where one directory or file is mounted at several places: its events have the path of one of them only.
    twins: HashMap<PathBuf, Vec<PathBuf>>,
    subscribers: Vec<Arc<Subscriber>>,
}

#[derive(Default)]
struct DirRoutes {
    /// The directory went away and its watch with it.
    lost: bool,
    /// How often its watch was made anew after it was lost. Who was there before may have missed what happened meanwhile.
    remade: u64,
    names: HashMap<OsString, Vec<Arc<Subscriber>>>,
    all: Vec<Arc<Subscriber>>,
    itself: Vec<Arc<Subscriber>>,
}

/// Whether to wait while a watch is being made for somebody else, which may hang with a network mount.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// On a worker thread: for a moment only.
    Moment,
    /// On a thread of its own.
    Forever,
}

/// The watches were not made: somebody else's take long.
#[derive(Debug)]
pub(super) struct Busy;

/// Wakes when one of its entries is touched. Dropping it takes back all that only it needed.
pub(super) struct FileSubscription {
    subscriber: Arc<Subscriber>,
    spots: BTreeSet<EventSpot>,
    /// The directories of `spots`, and which ones they were when they were watched.
    armed: BTreeMap<PathBuf, Option<Armed>>,
}

/// The directory that was watched, and [`DirRoutes::remade`] when it was.
type Armed = (Identity, u64);

impl FileSubscription {
    pub(super) fn new() -> Self {
        let subscriber = Arc::<Subscriber>::default();
        lock(&ROUTES).subscribers.push(Arc::clone(&subscriber));
        FileSubscription {
            subscriber,
            spots: BTreeSet::new(),
            armed: BTreeMap::new(),
        }
    }

    /// Whether exactly `spots` are watched.
    pub(super) fn watches(&self, spots: &BTreeSet<EventSpot>) -> bool {
        *spots == self.spots
    }

    /// Whether the directories of what is watched are still the ones that were. Never waits for a watch that is being made.
    pub(super) fn holds(&self) -> bool {
        let routes = lock(&ROUTES);
        self.armed.iter().all(|(dir, armed)| {
            let remade = routes.remade(dir);
            !routes.lost(dir) && armed.is_some_and(|armed| armed == (current(dir), remade))
        })
    }

    /// Watches `spots` and nothing else. Touches are seen from here on, even after an error.
    pub(super) fn arm(
        &mut self,
        spots: BTreeSet<EventSpot>,
        wait: Wait,
    ) -> Result<notify::Result<()>, Busy> {
        let mut control = control(wait).ok_or(Busy)?;
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
            let made = control.ensure(dir);
            let remade = lock(&ROUTES).remade(dir);
            let armed = made.as_ref().ok().map(|identity| (*identity, remade));
            self.armed.insert(dir.to_owned(), armed);
            result = result.and(made.map(drop));
        }
        self.spots = spots;
        Ok(result)
    }

    fn leave(
        subscriber: &Arc<Subscriber>,
        spots: &BTreeSet<EventSpot>,
        mut control: MutexGuard<'_, HubControl>,
    ) {
        {
            let mut routes = lock(&ROUTES);
            routes.leave(subscriber, spots.iter());
            routes
                .subscribers
                .retain(|other| !Arc::ptr_eq(other, subscriber));
        }
        for dir in dirs(spots).collect::<BTreeSet<_>>() {
            control.release(dir);
        }
        if control.dirs.is_empty() {
            control.watcher = None;
        }
    }
}

/// The control, unless it takes too long.
fn control(wait: Wait) -> Option<MutexGuard<'static, HubControl>> {
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
fn here(mut control: MutexGuard<'static, HubControl>) -> MutexGuard<'static, HubControl> {
    if control.watcher.is_some() && control.process != std::process::id() {
        std::mem::forget(control.watcher.take());
        for watched in control.dirs.values_mut() {
            watched.identity = None;
        }
    }
    control
}

impl Deref for FileSubscription {
    type Target = Subscriber;
    fn deref(&self) -> &Subscriber {
        &self.subscriber
    }
}

impl Drop for FileSubscription {
    fn drop(&mut self) {
        let subscriber = Arc::clone(&self.subscriber);
        let spots = std::mem::take(&mut self.spots);
        match control(Wait::Moment) {
            Some(control) => Self::leave(&subscriber, &spots, control),
            // Where no thread can be had, what only it needed stays watched, and nobody is woken.
            None => drop(thread::Builder::new().spawn(move || {
                Self::leave(&subscriber, &spots, here(lock(&CONTROL)));
            })),
        }
    }
}

impl HubControl {
    fn retain(&mut self, dir: &Path) {
        self.dirs
            .entry(dir.to_owned())
            .or_insert(DirWatch {
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

impl DirRoutes {
    fn of(&mut self, part: &Part) -> &mut Vec<Arc<Subscriber>> {
        match part {
            Part::Name(name) => self.names.entry(name.clone()).or_default(),
            Part::All => &mut self.all,
            Part::Itself => &mut self.itself,
        }
    }

    fn everyone(&self) -> impl Iterator<Item = &Arc<Subscriber>> {
        let named = self.names.values().flatten();
        named.chain(&self.all).chain(&self.itself)
    }
}

impl Routes {
    fn enter<'a>(
        &mut self,
        subscriber: &Arc<Subscriber>,
        spots: impl Iterator<Item = &'a EventSpot>,
    ) {
        for spot in spots {
            let entries = self.dirs.entry(spot.dir.clone()).or_default();
            entries.of(&spot.part).push(Arc::clone(subscriber));
        }
    }

    fn leave<'a>(
        &mut self,
        subscriber: &Arc<Subscriber>,
        spots: impl Iterator<Item = &'a EventSpot>,
    ) {
        for spot in spots {
            let Some(entries) = self.dirs.get_mut(&spot.dir) else {
                continue;
            };
            let waiting = entries.of(&spot.part);
            waiting.retain(|other| !Arc::ptr_eq(other, subscriber));
            if let (true, Part::Name(name)) = (waiting.is_empty(), &spot.part) {
                entries.names.remove(name);
            }
            if entries.everyone().next().is_none() {
                self.dirs.remove(&spot.dir);
            }
        }
    }

    fn pair(&mut self, dir: &Path, same: &[&Path]) {
        for other in same {
            let twins = self.twins.entry((*other).to_owned()).or_default();
            twins.push(dir.to_owned());
            let twins = self.twins.entry(dir.to_owned()).or_default();
            twins.push((*other).to_owned());
        }
    }

    fn part(&mut self, dir: &Path) {
        for twin in self.twins.remove(dir).into_iter().flatten() {
            if let Some(twins) = self.twins.get_mut(&twin) {
                twins.retain(|other| other != dir);
                if twins.is_empty() {
                    self.twins.remove(&twin);
                }
            }
        }
    }

    /// Every path of what an event has one path of.
    fn paths(&self, path: &Path) -> Vec<PathBuf> {
        let mut paths = vec![path.to_owned()];
        if self.twins.is_empty() {
            return paths;
        }
        paths.extend(self.twins.get(path).into_iter().flatten().cloned());
        if let (Some(dir), Some(name)) = (path.parent(), path.file_name()) {
            let twins = self.twins.get(dir).into_iter().flatten();
            paths.extend(twins.map(|twin| twin.join(name)));
        }
        paths
    }

    fn lost(&self, dir: &Path) -> bool {
        self.dirs.get(dir).is_some_and(|entries| entries.lost)
    }

    fn remade(&self, dir: &Path) -> u64 {
        self.dirs.get(dir).map_or(0, |entries| entries.remade)
    }

    /// Whether `dir` was lost; from here on it is not. Before it is watched again, so that losing it again is noticed. For
    /// everybody else there who has looked at it meanwhile it is as if it were lost still.
    fn find(&mut self, dir: &Path) -> bool {
        let Some(entries) = self.dirs.get_mut(dir) else {
            return false;
        };
        let lost = std::mem::take(&mut entries.lost);
        entries.remade += u64::from(lost);
        lost
    }

    /// `dir` is not watched any more: whoever follows something in it must look.
    fn lose(&mut self, dir: &Path) {
        if let Some(entries) = self.dirs.get_mut(dir) {
            entries.lost = true;
            let all = EventSpot {
                dir: dir.to_owned(),
                part: Part::All,
            };
            entries
                .everyone()
                .for_each(|subscriber| subscriber.touch(&all, Touch::Gone));
        }
    }
}

/// Called by notify's thread for every event. It must never call the watcher, which would wait for this very thread.
pub(super) fn deliver(event: notify::Result<Event>) {
    let event = match event {
        Ok(event) if !event.need_rescan() => event,
        _ => {
            let everyone = lock(&ROUTES).subscribers.clone();
            everyone.iter().for_each(|subscriber| subscriber.rescan());
            return;
        }
    };
    if is_of_a_reader(event.kind) || is_told_twice(event.kind) {
        return;
    }
    let paths: Vec<PathBuf> = {
        let routes = lock(&ROUTES);
        event
            .paths
            .iter()
            .flat_map(|path| routes.paths(path))
            .collect()
    };
    for path in &paths {
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
        of_itself(event.kind, path);
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            continue;
        };
        let waiting: Vec<Arc<Subscriber>> = match lock(&ROUTES).dirs.get(dir) {
            Some(entries) => {
                let named = entries.names.get(name).into_iter().flatten();
                named.chain(&entries.all).cloned().collect()
            }
            None => continue,
        };
        if waiting.is_empty() {
            continue;
        }
        let spot = EventSpot::entry(dir, name);
        match (classify(event.kind, path), &waiting[..]) {
            (Touch::Finished, [only]) => only.finished(&spot),
            (touch, all) => all
                .iter()
                .for_each(|subscriber| subscriber.touch(&spot, touch)),
        }
    }
}

/// An event of what is watched itself: of a file, or of the rights of a directory.
fn of_itself(kind: EventKind, path: &Path) {
    let routes = lock(&ROUTES);
    let Some(entries) = routes.dirs.get(path) else {
        return;
    };
    let spot = EventSpot {
        dir: path.to_owned(),
        part: Part::Itself,
    };
    if let EventKind::Modify(ModifyKind::Metadata(_)) = kind {
        let everyone = entries.everyone();
        everyone.for_each(|subscriber| subscriber.touch(&spot, Touch::Metadata));
    } else if !entries.itself.is_empty() {
        let waiting = entries.itself.clone();
        drop(routes);
        let touch = classify(kind, path);
        waiting
            .iter()
            .for_each(|subscriber| subscriber.touch(&spot, touch));
    }
}

/// While this is held no event is delivered.
#[cfg(all(test, target_os = "linux"))]
pub(super) fn held_up() -> impl Sized {
    lock(&ROUTES)
}

fn current(dir: &Path) -> Identity {
    let found = fs::metadata(dir).ok()?;
    Some((identity(&found)?, found.created().ok()))
}

fn dirs(spots: &BTreeSet<EventSpot>) -> impl Iterator<Item = &Path> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One of two makes a lost watch anew; what happened before that is not known to the other one.
    #[test]
    fn a_watch_that_another_one_makes_anew_is_looked_at_again() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().canonicalize().unwrap();
        let spots = BTreeSet::from([EventSpot::entry(&dir, "f")]);
        let mut both = [FileSubscription::new(), FileSubscription::new()];
        for one in &mut both {
            one.arm(spots.clone(), Wait::Forever).unwrap().unwrap();
            assert!(one.holds());
        }
        lock(&ROUTES).lose(&dir);
        let [one, other] = &mut both;
        assert!(!one.holds() && !other.holds());
        one.arm(spots.clone(), Wait::Forever).unwrap().unwrap();
        assert!(one.holds());
        assert!(!other.holds(), "it has not looked since");
        other.arm(spots, Wait::Forever).unwrap().unwrap();
        assert!(one.holds() && other.holds());
    }

    /// Nothing watches the folder in which it was replaced: the only event is that of the old watch, which the first one takes back.
    #[tokio::test]
    async fn who_finds_another_folder_wakes_the_others_that_watch_it() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().canonicalize().unwrap().join("dir");
        let spots = BTreeSet::from([EventSpot::entry(&dir, "f")]);
        fs::create_dir(&dir).unwrap();
        let mut one = FileSubscription::new();
        let mut other = FileSubscription::new();
        for each in [&mut one, &mut other] {
            each.arm(spots.clone(), Wait::Forever).unwrap().unwrap();
        }
        {
            // The thread that delivers events is held up.
            let mut control = control(Wait::Forever).unwrap();
            control.dirs.get_mut(&dir).unwrap().identity = Some(Some(((0, 0), None)));
        }
        one.arm(spots.clone(), Wait::Forever).unwrap().unwrap();
        assert!(!other.holds());
        let touches = tokio::time::timeout(Duration::from_secs(60), other.touched()).await;
        assert!(!touches.unwrap().spots.is_empty());
        other.arm(spots, Wait::Forever).unwrap().unwrap();
        assert!(one.holds() && other.holds());
    }
}
