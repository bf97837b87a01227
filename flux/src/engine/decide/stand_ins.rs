//! An optional source that was not heard of in time counts as absent: but not before what is kept on disk, and never in the place of
//! what readers see.

use super::Engine;
#[cfg(feature = "json")]
use crate::engine::now::Now;
use crate::{engine::decoded::DecodedContent, source::Observation};

impl Engine {
    /// Whether this, which takes the place of a first report that did not come, is not to be taken (yet).
    pub(super) fn defers(&mut self, layer: usize, stand_in: &Observation) -> bool {
        let asks_disk_first = !self.agenda.loaded && self.agenda.fallback_at.is_some();
        let state = &mut self.layers.states[layer];
        // That a required source was not heard of is a refusal, which takes nothing from readers.
        if !matches!(stand_in, Observation::Absent) {
            return false;
        }
        state.stands_in = asks_disk_first;
        let serves = |served: &DecodedContent| !served.is_silent();
        asks_disk_first || state.accepted.as_ref().is_some_and(serves)
    }

    /// What is kept on disk was asked for: what it does not serve for is absent.
    #[cfg(feature = "json")]
    pub(crate) fn take_stand_ins(&mut self, now: Now) {
        for layer in 0..self.layers.states.len() {
            let state = &mut self.layers.states[layer];
            if std::mem::take(&mut state.stands_in) && !state.is_accepted() {
                self.observe(layer, Observation::Absent, now);
            }
        }
    }
}
