//! Tests of code that is configured by Flux, and of watchers. Needs the cargo feature `testing`, for tests alone:
//!
//! ```toml
//! [dev-dependencies]
//! flux = { package = "flux-config", path = "../flux/flux", features = ["testing"] }
//! tokio = { version = "1", features = ["macros", "rt", "test-util"] }
//! ```
//!
//! The examples share this config:
//!
//! ```
//! # use flux::Flux;
//! #[derive(Flux)]
//! #[flux(source = "file:app.yaml", override = "env:APP_")]
//! struct AppConfig {
//!     #[flux(default = 8080, range = 1..=65535)]
//!     port: u16,
//!     #[flux(default = "localhost")]
//!     host: String,
//! }
//! ```
//!
//! # Code that reads the configuration
//!
//! Where a function takes `&AppConfig`, [`config_from`] makes one from the lines that matter; defaults and rules are the real ones.
//! Where it calls `AppConfig::get()`, an override takes its place until the guard is dropped, on this thread: tests that run side
//! by side do not see each other's, and nothing need be started. [`Overridden`] explains other threads and tasks.
//!
//! ```
//! # use flux::Flux;
//! # #[derive(Flux)]
//! # #[flux(source = "file:app.yaml", override = "env:APP_")]
//! # struct AppConfig { #[flux(default = 8080, range = 1..=65535)] port: u16, #[flux(default = "localhost")] host: String }
//! use flux::testing::{Override as _, config_from};
//!
//! fn address(config: &AppConfig) -> String {
//!     format!("{}:{}", config.host, config.port)
//! }
//! fn current_address() -> String {
//!     address(&AppConfig::get())
//! }
//!
//! assert_eq!(address(&config_from("port: 1")), "localhost:1");
//!
//! let _config = AppConfig::override_from("{port: 2, host: example.org}");
//! assert_eq!(current_address(), "example.org:2");
//!
//! let _other = AppConfig::override_with(|config| config.port = 3);
//! assert_eq!(current_address(), "localhost:3");
//! ```
//!
//! # A reload
//!
//! [`harness`] puts the config type on the bench with the layers that it declares, but the test decides what the files hold and which
//! variables are set. There are no files, no tasks and no waiting: each [`set`](Bench::set) is one update, and answers with the report
//! where it is refused. Callbacks, parties and stages are declared as in the program, through [`with`](Harness::with).
//!
//! ```
//! # use flux::Flux;
//! # #[derive(Flux)]
//! # #[flux(source = "file:app.yaml", override = "env:APP_")]
//! # struct AppConfig { #[flux(default = 8080, range = 1..=65535)] port: u16, #[flux(default = "localhost")] host: String }
//! use std::sync::{Arc, Mutex};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let ports = Arc::new(Mutex::new(Vec::new()));
//! let seen = Arc::clone(&ports);
//! let app = flux::testing::harness::<AppConfig>()
//!     .document("app.yaml", "port: 80")
//!     .variable("APP_HOST", "example.org")
//!     .with(|builder| {
//!         builder.on_apply(move |_, next| {
//!             seen.lock().unwrap().push(next.port);
//!             async { Ok::<(), std::io::Error>(()) }
//!         })
//!     })
//!     .start()
//!     .await;
//!
//! app.set("app.yaml", "port: 81").await.expect("a good change");
//! let report = app.set("app.yaml", "port: 0").await.expect_err("out of range");
//! assert!(report.to_string().contains("port: must be in 1..=65535"));
//! app.remove("app.yaml").await.expect_err("the file is required");
//!
//! assert_eq!(*ports.lock().unwrap(), [80, 81]);
//! assert_eq!(app.get().port, 81);
//! # }
//! ```
//!
//! What depends on time (the debounce, retries, sources that come back) is tested with a [`Script`] in the place of a source, and
//! Tokio's paused clock: an hour passes at once, and to the millisecond.
//!
//! ```
//! # use flux::Flux;
//! # #[derive(Flux)]
//! # #[flux(source = "file:app.yaml", override = "env:APP_")]
//! # struct AppConfig { #[flux(default = 8080, range = 1..=65535)] port: u16, #[flux(default = "localhost")] host: String }
//! use flux::{Source, source::SourceError, testing::Script};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), flux::Error> {
//! let script = Script::new("server")
//!     .value("{\"port\": 80}")
//!     .after(Duration::from_secs(3600))
//!     .error(SourceError::transient("connection lost"))
//!     .value("{\"port\": 81}");
//! let played = script.handle();
//! let app = AppConfig::builder()
//!     .clear_sources()
//!     .source(Source::watcher(script))
//!     .build()?;
//! app.start().await?;
//! let mut changes = app.subscribe();
//! let change = changes.changed().await.expect("it is running");
//! assert_eq!(change.current.port, 81);
//! assert_eq!(played.sessions(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Channel`] does for documents that a test sends as it goes.
//!
//! # A watcher of your own
//!
//! [`conformance::check`] tries a watcher with all that can go wrong with a source, and prints what it does right and what not. A test
//! defines how to make the watcher, how to write, delete and read back, and which faults the source can make.
//! [`conformance::Subject`] has an example.
//!
//! # What happened in production
//!
//! A [`Recorder`] writes down what the sources delivered and what came of it, as JSON lines without secrets. A [`Recording`] plays that
//! again in a unit test: the same states, the same refusals, the same generations, or the first difference. The program that
//! records is built with this feature; reads cost the same with it.

pub mod conformance;
mod harness;
mod overrides;

pub use crate::record::{Outcome, Recorder, Recording, RecordingError, Refused, Replay};
pub use crate::source::{
    Channel, ChannelSender,
    script::{Script, ScriptHandle},
};
pub use harness::{Bench, Harness, harness};
pub use overrides::{Overridden, Override, Scope, config_from, override_for_test};

use crate::{Format, codec::Decoder};

/// What a test's documents are read by where nothing names a format.
fn usual_decoder() -> Decoder {
    let formats = [Format::Yaml, Format::Json, Format::Toml];
    let enabled = formats.into_iter().find_map(Decoder::enabled);
    enabled.unwrap_or(Decoder::Off(Format::Yaml))
}
