//! Durations and other options of the struct.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "file:app.yaml", debounce = "fast", startup_timeout = "10", resync = "5 parsecs", unknown = "dney")]
struct Config {
    port: u16,
}

#[derive(Flux)]
#[flux(debounce = "1s", startup_timeout = "1s", resync = "1s", unknown = "deny", name = "section")]
struct Section {
    port: u16,
}

fn main() {}
