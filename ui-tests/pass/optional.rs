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

/// Layers that are declared to be above the environment, and two environments.
#[derive(flux::Flux)]
#[flux(
    source = "env:ALL_",
    source = "env:APP_",
    override = "file:app.yaml",
    override = "env:LAST_",
    optional_override = "file:emergency.yaml"
)]
struct Above {
    port: u16,
}

fn main() {
    let _ = (Config::builder(), Above::builder());
}
