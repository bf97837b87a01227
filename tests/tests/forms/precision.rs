//! `serde_json/arbitrary_precision`, which any crate of the program can turn on for all of them. A step of `tests/run` turns it on.

use crate::support::read_text;
use flux::{Flux, Format};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Flux, Debug, Clone, PartialEq)]
struct Numbers {
    #[flux(default = 1, range = 1..=9)]
    port: u16,
    small: u8,
    float: f64,
    #[flux(range = -1.5..=1e300)]
    ruled: f64,
    any: Value,
    list: Vec<f64>,
    maybe: Option<i64>,
    big: u128,
    map: BTreeMap<String, i32>,
}

const DOCUMENT: &str = r#"{"small": 5, "float": 1.50, "ruled": 1e3, "any": [1, 2.5, {"a": -3}], "list": [1, 2.0, 3e2],
    "maybe": -9007199254740993, "big": 340282366920938463463374607431768211455, "map": {"a": -1}}"#;

#[tokio::test]
async fn numbers_are_read_alike_whatever_feature_of_serde_json_another_crate_asks_for() {
    for format in [Format::Json, Format::Jsonc, Format::Json5] {
        let read = read_text::<Numbers>(format, DOCUMENT).await.unwrap();
        assert_eq!((read.small, read.float, read.ruled), (5, 1.5, 1000.0));
        assert_eq!(read.any.to_string(), r#"[1,2.5,{"a":-3}]"#);
        assert_eq!(read.list, [1.0, 2.0, 300.0]);
        assert_eq!(
            (read.maybe, read.big),
            (Some(-9_007_199_254_740_993), u128::MAX)
        );
        assert_eq!(read.map["a"], -1);
        // What is good is not accused beside what is bad.
        let bad = DOCUMENT.replacen('{', "{\"port\": \"x\", ", 1);
        let error = read_text::<Numbers>(format, &bad).await.unwrap_err();
        assert!(error.contains("refused: 1 problem;"), "{error}");
        assert!(error.contains("port: expected u16"), "{error}");
        // What is bad is described as what it is.
        let bad = DOCUMENT
            .replacen("1e3", "-2.5", 1)
            .replacen("5,", "300,", 1);
        let error = read_text::<Numbers>(format, &bad).await.unwrap_err();
        for part in [
            "ruled: must be in -1.5..=1e300",
            "small: expected u8, found integer `300`",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
