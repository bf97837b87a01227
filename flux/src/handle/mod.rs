//! When readers see a new value, without a lock: one atomically swapped snapshot, a copy of it per thread, and the publishing of
//! hot fields.

#[cfg(feature = "testing")]
mod overrides;

#[cfg(feature = "testing")]
pub(crate) use overrides::Overrides;

use arc_swap::ArcSwapOption;
use std::{
    cell::Cell,
    fmt, mem,
    ops::Deref,
    ptr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicPtr, Ordering},
    },
    thread::LocalKey,
    time::SystemTime,
};

/// One applied configuration. Derefs to the config struct.
pub struct Snapshot<C> {
    value: C,
    generation: u64,
    applied: SystemTime,
}

impl<C> Snapshot<C> {
    /// One that was made just now.
    pub(crate) fn new(value: C, generation: u64) -> Self {
        Snapshot::made(value, generation, SystemTime::now())
    }
    pub(crate) fn made(value: C, generation: u64, applied: SystemTime) -> Self {
        Snapshot {
            value,
            generation,
            applied,
        }
    }
    pub(crate) fn into_value(this: Self) -> C {
        this.value
    }
    /// How many configurations were applied up to this one, itself included. The first is 1.
    pub fn generation(this: &Self) -> u64 {
        this.generation
    }
    /// When it was applied.
    pub fn applied(this: &Self) -> SystemTime {
        this.applied
    }
}

impl<C> Deref for Snapshot<C> {
    type Target = C;
    #[inline]
    fn deref(&self) -> &C {
        &self.value
    }
}

impl<C> fmt::Debug for Snapshot<C> {
    /// Without the value, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

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

/// A reader of its own for a hot loop: one atomic load and a comparison a read. From `AppConfig::reader()` or
/// [`Capacitor::reader`](crate::Capacitor::reader).
pub struct Reader<C: 'static> {
    mark: Arc<AtomicPtr<Snapshot<C>>>,
    copy: Arc<Snapshot<C>>,
    handle: HandleRef<C>,
}

impl<C> Reader<C> {
    pub(crate) fn new(handle: HandleRef<C>) -> Option<Self> {
        let copy = handle.get().visible()?;
        let mark = handle.get().shared_mark();
        Some(Reader { mark, copy, handle })
    }

    /// The current configuration. Borrowed from the reader, so a newer one is seen by the next call.
    #[inline(always)]
    pub fn get(&mut self) -> &C {
        let mark = self.mark.load(Ordering::Acquire).cast_const();
        if !ptr::eq(mark, Arc::as_ptr(&self.copy)) {
            self.refresh();
        }
        &self.copy.value
    }

    #[cold]
    #[inline(never)]
    fn refresh(&mut self) {
        if let Some(snapshot) = self.handle.get().visible() {
            self.copy = snapshot;
        }
    }
}
