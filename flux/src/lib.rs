//! Live, layered, validated configuration.
//!
//! A struct is annotated; the derive macro turns the annotations into typed code; a small runtime watches the sources, and the
//! program reads the current value without a lock. A bad change never reaches the program.
//!
//! ```
//! use flux::{Flux, Source};
//!
//! #[derive(Flux)]
//! #[flux(optional_source = "file:app.yaml", override = "env:APP_")]
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
//! The modules are the stages of the data's way: [`source`] observes, [`codec`] decodes, [`rules`] validate, [`pipeline`] asks the
//! program, [`capacitor`] applies or refuses the whole, [`change`] notifies subscribers, [`report`] describes what is wrong, and [`observe`] lists the
//! events and metrics. The [`guide`] has patterns of use, a page for every kind of source, one for those who come from another
//! library, and every error explained.

pub mod capacitor;
pub mod change;
#[cfg(feature = "cli")]
pub mod cli;
pub mod codec;
#[cfg(all(feature = "derive", debug_assertions))]
mod common;
mod document;
mod engine;
pub mod guide;
mod handle;
pub mod inspect;
mod layer;
pub mod observe;
#[cfg(feature = "page")]
pub mod page;
pub mod pipeline;
mod problem;
#[cfg(feature = "testing")]
mod record;
pub mod report;
pub mod rules;
mod runtime;
pub mod schema;
pub mod source;
#[cfg(feature = "testing")]
pub mod testing;
mod time;

#[cfg(feature = "json")]
pub use capacitor::Secrets;
pub use capacitor::{Builder, Capacitor, Error, Root, State, Status, park};
#[cfg(feature = "cli")]
pub use cli::args;
pub use codec::Unknown;
pub use flux_syntax::Format;
pub use handle::{Guard, Reader, Snapshot};
pub use layer::{Config, Layer, LayerOf};
#[cfg(feature = "page")]
pub use page::page;
pub use report::Report;
pub use source::Source;

#[cfg(feature = "figment")]
pub use figment;
#[cfg(feature = "derive")]
pub use flux_derive::Flux;

/// What the fuzz target `model` calls.
#[cfg(flux_fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// Panics where the document model does not agree with the fast decoder about this text.
    pub fn model_agrees(format: crate::Format, text: &str) {
        crate::document::check(format, text);
    }
}

/// What generated code calls. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    #[cfg(all(feature = "derive", debug_assertions))]
    pub use crate::common::common;
    #[cfg(feature = "schemars")]
    pub use crate::schema::LeafSchema;
    pub use crate::{
        capacitor::{
            Root,
            global::{Global, capacitor, get, reader, snapshot, try_get, try_snapshot},
            hot::{Hot, Scalar},
        },
        codec::default_text::{DefaultText, ReadAsDocument, ReadAsText},
        handle::Local,
        layer::trace::{leaf_type, section_type},
        layer::{
            Config, Keys, Layer, Leaf, Presence, Taken, UNKNOWN,
            byte_size::read_bytes,
            decode::again,
            finish::{Nested, diff, nested, nested_or, or, put_nested},
            flat::{FlatLayer, RestLayer as Rest, RestMap, rest, rest_diff, rest_over, rest_type},
            leaf::{LeafSeed, TypeProbe, differ, probe},
            same::{OfFloats, OfOthers, Unequal},
            secret_texts::{SecretProbe, SecretTexts},
            section_inside::single,
            seen_keys::{OLD, current, saw_outdated},
            taken::{Gone, put_entries, take_away},
        },
        pipeline::{Stage, transformed::transformed},
        problem::{Cx, Diff},
        schema::{
            Bound, ChangeRule, Constraint, ConstraintKind, DefaultValue, Field, Kind, MergeRule,
            TypeFacts,
        },
        source::declare::remote,
    };
    pub use flux_syntax::{Part, Remote, Scheme, Template};
    pub use serde;

    pub mod merge {
        pub use crate::layer::merge::*;
    }
    pub mod presence {
        pub use crate::layer::presence::*;
    }
    pub mod rules {
        pub use crate::rules::value::*;
    }
    pub mod transition {
        pub use crate::rules::change_rules::*;
    }
}
