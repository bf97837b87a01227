//! A handle that does not keep its capacitor alive, for code that the capacitor itself owns.

use super::Capacitor;
use crate::{Config, handle::HandleRef, runtime::Owner};
use std::{
    fmt,
    sync::{Arc, Weak},
};

/// A handle that does not keep its [`Capacitor`] alive, from [`Capacitor::downgrade`]. A callback that owns the capacitor which calls
/// it would watch for ever; with this one the watching ends when the program drops its last capacitor.
///
/// ```
/// use flux::{Capacitor, Flux, Source, capacitor::WeakCapacitor};
/// use std::sync::{Arc, OnceLock};
///
/// #[derive(Flux)]
/// struct AppConfig {
///     #[flux(default = 80)]
///     port: u16,
/// }
///
/// # fn main() -> Result<(), flux::Error> {
/// let own: Arc<OnceLock<WeakCapacitor<AppConfig>>> = Arc::default();
/// let called = Arc::clone(&own);
/// let capacitor = Capacitor::<AppConfig>::builder()
///     .source(Source::env("APP_"))
///     .on_apply(move |_, _| {
///         let capacitor = called.get().and_then(WeakCapacitor::upgrade);
///         async move {
///             let state = capacitor.map(|capacitor| capacitor.state());
///             Ok::<_, String>(drop(state))
///         }
///     })
///     .build()?;
/// assert!(own.set(capacitor.downgrade()).is_ok());
/// # Ok(())
/// # }
/// ```
pub struct WeakCapacitor<C: Config> {
    owner: Weak<Owner>,
    handle: HandleRef<C>,
}

impl<C: Config> WeakCapacitor<C> {
    pub(super) fn new(capacitor: &Capacitor<C>) -> Self {
        WeakCapacitor {
            owner: Arc::downgrade(&capacitor.owner),
            handle: capacitor.handle.clone(),
        }
    }

    /// The capacitor; none once the program has dropped the last one.
    pub fn upgrade(&self) -> Option<Capacitor<C>> {
        let owner = self.owner.upgrade()?;
        Some(Capacitor {
            instance: Arc::clone(&owner.0),
            handle: self.handle.clone(),
            owner,
        })
    }
}

impl<C: Config> Clone for WeakCapacitor<C> {
    fn clone(&self) -> Self {
        WeakCapacitor {
            owner: Weak::clone(&self.owner),
            handle: self.handle.clone(),
        }
    }
}

impl<C: Config> fmt::Debug for WeakCapacitor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakCapacitor")
            .field("alive", &(self.owner.strong_count() > 0))
            .finish()
    }
}
