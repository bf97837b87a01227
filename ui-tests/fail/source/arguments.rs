//! The arguments as a layer.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "args")]
struct Below {
    port: u16,
}

#[derive(Flux)]
#[flux(optional_override = "args")]
struct Optional {
    port: u16,
}

#[derive(Flux)]
#[flux(override("args", optional, format = "json", wait = "1s"))]
struct Options {
    port: u16,
}

#[derive(Flux)]
#[flux(override = "args", override = "args")]
struct Twice {
    port: u16,
}

#[derive(Flux)]
#[flux(override = "args:APP")]
struct Address {
    port: u16,
}

fn main() {}
