//! A section without `nested`, alone and inside of something; `value` states that a single value is meant.
use flux::Flux;
use std::collections::{BTreeMap, HashMap, VecDeque};

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
    shared: std::sync::Arc<Pool>,
    queue: VecDeque<Pool>,
    hashed: HashMap<String, Pool>,
    slice: Box<[Pool]>,
    pair: (String, Pool),
    pairs: Vec<(Pool, u8)>,
    #[flux(value)]
    meant: Pool,
}

fn main() {}
