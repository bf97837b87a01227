//! Live, layered, validated configuration.
//!
//! A struct is annotated; the derive macro turns the annotations into typed code; a small runtime watches the sources, and the
//! program reads the current value without a lock. A bad change never reaches the program.
//!
//! ```
//! use flux::{Flux, Source};
//!
//! #[derive(Flux)]
//! #[flux(source("file:app.yaml", optional), override = "env:APP_")]
//! struct AppConfig {
//!     #[flux(default = 8080, range = 1..=65535)]
//!     port: u16,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), flux::Error> {
//! AppConfig::start().await?;
//! assert_eq!(AppConfig::get().port, 8080);
//! # Ok(())
//! # }
//! ```
//!
//! The modules are the stages of the data's way: [`source`] observes, [`codec`] decodes, [`layer`] merges, [`rules`] and
//! [`transition`] validate, [`pipeline`] asks the program, [`capacitor`] decides, [`handle`] is what readers see, [`change`] tells
//! who wants to know, and [`report`] tells what is wrong. The [`guide`] has patterns of use, a page for every kind of source, one for
//! those who come from another library, and every error explained.

pub mod capacitor;
pub mod change;
pub mod codec;
pub mod config;
mod declare;
pub mod describe;
mod environment;
mod error;
#[cfg(feature = "figment")]
mod foreign;
pub mod guide;
pub mod handle;
pub mod hot;
pub mod layer;
pub mod observe;
pub mod pipeline;
pub mod report;
pub mod rules;
pub mod source;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transition;

#[cfg(feature = "json")]
pub use capacitor::Secrets;
pub use capacitor::{Builder, Capacitor, State, Status};
pub use codec::Unknown;
pub use config::{Config, Root};
pub use declare::Source;
pub use error::Error;
pub use flux_syntax::Format;
pub use handle::{Guard, Reader, Snapshot, park};
pub use report::Report;

#[cfg(feature = "figment")]
pub use figment;
#[cfg(feature = "derive")]
pub use flux_derive::Flux;

/// What generated code calls. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        capacitor::global as capacitor,
        config::{Config, Diff, Root},
        declare::remote,
        describe::{Field, Kind},
        handle::{Global, Local, get, reader, snapshot, try_get},
        hot::Hot,
        layer::{
            Keys, Layer, Said, UNKNOWN,
            decode::{With, put, put_human, put_nested, put_strict, put_with},
            distinct::{Distinct, DistinctHuman},
            finish::{Cx, Nested, need, nested, nested_or, or},
            merge, said,
        },
        rules, transition,
    };
    pub use flux_syntax::{Part, Remote, Scheme, Template};
    pub use serde;
}
