//! Merges that the type gives nothing to work on.
use flux::Flux;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Flux)]
struct Section {
    #[flux(merge = "append")]
    port: u16,
    #[flux(merge = "prepend")]
    set: BTreeSet<u8>,
    #[flux(merge = "union")]
    map: BTreeMap<String, u8>,
    #[flux(merge = "by_key")]
    list: Option<Vec<u8>>,
    #[flux(merge = "apend")]
    typo: Vec<u8>,
    #[flux(merge = "sum")]
    other: u16,
    #[flux(nested, merge = "append")]
    inner: Inner,
    #[flux(nested, merge = "union")]
    inners: Vec<Inner>,
    #[flux(nested, merge = "replcae")]
    named: BTreeMap<String, Inner>,
}

#[derive(Flux)]
struct Inner {
    name: String,
}

fn main() {}
