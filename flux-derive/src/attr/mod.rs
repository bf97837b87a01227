//! Reads `#[flux(..)]` and `#[serde(..)]` by the table of options. Each option is parsed on its own, so that one mistake does not
//! hide the next.

mod form;
mod given;
mod read;
mod sizes;

pub(crate) use given::{Given, Options, Written};
pub(crate) use read::read;
pub(crate) use sizes::as_numbers;
