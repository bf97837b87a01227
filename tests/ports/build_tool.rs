//! A build tool: profiles with keys that are a switch, a number or a word; aliases that are a text or a list.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    #[serde(default)]
    paths: Vec<PathBuf>,
    #[serde(default)]
    alias: BTreeMap<String, Words>,
    #[flux(nested)]
    #[serde(default)]
    build: Build,
    #[serde(default)]
    env: HashMap<String, EnvValue>,
    #[flux(nested)]
    #[serde(default)]
    profile: BTreeMap<String, Profile>,
    #[flux(nested)]
    #[serde(default)]
    source: BTreeMap<String, Registry>,
    #[flux(nested)]
    #[serde(default)]
    target: BTreeMap<String, Target>,
    #[flux(nested)]
    #[serde(default)]
    net: Net,
}

/// `"a b"` or `["a", "b"]`
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Words {
    Text(String),
    List(Vec<String>),
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Build {
    jobs: Option<Jobs>,
    target: Option<Words>,
    rustflags: Option<Words>,
    incremental: Option<bool>,
    dep_info_basedir: Option<PathBuf>,
}

/// A number, also below zero, or `default`.
#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Jobs {
    Count(i32),
    Word(String),
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum EnvValue {
    Simple(String),
    Full {
        value: String,
        #[serde(default)]
        force: bool,
        #[serde(default)]
        relative: bool,
    },
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Profile {
    inherits: Option<String>,
    opt_level: Option<OptLevel>,
    debug: Option<DebugInfo>,
    lto: Option<Lto>,
    codegen_units: Option<u32>,
    #[flux(nested)]
    #[serde(default)]
    package: BTreeMap<String, Override>,
    #[flux(nested)]
    build_override: Option<Override>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Override {
    opt_level: Option<OptLevel>,
    strip: Option<Strip>,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum OptLevel {
    Number(u8),
    Word(String),
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum DebugInfo {
    Switch(bool),
    Level(u8),
    Word(DebugWord),
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum DebugWord {
    LineTablesOnly,
    Limited,
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Lto {
    Switch(bool),
    Word(String),
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(untagged)]
enum Strip {
    Switch(bool),
    Word(String),
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Registry {
    replace_with: Option<String>,
    directory: Option<PathBuf>,
    registry: Option<url::Url>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Target {
    linker: Option<PathBuf>,
    runner: Option<Words>,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Net {
    retry: Option<u32>,
    git_fetch_with_cli: Option<bool>,
    offline: Option<bool>,
}

const DOCUMENT: Document<'static> = Document(
    Format::Toml,
    r#"
paths = ["/path/a"]

[alias]
b = "build"
rr = ["run", "--release"]

[build]
jobs = -1
target = ["x86_64-unknown-linux-gnu", "wasm32-wasip1"]
rustflags = "-C target-cpu=native"

[env]
CC = "clang"
OPENSSL_DIR = { value = "vendor/ssl", relative = true }

[profile.dev]
opt-level = "z"
debug = 1

[profile.dev.package."*"]
opt-level = 3

[profile.dev.package.image]
strip = "symbols"

[profile.release]
lto = "thin"
debug = "line-tables-only"
codegen-units = 1
build-override = { strip = true }

[profile.bench]
inherits = "release"
debug = true
lto = false

[source.vendored]
directory = "vendor"

[source.main]
replace-with = "vendored"
registry = "https://example.org/index/"

[target.'cfg(all(target_arch = "arm", target_os = "none"))']
runner = "probe run"
linker = "ld"

[net]
retry = 2
"#,
);

#[tokio::test]
async fn switches_that_may_be_words_or_numbers_are_read_as_serde_reads_them() {
    let settings: Settings = same(DOCUMENT).await;
    let dev = &settings.profile["dev"];
    assert_eq!(dev.debug, Some(DebugInfo::Level(1)));
    assert_eq!(dev.package["*"].opt_level, Some(OptLevel::Number(3)));
    assert_eq!(settings.build.jobs, Some(Jobs::Count(-1)));
    assert!(settings.target.keys().next().unwrap().contains("\"arm\""));
}

#[tokio::test]
async fn variables_set_what_may_be_a_word_a_number_or_a_list() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable("APP_PATHS", "/a,/b", "/paths", json!(["/a", "/b"])),
            Variable("APP_BUILD_JOBS", "4", "/build/jobs", json!(4)),
            Variable(
                "APP_BUILD_TARGET",
                "wasm32",
                "/build/target",
                json!("wasm32"),
            ),
            Variable(
                "APP_BUILD_RUSTFLAGS",
                "[-C, opt-level=3]",
                "/build/rustflags",
                json!(["-C", "opt-level=3"]),
            ),
            Variable(
                "APP_BUILD_INCREMENTAL",
                "false",
                "/build/incremental",
                json!(false),
            ),
            Variable("APP_NET_OFFLINE", "yes", "/net/offline", json!(true)),
            Variable("APP_NET_RETRY", "5", "/net/retry", json!(5)),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
