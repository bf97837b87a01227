//! What only the compiler can tell of a type: a section that cannot be kept as a whole, and a type without an amount.
use flux::Flux;

#[derive(Flux)]
struct Config {
    #[flux(nested, restart)]
    pool: Pool,
    #[flux(nested, restart)]
    pools: Vec<Pool>,
    #[flux(max_change = "50%")]
    level: Level,
}

#[derive(Flux)]
struct Pool {
    size: u16,
}

#[derive(serde::Deserialize, Clone, PartialEq)]
enum Level {
    Low,
}

fn main() {}
