//! Values that replace others as a whole, by documents and variables.

use crate::{Capacitor, Format, Source, report::ProblemKind, source::Channel};
use serde::Deserialize;
use std::collections::BTreeMap;

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
    let status = capacitor.status();
    let warnings = status.warnings.iter();
    let replaced = warnings.filter(|one| one.kind == ProblemKind::Replaced);
    replaced.map(ToString::to_string).collect()
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
async fn what_loses_nothing_or_is_meant_is_not_warned_of() {
    for (below, above) in [
        ("pool: {min: 1}", "pool: {min: 3, max: 4}"),
        ("maybe: {min: 1, max: 2}", "maybe: null"),
        ("pool: {min: 1, unknown: 2}", "pool: {min: 2}"),
        ("pool: {min: 1}", "section: {port: 1}"),
        ("meant: {min: 1, max: 2}", "meant: {min: 2}"),
        ("opaque: {min: 1, max: 2}", "opaque: {min: 2}"),
        ("labels: {a: b, c: d}", "labels: {a: c}"),
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
