//! Rules of change that do not go together, or that the field can give no meaning to.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
struct Config {
    #[flux(immutable, restart)]
    both: u16,
    #[flux(immutable, max_change = "50%", monotonic)]
    fixed: u16,
    #[flux(hot, monotonic, restart)]
    later: u16,
    #[flux(opaque, immutable)]
    unknown: Opaque,
    #[flux(restart, opaque)]
    unknown_too: Opaque,
    #[flux(immutable)]
    #[serde(skip)]
    skipped: u16,
    #[flux(nested, max_change = "5%", monotonic)]
    pool: Pool,
    #[flux(nested, immutable, restart)]
    pools: Vec<Pool>,
    #[flux(immutable = true, restart(always), monotonic, monotonic)]
    values: u16,
}

#[derive(serde::Deserialize, Clone)]
struct Opaque;

#[derive(Flux)]
struct Pool {
    size: u16,
}

fn main() {
    let _: u16 = Config::later() + Config::get().pool.size;
}
