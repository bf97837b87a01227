//! When the file on disk serves because the program (a callback, a stage, a party) refuses the first configuration.

use super::Engine;
#[cfg(feature = "json")]
use crate::engine::{
    layer_state::LayerState, layers::resolve::Beside, now::Now, proposal::Action, schema::Stamp,
};
use crate::report::Entry;

/// Why the program refused the first configuration.
pub(super) struct DeniedFirst {
    #[cfg_attr(
        not(feature = "json"),
        allow(dead_code, reason = "nothing is kept on disk")
    )]
    entries: Vec<Entry>,
    /// It is tried again.
    pub(super) may_pass: bool,
}

impl DeniedFirst {
    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut()
    }
}

impl Engine {
    /// Remembers the refusal as long as what is kept on disk was not tried.
    pub(super) fn deny_first(&mut self, entries: &[Entry], may_pass: bool) {
        let may_fall_back = self.current.is_none() && self.agenda.fallback_at.is_some();
        self.denied = may_fall_back.then(|| DeniedFirst {
            entries: entries.to_vec(),
            may_pass,
        });
    }

    /// Whether what is kept on disk is to serve in the place of content that only the program refused.
    #[cfg(feature = "json")]
    pub(crate) fn is_denied(&self) -> bool {
        self.denied.is_some()
    }

    /// Proposes what is kept on disk, which the layers were filled with; `kept` is what reports call it. None where that is no
    /// configuration either.
    #[cfg(feature = "json")]
    pub(crate) fn propose_kept(&mut self, kept: String, now: Now) -> Option<Action> {
        let mut refused = self.denied.as_ref()?.entries.clone();
        if let Some(last) = refused.pop() {
            refused.push(last.kept(kept));
        }
        let states = &self.layers.states;
        if !states.iter().all(LayerState::is_usable) {
            return None;
        }
        let beside = Beside {
            current: None,
            running: None,
            stamp: Stamp {
                generation: self.last_generation + 1,
                applied: now.wall,
            },
        };
        let (built, chosen) = self.layers.build_kept(&beside)?;
        Some(self.propose(built, chosen, refused, now))
    }
}
