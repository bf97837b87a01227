//! The guide's page of types: each row of its tables is tried.

mod page;
mod rows;

use flux::Flux;
use page::{Case, Page};
use serde::Deserialize;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    fmt::{Debug, Display},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::{NonZeroU32, Wrapping},
    ops::RangeInclusive,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Slow,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Inside {
    Disk { path: String },
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "type", content = "is", rename_all = "lowercase")]
enum Beside {
    Disk { path: String },
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Untagged {
    Count(u32),
    Word(Word),
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Word {
    Auto,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Port(u16);

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Leaf {
    max: u32,
    #[serde(default)]
    min: u32,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Op {
    Keep,
    Remove(String),
    Move { to: String },
}

#[derive(Flux, Debug, PartialEq)]
struct Section {
    max: u32,
    #[serde(default)]
    min: u32,
}

/// Tries a row with a struct of one field, `v`.
macro_rules! row {
    ($case:ident, $show:expr, $type:ty, [$($flux:tt)*] $(, serde $serde:tt)?) => {{
        #[derive(Flux)]
        struct App {
            #[flux($($flux)*)]
            $(#[serde $serde])?
            v: $type,
        }
        let show: fn(&$type) -> String = $show;
        let options = concat!(stringify!($($flux)*) $(, "serde", stringify!($serde))?);
        rows::check::<App>($case, options, |app| show(&app.v));
    }};
}

fn debug<T: Debug>(value: &T) -> String {
    format!("{value:?}")
}

fn display<T: Display>(value: &T) -> String {
    value.to_string()
}

fn list<T: Display>(values: &[T]) -> String {
    let each: Vec<_> = values.iter().map(ToString::to_string).collect();
    format!("[{}]", each.join(", "))
}

fn secret(value: &secrecy::SecretString) -> String {
    use secrecy::ExposeSecret;
    value.expose_secret().to_owned()
}

fn optional_secret(value: &Option<secrecy::SecretString>) -> String {
    value.as_ref().map_or("None".to_owned(), |value| {
        format!("Some({})", secret(value))
    })
}

/// A secret of the program.
#[derive(Deserialize, Clone)]
struct Key(String);

impl zeroize::Zeroize for Key {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl secrecy::CloneableSecret for Key {}

fn key(value: &secrecy::SecretBox<Key>) -> String {
    use secrecy::ExposeSecret;
    value.expose_secret().0.clone()
}

fn since_1970(value: &SystemTime) -> String {
    debug(&value.duration_since(SystemTime::UNIX_EPOCH).unwrap())
}

fn try_row(case: &Case<'_>) {
    use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
    use serde_with::formats::ColonSeparator as Colon;
    match case.name {
        "bool" => row!(case, debug, bool, [default = true]),
        "u16" => row!(case, debug, u16, [default = 8080, range = 1024..=9000]),
        "i64" => row!(case, debug, i64, [default = -5, range = ..0]),
        "f64" => row!(case, debug, f64, [default = 0.5, range = 0.0..=1.0]),
        "f32" => row!(case, debug, f32, [default = 1.0]),
        "u128" => row!(case, debug, u128, [default = 5]),
        "NonZeroU32" => row!(case, debug, NonZeroU32, []),
        "char" => row!(case, debug, char, [default = 'é']),
        "String" => row!(case, debug, String, [default = "text", length = 3..=8]),
        "String, digits" => row!(case, debug, String, []),
        "String, a pattern" => row!(case, debug, String, [pattern = "^[a-z]+-[0-9]$"]),
        "String, of a few" => row!(
            case,
            debug,
            String,
            [default = "debug", one_of = ["debug", "info"]]
        ),
        "Box<str>" => row!(case, debug, Box<str>, [default = "text", non_empty]),
        "Arc<str>" => row!(case, debug, Arc<str>, [default = "text", non_empty]),
        "Cow<'static, str>" => row!(
            case,
            debug,
            Cow<'static, str>,
            [default = "text", non_empty]
        ),
        "PathBuf" => row!(case, debug, PathBuf, [default = "/var/lib"]),
        "OsString" => row!(case, debug, std::ffi::OsString, []),
        "Option<u16>" => row!(case, debug, Option<u16>, [range = 1..]),
        "Box<u16>" => row!(case, debug, Box<u16>, [default = Box::new(5)]),
        "Arc<u16>" => row!(case, debug, Arc<u16>, []),
        "Wrapping<u8>" => row!(case, debug, Wrapping<u8>, []),
        "Saturating<u8>" => row!(case, debug, std::num::Saturating<u8>, []),
        "Duration" => row!(
            case,
            debug,
            Duration,
            [default = "90s", range = "1s"..="1h"]
        ),
        "Duration, none" => row!(case, debug, Duration, [default = "0"]),
        "Option<Duration>" => row!(case, debug, Option<Duration>, []),
        "Vec<Duration>" => row!(case, debug, Vec<Duration>, []),
        "BTreeMap<String, Duration>" => row!(case, debug, BTreeMap<String, Duration>, []),
        "Duration by humantime_serde" => {
            row!(case, debug, Duration, [], serde(with = "humantime_serde"))
        }
        "Option<Duration> by humantime_serde" => {
            row!(
                case,
                debug,
                Option<Duration>,
                [],
                serde(with = "humantime_serde")
            )
        }
        "SystemTime" => row!(case, since_1970, SystemTime, []),
        "chrono::DateTime<Utc>" => row!(case, debug, DateTime<Utc>, []),
        "chrono::DateTime<FixedOffset>" => row!(case, debug, DateTime<FixedOffset>, []),
        "chrono::NaiveDate" => row!(case, debug, NaiveDate, []),
        "chrono::NaiveTime" => row!(case, debug, NaiveTime, []),
        "chrono::NaiveDateTime" => row!(case, debug, NaiveDateTime, []),
        "chrono::DateTime<Utc> in seconds" => row!(
            case,
            debug,
            DateTime<Utc>,
            [],
            serde(with = "chrono::serde::ts_seconds")
        ),
        "chrono::DateTime<Utc> in milliseconds" => row!(
            case,
            debug,
            DateTime<Utc>,
            [],
            serde(with = "chrono::serde::ts_milliseconds")
        ),
        "Option<chrono::DateTime<Utc>> in seconds" => row!(
            case,
            debug,
            Option<DateTime<Utc>>,
            [],
            serde(with = "chrono::serde::ts_seconds_option")
        ),
        "chrono::Weekday" => row!(case, debug, chrono::Weekday, []),
        "IpAddr" => row!(case, debug, IpAddr, [default = "::1"]),
        "Ipv4Addr" => row!(case, debug, Ipv4Addr, [default = "10.0.0.1"]),
        "Ipv6Addr" => row!(case, debug, std::net::Ipv6Addr, [default = "::1"]),
        "SocketAddrV4" => row!(
            case,
            debug,
            std::net::SocketAddrV4,
            [default = "127.0.0.1:80"]
        ),
        "SocketAddr" => row!(case, debug, SocketAddr, [default = "127.0.0.1:80"]),
        "String, an address" => row!(case, debug, String, [ip]),
        "String, a URL" => row!(case, debug, String, [url]),
        "url::Url" => row!(case, display, url::Url, [default = "https://a.b/c"]),
        "Vec<url::Url>" => row!(case, |urls| list(urls), Vec<url::Url>, []),
        "uuid::Uuid" => row!(case, debug, uuid::Uuid, []),
        "ipnet::IpNet" => row!(case, debug, ipnet::IpNet, []),
        "Vec<ipnet::Ipv4Net>" => row!(case, debug, Vec<ipnet::Ipv4Net>, []),
        "ipnet::Ipv6Net" => row!(case, debug, ipnet::Ipv6Net, []),
        "bytesize::ByteSize" => row!(case, |size| size.0.to_string(), bytesize::ByteSize, []),
        "u64, bytes" => row!(
            case,
            debug,
            u64,
            [bytes, default = "10MB", range = "1kB"..="1GiB"]
        ),
        "u8, bytes" => row!(case, debug, u8, [bytes]),
        "i64, bytes" => row!(case, debug, i64, [bytes]),
        "Option<NonZeroU32>, bytes" => row!(case, debug, Option<NonZeroU32>, [bytes]),
        "Vec<usize>, bytes" => row!(case, debug, Vec<usize>, [bytes, default = ["1kB", 5]]),
        "BTreeMap<String, u32>, bytes" => row!(case, debug, BTreeMap<String, u32>, [bytes]),
        "secrecy::SecretString" => row!(case, secret, secrecy::SecretString, []),
        "Option<secrecy::SecretString>" => {
            row!(case, optional_secret, Option<secrecy::SecretString>, [])
        }
        "secrecy::SecretBox<Key>" => row!(case, key, secrecy::SecretBox<Key>, []),
        "zeroize::Zeroizing<String>" => {
            row!(
                case,
                |text| text.to_string(),
                zeroize::Zeroizing<String>,
                []
            )
        }
        "String, a secret" => row!(case, debug, String, [secret, length = 7..]),
        "Vec<String>" => row!(
            case,
            debug,
            Vec<String>,
            [default = ["a", "b"], each(non_empty)]
        ),
        "Vec<String>, empty" => row!(case, debug, Vec<String>, [default, length = ..=2]),
        "Vec<u8>, appended" => row!(case, debug, Vec<u8>, [merge = "append"]),
        "Vec<u8>, prepended" => row!(case, debug, Vec<u8>, [merge = "prepend"]),
        "Vec<u8>, united" => row!(case, debug, Vec<u8>, [merge = "union"]),
        "VecDeque<u8>" => row!(case, debug, VecDeque<u8>, []),
        "BTreeSet<u8>" => row!(case, debug, BTreeSet<u8>, [each(range = 1..=9)]),
        "BTreeSet<u8>, united" => row!(case, debug, BTreeSet<u8>, [merge = "union"]),
        "HashSet<char>" => row!(case, debug, HashSet<char>, []),
        "Box<[u8]>" => row!(case, debug, Box<[u8]>, []),
        "Arc<[u8]>" => row!(case, debug, Arc<[u8]>, []),
        "HashSet<String>" => row!(case, debug, HashSet<String>, []),
        "[u8; 3]" => row!(case, debug, [u8; 3], [default = [1, 2, 3]]),
        "(u8, String)" => row!(case, debug, (u8, String), []),
        "BTreeMap<String, u8>" => {
            row!(case, debug, BTreeMap<String, u8>, [default, each(range = 1..)])
        }
        "BTreeMap<String, u8>, an entry away" => row!(case, debug, BTreeMap<String, u8>, []),
        "BTreeMap<String, Option<u8>>" => row!(case, debug, BTreeMap<String, Option<u8>>, []),
        "BTreeMap<String, u8>, the rest" => {
            row!(case, debug, BTreeMap<String, u8>, [default = BTreeMap::from([("v".to_owned(), 5)]),], serde(flatten))
        }
        "BTreeMap<String, u8>, replaced" => {
            row!(case, debug, BTreeMap<String, u8>, [merge = "replace"])
        }
        "HashMap<String, bool>" => row!(case, debug, HashMap<String, bool>, []),
        "Range<u16>" => row!(case, debug, std::ops::Range<u16>, []),
        "RangeInclusive<u16>" => row!(case, debug, RangeInclusive<u16>, []),
        "serde_json::Value" => row!(case, debug, serde_json::Value, []),
        "an enum of words" => row!(case, debug, Mode, [default = Mode::Fast]),
        "a set of words" => row!(case, debug, BTreeSet<Mode>, []),
        "an enum with data" | "an enum with data, a word" => row!(case, debug, Op, []),
        "an enum tagged inside" => row!(case, debug, Inside, []),
        "an enum tagged beside" => row!(case, debug, Beside, []),
        "an untagged enum, a word" => row!(case, debug, Untagged, []),
        "an untagged enum, a number" => row!(case, debug, Untagged, []),
        "a newtype" => row!(case, debug, Port, []),
        "a struct as a value" => row!(case, debug, Leaf, []),
        "a struct as a section" => row!(case, debug, Section, [nested]),
        "an optional section" => row!(case, debug, Option<Section>, [nested]),
        "a section behind a pointer" => row!(case, debug, Arc<Section>, [nested]),
        "an optional section behind a pointer" => {
            row!(case, debug, Option<Box<Section>>, [nested])
        }
        "an optional list of sections" => row!(case, debug, Option<Vec<Section>>, [nested]),
        "a queue of sections, appended" => {
            row!(case, debug, VecDeque<Section>, [nested, merge = "append"])
        }
        "an array of sections" => row!(case, debug, [Section; 1], [nested]),
        "a list of sections" => row!(case, debug, Vec<Section>, [nested]),
        "a map of sections, one away" => row!(case, debug, BTreeMap<String, Section>, [nested]),
        "a map of sections, replaced" => {
            row!(case, debug, BTreeMap<String, Section>, [nested, merge = "replace"])
        }
        "an ordered map of sections" => {
            row!(case, debug, indexmap::IndexMap<String, Section>, [nested])
        }
        "a map of sections by number" => row!(case, debug, BTreeMap<u16, Section>, [nested]),
        "a map of lists of sections" => {
            row!(case, debug, BTreeMap<String, Vec<Section>>, [nested])
        }
        "a map of sections, the rest" => {
            row!(case, debug, HashMap<String, Section>, [nested,], serde(flatten))
        }
        "a map of sections" => row!(case, debug, BTreeMap<String, Section>, [nested]),
        "u64 by DisplayFromStr" => row!(
            case,
            debug,
            u64,
            [],
            serde(with = "serde_with::As::<serde_with::DisplayFromStr>")
        ),
        "Duration by DurationSeconds" => row!(
            case,
            debug,
            Duration,
            [],
            serde(with = "serde_with::As::<serde_with::DurationSeconds<u64>>")
        ),
        "Duration by DurationMilliSeconds" => row!(
            case,
            debug,
            Duration,
            [],
            serde(with = "serde_with::As::<serde_with::DurationMilliSeconds<u64>>")
        ),
        "Vec<String> by StringWithSeparator" => row!(
            case,
            debug,
            Vec<String>,
            [],
            serde(with = "serde_with::As::<serde_with::StringWithSeparator::<Colon, String>>")
        ),
        "Vec<u8> by OneOrMany" => row!(
            case,
            debug,
            Vec<u8>,
            [],
            serde(with = "serde_with::As::<serde_with::OneOrMany<serde_with::Same>>")
        ),
        "Vec<String> by StringWithSeparator, commas" => row!(
            case,
            debug,
            Vec<String>,
            [],
            serde(
                with = "serde_with::As::<serde_with::StringWithSeparator::<serde_with::formats::CommaSeparator, String>>"
            )
        ),
        "Duration by DurationSecondsWithFrac" => row!(
            case,
            debug,
            Duration,
            [],
            serde(with = "serde_with::As::<serde_with::DurationSecondsWithFrac<f64>>")
        ),
        "Option<String> by NoneAsEmptyString" => row!(
            case,
            debug,
            Option<String>,
            [],
            serde(with = "serde_with::As::<serde_with::NoneAsEmptyString>")
        ),
        "u64 by PickFirst" => row!(
            case,
            debug,
            u64,
            [],
            serde(
                with = "serde_with::As::<serde_with::PickFirst<(serde_with::Same, serde_with::DisplayFromStr)>>"
            )
        ),
        "u8 by DefaultOnError" => row!(
            case,
            debug,
            u8,
            [],
            serde(with = "serde_with::As::<serde_with::DefaultOnError>")
        ),
        other => case.wrong(format!("the test has no row `{other}`")),
    }
}

#[test]
fn each_type_is_written_and_merged_as_the_page_of_types_says() {
    let page = Page::new(include_str!("../../../flux/src/docs/types.md"));
    for case in page.cases() {
        try_row(&case);
    }
    page.finish(117);
}
