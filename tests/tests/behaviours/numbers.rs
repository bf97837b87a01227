//! Numbers, dates and null in the place of something else.

use crate::{applied, refusal};
use flux::{Capacitor, Flux, Format, Source, Unknown, source::Channel};
use std::collections::{BTreeMap, HashMap};

#[derive(Flux)]
struct App {
    #[flux(default = 8080, range = 1..=65535)]
    port: u16,
    #[flux(default = "localhost")]
    host: String,
    #[flux(default = 0.5, range = 0.0..=1.0)]
    ratio: f64,
    #[flux(default)]
    large: u64,
    #[flux(default)]
    huge: u128,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested)]
    spare: Option<Pool>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    upstreams: Vec<Pool>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    waits: Vec<std::time::Duration>,
    #[flux(default)]
    counts: Option<HashMap<u32, u32>>,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1)]
    max: u32,
}

/// A document and what is said of it.
#[rustfmt::skip]
const NUMBERS: &[(Format, &str, &str)] = &[
    (Format::Yaml, "port: 65536", "port: expected u16, found integer `65536`"),
    (Format::Yaml, "port: 0xffff1", "port: expected u16, found integer `1048561`"),
    (Format::Yaml, "port: 0o200000", "port: expected u16, found integer `65536`"),
    (Format::Yaml, "port: 0777", "port: expected u16, found `0777`, which is a text: no integer begins with 0; write `777`, or `0o777` if it is octal"),
    (Format::Yaml, "ratio: 0x10", "ratio: expected f64, found the integer `0x10`; a float is written in decimals, `16` here"),
    (Format::Yaml, "port: 0o999", "port: expected u16, found string \"0o999\""),
    (Format::Yaml, "port: 1_000", "port: expected u16, found string \"1_000\""),
    (Format::Yaml, "port: 1.5", "port: expected u16, found floating point `1.5`"),
    (Format::Yaml, "port: .nan", "port: expected u16, found floating point `NaN`"),
    (Format::Yaml, "port: .inf", "port: expected u16, found floating point `inf`"),
    (Format::Yaml, "port: 99999999999999999999", "port: expected u16, found integer `99999999999999999999`"),
    (Format::Yaml, "port: -9223372036854775809", "port: expected u16, found integer `-9223372036854775809`"),
    (Format::Yaml, "large: 18446744073709551616", "large: expected u64, found integer `18446744073709551616`"),
    (Format::Yaml, "huge: -1", "huge: expected u128, found integer `-1`"),
    (Format::Yaml, "ratio: .nan", "ratio: must be in 0.0..=1.0, found NaN"),
    (Format::Yaml, "ratio: -.inf", "ratio: must be in 0.0..=1.0, found -inf"),
    (Format::Yaml, "ratio: 1e400", "ratio: expected f64, found string \"1e400\""),
    (Format::Json, "{\"port\": -1}", "port: expected u16, found integer `-1`"),
    (Format::Json, "{\"port\": 1.0}", "port: expected u16, found floating point `1.0`"),
    (Format::Json, "{\"large\": 18446744073709551616}", "large: expected u64, found integer `18446744073709551616`"),
    (Format::Json, "{\"port\": 99999999999999999999}", "port: expected u16, found integer `99999999999999999999`"),
    (Format::Json, "{\"ratio\":\n 1e400}", "ratio: number out of range\n    --> app:2:2"),
    (Format::Json, "{\"ratio\": NaN}", "expected value\n    --> app:1:11"),
    (Format::Toml, "port = 0x10000", "port: expected u16, found integer `65536`"),
    (Format::Toml, "port = 0o200000", "port: expected u16, found integer `65536`"),
    (Format::Toml, "large = -1", "large: expected u64, found integer `-1`"),
    (Format::Toml, "port = 99999999999999999999", "port: expected u16, found integer `99999999999999999999`"),
    (Format::Toml, "port = 999999999999999999999999999999999999999999", "integer number overflowed\n    --> app:1:8"),
    (Format::Toml, "ratio = nan", "ratio: must be in 0.0..=1.0, found NaN"),
    (Format::Toml, "ratio = +inf", "ratio: must be in 0.0..=1.0, found inf"),
    (Format::Toml, "ratio = 1e400", "floating-point number overflowed\n    --> app:1:9"),
    (Format::Toml, "port = 1979-05-27", "port: expected u16, found date-time `1979-05-27`"),
    (Format::Toml, "host = 07:32:00", "host: expected a string, found date-time `07:32:00`"),
    (Format::Toml, "pool = 1979-05-27T07:32:00Z", "pool: expected a section (a map of keys), found date-time `1979-05-27T07:32:00Z`"),
    (Format::Toml, "spare = 1979-05-27", "spare: expected a section (a map of keys), found date-time `1979-05-27`"),
    (Format::Toml, "labels = 1979-05-27", "labels: expected a map, found date-time `1979-05-27`"),
    (Format::Toml, "tenants = {a = 1979-05-27}", "tenants.a: expected a section (a map of keys), found date-time `1979-05-27`"),
    (Format::Toml, "upstreams = [{}, 1979-05-27]", "upstreams[1]: expected a section (a map of keys), found date-time `1979-05-27`"),
];

