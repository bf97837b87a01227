//! Flux behind another path, and names of the user's own that generated code must not meet.
#![deny(warnings)]
#![allow(dead_code)]

pub mod platform {
    pub use flux as config;
    pub use serde as decoding;
}

struct AppConfigLayer;
struct Required;
struct Probe;
struct Leaf;

#[derive(platform::config::Flux)]
#[flux(crate = crate::platform::config, source = "file:app.yaml", name = "app")]
#[serde(crate = "platform::decoding")]
struct AppConfig {
    port: u16,
    #[flux(default = 1, hot)]
    size: u8,
    #[flux(nested)]
    pool: Pool,
    #[serde(deserialize_with = "port")]
    other: u16,
}

#[derive(flux::Flux)]
#[flux(crate = "flux")]
struct Pool {
    #[flux(default = "1s", range = "1s".."5s")]
    wait: std::time::Duration,
}

fn port<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u16, D::Error> {
    serde::Deserialize::deserialize(d)
}

/// A user's type beside a struct whose layer once had this name, used as a field.
#[derive(flux::Flux)]
struct Mine {
    #[flux(value)]
    layer: MineLayer,
    required: Needed,
}

#[derive(serde::Deserialize, Clone, PartialEq)]
struct MineLayer;

type Needed = Option<u16>;

fn main() {
    let layer = flux::LayerOf::<Mine>::default();
    assert!(layer.layer.is_none() && layer.required.is_none());
    let _ = AppConfig::builder();
}
