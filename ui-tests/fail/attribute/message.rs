//! A message needs a rule.
use flux::Flux;

#[derive(Flux)]
struct Section {
    #[flux(message = "no")]
    port: u16,
    #[flux(each(message = "no"))]
    list: Vec<u8>,
}

fn main() {}
