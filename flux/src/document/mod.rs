//! Documents as generic trees, for reports and for text without a format.

pub(crate) mod node;
pub(crate) mod raw;
mod raw_json;
pub(crate) mod tree;
