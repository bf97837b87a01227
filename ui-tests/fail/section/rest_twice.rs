//! Two maps that would take the same keys, in two structs.
use flux::Flux;
use std::collections::BTreeMap;

#[derive(Flux)]
struct Twice {
    #[flux(nested)]
    #[serde(flatten)]
    one: Rest,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

#[derive(Flux)]
struct Rest {
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

fn main() {}
