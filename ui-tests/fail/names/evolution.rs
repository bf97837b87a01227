//! A former key means one field, and versions are versions.
use flux::Flux;
use std::collections::BTreeMap;

#[derive(Flux)]
struct Section {
    #[flux(default, was = "one")]
    one: u8,
    #[serde(alias = "second")]
    #[flux(default, was = "second", was = "deux", was = "deux")]
    two: u8,
    #[flux(default, was = "one", was = "deux")]
    three: u8,
    #[flux(default, was = "five")]
    four: u8,
    #[flux(default, was = "")]
    five: u8,
    #[flux(default, since = "2.0")]
    six: u8,
    #[flux(default, removed = "3.0")]
    seven: u8,
    #[flux(default, was = "old_eight", since = "v2", removed = "3.0.0.0")]
    eight: u8,
    #[flux(default, was = "old_nine", since = "3.0", removed = "3")]
    nine: u8,
    #[flux(deprecated = "use `two`")]
    ten: u8,
    #[flux(default, deprecated = " ")]
    eleven: u8,
    #[flux(nested, deprecated = "use `two`")]
    twelve: Vec<Inner>,
    #[flux(nested, was = "thirteenth")]
    #[serde(flatten)]
    thirteen: Inner,
    #[flux(default, deprecated = "use `two`")]
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
    #[flux(default, was = "old_skipped")]
    #[serde(skip)]
    skipped: u8,
    #[flux(default, was)]
    bare: u8,
    #[flux(default, was = "old_x", removed = 3)]
    number: u8,
}

#[derive(Flux)]
struct Inner {
    #[flux(default)]
    inside: u8,
}

fn main() {}
