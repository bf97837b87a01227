//! What cannot be flattened, as the types decide.
use flux::Flux;
use std::collections::BTreeMap;

type Names = Vec<String>;

#[derive(Flux)]
struct NoMap {
    #[serde(flatten)]
    names: Names,
}

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
