//! The engine without tasks, clocks or sockets: it is told what happened and says what to do.

use super::{
    build::Built,
    commit::{Flight, whole_entry},
    generations::{GenerationOutcome, Generations},
    history::History,
    slot::Slot,
    state::State,
    status::{LayerStatus, Status},
};
use crate::{
    Report, Snapshot,
    codec::Unknown,
    layer::{Config, Layer},
    observe::{self, Refused},
    pipeline::{BoxError, Request},
    report::{Entry, Keeping},
    source::{Health, Observation},
};
use std::{sync::Arc, time::SystemTime};

/// A user's reducer: the value readers see and the layers, lowest first, to the folded layer.
pub(crate) type Reducer<C> = Arc<
    dyn Fn(Option<&C>, &[&<C as Config>::Layer]) -> Result<<C as Config>::Layer, BoxError>
        + Send
        + Sync,
>;

pub(crate) struct Core<C: Config> {
    pub(crate) name: String,
    pub(crate) slots: Vec<Slot<C::Layer>>,
    pub(crate) unknown: Unknown,
    pub(crate) reducer: Option<Reducer<C>>,
    /// All of its newest content or none: other config types depend on it.
    pub(crate) grouped: bool,
    /// Nothing newer is taken up.
    pub(crate) pinned: bool,
    /// Something was applied since the start.
    pub(super) begun: bool,
    /// What readers see came from other documents than those that were last kept on disk.
    pub(crate) unsaved: bool,
    pub(super) state: State,
    pub(super) since: SystemTime,
    pub(super) current: Option<Arc<Snapshot<C>>>,
    /// What the layers said for it, before stages made something else of it.
    pub(super) said: Option<Arc<Snapshot<C>>>,
    pub(super) error: Option<Report>,
    pub(super) history: History,
    pub(super) flight: Option<Flight<C>>,
    pub(crate) generations: Generations<C>,
    /// The highest number that was given.
    pub(super) last_generation: u64,
    /// Paths that keep their running values until a restart.
    pub(super) held: Vec<String>,
    /// The number of the newest update, its correlation id.
    pub(super) update: u64,
}

/// What an update asks for.
pub(crate) enum Step<C> {
    /// It is over; nothing changed for readers.
    Settled,
    /// Run the pipeline and say what it answered.
    Run(Request<C>),
}

impl<C: Config> Core<C> {
    pub(crate) fn new(
        name: String,
        slots: Vec<Slot<C::Layer>>,
        unknown: Unknown,
        reducer: Option<Reducer<C>>,
        history: usize,
        generations: usize,
        current: Option<Arc<Snapshot<C>>>,
    ) -> Self {
        Core {
            name,
            slots,
            unknown,
            reducer,
            state: State::Loading,
            since: SystemTime::now(),
            current,
            said: None,
            error: None,
            history: History::new(history),
            flight: None,
            grouped: false,
            pinned: false,
            begun: false,
            unsaved: false,
            generations: Generations::new(generations),
            last_generation: 0,
            held: Vec::new(),
            update: 0,
        }
    }

    /// The number of the configuration that readers see; 0 before the first.
    pub(crate) fn generation(&self) -> u64 {
        self.current.as_deref().map_or(0, Snapshot::generation)
    }

    /// The number of the newest update.
    pub(crate) fn update_id(&self) -> u64 {
        self.update
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn error(&self) -> Option<&Report> {
        self.error.as_ref()
    }

    /// The origins that have not said anything yet.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let silent = self.slots.iter().filter(|slot| !slot.seen());
        silent.map(|slot| slot.origin.clone()).collect()
    }

    /// A source observed something; answers whether it is news.
    pub(crate) fn observe(&mut self, layer: usize, observation: Observation) -> bool {
        let slot = &mut self.slots[layer];
        let news = slot.observe(observation);
        if news {
            observe::change_received(&self.name, &slot.origin);
        }
        news
    }

    pub(crate) fn health(&mut self, layer: usize, health: Health) {
        self.slots[layer].health = health;
    }

    /// A source that ended without a word is not waited for.
    pub(crate) fn closed(&mut self, layer: usize) {
        let slot = &mut self.slots[layer];
        if matches!(slot.health, Health::Closed) && !slot.seen() {
            slot.never_heard();
        }
    }

    /// Whether the first update since the start was refused.
    pub(crate) fn failed_to_start(&self) -> Option<&Report> {
        self.error.as_ref().filter(|_| !self.begun)
    }

