//! Rules on types that they have no meaning on.
use flux::Flux;
use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, time::Duration};

#[derive(Flux)]
struct Section {
    #[flux(range = 1..5)]
    text: String,
    #[flux(range = 1..5)]
    flag: Option<bool>,
    #[flux(length = 1..5)]
    number: u16,
    #[flux(non_empty)]
    duration: Duration,
    #[flux(pattern = "a")]
    digits: u16,
    #[flux(email)]
    emails: Vec<String>,
    #[flux(url)]
    path: PathBuf,
    #[flux(ip)]
    address: IpAddr,
    #[flux(one_of = ["a"])]
    names: Vec<String>,
    #[flux(each(non_empty))]
    name: String,
    #[flux(each(range = 1..5))]
    labels: BTreeMap<String, String>,
    #[flux(non_empty)]
    array: [u8; 4],
}

fn main() {}
