//! Which value readers of a thread get while a test has put one in the place of the snapshot.

use super::Snapshot;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
};

/// What is put in the place of a handle's snapshot, by thread; the newest of a thread counts.
pub(crate) struct Overrides<C>(Mutex<Kept<C>>);

struct Kept<C> {
    next: u64,
    entries: Vec<Entered<C>>,
}

struct Entered<C> {
    number: u64,
    thread: ThreadId,
    snapshot: Arc<Snapshot<C>>,
}

impl<C> Overrides<C> {
    pub(crate) const fn new() -> Self {
        Overrides(Mutex::new(Kept {
            next: 0,
            entries: Vec::new(),
        }))
    }

    pub(crate) fn any(&self) -> bool {
        !self.kept().entries.is_empty()
    }

    pub(crate) fn of_this_thread(&self) -> Option<Arc<Snapshot<C>>> {
        let thread = thread::current().id();
        let kept = self.kept();
        let newest = kept.entries.iter().rev().find(|one| one.thread == thread);
        newest.map(|one| Arc::clone(&one.snapshot))
    }

    pub(crate) fn enter(&self, snapshot: Arc<Snapshot<C>>) -> u64 {
        let mut kept = self.kept();
        kept.next += 1;
        let number = kept.next;
        kept.entries.push(Entered {
            number,
            thread: thread::current().id(),
            snapshot,
        });
        number
    }

    pub(crate) fn leave(&self, number: u64) -> Option<Arc<Snapshot<C>>> {
        let mut kept = self.kept();
        let at = kept.entries.iter().position(|one| one.number == number)?;
        Some(kept.entries.remove(at).snapshot)
    }

    fn kept(&self) -> MutexGuard<'_, Kept<C>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
