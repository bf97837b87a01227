//! Null entries in a type with secrets: what they withhold from a report, and what not.

use crate::support::read_text;
use flux::{Flux, Format};
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
