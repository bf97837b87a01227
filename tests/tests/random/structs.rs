//! The types that the generator made. Not formatted: `FLUX_WRITE_PAGES=1 cargo test -p flux-tests --test random types` writes them.

#![allow(clippy::box_collection)]

use flux::Flux;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    num::NonZeroU16,
    path::PathBuf,
    sync::Arc,
};

fn seven() -> u8 {
    7
}

include!("structs.in");
