//! What is held back because the process died with it, or because too many processes in a row died, and what ends that: its time, or
//! a person's trust.

use super::memory::{Past, Trials};
use crate::engine::{
    decide::Engine,
    event::EngineEvent,
    fingerprint::{Fingerprint, FingerprintKey},
    now::Now,
    trial_record::Fingerprints,
    trusted::Trusted,
};
use crate::engine::{layer_state::LayerState, renumbered::Renumbered};
use crate::source::Observation;
use std::fmt::Write as _;

/// What is known of a layer from the processes before.
fn remember_layer(state: &mut LayerState, key: &str, trials: &Trials) {
    let of_layer = trials.known(key);
    let identities = state.identities.as_ref();
    state.identities = identities.map(|one| Box::new(one.with(trials.record.key, of_layer)));
    let held = trials.record.in_quarantine();
    for content in held.filter(|content| content.layer == key) {
        let mut text = format!("is not applied: {}", content.sentence());
        if let Some(others) = trials.record.in_quarantine_beside(key) {
            let _ = write!(
                text,
                "; in quarantine are {others}, too: one of them may be to blame alone, and each is tried without the others"
            );
        }
        state.quarantine.remember(content.fingerprint, text);
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
            remember_layer(state, &key, &trials);
        }
        if let Some(found) = found {
            self.events.push(EngineEvent::ProcessDied(found));
        }
        self.agenda.lifts_at = trials.lifts_at(now);
        self.trials = Some(Box::new(trials));
    }

    /// The same for layers that are new since.
    pub(in crate::engine) fn remember_new(&mut self, numbers: &Renumbered) {
        let Some(trials) = &self.trials else {
            return;
        };
        let keys = self.layers.keys();
        for number in numbers.new_ones() {
            remember_layer(&mut self.layers.states[number], &keys[number], trials);
        }
    }

    /// Holds back the first content of a layer, where too many processes in a row died with what they found.
    pub(in crate::engine) fn hold_first(
        &mut self,
        layer: usize,
        observation: &Observation,
        now: Now,
    ) {
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
        // The files of a source of several are not read yet.
        let is_file = |known: &str| {
            let mut states = self.layers.states.iter();
            states.any(|state| {
                let drop_ins = state.drop_ins.as_ref();
                drop_ins.is_some_and(|one| one.file_called(known).is_some())
            })
        };
        trusted.retain(|(known, _)| keys.contains(known) || is_file(known));
        let unknown = self.layers.states.iter().zip(keys);
        let unknown = unknown.filter(|(state, layer)| {
            state.decoder.is_some()
                && state.drop_in.is_none()
                && !trusted.iter().any(|(known, _)| known == layer)
        });
        let absent: Vec<_> = unknown
            .map(|(_, layer)| (layer, Fingerprint::of(key, None)))
            .collect();
        trusted.extend(absent);
        trusted.sort_by(|one, other| one.0.cmp(&other.0));
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
}
