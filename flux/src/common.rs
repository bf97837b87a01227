//! Compiles the decoding of the commonest types of fields with this crate, so that debug builds of programs need not. A build
//! without optimisation takes from a dependency what that has compiled already: how a `u16` or a list of texts is decoded is then
//! not compiled anew for each crate with a config type. An optimised build shares nothing, and leaves this out.

use crate::Flux;
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    time::Duration,
};

#[derive(Flux)]
#[flux(crate = "crate", source = "env:COMMON_")]
struct Common {
    bool: bool,
    u8: u8,
    u16: u16,
    u32: u32,
    u64: u64,
    usize: usize,
    i32: i32,
    i64: i64,
    f64: f64,
    string: String,
    path: PathBuf,
    duration: Duration,
    optional_u16: Option<u16>,
    optional_u32: Option<u32>,
    optional_u64: Option<u64>,
    optional_string: Option<String>,
    optional_path: Option<PathBuf>,
    optional_duration: Option<Duration>,
    strings: Vec<String>,
    numbers: Vec<u16>,
    map: BTreeMap<String, String>,
    hash_map: HashMap<String, String>,
}

/// Nobody calls it. It is public, so that it is compiled, with all that it would call.
///
/// # Errors
/// Those of a start.
pub async fn common() -> Result<(), crate::Error> {
    Common::start().await
}
