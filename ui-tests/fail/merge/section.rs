//! How layers are laid over one another must fit the section's type.

use flux::Flux;

#[derive(Flux)]
#[flux(source = "env")]
struct App {
    #[flux(nested, merge = "append")]
    inner: Inner,
}

#[derive(Flux)]
struct Inner {
    #[flux(default = 1)]
    a: u8,
}

fn main() {}
