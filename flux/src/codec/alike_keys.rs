//! Which two keys of a map are the same to its type, such as `5` and `+5`: the type's own decoder only says that two are.

use super::partial_layer::FillLayer;
use crate::{
    document::{ChosenPart, Document, NodeDecoder, NodeId},
    problem::{
        Flaw, ProblemKind, Seg, What,
        collect_errors::{AllCaught, Caught, NodeStep, collect_errors},
        shortened,
    },
    schema::{self, Field, Place},
};
use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
};

/// Names both keys, at the second one, where a document has places.
pub(super) fn name_alike_keys(
    fields: &'static [Field],
    document: &Document<'_>,
    into: &mut dyn FillLayer,
    all: &mut AllCaught,
) {
    // One for all, so that many such maps in a large document come to an end.
    let left = NodeDecoder::budget(document);
    let mut of_maps: HashMap<Vec<Seg>, (usize, bool)> = HashMap::new();
    for caught in &mut all.caught {
        if caught.problem.what != What::AlikeKeys {
            continue;
        }
        if left.get() == 0 {
            break;
        }
        let path = caught.problem.path.clone();
        let of_map = of_maps
            .entry(path)
            .or_insert_with(|| (0, has_a_key_twice(document, caught)));
        of_map.0 += 1;
        let (which, false) = *of_map else {
            continue;
        };
        let mut search = PairSearch {
            document,
            into: &mut *into,
            left: &left,
            caught,
        };
        if let Some(pair) = search.pair(which) {
            name(fields, document, caught, pair);
        }
    }
}

/// Words the problem, and leads it to the second of the two.
fn name(
    fields: &'static [Field],
    document: &Document<'_>,
    caught: &mut Caught,
    (first, second): (usize, usize),
) {
    let entries = document.entries(map_of(document, caught, caught.steps.len()));
    let (Some(first), Some(entry)) = (entries.get(first), entries.get(second)) else {
        return;
    };
    let keys = [document.key(first.key), document.key(entry.key)];
    // The keys of a secret are secret, and what is not in its place may be one.
    let may_be_secret = schema::place(fields, &caught.problem.path) == Place::Leaf { secret: true }
        || schema::any_secret(fields) && keys.iter().any(|key| schema::separates(key));
    if may_be_secret {
        return;
    }
    let [one, other] = keys.map(shortened);
    let text = format!("`{one}` and `{other}` are the same key; remove one");
    caught.problem.what = What::plain(ProblemKind::DuplicateKey, text);
    let key = document.key(entry.key).to_owned();
    caught.problem.path.push(Seg::Key(key.into()));
    caught.steps.push(NodeStep {
        node: entry.value.number(),
        index: second,
        fixed: false,
        alike: true,
    });
}

/// What is written twice alike is found by its text.
fn has_a_key_twice(document: &Document<'_>, caught: &Caught) -> bool {
    let entries = document.entries(map_of(document, caught, caught.steps.len()));
    let mut texts = HashSet::new();
    !(entries.iter()).all(|entry| texts.insert(document.key(entry.key)))
}

/// The list or map in which the way to the problem is after so many steps.
fn map_of(document: &Document<'_>, caught: &Caught, depth: usize) -> NodeId {
    let step = depth.checked_sub(1).and_then(|at| caught.steps.get(at));
    let node = step.map_or(document.root(), |step| document.id(step.node));
    document.resolved(node)
}

/// The search in one map. It is decoded without some of its entries, until two remain.
struct PairSearch<'s> {
    document: &'s Document<'s>,
    into: &'s mut dyn FillLayer,
    left: &'s Cell<usize>,
    caught: &'s Caught,
}

impl PairSearch<'_> {
    /// The numbers of the two entries; of several such pairs in the map, the one of this number, counted from 1.
    fn pair(&mut self, which: usize) -> Option<(usize, usize)> {
        let map = map_of(self.document, self.caught, self.caught.steps.len());
        let entries = self.document.entries(map);
        let end = least(entries.len(), |end| self.pairs((0..end).collect()) >= which);
        let second = end?.checked_sub(1)?;
        let end = least(second, |end| {
            let without = self.pairs((0..end).collect());
            self.pairs((0..end).chain([second]).collect()) > without
        });
        let first = end?.checked_sub(1)?;
        // Where no more may be decoded, the search leads anywhere.
        (self.pairs(vec![first, second]) == 1).then_some((first, second))
    }

    /// How often two keys are found to be the same in the map with these entries alone.
    fn pairs(&mut self, entries: Vec<usize>) -> usize {
        let mut parts = HashMap::new();
        for (depth, step) in self.caught.steps.iter().enumerate() {
            if depth < self.caught.leaf || step.alike {
                let around = map_of(self.document, self.caught, depth);
                parts.insert(around, ChosenPart::Only(vec![step.index]));
            }
        }
        let map = map_of(self.document, self.caught, self.caught.steps.len());
        parts.insert(map, ChosenPart::Only(entries));
        let decoder = NodeDecoder::new(self.document, &parts, self.left);
        let (_, all) = collect_errors(|| self.into.fill_from_nodes(decoder));
        let is_one = |problem: &Flaw| {
            problem.what == What::AlikeKeys && problem.path == self.caught.problem.path
        };
        let problems = all.caught.iter().map(|caught| &caught.problem);
        problems.filter(|problem| is_one(problem)).count()
    }
}

