//! What `Status` has: one consistent picture of a capacitor, swapped as a whole; when a layer is no longer `Live` because its last
//! proof is too old.

mod tried;

pub use tried::{ProbationStatus, QuarantineStatus, TrialStatus};

use super::{
    disk_status::{LastKnownGood, TrialRecordFile},
    generations::Generation,
    history::Refusal,
    now::Now,
    served::Served,
    state::State,
    trial_record::listed,
};
use crate::{
    Report,
    problem::serialized,
    report::Problem,
    source::{Health, LastProven, SourceError},
    time::{lasting_since, unix},
};
use serde::{Serialize, Serializer};
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
    pub name: Arc<str>,
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
    /// Since when and until when that is so.
    pub probation: Option<ProbationStatus>,
    /// What is on trial, so that the death of the process is held against it.
    pub trial: Option<TrialStatus>,
    /// Content that is not applied because the process died while it was on trial.
    pub quarantined: Vec<QuarantineStatus>,
    /// The file of the last known good configuration; none before it was written for the first time.
    pub last_known_good: Option<LastKnownGood>,
    /// The paths of secrets whose defaults readers see since the last known good file serves: it contains no secrets, and no layer that
    /// readers see sets them. None once their sources serve again.
    pub secrets_by_default: Vec<String>,
    /// The file with the record of what is on trial; none before it was written for the first time.
    pub trial_record: Option<TrialRecordFile>,
    /// Whether newer content is kept waiting by [`pin`](crate::Capacitor::pin).
    pub pinned: bool,
    /// The last configurations, oldest first; the builder's `generations` sets how many.
    pub generations: Vec<Arc<Generation>>,
    /// Every layer, lowest precedence first.
    pub layers: Vec<LayerStatus>,
    /// What was found in the newest documents that does not refuse them, such as keys that no field has; until the documents change.
    pub warnings: Vec<Problem>,
    /// Since when an update is with the pipeline, a party or the group, and has no outcome yet.
    pub under_way: Option<SystemTime>,
    /// The last refusals, oldest first; empty unless the builder's `history` asked for them.
    pub history: Vec<Refusal>,
    /// What an explanation is made of.
    pub(crate) served: Served,
}

impl Status {
    /// Of a capacitor that was not started yet.
    pub(crate) fn idle(name: impl Into<Arc<str>>, since: SystemTime) -> Self {
        Status {
            name: name.into(),
            state: State::Loading,
            since,
            running: false,
            generation: 0,
            applied: None,
            error: None,
            pending_restart: Vec::new(),
            on_probation: false,
            probation: None,
            trial: None,
            quarantined: Vec::new(),
            last_known_good: None,
            secrets_by_default: Vec::new(),
            trial_record: None,
            pinned: false,
            generations: Vec::new(),
            layers: Vec::new(),
            warnings: Vec::new(),
            under_way: None,
            history: Vec::new(),
            served: Served::default(),
        }
    }
}

/// The condition of one layer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LayerStatus {
    /// Where it comes from.
    pub origin: Arc<str>,
    /// Whether the source can be reached.
    pub health: Health,
    /// Whether the source is known to have a document; `false` before its first observation.
    pub present: bool,
    /// When its content last changed.
    pub changed: Option<SystemTime>,
    /// How many observations its source delivered, equal ones included.
    pub received: u64,
    pub(super) proven: LastProven,
    pub(super) is_watched: bool,
    /// The revision that its source gave.
    pub revision: Option<String>,
    /// Whether its newest content is not part of what readers see; [`Status::error`] has the reason.
    pub refused: bool,
}

impl LayerStatus {
    /// That of a file which is not there yet, of the source whose status this is.
    pub(crate) fn of_new_file(&self, origin: Arc<str>) -> LayerStatus {
        LayerStatus {
            origin,
            present: false,
            changed: None,
            received: 0,
            refused: false,
            ..self.clone()
        }
    }
}

impl Status {
    /// The same where nothing is watched any more. What is read at start alone stays what it was.
    pub(crate) fn unwatched(&self) -> Status {
        let mut status = self.clone();
        status.running = false;
        for layer in status.layers.iter_mut().filter(|layer| layer.is_watched) {
            if matches!(layer.health, Health::Live | Health::Starting) {
                layer.health = Health::Closed;
            }
        }
        status
    }

