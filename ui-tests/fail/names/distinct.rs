//! One name must mean one field.
use flux::Flux;

#[derive(Flux)]
#[serde(rename_all = "kebab-case")]
struct Section {
    one: u8,
    #[serde(rename = "one")]
    two: u8,
    #[serde(alias = "one")]
    three: u8,
    #[serde(alias = "old", alias = "old")]
    four: u8,
    #[serde(alias = "old")]
    five: u8,
    max_size: u8,
    #[serde(rename = "max_size")]
    most: u8,
    #[flux(env = "PORT")]
    port: u16,
    #[flux(env = "PORT")]
    other_port: u16,
    #[flux(env = "A=B")]
    equals: u8,
    #[flux(env = "")]
    empty: u8,
    #[serde(rename = "")]
    nameless: u8,
}

#[derive(Flux)]
#[serde(rename_all = "Kebab")]
struct Case {
    one: u8,
}

fn main() {}
