//! What `bytes` does not fit.
use flux::Flux;

#[derive(Flux)]
struct Config {
    #[flux(bytes)]
    name: String,
    #[flux(bytes)]
    ratio: Option<f64>,
    #[flux(bytes, nested)]
    pool: Pool,
    #[flux(bytes)]
    #[serde(with = "path")]
    with: u64,
    #[flux(bytes = true)]
    value: u64,
    #[flux(bytes, default = "10 apples")]
    apples: u64,
    #[flux(bytes, default = "1.5B", range = "1.0001kB".."2kB")]
    half: u64,
    #[flux(bytes, default = "64KiB")]
    small: u16,
    #[flux(bytes, range = "1GiB"..="1MiB")]
    reversed: u64,
    #[flux(bytes, default = "2GiB", range = ..="1GiB", each(range = "1".."2"))]
    outside: u64,
    #[flux(default = "10MB")]
    forgotten: u64,
}

#[derive(Flux)]
struct Pool {
    size: u8,
}

fn main() {}
