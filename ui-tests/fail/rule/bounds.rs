//! Ranges that no value is in, and bounds that no value can have.
use flux::Flux;
use std::time::Duration;

#[derive(Flux)]
struct Section {
    #[flux(range = 10..=1)]
    reversed: u16,
    #[flux(range = 5..5)]
    empty: u16,
    #[flux(range = -1..=-5)]
    negative: i16,
    #[flux(range = 1.5..=0.5)]
    float: f64,
    #[flux(range = "1h".."1s")]
    duration: Duration,
    #[flux(range = ..)]
    none: u16,
    #[flux(range = 1..=70000)]
    wide: u16,
    #[flux(range = -1..=5)]
    unsigned: u8,
    #[flux(range = 0.5..)]
    integer: u8,
    #[flux(range = "1".."2")]
    text: u8,
    #[flux(range = 1..5)]
    seconds: Duration,
    #[flux(range = "soon"..)]
    soon: Duration,
    #[flux(length = 5..=1)]
    name: String,
    #[flux(length = -1..)]
    below: String,
    #[flux(each(range = 1..=300))]
    items: Vec<u8>,
}

fn main() {}
