//! Patterns that are none, and lists that nothing is in.
use flux::Flux;

#[derive(Flux)]
struct Section {
    #[flux(pattern = "[a-z")]
    open: String,
    #[flux(each(pattern = "(a"))]
    group: Vec<String>,
    #[flux(one_of = [])]
    nothing: String,
    #[flux(one_of = ["a", 1])]
    mixed: String,
    #[flux(one_of = [1, 300])]
    wide: u8,
}

fn main() {}
