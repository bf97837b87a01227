//! A plan as people and programs read it.

use super::{PlannedChange, PlannedUpdate};
use crate::inspect::value::ConfigValue;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::fmt;

impl fmt::Display for PlannedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [old, new] = &self.printed;
        write!(f, "{}: ", self.path)?;
        match (&self.old, &self.new) {
            (Some(ConfigValue::Secret), Some(ConfigValue::Secret)) => {
                f.write_str("another secret")?;
            }
            _ => write!(f, "{old} -> {new}")?,
        }
        if let Some(by) = &self.by {
            write!(f, " ({by})")?;
        }
        match self.waits_for_restart {
            true => f.write_str(", after a restart"),
            false => Ok(()),
        }
    }
}

impl fmt::Display for PlannedUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.changes.len() {
            0 => f.write_str("nothing would change")?,
            1 => f.write_str("1 setting would change")?,
            count => write!(f, "{count} settings would change")?,
        }
        for change in &self.changes {
            write!(f, "\n  {change}")?;
        }
        for hidden in &self.hidden {
            write!(f, "\n  {hidden}")?;
        }
        for party in &self.parties {
            write!(f, "\n  {party}")?;
        }
        for warning in &self.warnings {
            write!(f, "\n  warning: {}", warning.after_word())?;
        }
        for note in &self.notes {
            write!(f, "\n  note: {note}")?;
        }
        match &self.refused {
            Some(report) => write!(f, "\n{report}"),
            None => Ok(()),
        }
    }
}

impl Serialize for PlannedChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut one = serializer.serialize_struct("PlannedChange", 5)?;
        one.serialize_field("path", &self.path)?;
        one.serialize_field("old", &self.old)?;
        one.serialize_field("new", &self.new)?;
        one.serialize_field("by", &self.by)?;
        one.serialize_field("waits_for_restart", &self.waits_for_restart)?;
        one.end()
    }
}

impl Serialize for PlannedUpdate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut one = serializer.serialize_struct("PlannedUpdate", 6)?;
        one.serialize_field("changes", &self.changes)?;
        one.serialize_field("refused", &self.refused)?;
        one.serialize_field("hidden", &self.hidden)?;
        one.serialize_field("parties", &self.parties)?;
        one.serialize_field("warnings", &self.warnings)?;
        one.serialize_field("notes", &self.notes)?;
        one.end()
    }
}
