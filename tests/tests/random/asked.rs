//! The structs of `answers.rs`, and documents and variables for them, some of them refused.

use crate::random::Random;
use flux::{Config, Flux};
use serde::Serialize;
use std::collections::BTreeMap;

/// A key and what it may be set to.
pub(crate) type Choice = (&'static str, &'static [&'static str]);

pub(crate) trait Asked: Config + Serialize {
    const KEYS: &'static [Choice];
    const VARIABLES: &'static [Choice];
    const SECRETS: &'static [&'static str];
}

#[derive(Flux, Serialize)]
pub(crate) struct Shop {
    #[flux(default = 100, range = 1..=1000)]
    visitors: u32,
    #[flux(default = 10, max_change = "50%")]
    rate: u32,
    #[flux(default = "127.0.0.1:80", restart)]
    address: String,
    #[flux(default = "eu", immutable)]
    region: String,
    #[flux(secret, default = "changeit")]
    password: String,
    #[flux(nested)]
    pool: Pool,
    #[flux(default = ["a"])]
    hosts: Vec<String>,
    #[flux(default)]
    limits: BTreeMap<String, u32>,
    note: Option<String>,
}

#[derive(Flux, Serialize)]
pub(crate) struct Pool {
    #[flux(default = 4)]
    size: u8,
    #[flux(default = false)]
    lazy: bool,
    #[flux(default = 2, restart)]
    threads: u32,
}

impl Asked for Shop {
    const KEYS: &'static [Choice] = &[
        ("visitors", &["1", "5", "100", "500", "0", "many"]),
        ("rate", &["10", "14", "99"]),
        ("address", &["a:1", "b:2", "127.0.0.1:80"]),
        ("region", &["eu", "eu", "eu", "us"]),
        ("password", &["hunter-one", "hunter-two"]),
        (
            "pool",
            &[
                "{}",
                "{size: 3}",
                "{size: 4, lazy: true}",
                "{threads: 9}",
                "{threads: 2, size: 9}",
                "{size: 999}",
            ],
        ),
        ("hosts", &["[]", "[a]", "[a, b]"]),
        ("limits", &["{}", "{a: 1}", "{a: 2, b: 1}"]),
        ("note", &["one", "null", "\"\""]),
        ("visitor", &["77"]),
    ];
    const VARIABLES: &'static [Choice] = &[
        ("APP_VISITORS", &["1", "5", "0", ""]),
        ("APP_ADDRESS", &["a:1", "127.0.0.1:80"]),
        ("APP_PASSWORD", &["hunter-one"]),
        ("APP_POOL_SIZE", &["3", "4", "many"]),
        ("APP_POOL_THREADS", &["9"]),
        ("APP_NOTE", &["one", ""]),
    ];
    const SECRETS: &'static [&'static str] = &["/password"];
}

#[derive(Flux, Serialize)]
pub(crate) struct Relay {
    name: String,
    retries: Option<u8>,
    #[flux(nested)]
    tls: Option<Tls>,
    #[flux(default, merge = "append")]
    hosts: Vec<String>,
    #[flux(default = 1.0)]
    ratio: f64,
    #[flux(nested, default)]
    peers: BTreeMap<String, Peer>,
    #[flux(default = "main", restart)]
    queue: String,
}

#[derive(Flux, Serialize)]
pub(crate) struct Tls {
    cert: String,
    #[flux(default = true)]
    verify: bool,
    #[flux(secret)]
    key: Option<String>,
}

#[derive(Flux, Serialize)]
pub(crate) struct Peer {
    #[flux(default = 1, range = 0..10)]
    weight: u32,
    zone: Option<String>,
}

impl Asked for Relay {
    const KEYS: &'static [Choice] = &[
        ("name", &["first", "second"]),
        ("retries", &["1", "255", "256", "null"]),
        (
            "tls",
            &[
                "null",
                "{cert: a}",
                "{verify: false}",
                "{cert: b, verify: false}",
                "{cert: a, key: hunter-one}",
            ],
        ),
        ("hosts", &["[]", "[a]", "[b, c]"]),
        ("ratio", &["1", "1.0", "0.5", ".nan"]),
        (
            "peers",
            &[
                "{}",
                "{a: {weight: 2}}",
                "{a: {zone: z}, b: {}}",
                "{b: {weight: 10}}",
            ],
        ),
        ("queue", &["main", "side", "third"]),
    ];
    const VARIABLES: &'static [Choice] = &[
        ("APP_NAME", &["first", "third"]),
        ("APP_RETRIES", &["1", ""]),
        ("APP_TLS_VERIFY", &["false"]),
        ("APP_RATIO", &["0.5", "1"]),
        ("APP_QUEUE", &["side"]),
    ];
    const SECRETS: &'static [&'static str] = &["/tls/key"];
}

/// Each of the keys in one of `of` cases.
pub(crate) fn chosen(
    random: &mut Random,
    of: usize,
    choices: &[Choice],
) -> Vec<(&'static str, &'static str)> {
    let mut all = Vec::new();
    for (key, values) in choices {
        if random.one_in(of) {
            all.push((*key, random.pick(values)));
        }
    }
    all
}

pub(crate) fn document<C: Asked>(random: &mut Random) -> String {
    let lines = chosen(random, 3, C::KEYS).into_iter();
    let lines = lines.map(|(key, value)| format!("{key}: {value}\n"));
    format!("# written\n{}", lines.collect::<String>())
}
