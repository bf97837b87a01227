//! Each row of `differences.md` is what happens.

use crate::support::{flux, plain};
use flux::{Flux, Format};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

#[derive(Flux, Serialize, Deserialize, Debug, PartialEq)]
#[serde(default)]
struct Sample {
    port: u16,
    name: String,
    wait: Duration,
    #[flux(nested)]
    limits: Limits,
    labels: BTreeMap<String, String>,
    rgb: [u8; 3],
    ratio: f32,
    value: Value,
}

#[derive(Flux, Serialize, Deserialize, Debug, PartialEq, Default)]
struct Limits {
    #[serde(default)]
    max: u32,
    #[serde(default)]
    min: u32,
}

impl Default for Sample {
    fn default() -> Self {
        Sample {
            port: 1,
            name: "n".to_owned(),
            wait: Duration::ZERO,
            limits: Limits::default(),
            labels: BTreeMap::new(),
            rgb: [0; 3],
            ratio: 1.0,
            value: Value::Null,
        }
    }
}

/// A catch-all before the section that takes some of its keys.
#[derive(Flux, Serialize, Deserialize, Debug, PartialEq)]
struct RestFirst {
    #[serde(flatten)]
    rest: BTreeMap<String, u32>,
    #[flux(nested)]
    #[serde(flatten)]
    limits: Limits,
}

/// All of it, with the map under its name.
fn shown(sample: &RestFirst) -> String {
    let Limits { max, min } = &sample.limits;
    serde_json::json!({ "max": max, "min": min, "rest": sample.rest }).to_string()
}

/// What differs from the defaults.
fn changed(sample: &Sample) -> String {
    let default = serde_json::to_value(Sample::default()).unwrap();
    let Ok(Value::Object(mut all)) = serde_json::to_value(sample) else {
        panic!("{sample:?}");
    };
    all.retain(|key, value| default[key.as_str()] != *value);
    Value::Object(all).to_string()
}

fn check(who: &str, document: &str, expected: &str, outcome: Result<String, String>) {
    let code = expected
        .split('`')
        .nth(1)
        .unwrap_or_else(|| panic!("{expected}"));
    match (expected.strip_prefix("refused: "), outcome) {
        (None, Ok(read)) => assert_eq!(read, code, "{who}: {document}"),
        (Some(_), Err(error)) => assert!(error.contains(code), "{who}: {document}: {error}"),
        (_, outcome) => panic!("{who}: {document}: {expected} was expected, not {outcome:?}"),
    }
}

#[tokio::test]
async fn each_difference_from_serde_is_the_one_in_the_table() {
    let (mut rows, mut is_rest) = (0, false);
    for line in include_str!("differences.md").lines() {
        is_rest |= line.contains("`RestFirst`");
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [document, format, serde, expected, _] = cells[..] else {
            continue;
        };
        let Some(document) = document
            .strip_prefix('`')
            .and_then(|text| text.strip_suffix('`'))
        else {
            continue;
        };
        let format = match format {
            "JSON" => Format::Json,
            "YAML" => Format::Yaml,
            "TOML" => Format::Toml,
            other => panic!("{other}"),
        };
        let alone = match is_rest {
            true => plain::<RestFirst>(format, document).map(|sample| shown(&sample)),
            false => plain::<Sample>(format, document).map(|sample| changed(&sample)),
        };
        check("serde alone", document, serde, alone);
        let read = match is_rest {
            true => {
                let read = flux::<RestFirst>(format, document, &[]).await;
                read.map(|sample| shown(&sample))
            }
            false => {
                let read = flux::<Sample>(format, document, &[]).await;
                read.map(|sample| changed(&sample))
            }
        };
        check(
            "Flux",
            document,
            expected,
            read.map_err(|error| error.to_string()),
        );
        rows += 1;
    }
    assert!(rows >= 10 && is_rest, "{rows} rows");
}
