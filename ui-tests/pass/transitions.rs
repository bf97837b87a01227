//! Every rule of change, on every kind of field that it fits.
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

use flux::{Flux, rules::{Amount, Percent}};
use std::{collections::{BTreeMap, HashMap, HashSet}, num::NonZeroU16, time::Duration};

/// Bytes.
#[derive(serde::Deserialize, Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Bytes(u64);

impl Amount for Bytes {
    fn exceeds(&self, old: &Self, limit: Percent) -> bool {
        self.0.exceeds(&old.0, limit)
    }
}

/// Without `Debug`.
#[derive(serde::Deserialize, Clone, PartialEq, PartialOrd)]
pub struct Version(u8, u8);

/// All of it.
#[derive(Flux)]
#[flux(source = "file:app.yaml")]
#[allow(dead_code)]
struct Config {
    #[flux(immutable, hot)]
    port: u16,
    #[flux(restart, default = 4, hot = "workers_now")]
    workers: u16,
    #[flux(max_change = "50%", monotonic, range = 1..=1000, default = 10)]
    pool: u32,
    #[flux(max_change = "12.5%")]
    ratio: Option<f32>,
    #[flux(max_change = "1000%")]
    timeout: Duration,
    #[flux(max_change = "0.5%")]
    timeouts: Option<Option<Duration>>,
    #[flux(max_change = "5%", monotonic)]
    bytes: Option<Bytes>,
    #[flux(max_change = "5%")]
    shards: NonZeroU16,
    #[flux(monotonic)]
    version: Option<Version>,
    #[flux(monotonic)]
    not_before: String,
    #[flux(immutable, secret)]
    password: Option<String>,
    #[flux(immutable)]
    names: HashSet<String>,
    #[flux(restart, merge = "append")]
    plugins: Vec<Version>,
    #[flux(nested, immutable)]
    fixed: Plain,
    #[flux(nested, immutable)]
    fixed_list: Vec<Plain>,
    #[flux(nested, restart)]
    kept: Section,
    #[flux(nested, restart)]
    kept_maybe: Option<Section>,
    #[flux(nested, restart)]
    kept_map: HashMap<String, Section>,
    #[flux(nested)]
    free: BTreeMap<String, Section>,
    #[flux(nested)]
    #[serde(flatten)]
    flat: Flat,
    #[flux(nested, restart)]
    #[serde(flatten)]
    kept_flat: KeptFlat,
    #[flux(nested)]
    tree: Vec<Tree>,
}

/// Can be kept as a whole.
#[derive(Flux, Clone)]
#[allow(dead_code)]
struct Section {
    #[flux(restart)]
    size: u16,
    #[flux(opaque)]
    handler: Handler,
}

/// Cannot be compared.
#[derive(serde::Deserialize, Clone)]
struct Handler;

/// Can only be compared.
#[derive(Flux)]
#[allow(dead_code)]
struct Plain {
    one: u8,
}

#[derive(Flux)]
#[allow(dead_code)]
struct Flat {
    #[flux(immutable)]
    two: u8,
}

#[derive(Flux, Clone)]
#[allow(dead_code)]
struct KeptFlat {
    three: u8,
}

/// Contains itself.
#[derive(Flux)]
#[allow(dead_code)]
struct Tree {
    #[flux(monotonic)]
    depth: u8,
    #[flux(nested)]
    children: Vec<Tree>,
}

fn main() {}