    /// Whether what readers see is taken back if the program turns unhealthy now.
    pub(crate) fn on_probation(&self) -> bool {
        let kept = self.generations.find(self.generation());
        kept.is_some_and(|kept| kept.record.outcome == GenerationOutcome::OnProbation)
    }

    /// Takes up everything that is pending.
    pub(crate) fn update(&mut self) -> Step<C> {
        self.update += 1;
        let mut warnings = Vec::new();
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let entries = slot.take_up::<C>(self.unknown, self.update);
            warnings.extend(entries.into_iter().map(|entry| entry.layer(number)));
        }
        if !warnings.is_empty() {
            observe::warned(&self.name, &self.report(warnings, Keeping::Applied));
        }
        let refusals = self.diagnose(self.refusals());
        if (self.slots.iter()).any(|slot| slot.candidate.is_none() && slot.accepted.is_none()) {
            return self.refuse(Refused::Transform, refusals);
        }
        let newest: Vec<bool> = (self.slots.iter())
            .map(|slot| slot.candidate.is_some())
            .collect();
        let problems = match self.build(&newest) {
            Ok(built) => return self.propose(built, newest, refusals),
            Err(problems) => problems,
        };
        let mut entries = refusals;
        entries.extend(self.locate(problems, &newest));
        if let Some((built, chosen)) = self.without_what_is_bad(&newest) {
            return self.propose(built, chosen, entries);
        }
        // What is kept on disk serves until there is something good.
        let kept = vec![false; self.slots.len()];
        let whole = self.slots.iter().all(|slot| slot.accepted.is_some());
        if self.current.is_none()
            && whole
            && let Ok(built) = self.build(&kept)
        {
            return self.propose(built, kept, entries);
        }
        self.refuse(Refused::Validation, entries)
    }

    /// Why the newest content of the layers could not be decoded.
    pub(super) fn refusals(&self) -> Vec<Entry> {
        let mut refusals = Vec::new();
        for (number, slot) in self.slots.iter().enumerate() {
            let entries = slot.refusal.iter().flatten().cloned();
            refusals.extend(entries.map(|entry| entry.layer(number)));
        }
        refusals
    }

    /// Content that is refused must not block what is good: of the candidates, those that make a valid value, the newest first.
    /// What was taken up together stays together.
    fn without_what_is_bad(&mut self, newest: &[bool]) -> Option<(Built<C>, Vec<bool>)> {
        let candidates = self.slots.iter().zip(newest);
        let mut updates: Vec<u64> = candidates
            .filter(|(_, candidate)| **candidate)
            .map(|(slot, _)| slot.since)
            .collect();
        updates.sort_unstable_by(|a, b| b.cmp(a));
        updates.dedup();
        let mut best = None;
        let mut chosen = vec![false; self.slots.len()];
        for update in updates {
            let slots = self.slots.iter().zip(newest).zip(&chosen);
            let with: Vec<bool> = slots
                .map(|((slot, candidate), chosen)| *chosen || *candidate && slot.since == update)
                .collect();
            let possible =
                (self.slots.iter().zip(&with)).all(|(slot, with)| *with || slot.accepted.is_some());
            if with != newest
                && possible
                && let Ok(built) = self.build(&with)
            {
                best = Some((built, with.clone()));
                chosen = with;
            }
        }
        best
    }

    /// The user's own code panicked where nothing else caught it.
    pub(crate) fn panicked(&mut self, text: &str) -> Step<C> {
        self.flight = None;
        let entry = whole_entry("", format!("taking it up panicked: {text}"));
        self.refuse(Refused::Validation, vec![entry])
    }

    pub(crate) fn status(&self, running: bool) -> Status {
        Status {
            name: self.name.clone(),
            state: self.state,
            since: self.since,
            running,
            generation: self.generation(),
            applied: self.current.as_deref().map(Snapshot::applied),
            error: self.error.clone(),
            pending_restart: self.held.clone(),
            on_probation: self.on_probation(),
            pinned: self.pinned,
            generations: self.generations.records(),
            layers: self.slots.iter().map(layer_status).collect(),
            history: self.history.to_vec(),
        }
    }
}

fn layer_status<L: Layer>(slot: &Slot<L>) -> LayerStatus {
    LayerStatus {
        origin: slot.origin.clone(),
        health: slot.health.clone(),
        present: slot.present(),
        changed: slot.changed,
        received: slot.received,
        revision: slot.revision.clone(),
        refused: slot.refusal.is_some() || slot.candidate.is_some(),
    }
}
