//! A log shipper: components by name, each of a kind that its key `type` says, wired by their `inputs`.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf};

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Settings {
    #[serde(default = "data_dir")]
    data_dir: PathBuf,
    #[flux(nested)]
    #[serde(flatten)]
    global: Global,
    #[flux(nested)]
    #[serde(default)]
    sources: BTreeMap<String, Input>,
    #[flux(nested)]
    #[serde(default)]
    sinks: BTreeMap<String, Output>,
}

fn data_dir() -> PathBuf {
    "/var/lib/shipper".into()
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Global {
    #[serde(default)]
    timezone: Option<String>,
    #[flux(nested)]
    #[serde(flatten)]
    schema: LogSchema,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct LogSchema {
    #[serde(default = "message")]
    message_key: String,
    #[serde(default)]
    host_key: Option<Box<str>>,
}

fn message() -> String {
    "message".to_owned()
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Input {
    #[serde(rename = "type")]
    kind: InputKind,
    #[serde(default, deserialize_with = "one_or_many")]
    include: Vec<PathBuf>,
    #[serde(default)]
    decoding: Decoding,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum InputKind {
    File,
    Journald,
    HttpServer,
}

/// Tagged from inside.
#[derive(Deserialize, Debug, Clone, PartialEq, Default)]
#[serde(tag = "codec", rename_all = "snake_case")]
enum Decoding {
    #[default]
    Bytes,
    Json {
        #[serde(default)]
        lossy: bool,
    },
    Syslog(Syslog),
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Syslog {
    year: u16,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Output {
    #[serde(deserialize_with = "one_or_many")]
    inputs: Vec<String>,
    #[serde(default)]
    buffer: Buffer,
    #[serde(default)]
    encoding: Option<Encoding>,
    #[flux(nested)]
    #[serde(default)]
    batch: Batch,
}

/// Tagged from beside.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "kind", content = "limit", rename_all = "lowercase")]
enum Buffer {
    Memory(u32),
    Disk { bytes: u64, when_full: WhenFull },
    None,
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer::Memory(500)
    }
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum WhenFull {
    Block,
    DropNewest,
}

/// Whatever fits.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Encoding {
    Name(String),
    Fields { only: Vec<String>, precision: f32 },
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
struct Batch {
    #[serde(default)]
    max_bytes: Option<u64>,
    #[serde(default)]
    timeout_secs: Option<f64>,
}

fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match Either::deserialize(d)? {
        Either::Many(all) => all,
        Either::One(one) => vec![one],
    })
}

const DOCUMENT: Document<'static> = Document(
    Format::Yaml,
    "
timezone: Europe/Berlin
host_key: hostname
sources:
  files:
    type: file
    include: /var/log/app.log
    decoding: {codec: json, lossy: true}
  journal:
    type: journald
  syslog:
    type: http_server
    include: [a, b]
    decoding:
      codec: syslog
      year: 2024
sinks:
  archive:
    inputs: files
    buffer: {kind: disk, limit: {bytes: 268435488, when_full: drop_newest}}
    encoding: {only: [message, host], precision: 1.5}
    batch: {max_bytes: 1048576, timeout_secs: 2.5}
  console:
    inputs: [journal, syslog]
    buffer: {kind: none}
    encoding: text
  other:
    inputs: []
    buffer: {kind: memory, limit: 7}
",
);

#[tokio::test]
async fn components_of_each_kind_of_tag_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.data_dir, data_dir());
    assert_eq!(settings.global.schema.host_key.as_deref(), Some("hostname"));
    assert_eq!(settings.sources["files"].include.len(), 1);
    assert_eq!(settings.sinks["other"].buffer, Buffer::Memory(7));
}

#[tokio::test]
async fn variables_set_the_keys_that_stand_beside_each_other() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable("APP_DATA_DIR", "/data", "/data_dir", json!("/data")),
            Variable("APP_TIMEZONE", "UTC", "/timezone", json!("UTC")),
            Variable("APP_MESSAGE_KEY", "msg", "/message_key", json!("msg")),
            Variable("APP_HOST_KEY", "h", "/host_key", json!("h")),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
