//! Layers: one source's view of a config struct, every field optional, and what is done with them.
//!
//! A layer is decoded straight from its source's format ([`decode`]), folded over the layers below it ([`merge`]) and turned
//! into the struct ([`finish`]). The derive emits one short call a field into these modules.

mod config;
mod contract;
pub mod decode;
pub mod finish;
pub mod merge;
pub mod presence;
pub mod unique_keys;

pub use config::Config;
pub(crate) use config::differences;
pub use contract::{Keys, Layer, Parts, Said, UNKNOWN};
