//! A search engine: services in sections of sections, limits that are a number or `auto`, anchors in the document.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use serde::Deserialize;
use serde_json::json;
use serde_with::{DisplayFromStr, DurationMilliSeconds, DurationSeconds};
use std::{collections::BTreeMap, net::IpAddr, num::NonZeroU32, time::Duration};

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Settings {
    #[serde(default = "info")]
    log_level: String,
    #[flux(nested)]
    storage: Storage,
    #[flux(nested)]
    service: Service,
    #[flux(nested)]
    cluster: Option<Cluster>,
    #[serde(default)]
    telemetry_disabled: bool,
}

fn info() -> String {
    "INFO".to_owned()
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Storage {
    storage_path: String,
    #[serde(default)]
    on_disk_payload: bool,
    #[flux(nested)]
    #[serde(default)]
    optimizers: Optimizers,
    #[flux(nested)]
    #[serde(default)]
    collections: BTreeMap<String, Hnsw>,
    #[serde(default)]
    handle_collection_load_errors: Option<bool>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default)]
struct Optimizers {
    deleted_threshold: f64,
    max_threads: Threads,
    flush_interval_sec: NonZeroU32,
}

impl Default for Optimizers {
    fn default() -> Self {
        Optimizers {
            deleted_threshold: 0.2,
            max_threads: Threads::Word(Auto::Auto),
            flush_interval_sec: NonZeroU32::new(5).unwrap(),
        }
    }
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Threads {
    Count(usize),
    Word(Auto),
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Auto {
    Auto,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Hnsw {
    m: usize,
    ef_construct: usize,
    #[serde(default)]
    on_disk: Option<bool>,
    #[serde(default)]
    quantization: Option<Quantization>,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Quantization {
    Scalar { scalar: Scalar },
    Product { product: Product },
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Scalar {
    quantile: Option<f32>,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Product {
    compression: String,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Service {
    host: IpAddr,
    http_port: u16,
    grpc_port: Option<u16>,
    max_workers: Option<Threads>,
    #[serde(default)]
    #[flux(secret)]
    api_key: Option<String>,
}

/// What `serde_as` writes by itself, by hand: an attribute macro above `derive(Flux)` writes the same.
#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Cluster {
    enabled: bool,
    #[serde(with = "serde_with::As::<DurationMilliSeconds<u64>>")]
    tick_period_ms: Duration,
    #[serde(deserialize_with = "serde_with::As::<DurationSeconds<u64>>::deserialize")]
    #[serde(rename = "bootstrap_timeout_sec")]
    bootstrap: Duration,
    #[serde(with = "serde_with::As::<DisplayFromStr>")]
    peer_id: u64,
}

const DOCUMENT: Document<'static> = Document(
    Format::Yaml,
    "
log_level: WARN
storage:
  storage_path: ./storage
  on_disk_payload: true
  optimizers:
    deleted_threshold: 0.25
    max_threads: 4
    flush_interval_sec: 7
  collections:
    small: &small
      m: 16
      ef_construct: 100
    large:
      m: 64
      ef_construct: 400
      on_disk: true
      quantization: {scalar: {quantile: 0.99}}
    same: *small
service:
  host: 0.0.0.0
  http_port: 6333
  max_workers: auto
cluster:
  enabled: true
  tick_period_ms: 100
  bootstrap_timeout_sec: 15
  peer_id: '12345678901234567890'
",
);

#[tokio::test]
async fn sections_of_sections_and_anchors_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.storage.collections["same"].m, 16);
    assert_eq!(
        settings.cluster.unwrap().tick_period_ms,
        Duration::from_millis(100)
    );
    let without: Settings = same(Document(Format::Json, "{\"storage\": {\"storage_path\": \"s\"}, \"service\": {\"host\": \"::\", \"http_port\": 1}}")).await;
    assert_eq!(
        (without.cluster, without.storage.optimizers),
        (None, Optimizers::default())
    );
}

#[tokio::test]
async fn variables_set_values_in_sections_of_sections() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable("APP_LOG_LEVEL", "DEBUG", "/log_level", json!("DEBUG")),
            Variable(
                "APP_STORAGE_OPTIMIZERS_MAX_THREADS",
                "auto",
                "/storage/optimizers/max_threads",
                json!("auto"),
            ),
            Variable(
                "APP_STORAGE_OPTIMIZERS_FLUSH_INTERVAL_SEC",
                "9",
                "/storage/optimizers/flush_interval_sec",
                json!(9),
            ),
            Variable("APP_SERVICE_HOST", "::1", "/service/host", json!("::1")),
            Variable(
                "APP_SERVICE_GRPC_PORT",
                "6334",
                "/service/grpc_port",
                json!(6334),
            ),
            Variable(
                "APP_SERVICE_MAX_WORKERS",
                "2",
                "/service/max_workers",
                json!(2),
            ),
            Variable(
                "APP_SERVICE_API_KEY",
                "0123",
                "/service/api_key",
                json!("0123"),
            ),
            Variable(
                "APP_CLUSTER_TICK_PERIOD_MS",
                "50",
                "/cluster/tick_period_ms",
                json!(50),
            ),
            Variable("APP_CLUSTER_PEER_ID", "7", "/cluster/peer_id", json!("7")),
            Variable(
                "APP_TELEMETRY_DISABLED",
                "TRUE",
                "/telemetry_disabled",
                json!(true),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
