//! `nested` on what is no section.
use flux::Flux;
use std::collections::BTreeMap;

struct Plain {
    #[allow(dead_code)]
    max: u8,
}

type Names = Vec<String>;

#[derive(Flux)]
struct Config {
    #[flux(nested)]
    plain: Plain,
    #[flux(nested)]
    boxed: Box<Plain>,
    #[flux(nested)]
    lists: BTreeMap<String, Vec<Plain>>,
    #[flux(nested)]
    names: Names,
}

fn main() {}
