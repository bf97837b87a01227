//! What one watcher of files is woken by: the directory entries that it follows are watched for as long as it needs them.

mod control;
mod routes;

pub(super) use control::Wait;
#[cfg(test)]
pub(super) use routes::deliver;
#[cfg(all(test, target_os = "linux"))]
pub(super) use routes::held_up;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, MutexGuard},
    thread,
};

use super::{
    chain::EventSpot,
    subscriber::{Subscriber, lock},
};
use control::{CONTROL, HubControl, Identity, control, current, here};
use routes::ROUTES;

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

fn dirs(spots: &BTreeSet<EventSpot>) -> impl Iterator<Item = &Path> {
    spots.iter().map(|spot| spot.dir.as_path())
}

#[cfg(test)]
mod tests;
