//! The answer of `trust`: which trials and quarantines a person has ended, in words.

use super::{status::QuarantineStatus, trial_record::listed};
use crate::problem::{escaped, serialized};
use std::fmt;

/// What [`Capacitor::trust`](crate::Capacitor::trust) did. `Display` has a line for each part.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Trusted {
    /// The generation whose trial is passed.
    pub passed: Option<u64>,
    /// What was in quarantine until now.
    pub lifted: Vec<QuarantineStatus>,
    /// With how many contents processes had died one after the other: these deaths count no more. A start would have held back
    /// whatever it finds once there were more than `tries` of [`trial`](crate::Builder::trial).
    pub forgotten: u32,
    /// The generation whose probation goes on: nothing but its own check and its time end it.
    pub on_probation: Option<u64>,
    /// The generation that is [pinned](crate::Capacitor::pin): what was in quarantine is not tried before
    /// [`unpin`](crate::Capacitor::unpin).
    pub pinned: Option<u64>,
}

serialized! {
    Trusted, own => {
        passed: own.passed,
        lifted: own.lifted,
        forgotten: own.forgotten,
        on_probation: own.on_probation,
        pinned: own.pinned,
    }
}

impl Trusted {
    /// Whether nothing was ended: a probation that goes on is not.
    pub fn is_nothing(&self) -> bool {
        self.passed.is_none() && self.lifted.is_empty() && self.forgotten == 0
    }

    /// The lines, with the time of the next try.
    fn write(&self, f: &mut fmt::Formatter<'_>, when: &str) -> fmt::Result {
        let mut lines = Vec::new();
        if let Some(generation) = self.passed {
            lines.push(format!("generation {generation} has passed its trial"));
        }
        for content in &self.lifted {
            let changed = match content.changed.is_empty() {
                true => String::new(),
                false => format!(", with changes of {}", listed(&content.changed)),
            };
            let line = format!(
                "{} is not in quarantine any more: where the source still contains it, it is tried {when}{changed}; if the process dies with it once more, it is in quarantine again",
                content.origin
            );
            lines.push(escaped(&line).into_owned());
        }
        match self.forgotten {
            0 => {}
            1 => lines.push("deaths with one content are forgotten".to_owned()),
            all => lines.push(format!("deaths with {all} contents are forgotten")),
        }
        if lines.is_empty() && self.on_probation.is_none() {
            lines.push("nothing is on trial or in quarantine".to_owned());
        }
        if let Some(generation) = self.on_probation {
            lines.push(format!(
                "generation {generation} is on probation, which goes on"
            ));
        }
        if let Some(generation) = self.pinned.filter(|_| !self.lifted.is_empty()) {
            lines.push(format!(
                "generation {generation} is pinned, and nothing newer is tried until it is unpinned"
            ));
        }
        f.write_str(&lines.join("\n"))
    }

    /// The same where the next start tries what was in quarantine.
    #[cfg(feature = "cli")]
    pub(crate) fn at_next_start(&self) -> impl fmt::Display + '_ {
        struct AtNextStart<'a>(&'a Trusted);
        impl fmt::Display for AtNextStart<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write(f, "at the next start")
            }
        }
        AtNextStart(self)
    }
}

impl fmt::Display for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = match self.pinned {
            Some(_) => "once the configuration is not pinned any more",
            None => "now",
        };
        self.write(f, when)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_nothing_is_on_trial_is_not_printed_beside_a_probation() {
        let nothing = Trusted::default();
        assert_eq!(nothing.to_string(), "nothing is on trial or in quarantine");
        let on_probation = Trusted {
            on_probation: Some(3),
            ..Trusted::default()
        };
        assert!(on_probation.is_nothing());
        assert_eq!(
            on_probation.to_string(),
            "generation 3 is on probation, which goes on"
        );
    }
}
