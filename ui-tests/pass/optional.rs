//! Several layers that may be missing.
#![deny(warnings, clippy::all, clippy::duplicated_attributes)]
#![allow(dead_code)]

#[derive(flux::Flux)]
#[flux(
    source = "file:app.yaml",
    optional_source = "file:region.yaml",
    optional_source = "file:local.yaml",
    optional_override = "file:emergency.yaml",
    override = "env:APP_"
)]
struct Config {
    port: u16,
}

fn main() {
    let _ = Config::builder();
}
