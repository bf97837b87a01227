//! A scraper of metrics: jobs with what they inherit, relabelling, times as texts. Flux reads a `Duration` as people write it, so
//! that the twin for serde alone names a decoder.

use crate::support::{Document, flux, plain};
use flux::{Flux, Format};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use url::Url;

#[allow(dead_code)] // Compared as they are printed.
mod by_flux {
    use super::*;
    #[derive(Flux, Debug)]
    pub(super) struct Settings {
        #[flux(nested)]
        pub(super) global: Global,
        #[flux(nested)]
        #[serde(default, rename = "scrape_configs")]
        pub(super) jobs: Vec<Job>,
        #[serde(default)]
        pub(super) rule_files: Vec<PathBuf>,
        #[serde(default)]
        pub(super) external_labels: BTreeMap<String, String>,
    }
    #[derive(Flux, Debug)]
    pub(super) struct Global {
        #[flux(default = "1m")]
        pub(super) scrape_interval: Duration,
        pub(super) evaluation_interval: Option<Duration>,
    }
    #[derive(Flux, Debug)]
    pub(super) struct Job {
        pub(super) job_name: String,
        pub(super) scrape_timeout: Option<Duration>,
        #[serde(default)]
        pub(super) static_configs: Vec<Targets>,
        #[serde(default)]
        pub(super) relabel_configs: Vec<Relabel>,
        #[flux(nested)]
        pub(super) basic_auth: Option<BasicAuth>,
        #[serde(default)]
        pub(super) backoff: Vec<Duration>,
        #[serde(default)]
        pub(super) deadlines: BTreeMap<String, Duration>,
        pub(super) proxy_url: Option<Url>,
    }
    #[derive(Flux, Debug)]
    pub(super) struct BasicAuth {
        pub(super) username: String,
        #[flux(secret)]
        pub(super) password: Option<String>,
    }
}
#[allow(dead_code)] // Compared as they are printed.
mod by_serde {
    use super::*;
    #[derive(Deserialize, Debug)]
    pub(super) struct Settings {
        pub(super) global: Global,
        #[serde(default, rename = "scrape_configs")]
        pub(super) jobs: Vec<Job>,
        #[serde(default)]
        pub(super) rule_files: Vec<PathBuf>,
        #[serde(default)]
        pub(super) external_labels: BTreeMap<String, String>,
    }
    #[derive(Deserialize, Debug)]
    pub(super) struct Global {
        #[serde(default = "minute", with = "humantime_serde")]
        pub(super) scrape_interval: Duration,
        #[serde(default, with = "humantime_serde")]
        pub(super) evaluation_interval: Option<Duration>,
    }
    fn minute() -> Duration {
        Duration::from_secs(60)
    }
    #[derive(Deserialize, Debug)]
    pub(super) struct Job {
        pub(super) job_name: String,
        #[serde(default, with = "humantime_serde")]
        pub(super) scrape_timeout: Option<Duration>,
        #[serde(default)]
        pub(super) static_configs: Vec<Targets>,
        #[serde(default)]
        pub(super) relabel_configs: Vec<Relabel>,
        pub(super) basic_auth: Option<BasicAuth>,
        #[serde(default)]
        pub(super) backoff: Vec<Text>,
        #[serde(default)]
        pub(super) deadlines: BTreeMap<String, Text>,
        pub(super) proxy_url: Option<Url>,
    }
    #[derive(Deserialize, Debug)]
    pub(super) struct BasicAuth {
        pub(super) username: String,
        pub(super) password: Option<String>,
    }
}

/// A duration as a text, printed as the duration.
#[derive(Deserialize)]
struct Text(#[serde(with = "humantime_serde")] Duration);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Targets {
    targets: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(default)]
struct Relabel {
    source_labels: Vec<String>,
    regex: String,
    action: Action,
    modulus: Option<u64>,
}

impl Default for Relabel {
    fn default() -> Self {
        Relabel {
            source_labels: Vec::new(),
            regex: "(.*)".to_owned(),
            action: Action::Replace,
            modulus: None,
        }
    }
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Action {
    Replace,
    Keep,
    HashMod,
}

const DOCUMENT: Document<'static> = Document(
    Format::Yaml,
    "
global:
  evaluation_interval: 1m 30s
rule_files: [rules/*.yml]
external_labels: {region: eu, replica: '01'}
scrape_configs:
- job_name: node
  scrape_timeout: 10s
  static_configs:
  - targets: ['localhost:9100', '[::1]:9100']
    labels: {env: 'true', build: '1.10'}
  relabel_configs:
  - source_labels: [__address__]
    action: hashmod
    modulus: 8
  - regex: ':.*'
  backoff: [1s, 5s, 1h]
  deadlines: {read: 1500ms, write: 2days}
- job_name: gateway
  basic_auth: {username: p, password: hunter2}
  proxy_url: http://proxy:3128/
",
);

#[tokio::test]
async fn times_as_texts_are_what_serde_reads_by_a_named_decoder() {
    let expected: by_serde::Settings = plain(DOCUMENT.0, DOCUMENT.1).unwrap();
    let tree = DOCUMENT.tree();
    for (format, text) in [
        (DOCUMENT.0, DOCUMENT.1.to_owned()),
        (Format::Json, tree.to_string()),
    ] {
        let read = flux::<by_flux::Settings>(format, &text, &[])
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format!("{:?}", **read), format!("{expected:?}"), "{format}");
    }
    assert_eq!(
        expected.jobs[0].deadlines["write"].0,
        Duration::from_secs(172_800)
    );
}

#[tokio::test]
async fn times_from_variables_are_what_serde_reads_from_a_document() {
    let variables = [
        ("APP_GLOBAL_SCRAPE_INTERVAL", "15s"),
        ("APP_GLOBAL_EVALUATION_INTERVAL", "1h"),
        ("APP_RULE_FILES", "a.yml,b.yml"),
    ];
    let document = "{\"global\": {\"scrape_interval\": \"15s\", \"evaluation_interval\": \"1h\"}, \"rule_files\": [\"a.yml\", \"b.yml\"]}";
    let expected: by_serde::Settings = plain(Format::Json, document).unwrap();
    let read = flux::<by_flux::Settings>(Format::Json, "{\"global\": {}}", &variables)
        .await
        .unwrap();
    assert_eq!(format!("{:?}", **read), format!("{expected:?}"));
}
