//! The behaviour tests of Flux are in `tests/`. This library compiles the README's code blocks, and has what several of them
//! need; those against real servers the servers, a line to them that can be cut, and the table of what was seen.

#[cfg(feature = "_servers")]
pub mod certificates;
pub mod dispatchers;
#[cfg(feature = "_servers")]
pub mod process;
#[cfg(feature = "_servers")]
pub mod proxy;
#[cfg(feature = "_servers")]
pub mod servers;
#[cfg(feature = "_servers")]
pub mod switchboard;
#[cfg(feature = "_servers")]
pub mod table;

/// The README; its blocks run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
