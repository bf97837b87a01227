//! Null: what it withholds from a report in a type with secrets, and what a newtype makes of it.

use crate::support::{read, read_text};
use flux::{Flux, Format};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

#[derive(Flux, Debug, Clone)]
struct App {
    #[flux(secret)]
    password: Option<String>,
    #[flux(default)]
    labels: BTreeMap<String, Option<u8>>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Tenant>,
    #[flux(default)]
    wait: Duration,
}

#[derive(Flux, Debug, Clone)]
struct Tenant {
    #[flux(secret)]
    key: Option<String>,
}

/// The keys are words of the reason.
#[tokio::test]
async fn a_written_null_withholds_nothing_beside_it() {
    let reason = "wait: expected a duration such as `30s` or `1h30m`, found ";
    for (format, document, line) in [
        (
            Format::Yaml,
            "labels: {such: null}\nwait: such",
            "2 | wait: such",
        ),
        (
            Format::Yaml,
            "labels:\n  such: ~\n  duration:\nwait: a duration",
            "4 | wait: a duration",
        ),
        (
            Format::Yaml,
            "tenants:\n  such: null\n  expected:\nwait: such",
            "4 | wait: such",
        ),
        (
            Format::Yaml,
            "tenants: {a: {such: null}}\nwait: such",
            "2 | wait: such",
        ),
        (
            Format::Yaml,
            "such: null\nduration: ~\nexpected:\nwait: such",
            "4 | wait: such",
        ),
        (
            Format::Json,
            "{\"such\": null, \"labels\": {\"duration\": null},\n\"wait\": \"such\"}",
            "2 | \"wait\": \"such\"}",
        ),
    ] {
        let report = read_text::<App>(format, document).await.unwrap_err();
        assert!(
            report.contains(reason) && report.contains(line),
            "{document}\n{report}"
        );
    }
}

#[tokio::test]
async fn a_key_alone_may_be_a_secret_wherever_it_is() {
    for document in [
        "{password:hunter2, wait: hunter2}",
        "{password:hunter2,\nwait: 5}",
        "{hunter2, wait: hunter2}",
        "{? hunter2, wait: hunter2}",
        "{\"hunter2\", wait: hunter2}",
        "password: {hunter2}\nwait: hunter2",
        "labels: {hunter2}\nwait: hunter2",
        "labels: {password:hunter2}\nwait: hunter2",
        "tenants: {hunter2}\nwait: hunter2",
        "tenants: {a: {key:hunter2}}\nwait: hunter2",
    ] {
        let report = read_text::<App>(Format::Yaml, document).await.unwrap_err();
        assert!(!report.contains("hunter"), "{document}\n{report}");
    }
}

#[tokio::test]
async fn a_secret_behind_a_forgotten_colon_is_in_no_path() {
    for document in [
        "password 'hunter2: rest'\nwait: x",
        "password \"hunter2: rest\nwait: x",
        "password=hunter2: rest\nwait: x",
        "password:hunter2: rest\nwait: x",
        "passwrod hunter2: {a: 1}\nwait: x",
        "hunter2 and: more\nwait: x",
        "tenants:\n  key 'hunter2: rest'\nwait: 5s",
        "tenants:\n  a:\n    key 'hunter2: rest'\nwait: x",
        "tenants: {a: {key hunter2: ~}}\nwait: x",
        "? [hunter2, a]\n: 1\nwait: x",
    ] {
        let report = read_text::<App>(Format::Yaml, document).await.unwrap_err();
        assert!(!report.contains("hunter"), "{document}\n{report}");
    }
    for document in [
        r#"{"password 'hunter2": "rest", "wait": "x"}"#,
        r#"{"tenants": {"key 'hunter2": "rest"}, "wait": "x"}"#,
        r#"{"tenants": {"a": {"key: hunter2": "rest"}}, "wait": "x"}"#,
    ] {
        let report = read_text::<App>(Format::Json, document).await.unwrap_err();
        assert!(!report.contains("hunter"), "{document}\n{report}");
    }
}

#[tokio::test]
async fn a_secret_that_is_an_anchor_is_in_no_snippet() {
    for document in [
        "wait: x\npassword: &hunter2",
        "password: &hunter2\nwait: x\n",
        "password: &hunter2 # none\nwait: x\n",
        "password:\n  &hunter2\nwait: x",
        "{password: &hunter2 , wait: x}",
        "tenants: {a: {key: &hunter2 }}\nwait: x",
        "password: [&hunter2 a]\nwait: x",
        "passwrod: &hunter2\nwait: x",
        "password: !hunter2\nwait: x",
        "password: [1]\ntenants: {a: {key: &hunter2 }}",
    ] {
        let report = read_text::<App>(Format::Yaml, document).await.unwrap_err();
        assert!(!report.contains("hunter"), "{document}\n{report}");
    }
}

#[tokio::test]
async fn a_name_with_a_blank_is_shown_where_people_choose_names() {
    let document = "tenants:\n  Acme Inc:\n    key: [1]\nwait: 5s";
    let report = read_text::<App>(Format::Yaml, document).await.unwrap_err();
    assert!(report.contains("tenants.Acme Inc.key"), "{report}");
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct NewAny(Value);

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct NewMaybe(Option<u8>);

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct NewBoxed(Box<NewMaybe>);

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct NewList(Vec<u8>);

#[derive(Flux, Deserialize, Debug, Clone, PartialEq)]
struct Newtypes {
    any: NewAny,
    maybe: NewMaybe,
    boxed: NewBoxed,
    list: Vec<NewAny>,
    map: BTreeMap<String, NewMaybe>,
    #[serde(flatten)]
    rest: BTreeMap<String, NewAny>,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct NoNull {
    list: NewList,
}

#[tokio::test]
async fn null_in_a_newtype_is_what_the_type_inside_makes_of_it() {
    let document = json!({
        "any": null, "maybe": null, "boxed": null, "list": [null, 1], "map": {"a": null, "b": 2}, "other": null,
    });
    let alone: Newtypes = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(alone.maybe, NewMaybe(None));
    for format in [Format::Json, Format::Jsonc, Format::Json5, Format::Yaml] {
        let read = read::<Newtypes>(format, std::slice::from_ref(&document), &[]).await;
        assert_eq!(read.as_ref(), Ok(&alone), "{format}");
        let refused = read_text::<NoNull>(format, "{\"list\": null}").await;
        let error = refused.expect_err("null is no list");
        assert!(
            error.contains("list: expected") && error.contains("found null"),
            "{error}"
        );
    }
}
