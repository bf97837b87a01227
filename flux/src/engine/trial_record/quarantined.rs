//! Content that processes died with: whether it is suspected or in quarantine, and the sentence in which a report has it.

use crate::{
    engine::fingerprint::Fingerprint,
    time::{clock_time, times},
};
use std::time::SystemTime;

/// How a person ends a quarantine, as a report has it.
const BY_HAND: &str = match cfg!(feature = "cli") {
    true => "when `config trust` is run or `trust()` called",
    false => "when `trust()` is called",
};

/// Content of one layer that processes died with while it was on trial: in quarantine where there were too many, else suspected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QuarantinedContent {
    pub(crate) layer: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) changed: Vec<String>,
    pub(crate) deaths: u32,
    /// When it is tried again; of what is only suspected, when that is forgotten.
    pub(crate) until: SystemTime,
    /// How often it was quarantined; 0 where it is only suspected.
    pub(crate) times: u32,
    /// It may be tried: it is only suspected, or its time is over, or a person ended it, and then one more death quarantines it
    /// again.
    pub(crate) lifted: bool,
    /// How many contents had killed the process one after another when a start found it and did not try it; 0 once it was tried.
    pub(crate) after: u32,
}

impl QuarantinedContent {
    /// Processes died with it, and too few of them for a quarantine.
    pub(super) fn is_suspected(&self) -> bool {
        self.times == 0
    }

    pub(crate) fn is(&self, layer: &str, fingerprint: Fingerprint) -> bool {
        self.layer == layer && self.fingerprint == fingerprint
    }

    /// What a report contains of it.
    pub(crate) fn sentence(&self) -> String {
        let deaths = times(self.deaths);
        let changed = match self.changed.is_empty() {
            true => String::new(),
            false => format!(" with changes of {}", listed(&self.changed)),
        };
        let until = clock_time(self.until);
        let what = match self.fingerprint == Fingerprint::GONE {
            true => "the removal of this file",
            false => "this content",
        };
        match (self.after, self.deaths) {
            (0, _) => format!(
                "the process died {deaths} while {what} was on trial{changed}; it is in quarantine, and tried again once a \
                 value in it changes, at {until}, or {BY_HAND}"
            ),
            (others, 0) => format!(
                "{what} is new, but the process died with {others} other contents in a row, each of them on trial, the last one{changed}; \
                 it is in quarantine, and tried once a value in it changes, at {until}, or {BY_HAND}"
            ),
            (all, _) => format!(
                "the process died {deaths} while {what} was on trial{changed}, and with {all} contents in a row, each of them on \
                 trial; it is in quarantine, and tried again once a value in it changes, at {until}, or {BY_HAND}"
            ),
        }
    }
}

/// Paths as a list for people.
pub(crate) fn listed(paths: &[String]) -> String {
    let quoted = paths
        .iter()
        .map(|path| match path.starts_with("and ") {
            true => path.clone(),
            false => format!("`{path}`"),
        })
        .collect::<Vec<_>>();
    quoted.join(", ")
}
