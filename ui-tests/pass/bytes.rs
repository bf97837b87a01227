//! `bytes` on everything that holds integers.
#![deny(warnings)]
#![allow(dead_code)]

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU64,
};

type Size = usize;

#[derive(flux::Flux)]
struct Limits {
    #[flux(bytes, default = "10MB", range = "1kB"..="1GiB")]
    body: u64,
    #[flux(bytes, default = 512, one_of = ["512", "4KiB", 8192])]
    page: Size,
    #[flux(bytes, default = ["1MB", "2MB"], each(range = "1B"..))]
    steps: Vec<u32>,
    #[flux(bytes)]
    maybe: Option<NonZeroU64>,
    #[flux(bytes, default)]
    named: BTreeMap<String, i64>,
    #[flux(bytes, default)]
    hashed: HashMap<u8, Option<u128>>,
    #[flux(bytes, default = Some("1GiB"))]
    some: Option<u64>,
}

fn main() {}
