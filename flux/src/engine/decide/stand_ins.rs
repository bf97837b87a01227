//! An optional source that was not heard of in time counts as absent: but not before what is kept on disk, and never in the place of
//! what readers see.

use super::Engine;
#[cfg(feature = "json")]
use crate::engine::now::Now;
use crate::{
    engine::{decoded::DecodedContent, layer_state::LayerState},
    source::Observation,
};

impl Engine {
    /// Whether this, which takes the place of a first report that did not come, is not to be taken (yet).
    pub(super) fn defers(&mut self, layer: usize, stand_in: &Observation) -> bool {
        let asks_disk_first = !self.agenda.loaded && self.agenda.fallback_at.is_some();
        let serves = |served: &DecodedContent| !served.is_silent();
        let serves = |state: &LayerState| state.accepted.as_ref().is_some_and(serves);
        let mut files = self.layers.files_behind(layer);
        let files_serve = files.any(|file| serves(&self.layers.states[file]));
        let state = &mut self.layers.states[layer];
        // That a required source was not heard of is a refusal, which takes nothing from readers.
        if !matches!(stand_in, Observation::Absent) {
            return false;
        }
        state.stands_in = asks_disk_first;
        asks_disk_first || files_serve || serves(state)
    }

    /// What is kept on disk was asked for: what it does not serve for is absent.
    #[cfg(feature = "json")]
    pub(crate) fn take_stand_ins(&mut self, now: Now) {
        for layer in 0..self.layers.states.len() {
            let state = &mut self.layers.states[layer];
            if !std::mem::take(&mut state.stands_in) || state.is_accepted() {
                continue;
            }
            let files = self.layers.files_behind(layer);
            match self.layers.states[files]
                .iter()
                .any(LayerState::is_accepted)
            {
                // What is kept of its files serves.
                true => drop(self.observe_one(layer, LayerState::of_files(true, None), now)),
                false => drop(self.observe(layer, Observation::Absent, now)),
            }
        }
    }
}
