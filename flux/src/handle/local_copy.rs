//! The copy of the current snapshot that each thread keeps, so that reads touch nothing that other threads write.

use super::{Handle, Snapshot};
use std::{cell::Cell, mem, ptr, sync::Arc, thread::LocalKey};

/// The outer count belongs to one thread: reads of different threads share nothing that is written.
#[allow(clippy::redundant_allocation, reason = "the second count is the point")]
pub(crate) type SharedSnapshot<C> = Arc<Arc<Snapshot<C>>>;

/// One thread's copy of the current snapshot.
pub struct Local<C> {
    mark: Cell<*const Snapshot<C>>,
    copy: Cell<Option<SharedSnapshot<C>>>,
}

impl<C> Local<C> {
    /// No copy yet. The mark is one that no snapshot and no empty handle has.
    pub const fn new() -> Self {
        Local {
            mark: Cell::new(ptr::without_provenance(1)),
            copy: Cell::new(None),
        }
    }
}

impl<C> Default for Local<C> {
    fn default() -> Self {
        Local::new()
    }
}

/// The snapshot that this thread sees, mostly without touching anything that other threads write.
#[inline(always)]
pub(crate) fn read<C>(
    handle: &Handle<C>,
    local: &'static LocalKey<Local<C>>,
) -> Option<SharedSnapshot<C>> {
    let hit = local.try_with(|local| {
        if !handle.is_current(local.mark.get()) {
            return None;
        }
        let copy = local.copy.take()?;
        let shared = Arc::clone(&copy);
        // The cell is empty since the line above: nothing is forgotten, and no drop needs to be looked for.
        mem::forget(local.copy.replace(Some(copy)));
        Some(shared)
    });
    match hit {
        Ok(Some(copy)) => Some(copy),
        _ => refresh(handle, local),
    }
}

#[cold]
#[inline(never)]
fn refresh<C>(handle: &Handle<C>, local: &'static LocalKey<Local<C>>) -> Option<SharedSnapshot<C>> {
    let snapshot = handle.visible()?;
    let mark = Arc::as_ptr(&snapshot);
    let copy = Arc::new(snapshot);
    // The old copy may be the last one: its drop, which is user code and may read, runs when the new one is in place.
    let old = local.try_with(|local| {
        local.mark.set(mark);
        local.copy.replace(Some(Arc::clone(&copy)))
    });
    drop(old);
    Some(copy)
}

/// Lets this thread's copy go.
pub(crate) fn release<C>(local: &'static LocalKey<Local<C>>) {
    let old = local.try_with(|local| {
        local.mark.set(ptr::without_provenance(1));
        local.copy.take()
    });
    drop(old);
}
