//! The warning of a value that replaces one of a layer below as a whole, and with it keys that it lacks.

use super::{
    Layers, document,
    lost_keys::LostKeys,
    plain_tables::{PlainTable, TableForm},
    read_tables::{LayerTables, document_of, newest},
};
use crate::{
    document::{Document, Finder},
    engine::layer_state::LayerState,
    problem::{Flaw, MOST_PROBLEMS, ProblemKind, Seg, What, caught},
    report::Entry,
    source::environment::variable_of,
};
use std::{collections::HashMap, fmt::Write as _};

impl Layers {
    /// A warning for every value that takes keys of a layer below away; those that were not reported yet. Only where two layers may
    /// have such a value is anything read.
    #[cold]
    pub(super) fn replaced_tables(&mut self) -> Vec<Entry> {
        let Some(mut tables) = self.tables.take() else {
            return Vec::new();
        };
        // A codec of the program may panic; what it contains was decoded before.
        let found = caught(|| self.replaced(&mut tables)).unwrap_or_default();
        self.tables = Some(tables);
        let mut by_layer: HashMap<usize, Vec<Entry>> = HashMap::new();
        for entry in found {
            let number = entry.layer_number().unwrap_or_default();
            by_layer.entry(number).or_default().push(entry);
        }
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for (number, state) in self.states.iter_mut().enumerate() {
            let found = by_layer.remove(&number).unwrap_or_default();
            let known = std::mem::take(&mut state.replacing);
            if found.is_empty() && known.is_empty() {
                continue;
            }
            let is_known = |(one, known): (&Entry, &Entry)| one.is_same_there(known);
            if found.len() == known.len() && found.iter().zip(&known).all(is_known) {
                state.replacing = known;
                continue;
            }
            let is_new = |entry: &&Entry| !known.iter().any(|known| known.is_same(entry));
            new.extend(found.iter().filter(is_new).cloned());
            changed.push((number, found));
        }
        let entries = changed.iter().map(|(_, found)| found.clone());
        let problems = self.problems_of_each(entries.collect());
        for ((number, found), problems) in changed.into_iter().zip(problems) {
            let state = &mut self.states[number];
            (state.replacing, state.replaced_tables) = (found, problems);
        }
        new
    }

    fn replaced(&self, tables: &mut LayerTables) -> Vec<Entry> {
        let mut below: HashMap<&[Seg], (usize, &PlainTable)> = HashMap::new();
        let (mut losses, mut more) = (Vec::new(), 0);
        for (number, table) in tables.newest(&self.states) {
            let Some((from, replaced)) = below.insert(&table.path, (number, table)) else {
                continue;
            };
            let form = match sets_part(&self.states[number], &table.path) {
                true => &TableForm::Map,
                false => &*table.form,
            };
            let keys = LostKeys::of(form, &table.value, &replaced.value);
            match keys.count {
                0 => {}
                _ if losses.len() < MOST_PROBLEMS => losses.push(Loss {
                    number,
                    table,
                    from,
                    replaced,
                    keys,
                }),
                _ => more += 1,
            }
        }
        let mut found = self.entries(&losses);
        if let (1.., Some(last)) = (more, losses.last()) {
            let more = Flaw::whole(What::More(more));
            let entry = Entry::new(self.states[last.number].newest_origin(), more);
            found.push(entry.layer(last.number).warning(true));
        }
        found
    }

    fn entries(&self, losses: &[Loss<'_>]) -> Vec<Entry> {
        let states = self.states.iter().enumerate();
        let documents: Vec<Option<Document<'_>>> = states
            .map(|(number, state)| {
                let (bytes, decoder) = document_of(state)?;
                let is_searched =
                    |loss: &Loss<'_>| loss.from == number && loss.replaced.line.get().is_none();
                let is_read = losses.iter().any(is_searched);
                let document = is_read.then(|| document(bytes, decoder)).flatten();
                document.filter(Document::has_places)
            })
            .collect();
        let finders: Vec<Option<Finder<'_, '_>>> = documents
            .iter()
            .map(|document| document.as_ref().map(Finder::new))
            .collect();
        losses
            .iter()
            .map(|loss| {
                let finder = finders[loss.from].as_ref();
                let place = place(&self.states[loss.from], finder, loss.replaced);
                loss.entry(&self.states[loss.number], &place)
            })
            .collect()
    }
}

/// Whether an argument sets a part of the value alone: whatever it is, no other one is meant.
fn sets_part(state: &LayerState, path: &[Seg]) -> bool {
    let mut set = state.arguments.iter().flatten();
    set.any(|(set, _)| set.len() > path.len() && set.starts_with(path))
}

/// A value that takes keys of another one away.
struct Loss<'t> {
    number: usize,
    table: &'t PlainTable,
    /// The layer of the other one.
    from: usize,
    replaced: &'t PlainTable,
    keys: LostKeys,
}

/// Which layer contains a value, and where.
fn place(state: &LayerState, finder: Option<&Finder<'_, '_>>, table: &PlainTable) -> String {
    let mut place = state.newest_origin().to_string();
    let search = || finder.and_then(|finder| Some(finder.place(&table.written)?.0));
    if let Some(line) = table.line.get_or_init(search) {
        let _ = write!(place, ", line {line}");
    } else if document_of(state).is_none()
        && let Some(content) = newest(state)
        && let Some(name) = variable_of(content.variables(), &table.path)
    {
        place = name;
    }
    place
}

impl Loss<'_> {
    fn entry(&self, state: &LayerState, replaced: &str) -> Entry {
        let Loss {
            number,
            table,
            keys,
            ..
        } = self;
        let named = keys.named.iter().map(|key| format!("`{key}`"));
        let mut shown = named.collect::<Vec<_>>().join(", ");
        if let more @ 1.. = keys.count - keys.named.len() {
            let _ = write!(shown, " and {more} more");
        }
        let merge = match table.is_entry {
            true => "by_key",
            false => "replace",
        };
        let fix = match &*table.form {
            TableForm::Variant | TableForm::Tagged | TableForm::Map => "set them here as well",
            _ => {
                "set them here as well, or derive `Flux` for the type and mark the field `nested`, so that the two are merged"
            }
        };
        let text = format!(
            "replaces the whole value in {replaced}, so that {shown} there {} no effect; {fix}. If it is meant, mark the field `merge = \"{merge}\"`",
            if keys.count == 1 { "has" } else { "have" },
        );
        let what = What::plain(ProblemKind::Replaced, text);
        let path = table.path.clone();
        let mut entry = Entry::new(state.newest_origin(), Flaw { path, what })
            .layer(*number)
            .warning(true);
        if let Some((bytes, decoder)) = document_of(state) {
            return entry.within(bytes, decoder, &table.written);
        }
        entry.variable =
            newest(state).and_then(|newest| variable_of(newest.variables(), &table.path));
        let arguments = state.arguments.as_deref().unwrap_or_default();
        entry.argument(variable_of(arguments, &table.path))
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "yaml"))]
mod tests;
