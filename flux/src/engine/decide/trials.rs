//! Trials that outlive the process: which configuration needs a record before it is applied, when it is trusted, and what is held
//! back because the process died.

use super::{Engine, dotted};
use crate::{
    engine::{
        content::LayerContent,
        event::EngineEvent,
        fingerprint::{Fingerprint, FingerprintKey},
        layer_state::LayerState,
        now::Now,
        proposal::Action,
        status::{QuarantineStatus, TrialStatus},
        trial_record::{Aftermath, Fingerprints, OnTrial, TrialRecord},
    },
    problem::Seg,
    time::after,
};
use std::{
    fmt::Write as _,
    time::{Duration, Instant, SystemTime},
};

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
}

/// The memory of an engine across processes.
pub(crate) struct Trials {
    rules: TrialRules,
    /// What is to be on disk.
    record: TrialRecord,
    trusted: Option<Fingerprints>,
    /// The configuration that readers see, where it is on trial. The record may name one that is only proposed.
    applied: Option<OnTrial>,
    /// The record names content that is only read: it may kill the process before anything is made of it.
    reading: bool,
    /// What an earlier process died with, until it is clear what the sources hold now.
    before: Option<OnTrial>,
    /// Counts the changes of the record.
    version: u64,
    /// What follows once the record is on disk.
    then: Option<Action>,
}

