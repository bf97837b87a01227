//! One config of the usual shape: some fields, and tenants by name that make it as large as wanted.

use dynamic_config::dynamic_config;
use flux::Flux;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, future::Future};

macro_rules! tenant {
    ($($(#[$meta:meta])* $field:ident: $type:ty,)*) => {
        /// As Flux sees it.
        #[derive(Flux)]
        pub(crate) struct Tenant { $($(#[$meta])* pub(crate) $field: $type,)* }

        /// As serde sees it.
        #[derive(Serialize, Deserialize, Clone)]
        pub(crate) struct PlainTenant { $($field: $type,)* }
    };
}

tenant! {
    n0: u16, n1: u32, n2: i64, n3: f64, n4: bool, n5: u64, n6: u64, n7: u8,
    s0: String, s1: String, s2: String, s3: String, s4: String, s5: String, s6: String, s7: String,
    o0: Option<u32>, o1: Option<String>, v0: Vec<String>, v1: Vec<u32>,
}

#[derive(Flux)]
#[flux(source("file:never-there.json", optional), debounce = "0s")]
pub(crate) struct App {
    #[flux(default = 8080, range = 1..=65535, hot)]
    pub(crate) port: u16,
    #[flux(default = "localhost", non_empty)]
    pub(crate) host: String,
    #[flux(nested, default)]
    pub(crate) tenants: BTreeMap<String, Tenant>,
}

/// The same with a value that has no `Flux`, which a layer replaces as a whole.
#[derive(Flux)]
#[flux(source("file:never-there.json", optional), debounce = "0s")]
pub(crate) struct WithValue {
    #[flux(default = 8080, range = 1..=65535, hot)]
    pub(crate) port: u16,
    #[flux(default = "localhost", non_empty)]
    pub(crate) host: String,
    #[flux(nested, default)]
    pub(crate) tenants: BTreeMap<String, Tenant>,
    #[flux(default)]
    pub(crate) pool: PlainPool,
}

#[derive(Deserialize, Default, Clone, PartialEq)]
#[serde(default)]
pub(crate) struct PlainPool {
    min: u32,
    max: u32,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Plain {
    pub(crate) port: u16,
    pub(crate) host: String,
    pub(crate) tenants: BTreeMap<String, PlainTenant>,
}

/// As dynamic-config sees it.
#[dynamic_config]
#[derive(Serialize, Deserialize)]
pub(crate) struct DynamicApp {
    pub(crate) port: u16,
    pub(crate) host: String,
    pub(crate) tenants: BTreeMap<String, PlainTenant>,
}

impl From<Plain> for DynamicApp {
    fn from(plain: Plain) -> Self {
        DynamicApp {
            port: plain.port,
            host: plain.host,
            tenants: plain.tenants,
        }
    }
}

/// Runs a future on this thread alone.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(future)
}

/// A config with `keys` keys in its tenants, 20 each.
pub(crate) fn plain(keys: usize, port: u16) -> Plain {
    let text = |tenant: usize, i: usize| format!("value {i} of tenant {tenant}");
    let tenant = |n: usize| PlainTenant {
        n0: 1,
        n1: n as u32,
        n2: -5,
        n3: 0.25,
        n4: true,
        n5: 1 << 40,
        n6: 7,
        n7: 8,
        s0: text(n, 0),
        s1: text(n, 1),
        s2: text(n, 2),
        s3: text(n, 3),
        s4: text(n, 4),
        s5: text(n, 5),
        s6: text(n, 6),
        s7: text(n, 7),
        o0: Some(3),
        o1: Some(text(n, 8)),
        v0: vec![text(n, 9), text(n, 10)],
        v1: vec![1, 2, 3],
    };
    Plain {
        port,
        host: "localhost".to_owned(),
        tenants: (0..keys / 20)
            .map(|n| (format!("tenant-{n:05}"), tenant(n)))
            .collect(),
    }
}
