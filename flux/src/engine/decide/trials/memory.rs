//! What the record on disk is to contain: what is on trial, what is trusted since, and what is forgotten.

use crate::engine::{
    fingerprint::Fingerprint,
    now::Now,
    proposal::Action,
    status::{QuarantineStatus, TrialStatus},
    trial_record::{Aftermath, Fingerprints, OnTrial, TrialRecord},
};
use std::time::{Duration, Instant, SystemTime};

/// What an engine is given of the processes before it.
pub(crate) struct Past {
    pub(crate) record: TrialRecord,
    /// The process that wrote the record is gone.
    pub(crate) died: bool,
    /// What the last known good configuration contains; none where there is none.
    pub(crate) trusted: Option<Fingerprints>,
    pub(crate) rules: TrialRules,
}

/// How trials are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrialRules {
    /// How many deaths put content in quarantine.
    pub(crate) tries: u32,
    /// How long a configuration without a probation of its own is on trial.
    pub(crate) lasts: Duration,
    /// Whether a source has several files, which may all be in quarantine.
    pub(crate) has_folders: bool,
}

/// The memory of an engine across processes.
pub(crate) struct Trials {
    pub(super) rules: TrialRules,
    /// What is to be on disk.
    pub(super) record: TrialRecord,
    pub(super) trusted: Option<Fingerprints>,
    /// The configuration that readers see, where it is on trial. The record may name one that is only proposed.
    pub(super) applied: Option<OnTrial>,
    /// The record names content that is only read: it may kill the process before anything is made of it.
    pub(super) reading: bool,
    /// What an earlier process died with, until it is clear what the sources hold now.
    pub(super) before: Option<OnTrial>,
    /// What is new at this start is held back: the paths that changed when the process died last.
    pub(super) holds: Option<Vec<String>>,
    /// Counts the changes of the record.
    pub(super) version: u64,
    /// What follows once the record is on disk.
    pub(super) then: Option<Action>,
}

impl Trials {
    /// The memory of a start, and what it found.
    pub(super) fn new(past: Past, now: SystemTime) -> (Self, Option<Aftermath>) {
        let Past {
            mut record,
            died,
            trusted,
            rules,
        } = past;
        if rules.has_folders {
            record.has_folders();
        }
        let before = record.clone();
        let is_death = |trial: &OnTrial| {
            died && trial.running && Some(&trial.fingerprints) != trusted.as_ref()
        };
        let last = record.on_trial.clone().filter(is_death);
        let found = record.at_start(died, trusted.as_ref(), rules.tries, now);
        let last = last.filter(|_| record.is_in_a_row(rules.tries));
        let trials = Trials {
            rules,
            version: u64::from(record != before),
            reading: false,
            holds: last.map(|trial| trial.changed),
            before: record.on_trial.clone(),
            record,
            trusted,
            applied: None,
            then: None,
        };
        (trials, found)
    }

    /// What is known of the layers' contents.
    pub(super) fn known(&self) -> impl Iterator<Item = (&str, Fingerprint)> {
        let trusted = self.trusted.iter().flatten();
        let tried = self.record.on_trial.iter();
        let tried = tried.flat_map(|trial| &trial.fingerprints);
        let all = trusted.chain(tried);
        let all = all.map(|(layer, content)| (layer.as_str(), *content));
        let held = self.record.quarantined.iter();
        all.chain(held.map(|content| (content.layer.as_str(), content.fingerprint)))
    }

    /// The layers of which anything is trusted.
    pub(super) fn trusted_layers(&self) -> impl Iterator<Item = &str> {
        self.trusted
            .iter()
            .flatten()
            .map(|(layer, _)| layer.as_str())
    }

    /// Whether anything is trusted of a layer; the list is in the order of the keys.
    pub(in crate::engine::decide) fn trusts(&self, layer: &str) -> bool {
        self.trusted_print(layer).is_some()
    }

    /// What is trusted of a layer.
    pub(super) fn trusted_print(&self, layer: &str) -> Option<Fingerprint> {
        let trusted = self.trusted.as_ref()?;
        let at = trusted.binary_search_by(|(known, _)| known.as_str().cmp(layer));
        at.ok().map(|at| trusted[at].1)
    }

