//! What a read holds of a configuration, and by which count it is kept alive.

use super::{Snapshot, local_copy::SharedSnapshot};
use std::{fmt, ops::Deref, sync::Arc};

/// A borrowed view of one configuration, from `get()`. It keeps that configuration alive and unchanged while it is held, may be
/// held across `.await` and sent to other threads. One of a config type costs no atomic that other threads write.
pub struct Guard<C>(GuardOwner<C>);

/// How a guard keeps its configuration alive. Where `get()` of a config type is inlined, the compiler knows that it is a copy.
enum GuardOwner<C> {
    /// By the count of this thread's copy.
    Copy(SharedSnapshot<C>),
    /// By the snapshot's own count: from a capacitor, of which no thread has a copy.
    Own(Arc<Snapshot<C>>),
}

impl<C> Guard<C> {
    /// With the copy of a thread.
    #[inline(always)]
    pub(crate) fn copy(copy: SharedSnapshot<C>) -> Self {
        Guard(GuardOwner::Copy(copy))
    }
    /// Without a thread's copy.
    pub(crate) fn of(snapshot: Arc<Snapshot<C>>) -> Self {
        Guard(GuardOwner::Own(snapshot))
    }
    /// The number of the configuration: see [`Snapshot::generation`].
    pub fn generation(this: &Self) -> u64 {
        this.held().generation
    }
    /// The same configuration as an `Arc`.
    pub fn snapshot(this: &Self) -> Arc<Snapshot<C>> {
        Arc::clone(this.held())
    }
    #[inline(always)]
    fn held(&self) -> &Arc<Snapshot<C>> {
        match &self.0 {
            GuardOwner::Copy(copy) => copy,
            GuardOwner::Own(snapshot) => snapshot,
        }
    }
}

impl<C> Clone for Guard<C> {
    fn clone(&self) -> Self {
        Guard(match &self.0 {
            GuardOwner::Copy(copy) => GuardOwner::Copy(Arc::clone(copy)),
            GuardOwner::Own(snapshot) => GuardOwner::Own(Arc::clone(snapshot)),
        })
    }
}

impl<C> Deref for Guard<C> {
    type Target = C;
    #[inline(always)]
    fn deref(&self) -> &C {
        &self.held().value
    }
}

impl<C> fmt::Debug for Guard<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("generation", &Guard::generation(self))
            .finish_non_exhaustive()
    }
}
