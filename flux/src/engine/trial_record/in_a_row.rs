//! When what a start finds is quarantined after deaths one start after another, each with other content on trial.

use super::{Fingerprint, LONGEST, QuarantinedContent, TrialRecord};
use std::time::{Duration, SystemTime};

/// A death so long after the one before is the first of a new row.
const FORGOTTEN: Duration = LONGEST;

/// Processes that died, and no trial was passed in between.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InARow {
    /// With how many contents.
    pub(crate) contents: u32,
    /// When the last death was counted.
    pub(crate) last: SystemTime,
    /// How many starts held back what they found.
    pub(crate) held: u32,
}

impl TrialRecord {
    /// A row of which no process died for a day is over.
    pub(super) fn forget_row(&mut self, now: SystemTime) {
        self.in_a_row.take_if(|row| {
            // The calendar was ahead when it was written.
            row.last = row.last.min(now);
            now.duration_since(row.last).unwrap_or_default() > FORGOTTEN
        });
    }

    /// A trial was passed, or a person trusts what the sources hold. Answers whether there was a row.
    pub(crate) fn end_row(&mut self) -> bool {
        self.in_a_row.take().is_some()
    }

    /// One more death, with content that is new or that a process died with before.
    pub(super) fn died_in_a_row(&mut self, is_new: bool, now: SystemTime) {
        self.forget_row(now);
        let before = self.in_a_row.take();
        let (contents, held) = before.map_or((0, 0), |row| (row.contents, row.held));
        self.in_a_row = Some(InARow {
            contents: contents.saturating_add(u32::from(is_new)),
            last: now,
            held,
        });
    }

    /// Whether a start right after a death holds back whatever it finds: more contents than `tries` killed the process in a row. Such
    /// a start is counted.
    pub(crate) fn is_in_a_row(&mut self, tries: u32) -> bool {
        let row = self.in_a_row.as_mut();
        let Some(row) = row.filter(|row| row.contents > tries) else {
            return false;
        };
        row.held = row.held.saturating_add(1);
        true
    }

    /// Puts content into quarantine that such a start has found; answers why it is not applied. None where it is in quarantine
    /// already.
    pub(crate) fn hold(
        &mut self,
        layer: &str,
        fingerprint: Fingerprint,
        changed: &[String],
        now: SystemTime,
    ) -> Option<String> {
        let row = self.in_a_row.as_ref()?;
        let mut all = self.quarantined.iter();
        let known = all.find(|one| one.is(layer, fingerprint));
        if known.is_some_and(|known| !known.lifted) {
            return None;
        }
        let held = QuarantinedContent {
            layer: layer.to_owned(),
            fingerprint,
            changed: known.map_or_else(|| changed.to_vec(), |known| known.changed.clone()),
            // It may be what the last process died with.
            deaths: known.map_or(0, |known| known.deaths),
            until: now + crate::time::ceiling(row.held, super::FIRST, LONGEST),
            times: known.map_or(1, |known| known.times.max(1)),
            lifted: false,
            after: row.contents,
        };
        self.quarantined.retain(|one| !one.is(layer, fingerprint));
        let why = held.sentence();
        self.quarantined.push(held);
        self.forget_surplus();
        Some(why)
    }
}
