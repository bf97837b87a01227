//! Arguments in the roots, in sections and on secrets.
#![deny(warnings)]
#![allow(dead_code)]

use flux::Flux;

#[derive(Flux)]
#[flux(source = "file:app.yaml", override = "env:APP_", override = "args")]
struct Config {
    #[flux(short = 'p', arg = "listen.port")]
    port: u16,
    #[flux(secret, arg = "token", short = 't')]
    token: Option<String>,
    #[flux(nested)]
    pool: Pool,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1, short = 's')]
    size: u8,
}

fn main() {
    let _ = Config::builder().arguments(["-p", "80"]);
}
