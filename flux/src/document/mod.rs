//! One model of a document, whatever its format: every value with its span, its source text and the way it was written.
//!
//! It is built only when someone asks: for reports, for secrets' extents, for recordings. The format's fast decoder decides what a
//! document contains. Where a parser with spans cannot follow it, positions are lost and nothing else.
//!
//! Nodes are stored in one vector, and no function here recurses: no depth exhausts the stack.

#[cfg(feature = "yaml")]
mod agree;
#[cfg(all(
    any(test, flux_fuzzing),
    feature = "json",
    feature = "yaml",
    feature = "toml"
))]
mod agreement;
mod build;
mod decode;
mod find;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "json5")]
mod json5;
#[cfg(any(feature = "jsonc", feature = "json5"))]
mod jsonc;
mod lines;
#[cfg(feature = "yaml")]
mod merge;
mod model;
pub(crate) mod raw;
mod raw_json;
mod scalar;
#[cfg(feature = "yaml")]
pub(crate) mod tags;
#[cfg(all(test, feature = "json", feature = "yaml", feature = "toml"))]
mod tests;
#[cfg(feature = "toml")]
mod toml;
pub(crate) mod tree;
#[cfg(feature = "yaml")]
mod unplaced;
#[cfg(feature = "yaml")]
mod yaml;

#[cfg(all(flux_fuzzing, feature = "json", feature = "yaml", feature = "toml"))]
pub(crate) use agreement::check;
pub(crate) use decode::{
    AskedForm, AskedValue, ChosenPart, NodeDecoder, TreeDecoder, asked_form, asked_value,
    items_by_number, with_parts, with_plain_scalars, with_texts_read_once,
};
pub(crate) use find::Finder;
#[cfg(feature = "jsonc")]
pub(crate) use jsonc::blanked;
#[cfg(any(feature = "jsonc", feature = "json5"))]
pub(crate) use jsonc::{JsonRefusal, is_comments_alone};
pub(crate) use lines::Lines;
#[cfg(feature = "yaml")]
pub(crate) use merge::{MERGE, bad_merge};
pub(crate) use model::{
    Dialect, Document, DocumentScalar, NodeContent, NodeId, Pair, ScalarStyle, Unfollowed,
};
pub(crate) use scalar::ResolvedKind;
