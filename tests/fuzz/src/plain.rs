//! The same config as plain serde decodes it, with rules written out by hand: what Flux serves must be this.

use crate::everything::{Everything, Level, Shape, size};
use flux::Format;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};

#[derive(Deserialize)]
pub struct Plain {
    id: u32,
    #[serde(default = "port")]
    port: u16,
    #[serde(default = "offset")]
    offset: i64,
    #[serde(default)]
    tiny: i8,
    #[serde(default = "ratio")]
    ratio: f64,
    #[serde(default)]
    debug: bool,
    #[serde(default = "letter", deserialize_with = "not_null")]
    letter: char,
    #[serde(default = "host", deserialize_with = "not_null")]
    host: String,
    name: Option<String>,
    password: Option<String>,
    #[serde(default, deserialize_with = "texts")]
    plugins: Vec<String>,
    #[serde(default, deserialize_with = "not_null")]
    weights: Vec<u32>,
    #[serde(default, deserialize_with = "texts")]
    tags: BTreeSet<String>,
    #[serde(default, deserialize_with = "entries")]
    labels: BTreeMap<String, u8>,
    #[serde(default = "timeout", deserialize_with = "duration")]
    timeout: Duration,
    #[serde(default, deserialize_with = "duration_or_none")]
    pause: Option<Duration>,
    #[serde(default = "level")]
    level: Level,
    shape: Option<Shape>,
    #[serde(default, deserialize_with = "number_and_text")]
    pair: (u8, String),
    address: Option<IpAddr>,
    #[serde(default = "folder", deserialize_with = "not_null")]
    folder: PathBuf,
    #[serde(
        rename = "max-body",
        alias = "maxBody",
        default = "max_body",
        deserialize_with = "size"
    )]
    max_body: u64,
    #[serde(default, deserialize_with = "not_null")]
    raw: Vec<Option<bool>>,
    #[serde(default = "region", deserialize_with = "not_null")]
    region: String,
    #[serde(default, deserialize_with = "section")]
    pool: Pool,
    #[serde(default, deserialize_with = "optional_section")]
    tls: Option<Tls>,
    #[serde(default, deserialize_with = "sections")]
    upstreams: Vec<Upstream>,
    #[serde(default, deserialize_with = "sections_by_name")]
    tenants: BTreeMap<String, Upstream>,
}

#[derive(Deserialize, Debug)]
#[serde(default)]
struct Pool {
    min: u32,
    max: u32,
}

impl Default for Pool {
    fn default() -> Self {
        Pool { min: 1, max: 10 }
    }
}

#[derive(Deserialize, Debug)]
pub struct Tls {
    #[serde(deserialize_with = "not_null")]
    pub cert: String,
    pub key: Option<String>,
}

#[derive(Deserialize, Debug)]
struct Upstream {
    #[serde(deserialize_with = "not_null")]
    host: String,
    #[serde(default = "upstream_port")]
    port: u16,
}

fn port() -> u16 {
    8080
}
fn offset() -> i64 {
    -1
}
fn ratio() -> f64 {
    0.5
}
fn letter() -> char {
    'x'
}
fn host() -> String {
    "localhost".to_owned()
}
fn timeout() -> Duration {
    Duration::from_secs(1)
}
fn level() -> Level {
    Level::Info
}
fn folder() -> PathBuf {
    "/tmp".into()
}
fn max_body() -> u64 {
    1024
}
fn region() -> String {
    "eu".to_owned()
}
fn upstream_port() -> u16 {
    80
}

/// What plain serde makes of a document: none where it is refused, where it says nothing, and where it breaks a rule.
pub fn decode(format: Format, bytes: &[u8]) -> Option<Plain> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let says_something =
        |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    if format == Format::Toml && !text.lines().any(says_something) {
        return None;
    }
    let plain = any::<Option<Map<Plain>>>(format, text).flatten()?.0;
    plain.keeps_the_rules().then_some(plain)
}

/// A document as any type.
pub fn any<T: DeserializeOwned>(format: Format, text: &str) -> Option<T> {
    match format {
        Format::Json => serde_json::from_str(text).ok(),
        Format::Yaml => serde_yaml::from_str(text).ok(),
        Format::Toml => toml::from_str(text).ok(),
        Format::Jsonc => serde_json::from_str(&without_comments(text)?).ok(),
        // Where it is JSON.
        Format::Json5 => serde_json::from_str(text).ok(),
    }
}

/// JSON with comments and trailing commas as JSON; none where a comment does not end.
fn without_comments(text: &str) -> Option<String> {
    let (mut json, mut rest) = (String::new(), text);
    // Where a comma is that nothing but blanks and comments follows so far, behind a value.
    let mut comma = None;
    let mut is_behind_value = false;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => {
                let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
                rest = &rest[end..];
                continue;
            }
            '/' if rest.starts_with("/*") => {
                rest = &rest[2 + rest[2..].find("*/")? + 2..];
                json.push(' ');
                continue;
            }
            '"' => {
                let mut escaped = true;
                let end = rest.find(|c: char| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                end.map_or(rest.len(), |end| end + 1)
            }
            first => first.len_utf8(),
        };
        match first {
            ' ' | '\t' | '\n' | '\r' => {}
            ',' => {
                comma = is_behind_value.then_some(json.len());
                is_behind_value = false;
            }
            ']' | '}' => {
                if let Some(comma) = comma.take() {
                    json.replace_range(comma..=comma, " ");
                }
                is_behind_value = true;
            }
            first => {
                comma = None;
                is_behind_value = !matches!(first, '[' | '{' | ':');
            }
        }
        json.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Some(json)
}

