//! A proxy: ranges of ports, networks, listeners and routes by name, upstreams that pick by weight.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Deserializer, de};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
    ops::RangeInclusive,
    str::FromStr,
};

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[flux(nested)]
    entry_points: BTreeMap<String, EntryPoint>,
    #[flux(nested)]
    routes: Vec<Route>,
    #[flux(nested)]
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    skip_ports: BTreeSet<PortRange>,
    #[serde(default)]
    status_codes: HashMap<u8, String>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
struct EntryPoint {
    ports: PortRange,
    #[serde(default)]
    trusted_ips: Vec<IpNet>,
    #[serde(default)]
    ephemeral: Option<RangeInclusive<u16>>,
    #[flux(nested)]
    #[serde(flatten)]
    transport: Transport,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Transport {
    #[serde(default = "yes")]
    nodelay: bool,
    #[flux(nested)]
    #[serde(flatten)]
    keepalive: Keepalive,
}

fn yes() -> bool {
    true
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Keepalive {
    #[serde(rename = "keepAliveProbes", default)]
    probes: u8,
    #[flux(nested)]
    #[serde(flatten)]
    marks: Marks,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Marks {
    #[serde(default, rename = "soMark")]
    mark: Option<u32>,
}

/// `8080`, `"8080"` or `"8000-8100"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PortRange(u16, u16);

impl FromStr for PortRange {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| {
            text.trim()
                .parse()
                .map_err(|_| format!("`{text}` is no port"))
        };
        let range = PortRange(port(low)?, port(high)?);
        match range.0 <= range.1 {
            true => Ok(range),
            false => Err(format!("`{text}` runs backwards")),
        }
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl de::Visitor<'_> for V {
            type Value = PortRange;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a port or a range of ports")
            }
            fn visit_u64<E: de::Error>(self, port: u64) -> Result<PortRange, E> {
                let port = port.try_into().map_err(E::custom)?;
                Ok(PortRange(port, port))
            }
            fn visit_i64<E: de::Error>(self, port: i64) -> Result<PortRange, E> {
                self.visit_u64(port.try_into().map_err(E::custom)?)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<PortRange, E> {
                text.parse().map_err(E::custom)
            }
        }
        d.deserialize_any(V)
    }
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Route {
    #[serde(default)]
    matches: Vec<Match>,
    to: Upstream,
    #[serde(default)]
    retries: Option<Retries>,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "by", content = "value", rename_all = "kebab-case")]
enum Match {
    Host(String),
    PathPrefix(String),
    Header { name: String, exact: Option<String> },
    Source(Ipv4Net),
    Always,
}

/// One address, or several with weights.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Upstream {
    One(String),
    Weighted(BTreeMap<String, u32>),
    Mirror {
        primary: Box<Upstream>,
        mirror: Box<Upstream>,
        percent: f32,
    },
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Retries {
    attempts: u8,
    #[serde(default)]
    on: BTreeSet<RetryOn>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RetryOn {
    Reset,
    ConnectFailure,
    #[serde(rename = "5xx")]
    ServerError,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default)]
struct Limits {
    connections: u32,
    window: Ipv4Addr,
    shares: [u8; 3],
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 1024,
            window: Ipv4Addr::LOCALHOST,
            shares: [1, 1, 1],
        }
    }
}

const DOCUMENT: Document<'static> = Document(
    Format::Yaml,
    "
entryPoints:
  web:
    ports: 80
    trustedIps: [10.0.0.0/8, '::1/128']
    keepAliveProbes: 3
    soMark: 7
  admin:
    ports: 8000-8100
    nodelay: false
    ephemeral: {start: 32768, end: 60999}
routes:
- matches:
  - {by: host, value: example.org}
  - by: header
    value: {name: x-team, exact: blue}
  - by: source
    value: 192.168.0.0/16
  to: backend:80
  retries: {attempts: 3, on: [5xx, RESET, 5xx]}
- matches: [{by: always}]
  to: {a: 1, b: 9}
- to: {primary: main:80, mirror: {x: 1}, percent: 2.5}
limits:
  shares: [5, 3, 2]
skipPorts: [25, '587', 4000-5000]
",
);

#[tokio::test]
async fn ranges_networks_and_routes_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    let web = &settings.entry_points["web"];
    assert_eq!(
        (web.ports, web.transport.keepalive.marks.mark),
        (PortRange(80, 80), Some(7))
    );
    assert_eq!(settings.routes[0].retries.as_ref().unwrap().on.len(), 2);
    assert!(matches!(settings.routes[2].to, Upstream::Mirror { .. }));
}

#[tokio::test]
async fn variables_set_ranges_and_arrays() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable(
                "APP_LIMITS_CONNECTIONS",
                "9",
                "/limits/connections",
                json!(9),
            ),
            Variable(
                "APP_LIMITS_WINDOW",
                "10.0.0.1",
                "/limits/window",
                json!("10.0.0.1"),
            ),
            Variable(
                "APP_LIMITS_SHARES",
                "1,2,3",
                "/limits/shares",
                json!([1, 2, 3]),
            ),
            Variable(
                "APP_SKIP_PORTS",
                "25,4000-4100",
                "/skipPorts",
                json!([25, "4000-4100"]),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
