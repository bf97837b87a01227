//! A field's type decides how it is read, merged and described, whatever the way in which the type is written.

use crate::by_hand;
use flux::{
    Capacitor, Config, Flux, Format, Report, Snapshot, Source,
    schema::{Bound, ChangeRule, ConstraintKind, Field, MergeRule, ValueType},
    source::Channel,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// What becomes of layers with these documents, the lowest first.
async fn folded<C: Config>(format: Format, documents: &[&str]) -> Result<Arc<Snapshot<C>>, Report> {
    let mut builder = Capacitor::<C>::builder().manual();
    for (number, document) in documents.iter().enumerate() {
        let (sender, channel) = Channel::buffered(format!("layer {number}"), 4);
        sender.send(document.as_bytes()).await.unwrap();
        builder = builder.source(Source::watcher(channel).format(format));
    }
    let capacitor = builder.build().expect("layers that work");
    match capacitor.start().await {
        Ok(()) => Ok(capacitor.snapshot()),
        Err(flux::Error::Refused(report)) => Err(report),
        Err(other) => panic!("{other}"),
    }
}

/// A config for each type, with one field of it.
macro_rules! configs {
    ($($name:ident: $type:ty;)*) => {$(
        #[derive(Flux)]
        struct $name {
            value: $type,
        }
        impl Holder for $name {
            fn value(&self) -> Value {
                serde_json::to_value(&self.value).unwrap()
            }
        }
    )*};
}

trait Holder: Config {
    fn value(&self) -> Value;
}

/// Runs a generic function for each config.
macro_rules! each {
    ($function:ident: $($name:ident)*) => {
        $($function::<$name>(stringify!($name)).await;)*
    };
    ($function:ident($argument:expr): $($name:ident)*) => {
        $($function::<$name>(stringify!($name), $argument).await;)*
    };
}

type Alias = BTreeMap<String, u8>;
type Nested = Option<Box<Alias>>;

configs! {
    Spelt: BTreeMap<String, u8>;
    Aliased: Alias;
    Hashed: HashMap<String, u8>;
    Boxed: Box<BTreeMap<String, u8>>;
    Optional: Option<HashMap<String, u8>>;
    AliasOfAlias: Nested;
    Indexed: indexmap::IndexMap<String, u8>;
    BoxedIndexed: Option<Box<indexmap::IndexMap<String, u8>>>;
    Json: serde_json::Map<String, Value>;
}

async fn merges_by_key<C: Holder>(name: &str) {
    let low = r#"{"value": {"a": 1, "b": 2}}"#;
    let high = r#"{"value": {"b": 3, "c": 4}}"#;
    let found = folded::<C>(Format::Json, &[low, high]).await.unwrap();
    assert_eq!(found.value(), json!({"a": 1, "b": 3, "c": 4}), "{name}");
    assert_eq!(C::types()[0].merge, MergeRule::ByKey, "{name}");
}

async fn refuses_a_key_that_occurs_twice<C: Holder>(name: &str) {
    let twice = r#"{"value": {"a": 1, "b": 2, "a": 1}}"#;
    let report = folded::<C>(Format::Json, &[twice]).await.err();
    let report = report.unwrap_or_else(|| panic!("{name} accepts a key twice"));
    assert!(report.to_string().contains("twice"), "{name}: {report}");
}

#[tokio::test]
async fn maps_merge_by_key_and_refuse_a_key_twice_in_any_spelling() {
    each!(merges_by_key: Spelt Aliased Hashed Boxed Optional AliasOfAlias Indexed BoxedIndexed Json);
    each!(refuses_a_key_that_occurs_twice: Spelt Aliased Hashed Boxed Optional AliasOfAlias Indexed BoxedIndexed Json);
}

type Wait = Duration;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Limit {
    After(Duration),
    Between { first: Wait, last: Wait },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Times {
    first: Duration,
    rest: Vec<Wait>,
}

configs! {
    Plain: Duration;
    AliasedWait: Wait;
    Tokio: tokio::time::Duration;
    Behind: Option<Box<Duration>>;
    Pair: (Duration, u32);
    Array: [Duration; 2];
    Set: BTreeSet<Duration>;
    Options: Vec<Option<Duration>>;
    ByName: HashMap<String, Vec<Wait>>;
    Variant: Limit;
    Inside: Times;
}

/// As people write it, and as serde writes it: the same value.
async fn reads_durations<C: Holder>(name: &str, written: Value) {
    reads_durations_in::<C>(
        &[Format::Json, Format::Jsonc, Format::Json5, Format::Yaml],
        name,
        written,
    )
    .await;
}

async fn reads_durations_in<C: Holder>(formats: &[Format], name: &str, written: Value) {
    let document = json!({ "value": written }).to_string();
    for format in formats {
        let read = folded::<C>(*format, &[&document]).await;
        let read = read.unwrap_or_else(|report| panic!("{name}: {report}"));
        let again = json!({ "value": read.value() }).to_string();
        let again = folded::<C>(*format, &[&again]).await.unwrap();
        assert_eq!(read.value(), again.value(), "{name}");
        assert!(read.value().to_string().contains("\"secs\":5"), "{name}");
    }
}

#[tokio::test]
async fn durations_are_read_as_people_write_them_wherever_they_are() {
    each!(reads_durations(json!("5s")): Plain AliasedWait Tokio Behind);
    each!(reads_durations(json!(["5s", 3])): Pair);
    each!(reads_durations(json!(["5s", "1m"])): Array Set Options);
    each!(reads_durations(json!({"a": ["5s"]})): ByName);
    let json = [Format::Json, Format::Jsonc, Format::Json5];
    reads_durations_in::<Variant>(&json, "a variant", json!({"After": "5s"})).await;
    let between = json!({"Between": {"first": "5s", "last": "1h"}});
    reads_durations_in::<Variant>(&json, "a struct in a variant", between).await;
    reads_durations::<Inside>("a struct", json!({"first": "5s", "rest": ["1s"]})).await;
}

#[tokio::test]
async fn what_is_no_duration_is_refused_with_an_example() {
    for wrong in ["\"soon\"", "5", "null", "true"] {
        let document = format!("{{\"value\": {wrong}}}");
        let report = folded::<AliasedWait>(Format::Json, &[&document])
            .await
            .err();
        let report = report.expect("a refusal").to_string();
        assert!(report.contains("a duration such as `30s`"), "{report}");
    }
}

#[tokio::test]
async fn a_variable_holds_a_duration_too() {
    #[derive(Flux)]
    #[flux(source = "env:APP_")]
    struct App {
        wait: Wait,
        maybe: Option<Box<Duration>>,
        pair: (Wait, u32),
    }
    let read = flux::testing::harness::<App>()
        .variable("APP_WAIT", "5s")
        .variable("APP_MAYBE", "1m")
        .variable("APP_PAIR", "2s,7")
        .start()
        .await
        .get();
    assert_eq!(read.wait, Duration::from_secs(5));
    assert_eq!(read.maybe, Some(Box::new(Duration::from_secs(60))));
    assert_eq!(read.pair, (Duration::from_secs(2), 7));
}

type Names = Vec<String>;
type Deep = Vec<Names>;

configs! {
    List: Vec<String>;
    AliasedList: Names;
    BoxedList: Box<Names>;
    DeepList: Deep;
    Queue: VecDeque<u8>;
    SetOfNames: BTreeSet<String>;
}

async fn refuses_null<C: Holder>(name: &str) {
    for document in ["value: null", "value: ~", "value:"] {
        let read = folded::<C>(Format::Yaml, &[document]).await;
        assert!(read.is_err(), "{name}: {document}");
    }
}

#[tokio::test]
async fn null_is_no_list_and_no_map_in_any_spelling() {
    each!(refuses_null: List AliasedList BoxedList DeepList Queue SetOfNames);
    each!(refuses_null: Spelt Aliased Hashed Boxed Indexed Json);
}

type Maybe = Option<u16>;

configs! {
    SpeltOption: Option<u16>;
    AliasedOption: Maybe;
    OptionOfMap: Nested;
}

async fn is_not_required<C: Holder>(name: &str) {
    let read = folded::<C>(Format::Yaml, &["{}"]).await;
    let read = read.unwrap_or_else(|report| panic!("{name}: {report}"));
    assert_eq!(read.value(), Value::Null, "{name}");
    assert!(!C::fields()[0].is_required(), "{name}");
    let read = folded::<C>(Format::Yaml, &["value: null"]).await.unwrap();
    assert_eq!(read.value(), Value::Null, "{name}");
}

#[tokio::test]
async fn an_option_under_any_name_is_not_required() {
    each!(is_not_required: SpeltOption AliasedOption OptionOfMap);
    assert!(List::fields()[0].is_required());
}

#[derive(Flux, Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Pool {
    size: u8,
    name: String,
}

#[tokio::test]
async fn a_section_that_is_meant_as_a_value_is_replaced_as_a_whole() {
    #[derive(Flux)]
    struct App {
        #[flux(value)]
        pool: Pool,
    }
    let low = "pool: {size: 1, name: a}";
    let read = folded::<App>(Format::Yaml, &[low, "pool: {size: 2, name: b}"]).await;
    assert_eq!(read.unwrap().pool.size, 2);
    let read = folded::<App>(Format::Yaml, &[low, "pool: {size: 2}"]).await;
    assert!(read.err().unwrap().to_string().contains("name"));
}

/// The names of another crate, as `std::any::type_name` has them.
mod secrecy {
    use serde::Deserialize;

    #[derive(Clone, Deserialize)]
    pub(super) struct SecretBox<T>(pub(super) T);
}

#[tokio::test]
async fn a_type_that_holds_a_secret_is_secret_behind_an_alias() {
    type Password = Option<secrecy::SecretBox<u8>>;
    #[derive(Flux)]
    struct App {
        #[flux(opaque)]
        password: Password,
        by_name: secrecy::SecretBox<u8>,
    }
    assert!(App::fields().iter().all(Field::is_secret));
    let wrong = "password: hunter2222\nby_name: hunter3333";
    let report = folded::<App>(Format::Yaml, &[wrong]).await.err().unwrap();
    assert!(!format!("{report} {report:?}").contains("hunter"));
    let (capacitor, sender) = by_hand::<App>(|builder| builder);
    sender
        .send(&b"{password: 1, by_name: 2}"[..])
        .await
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().by_name.0, 2);
    assert_eq!(capacitor.get().password.as_ref().unwrap().0, 1);
}

