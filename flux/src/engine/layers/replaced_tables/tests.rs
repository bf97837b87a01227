//! Values that replace others as a whole, by documents and variables.

use crate::{
    Capacitor, Format, Source, Status,
    codec::{Codec, Tree},
    report::ProblemKind,
    source::Channel,
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// What a program has that was written for another library: no section, since it derives `Deserialize` alone.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
struct PoolOfValues {
    min: u32,
    max: u32,
    tags: Vec<String>,
    inner: BTreeMap<String, u32>,
}

impl Default for PoolOfValues {
    fn default() -> Self {
        PoolOfValues {
            min: 0,
            max: 5,
            tags: Vec::new(),
            inner: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum TaggedStore {
    #[default]
    Memory,
    S3 {
        bucket: String,
        region: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoreByName {
    #[default]
    Memory,
    S3 {
        bucket: String,
        region: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WordAlone {
    #[default]
    Low,
    High,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
struct NewtypeOfMap(BTreeMap<String, u8>);

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(transparent)]
struct TransparentMap {
    entries: BTreeMap<String, u8>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(from = "BTreeMap<String, u8>")]
struct FromMap(BTreeMap<String, u8>);

impl From<BTreeMap<String, u8>> for FromMap {
    fn from(map: BTreeMap<String, u8>) -> Self {
        FromMap(map)
    }
}

#[derive(Debug, Clone, flux_derive::Flux)]
#[flux(crate = crate)]
struct WithValues {
    #[flux(default)]
    pool: PoolOfValues,
    #[flux(default)]
    maybe: Option<PoolOfValues>,
    #[flux(default)]
    pools: BTreeMap<String, PoolOfValues>,
    #[flux(default)]
    #[serde(alias = "storage")]
    store: TaggedStore,
    #[flux(default)]
    by_name: StoreByName,
    #[flux(default)]
    level: WordAlone,
    #[flux(default, merge = "replace")]
    meant: PoolOfValues,
    #[flux(default, opaque)]
    #[allow(dead_code, reason = "no test reads it")]
    opaque: PoolOfValues,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    newtype: NewtypeOfMap,
    #[flux(default)]
    transparent: Option<TransparentMap>,
    #[flux(default)]
    from_map: FromMap,
    #[flux(default)]
    maps: BTreeMap<String, TransparentMap>,
    #[flux(default)]
    pools_in_maps: BTreeMap<String, BTreeMap<String, PoolOfValues>>,
    #[flux(default)]
    object: serde_json::Map<String, serde_json::Value>,
    #[flux(default)]
    any: serde_json::Value,
    #[flux(nested)]
    section: SectionWithValue,
    #[flux(nested, default)]
    sections: BTreeMap<String, SectionWithValue>,
}

#[derive(Debug, Clone, flux_derive::Flux)]
#[flux(crate = crate)]
struct SectionWithValue {
    #[flux(default)]
    pool: PoolOfValues,
    #[flux(default)]
    port: u16,
}

/// The warnings of two documents, and of variables above them.
async fn warned(below: &str, above: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let status = started(below, above, variables).await;
    let warnings = status.warnings.iter();
    let replaced = warnings.filter(|one| one.kind == ProblemKind::Replaced);
    replaced.map(ToString::to_string).collect()
}

async fn started(below: &str, above: &str, variables: &[(&str, &str)]) -> Arc<Status> {
    let (first, base) = Channel::buffered("base", 4);
    let (second, local) = Channel::buffered("local", 4);
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let capacitor = Capacitor::<WithValues>::builder()
        .source(Source::watcher(base).format(Format::Yaml))
        .source(Source::watcher(local).format(Format::Yaml))
        .source(Source::env("APP_").variables(variables))
        .build()
        .unwrap();
    first.send(below.as_bytes().to_vec()).await.unwrap();
    second.send(above.as_bytes().to_vec()).await.unwrap();
    capacitor.start().await.unwrap();
    capacitor.status()
}

#[tokio::test]
async fn a_value_that_takes_keys_of_a_layer_below_away_is_warned_of() {
    for (below, above, path, keys) in [
        (
            "pool: {min: 1, max: 50, tags: [a]}",
            "pool: {min: 3}",
            "pool",
            "`max`, `tags` there have",
        ),
        (
            "pool: {min: 1, max: 50}",
            "pool: {}",
            "pool",
            "`min`, `max` there have",
        ),
        (
            "maybe: {min: 1, max: 50}",
            "maybe: {min: 3}",
            "maybe",
            "`max` there has",
        ),
        (
            "pools: {a: {min: 1, max: 50}}",
            "pools: {a: {min: 3}}",
            "pools.a",
            "`max` there has",
        ),
        (
            "pool: {min: 1, inner: {a: 1, b: 2}}",
            "pool: {min: 3, inner: {a: 1}}",
            "pool",
            "`inner.b` there has",
        ),
        (
            "store: {kind: s3, bucket: b, region: eu-1}",
            "storage: {kind: s3, bucket: other}",
            "store",
            "`region` there has",
        ),
        (
            "by_name: {s3: {bucket: b, region: eu-1}}",
            "by_name: {s3: {bucket: other}}",
            "by_name",
            "`s3.region` there has",
        ),
        (
            "newtype: {a: 1, b: 2}",
            "newtype: {b: 3}",
            "newtype",
            "`a` there has",
        ),
        (
            "transparent: {a: 1}",
            "transparent: {b: 2}",
            "transparent",
            "`a` there has",
        ),
        (
            "from_map: {a: 1}",
            "from_map: {b: 2}",
            "from_map",
            "`a` there has",
        ),
        (
            "maps: {k: {a: 1}}",
            "maps: {k: {b: 2}}",
            "maps.k",
            "`a` there has",
        ),
        (
            "pools_in_maps: {k: {a: {min: 1}}}",
            "pools_in_maps: {k: {b: {min: 1}}}",
            "pools_in_maps.k",
            "`a` there has",
        ),
        (
            "section: {pool: {max: 1}}",
            "section: {pool: {min: 1}}",
            "section.pool",
            "`max` there has",
        ),
        (
            "sections: {a: {pool: {max: 1}}}",
            "sections: {a: {pool: {min: 1}}}",
            "sections.a.pool",
            "`max` there has",
        ),
    ] {
        let warnings = warned(below, above, &[]).await;
        let [one] = &*warnings else {
            panic!("{above}: {warnings:?}");
        };
        let sentence =
            format!("{path}: replaces the whole value in base, line 1, so that {keys} no effect");
        assert!(one.contains(&sentence), "{one}");
        assert!(one.contains("local:1:"), "{one}");
        assert!(
            one.contains("If it is meant, mark the field `merge = "),
            "{one}"
        );
    }
}

#[tokio::test]
async fn a_variable_that_takes_keys_away_is_named() {
    let below = "pool: {min: 1, max: 50}";
    let warnings = warned(below, "{}", &[("APP_POOL", "{max=7}")]).await;
    let [one] = &*warnings else {
        panic!("{warnings:?}");
    };
    assert!(one.contains("`min` there has no effect"), "{one}");
    assert!(one.contains("APP_POOL"), "{one}");
}

#[tokio::test]
async fn an_argument_that_sets_a_part_of_a_value_alone_is_named() {
    for (below, argument, path) in [
        ("pool: {min: 1, max: 50}", "pool.max=9", "pool"),
        ("transparent: {min: 1}", "transparent.max=9", "transparent"),
        ("from_map: {min: 1}", "from_map.max=9", "from_map"),
        ("any: {min: 1, max: 50}", "any.max=9", "any"),
    ] {
        let (sender, base) = Channel::buffered("base", 1);
        sender.send(below.as_bytes().to_vec()).await.unwrap();
        let capacitor = Capacitor::<WithValues>::builder()
            .manual()
            .source(Source::watcher(base).format(Format::Yaml))
            .override_with(Source::args())
            .arguments(["--set", argument])
            .build()
            .unwrap();
        capacitor.start().await.unwrap();
        let warnings = &capacitor.status().warnings;
        let [one] = &**warnings else {
            panic!("{argument}: {warnings:?}");
        };
        let one = one.to_string();
        let sentence = format!("{path}: replaces the whole value in base, line 1, so that `min`");
        assert!(one.contains(&sentence), "{one}");
        assert!(one.contains("--set"), "{one}");
    }
}

#[tokio::test]
async fn what_loses_nothing_or_is_meant_is_not_warned_of() {
    for (below, above) in [
        ("pool: {min: 1}", "pool: {min: 3, max: 4}"),
        ("maybe: {min: 1, max: 2}", "maybe: null"),
        ("pool: {min: 1, unknown: 2}", "pool: {min: 2}"),
        ("pool: {min: 1}", "section: {port: 1}"),
        ("meant: {min: 1, max: 2}", "meant: {min: 2}"),
        ("opaque: {min: 1, max: 2}", "opaque: {min: 2}"),
        ("labels: {a: b, c: d}", "labels: {a: c}"),
        ("transparent: {a: 1}", "transparent: {a: 2, b: 1}"),
        ("maps: {a: {a: 1}}", "maps: {b: {a: 1}}"),
        ("object: {a: 1}", "object: {b: 1}"),
        ("pools: {a: {min: 1}}", "pools: {b: {max: 1}}"),
        (
            "store: {kind: s3, bucket: b, region: eu}",
            "store: {kind: memory}",
        ),
        ("by_name: {s3: {bucket: b, region: eu}}", "by_name: memory"),
        ("level: low", "level: high"),
    ] {
        let warnings = warned(below, above, &[]).await;
        assert!(warnings.is_empty(), "{above}: {warnings:?}");
    }
}

#[tokio::test]
async fn the_warning_goes_when_the_keys_are_set() {
    let (first, base) = Channel::buffered("base", 4);
    let (second, local) = Channel::buffered("local", 4);
    let capacitor = Capacitor::<WithValues>::builder()
        .source(Source::watcher(base).format(Format::Yaml))
        .source(Source::watcher(local).format(Format::Yaml))
        .build()
        .unwrap();
    first
        .send(b"pool: {min: 1, max: 50}".to_vec())
        .await
        .unwrap();
    second.send(b"pool: {min: 3}".to_vec()).await.unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.status().warnings.len(), 1);
    second
        .send(b"pool: {min: 3, max: 50}".to_vec())
        .await
        .unwrap();
    while capacitor.status().generation < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(capacitor.status().warnings.is_empty());
}

/// Two JSON documents with so many values, of which the one above takes a key away.
fn many(values: usize) -> (String, String) {
    let all = |text: &str| {
        let one = |i| format!("\"p{i}\": {text}");
        let all: Vec<String> = (0..values).map(one).collect();
        format!("{{\"pools\": {{{}}}}}", all.join(", "))
    };
    (all("{\"min\": 1, \"max\": 50}"), all("{\"min\": 3}"))
}

#[tokio::test]
async fn what_is_beyond_the_bound_is_counted() {
    let (below, above) = many(620);
    let status = started(&below, &above, &[]).await;
    let (last, named) = status.warnings.split_last().unwrap();
    assert_eq!(named.len(), 500);
    assert!(named.iter().all(|one| one.message.contains("`max`")));
    assert_eq!(last.kind, ProblemKind::More);
    assert!(last.to_string().contains("120 more"), "{last}");
}

/// A codec of a document that never changes; it counts how often it is read.
struct CountedCodec(Arc<AtomicUsize>);

impl Codec for CountedCodec {
    fn name(&self) -> &str {
        "counted"
    }
    fn decode(&self, _: &str) -> Result<Tree, String> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let map = |key: &str, value| Tree::Map(vec![(key.to_owned(), value)]);
        Ok(map("pools", map("p0", map("max", Tree::U64(50)))))
    }
}

/// How often the layer below is read while the one above changes; the warnings at the end.
async fn reads(above: &[String]) -> (usize, usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let (first, base) = Channel::buffered("base", 4);
    let (second, local) = Channel::buffered("local", 4);
    let capacitor = Capacitor::<WithValues>::builder()
        .source(Source::watcher(base).codec(CountedCodec(Arc::clone(&count))))
        .source(Source::watcher(local).format(Format::Json))
        .manual()
        .build()
        .unwrap();
    first.send(b"pools".to_vec()).await.unwrap();
    second.send(above[0].clone().into_bytes()).await.unwrap();
    capacitor.start().await.unwrap();
    let before = count.load(Ordering::SeqCst);
    for above in &above[1..] {
        second.send(above.clone().into_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
    }
    let read = count.load(Ordering::SeqCst) - before;
    (read, capacitor.status().warnings.len())
}

#[tokio::test]
async fn a_document_that_does_not_change_is_not_read_again_for_what_replaces_it() {
    let with = |text: &str| -> Vec<String> {
        let one = |min: u32| text.replace("MIN", &min.to_string());
        (1..9).map(one).collect()
    };
    let (others, none) = reads(&with("{\"section\": {\"port\": MIN}}")).await;
    let (replacing, one) = reads(&with("{\"pools\": {\"p0\": {\"min\": MIN}}}")).await;
    assert_eq!((none, one), (0, 1));
    assert_eq!(replacing, others);
}
