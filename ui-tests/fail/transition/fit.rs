//! Rules of change on types without an amount or an order.
use flux::Flux;
use std::{collections::BTreeMap, path::PathBuf};

#[derive(Flux)]
struct Section {
    #[flux(max_change = "50%")]
    text: String,
    #[flux(max_change = "50%")]
    flag: Option<bool>,
    #[flux(max_change = "50%")]
    path: PathBuf,
    #[flux(max_change = "50%")]
    list: Vec<u8>,
    #[flux(monotonic)]
    items: Option<Vec<u8>>,
    #[flux(monotonic)]
    labels: BTreeMap<String, u8>,
}

fn main() {}
