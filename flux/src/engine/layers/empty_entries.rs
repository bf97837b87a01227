//! The warning of a null entry of a map that takes nothing away, since no layer below has the entry.

use super::{
    Layers,
    alike_entries::{self, Alike, DecodesTree},
    entries::{Below, keys_below},
};
use crate::{
    engine::layer_state::LayerState,
    problem::{Seg, caught},
    report::Entry,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
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
        let mut changed = Vec::new();
        for (number, found) in self.all_without_effect() {
            let known = std::mem::take(&mut self.states[number].without_effect);
            let is_new = |entry: &&Entry| !known.iter().any(|known| known.is_same(entry));
            new.extend(found.iter().filter(is_new).cloned());
            changed.push((number, found));
        }
        let entries = changed.iter().map(|(_, found)| found.clone());
        let problems = self.problems_of_each(entries.collect());
        for ((number, found), problems) in changed.into_iter().zip(problems) {
            let state = &mut self.states[number];
            state.empty_entries = problems;
            state.without_effect = found;
        }
        new
    }

    /// Those of each layer that has, or had, any. What the layers below contain is read once for all of them.
    fn all_without_effect(&self) -> Vec<(usize, Vec<Entry>)> {
        let states = self.states.iter();
        // What the program's reducer makes of null is not known, and neither is what a layer contains that nobody could read yet.
        let readable = states
            .clone()
            .take_while(|state| state.is_readable())
            .count();
        let is_known = |number: usize| self.reducer.is_none() && number <= readable;
        let last = self
            .states
            .iter()
            .rposition(|state| !state.emptied.is_empty());
        // A codec of the program may panic; what it contains was decoded before.
        let below = caught(|| {
            let count = last.filter(|_| self.reducer.is_none()).unwrap_or(0);
            keys_below((self.schema.fields)(), &self.states[..count.min(readable)])
        });
        let has_any =
            |state: &LayerState| !state.emptied.is_empty() || !state.without_effect.is_empty();
        let all = states.enumerate().filter(|(_, state)| has_any(state));
        let mut found: BTreeMap<usize, Vec<usize>> =
            all.map(|(number, _)| (number, Vec::new())).collect();
        let (mut maps, mut lone) = (HashMap::new(), Vec::new());
        for number in found.keys().copied().filter(|number| is_known(*number)) {
            if let Ok(below) = &below {
                let seen = caught(|| self.lone_entries(number, below, &mut maps));
                lone.extend(seen.unwrap_or_default());
            }
        }
        let decode = |tree: &_| (self.schema.decode_tree)(tree, false).1;
        let decode: &DecodesTree<'_> = &decode;
        let are_distinct = |path: &[Seg]| {
            let mut keys: HashSet<&str> = HashSet::new();
            keys.extend(
                maps.get(path)
                    .into_iter()
                    .flat_map(|map| map.keys.iter())
                    .map(|key| &**key),
            );
            let own = lone
                .iter()
                .filter(|one: &&LoneEntries<'_>| one.path == path);
            keys.extend(own.flat_map(|one| &one.entries).map(|(_, key)| *key));
            let keys: Vec<&str> = keys.into_iter().collect();
            caught(|| alike_entries::are_distinct(decode, path, &keys)).unwrap_or(false)
        };
        // Mostly no two keys of any layers are alike, and one document says so.
        let paths: HashSet<&[Seg]> = lone.iter().map(|one| one.path).collect();
        let distinct: HashSet<&[Seg]> = paths
            .into_iter()
            .filter(|path| are_distinct(path))
            .collect();
        for one in &lone {
            let keys: Vec<&str> = one.entries.iter().map(|(_, key)| *key).collect();
            let known = maps
                .get(one.path)
                .map_or(&[][..], |map| &map.keys[..one.below]);
            let alike = match distinct.contains(one.path) {
                true => None,
                false => match caught(|| Alike::of(decode, one.path, &keys, known)) {
                    Ok(alike) => Some(alike),
                    Err(_) => continue,
                },
            };
            let is_alike = |key: &str| alike.as_ref().is_some_and(|alike| alike.has(key));
            let without = one.entries.iter().filter(|(_, key)| !is_alike(key));
            let all = found.entry(one.number).or_default();
            all.extend(without.map(|(at, _)| *at));
        }
        let warnings = found.into_iter().map(|(number, mut found)| {
            found.sort_unstable();
            let emptied = &self.states[number].emptied;
            let entries = found.into_iter().filter_map(|at| emptied.get(at));
            let warnings = entries.map(|entry| entry.clone().layer(number).warning(true));
            (number, warnings.collect())
        });
        warnings.collect()
    }

    /// The entries of a layer that are null and that no layer below has under the same key, map by map.
    fn lone_entries<'s>(
        &'s self,
        number: usize,
        below: &Below<'_>,
        maps: &mut HashMap<&'s [Seg], MapBelow>,
    ) -> Vec<LoneEntries<'s>> {
        let mut lone: BTreeMap<&[Seg], LoneEntries<'s>> = BTreeMap::new();
        for (at, entry) in self.states[number].emptied.iter().enumerate() {
            let Some((Seg::Key(key), path)) = entry.path().split_last() else {
                continue;
            };
            let known = maps.entry(path).or_default();
            known.extend(below, path, number);
            if !same_keys(key).any(|one| known.same.contains(&one)) {
                let new = || LoneEntries {
                    number,
                    path,
                    entries: Vec::new(),
                    below: known.keys.len(),
                };
                lone.entry(path).or_insert_with(new).entries.push((at, key));
            }
        }
        lone.into_values().collect()
    }
}

/// Entries of one layer in one map that are null, and that no layer below has under the same key.
struct LoneEntries<'s> {
    number: usize,
    path: &'s [Seg],
    /// By their numbers.
    entries: Vec<(usize, &'s str)>,
    /// How many keys the layers below have.
    below: usize,
}

/// A map that has such an entry, as far as layers below contain it.
#[derive(Default)]
struct MapBelow {
    /// Its keys, each once.
    keys: Vec<String>,
    known: HashSet<String>,
    /// Each of them in each way in which one can be the same, whatever the type of the keys.
    same: HashSet<SameKey>,
    /// Of so many layers.
    layers: usize,
}

impl MapBelow {
    /// Adds what the layers up to this one contain.
    fn extend(&mut self, below: &Below<'_>, path: &[Seg], number: usize) {
        if self.layers >= number {
            return;
        }
        for key in below.at(path, self.layers..number) {
            if self.known.insert(key.clone()) {
                self.same.extend(same_keys(&key));
                self.keys.push(key);
            }
        }
        self.layers = number;
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
