//! A chat homeserver: one flat struct of everything, with the names that options had in earlier releases.

use crate::support::{
    Document, Variable, flux, plain, same, same_from_variables,
    same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
};
use url::Url;

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Settings {
    server_name: ServerName,
    #[serde(default = "address")]
    #[flux(nested)]
    address: Listening,
    database_path: PathBuf,
    #[serde(default = "Settings::cache", alias = "cache_capacity_modifier")]
    conduit_cache_capacity_modifier: f64,
    #[serde(default = "Settings::request", deserialize_with = "size")]
    max_request_size: u32,
    #[serde(default = "Settings::on", alias = "allow_registration_requests")]
    allow_registration: bool,
    #[flux(secret)]
    registration_token: Option<String>,
    #[serde(default)]
    trusted_servers: Vec<ServerName>,
    #[serde(default)]
    forbidden: HashSet<ServerName>,
    #[serde(default = "Settings::log", alias = "tracing_filter")]
    log: String,
    #[serde(default)]
    turn_uris: Vec<Url>,
    #[serde(default = "Settings::ttl")]
    turn_ttl: u64,
    well_known: Option<Url>,
    #[serde(default)]
    ip_range_denylist: Vec<ipnet::IpNet>,
    #[serde(default)]
    proxy: Proxy,
    #[serde(default)]
    retention: BTreeMap<u32, Box<Retention>>,
    workers: Option<NonZeroUsize>,
    #[cfg(feature = "https")]
    #[serde(default)]
    tls: Option<String>,
    #[serde(skip)]
    started: u64,
    #[serde(default)]
    emergency: Emergency,
}

impl Settings {
    fn cache() -> f64 {
        1.0
    }
    fn request() -> u32 {
        20 * 1024 * 1024
    }
    fn on() -> bool {
        true
    }
    fn log() -> String {
        "warn".to_owned()
    }
    fn ttl() -> u64 {
        86_400
    }
}

fn address() -> Listening {
    Listening {
        bind: "127.0.0.1".parse().unwrap(),
        ports: Ports(vec![6167]),
        extra: Vec::new(),
    }
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Listening {
    #[serde(rename = "address", alias = "bind_address")]
    bind: IpAddr,
    #[serde(rename = "port", alias = "ports")]
    ports: Ports,
    #[serde(default)]
    extra: Vec<SocketAddr>,
}

/// One port or several.
#[derive(Debug, Clone, PartialEq)]
struct Ports(Vec<u16>);

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            One(u16),
            Many(Vec<u16>),
        }
        Ok(Ports(match Either::deserialize(d)? {
            Either::One(port) => vec![port],
            Either::Many(ports) => ports,
        }))
    }
}

#[derive(Deserialize, Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(try_from = "String")]
struct ServerName(String);

impl TryFrom<String> for ServerName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.contains('.') {
            true => Ok(ServerName(text)),
            false => Err(format!("`{text}` is no name of a server")),
        }
    }
}

/// A number of bytes, or a text with a unit.
fn size<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    let size = bytesize::ByteSize::deserialize(d)?;
    size.0.try_into().map_err(serde::de::Error::custom)
}

/// A word, a URL, or several with what goes through them.
#[derive(Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(rename_all = "snake_case", untagged)]
enum Proxy {
    Global {
        url: Url,
    },
    ByDomain(Vec<Partial>),
    #[default]
    None,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Partial {
    url: Url,
    #[serde(default)]
    include: BTreeSet<String>,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Retention {
    days: u32,
    #[serde(default)]
    next: Option<Box<Retention>>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Default)]
#[serde(from = "Option<bool>")]
enum Emergency {
    #[default]
    Unset,
    Set(bool),
}

impl From<Option<bool>> for Emergency {
    fn from(set: Option<bool>) -> Self {
        set.map_or(Emergency::Unset, Emergency::Set)
    }
}

const DOCUMENT: Document<'static> = Document(
    Format::Toml,
    r#"
server_name = "example.org"
database_path = "/var/lib/chat"
cache_capacity_modifier = 2
max_request_size = "20 MB"
allow_registration_requests = false
registration_token = "t0ken"
trusted_servers = ["a.org", "b.org"]
forbidden = ["c.org", "c.org"]
tracing_filter = "info,net=debug"
turn_uris = ["turn:turn.example.org?transport=udp"]
well_known = "https://example.org"
ip_range_denylist = ["10.0.0.0/8", "fc00::/7"]
workers = 4
proxy = [{ url = "http://proxy:3128", include = ["*.onion"] }]
emergency = true

[address]
bind_address = "::1"
ports = [8008, 8448]
extra = ["[::]:80", "127.0.0.1:81"]
"#,
);