impl Trials {
    /// The memory of a start, and what it found.
    fn new(past: Past, now: SystemTime) -> (Self, Option<Aftermath>) {
        let Past {
            mut record,
            died,
            trusted,
            rules,
        } = past;
        let before = record.clone();
        let found = record.at_start(died, trusted.as_ref(), rules.tries, now);
        let trials = Trials {
            rules,
            version: u64::from(record != before),
            reading: false,
            before: record.on_trial.clone(),
            record,
            trusted,
            applied: None,
            then: None,
        };
        (trials, found)
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
    pub(super) fn is_reading(&self) -> bool {
        self.reading
    }

    pub(super) fn status(&self) -> Option<TrialStatus> {
        self.applied.as_ref().map(TrialStatus::of)
    }

    pub(super) fn quarantined(&self) -> Vec<QuarantineStatus> {
        self.record
            .in_quarantine()
            .map(QuarantineStatus::of)
            .collect()
    }

    fn put(&mut self, on_trial: Option<OnTrial>) {
        if self.record.on_trial != on_trial {
            self.record.on_trial = on_trial;
            self.version += 1;
        }
    }

    /// A configuration on trial, with what is held against its content already.
    fn trial(
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
    fn withdraw(&mut self) {
        (self.then, self.reading) = (None, false);
        // Content that an earlier process died with keeps what is held against it, until other content serves.
        self.put(self.applied.clone().or_else(|| self.before.clone()));
    }

    /// The trial of what readers see since the last commit.
    fn of_served(&mut self) -> Option<OnTrial> {
        match std::mem::take(&mut self.reading) {
            // It has turned out to be the same as before.
            true => self.applied.clone(),
            false => self.record.on_trial.clone().filter(|one| one.running),
        }
    }

    /// What readers see is what the last known good configuration contains from now on.
    fn trust(&mut self, fingerprints: Fingerprints) {
        (self.applied, self.before, self.reading) = (None, None, false);
        self.put(None);
        let before = self.record.quarantined.len();
        self.record.forgive(&fingerprints);
        self.version += u64::from(self.record.quarantined.len() != before);
        self.trusted = Some(fingerprints);
    }

    /// When the first quarantine ends.
    fn lifts_at(&self, now: Now) -> Option<Instant> {
        let held = self.record.in_quarantine().map(|content| content.until);
        let left = held.min()?.duration_since(now.wall).unwrap_or_default();
        Some(now.instant + left)
    }
}

impl Engine {
    /// Gives the engine what is known of the processes before it; before anything is observed.
    pub(crate) fn remember(&mut self, mut past: Past, now: Now) {
        if let Some(trusted) = &mut past.trusted {
            self.fit_layers(trusted, past.record.key);
        }
        let (trials, found) = Trials::new(past, now.wall);
        let keys = self.layers.keys();
        for (state, key) in self.layers.states.iter_mut().zip(keys) {
            state.quarantine.key = Some(trials.record.key);
            for content in trials
                .record
                .in_quarantine()
                .filter(|content| content.layer == key)
            {
                let mut text = format!("is not applied: {}", content.sentence());
                if let Some(others) = trials.record.in_quarantine_beside(&key) {
                    let _ = write!(
                        text,
                        "; in quarantine are {others}, too: one of them may be to blame alone, and each is tried without the others"
                    );
                }
                state.quarantine.remember(content.fingerprint, text);
            }
        }
        if let Some(found) = found {
            self.events.push(EngineEvent::ProcessDied(found));
        }
        self.agenda.lifts_at = trials.lifts_at(now);
        self.trials = Some(trials);
    }

    /// What is trusted, for the layers that there are now. A layer that the last known good configuration does not know, because it
    /// is new or because its file lists only what had a document, changes nothing without a document. One that is not declared any
    /// more has no content that could be held back.
    fn fit_layers(&self, trusted: &mut Fingerprints, key: FingerprintKey) {
        let keys = self.layers.keys();
        trusted.retain(|(known, _)| keys.contains(known));
        let unknown = self.layers.states.iter().zip(keys);
        let unknown = unknown.filter(|(state, layer)| {
            state.decoder.is_some() && !trusted.iter().any(|(known, _)| known == layer)
        });
        let absent: Vec<_> = unknown
            .map(|(_, layer)| (layer, Fingerprint::of(key, None)))
            .collect();
        trusted.extend(absent);
        trusted.sort_by(|one, other| one.0.cmp(&other.0));
    }

    /// The memory across processes, where there is one.
    pub(crate) fn trials(&self) -> Option<&Trials> {
        self.trials.as_ref()
    }

    /// Whether what readers see may still be held against the content that made it.
    #[cfg(feature = "json")]
    pub(crate) fn is_trusted(&self) -> bool {
        !self.on_trial() && !self.on_probation()
    }

    /// Whether the death of the process would be held against what readers see.
    pub(super) fn on_trial(&self) -> bool {
        let trials = self.trials.as_ref();
        trials.is_some_and(|trials| trials.applied.is_some())
    }

    /// What each layer with documents contains in what readers see; of what is from the disk, what was kept there.
    pub(crate) fn fingerprints(&self) -> Option<Fingerprints> {
        Some(self.served_prints(self.trials.as_ref()?))
    }

    fn served_prints(&self, trials: &Trials) -> Fingerprints {
        self.prints(trials, &[])
    }

    /// The fingerprints with the candidates of those layers that are `chosen`; the others contain what readers see.
    fn prints(&self, trials: &Trials, chosen: &[bool]) -> Fingerprints {
        let print = |(state, key, candidate): (&LayerState, String, bool)| {
            // The environment and the like: nothing of them is kept, whatever is known of them yet.
            state.decoder.as_ref()?;
            let content = match &state.candidate {
                Some(candidate_content) if candidate => candidate_content.content(),
                _ => state.content(),
            };
            let fingerprint = match &content {
                LayerContent::Given(_) => return None,
                LayerContent::Kept => {
                    let trusted = trials.trusted.iter().flatten();
                    let known = trusted.into_iter().find(|(known, _)| *known == key);
                    known.map_or(Fingerprint(0), |(_, known)| *known)
                }
                content => Fingerprint::of(trials.record.key, content.bytes().as_deref()),
            };
            Some((key, fingerprint))
        };
        let mut all: Fingerprints = (self
            .layers
            .states
            .iter()
            .zip(self.layers.keys())
            .zip(chosen.iter().chain(std::iter::repeat(&false))))
        .map(|((state, key), candidate)| (state, key, *candidate))
        .filter_map(print)
        .collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    /// Whether this is what the last known good configuration contains.
    pub(super) fn is_trusted_content(&self, chosen: &[bool]) -> bool {
        self.trials.as_ref().is_some_and(|trials| {
            let trusted = trials.trusted.as_ref();
            trusted.is_some_and(|trusted| *trusted == self.prints(trials, chosen))
        })
    }

    /// Whether the content that is to be taken up is recorded before it is read, since reading it may kill the process already.
    pub(crate) fn record_reading(&mut self, now: Now) -> bool {
        let Some(trials) = &self.trials else {
            return false;
        };
        let served = self.served_prints(trials);
        let mut fingerprints = served.clone();
        for (state, key) in self.layers.states.iter().zip(self.layers.keys()) {
            if let Some(content) = state.incoming()
                && let Some(entry) = fingerprints.iter_mut().find(|(known, _)| *known == key)
            {
                entry.1 = Fingerprint::of(trials.record.key, content.as_deref());
            }
        }
        let recorded = trials.record.on_trial.as_ref().filter(|one| one.running);
        if trials
            .trusted
            .as_ref()
            .is_none_or(|trusted| *trusted == fingerprints)
            || fingerprints == served
            || recorded.is_some_and(|one| one.fingerprints == fingerprints)
        {
            return false;
        }
        let number = self.last_generation + 1;
        let Some(trials) = &mut self.trials else {
            return false;
        };
        let trial = trials.trial(fingerprints, number, Vec::new(), now);
        trials.put(Some(trial));
        trials.reading = true;
        true
    }

    /// Whether this proposal is to be recorded before `action`. Nothing is where there is nothing to fall back on.
    pub(super) fn record_first(
        &mut self,
        action: Action,
        chosen: &[bool],
        changed: &[Vec<Seg>],
        now: Now,
    ) -> Action {
        let Some(trials) = &self.trials else {
            return action;
        };
        let fingerprints = self.prints(trials, chosen);
        let number = self.last_generation + 1;
        let Some(trials) = &mut self.trials else {
            return action;
        };
        match &trials.trusted {
            Some(trusted) if *trusted != fingerprints => {}
            _ => return action,
        }
        let mut paths = trials
            .applied
            .as_ref()
            .map_or(Vec::new(), |one| one.changed.clone());
        paths.extend(dotted(changed));
        let mut seen = std::collections::HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        let trial = trials.trial(fingerprints, number, paths, now);
        trials.put(Some(trial));
        trials.reading = false;
        trials.then = Some(action);
        Action::Record
    }

    /// The paths in which the configuration that is about to be applied differs from the last known good one.
    pub(crate) fn describe_trial(&mut self, changed: Vec<String>) {
        if let Some(trials) = &mut self.trials
            && let Some(mut trial) = trials.record.on_trial.clone()
            && trial.changed.is_empty()
        {
            trial.changed = changed;
            trials.put(Some(trial));
        }
    }

    /// The record is on disk, or cannot be: the update goes on.
    pub(crate) fn recorded(&mut self) -> Action {
        let then = self.trials.as_mut().and_then(|trials| trials.then.take());
        then.filter(|_| self.proposal.is_some())
            .unwrap_or(Action::Nothing)
    }

    /// What was read is not applied.
    pub(super) fn forget_reading(&mut self) {
        if let Some(trials) = self.trials.as_mut().filter(|trials| trials.reading) {
            trials.withdraw();
        }
    }

    /// What was proposed is not applied.
    pub(super) fn withdraw_trial(&mut self) {
        if let Some(trials) = &mut self.trials {
            trials.withdraw();
        }
    }

    /// Readers see something else, or the same from other content: it is on trial, or trusted.
    pub(super) fn review_trial(&mut self, back: bool, now: Now) {
        let Some(trials) = &self.trials else { return };
        let on_probation = self.on_probation();
        let fingerprints = self.served_prints(trials);
        let whole = self.layers.contents().is_some();
        let generation = self.generation();
        let Some(trials) = &mut self.trials else {
            return;
        };
        let is_trusted = trials
            .trusted
            .as_ref()
            .is_none_or(|trusted| *trusted == fingerprints);
        if is_trusted {
            // What is partly from the disk is not kept there again.
            if whole && !on_probation {
                trials.trust(fingerprints);
            } else {
                trials.applied = None;
                trials.withdraw();
            }
            self.agenda.passes_at = None;
        } else if back {
            // A generation of before may never have been trusted.
            let trial = trials.trial(fingerprints, generation, Vec::new(), now);
            trials.applied = Some(trial.clone());
            trials.put(Some(trial));
            let lasts = trials.rules.lasts;
            self.agenda.passes_at = (!on_probation).then(|| after(now.instant, lasts));
        } else if let Some(mut trial) = trials.of_served() {
            let same = trials
                .applied
                .as_ref()
                .is_some_and(|one| one.generation == trial.generation);
            trial.fingerprints = fingerprints;
            trials.applied = Some(trial.clone());
            trials.before = None;
            trials.put(Some(trial));
            if !same {
                self.agenda.passes_at =
                    (!on_probation).then(|| after(now.instant, trials.rules.lasts));
                self.events.push(EngineEvent::OnTrial { generation });
            }
        } else if whole && !on_probation {
            // The same configuration from other bytes.
            trials.trust(fingerprints);
            self.agenda.passes_at = None;
        } else {
            trials.withdraw();
        }
    }

    /// The trial of what readers see is passed, if that is due or a probation has confirmed it. Answers whether it is.
    pub(super) fn pass_trial(&mut self, confirmed: bool, now: Instant) -> bool {
        if !confirmed && self.agenda.passes_at.is_none_or(|at| at > now) {
            return false;
        }
        self.agenda.passes_at = None;
        let Some(trials) = self.trials.as_ref().filter(|one| one.applied.is_some()) else {
            return false;
        };
        let fingerprints = self.served_prints(trials);
        let whole = self.layers.contents().is_some();
        let Some(trials) = &mut self.trials else {
            return false;
        };
        match whole {
            true => trials.trust(fingerprints),
            false => {
                // What is partly from the disk cannot become the last known good one; it has survived all the same, and what is in
                // quarantine beside it is to blame alone from now on.
                if let Some(survived) = trials.applied.take() {
                    trials.record.forgive(&survived.fingerprints);
                    trials.version += 1;
                }
                trials.put(None);
            }
        }
        trials.version += u64::from(trials.record.forget_suspects());
        self.events.push(EngineEvent::TrialPassed);
        true
    }

    /// Ends the first quarantine whose time is over, or every one where a person says so. Answers whether content is to be taken up
    /// again. By time they end one after the other, and none during a trial: so each content is tried without the others, and where
    /// one of them kills the process the others are found innocent.
    pub(crate) fn lift_quarantine(&mut self, by_hand: bool, now: Now) -> bool {
        let on_trial = self.on_trial();
        let Some(trials) = self.trials.as_mut().filter(|_| by_hand || !on_trial) else {
            return false;
        };
        // By either clock: the calendar's may be set back.
        let due = self.agenda.lifts_at.is_some_and(|at| at <= now.instant);
        let lifted = match by_hand {
            true => trials.record.lift(|_| true),
            false => trials.record.lift_first(|until| due || until <= now.wall),
        };
        if lifted {
            trials.version += 1;
            let keys = self.layers.keys();
            for (state, key) in self.layers.states.iter_mut().zip(&keys) {
                let held = |print| {
                    trials
                        .record
                        .in_quarantine()
                        .any(|content| content.is(key, print))
                };
                let lifted = state.quarantine.forget(|print| !held(print));
                if lifted {
                    state.judge_again();
                }
            }
            self.events.push(EngineEvent::Lifted);
        }
        self.agenda.lifts_at = trials.lifts_at(now);
        lifted
    }

    /// A person trusts the content of the sources: the trial of what readers see is passed, and every quarantine ends. Answers
    /// whether there was either, and whether content is to be taken up again.
    pub(crate) fn trust(&mut self, now: Now) -> (bool, bool) {
        let passed = !self.on_probation() && self.pass_trial(true, now.instant);
        let lifted = self.lift_quarantine(true, now);
        (passed || lifted, lifted)
    }

    /// The capacitor is stopped in good order, which is no death.
    pub(crate) fn end_trial(&mut self) {
        if let Some(trials) = &mut self.trials {
            // What was only proposed will not be applied.
            trials.withdraw();
            if let Some(mut trial) = trials.applied.take() {
                trial.running = false;
                trials.put(Some(trial));
            }
        }
    }
}
