//! How a plan is printed and serialized.

use super::{PlannedChange, PlannedUpdate, WITHHELD_VALUE};
use crate::{
    inspect::{
        lines::{each_line, each_problem},
        value::ConfigValue,
    },
    problem::serialized,
};
use std::fmt;

impl fmt::Display for PlannedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [old, new] = &self.printed;
        write!(f, "{}: ", self.path)?;
        match (&self.old, &self.new) {
            // Of a value that is withheld, its own note has the reason.
            (Some(ConfigValue::Secret), Some(ConfigValue::Secret))
                if ![old, new].iter().any(|one| *one == WITHHELD_VALUE) =>
            {
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
        if self.refused.is_some() {
            f.write_str("refused, and what runs stays: ")?;
        } else if !self.quarantined.is_empty() {
            f.write_str("not applied, since content of it is in quarantine; without that: ")?;
        }
        match self.changes.len() {
            0 if self.refused.is_some() => f.write_str("no other difference is known")?,
            0 if self.standing.is_some() => {
                f.write_str("nothing would change beside what is refused now")?
            }
            0 => f.write_str("nothing would change")?,
            1 => f.write_str("1 setting would change")?,
            count => write!(f, "{count} settings would change")?,
        }
        each_line(f, "  ", &self.changes)?;
        each_line(f, "  in quarantine: ", &self.quarantined)?;
        each_line(f, "  ", &self.hidden)?;
        each_line(f, "  ", &self.parties)?;
        each_problem(f, "to come", &self.missing)?;
        each_problem(f, "warning", &self.warnings)?;
        each_line(f, "  note: ", &self.notes)?;
        if let Some(report) = &self.standing {
            write!(
                f,
                "\nrefused now, and not part of what this is compared with:\n{report}"
            )?;
        }
        match &self.refused {
            Some(report) => write!(f, "\n{report}"),
            None => Ok(()),
        }
    }
}

serialized! {
    PlannedChange, own => {
        path: own.path,
        old: own.old,
        new: own.new,
        by: own.by,
        waits_for_restart: own.waits_for_restart,
    }
}

serialized! {
    PlannedUpdate, own => {
        changes: own.changes,
        quarantined: own.quarantined,
        refused: own.refused,
        standing: own.standing,
        hidden: own.hidden,
        parties: own.parties,
        warnings: own.warnings,
        missing: own.missing,
        notes: own.notes,
    }
}
