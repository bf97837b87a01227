//! Live, layered, validated configuration.

pub mod capacitor;
pub mod config;
pub mod describe;
pub mod handle;
pub mod layer;
pub mod report;
pub mod rules;
pub mod source;

pub use capacitor::{Builder, Capacitor};
pub use config::{Config, Root};
pub use handle::{Guard, Reader, Snapshot, park};

#[cfg(feature = "derive")]
pub use flux_derive::Flux;

/// What generated code calls. Not for people: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        config::{Config, Diff, Root},
        describe::{Field, Kind},
        handle::{Global, Hot, Local, get, reader, snapshot, try_get},
        layer::{
            Keys, Layer, Said, UNKNOWN,
            decode::{With, put, put_human, put_nested, put_strict, put_with},
            finish::{Cx, Nested, need, nested, nested_or, or},
            merge, said,
        },
        rules,
    };
    pub use serde;
}