#[tokio::test]
async fn numbers_that_no_field_can_hold_are_told_as_what_they_are() {
    for (format, document, sentence) in NUMBERS {
        let report = refusal::<App>(*format, document).await;
        assert_eq!(report.problems().len(), 1, "{document}\n{report}");
        assert!(
            report.to_string().contains(sentence),
            "`{sentence}` is not in\n{report}"
        );
    }
}

#[tokio::test]
async fn numbers_in_every_notation_are_taken_where_they_fit() {
    for (format, document, port) in [
        (Format::Yaml, "port: 0o17", 15),
        (Format::Yaml, "port: 0x1F", 31),
        (Format::Yaml, "port: 0b11", 3),
        (Format::Yaml, "port: +7", 7),
        (Format::Toml, "port = 0o17", 15),
        (Format::Toml, "port = 0x1F", 31),
        (Format::Toml, "port = 1_000", 1000),
        (Format::Json, "{\"port\": 65535}", 65535),
    ] {
        assert_eq!(
            applied::<App>(format, document).await.port,
            port,
            "{document}"
        );
    }
    let huge = u128::from(u64::MAX) + 1;
    let app = applied::<App>(Format::Yaml, format!("huge: {huge}")).await;
    assert_eq!(app.huge, huge);
    // What another field has wrong does not change what is said of it.
    let report = refusal::<App>(Format::Yaml, format!("huge: {huge}\nport: x")).await;
    assert_eq!(report.problems().len(), 1, "{report}");
}

#[tokio::test]
async fn a_date_in_the_place_of_a_section_is_refused_though_unknown_keys_are_ignored() {
    let (sender, channel) = Channel::buffered("app", 4);
    sender.send(&b"pool = 1979-05-27"[..]).await.unwrap();
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .unknown(Unknown::Ignore)
        .source(Source::watcher(channel).format(Format::Toml))
        .build()
        .unwrap();
    let error = capacitor.start().await.expect_err("a date").to_string();
    assert!(error.contains("pool: expected a section"), "{error}");
}

#[tokio::test]
async fn null_is_no_list_and_no_map() {
    for document in ["labels:", "waits:", "upstreams:", "tenants: null"] {
        let report = refusal::<App>(Format::Yaml, document).await;
        assert!(
            report.to_string().contains(", found null"),
            "{document}: {report}"
        );
    }
    let app = applied::<App>(Format::Yaml, "counts:\npool:\nspare: ~").await;
    assert!(app.counts.is_none() && app.spare.is_none() && app.pool.max == 1);
}

#[derive(Flux, Debug)]
struct ByNumber {
    #[flux(default)]
    names: BTreeMap<u16, String>,
    #[flux(nested, default)]
    pools: BTreeMap<u16, PoolByNumber>,
}

