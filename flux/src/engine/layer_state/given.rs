//! What a layer without a document contains: the environment, arguments and providers. When they count as changed, read again; what
//! they contained when readers took them.

use super::LayerState;
use crate::{
    document::items_by_number,
    engine::{
        content::{GivenContent, LayerContent},
        decoded::DecodedContent,
        now::Now,
        schema::Schema,
        value::AnyLayer,
    },
    problem::caught,
    report::Entry,
    source::{Given, Health, ReadAgain, VariablePaths},
};

impl LayerState {
    /// Takes what a layer without a document contains.
    pub(crate) fn give(&mut self, given: Given<AnyLayer>, now: Now) {
        (self.health, self.is_watched) = (Health::Live, false);
        self.proven.prove(now.instant.into());
        self.changed = Some(now.wall);
        self.secrets = given.secrets.clone();
        // What read it does not know how the layer is called.
        let named = |entries: Vec<Entry>| entries.into_iter().map(|one| one.of(&self.origin));
        self.given_warnings = named(given.warnings).collect();
        self.arguments.clone_from(&given.arguments);
        self.prefix = given.prefix;
        self.again = given.again;
        match given.read {
            Ok((layer, variables)) => {
                let given = GivenContent {
                    variables,
                    arguments: given.arguments,
                    tree: given.tree,
                    secrets: given.secrets,
                    empty: given.empty,
                    files: given.files,
                };
                self.candidate = Some(DecodedContent::given(layer, given));
            }
            Err(entries) => {
                self.refusal = Some(named(entries).collect());
                self.give_partial(given.partial);
            }
        }
    }

    /// Takes what could be read of a layer without a document.
    pub(in crate::engine) fn give_partial(&mut self, partial: Option<(AnyLayer, VariablePaths)>) {
        let (layer, variables) = partial.unzip();
        self.partial = layer;
        self.partial_variables = variables.unwrap_or_default();
    }

    /// Answers with the warnings, unless they are those of before.
    pub(in crate::engine) fn give_again(
        &mut self,
        given: Given<AnyLayer>,
        update: u64,
    ) -> Option<Vec<Entry>> {
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
                        empty: given.empty,
                        files: given.files,
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

    /// The layer contains what readers see of it. Answers whether that can be known. `again` reads one that is given once more.
    pub(crate) fn serve(
        &mut self,
        schema: &Schema,
        content: &LayerContent,
        again: Option<ReadAgain<AnyLayer>>,
    ) -> bool {
        let content = match content {
            LayerContent::Silent(bytes) => DecodedContent::silent(bytes.clone()),
            LayerContent::Document(bytes, found) => {
                DecodedContent::later(bytes.clone(), found.clone())
            }
            LayerContent::Kept(_) => return false,
            LayerContent::Given(given) => {
                let Some(tree) = &given.tree else {
                    return false;
                };
                let decode = || items_by_number(|| (schema.decode_tree)(tree, false));
                let Ok((Some(layer), _)) = caught(decode) else {
                    return false;
                };
                self.secrets.clone_from(&given.secrets);
                self.arguments.clone_from(&given.arguments);
                self.again = again;
                let given = GivenContent {
                    variables: given.variables.clone(),
                    arguments: given.arguments.clone(),
                    tree: given.tree.clone(),
                    secrets: given.secrets.clone(),
                    empty: given.empty.clone(),
                    files: given.files.clone(),
                };
                DecodedContent::given(layer, given)
            }
        };
        self.accepted = Some(content);
        true
    }

    /// A copy of what readers see of a layer without a document.
    #[cfg(feature = "json")]
    pub(crate) fn given_layer(&self, schema: &Schema) -> Option<AnyLayer> {
        let layer = self.accepted.as_ref()?.given_layer()?;
        Some((schema.copy)(layer))
    }
}
