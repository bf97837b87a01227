//! Which watchers of files an event of the file system reaches, by the directory entries that they follow.

use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex},
};

use notify::{Event, EventKind, event::ModifyKind};

use crate::source::file::{
    chain::{EventSpot, Part},
    event::{Touch, classify, is_of_a_reader, is_told_twice, takes_away},
    subscriber::{Subscriber, lock},
};

/// Who is notified. Held for moments, by both sides.
pub(super) static ROUTES: LazyLock<Mutex<Routes>> = LazyLock::new(Mutex::default);

#[derive(Default)]
pub(super) struct Routes {
    pub(super) dirs: HashMap<PathBuf, DirRoutes>,
    /// Where one directory or file is mounted at several places: its events have the path of one of them only.
    twins: HashMap<PathBuf, Vec<PathBuf>>,
    pub(super) subscribers: Vec<Arc<Subscriber>>,
}

#[derive(Default)]
pub(super) struct DirRoutes {
    /// The directory went away and its watch with it.
    pub(super) lost: bool,
    /// How often its watch was made anew after it was lost. Who was there before may have missed what happened meanwhile.
    remade: u64,
    names: HashMap<OsString, Vec<Arc<Subscriber>>>,
    all: Vec<Arc<Subscriber>>,
    itself: Vec<Arc<Subscriber>>,
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
    pub(super) fn enter<'a>(
        &mut self,
        subscriber: &Arc<Subscriber>,
        spots: impl Iterator<Item = &'a EventSpot>,
    ) {
        for spot in spots {
            let entries = self.dirs.entry(spot.dir.clone()).or_default();
            entries.of(&spot.part).push(Arc::clone(subscriber));
        }
    }

    pub(super) fn leave<'a>(
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

    pub(super) fn pair(&mut self, dir: &Path, same: &[&Path]) {
        for other in same {
            let twins = self.twins.entry((*other).to_owned()).or_default();
            twins.push(dir.to_owned());
            let twins = self.twins.entry(dir.to_owned()).or_default();
            twins.push((*other).to_owned());
        }
    }

    pub(super) fn part(&mut self, dir: &Path) {
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

    pub(super) fn lost(&self, dir: &Path) -> bool {
        self.dirs.get(dir).is_some_and(|entries| entries.lost)
    }

    pub(super) fn remade(&self, dir: &Path) -> u64 {
        self.dirs.get(dir).map_or(0, |entries| entries.remade)
    }

    /// Whether `dir` was lost; from here on it is not. Before it is watched again, so that losing it again is noticed. For
    /// everybody else there who has looked at it meanwhile it is as if it were lost still.
    pub(super) fn find(&mut self, dir: &Path) -> bool {
        let Some(entries) = self.dirs.get_mut(dir) else {
            return false;
        };
        let lost = std::mem::take(&mut entries.lost);
        entries.remade += u64::from(lost);
        lost
    }

    /// `dir` is not watched any more: whoever follows something in it must look.
    pub(super) fn lose(&mut self, dir: &Path) {
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
pub(in crate::source::file) fn deliver(event: notify::Result<Event>) {
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
pub(in crate::source::file) fn held_up() -> impl Sized {
    lock(&ROUTES)
}
