//! A section may hold itself behind a list or a map, and a module's privacy is kept.
#![deny(warnings, unreachable_pub)]
#![allow(dead_code)]

use std::collections::BTreeMap;

#[derive(flux::Flux)]
struct Node {
    name: String,
    #[flux(nested, default)]
    children: Vec<Node>,
    #[flux(nested, default)]
    named: BTreeMap<String, Node>,
    #[flux(nested)]
    next: Option<Box<Node>>,
    #[flux(nested)]
    shared: Option<std::sync::Arc<Vec<Node>>>,
}

mod api {
    /// Public, with a private section.
    #[derive(flux::Flux)]
    pub struct Public {
        #[flux(nested)]
        hidden: Hidden,
    }

    #[derive(flux::Flux)]
    struct Hidden {
        #[flux(default)]
        #[deprecated]
        old: u8,
    }
}

pub use api::Public;

fn main() {}
