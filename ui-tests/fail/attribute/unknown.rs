//! Unknown, duplicate and misplaced options, all at once.
use flux::Flux;

#[derive(Flux)]
#[flux(sorce = "file:app.yaml", source = "file:app.yaml", debonce = "1s", hot)]
#[flux(debounce = 5, debounce = "1s", debounce = "2s", name)]
#[flux(source("file:b.yaml", optionl, format = "yaml", format = "yaml"))]
#[flux]
struct Config {
    #[flux(rnage = 1..=5, defualt = 1, source = "env", xyzzy)]
    port: u16,
    #[flux(secret, secret, range = 1..5, range = 1..5)]
    pin: u16,
    #[flux(secret = true, range, env = NAME, default = )]
    key: u16,
    #[flux(range = 5, length = "5", one_of = 1, each = 5, pattern = 5, merge = 5)]
    list: Vec<u8>,
    #[flux(each(), "text", default = 1 2)]
    other: Vec<u8>,
    #[flux(validate = 5, each(rnage = 1..5, secret))]
    last: Vec<u8>,
    #[serde(alais = "x", rename = 5, default = "not a path!")]
    serde: u8,
}

fn main() {
    let _ = Config::get().port;
}
