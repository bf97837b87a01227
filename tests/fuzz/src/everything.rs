//! A config with fields of every kind.

use flux::Flux;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};

#[derive(Flux, Debug)]
pub struct Everything {
    pub id: u32,
    #[flux(default = 8080, range = 1..=65535)]
    pub port: u16,
    #[flux(default = -1)]
    pub offset: i64,
    #[flux(default = 0)]
    pub tiny: i8,
    #[flux(default = 0.5, range = 0.0..=1.0)]
    pub ratio: f64,
    #[flux(default = false)]
    pub debug: bool,
    #[flux(default = 'x')]
    pub letter: char,
    #[flux(default = "localhost", length = 1..=16)]
    pub host: String,
    pub name: Option<String>,
    #[flux(secret, length = 4..=64)]
    pub password: Option<String>,
    #[flux(default, each(non_empty))]
    pub plugins: Vec<String>,
    #[flux(default, length = ..=4)]
    pub weights: Vec<u32>,
    #[flux(default)]
    pub tags: BTreeSet<String>,
    #[flux(default)]
    pub labels: BTreeMap<String, u8>,
    #[flux(default = "1s", range = "1ms"..="1h")]
    pub timeout: Duration,
    pub pause: Option<Duration>,
    #[flux(default = Level::Info)]
    pub level: Level,
    pub shape: Option<Shape>,
    #[flux(default = (0, String::new()))]
    pub pair: (u8, String),
    pub address: Option<IpAddr>,
    #[flux(default = "/tmp")]
    pub folder: PathBuf,
    #[serde(rename = "max-body", alias = "maxBody", deserialize_with = "size")]
    #[flux(default = 1024)]
    pub max_body: u64,
    #[flux(default, opaque)]
    pub raw: Vec<Option<bool>>,
    #[serde(flatten)]
    #[flux(nested)]
    pub common: Common,
    #[flux(nested)]
    pub pool: Pool,
    #[flux(nested)]
    pub tls: Option<Tls>,
    #[flux(nested, default)]
    pub upstreams: Vec<Upstream>,
    #[flux(nested, default)]
    pub tenants: BTreeMap<String, Upstream>,
}

#[derive(Flux, Debug)]
pub struct Common {
    #[flux(default = "eu", one_of = ["eu", "us"])]
    pub region: String,
}

#[derive(Flux, Debug)]
#[flux(validate = ordered)]
pub struct Pool {
    #[flux(default = 1)]
    pub min: u32,
    #[flux(default = 10)]
    pub max: u32,
}

fn ordered(pool: &Pool) -> Result<(), &'static str> {
    match pool.min <= pool.max {
        true => Ok(()),
        false => Err("min is above max"),
    }
}

#[derive(Flux, Debug)]
pub struct Tls {
    pub cert: String,
    #[flux(secret)]
    pub key: Option<String>,
}

#[derive(Flux, Debug)]
pub struct Upstream {
    #[flux(non_empty)]
    pub host: String,
    #[flux(default = 80, range = 1..)]
    pub port: u16,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Debug,
    Info,
    Warn,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
pub enum Shape {
    Point,
    Circle(u32),
    Box(i8, i8),
    Text {
        #[serde(deserialize_with = "crate::plain::not_null")]
        text: String,
    },
}

/// A user's own function: `4k` is 4096.
pub fn size<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    let text = String::deserialize(d)?;
    let (digits, unit) = match text.strip_suffix('k') {
        Some(digits) => (digits, 1024),
        None => (text.as_str(), 1),
    };
    let number = digits.parse::<u64>().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| serde::de::Error::custom("a size such as `4k`"))
}
