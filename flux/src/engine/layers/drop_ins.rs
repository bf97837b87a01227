//! The layers of a source of several files: one for each file, in the order of their names, behind the layer of the source itself,
//! which contains nothing. They come and go with the files; every number of a layer that is kept somewhere follows.

use super::Layers;
use crate::{
    engine::{
        decoded::DecodedContent, identity::Identities, layer_state::LayerState,
        quarantine::Quarantine, renumbered::Renumbered,
    },
    source::drop_ins::DropInLayers,
};
use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
    sync::Arc,
};

/// What was taken back of more files that are gone is forgotten.
const MOST_TAKEN_BACK: usize = 1024;

/// A file of a source that is gone, and what is not tried again of it.
pub(super) struct TakenBackFile {
    source: usize,
    name: Arc<str>,
    quarantine: Quarantine,
}

impl Layers {
    /// The layers of the sources, without those of files of theirs, in the order in which they are declared.
    pub(crate) fn of_sources(&self) -> impl Iterator<Item = &LayerState> {
        self.states.iter().filter(|state| state.drop_in.is_none())
    }

    /// The number of a source's own layer.
    pub(crate) fn number_of(&self, source: usize) -> usize {
        match self.has_drop_ins {
            true => {
                let is_it = |state: &LayerState| state.source == source && state.drop_in.is_none();
                self.states.iter().position(is_it).unwrap_or(source)
            }
            false => source,
        }
    }

    /// The numbers of the layers of a source's files, where this is its own one.
    pub(in crate::engine) fn files_behind(&self, number: usize) -> Range<usize> {
        let start = number + 1;
        let behind = self.states.iter().skip(start);
        let count = behind.take_while(|state| state.drop_in.is_some()).count();
        start..start + count
    }

    /// The files of a source are these from now on: each has a layer, and one that is gone has none where `may_go`.
    pub(in crate::engine) fn files_are(
        &mut self,
        number: usize,
        files: &[&str],
        may_go: impl Fn(usize, &LayerState) -> bool,
    ) -> Option<Renumbered> {
        let layers = Arc::clone(self.states[number].drop_ins.as_ref()?);
        let behind = self.files_behind(number);
        let named: HashSet<&str> = files.iter().copied().collect();
        let goes = |(at, state): (usize, &LayerState)| {
            let name = state.drop_in.as_deref().unwrap_or_default();
            !named.contains(name) && may_go(at, state)
        };
        let mut known = self.states[behind.clone()].iter();
        let has = |name: &&str| known.any(|state| state.drop_in.as_deref() == Some(*name));
        let mut at = behind.clone().zip(&self.states[behind.clone()]);
        // Both are in the order of the names.
        if files.iter().all(has) && !at.any(goes) {
            return None;
        }
        let count = self.states.len();
        let rest = self.states.split_off(behind.end);
        let old = self.states.split_off(behind.start);
        let mut all: BTreeMap<Arc<str>, (Option<usize>, LayerState)> = BTreeMap::new();
        for (at, state) in behind.clone().zip(old) {
            let goes = goes((at, &state));
            if let Some(name) = state.drop_in.clone() {
                match goes {
                    true => self.forget_file(name, state),
                    false => drop(all.insert(name, (Some(at), state))),
                }
            }
        }
        for file in files {
            if !all.contains_key(*file) {
                let name: Arc<str> = Arc::from(*file);
                let state = self.of_file(number, &layers, file);
                all.insert(name, (None, state));
            }
        }
        let mut before: Vec<Option<usize>> = (0..behind.start).map(Some).collect();
        for (_, (known, state)) in all {
            before.push(known);
            self.states.push(state);
        }
        before.extend((behind.end..count).map(Some));
        self.states.extend(rest);
        Some(Renumbered::of(before, count))
    }

