//! What is wrong with a document or a variable.

use crate::{
    Said,
    by_hand::{error, report, started},
};
use flux::{Capacitor, Config, Error, Flux, Format, Source, Unknown, source::Channel};
use serde::Deserialize;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Flux)]
#[flux(validate = AppConfig::check)]
struct AppConfig {
    #[flux(default = 8080, range = 1024..=65535)]
    port: u16,
    #[flux(non_empty)]
    host: String,
    #[flux(default = "30s")]
    timeout: Duration,
    #[flux(default = Level::Info)]
    level: Level,
    #[flux(default, validate = even, message = "must be even, so that every shard has a twin")]
    shards: u32,
    #[flux(secret, length = 8..)]
    password: Option<String>,
    #[flux(nested)]
    pool: Pool,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1)]
    min: u32,
    #[flux(default = 10)]
    max: u32,
    url: String,
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Level {
    Info,
    Debug,
}

impl AppConfig {
    fn check(&self) -> Result<(), String> {
        match self.pool.min <= self.pool.max {
            true => Ok(()),
            false => Err(format!(
                "pool.min ({}) is above pool.max ({})",
                self.pool.min, self.pool.max
            )),
        }
    }
}

fn even(n: &u32) -> Result<(), &'static str> {
    n.is_multiple_of(2).then_some(()).ok_or("is odd")
}

const GOOD: &str = "host: a\npool:\n  url: db://a\n";

/// What is said of `document` after a good one.
async fn edited(document: &str) -> String {
    let app = started::<AppConfig>(GOOD, |builder| builder.unknown(Unknown::Deny)).await;
    app.edit(document).await;
    app.report()
}

/// What is said of a first document in another format.
async fn first(format: Format, name: &str, document: &str) -> String {
    let (sender, channel) = Channel::latest(name);
    let source = Source::watcher(channel).format(format);
    let builder = Capacitor::<AppConfig>::builder().manual().source(source);
    let capacitor = builder.build().expect("layers that work");
    sender
        .try_send(document.as_bytes())
        .expect("somebody watches");
    error(capacitor.start().await)
}

pub async fn cases() -> Vec<Said> {
    vec![
        ("types", edited("host: a\nport: http\ntimeout: 3 parsecs\nlevel: loud\npool:\n  url: db://a\n  max: [1, 2]\n").await),
        ("rules", edited("host: \"\"\nport: 80\nshards: 3\npool:\n  url: db://a\n").await),
        ("rule across fields", edited("host: a\npool:\n  url: db://a\n  min: 20\n").await),
        ("missing", first(Format::Yaml, "app.yaml", "port: 8080\npool:\n  min: 1\n").await),
        ("unknown keys", edited("hosts: a\nhost: a\npool:\n  url: db://a\n  colour: red\n").await),
        ("unknown keys as a warning", warned::<AppConfig>("hosts: a\nhost: a\npool:\n  url: db://a\n").await),
        ("former keys", warned::<Evolved>("connections: 20\nleast: 2\n").await),
        ("removed keys", started::<Evolved>("max_szie: 8\n", |builder| builder).await.report()),
        ("yaml", edited("host: a\n  port: 8081\n").await),
        ("json", first(Format::Json, "app.json", "{\n  \"host\": \"a\",\n  \"port\": 8081,\n}").await),
        ("jsonc", first(Format::Jsonc, "app.jsonc", "{\n  \"host\": \"a\", // here\n  'port': 8081,\n}").await),
        ("json5", first(Format::Json5, "app.json5", "{\n  host: 'a', // here\n  max-size: 8,\n}").await),
        ("toml", first(Format::Toml, "app.toml", "host = a\n").await),
        ("not utf-8", not_utf8().await),
        ("empty", edited("# nothing yet\n").await),
        ("absent", absent().await),
        ("no map", no_map().await),
        ("secret", edited("host: a\npassword: hunter2\npool:\n  url: db://a\n").await),
        ("secret in the wrong place", edited("host: a\npasword: hunter2-hunter2\npool:\n  url: db://a\n").await),
        ("arguments", arguments().await),
        ("part", part().await),
    ]
}

