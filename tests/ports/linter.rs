//! A checker of dependencies: lists whose items are a text or a struct, levels, licences, advisories with dates.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use chrono::NaiveDate;
use flux::{Flux, Format};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Settings {
    #[flux(nested)]
    #[serde(default)]
    graph: Graph,
    #[flux(nested)]
    #[serde(default)]
    advisories: Advisories,
    #[flux(nested)]
    #[serde(default)]
    licenses: Licenses,
    #[flux(nested)]
    #[serde(default)]
    bans: Bans,
    #[serde(default)]
    lints: BTreeMap<String, Lint>,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct Graph {
    targets: Vec<Target>,
    all_features: bool,
    exclude: BTreeSet<String>,
}

/// A text, or the text and more.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Target {
    Triple(String),
    Full {
        triple: String,
        features: Vec<String>,
    },
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default, rename_all = "kebab-case")]
struct Advisories {
    db_urls: Vec<Url>,
    yanked: Level,
    ignore: Vec<Ignored>,
    unmaintained: Scope,
}

impl Default for Advisories {
    fn default() -> Self {
        Advisories {
            db_urls: vec!["https://example.org/db".parse().unwrap()],
            yanked: Level::Warn,
            ignore: Vec::new(),
            unmaintained: Scope::All,
        }
    }
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Level {
    Allow,
    Warn,
    Deny,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Scope {
    All,
    Workspace,
    Transitive,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Ignored {
    Id(String),
    Because {
        id: String,
        reason: String,
        until: Option<NaiveDate>,
    },
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default, rename_all = "kebab-case")]
struct Licenses {
    #[flux(range = 0.0..=1.0)]
    confidence_threshold: f32,
    allow: Vec<String>,
    #[flux(nested)]
    exceptions: Vec<Exception>,
    private: Private,
}

impl Default for Licenses {
    fn default() -> Self {
        Licenses {
            confidence_threshold: 0.8,
            allow: Vec::new(),
            exceptions: Vec::new(),
            private: Private::default(),
        }
    }
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Exception {
    #[serde(alias = "crate")]
    name: String,
    #[serde(default = "any")]
    version: Requirement,
    allow: BTreeSet<String>,
}

fn any() -> Requirement {
    Requirement("*".to_owned())
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
struct Requirement(String);

#[derive(Deserialize, Debug, Clone, PartialEq, Default)]
struct Private {
    ignore: bool,
    #[serde(default)]
    registries: Vec<String>,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Bans {
    multiple_versions: Option<Level>,
    deny: Vec<Ban>,
    features: BTreeMap<String, (u8, String)>,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Ban {
    name: String,
    #[serde(default)]
    use_instead: Option<String>,
    #[serde(default)]
    wrappers: Vec<String>,
}

/// `"warn"`, or `{ level = "warn", priority = -1 }`
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Lint {
    Level(Level),
    Config {
        level: Level,
        #[serde(default)]
        priority: i8,
    },
}

const DOCUMENT: Document<'static> = Document(
    Format::Toml,
    r#"
[graph]
all-features = true
targets = ["x86_64-linux", { triple = "wasm32", features = ["atomics"] }]
exclude = ["b", "a", "b"]

[advisories]
yanked = "deny"
unmaintained = "workspace"
ignore = [
    "RUSTSEC-0000-0001",
    { id = "RUSTSEC-0000-0002", reason = "not reachable", until = "2031-02-28" },
]

[licenses]
confidence-threshold = 0.93
allow = ["MIT", "Apache-2.0 WITH LLVM-exception"]
private = { ignore = true }

[[licenses.exceptions]]
crate = "ring"
allow = ["OpenSSL"]

[[licenses.exceptions]]
name = "webpki"
version = "0.22"
allow = ["ISC", "BSD-3-Clause"]

[bans]
multiple-versions = "warn"
deny = [{ name = "openssl", use-instead = "rustls" }, { name = "git2", wrappers = ["cargo"] }]
features = { tokio = [1, "full"] }

[lints]
unsafe_code = "deny"
all = { level = "warn", priority = -1 }
"#,
);

#[tokio::test]
async fn lists_of_texts_or_structs_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert_eq!(settings.licenses.exceptions[0].version, any());
    assert_eq!(
        settings.lints["all"],
        Lint::Config {
            level: Level::Warn,
            priority: -1
        }
    );
    assert_eq!(settings.advisories.db_urls.len(), 1);
}

#[tokio::test]
async fn variables_set_levels_lists_and_thresholds() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable(
                "APP_GRAPH_TARGETS",
                "a,b",
                "/graph/targets",
                json!(["a", "b"]),
            ),
            Variable(
                "APP_GRAPH_EXCLUDE",
                "[x, y]",
                "/graph/exclude",
                json!(["x", "y"]),
            ),
            Variable(
                "APP_ADVISORIES_YANKED",
                "allow",
                "/advisories/yanked",
                json!("allow"),
            ),
            Variable(
                "APP_ADVISORIES_DB_URLS",
                "https://a/,https://b/",
                "/advisories/db-urls",
                json!(["https://a/", "https://b/"]),
            ),
            Variable(
                "APP_LICENSES_CONFIDENCE_THRESHOLD",
                "0.5",
                "/licenses/confidence-threshold",
                json!(0.5),
            ),
            Variable(
                "APP_LICENSES_ALLOW",
                "MIT, BSD-2-Clause",
                "/licenses/allow",
                json!(["MIT", "BSD-2-Clause"]),
            ),
            Variable(
                "APP_BANS_MULTIPLE_VERSIONS",
                "deny",
                "/bans/multiple-versions",
                json!("deny"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
