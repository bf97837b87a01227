//! Defaults that are no value of the field's type.
use flux::Flux;
use std::{net::{IpAddr, SocketAddr}, time::Duration};

#[derive(Flux)]
struct Section {
    #[flux(default = "8080")]
    port: u16,
    #[flux(default = 70000)]
    wide: u16,
    #[flux(default = -1)]
    negative: u8,
    #[flux(default = 1.5)]
    float: u8,
    #[flux(default = 5)]
    name: String,
    #[flux(default = 1)]
    flag: bool,
    #[flux(default = "x")]
    letter: char,
    #[flux(default = "a lot")]
    ratio: f64,
    #[flux(default = 30)]
    timeout: Duration,
    #[flux(default = "soon")]
    soon: Option<Duration>,
    #[flux(default = "localhost")]
    host: IpAddr,
    #[flux(default = "127.0.0.1")]
    listen: SocketAddr,
    #[flux(default = "a")]
    list: Vec<String>,
    #[flux(default = ["a", 1])]
    items: Vec<String>,
    #[flux(default = true)]
    maybe: Option<u8>,
    #[flux(default = 1)]
    #[serde(default)]
    twice: u8,
}

fn main() {}
