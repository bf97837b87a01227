//! The types that the generator made, and programs of them. `FLUX_WRITE_PAGES=1 cargo test -p flux-tests --test markers types` writes
//! `structs.in`, which is not formatted; `FLUX_MARKERS_TYPES=N` is the seed of the types, which must be written first.

#![allow(clippy::box_collection)]

use crate::{
    deep::{PANICS, QUOTED},
    generate::{MadeTypes, generate},
    pairs::{Difference, difference},
    places::{MADE, Markers},
    search::{Secretive, run},
};
use flux::Flux;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    fmt::{self, Debug},
    sync::{Arc, LazyLock},
    time::Duration,
};
use zeroize::Zeroizing;

static TYPES: LazyLock<MadeTypes> =
    LazyLock::new(|| generate(crate::number("FLUX_MARKERS_TYPES").unwrap_or(2_861)));

/// The seed decides the root as well.
pub(crate) fn run_any(seed: u64) -> usize {
    RUNS[seed as usize % RUNS.len()](seed)
}

#[test]
fn the_types_are_those_of_the_generator() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/markers/structs.in");
    if std::env::var_os("FLUX_WRITE_PAGES").is_some() {
        std::fs::write(path, &TYPES.source).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written == TYPES.source, "FLUX_WRITE_PAGES=1 writes {path}");
    assert!(TYPES.len() >= 60, "{} types", TYPES.len());
}

fn made() -> String {
    MADE.to_owned()
}

/// A type of another crate: nobody can read it.
#[derive(Clone, Deserialize)]
pub(crate) struct Unreadable(#[allow(dead_code, reason = "it is a secret")] String);

impl Debug for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unreadable")
    }
}

/// What has a number that a rule looks at.
trait Ported: Debug {
    fn port(&self) -> u16;
}

fn fits<T: Ported>(it: &T) -> Result<(), String> {
    match it.port() {
        QUOTED => Err(format!("no port for {it:?}")),
        PANICS => panic!("no port for {it:?}"),
        _ => Ok(()),
    }
}

macro_rules! made_root {
    ($name:ident, $number:literal, $paths:expr) => {
        impl Ported for $name {
            fn port(&self) -> u16 {
                self.port
            }
        }
        impl Secretive for $name {
            const PATHS: &'static [&'static str] = &$paths;
            fn good(markers: &mut Markers, port: u16) -> Value {
                TYPES.document($number, markers, port)
            }
            fn variable(markers: &mut Markers) -> (String, String) {
                TYPES.variable($number, markers)
            }
            fn port(&self) -> u16 {
                self.port
            }
            fn quoted(&self) -> String {
                format!("{self:?}")
            }
            fn filled(&mut self) -> &mut String {
                &mut self.filled
            }
        }
    };
}

include!("structs.in");
