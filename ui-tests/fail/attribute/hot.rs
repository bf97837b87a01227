//! `hot` is for scalars of a struct with a source.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
struct Config {
    #[flux(hot)]
    name: String,
    #[flux(hot)]
    wide: u128,
    #[flux(hot)]
    maybe: Option<u8>,
    #[flux(hot)]
    start: u8,
    #[flux(hot = "fast")]
    one: u8,
    #[flux(hot = "fast")]
    two: u8,
    #[flux(hot = "no name")]
    three: u8,
}

#[derive(Flux)]
struct Section {
    #[flux(hot)]
    port: u16,
}

fn main() {
    let _ = Config::fast();
}
