//! A cache of compilations: every kind of store is an optional section of its own, and unknown keys are refused.

use crate::support::{
    Document, Variable, same, same_from_variables, same_with_each_value_in_its_variable,
};
use flux::{Flux, Format};
use serde::Deserialize;
use serde_json::json;
use std::path::PathBuf;

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[flux(nested)]
    #[serde(default)]
    cache: Caches,
    #[flux(nested)]
    #[serde(default)]
    dist: Dist,
    server_startup_timeout_ms: Option<u64>,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(deny_unknown_fields, default)]
struct Caches {
    #[flux(nested)]
    disk: Option<Disk>,
    #[flux(nested)]
    s3: Option<S3>,
    #[flux(nested)]
    redis: Option<Redis>,
    #[flux(nested)]
    memcached: Option<Memcached>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields, default)]
struct Disk {
    dir: PathBuf,
    size: u64,
    rw_mode: Mode,
    #[flux(nested)]
    preprocessor: Preprocessor,
}

impl Default for Disk {
    fn default() -> Self {
        Disk {
            dir: "/cache".into(),
            size: 10 << 30,
            rw_mode: Mode::ReadWrite,
            preprocessor: Preprocessor::default(),
        }
    }
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq)]
enum Mode {
    #[serde(rename = "READ_ONLY")]
    ReadOnly,
    #[serde(rename = "READ_WRITE")]
    ReadWrite,
}

#[derive(Flux, Deserialize, Debug, PartialEq, Default)]
#[serde(deny_unknown_fields, default)]
struct Preprocessor {
    use_preprocessor_cache_mode: bool,
    max_size: Option<u64>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct S3 {
    bucket: String,
    #[serde(default)]
    key_prefix: String,
    no_credentials: bool,
    endpoint: Option<String>,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Redis {
    /// The name before there was `endpoint`.
    #[serde(alias = "url")]
    endpoint: Option<String>,
    #[flux(secret)]
    password: Option<String>,
    #[serde(default)]
    db: u32,
    #[serde(default = "ttl", alias = "expiration")]
    ttl: u64,
}

fn ttl() -> u64 {
    0
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
struct Memcached {
    #[serde(alias = "endpoint")]
    url: String,
}

#[derive(Flux, Deserialize, Debug, PartialEq)]
#[serde(default)]
struct Dist {
    auth: Auth,
    scheduler_url: Option<url::Url>,
    toolchains: Vec<Toolchain>,
    rewrite_includes_only: bool,
}

impl Default for Dist {
    fn default() -> Self {
        Dist {
            auth: Auth::Token {
                token: "default".to_owned(),
            },
            scheduler_url: None,
            toolchains: Vec::new(),
            rewrite_includes_only: false,
        }
    }
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Auth {
    Token { token: String },
    Oauth2Implicit { client_id: String, auth_url: String },
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Toolchain {
    NoDist {
        compiler_executable: PathBuf,
    },
    PathOverride {
        compiler_executable: PathBuf,
        archive: PathBuf,
    },
}

const DOCUMENT: Document<'static> = Document(
    Format::Toml,
    r#"
server_startup_timeout_ms = 10000

[dist]
scheduler_url = "http://1.2.3.4:10600"
toolchains = [{ type = "no_dist", compiler_executable = "/usr/bin/cc" }]
auth = { type = "oauth2_implicit", client_id = "a", auth_url = "http://b" }

[cache.disk]
dir = "/var/cache/compiler"
size = 7516192768
rw_mode = "READ_ONLY"
preprocessor = { use_preprocessor_cache_mode = true }

[cache.redis]
url = "redis://r:6379"
expiration = 3600

[cache.s3]
bucket = "b"
no_credentials = true
"#,
);

#[tokio::test]
async fn optional_sections_are_on_where_the_document_has_them() {
    let settings: Settings = same(DOCUMENT).await;
    assert!(settings.cache.memcached.is_none());
    assert_eq!(settings.cache.redis.unwrap().ttl, 3600);
    let settings: Settings = same(Document(
        Format::Json,
        "{\"cache\": {\"disk\": {}, \"redis\": null}}",
    ))
    .await;
    assert_eq!(
        (settings.cache.disk, settings.cache.redis),
        (Some(Disk::default()), None)
    );
}

#[tokio::test]
async fn a_variable_turns_an_optional_section_on() {
    same_from_variables::<Settings>(
        DOCUMENT,
        &[
            Variable("APP_CACHE_DISK_SIZE", "5", "/cache/disk/size", json!(5)),
            Variable(
                "APP_CACHE_DISK_RW_MODE",
                "READ_WRITE",
                "/cache/disk/rw_mode",
                json!("READ_WRITE"),
            ),
            Variable("APP_CACHE_REDIS_DB", "3", "/cache/redis/db", json!(3)),
            Variable(
                "APP_CACHE_REDIS_PASSWORD",
                "p,q",
                "/cache/redis/password",
                json!("p,q"),
            ),
            Variable(
                "APP_CACHE_MEMCACHED_URL",
                "tcp://m",
                "/cache/memcached/url",
                json!("tcp://m"),
            ),
            Variable(
                "APP_CACHE_DISK_PREPROCESSOR_MAX_SIZE",
                "1",
                "/cache/disk/preprocessor/max_size",
                json!(1),
            ),
            Variable(
                "APP_DIST_REWRITE_INCLUDES_ONLY",
                "1",
                "/dist/rewrite_includes_only",
                json!(true),
            ),
            Variable(
                "APP_SERVER_STARTUP_TIMEOUT_MS",
                "1",
                "/server_startup_timeout_ms",
                json!(1),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_value_may_come_from_its_variable() {
    same_with_each_value_in_its_variable::<Settings>(DOCUMENT).await;
}
