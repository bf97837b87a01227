//! The behaviour tests of Flux stand in `tests/`. This library compiles the README's code blocks.

/// The README; its blocks run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
