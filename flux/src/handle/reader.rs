//! A reader of its own, which compares one mark at a read.

use super::{HandleRef, Snapshot};
use std::{
    ptr,
    sync::{
        Arc,
        atomic::{AtomicPtr, Ordering},
    },
};

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
