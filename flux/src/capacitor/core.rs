//! The engine without tasks, clocks or sockets: it is told what happened and says what to do.

use super::{
    commit::{Flight, dotted},
    generations::{GenerationOutcome, Generations},
    history::History,
    slot::{Slot, Version},
    state::State,
    status::{LayerStatus, Status},
};
use crate::{
    Report, Snapshot,
    codec::{self, Unknown},
    config::{Config, Diff},
    layer::{Layer, Problem, finish::Cx, path::What, said},
    observe::{self, Refused},
    pipeline::{BoxError, Request},
    report::{Entry, Keeping},
    rules::panic_text,
    source::{Health, Observation},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::SystemTime,
};

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
    pub(super) state: State,
    pub(super) since: SystemTime,
    pub(super) current: Option<Arc<Snapshot<C>>>,
    pub(super) error: Option<Report>,
    pub(super) history: History,
    pub(super) flight: Option<Flight>,
    pub(crate) generations: Generations<C>,
    /// The highest number that was given.
    pub(super) last_generation: u64,
    /// Paths that keep their running values until a restart.
    pub(super) held: Vec<String>,
    /// The number of the newest update, its correlation id.
    pub(super) update: u64,
}

/// A value that keeps every rule.
pub(super) struct Built<C> {
    pub(super) value: C,
    /// The paths at which it keeps what runs now, until a restart.
    pub(super) held: Vec<String>,
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
        let last_generation = current.as_deref().map_or(0, Snapshot::generation);
        Core {
            name,
            slots,
            unknown,
            reducer,
            state: State::Loading,
            since: SystemTime::now(),
            current,
            error: None,
            history: History::new(history),
            flight: None,
            grouped: false,
            pinned: false,
            generations: Generations::new(generations),
            last_generation,
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

    /// Takes up everything that is pending.
    pub(crate) fn update(&mut self) -> Step<C> {
        for slot in &mut self.slots {
            slot.fresh = false;
        }
        let mut warnings = Vec::new();
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let entries = slot.take_up::<C>(self.unknown);
            warnings.extend(entries.into_iter().map(|entry| entry.layer(number)));
        }
        if !warnings.is_empty() {
            observe::warned(&self.name, &self.report(warnings, Keeping::Applied));
        }
        let mut refusals = Vec::new();
        for (number, slot) in self.slots.iter().enumerate() {
            let entries = slot.refusal.iter().flatten().cloned();
            refusals.extend(entries.map(|entry| entry.layer(number)));
        }
        if self
            .slots
            .iter()
            .any(|slot| slot.candidate.is_none() && slot.accepted.is_none())
        {
            let refusals = self.diagnose(refusals);
            return self.refuse(Refused::Transform, refusals);
        }
        let refusals = self.diagnose(refusals);
        let newest: Vec<bool> = self
            .slots
            .iter()
            .map(|slot| slot.candidate.is_some())
            .collect();
        let problems = match self.build(&newest) {
            Ok(built) => return self.propose(built, newest, refusals),
            Err(problems) => problems,
        };
        let mut entries = refusals;
        entries.extend(self.locate(problems, &newest));
        // Content that was refused before must not block what is good now.
        let fresh: Vec<bool> = self
            .slots
            .iter()
            .map(|slot| slot.fresh && slot.candidate.is_some())
            .collect();
        let possible = self
            .slots
            .iter()
            .zip(&fresh)
            .all(|(slot, fresh)| *fresh || slot.accepted.is_some());
        if possible
            && fresh != newest
            && fresh.contains(&true)
            && let Ok(built) = self.build(&fresh)
        {
            return self.propose(built, fresh, entries);
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

    /// Folds the chosen versions, builds the struct and checks its rules.
    fn build(&mut self, candidates: &[bool]) -> Result<Built<C>, Vec<Problem>> {
        let running = self
            .current
            .clone()
            .filter(|_| self.state != State::Loading);
        let built = catch_unwind(AssertUnwindSafe(|| {
            let folded = self.fold(candidates)?;
            let mut cx = Cx::default();
            let value = C::finish(folded, &mut cx);
            if let Some(value) = &value {
                value.validate(&mut cx);
                if let Some(running) = &running {
                    value.transition(running, &mut cx);
                }
            }
            let problems = cx.into_problems();
            match value {
                Some(value) if problems.is_empty() => hold(value, running.as_deref()),
                _ => Err(problems),
            }
        }));
        built.unwrap_or_else(|panic| {
            Err(whole(What::Panic(format!(
                "building it panicked: {}",
                panic_text(&*panic)
            ))))
        })
    }

    /// Adds what else is wrong with content that could only be read in part: its broken rules and missing values.
    fn diagnose(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        if self.slots.iter().all(|slot| slot.partial.is_none()) {
            return entries;
        }
        let mut base = C::Layer::default();
        for slot in &mut self.slots {
            let decoder = slot.decoder.as_ref();
            if let Some(version) = slot.candidate.as_mut().or(slot.accepted.as_mut())
                && let Some(layer) = version.layer::<C>(decoder)
            {
                base.over(layer);
            }
            if let Some(partial) = &slot.partial {
                base.over(partial);
            }
        }
        let found = catch_unwind(AssertUnwindSafe(|| {
            let mut cx = Cx::default();
            if let Some(value) = C::finish(base, &mut cx) {
                value.validate(&mut cx);
            }
            cx.into_problems()
        }));
        for problem in found.unwrap_or_default() {
            if entries.iter().any(|entry| entry.concerns(&problem.path)) {
                continue;
            }
            let mut entry = Entry::new("", problem.clone());
            for (number, slot) in self.slots.iter().enumerate() {
                let said = slot
                    .partial
                    .as_ref()
                    .is_some_and(|p| said::depth(p, &problem.path) == problem.path.len());
                if let (true, Some(document), Some(decoder)) =
                    (said, slot.document(), &slot.decoder)
                {
                    entry = Entry::new(&slot.origin, problem.clone())
                        .layer(number)
                        .at(codec::locate(decoder, document, &problem.path))
                        .text(document, decoder);
                }
            }
            entries.push(entry);
        }
        entries
    }

    fn fold(&mut self, candidates: &[bool]) -> Result<C::Layer, Vec<Problem>> {
        if let Some(reducer) = self.reducer.clone() {
            let mut layers = Vec::with_capacity(self.slots.len());
            for (slot, candidate) in self.slots.iter_mut().zip(candidates) {
                let (version, decoder) = pick(slot, *candidate);
                layers.extend(version.and_then(|version| version.layer::<C>(decoder)));
            }
            let current = self.current.as_deref();
            return reducer(current.map(|snapshot| &**snapshot), &layers)
                .map_err(|error| whole(What::Message(format!("the reducer refused: {error}"))));
        }
        let mut base: Option<C::Layer> = None;
        for (slot, candidate) in self.slots.iter_mut().zip(candidates) {
            let (version, decoder) = pick(slot, *candidate);
            let Some(version) = version else { continue };
            match &mut base {
                None => base = version.base::<C>(decoder),
                Some(base) => {
                    if let Some(layer) = version.layer::<C>(decoder) {
                        base.over(layer);
                    }
                }
            }
        }
        Ok(base.unwrap_or_default())
    }

    /// Finds the layer that said each problem's value, and where in its document.
    fn locate(&mut self, problems: Vec<Problem>, candidates: &[bool]) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(problems.len());
        for problem in problems {
            let missing = matches!(problem.what, What::Missing);
            let mut best: Option<(usize, Entry)> = None;
            let slots = self.slots.iter_mut().zip(candidates);
            for (number, (slot, candidate)) in slots.enumerate() {
                let origin = slot.origin.clone();
                let (version, decoder) = pick(slot, *candidate);
                let Some(version) = version else { continue };
                let depth = match version.layer::<C>(decoder) {
                    Some(layer) => said::depth(layer, &problem.path),
                    None => 0,
                };
                if depth == 0 || best.as_ref().is_some_and(|(known, _)| *known > depth) {
                    continue;
                }
                let mut entry = Entry::new(&origin, problem.clone()).layer(number);
                entry.variable = version
                    .variables
                    .iter()
                    .filter(|(path, _)| problem.path.starts_with(path))
                    .map(|(_, name)| name.clone())
                    .next_back();
                if let (Some(bytes), Some(decoder)) = (&version.bytes, decoder) {
                    let at = (entries.len() < codec::most_places(bytes.len()))
                        .then(|| codec::locate(decoder, bytes, &problem.path[..depth]))
                        .flatten();
                    entry = entry.at(at).text(bytes, decoder);
                }
                best = Some((depth, entry));
            }
            entries.push(match best {
                Some((depth, entry)) if !missing || depth > 0 => entry,
                _ => Entry::new("", problem),
            });
        }
        entries
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
            on_probation: self
                .generations
                .find(self.generation())
                .is_some_and(|kept| kept.record.outcome == GenerationOutcome::OnProbation),
            pinned: self.pinned,
            generations: self.generations.records(),
            layers: self.slots.iter().map(layer_status).collect(),
            history: self.history.to_vec(),
        }
    }
}

