//! Layers: one source's view of a config struct, every field optional, and what is done with them.
//!
//! A layer is decoded straight from its source's format ([`decode`]), folded over the layers below it ([`merge`]) and turned
//! into the struct ([`finish`]). The derive emits one short call a field into these modules.

mod config;
pub mod decode;
pub mod finish;
pub mod merge;
pub mod presence;
pub mod unique_keys;

use serde::de::MapAccess;

pub use config::Config;
pub(crate) use config::differences;
pub use decode::Keys;
pub use presence::Said;

/// No field has this index: the key is unknown.
pub const UNKNOWN: usize = usize::MAX;

/// One source's view of a config struct. Implemented by the derive.
pub trait Layer: Default + Clone + Send + Sync + 'static {
    /// The struct's own keys.
    const KEYS: Keys;

    /// How many indices the layer answers to: its own fields and those of flattened sections.
    fn width() -> usize {
        Self::KEYS.len()
    }

    /// The index of the field that `key` names, or [`UNKNOWN`]. `hint` is where to look first.
    fn index(key: &str, hint: usize) -> usize {
        Self::KEYS.find(key, hint)
    }

    /// Decodes the next value of `map` into the field with this index.
    fn put<'de, A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error>;

    /// Lays `top` over this layer: what it says wins, field by field.
    fn over(&mut self, top: &Self);

    /// What the layer says about the field with this index.
    fn said(&self, index: usize) -> Said<'_>;
}
