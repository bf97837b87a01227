//! What is held back because the process died with it, or because too many processes in a row died, and what ends that: its time, or
//! a person's trust.

use super::memory::{Past, Trials};
use crate::{
    engine::{
        decide::Engine,
        event::EngineEvent,
        fingerprint::{Fingerprint, FingerprintKey},
        layer_state::LayerState,
        now::Now,
        renumbered::Renumbered,
        trial_record::{Fingerprints, QuarantinedContent, beside},
        trusted::Trusted,
    },
    source::Observation,
};
use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

/// What is known of the layers' contents from the processes before, by the keys of the layers.
struct Remembered<'t> {
    key: FingerprintKey,
    known: HashMap<&'t str, Vec<Fingerprint>>,
    held: HashMap<&'t str, Vec<&'t QuarantinedContent>>,
    layers_in_quarantine: Vec<&'t str>,
}

impl<'t> Remembered<'t> {
    fn of(trials: &'t Trials) -> Self {
        let (mut known, mut held) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (layer, content) in trials.known() {
            known.entry(layer).or_default().push(content);
        }
        for content in trials.record.in_quarantine() {
            held.entry(&*content.layer).or_default().push(content);
        }
        Remembered {
            key: trials.record.key,
            known,
            held,
            layers_in_quarantine: trials.record.layers_in_quarantine(),
        }
    }

    /// Gives a layer what is known of it.
    fn of_layer(&self, state: &mut LayerState, key: &str) {
        let known = self.known.get(key).cloned().unwrap_or_default();
        let identities = state.identities.as_ref();
        state.identities = identities.map(|one| Box::new(one.with(self.key, known)));
        for content in self.held.get(key).into_iter().flatten() {
            let mut text = format!("is not applied: {}", content.sentence());
            if let Some(others) = beside(&self.layers_in_quarantine, key) {
                let _ = write!(
                    text,
                    "; in quarantine are {others}, too: one of them may be to blame alone, and each is tried without the others"
                );
            }
            state.quarantine.remember(content.fingerprint, text);
        }
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
        let remembered = Remembered::of(&trials);
        for (state, key) in self.layers.states.iter_mut().zip(keys) {
            remembered.of_layer(state, &key);
        }
        drop(remembered);
        if let Some(found) = found {
            self.events.push(EngineEvent::ProcessDied(found));
        }
        self.agenda.lifts_at = trials.lifts_at(now);
        // Files that are trusted and gone by now are absent, which may be what a process died of.
        let trusted: Vec<String> = trials.trusted_layers().map(str::to_owned).collect();
        self.trials = Some(Box::new(trials));
        let trusted: Vec<&str> = trusted.iter().map(|layer| &**layer).collect();
        self.expect_files(&trusted, now);
    }

    /// The same for layers that are new since.
    pub(in crate::engine) fn remember_new(&mut self, numbers: &Renumbered) {
        let Some(trials) = &self.trials else {
            return;
        };
        let keys = self.layers.keys();
        let remembered = Remembered::of(trials);
        for number in numbers.new_ones() {
            remembered.of_layer(&mut self.layers.states[number], &keys[number]);
        }
    }

    /// Whether the first content of a layer is held back.
    pub(in crate::engine) fn holds_first(&self) -> bool {
        let trials = self.trials.as_deref();
        trials.is_some_and(|trials| trials.holds.is_some())
    }

    /// Holds back the first content of a layer with this key, where too many processes in a row died with what they found.
    pub(in crate::engine) fn hold_first(
        &mut self,
        (layer, key): (usize, String),
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
        // A file of several that is gone, and that nobody knew, is no content.
        let is_nothing = content.is_none() && state.drop_in.is_some() && !trials.trusts(&key);
        let found = (key, state.fingerprint(content));
        let trusted = trials.trusted.iter().flatten().any(|one| *one == found);
        if trusted || is_nothing || state.decoder.is_none() {
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
        let (names, folders) = (self.layers.declared_names(), self.layers.folders());
        let is_file =
            |known: &str| (0..folders.len()).any(|folder| names.file(folder, known).is_some());
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
            let held = trials.record.in_quarantine();
            let held: HashSet<(&str, Fingerprint)> = held
                .map(|content| (&*content.layer, content.fingerprint))
                .collect();
            for (state, key) in self.layers.states.iter_mut().zip(&keys) {
                let is_held = |print| held.contains(&(&**key, print));
                let lifted = state.quarantine.forget(|print| !is_held(print));
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
