//! The test kit.

pub mod conformance;
mod harness;
mod overrides;
mod record;
mod script;

pub use crate::source::{Channel, ChannelSender};
pub use harness::{Bench, Harness, harness};
pub(crate) use overrides::Overrides;
pub use overrides::{Overridden, Override, Scope, config_from, override_for_test};
pub(crate) use record::Tape;
pub use record::{Outcome, Recorder, Recording, RecordingError, Refused, Replay};
pub use script::{Script, ScriptHandle};

use crate::{Format, codec::Decoder};

/// What a test's documents are read by where nothing names a format.
fn usual_decoder() -> Decoder {
    let formats = [Format::Yaml, Format::Json, Format::Toml];
    let enabled = formats.into_iter().find_map(Decoder::enabled);
    enabled.unwrap_or(Decoder::Off(Format::Yaml))
}
