//! A section without `nested`, alone and inside of something; `value` states that a single value is meant.
use flux::Flux;
use std::collections::BTreeMap;

#[derive(Flux, serde::Deserialize, Clone, PartialEq)]
struct Pool {
    size: u8,
}

type Pools = BTreeMap<String, Vec<Pool>>;

#[derive(Flux)]
struct Config {
    pool: Pool,
    maybe: Option<Pool>,
    list: Vec<Option<Pool>>,
    boxed: Box<Pool>,
    array: [Pool; 2],
    map: Pools,
    #[flux(value)]
    meant: Pool,
}

fn main() {}