#[tokio::test]
async fn a_text_that_is_zeroed_is_secret_without_an_option() {
    #[derive(Flux)]
    struct App {
        password: zeroize::Zeroizing<String>,
        keys: Option<Vec<zeroize::Zeroizing<String>>>,
    }
    assert!(App::fields().iter().all(Field::is_secret));
    let wrong = "password: [hunter2222]\nkeys: {a: hunter3333}";
    let report = folded::<App>(Format::Yaml, &[wrong]).await.err().unwrap();
    assert_eq!(report.problems().len(), 2, "{report}");
    assert!(!format!("{report} {report:?}").contains("hunter"));
    let (capacitor, sender) = by_hand::<App>(|builder| builder);
    let document = &b"{password: hunter2222, keys: [hunter3333]}"[..];
    sender.send(document).await.unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(*capacitor.get().password, "hunter2222");
    assert_eq!(
        capacitor.get().keys.as_ref().unwrap()[0].as_str(),
        "hunter3333"
    );
    let told = capacitor.effective().unwrap().to_string() + &format!("{:?}", capacitor.status());
    assert!(!told.contains("hunter"), "{told}");
    // It can be compared, so what stays the same is no change.
    sender
        .send(&b"{password: hunter2222, keys: [hunter3333], }"[..])
        .await
        .unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.status().generation, 1);
}

