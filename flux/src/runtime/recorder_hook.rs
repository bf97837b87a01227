//! What a recorder is given of a running capacitor.

use super::order::Command;
use crate::{
    engine::{Engine, EngineEvent, Schema},
    source::{declare::Opened, environment::Variables, mailbox::SourceReport},
};

/// The layers of a start; and by their places the variables of those which name files that were read.
pub(crate) type LayersOfStart<'a> = (&'a [Opened], &'a [(usize, Variables)]);

/// Records the starts of a capacitor, one after the other.
pub(crate) trait RecorderHook: Send + Sync {
    /// A start, over these layers, while readers see this generation.
    fn begin(&self, schema: &'static Schema, layers: LayersOfStart<'_>, generation: u64);
    /// A report of a source, which the engine does not have yet.
    fn received(&self, news: &SourceReport, engine: &Engine);
    /// The program gives an order.
    fn command(&self, command: &Command);
    /// The engine has decided something.
    fn event(&self, event: &EngineEvent);
    /// An update is over.
    fn settled(&self, engine: &Engine);
    /// The capacitor ends.
    fn end(&self);
}
