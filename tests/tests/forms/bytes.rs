//! Numbers of bytes: what they read and how they are refused is on the page of types; here are the sentences.

use crate::support::read;
use flux::{
    Config, Flux, Format,
    schema::{Field, ValueType},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    num::NonZeroU8,
    sync::Arc,
};

type Size = u32;

#[derive(Flux, Debug, Clone, PartialEq)]
struct Limits {
    #[flux(bytes, default = "10MB", range = "1kB"..="1GiB")]
    body: u64,
    #[flux(bytes)]
    small: Option<u8>,
    #[flux(bytes)]
    some: Option<NonZeroU8>,
    #[flux(bytes, default)]
    alias: BTreeMap<String, Size>,
    #[flux(bytes, default)]
    set: HashSet<Size>,
    #[flux(bytes, default = Arc::new(["1kB", "1KiB"]))]
    pair: Arc<[i32; 2]>,
    #[flux(bytes, secret)]
    secret: Option<u16>,
}

async fn refused(document: Value) -> String {
    let report = read::<Limits>(Format::Json, &[document], &[]).await;
    report.unwrap_err()
}

#[tokio::test]
async fn a_size_that_cannot_be_is_refused_in_a_sentence() {
    for (document, sentence) in [
        (
            json!({"small": "1kB"}),
            "small: `1kB` is too large: `u8` holds at most 255 bytes",
        ),
        (
            json!({"small": 256}),
            "small: 256 is too large: `u8` holds at most 255 bytes",
        ),
        (
            json!({"small": -1}),
            "small: -1 is too small: `u8` holds at least 0 bytes",
        ),
        (
            json!({"body": "1.5B"}),
            "body: `1.5B` is no whole number of bytes",
        ),
        (
            json!({"body": "20EiB"}),
            "body: `20EiB` is too large: `u64` holds at most 18446744073709551615 bytes",
        ),
        (
            json!({"body": "10 apples"}),
            "body: `10 apples` is not a size such as `10MB` or `64KiB`",
        ),
        (
            json!({"body": 1.5}),
            "body: expected a size such as `10MB` or `64KiB`, or a number of bytes",
        ),
        (
            json!({"body": "999B"}),
            "body: must be in 1000..=1073741824, found 999",
        ),
        (json!({"some": "0B"}), "some: "),
        (
            json!({"alias": {"a": "5GB"}}),
            "alias.a: `5GB` is too large",
        ),
        (json!({"pair": ["1kB"]}), "pair: "),
    ] {
        let report = refused(document).await;
        assert!(report.contains(sentence), "{sentence}\n{report}");
    }
}

#[tokio::test]
async fn a_secret_size_is_not_shown() {
    let report = refused(json!({"secret": "98765432B"})).await;
    assert!(!report.contains("98765432"), "{report}");
}

#[tokio::test]
async fn variables_and_documents_have_the_same_sizes() {
    let variables = [
        ("APP_BODY", "1.5MiB"),
        ("APP_SET", "1kB, 2kB"),
        ("APP_ALIAS", r#"{"a": "1MB", "b": 5}"#),
    ];
    let limits = read::<Limits>(Format::Json, &[json!({})], &variables)
        .await
        .unwrap();
    let document =
        json!({"body": "1.5MiB", "set": ["1kB", 2000], "alias": {"a": 1_000_000, "b": "5"}});
    assert_eq!(
        limits,
        read::<Limits>(Format::Json, &[document], &[])
            .await
            .unwrap()
    );
    assert_eq!((limits.body, limits.pair[1]), (1_572_864, 1024));
    let report = read::<Limits>(Format::Json, &[json!({})], &[("APP_SMALL", "1kB")]).await;
    let report = report.unwrap_err();
    assert!(
        report.contains("APP_SMALL") && report.contains("at most 255"),
        "{report}"
    );
}

#[test]
fn the_schema_shows_it() {
    let body = &Limits::fields()[0];
    assert!(body.is_byte_size() && Limits::fields().iter().all(Field::is_byte_size));
    assert_eq!(types()[0], ValueType::ByteSize);
    assert_eq!(
        types()[1],
        ValueType::Optional(Box::new(ValueType::ByteSize))
    );
}

fn types() -> Vec<ValueType> {
    let types = Limits::types();
    types.into_iter().map(|facts| facts.value_type).collect()
}

/// Of each integer the largest and the smallest number of bytes, and one beyond.
#[tokio::test]
async fn every_integer_holds_the_sizes_that_fit_it_and_no_other() {
    macro_rules! bounds {
        ($($type:ident: $fits:expr, $beyond:expr;)*) => {$({
            #[derive(Flux, Debug, Clone)]
            struct One {
                #[flux(bytes)]
                size: $type,
            }
            let written = |size: &str| json!({"size": size});
            for fits in [$type::MAX.to_string(), $type::MIN.to_string()] {
                let one = read::<One>(Format::Yaml, &[written(&fits)], &[]).await.unwrap();
                assert_eq!(one.size.to_string(), fits, stringify!($type));
            }
            let (text, bytes): (&str, $type) = $fits;
            for (documents, variables) in [
                (vec![written(text)], vec![]),
                (vec![json!({})], vec![("APP_SIZE", text)]),
            ] {
                let one = read::<One>(Format::Json, &documents, &variables).await.unwrap();
                assert_eq!(one.size, bytes, "{text} {}", stringify!($type));
                let refused = read::<One>(Format::Json, &[written($beyond)], &[]).await;
                let refused = refused.unwrap_err();
                assert!(refused.contains("is too large") || refused.contains("is more than"), "{refused}");
            }
        })*};
    }
    bounds! {
        u8: ("0.25kB", 250), "256";
        i8: ("0.1kB", 100), "128";
        u16: ("65kB", 65_000), "64KiB";
        i16: ("32kB", 32_000), "32KiB";
        u32: ("4GB", 4_000_000_000), "4GiB";
        i32: ("2GB", 2_000_000_000), "2GiB";
        u64: ("15.5EiB", 31 << 59), "16EiB";
        i64: ("7EiB", 7 << 60), "8EiB";
        usize: ("15EiB", 15 << 60), "16EiB";
        isize: ("7EiB", 7 << 60), "8EiB";
        u128: ("16EiB", 1 << 64), "340282366920938463463374607431768211456";
        i128: ("16EiB", 1 << 64), "170141183460469231731687303715884105728";
    }
}
