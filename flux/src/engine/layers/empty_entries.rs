//! The warning of a null entry of a map that takes nothing away, since no layer below has the entry.

use super::{
    Layers,
    alike_entries::{Alike, DecodesTree},
    entries::keys_below,
};
use crate::{
    engine::layer_state::LayerState,
    problem::{Seg, caught},
    report::Entry,
};
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

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
        let below = keys_below(fields, below);
        let mut maps: HashMap<&[Seg], MapBelow<'_>> = HashMap::new();
        for (at, entry) in state.emptied.iter().enumerate() {
            let Some((Seg::Key(key), map)) = entry.path().split_last() else {
                continue;
            };
            let map = maps
                .entry(map)
                .or_insert_with(|| MapBelow::of(below.at(map)));
            if !same_keys(key).any(|one| map.same.contains(&one)) {
                map.without.push((at, key));
            }
        }
        let decode = |tree: &_| (self.schema.decode_tree)(tree, false).1;
        let mut found: Vec<usize> = Vec::new();
        for (path, map) in maps {
            let keys: Vec<&str> = map.without.iter().map(|(_, key)| *key).collect();
            let alike = Alike::of(&decode as &DecodesTree<'_>, path, &keys, &map.keys);
            let without = map.without.iter().filter(|(_, key)| !alike.has(key));
            found.extend(without.map(|(at, _)| *at));
        }
        found.sort_unstable();
        let entries = found.into_iter().filter_map(|at| state.emptied.get(at));
        let warnings = entries.map(|entry| entry.clone().layer(number).warning(true));
        warnings.collect()
    }
}

/// A map that has such an entry.
struct MapBelow<'e> {
    /// Its keys in the layers below.
    keys: Vec<String>,
    /// Each of them in each way in which one can be the same, whatever the type of the keys.
    same: HashSet<SameKey>,
    /// The entries that are none of these, by their numbers, and their keys.
    without: Vec<(usize, &'e str)>,
}

impl MapBelow<'_> {
    fn of(keys: Vec<String>) -> Self {
        MapBelow {
            same: keys.iter().flat_map(|key| same_keys(key)).collect(),
            keys,
            without: Vec::new(),
        }
    }
}

/// What two keys of a map share that may be the same.
#[derive(PartialEq, Eq, Hash)]
enum SameKey {
    Text(String),
    /// The bits of a float.
    Number(u64),
    Address(IpAddr),
}

/// What a key is known by: numbers and addresses can be written in several ways.
fn same_keys(key: &str) -> impl Iterator<Item = SameKey> + use<> {
    let based = |(prefix, radix): (&str, u32)| {
        let digits = key.strip_prefix(prefix)?;
        u32::from_str_radix(digits, radix).ok().map(f64::from)
    };
    let bases = [("0x", 16), ("0o", 8), ("0b", 2)];
    let number = || key.parse::<f64>().ok();
    let number = bases.into_iter().find_map(based).or_else(number);
    // Both zeros are one, and what is no number is no other.
    let number = number.filter(|number| !number.is_nan());
    let number = number.map(|number| SameKey::Number((number + 0.0).to_bits()));
    let address = key.parse().ok().map(SameKey::Address);
    [Some(SameKey::Text(key.to_owned())), number, address]
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_written_otherwise_may_be_the_same() {
        let is_same = |key: &str, other: &str| {
            same_keys(key).any(|one| same_keys(other).any(|two| one == two))
        };
        for (key, other, same) in [
            ("a", "a", true),
            ("a", "A", false),
            ("16", "0x10", true),
            ("1e1", "10.0", true),
            ("0", "-0", true),
            ("nan", "NaN", false),
            ("::1", "0:0:0:0:0:0:0:1", true),
            ("1", "2", false),
        ] {
            assert_eq!(is_same(key, other), same, "{key} {other}");
        }
    }

    #[cfg(all(feature = "derive", feature = "yaml"))]
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum EmptyLevel {
        Low,
        #[serde(alias = "mid")]
        Medium,
    }

    #[cfg(all(feature = "derive", feature = "yaml"))]
    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct EmptyApp {
        #[flux(default)]
        ke: std::collections::BTreeMap<EmptyLevel, u8>,
    }

    #[tokio::test]
    #[cfg(all(feature = "derive", feature = "yaml"))]
    async fn only_an_entry_that_no_layer_below_has_under_any_name_is_a_warning() {
        use crate::{Capacitor, Format, Source, source::Channel};
        let mut builder = Capacitor::<EmptyApp>::builder().manual();
        for document in ["ke: {medium: 1}", "ke: {mid: ~, low: ~}"] {
            let (sender, channel) = Channel::latest("app");
            sender.try_send(document.as_bytes().to_vec()).unwrap();
            builder = builder.source(Source::watcher(channel).format(Format::Yaml));
        }
        let capacitor = builder.build().unwrap();
        capacitor.start().await.unwrap();
        assert!(capacitor.snapshot().ke.is_empty());
        let status = capacitor.status();
        let paths: Vec<_> = status
            .warnings
            .iter()
            .map(|one| one.path.to_string())
            .collect();
        assert_eq!(paths, ["ke.low"]);
    }
}
