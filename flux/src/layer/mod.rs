//! Layers: one source's view of a config struct, every field optional, and what is done with them.
//!
//! A layer is decoded straight from its source's format ([`decode`]), folded over the layers below it ([`merge`]) and turned
//! into the struct ([`finish`]). The derive emits one short call a field into these modules.

pub(crate) mod byte_size;
mod config;
mod contract;
pub(crate) mod decode;
pub(crate) mod finish;
pub(crate) mod flat;
pub(crate) mod key;
pub(crate) mod leaf;
#[cfg(feature = "schemars")]
mod leaf_schema;
pub(crate) mod merge;
pub(crate) mod nested_forms;
mod null;
pub(crate) mod presence;
pub(crate) mod same;
pub(crate) mod secret_texts;
pub(crate) mod section_inside;
pub(crate) mod seen_keys;
pub(crate) mod serde_methods;
pub(crate) mod sublayer;
pub(crate) mod taken;
pub(crate) mod trace;
pub(crate) mod union;
pub(crate) mod unique_keys;

pub use config::Config;
pub(crate) use config::differences;
pub(crate) use contract::Parts;
pub use contract::{Keys, Layer, Leaf, Presence, Taken, UNKNOWN};

/// The layer of a config struct: the struct's fields, each of them optional. A reducer gets and makes such layers.
pub type LayerOf<C> = <C as finish::Nested>::Layer;
