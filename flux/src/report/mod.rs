//! Reports: every problem of an update, each with path, layer, line and column.

pub mod tree;