#[derive(Flux, Debug)]
struct PoolByNumber {
    max: u8,
}

#[tokio::test]
async fn a_number_as_a_key_has_no_quotes_in_a_yaml_map_of_values() {
    for (format, text) in [
        (Format::Yaml, "names: {7: a}\npools: {7: {max: 1}}"),
        (Format::Yaml, "names: {7: a}\npools: {'7': {max: 1}}"),
        (
            Format::Json,
            r#"{"names": {"7": "a"}, "pools": {"7": {"max": 1}}}"#,
        ),
        (Format::Toml, "names.7 = 'a'\npools.'7'.max = 1"),
    ] {
        let read = applied::<ByNumber>(format, text).await;
        assert_eq!((read.names[&7].as_str(), read.pools[&7].max), ("a", 1));
    }
    serde_yaml::from_str::<BTreeMap<u16, String>>("'7': a").expect_err("serde alone");
    let report = refusal::<ByNumber>(Format::Yaml, "names: {'7': a}").await;
    let [problem] = report.problems() else {
        panic!("{report}");
    };
    assert_eq!((problem.path.as_str(), problem.line), ("names.7", Some(1)));
    assert!(problem.message.contains("expected u16"), "{report}");
}

#[derive(Flux, Debug)]
struct Notations {
    #[flux(default)]
    signed: i64,
    #[flux(default)]
    unsigned: u16,
    #[flux(default)]
    names: BTreeMap<u16, String>,
    #[flux(default)]
    anything: serde_json::Value,
    #[flux(default)]
    ratio: f64,
}

/// What the page of sources says of the notations of numbers, in the order JSON, YAML, TOML, variable.
#[tokio::test]
async fn a_number_in_a_notation_of_some_formats_is_taken_by_those_and_refused_by_the_others() {
    #[rustfmt::skip]
    let cases = [
        ("-0 for an integer", [r#"{"signed": -0}"#, "signed: -0", "signed = -0"], ("APP_SIGNED", "-0"), [false, true, true, true]),
        ("-0 without a sign", [r#"{"unsigned": -0}"#, "unsigned: -0", "unsigned = -0"], ("APP_UNSIGNED", "-0"), [false, false, true, false]),
        ("01 as a key", [r#"{"names": {"01": "a"}}"#, "names: {01: a}", "names.01 = 'a'"], ("APP_NAMES", "01=a"), [false, false, true, true]),
        ("+1 as a key", [r#"{"names": {"+1": "a"}}"#, "names: {+1: a}", "names.'+1' = 'a'"], ("APP_NAMES", "+1=a"), [false, true, true, true]),
        ("1e400 as a number", [r#"{"ratio": 1e400}"#, "ratio: 1e400", "ratio = 1e400"], ("APP_RATIO", "1e400"), [false; 4]),
        ("1e400 as anything", [r#"{"anything": 1e400}"#, "anything: 1e400", "anything = 1e400"], ("APP_ANYTHING", "1e400"), [false, true, false, true]),
    ];
    for (case, documents, variable, taken) in cases {
        let formats = [Format::Json, Format::Yaml, Format::Toml].into_iter();
        let mut seen = Vec::new();
        for (format, document) in formats.zip(documents) {
            let (sender, channel) = Channel::latest("app");
            sender.try_send(document.as_bytes()).unwrap();
            let source = Source::watcher(channel).format(format);
            let capacitor = Capacitor::<Notations>::builder().source(source).build();
            let capacitor = capacitor.unwrap();
            seen.push(capacitor.start().await.is_ok());
            capacitor.stop().await;
        }
        let source = Source::env("APP_").variables([variable]);
        let capacitor = Capacitor::<Notations>::builder().source(source).build();
        let capacitor = capacitor.unwrap();
        seen.push(capacitor.start().await.is_ok());
        capacitor.stop().await;
        assert_eq!(seen, taken, "{case}");
    }
}
