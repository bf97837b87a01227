//! What a capacitor tells of itself: one consistent picture, swapped as a whole.

use super::{generations::Generation, history::Refusal, state::State};
use crate::{
    Report,
    report::Problem,
    source::{Health, LastProven},
    time::unix,
};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

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
    /// What was found in the newest documents that does not refuse them, such as keys that no field has; until the documents change.
    pub warnings: Vec<Problem>,
    /// Since when an update is with the pipeline, a party or the group, and has no outcome yet.
    pub under_way: Option<SystemTime>,
    /// The last refusals, oldest first; empty unless the builder's `history` asked for them.
    pub history: Vec<Refusal>,
}

impl Status {
    /// Of a capacitor that was not started yet.
    pub(crate) fn idle(name: String, since: SystemTime) -> Self {
        Status {
            name,
            state: State::Loading,
            since,
            running: false,
            generation: 0,
            applied: None,
            error: None,
            pending_restart: Vec::new(),
            on_probation: false,
            pinned: false,
            generations: Vec::new(),
            layers: Vec::new(),
            warnings: Vec::new(),
            under_way: None,
            history: Vec::new(),
        }
    }
}

/// The condition of one layer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LayerStatus {
    /// Where it comes from.
    pub origin: String,
    /// Whether the source can be reached.
    pub health: Health,
    /// Whether the source is known to have a document. Not before it was heard of for the first time.
    pub present: bool,
    /// When its content last changed.
    pub changed: Option<SystemTime>,
    /// How many observations its source delivered, equal ones included.
    pub received: u64,
    pub(super) proven: LastProven,
    /// The revision that its source gave.
    pub revision: Option<String>,
    /// Whether its newest content is not part of what readers see; [`Status::error`] says why.
    pub refused: bool,
}

impl LayerStatus {
    /// When the layer was last known to be current: its source was read, or sent what only the source could send. `None` before the
    /// first time. Of a layer that is read at start, when it was read. Also of an older status, this is the newest time.
    pub fn proven(&self) -> Option<SystemTime> {
        self.proven.at()
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut status = serializer.serialize_struct("Status", 15)?;
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
        status.serialize_field("warnings", &self.warnings)?;
        status.serialize_field("under_way", &self.under_way.map(unix))?;
        status.serialize_field("history", &self.history)?;
        status.end()
    }
}

impl Serialize for LayerStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut layer = serializer.serialize_struct("LayerStatus", 9)?;
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
        layer.serialize_field("proven", &self.proven().map(unix))?;
        layer.serialize_field("received", &self.received)?;
        layer.serialize_field("revision", &self.revision)?;
        layer.serialize_field("refused", &self.refused)?;
        layer.end()
    }
}

/// A few lines for people: the state and for how long, the generation, every layer with what is wrong with it, warnings, and why the
/// newest change is refused. Never a secret.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} for {:?}, generation {}",
            self.name,
            self.state,
            whole_seconds(self.since),
            self.generation
        )?;
        let remarks = [
            (!self.running, "not running"),
            (self.on_probation, "on probation"),
            (self.pinned, "pinned"),
            (self.under_way.is_some(), "an update is under way"),
        ];
        for (_, remark) in remarks.iter().filter(|(holds, _)| *holds) {
            write!(f, ", {remark}")?;
        }
        if !self.pending_restart.is_empty() {
            let paths = self.pending_restart.join(", ");
            write!(f, "\n  waits for a restart: {paths}")?;
        }
        for layer in &self.layers {
            write!(f, "\n  {layer}")?;
        }
        for warning in &self.warnings {
            write!(f, "\n  warning:\n{warning}")?;
        }
        match &self.error {
            Some(report) => write!(f, "\n{report}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for LayerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        match &self.health {
            Health::Starting => f.write_str("starting")?,
            Health::Live => f.write_str("live")?,
            Health::Stale { since, error, .. } => {
                write!(f, "stale for {:?} ({error})", whole_seconds(*since))?;
            }
            Health::Closed => f.write_str("closed")?,
        }
        if !self.present {
            f.write_str(", no document")?;
        }
        if self.refused {
            f.write_str(", its newest content is not applied")?;
        }
        Ok(())
    }
}

fn whole_seconds(since: SystemTime) -> Duration {
    Duration::from_secs(since.elapsed().unwrap_or_default().as_secs())
}
