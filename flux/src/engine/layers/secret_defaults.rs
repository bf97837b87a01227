//! Secrets that the last known good file does not have, and whose defaults readers see while it serves.

use super::Layers;
use crate::{
    engine::{layer_state::LayerState, schema::Schema},
    layer::presence,
    problem::{KeyPath, Seg},
    schema::{self, Reached},
};

impl Layers {
    /// Their paths; none once the sources serve again.
    pub(in crate::engine) fn secrets_by_default(&mut self) -> Vec<String> {
        // Asked after every update of a program that started from the file.
        if self.kept.is_none() {
            return Vec::new();
        }
        let serving = (self.states.iter()).filter(|state| state.kept_in(false).is_some());
        let fields = (self.schema.fields)();
        let secrets = serving.flat_map(LayerState::kept_secrets);
        let secrets = secrets.map(|path| schema::with_own_names(fields, path));
        let mut secrets: Vec<Vec<Seg>> = secrets.collect();
        secrets.retain(|secret| has_default(self.schema, secret) && !self.is_served(secret));
        let mut paths: Vec<String> = (secrets.iter())
            .map(|path| KeyPath::new(path).to_string())
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// Whether a layer sets the value at a path that readers see.
    fn is_served(&mut self, path: &[Seg]) -> bool {
        let schema = self.schema;
        self.states.iter_mut().any(|state| {
            let decoder = state.decoder.as_ref();
            let content = state.accepted.as_mut();
            let layer = content.and_then(|content| content.layer(schema, decoder));
            layer.is_some_and(|layer| presence::depth((schema.parts)(layer), path) == path.len())
        })
    }
}

/// Whether a start goes on without the value: what is required is reported as missing.
fn has_default(schema: &Schema, path: &[Seg]) -> bool {
    match schema::follow((schema.fields)(), path) {
        Reached::Leaf(field, _) => !field.is_required(),
        _ => false,
    }
}
