//! A config type with sources of its own.

use super::{Builder, global::Global};
use crate::{handle::Local, layer::Config};
use std::thread::LocalKey;

/// A config struct with sources of its own, and with the static handle behind `get()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no static handle",
    note = "give it a source: `#[flux(source = \"file:app.yaml\")]`; a struct without one is a section, or is built with `Capacitor::<T>::builder()`"
)]
pub trait Root: Config {
    /// The builder with everything that the attributes declare.
    fn declared() -> Builder<Self>;
    /// The static handle.
    fn global() -> &'static Global<Self>;
    /// This thread's copy of the static handle's value.
    fn local() -> &'static LocalKey<Local<Self>>;
    /// Publishes the `hot` fields.
    fn publish_hot(&self) {}
    /// Takes the `hot` fields back, so that their readers look at the whole configuration.
    fn unpublish_hot() {}
}
