//! Entries of maps that are null and take nothing away, since no layer below has them.

use super::{Layers, entries::keys_below};
use crate::{
    engine::layer_state::LayerState,
    problem::{Seg, caught},
    report::Entry,
};
use std::net::IpAddr;

impl Layers {
    /// Whether any document has, or had, an entry that is null where null is no value.
    pub(super) fn may_have_entries_without_effect(&self) -> bool {
        let may_have =
            |state: &LayerState| !state.emptied.is_empty() || !state.without_effect.is_empty();
        self.states.iter().any(may_have)
    }

    /// A warning for every entry of a document that is null where null is no value, and that no layer below has; those that were
    /// not reported yet.
    #[cold]
    pub(super) fn entries_without_effect(&mut self) -> Vec<Entry> {
        let mut new = Vec::new();
        for number in 0..self.states.len() {
            let state = &self.states[number];
            if state.emptied.is_empty() && state.without_effect.is_empty() {
                continue;
            }
            // A codec of the program may panic; what it contains was decoded before.
            let found = caught(|| self.without_effect(number)).unwrap_or_default();
            let known = std::mem::take(&mut self.states[number].without_effect);
            let is_new = |entry: &&Entry| !known.iter().any(|known| known.is_same(entry));
            new.extend(found.iter().filter(is_new).cloned());
            let problems = self.problems_of_warnings(found.clone());
            let state = &mut self.states[number];
            state.empty_entries = problems;
            state.without_effect = found;
        }
        new
    }

    fn without_effect(&self, number: usize) -> Vec<Entry> {
        let (below, state) = (&self.states[..number], &self.states[number]);
        // What the program's reducer makes of null is not known, and neither is what a layer contains that nobody could read yet.
        if self.reducer.is_some() || !below.iter().all(LayerState::is_readable) {
            return Vec::new();
        }
        let fields = (self.schema.fields)();
        let keys = keys_below(fields, below);
        let has_effect = |path: &[Seg]| match path.split_last() {
            Some((Seg::Key(key), map)) => keys.at(map).iter().any(|other| is_same_key(key, other)),
            _ => true,
        };
        let emptied = state.emptied.iter();
        let found = emptied.filter(|entry| !has_effect(entry.path()));
        found
            .map(|entry| entry.clone().layer(number).warning(true))
            .collect()
    }
}

/// Whether both may be the same key of a map: numbers and addresses can be written in several ways.
fn is_same_key(key: &str, other: &str) -> bool {
    let number = |text: &str| {
        let based = |(prefix, radix): (&str, u32)| {
            let digits = text.strip_prefix(prefix)?;
            u32::from_str_radix(digits, radix).ok().map(f64::from)
        };
        let bases = [("0x", 16), ("0o", 8), ("0b", 2)];
        let number = || text.parse::<f64>().ok();
        bases.into_iter().find_map(based).or_else(number)
    };
    let address = |text: &str| text.parse::<IpAddr>().ok();
    key == other
        || (number(key).is_some() && number(key) == number(other))
        || (address(key).is_some() && address(key) == address(other))
}
