//! When variables of entries of maps are read again, because a document of a layer below changed how a key is spelt.

use super::Layers;
use crate::{
    document::Document,
    engine::{decoded::DecodedContent, layer_state::LayerState},
    problem::{Flaw, Seg, What, caught},
    report::Entry,
    schema::Field,
    source::environment::{TextTree, keys_of},
};
use std::ops::{Bound, RangeBounds};

impl Layers {
    /// Reads the layers again whose keys depend on what the layers below contain; answers with the layers whose warnings are
    /// others than before. Other layers, and other programs, pay nothing.
    pub(super) fn read_entries_again(&mut self, update: u64) -> Vec<(usize, Vec<Entry>)> {
        let mut warned = Vec::new();
        if self.states.iter().all(|state| state.again.is_none()) {
            return warned;
        }
        for number in 0..self.states.len() {
            let Some(again) = self.states[number].again.take() else {
                continue;
            };
            let given = {
                let fields = (self.schema.fields)();
                let below = keys_below(fields, &self.states[..number]);
                caught(|| again(&|path| below.at(path, ..)))
            };
            let state = &mut self.states[number];
            state.again = Some(again);
            match given {
                Ok(given) => {
                    let warnings = state.give_again(given, update);
                    warned.extend(warnings.map(|warnings| (number, warnings)));
                }
                Err(panic) => {
                    let text = format!("reading it panicked: {panic}");
                    let flaw = Flaw::whole(What::Panic(text));
                    state.refusal = Some(vec![Entry::new(&state.origin, flaw)]);
                }
            }
        }
        warned
    }

    /// Whether the layers that are chosen mean the same entries above what is accepted as they do above the newest content.
    pub(super) fn mean_the_same_above_accepted(&mut self, chosen: &[bool]) -> bool {
        if self.states.iter().all(|state| state.again.is_none()) {
            return true;
        }
        let states = self.states.iter_mut().zip(chosen);
        let held: Vec<_> = states
            .map(|(state, is_chosen)| match is_chosen {
                true => None,
                false => state.candidate.take(),
            })
            .collect();
        let fields = (self.schema.fields)();
        let mut of_chosen = (0..self.states.len()).filter(|number| chosen[*number]);
        let are_same = of_chosen.all(|number| {
            let (below, at) = self.states.split_at(number);
            let (Some(again), Some(candidate)) = (&at[0].again, &at[0].candidate) else {
                return true;
            };
            let below = keys_below(fields, below);
            let given = caught(|| again(&|path| below.at(path, ..)));
            let read = given.ok().and_then(|given| given.read.ok());
            read.is_some_and(|(_, variables)| candidate.variables() == variables)
        });
        for (state, held) in self.states.iter_mut().zip(held) {
            state.candidate = held.or(state.candidate.take());
        }
        are_same
    }
}

/// The newest content of some layers.
pub(super) struct Below<'a> {
    fields: &'static [Field],
    /// By the number of the layer.
    trees: Vec<(usize, TextTree)>,
    documents: Vec<(usize, Document<'a>)>,
}

pub(super) fn keys_below<'a>(fields: &'static [Field], states: &'a [LayerState]) -> Below<'a> {
    let (mut trees, mut documents) = (Vec::new(), Vec::new());
    for (number, state) in states.iter().enumerate() {
        let newest = state.candidate.as_ref().or(state.accepted.as_ref());
        let tree = newest.and_then(DecodedContent::tree).map(TextTree::new);
        trees.extend(tree.map(|tree| (number, tree)));
        let bytes = newest.and_then(|newest| newest.bytes.as_deref());
        if let (Some(bytes), Some(decoder)) = (bytes, &state.decoder) {
            let document = super::document(bytes, decoder);
            documents.extend(document.map(|document| (number, document)));
        }
        if let Some(kept) = newest.and_then(DecodedContent::kept_document) {
            let document = super::document(&kept.bytes, &kept.decoder);
            documents.extend(document.map(|document| (number, document)));
        }
    }
    Below {
        fields,
        trees,
        documents,
    }
}

impl Below<'_> {
    /// The keys that these layers have there.
    pub(super) fn at(&self, path: &[Seg], layers: impl RangeBounds<usize>) -> Vec<String> {
        let (trees, documents) = (among(&self.trees, &layers), among(&self.documents, &layers));
        let trees = trees
            .iter()
            .flat_map(|(_, tree)| tree.keys(self.fields, path));
        let documents = documents.iter();
        let documents = documents.flat_map(|(_, document)| keys_of(self.fields, document, path));
        let mut keys: Vec<String> = trees.chain(documents).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// Those of these layers, in whose order they are.
fn among<'a, T>(all: &'a [(usize, T)], layers: &impl RangeBounds<usize>) -> &'a [(usize, T)] {
    let is_before = |(number, _): &(usize, T)| match layers.start_bound() {
        Bound::Included(first) => number < first,
        Bound::Excluded(before) => number <= before,
        Bound::Unbounded => false,
    };
    let rest = &all[all.partition_point(is_before)..];
    let is_in = |(number, _): &(usize, T)| layers.contains(number);
    &rest[..rest.partition_point(is_in)]
}
