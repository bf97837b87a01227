//! The warning of a value that replaces one of a layer below as a whole, and with it keys that it lacks.

use super::{
    Layers, document,
    plain_tables::{PlainTable, PlainTables, TableForm, lost},
};
use crate::{
    codec::{self, Decoder, LazyModel},
    document::{Finder, tree::Tree},
    engine::{decoded::DecodedContent, layer_state::LayerState},
    problem::{Flaw, ProblemKind, Seg, What, caught},
    report::Entry,
    source::environment::variable_of,
};
use std::{collections::HashMap, fmt::Write as _, sync::Arc};

/// A report names so many keys.
const MOST_KEYS: usize = 4;

impl Layers {
    /// A warning for every value that takes keys of a layer below away; those that were not reported yet. Only where two layers may
    /// have such a value is anything read.
    #[cold]
    pub(super) fn replaced_tables(&mut self) -> Vec<Entry> {
        let Some(tables) = self.tables.take() else {
            return Vec::new();
        };
        // A codec of the program may panic; what it contains was decoded before.
        let found = caught(|| self.replaced(&tables)).unwrap_or_default();
        self.tables = Some(tables);
        let mut new = Vec::new();
        for number in 0..self.states.len() {
            let found = found
                .iter()
                .filter(|entry| entry.layer_number() == Some(number));
            let found: Vec<Entry> = found.cloned().collect();
            let known = std::mem::take(&mut self.states[number].replacing);
            if found.is_empty() && known.is_empty() {
                continue;
            }
            let is_new = |entry: &&Entry| !known.iter().any(|known| known.is_same(entry));
            new.extend(found.iter().filter(is_new).cloned());
            let problems = self.problems_of_warnings(found.clone());
            let state = &mut self.states[number];
            (state.replacing, state.replaced_tables) = (found, problems);
        }
        new
    }

    fn replaced(&self, tables: &PlainTables) -> Vec<Entry> {
        let may_have = |state: &&LayerState| match newest(state) {
            Some(content) => match &content.bytes {
                Some(bytes) => tables.may_be_in(bytes),
                None => content
                    .tree()
                    .is_some_and(|tree| matches!(tree, Tree::Map(_))),
            },
            None => false,
        };
        if self.states.iter().filter(may_have).count() < 2 {
            return Vec::new();
        }
        let mut below: HashMap<Vec<Seg>, (usize, PlainTable<'_>)> = HashMap::new();
        let mut found = Vec::new();
        for (number, state) in self.states.iter().enumerate() {
            let Some(tree) = tree(state) else { continue };
            for table in tables.in_tree(&tree) {
                if let Some((from, other)) = below.get(&table.path) {
                    let keys = lost(table.form, &table.value, &other.value);
                    if !keys.is_empty() {
                        let replaced = place(&self.states[*from], other);
                        found.push(entry(state, number, &table, &replaced, &keys));
                    }
                }
                below.insert(table.path.clone(), (number, table));
            }
        }
        found
    }
}

fn newest(state: &LayerState) -> Option<&DecodedContent> {
    state.candidate.as_ref().or(state.accepted.as_ref())
}

fn document_of(state: &LayerState) -> Option<(&Arc<[u8]>, &Decoder)> {
    newest(state)?.bytes.as_ref().zip(state.decoder.as_ref())
}

/// What a layer contains; none of a value of the program.
fn tree(state: &LayerState) -> Option<Tree> {
    match document_of(state) {
        Some((bytes, decoder)) => {
            let text = codec::text_of(bytes).ok()?;
            LazyModel::new(decoder, text).tree().ok()
        }
        None => newest(state)?.tree().cloned(),
    }
}

/// Which layer contains a value, and where.
fn place(state: &LayerState, table: &PlainTable<'_>) -> String {
    let mut place = state.origin.to_string();
    if let Some((bytes, decoder)) = document_of(state) {
        let document = document(bytes, decoder).filter(|document| document.has_places());
        let line = document.and_then(|document| Finder::new(&document).place(&table.written));
        if let Some((line, _)) = line {
            let _ = write!(place, ", line {line}");
        }
    } else if let Some(content) = newest(state)
        && let Some(name) = variable_of(content.variables(), &table.path)
    {
        place = name;
    }
    place
}

fn entry(
    state: &LayerState,
    number: usize,
    table: &PlainTable<'_>,
    replaced: &str,
    keys: &[String],
) -> Entry {
    let shown: Vec<String> = keys
        .iter()
        .take(MOST_KEYS)
        .map(|key| format!("`{key}`"))
        .collect();
    let mut shown = shown.join(", ");
    if let more @ 1.. = keys.len().saturating_sub(MOST_KEYS) {
        let _ = write!(shown, " and {more} more");
    }
    let merge = match table.is_entry {
        true => "by_key",
        false => "replace",
    };
    let fix = match table.form {
        TableForm::Variant | TableForm::Tagged => "set them here as well",
        _ => {
            "set them here as well, or derive `Flux` for the type and mark the field `nested`, so that the two are merged"
        }
    };
    let text = format!(
        "replaces the whole value in {replaced}, so that {shown} there {} no effect; {fix}. If it is meant, mark the field `merge = \"{merge}\"`",
        if keys.len() == 1 { "has" } else { "have" },
    );
    let what = What::plain(ProblemKind::Replaced, text);
    let path = table.path.clone();
    let mut entry = Entry::new(&state.origin, Flaw { path, what })
        .layer(number)
        .warning(true);
    if let Some((bytes, decoder)) = document_of(state) {
        return entry.within(bytes, decoder, &table.written);
    }
    entry.variable = newest(state).and_then(|newest| variable_of(newest.variables(), &table.path));
    let arguments = state.arguments.as_deref().unwrap_or_default();
    entry.argument(variable_of(arguments, &table.path))
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "yaml"))]
mod tests;