async fn not_utf8() -> String {
    let app = started::<AppConfig>(GOOD, |builder| builder).await;
    app.edit_bytes(b"host: caf\xe9\npool:\n  url: db://a\n")
        .await;
    app.report()
}

/// A type without secrets may quote.
async fn no_map() -> String {
    let app = started::<Pool>("url: db://a", |builder| builder).await;
    app.edit("- a\n- b\n").await;
    app.report()
}

async fn absent() -> String {
    let app = started::<AppConfig>(GOOD, |builder| builder).await;
    app.document.absent().await.expect("somebody watches");
    app.capacitor.process().await.expect("it is by hand");
    app.report()
}

async fn part() -> String {
    let (region, channel) = Channel::latest("region.yaml");
    let above = Source::watcher(channel).format(Format::Yaml);
    region.try_send(*b"port: 9000").expect("somebody watches");
    let app = started::<AppConfig>(GOOD, |builder| builder.override_with(above)).await;
    region.try_send(*b"port: ninety").expect("somebody watches");
    app.edit("host: b\npool:\n  url: db://b\n").await;
    assert_eq!(app.capacitor.get().host, "b", "the good part");
    report(&app.capacitor)
}

/// With keys of earlier versions. This crate has reached version 0.1.
#[derive(Flux)]
#[allow(dead_code, reason = "what sets it is reported")]
struct Evolved {
    #[flux(default = 10, was = "max_szie", removed = "0.1")]
    max_size: u32,
    #[flux(default = 1, was = "least", since = "0.0.9", removed = "9.0")]
    min_size: u32,
    #[flux(deprecated = "use `max_size`", since = "0.0.9", removed = "9.0")]
    connections: Option<u32>,
}

/// Warnings are told in a `tracing` event only.
async fn warned<C: Config>(document: &str) -> String {
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_max_level(tracing::Level::WARN)
        .with_writer({
            let written = written.clone();
            move || written.clone()
        })
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    started::<C>(document, |builder| builder).await;
    drop(guard);
    let bytes = written.0.lock().expect("nobody panics with it");
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is typed at the start.
async fn arguments() -> String {
    let app = started::<AppConfig>(GOOD, |builder| {
        builder.arguments(["--port", "http", "--max", "3"])
    });
    app.await.report()
}

/// Of its own, because the environment belongs to the whole process: figment's jail puts it back.
#[expect(clippy::result_large_err, reason = "the closure's type is figment's")]
pub fn environment() -> Vec<Said> {
    let mut said = Vec::new();
    figment::Jail::expect_with(|jail| {
        jail.set_env("APP_PORT", "http");
        jail.set_env("APP_POOL_MAX", "-1");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let told = runtime.expect("a runtime").block_on(async {
            let app =
                started::<AppConfig>(GOOD, |builder| builder.override_with(Source::env("APP_")))
                    .await;
            app.report()
        });
        said.push(("environment", told));
        Ok(())
    });
    said
}

/// A file of variables, and a variable that names a file.
pub fn variables() -> Vec<Said> {
    let text = "APP_PORT=http\nAPP_HOST=two words\nAPP_SHARDS=2\nAPP_SHARDS=4\n";
    std::fs::write(".env", text).expect("a folder");
    let environment = Source::env("APP_?files=true").variables([
        ("APP_HOST", "a"),
        ("APP_POOL_URL", "b"),
        ("APP_POOL_MAX", "9"),
        ("APP_POOL_MAX_FILE", "/run/secrets/max"),
    ]);
    let builder = Capacitor::<AppConfig>::builder()
        .source(Source::dotenv(".env"))
        .override_with(environment);
    match builder.load() {
        Err(Error::Refused(report)) => vec![("file of variables", report.to_string())],
        _ => Vec::new(),
    }
}
