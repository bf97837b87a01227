//! Variables of entries of maps: how a key is spelt is known from the layers below, whose documents can change.

use super::{
    content::GivenContent, decoded::DecodedContent, layer_state::LayerState, layers::Layers,
    value::AnyLayer,
};
use crate::{
    codec::dialect,
    document::{Document, tree::Tree},
    problem::{Flaw, Seg, What, caught},
    report::Entry,
    schema::Field,
    source::{
        Given,
        environment::{keys_in, keys_of},
    },
};

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
                caught(|| again(&|path| below.at(path)))
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
}

impl LayerState {
    /// Answers with the warnings, unless they are those of before.
    fn give_again(&mut self, given: Given<AnyLayer>, update: u64) -> Option<Vec<Entry>> {
        let named = given.warnings.into_iter().map(|one| one.of(&self.origin));
        let warnings: Vec<Entry> = named.collect();
        let is_same = |known: &Vec<Entry>| {
            let mut pairs = known.iter().zip(&warnings);
            known.len() == warnings.len() && pairs.all(|(known, new)| known.is_same(new))
        };
        let is_new = !self.warned_again.as_ref().is_some_and(is_same);
        self.warned_again = Some(warnings.clone());
        self.secrets = given.secrets.clone();
        match given.read {
            Ok((layer, variables)) => {
                self.refusal = None;
                self.give_partial(None);
                let newest = self.candidate.as_ref().or(self.accepted.as_ref());
                if newest.is_none_or(|newest| newest.variables() != variables) {
                    let given = GivenContent {
                        variables,
                        arguments: given.arguments,
                        tree: given.tree,
                        secrets: given.secrets,
                    };
                    self.candidate = Some(DecodedContent::given(layer, given));
                    self.since = update;
                }
            }
            Err(entries) => {
                self.candidate = None;
                let named = entries.into_iter().map(|entry| entry.of(&self.origin));
                self.refusal = Some(named.collect());
                self.give_partial(given.partial);
                self.since = update;
            }
        }
        is_new.then_some(warnings)
    }
}

/// The newest content of some layers.
struct Below<'a> {
    fields: &'static [Field],
    trees: Vec<&'a Tree>,
    documents: Vec<Document<'a>>,
}

fn keys_below<'a>(fields: &'static [Field], states: &'a [LayerState]) -> Below<'a> {
    let (mut trees, mut documents) = (Vec::new(), Vec::new());
    for state in states {
        let newest = state.candidate.as_ref().or(state.accepted.as_ref());
        trees.extend(newest.and_then(DecodedContent::tree));
        let bytes = newest.and_then(|newest| newest.bytes.as_deref());
        let (Some(bytes), Some(decoder)) = (bytes, &state.decoder) else {
            continue;
        };
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let document = match dialect(decoder) {
            Some(dialect) => Document::parse(dialect, text).ok(),
            None => None,
        };
        let document = document.or_else(|| {
            let tree = crate::codec::tree(decoder, text).ok()?;
            Some(Document::of_tree(&tree))
        });
        documents.extend(document);
    }
    Below {
        fields,
        trees,
        documents,
    }
}

impl Below<'_> {
    fn at(&self, path: &[Seg]) -> Vec<String> {
        let trees = self.trees.iter();
        let documents = self.documents.iter();
        let mut keys: Vec<String> = trees
            .flat_map(|tree| keys_in(self.fields, tree, path))
            .chain(documents.flat_map(|document| keys_of(self.fields, document, path)))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