#[tokio::test]
async fn a_flat_struct_with_the_names_of_earlier_releases_is_read_as_serde_reads_it() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.max_request_size, 20_000_000);
    assert_eq!(settings.address.ports, Ports(vec![8008, 8448]));
    let small = "server_name = \"a.b\"\ndatabase_path = \"\"\nproxy = {url = \"http://p\"}\naddress = {address = \"::\", port = 1}";
    let settings: Settings = same(Document(Format::Toml, small)).await;
    assert!(matches!(settings.proxy, Proxy::Global { .. }));
}

#[tokio::test]
async fn numbers_as_keys_of_a_map_are_read_as_serde_reads_them() {
    let json = r#"{"server_name": "a.b", "database_path": "d", "address": {"address": "::", "port": 1},
        "retention": {"1": {"days": 7}, "20": {"days": 1, "next": {"days": 2}}}}"#;
    let yaml = "{server_name: a.b, database_path: d, address: {address: '::', port: 1}, retention: {1: {days: 7}, 20: {days: 1, next: {days: 2}}}}";
    let expected: Settings = plain(Format::Json, json).unwrap();
    for (format, text) in [(Format::Json, json), (Format::Yaml, yaml)] {
        assert_eq!(plain::<Settings>(format, text).unwrap(), expected);
        let read = flux::<Settings>(format, text, &[]).await.unwrap();
        assert_eq!(**read, expected, "{format}");
    }
}

#[tokio::test]
async fn variables_set_urls_networks_sizes_and_names() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable(
                "APP_SERVER_NAME",
                "matrix.org",
                "/server_name",
                json!("matrix.org"),
            ),
            Variable("APP_ADDRESS_PORT", "9000", "/address/ports", json!(9000)),
            Variable(
                "APP_ADDRESS_ADDRESS",
                "0.0.0.0",
                "/address/bind_address",
                json!("0.0.0.0"),
            ),
            Variable(
                "APP_ADDRESS_EXTRA",
                r#"["[::]:80", "1.2.3.4:5"]"#,
                "/address/extra",
                json!(["[::]:80", "1.2.3.4:5"]),
            ),
            Variable(
                "APP_CONDUIT_CACHE_CAPACITY_MODIFIER",
                "0.5",
                "/cache_capacity_modifier",
                json!(0.5),
            ),
            Variable(
                "APP_MAX_REQUEST_SIZE",
                "1 KiB",
                "/max_request_size",
                json!("1 KiB"),
            ),
            Variable(
                "APP_TURN_URIS",
                "turn:a,turn:b",
                "/turn_uris",
                json!(["turn:a", "turn:b"]),
            ),
            Variable(
                "APP_WELL_KNOWN",
                "https://x.org/y?z=1",
                "/well_known",
                json!("https://x.org/y?z=1"),
            ),
            Variable(
                "APP_IP_RANGE_DENYLIST",
                "192.168.0.0/16",
                "/ip_range_denylist",
                json!(["192.168.0.0/16"]),
            ),
            Variable(
                "APP_FORBIDDEN",
                "[d.org, e.org]",
                "/forbidden",
                json!(["d.org", "e.org"]),
            ),
            Variable("APP_WORKERS", "1", "/workers", json!(1)),
            Variable("APP_EMERGENCY", "false", "/emergency", json!(false)),
            Variable("APP_TURN_TTL", "60", "/turn_ttl", json!(60)),
            Variable(
                "APP_REGISTRATION_TOKEN",
                "1.10",
                "/registration_token",
                json!("1.10"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
