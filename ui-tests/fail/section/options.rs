//! What a section cannot have.
use flux::Flux;
use std::collections::BTreeMap;

#[derive(Flux)]
struct Config {
    #[flux(nested, secret, opaque, env = "POOL", range = 1..5, non_empty, validate = check, hot)]
    pool: Pool,
    #[flux(nested, each(non_empty))]
    pools: Vec<Pool>,
    #[flux(nested)]
    port: u16,
    #[flux(nested)]
    name: Option<String>,
    #[flux(nested)]
    names: Vec<String>,
    #[flux(nested)]
    #[serde(with = "path")]
    with: Pool,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
    #[flux(nested)]
    #[serde(flatten)]
    maybe: Option<Pool>,
    #[flux(nested, value)]
    both: Pool,
    #[flux(nested, merge = "replace")]
    #[serde(flatten, rename = "x", alias = "y")]
    flat: Pool,
}

#[derive(Flux)]
struct Pool {
    size: u8,
}

fn main() {}
