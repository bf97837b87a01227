//! The types of work that runs beside the task of a capacitor.

#[cfg(feature = "cli")]
use std::{any::Any, sync::Arc};
use std::{future::Future, pin::Pin};

/// Work of any kind.
pub(crate) type BoxedTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Begins what runs beside the task of a capacitor, from its start to its stop, of its [`Instance`](super::Instance) and an address. An
/// error is one of the declaration.
#[cfg(feature = "cli")]
pub(crate) type Companion =
    Arc<dyn Fn(Arc<dyn Any + Send + Sync>, &str) -> Result<BoxedTask, String> + Send + Sync>;
