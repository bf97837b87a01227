//! What cannot be flattened.
use flux::Flux;
use std::collections::{BTreeMap, HashMap};

#[derive(Flux)]
struct Config {
    #[serde(flatten, rename = "x", alias = "y")]
    #[flux(merge = "replace", env = "REST")]
    rest: BTreeMap<String, String>,
    #[serde(flatten)]
    other: HashMap<String, u8>,
    #[serde(flatten)]
    port: u16,
    #[serde(flatten, with = "path")]
    with: BTreeMap<String, String>,
}

fn main() {}
