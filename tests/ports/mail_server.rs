//! A mail server: identifiers, dates and times of day, tables whose keys are words of an enum, passwords that are never printed.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use chrono::{DateTime, FixedOffset, NaiveTime, Utc};
use flux::{Flux, Format};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};
use uuid::Uuid;

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    instance_id: Uuid,
    #[flux(nested)]
    #[serde(default)]
    accounts: BTreeMap<String, Account>,
    #[flux(nested)]
    schedule: Schedule,
    #[serde(default)]
    limits: HashMap<Protocol, u32>,
    #[serde(default)]
    rules: VecDeque<Rule>,
    #[serde(default)]
    tenants: BTreeMap<Uuid, Arc<str>>,
}

#[derive(Flux, Deserialize, Debug)]
struct Account {
    #[serde(deserialize_with = "address")]
    address: String,
    #[flux(secret, opaque)]
    #[serde(alias = "pass", alias = "passwd")]
    password: SecretString,
    #[serde(default)]
    created: Option<DateTime<Utc>>,
    #[serde(default)]
    quota: Quota,
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        (
            &self.address,
            self.password.expose_secret(),
            self.created,
            &self.quota,
        ) == (
            &other.address,
            other.password.expose_secret(),
            other.created,
            &other.quota,
        )
    }
}

/// In lower case, with an `@`.
fn address<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    match text.contains('@') {
        true => Ok(text.to_lowercase()),
        false => Err(serde::de::Error::custom(format!("`{text}` is no address"))),
    }
}

#[derive(Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(untagged)]
enum Quota {
    Bytes(u64),
    Percent {
        percent: f64,
        of: Arc<str>,
    },
    #[default]
    Unlimited,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Schedule {
    #[serde(default)]
    since: Option<DateTime<FixedOffset>>,
    windows: Vec<(NaiveTime, NaiveTime)>,
    #[serde(default, with = "chrono::serde::ts_seconds_option")]
    next: Option<DateTime<Utc>>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[serde(rename_all = "UPPERCASE")]
enum Protocol {
    Smtp,
    Imap,
    #[serde(alias = "POP")]
    Pop3,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "if", content = "then", rename_all = "lowercase")]
enum Rule {
    Spam(Action),
    From { domain: String, action: Action },
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Action {
    Reject,
    Accept,
}

const DOCUMENT: Document<'static> = Document(
    Format::Json,
    r#"{
        "InstanceId": "67e55044-10b1-426f-9247-bb680e5fe0c8",
        "Accounts": {
            "anna": {"address": "Anna@Example.org", "pass": "p1", "created": "2024-02-29T12:00:00Z", "quota": 1000},
            "bert.b": {"address": "b@example.org", "passwd": "p2", "quota": {"percent": 12.5, "of": "disk"}}
        },
        "Schedule": {
            "since": "2024-01-01T00:00:00+02:00",
            "windows": [["22:00:00", "23:30:00"], ["01:00:00", "02:00:00"]],
            "next": 1700000000
        },
        "Limits": {"SMTP": 10, "POP": 2},
        "Rules": [{"if": "spam", "then": "reject"}, {"if": "from", "then": {"domain": "a.b", "action": "accept"}}],
        "Tenants": {"00000000-0000-0000-0000-000000000001": "one"}
    }"#,
);

#[tokio::test]
async fn identifiers_dates_and_keys_of_an_enum_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.limits[&Protocol::Pop3], 2);
    assert_eq!(settings.accounts["anna"].address, "anna@example.org");
    assert_eq!(settings.schedule.windows.len(), 2);
}

#[tokio::test]
async fn variables_set_identifiers_and_dates() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable(
                "APP_INSTANCE_ID",
                "00000000-0000-0000-0000-00000000000a",
                "/InstanceId",
                json!("00000000-0000-0000-0000-00000000000a"),
            ),
            Variable(
                "APP_SCHEDULE_SINCE",
                "2025-05-05T05:05:05-05:00",
                "/Schedule/since",
                json!("2025-05-05T05:05:05-05:00"),
            ),
            Variable("APP_SCHEDULE_NEXT", "5", "/Schedule/next", json!(5)),
            Variable(
                "APP_SCHEDULE_WINDOWS",
                "[[01:00:00, 02:00:00]]",
                "/Schedule/windows",
                json!([["01:00:00", "02:00:00"]]),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
