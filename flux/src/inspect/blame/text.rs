//! How `blame` is printed and serialized.

use super::{Blame, BlameOutcome, BlamedChange, ChangedSetting};
use crate::{
    inspect::{
        lines::{called, each_line},
        planned::WITHHELD_VALUE,
        value::ConfigValue,
    },
    problem::serialized,
    time::{ago, unix},
};
use std::fmt;

impl fmt::Display for ChangedSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [old, new] = &self.printed;
        f.write_str(called(&self.path))?;
        match (&self.problem, old, new) {
            (Some(problem), ..) => write!(f, ": {problem}")?,
            (None, Some(_), Some(_))
                if self.old == Some(ConfigValue::Secret)
                    && self.new == self.old
                    && ![old, new]
                        .iter()
                        .any(|one| one.as_deref() == Some(WITHHELD_VALUE)) =>
            {
                f.write_str(": another secret")?;
            }
            (None, Some(old), Some(new)) => write!(f, ": {old} -> {new}")?,
            (None, _, Some(_)) if self.new.is_none() => {}
            (None, _, Some(new)) => write!(f, " = {new}")?,
            (None, ..) => {}
        }
        match &self.by {
            Some(by) => write!(f, " ({by})"),
            None if self.is_default => f.write_str(" (the default)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for BlamedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.generation, &self.outcome) {
            (Some(number), _) => write!(f, "generation {number}, {}", ago(self.at))?,
            (None, BlameOutcome::WaitsForRestart) => {
                write!(f, "waits for a restart since {}", ago(self.at))?;
            }
            (None, BlameOutcome::Withdrawn(until)) => {
                write!(
                    f,
                    "waited for a restart from {} until {}",
                    ago(self.at),
                    ago(*until)
                )?;
            }
            (None, _) => write!(f, "refused {}", ago(self.at))?,
        }
        match &self.outcome {
            BlameOutcome::Applied
            | BlameOutcome::Refused
            | BlameOutcome::WaitsForRestart
            | BlameOutcome::Withdrawn(_) => {}
            BlameOutcome::OnProbation => f.write_str(", on probation")?,
            BlameOutcome::TakenBack(reason) => write!(f, ", taken back ({reason})")?,
        }
        // What a layer set no longer was set by another one all along.
        let has_set = |one: &ChangedSetting| {
            let by = one.by.as_ref();
            by.is_some_and(|by| self.origins.contains(&by.origin))
        };
        if self.generation.is_some()
            && !self.origins.is_empty()
            && !self.settings.iter().any(has_set)
        {
            write!(f, ", by a change of {}", self.origins.join(", "))?;
        }
        if let [one] = &*self.settings {
            return write!(f, ": {one}");
        }
        each_line(f, "    ", &self.settings)
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(called(&self.path))?;
        if self.changes.is_empty() {
            f.write_str(": no change of it is known")?;
        }
        each_line(f, "  ", &self.changes)?;
        each_line(f, "  note: ", &self.notes)
    }
}

serialized! {
    Blame, own => {
        path: own.path,
        changes: own.changes,
        notes: own.notes,
    }
}

serialized! {
    BlamedChange, own => {
        at: unix(own.at),
        generation: own.generation,
        origins: own.origins,
        outcome: own.outcome.as_str(),
        until: match &own.outcome {
            BlameOutcome::Withdrawn(until) => Some(unix(*until)),
            _ => None,
        },
        reason: match &own.outcome {
            BlameOutcome::TakenBack(reason) => Some(reason),
            _ => None,
        },
        settings: own.settings,
    }
}

serialized! {
    ChangedSetting, own => {
        path: own.path,
        old: own.old,
        new: own.new,
        by: own.by,
        is_default: own.is_default,
        problem: own.problem,
    }
}
