//! A config with every kind of field that a document can go wrong in.

use flux::Flux;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Flux)]
pub(crate) struct Tenant {
    #[flux(default = 1, range = 1..=9)]
    pub(crate) max: u32,
    #[flux(default = "tenant", non_empty)]
    pub(crate) name: String,
    #[flux(default)]
    pub(crate) labels: BTreeMap<String, String>,
}

/// A type without `Flux`, whose secrets no table has.
#[derive(Clone, Deserialize)]
pub(crate) struct Credentials {
    #[serde(rename = "user")]
    _user: String,
    #[serde(rename = "token")]
    _token: String,
}

#[derive(Flux)]
#[flux(source("file:never-there.json", optional), debounce = "0s")]
pub(crate) struct Hostile {
    #[flux(default = 8080)]
    pub(crate) port: u16,
    #[flux(default = "localhost", non_empty)]
    pub(crate) host: String,
    #[flux(default, each(range = 1..=9))]
    pub(crate) nums: Vec<u32>,
    #[flux(default, each(non_empty))]
    pub(crate) names: Vec<String>,
    #[flux(default, each(length = 1..=64))]
    pub(crate) labels: BTreeMap<String, String>,
    #[flux(default, merge = "union")]
    pub(crate) tags: BTreeSet<String>,
    #[flux(default, merge = "union")]
    pub(crate) list: Vec<String>,
    #[flux(nested, default)]
    pub(crate) tenants: BTreeMap<String, Tenant>,
    #[flux(nested, default)]
    pub(crate) hosts: Vec<Tenant>,
    #[flux(nested, default)]
    pub(crate) groups: BTreeMap<String, Vec<Tenant>>,
    #[flux(secret)]
    pub(crate) password: String,
    #[flux(default, secret)]
    pub(crate) tokens: BTreeMap<String, String>,
    #[flux(default, opaque)]
    #[allow(dead_code, reason = "documents are refused for what is beside it")]
    pub(crate) credentials: Vec<Credentials>,
    #[flux(default)]
    pub(crate) anything: Option<serde_json::Value>,
}