    /// The layer of a file that is gone is dropped. What was taken back of the file is not tried again if it comes once more.
    fn forget_file(&mut self, name: Arc<str>, state: LayerState) {
        let Some(quarantine) = state.quarantine.into_taken_back() else {
            return;
        };
        self.taken_back.push_back(TakenBackFile {
            source: state.source,
            name,
            quarantine,
        });
        if self.taken_back.len() > MOST_TAKEN_BACK {
            self.taken_back.pop_front();
        }
    }

    /// The layer of a file that was not there so far.
    fn of_file(&mut self, number: usize, layers: &DropInLayers, name: &str) -> LayerState {
        let source = &self.states[number];
        let mut state = LayerState::of_file(source.source, layers, name);
        state.health = source.health.clone();
        state.proven = source.proven.clone();
        state.identities = Some(Box::new(Identities::new(self.schema.fields)));
        state.is_as_known_as(source);
        if source.is_accepted() {
            state.accepted = Some(DecodedContent::silent(None));
        }
        let is_it = |one: &TakenBackFile| one.source == state.source && *one.name == *name;
        if let Some(at) = self.taken_back.iter().position(is_it)
            && let Some(known) = self.taken_back.remove(at)
        {
            state.quarantine = known.quarantine;
        }
        state
    }

    /// Which of the newest contents may take part: none of a source's files where one of them is refused.
    pub(super) fn newest_chosen(&self) -> Vec<bool> {
        let states = self.states.iter();
        let mut newest: Vec<bool> = states.map(|state| state.candidate.is_some()).collect();
        if !self.has_drop_ins {
            return newest;
        }
        let own = self.states.iter().enumerate();
        for (number, _) in own.filter(|(_, state)| state.drop_ins.is_some()) {
            let all = number..self.files_behind(number).end;
            // What was taken back holds up nothing: its file may never change.
            let refused = self.states[all.clone()]
                .iter()
                .flat_map(|state| &state.refusal);
            let mut refused = refused.flatten();
            if refused.any(|entry| !entry.is_taken_back()) {
                newest[all].fill(false);
            }
        }
        newest
    }

    /// In which update each of these candidates counts as taken up: the files of a source all in the newest of theirs, so that a folder
    /// is applied as a whole or not at all.
    pub(super) fn taken_up(&self, newest: &[bool]) -> Vec<Option<u64>> {
        let candidates = self.states.iter().zip(newest);
        let own = |(state, candidate): (&LayerState, &bool)| candidate.then_some(state.since);
        let mut since: Vec<Option<u64>> = candidates.map(own).collect();
        for number in self.folders() {
            let files = &mut since[self.files_behind(number)];
            let last = files.iter().copied().max().flatten();
            for one in files.iter_mut().filter(|one| one.is_some()) {
                *one = last;
            }
        }
        since
    }

    /// What was kept on disk serves for one of a source's files: those that are not kept were not there, and the source was.
    #[cfg(feature = "json")]
    pub(in crate::engine) fn were_absent_beside(&mut self, number: usize) {
        if self.states[number].drop_in.is_some() {
            let own = self.number_of(self.states[number].source);
            self.count_as_absent(own..self.files_behind(own).end);
        }
    }

    /// Files that came while what readers see now was under way are not there yet: one that is bad holds back nothing.
    pub(in crate::engine) fn new_files_are_absent(&mut self) {
        if !self.has_drop_ins {
            return;
        }
        for own in self.folders() {
            if self.states[own].is_accepted() {
                self.count_as_absent(self.files_behind(own));
            }
        }
    }

    fn count_as_absent(&mut self, numbers: Range<usize>) {
        for state in &mut self.states[numbers] {
            let silent = || DecodedContent::silent(None);
            state.accepted.get_or_insert_with(silent);
        }
    }

    /// Every number of a layer in the layers themselves follows.
    pub(in crate::engine) fn renumber(&mut self, numbers: &Renumbered) {
        for state in &mut self.states {
            state.renumber(numbers);
        }
    }
}
