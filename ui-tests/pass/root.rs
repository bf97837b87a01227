//! A struct with sources: every form of source and option, and every function.
#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

use flux::Flux;

/// Settings.
#[derive(Flux, Debug)]
#[flux(source = "file:app.yaml", override = "env:APP_")]
#[flux(source("file:${DIR:-/etc}/app.toml", optional), source("file:${FILE}", format = "json"))]
#[flux(source = "${MORE:-file:more.yaml}", source = "file:app.toml?search=.,${DIR:-~/.config}/app", optional_source = "dotenv:.env?prefix=APP_", override = "env")]
#[flux(debounce = "50ms", startup_timeout = "10s", resync = "1m", unknown = "deny", name = "app")]
pub struct AppConfig {
    /// Port.
    #[flux(default = 8080, hot)]
    pub port: u16,
    /// Rate.
    #[flux(default = 0.5, hot = "current_rate")]
    rate: f64,
}

mod inner {
    #[derive(flux::Flux)]
    #[flux(override = "env")]
    struct Private {
        #[flux(default = 1, hot)]
        one: u8,
    }

    pub(super) fn one() -> u8 {
        Private::one()
    }
}

fn main() {
    if false {
        let _ = AppConfig::start_blocking();
        let _ = inner::one();
        drop(AppConfig::start());
        println!("{} {}", AppConfig::port(), AppConfig::current_rate());
        println!("{}", AppConfig::snapshot().rate + AppConfig::reader().get().rate);
        let _ = (AppConfig::builder(), AppConfig::capacitor());
    }
    assert!(AppConfig::try_get().is_none());
}
