//! When readers see a new value, without a lock: one atomically swapped snapshot, and the publishing of hot fields.

mod guard;
mod local_copy;
#[cfg(feature = "testing")]
mod overrides;
mod reader;
mod snapshot;

pub use guard::Guard;
pub use local_copy::Local;
pub(crate) use local_copy::{read, release};
#[cfg(feature = "testing")]
pub(crate) use overrides::Overrides;
pub use reader::Reader;
pub use snapshot::Snapshot;

use arc_swap::ArcSwapOption;
use std::{
    fmt, ptr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicPtr, Ordering},
    },
};

/// Values may hold secrets, so none of these types prints what it holds.
macro_rules! debug_without_value {
    ($([$($generics:tt)*] $type:ty, $name:literal;)*) => {$(
        impl<$($generics)*> fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).finish_non_exhaustive()
            }
        }
    )*};
}

debug_without_value! {
    [C] Handle<C>, "Handle";
    [C] HandleRef<C>, "HandleRef";
    [C] Local<C>, "Local";
    [C] Reader<C>, "Reader";
}

type SharedMark<C> = Option<Arc<AtomicPtr<Snapshot<C>>>>;

/// The place where the current snapshot is published.
pub(crate) struct Handle<C> {
    /// Which snapshot is current, for the comparison that readers make; never followed.
    mark: AtomicPtr<Snapshot<C>>,
    current: ArcSwapOption<Snapshot<C>>,
    /// For one writer at a time. The same mark for readers, which keep it alive: made for the first of them.
    writer: Mutex<SharedMark<C>>,
    #[cfg(feature = "testing")]
    overrides: Overrides<C>,
}

impl<C> Handle<C> {
    /// An empty handle.
    pub(crate) const fn new() -> Self {
        Handle {
            mark: AtomicPtr::new(ptr::null_mut()),
            current: ArcSwapOption::const_empty(),
            writer: Mutex::new(None),
            #[cfg(feature = "testing")]
            overrides: Overrides::new(),
        }
    }

    /// Publishes `snapshot`, and its `hot` fields. The mark is cleared first: a thread that sees the new value before the new mark must look again,
    /// or it could miss what another thread has already published to it. Answers with the snapshot before: its drop is code of the program.
    pub(crate) fn publish(
        &self,
        snapshot: Arc<Snapshot<C>>,
        publish_hot: fn(&C),
    ) -> Option<Arc<Snapshot<C>>> {
        let writer = self.writer();
        let mark = Arc::as_ptr(&snapshot).cast_mut();
        let shown = !self.is_overridden();
        if shown {
            publish_hot(&snapshot.value);
        }
        self.set_mark(&writer, ptr::null_mut(), Ordering::Relaxed);
        let before = self.current.swap(Some(snapshot));
        if shown {
            self.set_mark(&writer, mark, Ordering::Release);
        }
        before
    }

    fn writer(&self) -> MutexGuard<'_, SharedMark<C>> {
        match self.writer.lock() {
            Ok(writer) => writer,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    fn set_mark(&self, shared: &SharedMark<C>, mark: *mut Snapshot<C>, order: Ordering) {
        self.mark.store(mark, order);
        if let Some(shared) = shared {
            shared.store(mark, order);
        }
    }

    fn shared_mark(&self) -> Arc<AtomicPtr<Snapshot<C>>> {
        let mut writer = self.writer();
        if let Some(shared) = &*writer {
            return Arc::clone(shared);
        }
        let shared = Arc::new(AtomicPtr::new(self.mark.load(Ordering::Relaxed)));
        *writer = Some(Arc::clone(&shared));
        shared
    }

    #[cfg(not(feature = "testing"))]
    fn is_overridden(&self) -> bool {
        false
    }

    /// The current snapshot.
    pub(crate) fn load(&self) -> Option<Arc<Snapshot<C>>> {
        self.current.load_full()
    }

    /// The snapshot that this thread sees.
    pub(crate) fn visible(&self) -> Option<Arc<Snapshot<C>>> {
        #[cfg(feature = "testing")]
        if let Some(snapshot) = self.overrides.of_this_thread() {
            return Some(snapshot);
        }
        self.load()
    }

    #[inline(always)]
    fn is_current(&self, mark: *const Snapshot<C>) -> bool {
        ptr::eq(self.mark.load(Ordering::Acquire), mark)
    }
}

/// While anything is overridden no mark is current, so that every read looks whether it is meant.
#[cfg(feature = "testing")]
impl<C> Handle<C> {
    /// Changes the overrides, and publishes the `hot` fields of what every thread sees afterwards; none where threads differ.
    pub(crate) fn change_overrides<T>(
        &self,
        change: impl FnOnce(&Overrides<C>) -> T,
        publish_hot: impl FnOnce(Option<&C>),
    ) -> T {
        let writer = self.writer();
        let changed = change(&self.overrides);
        let current = self.load().filter(|_| !self.is_overridden());
        publish_hot(current.as_ref().map(|snapshot| &snapshot.value));
        let mark = current.as_ref().map_or(ptr::null(), Arc::as_ptr).cast_mut();
        self.set_mark(&writer, mark, Ordering::Release);
        changed
    }

    fn is_overridden(&self) -> bool {
        self.overrides.any()
    }
}

impl<C> Default for Handle<C> {
    fn default() -> Self {
        Handle::new()
    }
}

/// Where a capacitor publishes: the static handle of its type, or one of its own.
pub(crate) enum HandleRef<C: 'static> {
    /// The static handle, and how to publish the `hot` fields.
    Static(&'static Handle<C>, fn(&C)),
    /// A handle of the instance's own.
    Shared(Arc<Handle<C>>),
}

impl<C> HandleRef<C> {
    pub(crate) fn get(&self) -> &Handle<C> {
        match self {
            HandleRef::Static(handle, _) => handle,
            HandleRef::Shared(handle) => handle,
        }
    }

    pub(crate) fn publish(&self, snapshot: Arc<Snapshot<C>>) -> Option<Arc<Snapshot<C>>> {
        match self {
            HandleRef::Static(handle, publish_hot) => handle.publish(snapshot, *publish_hot),
            HandleRef::Shared(handle) => handle.publish(snapshot, |_| ()),
        }
    }
}

impl<C> Clone for HandleRef<C> {
    fn clone(&self) -> Self {
        match self {
            HandleRef::Static(handle, publish_hot) => HandleRef::Static(handle, *publish_hot),
            HandleRef::Shared(handle) => HandleRef::Shared(Arc::clone(handle)),
        }
    }
}
