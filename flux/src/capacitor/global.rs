//! The static instance of a config type: what `AppConfig::get()` and the other reads on the type return, and that they panic before
//! the first success.

use super::{Capacitor, Root};
use crate::handle::{self, Guard, Handle, HandleRef, Reader, Snapshot};
use std::{fmt, sync::Arc};

/// What is behind a config struct's `get()`: the handle, and the capacitor that feeds it.
pub struct Global<C: crate::Config> {
    pub(crate) handle: Handle<C>,
    pub(crate) capacitor: std::sync::OnceLock<Capacitor<C>>,
}

impl<C: crate::Config> fmt::Debug for Global<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Global")
            .field("config", &C::NAME)
            .finish_non_exhaustive()
    }
}

impl<C: crate::Config> Global<C> {
    /// Nothing started, nothing applied.
    pub const fn new() -> Self {
        Global {
            handle: Handle::new(),
            capacitor: std::sync::OnceLock::new(),
        }
    }
}

impl<C: crate::Config> Default for Global<C> {
    fn default() -> Self {
        Global::new()
    }
}

/// `AppConfig::try_get()`
#[inline(always)]
pub fn try_get<C: Root>() -> Option<Guard<C>> {
    handle::read(&C::global().handle, C::local()).map(Guard::copy)
}

/// `AppConfig::get()`
#[inline(always)]
pub fn get<C: Root>() -> Guard<C> {
    match handle::read(&C::global().handle, C::local()) {
        Some(copy) => Guard::copy(copy),
        None => not_started::<C>(),
    }
}

#[cold]
#[inline(never)]
pub(crate) fn not_started<C: Root>() -> ! {
    let state = C::global()
        .capacitor
        .get()
        .map(|capacitor| capacitor.state());
    match state {
        Some(state) => panic!(
            "{name}::get(): no configuration was applied yet (state: {state}); look at the error that {name}::start() returned, or use {name}::try_get()",
            name = C::NAME
        ),
        None => panic!(
            "{name}::get(): not started; call `{name}::start().await?` first, or use {name}::try_get()",
            name = C::NAME
        ),
    }
}

/// Lets this thread's copy of `C`'s configuration go. A thread that stops reading otherwise keeps one old configuration alive
/// until it reads again or ends.
pub fn park<C: Root>() {
    handle::release(C::local());
}

/// `AppConfig::reader()`
pub fn reader<C: Root>() -> Reader<C> {
    match Reader::new(static_handle()) {
        Some(reader) => reader,
        None => not_started::<C>(),
    }
}

/// `AppConfig::snapshot()`
pub fn snapshot<C: Root>() -> Arc<Snapshot<C>> {
    match try_snapshot() {
        Some(snapshot) => snapshot,
        None => not_started::<C>(),
    }
}

/// `AppConfig::try_snapshot()`
pub fn try_snapshot<C: Root>() -> Option<Arc<Snapshot<C>>> {
    C::global().handle.visible()
}

/// The capacitor behind a config struct's static handle.
pub fn capacitor<C: Root>() -> &'static Capacitor<C> {
    let make = || Capacitor::idle(C::NAME.to_owned(), static_handle());
    C::global().capacitor.get_or_init(make)
}

fn static_handle<C: Root>() -> HandleRef<C> {
    HandleRef::Static(&C::global().handle, C::publish_hot)
}
