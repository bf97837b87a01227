//! What `Status` has of what may still be taken back: a probation, a trial, and content in quarantine.

use crate::{
    engine::trial_record::{OnTrial, QuarantinedContent, listed},
    problem::serialized,
    time::{clock_time, times, unix},
};
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// How long a configuration that readers see is taken back if the program turns unhealthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbationStatus {
    /// Since when it is on probation.
    pub since: SystemTime,
    /// When it has passed, if nothing happens until then.
    pub until: SystemTime,
}

/// A configuration that readers see and that is not trusted yet.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrialStatus {
    /// Its generation.
    pub generation: u64,
    /// Since when it is on trial.
    pub since: SystemTime,
    /// When it has passed, if the process lives until then.
    pub until: SystemTime,
    /// The paths in which it differs from the last known good configuration.
    pub changed: Vec<String>,
    /// How many processes died with the same content.
    pub deaths: u32,
}

/// Content of one layer that is not applied because the process died while it was on trial.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QuarantineStatus {
    /// The layer; a second one with the same origin as `origin#2`.
    pub origin: String,
    /// The paths in which it differed from the last known good configuration.
    pub changed: Vec<String>,
    /// How many processes died with it; 0 of new content that is held back since others killed the process one after another.
    pub deaths: u32,
    /// When it is tried again.
    pub until: SystemTime,
}

impl TrialStatus {
    pub(in crate::engine) fn of(trial: &OnTrial, lasts: Duration) -> Self {
        TrialStatus {
            generation: trial.generation,
            since: trial.since,
            until: trial.since.checked_add(lasts).unwrap_or(trial.since),
            changed: trial.changed.clone(),
            deaths: trial.deaths,
        }
    }
}

impl QuarantineStatus {
    pub(in crate::engine) fn of(content: &QuarantinedContent) -> Self {
        QuarantineStatus {
            origin: content.layer.clone(),
            changed: content.changed.clone(),
            deaths: content.deaths,
            until: content.until,
        }
    }
}

serialized! {
    ProbationStatus, own => {
        since: unix(own.since),
        until: unix(own.until),
    }
}

serialized! {
    TrialStatus, own => {
        generation: own.generation,
        since: unix(own.since),
        until: unix(own.until),
        changed: own.changed,
        deaths: own.deaths,
    }
}

serialized! {
    QuarantineStatus, own => {
        origin: own.origin,
        changed: own.changed,
        deaths: own.deaths,
        until: unix(own.until),
    }
}

/// Since when and until when.
fn span(since: SystemTime, until: SystemTime) -> String {
    format!("since {}, until {}", clock_time(since), clock_time(until))
}

impl ProbationStatus {
    /// When it began and when it ends, for people.
    pub(crate) fn span(&self) -> String {
        span(self.since, self.until)
    }
}

impl TrialStatus {
    /// How often the process died in it, for people; none where it did not.
    pub(crate) fn died(&self) -> Option<String> {
        (self.deaths > 0)
            .then(|| format!("the process died {} with this content", times(self.deaths)))
    }
}

/// What is on trial, since when and until when, and how often the process died with it.
impl fmt::Display for TrialStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.changed.is_empty() {
            write!(f, "{}, ", listed(&self.changed))?;
        }
        f.write_str(&span(self.since, self.until))?;
        match self.died() {
            Some(died) => write!(f, "; {died}"),
            None => Ok(()),
        }
    }
}
