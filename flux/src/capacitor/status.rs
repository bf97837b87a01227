//! What a capacitor tells of itself: one consistent picture, swapped as a whole.

use super::{generations::Generation, history::Refusal, state::State};
use crate::Report;
use crate::source::Health;
use crate::time::unix;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{sync::Arc, time::SystemTime};

/// One consistent picture of a capacitor. `Serialize` gives times as seconds since 1970 and never a secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// The capacitor's name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Since when it is in this state.
    pub since: SystemTime,
    /// Whether its sources are being watched.
    pub running: bool,
    /// The number of the configuration that readers see; 0 before the first.
    pub generation: u64,
    /// When that configuration was applied.
    pub applied: Option<SystemTime>,
    /// Why the newest change is refused; none while the newest content of every layer is applied.
    pub error: Option<Report>,
    /// The paths whose newest values wait for a restart of the program (`#[flux(restart)]`).
    pub pending_restart: Vec<String>,
    /// Whether that configuration is taken back if the program turns unhealthy now.
    pub on_probation: bool,
    /// Whether newer content is kept waiting by [`pin`](crate::Capacitor::pin).
    pub pinned: bool,
    /// The last configurations, oldest first; the builder's `generations` says how many.
    pub generations: Vec<Arc<Generation>>,
    /// Every layer, lowest precedence first.
    pub layers: Vec<LayerStatus>,
    /// The last refusals, oldest first; empty unless the builder's `history` asked for them.
    pub history: Vec<Refusal>,
}

/// How one layer fares.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LayerStatus {
    /// Where it comes from.
    pub origin: String,
    /// Whether the source can be reached.
    pub health: Health,
    /// Whether the source has a document at all.
    pub present: bool,
    /// When its content last changed.
    pub changed: Option<SystemTime>,
    /// How many observations its source delivered, equal ones included.
    pub received: u64,
    /// The revision that its source gave.
    pub revision: Option<String>,
    /// Whether its newest content is not part of what readers see; [`Status::error`] says why.
    pub refused: bool,
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut status = serializer.serialize_struct("Status", 13)?;
        status.serialize_field("name", &self.name)?;
        status.serialize_field("state", &self.state)?;
        status.serialize_field("since", &unix(self.since))?;
        status.serialize_field("running", &self.running)?;
        status.serialize_field("generation", &self.generation)?;
        status.serialize_field("applied", &self.applied.map(unix))?;
        status.serialize_field("error", &self.error)?;
        status.serialize_field("pending_restart", &self.pending_restart)?;
        status.serialize_field("on_probation", &self.on_probation)?;
        status.serialize_field("pinned", &self.pinned)?;
        let generations: Vec<&Generation> = self.generations.iter().map(|one| &**one).collect();
        status.serialize_field("generations", &generations)?;
        status.serialize_field("layers", &self.layers)?;
        status.serialize_field("history", &self.history)?;
        status.end()
    }
}

impl Serialize for LayerStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut layer = serializer.serialize_struct("LayerStatus", 8)?;
        layer.serialize_field("origin", &self.origin)?;
        let (health, stale) = match &self.health {
            Health::Starting => ("starting", None),
            Health::Live => ("live", None),
            Health::Stale { since, error, .. } => {
                ("stale", Some((unix(*since), error.to_string())))
            }
            Health::Closed => ("closed", None),
        };
        layer.serialize_field("health", health)?;
        layer.serialize_field("stale", &stale)?;
        layer.serialize_field("present", &self.present)?;
        layer.serialize_field("changed", &self.changed.map(unix))?;
        layer.serialize_field("received", &self.received)?;
        layer.serialize_field("revision", &self.revision)?;
        layer.serialize_field("refused", &self.refused)?;
        layer.end()
    }
}