/// Puts the running values in the place of those that need a restart; what comes out must keep the rules too.
fn hold<C: Config>(mut value: C, running: Option<&Snapshot<C>>) -> Result<Built<C>, Vec<Problem>> {
    let mut held = Diff::default();
    if let Some(running) = running {
        value.hold(running, &mut held);
    }
    let held = dotted(&held.into_changed());
    if !held.is_empty() {
        let mut cx = Cx::default();
        value.validate(&mut cx);
        let mut problems = cx.into_problems();
        if !problems.is_empty() {
            problems.extend(whole(What::Message(format!(
                "this holds only after a restart: until then {} keeps its running value",
                held.join(", ")
            ))));
            return Err(problems);
        }
    }
    Ok(Built { value, held })
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

type Picked<'a, L> = (Option<&'a mut Version<L>>, Option<&'a codec::Decoder>);

/// The version of a slot that takes part in an update.
fn pick<L: Layer>(slot: &mut Slot<L>, candidate: bool) -> Picked<'_, L> {
    let version = if candidate {
        slot.candidate.as_mut()
    } else {
        slot.accepted.as_mut()
    };
    (
        version.filter(|version| !version.is_silent()),
        slot.decoder.as_ref(),
    )
}

fn whole_one(what: What) -> Problem {
    Problem {
        path: Vec::new(),
        what,
    }
}

fn whole(what: What) -> Vec<Problem> {
    vec![whole_one(what)]
}
