//! Which configuration needs a record on disk before it is applied, when it is trusted, and what is held back because the process
//! died.

mod memory;

pub(crate) use memory::Past;
#[cfg(feature = "json")]
pub(crate) use memory::TrialRules;
pub(super) use memory::Trials;

use super::{Engine, dotted};
use crate::{
    engine::{
        content::LayerContent,
        event::EngineEvent,
        fingerprint::{Fingerprint, FingerprintKey},
        layer_state::LayerState,
        now::Now,
        proposal::Action,
        trial_record::{Fingerprints, shortened},
        trusted::Trusted,
    },
    problem::{self, Seg},
    source::Observation,
    time::after,
};
use std::{borrow::Cow, fmt::Write as _, time::Instant};

impl Engine {
    /// Gives the engine what is known of the processes before it; before anything is observed.
    pub(crate) fn remember(&mut self, mut past: Past, now: Now) {
        if let Some(trusted) = &mut past.trusted {
            self.fit_layers(trusted, past.record.key);
        }
        let (trials, found) = Trials::new(past, now.wall);
        let keys = self.layers.keys();
        for (state, key) in self.layers.states.iter_mut().zip(keys) {
            let of_layer = trials.known(&key);
            let identities = state.identities.as_ref();
            state.identities =
                identities.map(|one| Box::new(one.with(trials.record.key, of_layer)));
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
        self.trials = Some(Box::new(trials));
    }

    /// Holds back the first content of a layer, where too many processes in a row died with what they found.
    pub(super) fn hold_first(&mut self, layer: usize, observation: &Observation, now: Now) {
        let Some(trials) = self.trials.as_mut() else {
            return;
        };
        let state = &self.layers.states[layer];
        let content = match observation {
            Observation::Value(content) => Some(&*content.bytes),
            Observation::Absent => None,
            Observation::Unreadable(_) => return,
        };
        let Some(changed) = trials.holds.as_ref().filter(|_| state.is_first()) else {
            return;
        };
        let key = self.layers.keys().swap_remove(layer);
        let found = (key, state.fingerprint(content));
        let trusted = trials.trusted.iter().flatten().any(|one| *one == found);
        if trusted || state.decoder.is_none() {
            return;
        }
        let (key, content) = found;
        if let Some(why) = trials.record.hold(&key, content, changed, now.wall) {
            trials.version += 1;
            let text = format!("is not applied: {why}");
            self.layers.states[layer].quarantine.remember(content, text);
            self.agenda.lifts_at = trials.lifts_at(now);
        }
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
        self.trials.as_deref()
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
                content => state.fingerprint(content.bytes().as_deref()),
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
                entry.1 = state.fingerprint(content.as_deref());
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
        let applied = trials.applied.as_ref();
        let applied = applied.map_or(&[][..], |applied| &applied.changed);
        let paths = all_paths(applied, dotted(changed));
        let trial = trials.trial(fingerprints, number, paths, now);
        trials.put(Some(trial));
        trials.reading = false;
        trials.then = Some(action);
        Action::Record
    }

    /// Whether it is not known yet in which paths the configuration on trial differs from the last known good one.
    pub(crate) fn lacks_trial_paths(&self) -> bool {
        let trials = self.trials.as_ref();
        let on_trial = trials.and_then(|trials| trials.record.on_trial.as_ref());
        on_trial.is_some_and(|trial| trial.changed.is_empty())
    }

    /// The paths in which what is on trial differs from what readers see, or at the start from the last known good configuration;
    /// only where [they are not known](Engine::lacks_trial_paths).
    pub(crate) fn describe_trial(&mut self, changed: Vec<String>) {
        if let Some(trials) = &mut self.trials
            && let Some(mut trial) = trials.record.on_trial.clone()
        {
            let applied = trials.applied.as_ref();
            let applied = applied.map_or(&[][..], |applied| &applied.changed);
            trial.changed = all_paths(applied, changed);
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
        let forgot = trials.record.forget_suspects() | trials.record.end_row();
        trials.version += u64::from(forgot);
        self.events.push(EngineEvent::TrialPassed);
        true
    }

    /// Ends the first quarantine whose time is over, or every one where a person trusts them. Answers whether content is to be taken up
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
            true => {
                trials.holds = None;
                trials.version += u64::from(trials.record.end_row());
                trials.record.lift(|_| true)
            }
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

    /// A person trusts the content of the sources: the trial of what readers see is passed, every quarantine ends, and no death counts
    /// any more. What was in quarantine is to be taken up again.
    pub(crate) fn trust(&mut self, now: Now) -> Trusted {
        let Some(trials) = &self.trials else {
            return Trusted::default();
        };
        let lifted = trials.quarantined();
        let row = trials.record.in_a_row.as_ref();
        let row = row.map_or(0, |row| row.contents);
        let on_probation = self.on_probation();
        let passed = !on_probation && self.pass_trial(true, now.instant);
        self.lift_quarantine(true, now);
        let trials = self.trials.as_deref_mut();
        let forgot = trials.is_some_and(Trials::forget_deaths);
        let generation = self.generation();
        let pinned = self.pinned && self.current.is_some();
        Trusted {
            passed: passed.then_some(generation),
            lifted,
            forgotten: row.max(u32::from(forgot)),
            on_probation: on_probation.then_some(generation),
            pinned: pinned.then_some(generation),
        }
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

/// What has changed already, and what changes besides.
fn all_paths(already: &[String], besides: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut paths = already.to_vec();
    // A key may be as long as its document, and the record has a bound.
    let short = |path: String| match problem::shortened(&path) {
        Cow::Owned(short) => short,
        Cow::Borrowed(_) => path,
    };
    paths.extend(besides.into_iter().map(short));
    paths.retain(|path| seen.insert(path.clone()));
    shortened(paths)
}
