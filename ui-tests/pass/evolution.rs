//! Former keys and deprecated fields: every kind of field, nothing shadowed.
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

use flux::{Config, Flux};
use std::collections::BTreeMap;

/// A pool.
#[derive(Flux, Debug, Clone, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pool {
    /// Most.
    #[flux(default = 10, was = "maxSize", was = "most", since = "2", removed = "3.0")]
    #[serde(alias = "max")]
    pub max_size: u32,
    /// Least.
    #[flux(deprecated = "use `max-size`")]
    pub min_size: Option<u32>,
}

/// The settings.
#[derive(Flux, Debug, Clone, PartialEq)]
pub struct Settings {
    /// A section.
    #[flux(nested, was = "db")]
    pub pool: Pool,
    /// One that goes.
    #[flux(nested, deprecated = "use `pool`", since = "1.9", removed = "1.10.0")]
    pub spare: Pool,
    /// A map.
    #[flux(nested, default, was = "customers", removed = "99")]
    pub tenants: BTreeMap<String, Pool>,
    /// Beside the others.
    #[flux(nested)]
    #[serde(flatten)]
    pub beside: Beside,
}

/// Flattened.
#[derive(Flux, Debug, Clone, PartialEq)]
pub struct Beside {
    /// A hot one would be a field of the root.
    #[flux(default, was = "verbosity", removed = "0.0.0")]
    pub level: u8,
}

fn main() {
    let fields = Pool::fields();
    assert_eq!(fields[0].aliases(), ["max"]);
    assert_eq!(fields[0].was(), ["maxSize", "most"]);
    assert_eq!((fields[0].since(), fields[0].removed()), (Some("2"), Some("3.0")));
    assert!(!fields[0].is_removed());
    assert_eq!(fields[1].deprecated(), Some("use `max-size`"));
    // The version of this crate is 0.0.0.
    assert!(Beside::fields()[0].is_removed());
}
