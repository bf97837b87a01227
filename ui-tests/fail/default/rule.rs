//! Defaults that break the field's own rule.
use flux::Flux;
use std::time::Duration;

#[derive(Flux)]
struct Section {
    #[flux(default = 0, range = 1..=65535)]
    port: u16,
    #[flux(default = 5, range = 1..5)]
    half: u16,
    #[flux(default = -1.5, range = 0..=1)]
    ratio: f64,
    #[flux(default = "2h", range = "1s"..="1h")]
    timeout: Duration,
    #[flux(default = "", non_empty)]
    name: String,
    #[flux(default = "much too long", length = ..=4)]
    short: Option<String>,
    #[flux(default = "A", pattern = "^[a-z]$")]
    letter: String,
    #[flux(default = "trace", one_of = ["debug", "info"])]
    level: String,
    #[flux(default = 5, one_of = [1, 2])]
    step: u8,
    #[flux(default = "localhost", ip)]
    host: String,
    #[flux(default = [], non_empty)]
    list: Vec<u8>,
    #[flux(default = [1, 9], each(range = ..5))]
    items: Vec<u8>,
    #[flux(default = 9, range = 1..5)]
    maybe: Option<u8>,
}

fn main() {}
