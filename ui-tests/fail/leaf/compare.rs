//! A leaf that cannot be compared or decoded.
use flux::Flux;

#[derive(serde::Deserialize, Clone)]
struct Key(String);

#[derive(Clone, PartialEq)]
struct Silent;

#[derive(Flux)]
struct Config {
    key: Key,
    #[flux(opaque)]
    opaque: Key,
    keys: Vec<Key>,
    silent: Silent,
}

fn main() {}
