//! A prefix that runs into the names, an environment that is optional, and both forms of an optional layer.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "env:APP")]
struct Prefix {
    port: u16,
}

#[derive(Flux)]
#[flux(optional_source = "env:APP_", optional_override = "env:APP_", optional_source)]
struct Optional {
    port: u16,
}

fn main() {}
