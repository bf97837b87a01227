//! The layer of one file of several, or of the source of them: when nothing keeps it any more, and its numbers.

use super::LayerState;
use crate::{
    engine::{content::Observed, renumbered::Renumbered},
    report::Entry,
    source::{Content, Observation, drop_ins::DropInLayers},
};
use std::sync::Arc;

impl LayerState {
    /// The layer of a file of this source.
    pub(crate) fn of_file(source: usize, layers: &DropInLayers, name: &str) -> Self {
        let mut state = LayerState::new(layers.origin(name), layers.decoder(name), true);
        state.declared = layers.declared(name).into();
        state.file = Some(layers.folder().join(name));
        state.source = source;
        state.drop_in = Some(name.into());
        state
    }

    /// It has been heard of as often as the source whose file it is, so that a file which comes later is no first content.
    pub(in crate::engine) fn is_as_known_as(&mut self, source: &LayerState) {
        self.was_read = source.was_read;
        self.received = source.received;
    }

    /// What the source of several files is given in the place of them.
    pub(crate) fn of_files(are_some: bool, revision: Option<String>) -> Observation {
        match are_some {
            true => Observation::Value(Content {
                bytes: Arc::from([]),
                revision,
            }),
            false => Observation::Absent,
        }
    }

    /// Whether it is one of several files, or the source of them.
    #[cfg(feature = "json")]
    pub(crate) fn is_of_files(&self) -> bool {
        self.drop_ins.is_some() || self.drop_in.is_some()
    }

    /// Whether its source holds just this.
    pub(in crate::engine) fn holds(&self, bytes: &[u8]) -> bool {
        matches!(&self.newest, Some(Observed::Bytes(newest)) if **newest == *bytes)
    }

    /// Whether its file is gone, and nothing is to be known of it but what is served or may be again, and what was taken back.
    pub(in crate::engine) fn is_gone(&self) -> bool {
        let is_absent = matches!(self.newest, Some(Observed::Absent));
        let is_settled =
            self.pending.is_none() && self.candidate.is_none() && self.refusal.is_none();
        let is_silent = self
            .accepted
            .as_ref()
            .is_none_or(|one| one.is_silent() && !one.is_kept());
        is_absent && is_settled && is_silent
    }

    /// Every number of a layer in it follows.
    pub(in crate::engine) fn renumber(&mut self, numbers: &Renumbered) {
        let entries = [
            &mut self.emptied,
            &mut self.without_effect,
            &mut self.replacing,
        ];
        for entry in entries.into_iter().flatten() {
            renumber_entry(entry, numbers);
        }
        let problems = [
            &mut self.warnings,
            &mut self.empty_entries,
            &mut self.replaced_tables,
        ];
        for problem in problems.into_iter().flatten() {
            problem.layer = problem.layer.and_then(|layer| numbers.now(layer));
        }
    }
}

/// The number of the layer of an entry follows.
pub(in crate::engine) fn renumber_entry(entry: &mut Entry, numbers: &Renumbered) {
    entry.renumber(|layer| numbers.now(layer));
}
