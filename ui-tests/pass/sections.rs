//! Sections: every kind of field, every rule, nothing shadowed.
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

use flux::Flux;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// A pool.
#[derive(Flux, Debug, Clone, PartialEq)]
#[flux(validate = Pool::ordered)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pool {
    /// Most.
    #[flux(default = 10, range = 1..=1000)]
    pub max_size: u32,
    /// Least.
    #[flux(default, range = ..=1000)]
    #[serde(alias = "least", alias = "min")]
    pub min_size: u32,
}

impl Pool {
    fn ordered(&self) -> Result<(), String> {
        if self.min_size > self.max_size {
            return Err("`min-size` is more than `max-size`".into());
        }
        Ok(())
    }
}

/// TLS.
#[derive(Flux, Debug, Clone, PartialEq)]
pub struct Tls {
    /// The certificate.
    #[flux(env = "TLS_CERT")]
    pub cert: PathBuf,
}

/// A level.
#[derive(serde::Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Info.
    Info,
    /// Debug.
    Debug,
}

/// Everything.
#[derive(Flux, Debug, Clone, PartialEq)]
pub struct Everything {
    /// Port.
    #[flux(default = 8080, range = 1..=65535, message = "no such port")]
    pub port: u16,
    /// Negative.
    #[flux(default = -3, range = -5..5)]
    pub offset: i8,
    /// Ratio.
    #[flux(default = 1, range = 0..=1)]
    pub ratio: f64,
    /// Name.
    #[flux(default = "api", length = 1..=64, non_empty, pattern = "^[a-z]+$", one_of = ["api", "web"])]
    pub name: String,
    /// Mail.
    #[flux(email)]
    pub mail: Option<String>,
    /// URL.
    #[flux(url, validate = not_local)]
    pub url: String,
    /// Host.
    #[flux(ip, default = "127.0.0.1")]
    pub host: Option<String>,
    /// Address.
    #[flux(default = "127.0.0.1")]
    pub address: IpAddr,
    /// Listen.
    #[flux(default = "127.0.0.1:80")]
    pub listen: SocketAddr,
    /// Timeout.
    #[flux(default = "30s", range = "1s".."1h")]
    pub timeout: Duration,
    /// Waits.
    pub waits: Option<Vec<Duration>>,
    /// Names.
    #[flux(default = ["a", "b"], merge = "append", each(non_empty, length = ..10), length = 1..)]
    pub names: Vec<String>,
    /// Numbers.
    #[flux(merge = "union", each(range = 1..=5), default)]
    pub numbers: BTreeSet<u8>,
    /// Queue.
    #[flux(merge = "prepend", default)]
    pub queue: VecDeque<u8>,
    /// Flags.
    #[flux(merge = join, default)]
    pub flags: HashSet<String>,
    /// Labels.
    #[flux(default)]
    pub labels: BTreeMap<String, String>,
    /// Weights.
    #[flux(merge = "replace", default, each(range = 0..=1))]
    pub weights: HashMap<String, f32>,
    /// Pool.
    #[flux(nested)]
    pub pool: Pool,
    /// TLS.
    #[flux(nested)]
    pub tls: Option<Tls>,
    /// Pools.
    #[flux(nested, non_empty, merge = "append")]
    pub pools: Vec<Pool>,
    /// By name.
    #[flux(nested, default)]
    pub by_name: BTreeMap<String, Pool>,
    /// Fast.
    #[flux(nested, default = HashMap::<String, Pool>::new(), merge = "by_key")]
    pub fast: HashMap<String, Pool>,
    /// Level.
    #[flux(default = Level::Info, one_of = [Level::Info, Level::Debug])]
    pub level: Level,
    /// Levels.
    #[flux(one_of = [1, 2, 3])]
    pub step: Option<u8>,
    /// Password.
    #[flux(secret)]
    pub password: Option<String>,
    /// Opaque.
    #[flux(opaque, default)]
    pub opaque: f64,
    /// Hex.
    #[serde(deserialize_with = "hex", rename = "color")]
    pub colour: u32,
    /// With.
    #[serde(with = "seconds", default = "seconds::ten")]
    pub seconds: Duration,
    /// Skipped.
    #[serde(skip)]
    pub skipped: u8,
    /// Skipped, with a default.
    #[serde(skip_deserializing)]
    #[flux(default = 7)]
    pub seven: u8,
    /// Keyword.
    #[flux(default = false)]
    pub r#type: bool,
}

fn join(below: &mut HashSet<String>, top: &HashSet<String>) {
    below.extend(top.iter().cloned());
}

fn not_local(url: &str) -> Result<(), &'static str> {
    if url.contains("localhost") {
        return Err("must not be local");
    }
    Ok(())
}

fn hex<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    let text: String = serde::Deserialize::deserialize(d)?;
    u32::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
}

mod seconds {
    use std::time::Duration;

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        let seconds: u64 = serde::Deserialize::deserialize(d)?;
        Ok(Duration::from_secs(seconds))
    }

    pub(super) fn ten() -> Duration {
        Duration::from_secs(10)
    }
}

/// A struct that has a default as a whole, and a flattened section.
#[derive(Flux, Debug, Clone, PartialEq)]
#[serde(default)]
pub struct Whole {
    /// Own.
    pub own: u8,
    /// Flattened.
    #[flux(nested)]
    #[serde(flatten)]
    pub pool: Pool,
    /// Also.
    #[flux(nested)]
    #[serde(flatten)]
    pub tls: Tls,
    /// Last.
    pub last: Option<u8>,
}

impl Default for Whole {
    fn default() -> Self {
        Whole {
            own: 5,
            pool: Pool {
                max_size: 1,
                min_size: 1,
            },
            tls: Tls {
                cert: "cert.pem".into(),
            },
            last: Some(3),
        }
    }
}

fn main() {
    fn is_config<C: flux::Config>() {}
    is_config::<Everything>();
    is_config::<Whole>();
    let names: Vec<_> = <Everything as flux::Config>::fields()
        .iter()
        .map(flux::schema::Field::name)
        .collect();
    assert_eq!(names[0], "port");
    assert!(names.contains(&"type"));
    assert!(names.contains(&"color"));
    assert!(!names.contains(&"skipped"));
}
