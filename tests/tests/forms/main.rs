//! Forms of a config's fields: where sections may be, and what becomes of everything inside them.

mod bytes;
mod characters;
mod nulls;
mod precision;
mod rest;
mod support;
mod taken;
mod variables;
mod wrappers;