    /// The record, and the number of its newest change.
    pub(crate) fn record(&self) -> (&TrialRecord, u64) {
        (&self.record, self.version)
    }

    /// The configuration on trial that readers see.
    pub(crate) fn applied(&self) -> Option<&OnTrial> {
        self.applied.as_ref()
    }

    /// Whether the record that content is read is on its way to the disk.
    pub(in crate::engine::decide) fn is_reading(&self) -> bool {
        self.reading
    }

    pub(in crate::engine::decide) fn status(&self) -> Option<TrialStatus> {
        let applied = self.applied.as_ref()?;
        Some(TrialStatus::of(applied, self.rules.lasts))
    }

    pub(in crate::engine::decide) fn quarantined(&self) -> Vec<QuarantineStatus> {
        self.record
            .in_quarantine()
            .map(QuarantineStatus::of)
            .collect()
    }

    pub(super) fn put(&mut self, on_trial: Option<OnTrial>) {
        if self.record.on_trial != on_trial {
            self.record.on_trial = on_trial;
            self.version += 1;
        }
    }

    /// A configuration on trial, with what is held against its content already.
    pub(super) fn trial(
        &self,
        fingerprints: Fingerprints,
        generation: u64,
        changed: Vec<String>,
        now: Now,
    ) -> OnTrial {
        let tries = self.rules.tries;
        let mut trial = self
            .record
            .trial(fingerprints, generation, changed, tries, now.wall);
        let before = self.before.as_ref();
        if let Some(before) = before.filter(|one| one.fingerprints == trial.fingerprints) {
            trial.deaths = trial.deaths.max(before.deaths);
            if trial.changed.is_empty() {
                trial.changed.clone_from(&before.changed);
            }
        }
        trial
    }

    /// What was proposed is not applied.
    pub(super) fn withdraw(&mut self) {
        (self.then, self.reading) = (None, false);
        // Content that an earlier process died with keeps what is held against it, until other content serves.
        self.put(self.applied.clone().or_else(|| self.before.clone()));
    }

    /// The trial of what readers see since the last commit.
    pub(super) fn of_served(&mut self) -> Option<OnTrial> {
        match std::mem::take(&mut self.reading) {
            // It has turned out to be the same as before.
            true => self.applied.clone(),
            false => self.record.on_trial.clone().filter(|one| one.running),
        }
    }

    /// What readers see is what the last known good configuration contains from now on.
    pub(super) fn trust(&mut self, mut fingerprints: Fingerprints) {
        (self.applied, self.before, self.reading) = (None, None, false);
        self.put(None);
        let before = self.record.quarantined.len();
        self.record.forgive(&fingerprints);
        let had_row = self.record.end_row();
        self.version += u64::from(self.record.quarantined.len() != before || had_row);
        // A file that is gone is none from now on.
        fingerprints.retain(|(_, print)| *print != Fingerprint::GONE);
        self.trusted = Some(fingerprints);
    }

    /// A person trusts what the sources hold: no death counts any more, whatever is on trial now. Of content that was in quarantine,
    /// one more death puts it back. Answers whether there was any death.
    pub(super) fn forget_deaths(&mut self) -> bool {
        let had_before = self.before.take().is_some_and(|trial| trial.deaths > 0);
        let mut forgot = self.record.forget_suspects();
        self.version += u64::from(forgot);
        // What is about to be read or applied keeps its record.
        let mut recorded = self.record.on_trial.clone();
        recorded.take_if(|trial| !trial.running);
        let tries = self.rules.tries;
        for trial in self.applied.iter_mut().chain(&mut recorded) {
            let left = self.record.past_deaths(&trial.fingerprints, tries);
            forgot |= left < std::mem::replace(&mut trial.deaths, left);
        }
        self.put(recorded);
        forgot || had_before
    }

    /// When the first quarantine ends.
    pub(super) fn lifts_at(&self, now: Now) -> Option<Instant> {
        let held = self.record.in_quarantine().map(|content| content.until);
        let left = held.min()?.duration_since(now.wall).unwrap_or_default();
        Some(now.instant + left)
    }
}