impl Plain {
    fn keeps_the_rules(&self) -> bool {
        let length = |text: &str| text.chars().count();
        self.port >= 1
            && (0.0..=1.0).contains(&self.ratio)
            && (1..=16).contains(&length(&self.host))
            && self
                .password
                .as_ref()
                .is_none_or(|p| (4..=64).contains(&length(p)))
            && self.plugins.iter().all(|plugin| !plugin.is_empty())
            && self.weights.len() <= 4
            && (Duration::from_millis(1)..=Duration::from_secs(3600)).contains(&self.timeout)
            && ["eu", "us"].contains(&&*self.region)
            && self.pool.min <= self.pool.max
            && self
                .upstreams
                .iter()
                .chain(self.tenants.values())
                .all(|one| !one.host.is_empty() && one.port >= 1)
    }

    /// Panics with the field's name where Flux made something else of it.
    pub fn must_be(&self, served: &Everything) {
        macro_rules! same {
            ($($field:ident)*) => {$(
                assert_eq!(
                    format!("{:?}", self.$field),
                    format!("{:?}", served.$field),
                    stringify!($field),
                );
            )*};
        }
        same!(id port offset tiny ratio debug letter host name password plugins weights tags labels timeout pause level shape);
        same!(pair address folder max_body raw pool tls upstreams tenants);
        assert_eq!(self.region, served.common.region);
    }
}

/// A section is a map, never the positional list that serde takes too.
struct Map<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = Map<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Map<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Map)
            }
        }
        d.deserialize_map(V(PhantomData))
    }
}

/// Null says nothing of a section that is always there.
fn section<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    Ok(optional_section(d)?.unwrap_or_default())
}

fn optional_section<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    d: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Map<T>>::deserialize(d)?.map(|map| map.0))
}

fn sections<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    let maps: Vec<Map<T>> = not_null(d)?;
    Ok(maps.into_iter().map(|map| map.0).collect())
}

fn sections_by_name<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    d: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let maps: BTreeMap<String, Map<T>> = entries(d)?;
    Ok(maps.into_iter().map(|(key, map)| (key, map.0)).collect())
}

/// Null under a key is no entry.
fn entries<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    d: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let entries: BTreeMap<String, Option<T>> = distinct(d)?;
    let entries = entries.into_iter();
    Ok(entries
        .filter_map(|(key, value)| Some((key, value?)))
        .collect())
}

fn texts<'de, T: FromIterator<String>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    let texts: Vec<Option<String>> = not_null(d)?;
    let texts = texts.into_iter().collect::<Option<T>>();
    texts.ok_or_else(|| D::Error::custom("null"))
}

fn number_and_text<'de, D: Deserializer<'de>>(d: D) -> Result<(u8, String), D::Error> {
    let (number, text): (u8, Option<String>) = Deserialize::deserialize(d)?;
    let text = text.ok_or_else(|| D::Error::custom("null"))?;
    Ok((number, text))
}

/// A key that is not YAML's null. In TOML's reader nothing but a text is one.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Key, D::Error> {
                String::deserialize(d).map(Key)
            }
            fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
                Ok(Key(key.to_owned()))
            }
        }
        d.deserialize_option(V)
    }
}

/// In YAML plain serde takes null for an empty list, and for a text as it is written.
pub fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    Option::deserialize(d)?.ok_or_else(|| D::Error::custom("null"))
}

/// A map in which no key stands twice; plain serde keeps the last.
fn distinct<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    d: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    struct Distinct<T>(BTreeMap<String, T>);
    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Distinct<T> {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            struct V<T>(PhantomData<T>);
            impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
                type Value = Distinct<T>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a map")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Distinct<T>, A::Error> {
                    let mut all = BTreeMap::new();
                    while let Some((key, value)) = map.next_entry::<Key, T>()? {
                        if all.insert(key.0, value).is_some() {
                            return Err(A::Error::custom("twice"));
                        }
                    }
                    Ok(Distinct(all))
                }
            }
            d.deserialize_map(V(PhantomData))
        }
    }
    not_null::<Distinct<T>, D>(d).map(|map| map.0)
}

fn duration<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    parsed(&String::deserialize(d)?).ok_or_else(|| D::Error::custom("no duration"))
}

fn duration_or_none<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    match Option::<String>::deserialize(d)? {
        Some(text) => parsed(&text)
            .map(Some)
            .ok_or_else(|| D::Error::custom("no duration")),
        None => Ok(None),
    }
}

/// As humantime reads it, but never a number without a unit.
pub fn parsed(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text != "0" && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    humantime::parse_duration(text).ok()
}