    /// The same where a layer is called live for longer than its source shows; `None` where none is. Who would report that was held up:
    /// the process was stopped for a while, or its runtime has no thread to spare.
    pub(crate) fn unproven(&self, now: Now) -> Option<Status> {
        let is_overdue = |layer: &LayerStatus| layer.overdue(now).is_some();
        self.layers.iter().any(is_overdue).then(|| {
            let mut status = self.clone();
            for layer in &mut status.layers {
                if let Some((ago, bound)) = layer.overdue(now) {
                    layer.health = layer.held_up(now, ago, bound);
                }
            }
            status
        })
    }
}

impl LayerStatus {
    fn overdue(&self, now: Now) -> Option<(Duration, Duration)> {
        let is_live = self.is_watched && matches!(self.health, Health::Live);
        self.proven.overdue(now.instant.into()).filter(|_| is_live)
    }

    fn held_up(&self, now: Now, ago: Duration, bound: Duration) -> Health {
        let ended = now.wall.checked_sub(ago.saturating_sub(bound));
        Health::Stale {
            since: ended.unwrap_or(now.wall),
            error: SourceError::transient(format!(
                "{}: nothing was seen of it for {} s, and what is seen of it holds for {} s: this process was stopped, or its runtime \
                 has no thread to spare",
                self.origin,
                ago.as_secs(),
                bound.as_secs(),
            )),
            attempt: 0,
        }
    }

    /// When the layer was last known to be current: its source was read, or sent what only the source could send. `None` before the
    /// first time. Of a layer that is read at start, when it was read. Also of an older status, this is the newest time, by the
    /// system's clock as it is set now. A machine that was suspended counts as one whose clock was set: its sources may have changed
    /// meanwhile, which is found within the bound of each after it wakes.
    pub fn proven(&self) -> Option<SystemTime> {
        self.proven.at()
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

serialized! {
    Status, own => {
        name: &*own.name,
        state: own.state,
        since: unix(own.since),
        running: own.running,
        generation: own.generation,
        applied: own.applied.map(unix),
        error: own.error,
        pending_restart: own.pending_restart,
        on_probation: own.on_probation,
        probation: own.probation,
        trial: own.trial,
        quarantined: own.quarantined,
        last_known_good: own.last_known_good,
        secrets_by_default: own.secrets_by_default,
        trial_record: own.trial_record,
        pinned: own.pinned,
        generations: own.generations.iter().map(|one| &**one).collect::<Vec<&Generation>>(),
        layers: own.layers,
        warnings: own.warnings,
        under_way: own.under_way.map(unix),
        history: own.history,
    }
}

serialized! {
    LayerStatus, own => {
        origin: &*own.origin,
        health: match own.health {
            Health::Starting => "starting",
            Health::Live => "live",
            Health::Stale { .. } => "stale",
            Health::Closed => "closed",
        },
        stale: match &own.health {
            Health::Stale { since, error, .. } => Some((unix(*since), error.to_string())),
            _ => None,
        },
        present: own.present,
        changed: own.changed.map(unix),
        proven: own.proven().map(unix),
        received: own.received,
        revision: own.revision,
        refused: own.refused,
    }
}

/// A few lines for people: the state and for how long, the generation, every layer with what is wrong with it, warnings, and why the
/// newest change is refused. Never a secret.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} for {}, generation {}",
            self.name,
            self.state,
            lasting_since(self.since),
            self.generation
        )?;
        let remarks = [
            (!self.running, "not running"),
            (self.on_probation, "on probation"),
            (self.trial.is_some(), "on trial"),
            (!self.quarantined.is_empty(), "content in quarantine"),
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
        if let Some(probation) = &self.probation {
            write!(f, "\n  on probation: {}", probation.span())?;
        }
        if let Some(trial) = &self.trial {
            write!(f, "\n  on trial: {trial}")?;
        }
        if let Some(file) = &self.last_known_good {
            file.show(f)?;
        }
        if !self.secrets_by_default.is_empty() {
            write!(
                f,
                "\n  by default, since the last known good file contains no secrets: {}",
                listed(&self.secrets_by_default)
            )?;
        }
        if let Some(file) = &self.trial_record {
            file.show(f)?;
        }
        for layer in &self.layers {
            write!(f, "\n  {layer}")?;
        }
        for warning in &self.warnings {
            write!(f, "\n  warning: {}", warning.after_word())?;
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
                write!(f, "stale for {}: {error}", lasting_since(*since))?;
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