/// The level of the log.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
enum Level {
    Info,
    Debug,
}

#[derive(Flux)]
#[flux(source = "env:APP_", validate = fits)]
#[allow(dead_code)]
/// A service.
struct Described {
    /// Where it listens.
    #[flux(default = 8080, range = 1..=65535, max_change = "50%", hot = "current_port")]
    #[serde(alias = "listen")]
    port: u16,
    #[flux(
        length = ..64,
        each(non_empty, one_of = ["a", "b"], message = "a or b"),
        merge = "append",
        default = ["a"]
    )]
    tags: Vec<String>,
    #[flux(secret, env = "TOKEN", immutable)]
    token: String,
    #[flux(restart, default = "90s")]
    wait: Duration,
    level: Level,
    #[flux(nested)]
    pools: BTreeMap<String, Pool>,
}

fn fits(_: &Described) -> Result<(), String> {
    Ok(())
}

#[test]
fn the_schema_contains_what_the_attributes_say() {
    let fields = Described::fields();
    let types = Described::types();
    let at = |name: &str| fields.iter().position(|field| field.is(name)).unwrap();
    let (field, facts) = (|name| &fields[at(name)], |name| &types[at(name)]);
    assert_eq!(types.len(), fields.len());
    assert_eq!(Described::DOCS, "A service.");
    assert_eq!(Described::RULE, Some("fits"));

    let port = field("listen");
    assert_eq!((port.name(), port.docs()), ("port", "Where it listens."));
    assert_eq!(port.type_name(), "u16");
    assert_eq!(port.accessor(), Some("current_port"));
    assert_eq!(port.changes(), [ChangeRule::MaxChange(500_000)]);
    let range = ConstraintKind::Range(Bound::Included("1"), Bound::Included("65535"));
    assert_eq!(port.constraints()[0].kind, range);
    let default = port.default().unwrap();
    assert_eq!((default.text, default.is_literal), ("8080", true));
    assert!(default.file.ends_with("types.rs"));
    let source = include_str!("types.rs").lines();
    let line = 1 + source
        .take_while(|line| !line.contains("default = 8080"))
        .count();
    assert_eq!(default.line as usize, line);
    assert!(!port.is_required());
    let (bits, signed) = (16, false);
    assert_eq!(
        facts("port").value_type,
        ValueType::Integer { bits, signed }
    );

    let tags = field("tags");
    assert_eq!(tags.merge(), Some(MergeRule::Append));
    let length = ConstraintKind::Length(Bound::None, Bound::Excluded("64"));
    assert_eq!(tags.constraints()[0].kind, length);
    let ConstraintKind::Each(rules) = tags.constraints()[1].kind else {
        panic!("{:?}", tags.constraints());
    };
    assert_eq!(rules[0].kind, ConstraintKind::NonEmpty);
    assert_eq!(rules[1].kind, ConstraintKind::OneOf(&["a", "b"]));
    assert_eq!(rules[1].message, Some("a or b"));

    let token = field("token");
    assert!(token.is_secret() && token.is_required());
    assert_eq!(token.variable(), Some("TOKEN"));
    assert_eq!(token.changes(), [ChangeRule::Immutable]);

    let wait = field("wait");
    assert_eq!(facts("wait").value_type, ValueType::Duration);
    assert_eq!(wait.default().unwrap().text, "90s");
    assert_eq!(wait.changes(), [ChangeRule::Restart]);

    assert_eq!(
        facts("level").value_type,
        ValueType::Enum(&["info", "debug"])
    );

    let pools = field("pools");
    assert_eq!(facts("pools").merge, MergeRule::ByKey);
    assert_eq!(facts("pools").fields.unwrap()().len(), 2);
    let inner = pools.kind().table().unwrap();
    assert_eq!(inner[0].argument_segment(), "size");
    assert_eq!(inner[0].variable_segment(), "SIZE");
}