/// The least number up to this one for which it holds, where it holds for all above.
fn least(most: usize, mut holds: impl FnMut(usize) -> bool) -> Option<usize> {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    (most > 0).then_some(low)
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "toml", feature = "yaml"))]
mod tests {
    use crate::{
        codec::{self, Decoder, Unknown},
        problem::{Dotted, What},
    };
    use flux_syntax::Format;
    use std::collections::{BTreeMap, HashMap};

    #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum AlikeLevel {
        Low,
        #[serde(alias = "mid")]
        Medium,
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "only read")]
    struct AlikePart {
        #[flux(default)]
        ports: Option<BTreeMap<u16, u8>>,
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "only read")]
    struct AlikeApp {
        #[flux(default)]
        kn: BTreeMap<u16, u8>,
        #[flux(default)]
        levels: HashMap<AlikeLevel, Option<u8>>,
        #[flux(default)]
        rows: Vec<BTreeMap<u16, u8>>,
        #[flux(nested, default)]
        parts: BTreeMap<u16, AlikePart>,
        #[flux(secret, default)]
        tokens: BTreeMap<u16, u8>,
    }

    /// The path, the place and the sentence of each problem.
    fn found(format: Format, text: &str) -> Vec<(String, (usize, usize), String)> {
        let read =
            codec::decode::<AlikeApp>(&Decoder::from(format), text.as_bytes(), Unknown::Warn);
        let found = read.map(drop).unwrap_err().found.into_iter();
        let told = found.map(|one| {
            let sentence = match &one.problem.what {
                What::AlikeKeys => "two keys".to_owned(),
                what => what.text().unwrap_or("?").to_owned(),
            };
            let path = Dotted(&one.problem.path).to_string();
            (path, one.at.unwrap(), sentence)
        });
        told.collect()
    }

    #[test]
    fn two_keys_that_are_the_same_to_their_type_are_both_named_at_the_second() {
        for (format, text, path, at, keys) in [
            (
                Format::Yaml,
                "kn: {5: 1, +5: 2}",
                "kn.+5",
                (1, 16),
                ["5", "+5"],
            ),
            (
                Format::Yaml,
                "kn:\n  1: 1\n  16: 1\n  2: 2\n  0x10: 2",
                "kn.0x10",
                (5, 9),
                ["16", "0x10"],
            ),
            (
                Format::Toml,
                "[kn]\n1 = 1\n01 = 2",
                "kn.01",
                (3, 6),
                ["1", "01"],
            ),
            (
                Format::Yaml,
                "kn: {5: ~, +5: ~}",
                "kn.+5",
                (1, 16),
                ["5", "+5"],
            ),
            (
                Format::Yaml,
                "levels: {medium: 1, low: 1, mid: 2}",
                "levels.mid",
                (1, 34),
                ["medium", "mid"],
            ),
            (
                Format::Yaml,
                "rows: [{1: 1}, {7: 1, 5: 1, +5: 2}]",
                "rows[1].+5",
                (1, 33),
                ["5", "+5"],
            ),
            (
                Format::Yaml,
                "parts: {1: {}, 2: {ports: {5: 1, +5: 2}}}",
                "parts.2.ports.+5",
                (1, 38),
                ["5", "+5"],
            ),
            (
                Format::Yaml,
                "parts: {1: {}, 2: {}, +1: {ports: {1: 1}}}",
                "parts.+1",
                (1, 27),
                ["1", "+1"],
            ),
        ] {
            let [one, other] = keys;
            let sentence = format!("`{one}` and `{other}` are the same key; remove one");
            assert_eq!(
                found(format, text),
                [(path.to_owned(), at, sentence)],
                "{text}"
            );
        }
    }

    #[test]
    fn every_pair_of_sections_whose_keys_are_the_same_is_named() {
        let told = found(
            Format::Yaml,
            "parts: {1: {}, +1: {}, 2: {}, 3: {}, 03: {}, +2: {}}",
        );
        let paths: Vec<_> = told.iter().map(|(path, _, _)| path.as_str()).collect();
        assert_eq!(paths, ["parts.+1", "parts.03", "parts.+2"]);
    }

    #[test]
    fn keys_of_a_secret_that_are_the_same_are_not_named() {
        let told = found(Format::Yaml, "tokens: {5: 1, +5: 2}");
        assert_eq!(told, [("tokens".to_owned(), (1, 9), "two keys".to_owned())]);
    }
}
