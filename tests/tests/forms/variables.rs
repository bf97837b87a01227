//! What is wrong in variables: every mistake is one problem, of the variable that contains it.

use crate::support::over;
use flux::{Capacitor, Config, Flux, Format, Unknown};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, net::IpAddr};

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
enum Word {
    One,
    TwoWords,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Part {
    #[flux(default = 0)]
    max: u32,
    #[flux(default)]
    names: Vec<String>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Flux, Debug, Clone, PartialEq)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[flux(default = 0)]
    max: u32,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct App {
    #[flux(nested, default)]
    parts: BTreeMap<String, Part>,
    #[flux(nested, default)]
    list: Vec<Part>,
    #[flux(nested, default)]
    lists: BTreeMap<String, Vec<Part>>,
    #[flux(nested, default)]
    maps: Vec<BTreeMap<String, Part>>,
    #[flux(nested, default)]
    strict: BTreeMap<String, Strict>,
    #[flux(default)]
    names: Vec<String>,
    #[flux(default)]
    numbers: Vec<u8>,
    #[flux(default)]
    three: Option<[u8; 3]>,
    #[flux(default)]
    flags: BTreeMap<String, bool>,
    #[flux(default)]
    ports: BTreeMap<u16, u8>,
    #[flux(default)]
    words: BTreeMap<Word, u8>,
    #[flux(default)]
    addresses: BTreeMap<IpAddr, u8>,
    #[flux(default)]
    switches: BTreeMap<bool, u8>,
    #[flux(default)]
    any: Option<Value>,
    #[flux(default)]
    anything: BTreeMap<String, Value>,
}

/// The problems or warnings, each as its path and its variable.
async fn told<C: Config>(variables: &[(&str, &str)], unknown: Unknown) -> Vec<(String, String)> {
    let (capacitor, _senders, _) = over::<C>(Format::Json, &[], variables, unknown).await;
    places(&capacitor)
}

fn places<C: Config>(capacitor: &Capacitor<C>) -> Vec<(String, String)> {
    let report = capacitor.last_error();
    let refused = report.iter().flat_map(|report| report.problems());
    let warnings = capacitor.status().warnings.clone();
    let place = |problem: &flux::report::Problem| {
        let variable = problem.variable.clone().unwrap_or_default();
        (problem.path.to_string(), variable)
    };
    refused.chain(&warnings).map(place).collect()
}

fn places_of(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(path, variable): &(&str, &str)| ((*path).to_owned(), (*variable).to_owned());
    all.iter().map(owned).collect()
}

#[tokio::test]
async fn a_wrong_key_is_a_problem_of_its_entry() {
    for (stem, good, bad, path) in [
        ("APP_PORTS", "80", "X", "ports.x"),
        ("APP_PORTS", "80", "70000", "ports.70000"),
        ("APP_WORDS", "ONE", "TWO", "words.two"),
        ("APP_ADDRESSES", "::1", "::X", "addresses.\"::x\""),
        ("APP_SWITCHES", "TRUE", "MAYBE", "switches.maybe"),
    ] {
        let (good, bad) = (format!("{stem}_{good}"), format!("{stem}_{bad}"));
        let variables = [(good.as_str(), "1"), (bad.as_str(), "1")];
        let expected = places_of(&[(path, &bad)]);
        assert_eq!(
            told::<App>(&variables, Unknown::Warn).await,
            expected,
            "{bad}"
        );
        let key = bad
            .trim_start_matches(stem)
            .trim_start_matches('_')
            .to_lowercase();
        let whole = format!("{key}=1");
        let expected = places_of(&[(path, stem)]);
        assert_eq!(
            told::<App>(&[(stem, &whole)], Unknown::Warn).await,
            expected,
            "{stem}={whole}"
        );
    }
}

#[tokio::test]
async fn what_takes_anything_refuses_a_key_that_is_in_a_variable_twice() {
    for (variable, text, path) in [
        ("APP_ANY", "{a=1,a=2}", "any.a"),
        ("APP_ANY", r#"{"a": 1, "a": 2}"#, "any.a"),
        (
            "APP_ANY",
            r#"[{"x": {"a": 1, "b": 3, "a": 1}}]"#,
            "any[0].x.a",
        ),
        ("APP_ANY", "{x={a=1,a=2}}", "any.x.a"),
        ("APP_ANYTHING", "{x={a=1,a=2}}", "anything.x.a"),
        ("APP_ANYTHING", r#"{"x": {"a": 1, "a": 2}}"#, "anything.x.a"),
        ("APP_ANYTHING_X", "{a=1,a=2}", "anything.x.a"),
    ] {
        let told = told::<App>(&[(variable, text)], Unknown::Warn).await;
        assert_eq!(told, places_of(&[(path, variable)]), "{variable}={text}");
    }
}
