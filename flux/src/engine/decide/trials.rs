//! Which configuration needs a record on disk before it is applied, and when it is trusted.

mod held_back;
mod memory;

pub(super) use memory::Trials;
#[cfg(feature = "json")]
pub(crate) use memory::{Past, TrialRules};

use super::{Engine, dotted};
use crate::{
    engine::{
        content::LayerContent,
        event::EngineEvent,
        fingerprint::Fingerprint,
        layer_state::LayerState,
        now::Now,
        proposal::Action,
        trial_record::{Fingerprints, shortened},
    },
    problem::{self, Seg},
    time::after,
};
use std::{borrow::Cow, collections::BTreeMap, time::Instant};

impl Engine {
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
        let mut prints = self.served_prints(self.trials.as_ref()?);
        prints.retain(|(_, print)| *print != Fingerprint::GONE);
        Some(prints)
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
                LayerContent::Kept(_) if state.drop_in.is_some() => trials.trusted_print(&key)?,
                LayerContent::Kept(_) => trials.trusted_print(&key).unwrap_or(Fingerprint(0)),
                // A file of several that is gone is none that is there and contains nothing.
                LayerContent::Silent(None) if state.drop_in.is_some() => {
                    trials.trusted_print(&key).map(|_| Fingerprint::GONE)?
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
        let mut prints: BTreeMap<String, Fingerprint> = served.iter().cloned().collect();
        for (state, key) in self.layers.states.iter().zip(self.layers.keys()) {
            let Some(content) = state.incoming() else {
                continue;
            };
            let is_file = state.drop_in.is_some();
            if is_file && content.is_none() && !trials.trusts(&key) {
                prints.remove(&key);
            } else if is_file || prints.contains_key(&key) {
                prints.insert(key, state.fingerprint(content.as_deref()));
            }
        }
        let fingerprints: Fingerprints = prints.into_iter().collect();
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
