//! Forms that settings structs have, each read as serde reads it.

mod defaults;
mod documents;
mod entries;
mod rest;
mod sections;
mod types;
mod variables;
