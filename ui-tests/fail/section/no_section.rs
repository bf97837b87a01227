//! `nested` on what is no section, behind a pointer.
use flux::Flux;

struct Plain {
    #[allow(dead_code)]
    max: u8,
}

#[derive(Flux)]
struct Config {
    #[flux(nested)]
    boxed: Box<Plain>,
}

fn main() {}
