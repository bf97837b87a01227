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
async fn a_key_that_no_field_has_is_reported_in_a_variable_as_in_a_document() {
    for (variable, text, path) in [
        ("APP_PARTS", "{a={mxa=1}}", "parts.a.mxa"),
        ("APP_PARTS", r#"{"a": {"mxa": 1}}"#, "parts.a.mxa"),
        ("APP_PARTS_A", "{mxa=1,max=2}", "parts.a.mxa"),
        ("APP_LIST", "[{max=1},{mxa=2}]", "list[1].mxa"),
        ("APP_LIST_0", "{mxa=2}", "list[0].mxa"),
        ("APP_LISTS", "a=[{mxa=2}]", "lists.a[0].mxa"),
        ("APP_LISTS_A", r#"[{"mxa": null}]"#, "lists.a[0].mxa"),
        ("APP_MAPS_0", "{b={mxa=2}}", "maps[0].b.mxa"),
    ] {
        let expected = places_of(&[(path, variable)]);
        let variables = [(variable, text)];
        for (unknown, is_refused) in [(Unknown::Warn, false), (Unknown::Deny, true)] {
            let (capacitor, _, outcome) = over::<App>(Format::Json, &[], &variables, unknown).await;
            assert_eq!(places(&capacitor), expected, "{variable}={text}");
            assert_eq!(outcome.is_err(), is_refused, "{variable}={text}");
        }
        assert!(told::<App>(&variables, Unknown::Ignore).await.is_empty());
    }
    // What a map of values has is no field.
    let fine = [("APP_PARTS", "{a={labels={mxa=1},names=[mxa]}}")];
    assert!(told::<App>(&fine, Unknown::Deny).await.is_empty());
}

#[tokio::test]
async fn a_strict_section_refuses_an_unknown_key_in_a_variable_whatever_is_unknown_elsewhere() {
    for unknown in [Unknown::Warn, Unknown::Ignore, Unknown::Deny] {
        let variables = [("APP_STRICT_A", "{mxa=1}")];
        let (_, _, outcome) = over::<App>(Format::Json, &[], &variables, unknown).await;
        let report = outcome.expect_err("a strict section");
        assert!(report.contains("strict.a.mxa: unknown key"), "{report}");
    }
}

#[tokio::test]
async fn a_gap_in_a_list_is_one_problem_of_the_variable_behind_it() {
    for (field, stem) in [
        ("names", "APP_NAMES"),
        ("numbers", "APP_NUMBERS"),
        ("three", "APP_THREE"),
        ("parts.a.names", "APP_PARTS_A_NAMES"),
        ("list[0].names", "APP_LIST_0_NAMES"),
    ] {
        for before in 0..3 {
            for gap in 1..3 {
                let items: Vec<usize> = (0..before).chain([before + gap, before + 7]).collect();
                let names: Vec<_> = items.iter().map(|item| format!("{stem}_{item}")).collect();
                let variables: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
                let path = format!("{field}[{}]", before + gap);
                let expected = places_of(&[(&path, &format!("{stem}_{}", before + gap))]);
                let told = told::<App>(&variables, Unknown::Warn).await;
                assert_eq!(told, expected, "{variables:?}");
            }
        }
    }
    // What is before the gap is read all the same.
    let both = [("APP_NUMBERS_0", "x"), ("APP_NUMBERS_2", "1")];
    let expected = places_of(&[
        ("numbers[2]", "APP_NUMBERS_2"),
        ("numbers[0]", "APP_NUMBERS_0"),
    ]);
    assert_eq!(told::<App>(&both, Unknown::Warn).await, expected);
}

#[tokio::test]
async fn where_the_text_of_the_whole_cannot_be_read_no_entry_is_accused() {
    for (whole, text, entry, value, path) in [
        ("APP_FLAGS", "x", "APP_FLAGS_A", "true", "flags"),
        ("APP_NAMES", "[x", "APP_NAMES_0", "a", "names"),
        ("APP_FLAGS", "[1]", "APP_FLAGS_A", "true", "flags"),
        ("APP_NAMES", "{}", "APP_NAMES_0", "a", "names"),
        ("APP_PARTS", "x", "APP_PARTS_A_MAX", "1", "parts"),
        ("APP_PARTS_A", "{max", "APP_PARTS_A_MAX", "1", "parts.a"),
        ("APP_LIST", "{", "APP_LIST_0_MAX", "1", "list"),
        ("APP_LIST", "x", "APP_LIST_0_MAX", "1", "list[0]"),
    ] {
        let variables = [(whole, text), (entry, value)];
        let expected = places_of(&[(path, whole)]);
        assert_eq!(
            told::<App>(&variables, Unknown::Warn).await,
            expected,
            "{whole}={text}"
        );
    }
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
