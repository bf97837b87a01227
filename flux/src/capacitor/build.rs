//! From the layers to a valid value, or to everything that is wrong with it and where it was said.

use super::{
    commit::dotted,
    core::Core,
    slot::{Slot, Version},
};
use crate::{
    Snapshot, codec,
    layer::{Config, Layer, presence},
    problem::{Cx, Diff, Problem, What, panic_text},
    report::Entry,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A value that keeps every rule.
pub(super) struct Built<C> {
    pub(super) value: C,
    /// The paths at which it keeps what runs now, until a restart.
    pub(super) held: Vec<String>,
}

impl<C: Config> Core<C> {
    /// Folds the chosen versions, builds the struct and checks its rules.
    pub(super) fn build(&mut self, candidates: &[bool]) -> Result<Built<C>, Vec<Problem>> {
        let running = self.said.clone().filter(|_| self.begun);
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
    pub(super) fn diagnose(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
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
                    .is_some_and(|p| presence::depth(p, &problem.path) == problem.path.len());
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
    pub(super) fn locate(&mut self, problems: Vec<Problem>, candidates: &[bool]) -> Vec<Entry> {
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
                    Some(layer) => presence::depth(layer, &problem.path),
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
