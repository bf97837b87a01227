//! What a config type with sources of its own has: its declared builder, its static instance, its hot fields.

use super::{Builder, global::Global};
use crate::{handle::Local, layer::Config};
use std::thread::LocalKey;

/// A config struct with sources of its own, and with the static handle behind `get()`. The derive implements it; its methods are for
/// generated code alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no static handle",
    note = "give it a source: `#[flux(source = \"file:app.yaml\")]`; a struct without one is a section, or is built with `Capacitor::<T>::builder()`"
)]
pub trait Root: Config {
    /// The builder with everything that the attributes declare.
    #[doc(hidden)]
    fn declared() -> Builder<Self>;
    /// The static handle.
    #[doc(hidden)]
    fn global() -> &'static Global<Self>;
    /// This thread's copy of the static handle's value.
    #[doc(hidden)]
    fn local() -> &'static LocalKey<Local<Self>>;
    /// Publishes the `hot` fields.
    #[doc(hidden)]
    fn publish_hot(&self) {}
    /// Takes the `hot` fields back, so that their readers look at the whole configuration.
    #[doc(hidden)]
    fn unpublish_hot() {}
}
