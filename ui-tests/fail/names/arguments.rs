//! Arguments: names that are not possible or mean two fields, and what has no argument of its own.
use flux::Flux;

#[derive(Flux)]
struct Config {
    #[flux(short = 'p')]
    port: u16,
    #[flux(short = 'p')]
    path: String,
    #[flux(short = 'h')]
    host: String,
    #[flux(short = "q")]
    quiet: bool,
    #[flux(short = '-')]
    hyphen: u8,
    #[flux(arg = "listen")]
    address: String,
    #[flux(arg = "listen")]
    other_address: String,
    #[flux(arg = "max-size")]
    most: u8,
    max_size: u8,
    #[flux(arg = "--level")]
    level: u8,
    #[flux(arg = "a=b")]
    equals: u8,
    #[flux(arg = "")]
    empty: u8,
    #[flux(arg = "help")]
    page: u8,
    #[flux(arg = "set")]
    all: u8,
    #[flux(secret, short = 's')]
    password: String,
    #[flux(nested, arg = "pool", short = 'o')]
    pool: Pool,
    #[serde(flatten)]
    #[flux(nested, arg = "flat")]
    flat: Pool,
    #[flux(arg = "skipped", default = 1)]
    #[serde(skip)]
    skipped: u8,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1)]
    size: u8,
}

fn main() {}
