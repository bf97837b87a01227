//! Which entry of a map or item of a list a variable's name means, and that one with two meanings is refused.

use super::{
    names::{computed_names, names_of},
    step::{PathStep, path_of},
};
use crate::{
    document::AskedForm,
    problem::{Dotted, Seg},
    schema::{Descent, Field, Kind, MAX_DEPTH},
    source::KnownKeys,
};
use flux_syntax::env_segment;
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    rc::Rc,
};

/// One meaning of a name.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub(super) steps: Vec<PathStep>,
    /// How many characters of the name are keys of entries, and not names of fields.
    keys: usize,
    /// A layer below has no such entry.
    pub(super) is_new: bool,
    /// It is below an entry or an item.
    is_inside: bool,
    /// The name begins with what the program chose: a prefix, or a field's own variable.
    is_named: bool,
}

impl Reading {
    /// A key of an entry that no layer below has, with a separator of one character at one of its ends.
    pub(super) fn odd_key(&self, separator: &str) -> Option<&str> {
        let is_odd = |key: &&str| key.starts_with(separator) || key.ends_with(separator);
        let mut keys = self.steps.iter().filter_map(|step| match step {
            PathStep::Entry(key) => Some(key.as_str()),
            _ => None,
        });
        keys.find(is_odd)
            .filter(|_| self.is_new && separator == "_")
    }

    fn then(&self, step: PathStep) -> Self {
        let mut next = self.clone();
        next.is_inside |= !matches!(step, PathStep::Field(_));
        next.steps.push(step);
        next
    }
}

/// A map or list whose name begins the variable's.
#[derive(Clone, Debug)]
pub(super) struct ReachedName {
    pub(super) path: Vec<Seg>,
    pub(super) stem: String,
    pub(super) kind: Kind,
    /// It is a map, and not a list.
    pub(super) is_map: bool,
}

/// More readings than a person can distinguish.
const MOST: usize = 32;

/// The keys of maps in the layers below, by the names that variables have for them. Each map is looked through once, however many
/// variables are set below it.
pub(super) struct KeysByName<'a> {
    known: KnownKeys<'a>,
    maps: RefCell<HashMap<Vec<Seg>, Rc<MapKeys>>>,
}

#[derive(Default)]
struct MapKeys {
    all: HashSet<String>,
    by_name: HashMap<String, Vec<String>>,
}

impl<'a> KeysByName<'a> {
    pub(super) fn new(known: KnownKeys<'a>) -> Self {
        let maps = RefCell::default();
        KeysByName { known, maps }
    }

    /// Where nothing is known of the layers below.
    pub(super) fn none() -> KeysByName<'static> {
        KeysByName::new(&|_| Vec::new())
    }

    fn of(&self, path: Vec<Seg>) -> Rc<MapKeys> {
        if let Some(keys) = self.maps.borrow().get(&path) {
            return Rc::clone(keys);
        }
        let mut keys = MapKeys::default();
        for key in (self.known)(&path) {
            if keys.all.insert(key.clone()) {
                keys.by_name.entry(env_segment(&key)).or_default().push(key);
            }
        }
        let keys = Rc::new(keys);
        self.maps.borrow_mut().insert(path, Rc::clone(&keys));
        keys
    }
}

/// Looks for the meanings of one name.
pub(super) struct NameReader<'a> {
    pub(super) name: &'a str,
    /// The text is an entry as a whole.
    pub(super) is_braced: bool,
    pub(super) separator: &'a str,
    pub(super) known: &'a KeysByName<'a>,
    pub(super) form: &'a dyn Fn(&[PathStep]) -> Option<AskedForm>,
    pub(super) found: Vec<Reading>,
    pub(super) reached: Vec<ReachedName>,
}

impl NameReader<'_> {
    pub(super) fn read(&mut self, fields: &'static [Field], prefix: &str) {
        let all = Reading {
            is_named: !prefix.is_empty(),
            ..Reading::default()
        };
        let root = Descent::at(fields, MAX_DEPTH);
        self.section(fields, &[prefix.to_owned()], &all, &root);
    }

    fn section(
        &mut self,
        fields: &'static [Field],
        prefixes: &[String],
        at: &Reading,
        way: &Descent<'_>,
    ) {
        for field in fields {
            if let (Kind::Section(inner), true) = (field.kind, field.flatten) {
                if let Some(way) = way.enter(inner()) {
                    self.section(inner(), prefixes, at, &way);
                }
                continue;
            }
            // A flattened map has no name of its own.
            if field.flatten {
                continue;
            }
            // A field in a section may have a variable of its own, so that a section is looked into whatever the name is.
            let is_section = matches!(field.kind, Kind::Section(_));
            if !is_section && !self.begins_with(field, prefixes, at.is_inside) {
                continue;
            }
            let names = match at.is_inside {
                true => computed_names(field, prefixes),
                false => names_of(field, prefixes),
            };
            let mut here = at.then(PathStep::Field(field));
            here.is_named |= field.env_exact.is_some();
            for name in names {
                self.field(field.kind, &name, &here, way);
            }
        }
    }

    /// Whether the name begins with one of this field's. Most fields are passed over without making their names.
    fn begins_with(&self, field: &Field, prefixes: &[String], is_inside: bool) -> bool {
        if let (Some(own), false) = (field.env_exact, is_inside) {
            return self.name.starts_with(own);
        }
        let mut rests = prefixes
            .iter()
            .filter_map(|prefix| self.name.strip_prefix(prefix.as_str()));
        rests.any(|rest| rest.starts_with(field.env) || !field.aliases.is_empty())
    }

    /// What the name can mean where `stem` of it leads to a value of this kind.
    fn field(&mut self, kind: Kind, stem: &str, at: &Reading, way: &Descent<'_>) {
        if let Kind::Section(inner) = kind
            && let Some(way) = way.enter(inner())
        {
            let prefix = format!("{stem}{}", self.separator);
            self.section(inner(), &[prefix], at, &way);
        }
        if self.name == stem {
            let is_section = matches!(kind, Kind::Section(_));
            if at.is_inside && (self.is_braced || !is_section) {
                self.found.push(at.clone());
            }
            return;
        }
        let rest = self.name.strip_prefix(stem);
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix(self.separator)) else {
            return;
        };
        if rest.is_empty() || self.found.len() > MOST || !at.is_named {
            return;
        }
        // The name up to a part of the rest.
        let whole = self.name;
        let upto = |length: usize| &whole[..whole.len() - rest.len() + length];
        match kind {
            Kind::Section(_) => {}
            Kind::Map(entry) => {
                self.reach(stem, kind, at, true);
                let cuts = rest.match_indices(self.separator).map(|(end, _)| end);
                for end in cuts.chain([rest.len()]).filter(|end| *end > 0) {
                    for found in self.entries(at, &rest[..end]) {
                        self.field(*entry, upto(end), &found, way);
                    }
                }
            }
            Kind::List(item) => {
                self.reach(stem, kind, at, false);
                let end = rest.find(self.separator).unwrap_or(rest.len());
                if let Some(index) = index(&rest[..end]) {
                    let found = at.then(PathStep::Item(index));
                    self.field(*item, upto(end), &found, way);
                }
            }
            Kind::Leaf => match (self.form)(&at.steps) {
                Some(AskedForm::Map) => {
                    self.reach(stem, kind, at, true);
                    self.whole_entry(at, rest);
                }
                Some(AskedForm::List) => {
                    self.reach(stem, kind, at, false);
                    let item = index(rest).map(|index| at.then(PathStep::Item(index)));
                    self.found.extend(item);
                }
                Some(AskedForm::Bool) | None => {}
            },
        }
    }

    fn reach(&mut self, stem: &str, kind: Kind, at: &Reading, is_map: bool) {
        self.reached.push(ReachedName {
            path: path_of(&at.steps),
            stem: stem.to_owned(),
            kind,
            is_map,
        });
    }

    fn whole_entry(&mut self, at: &Reading, key: &str) {
        // Another separator than `_` separates exactly.
        if self.separator == "_" || !key.contains(self.separator) {
            let entries = self.entries(at, key);
            self.found.extend(entries);
        }
    }

    /// The entries that this part of the name can mean: those of the layers below that have this name in capitals, or a new one. A
    /// part with a lower-case letter is the key itself.
    fn entries(&self, at: &Reading, part: &str) -> Vec<Reading> {
        let known = self.known.of(path_of(&at.steps));
        let entry = |key: &str, is_new: bool| {
            let mut entry = at.then(PathStep::Entry(key.to_owned()));
            entry.keys += part.len();
            entry.is_new |= is_new;
            entry
        };
        if part.chars().any(char::is_lowercase) {
            return vec![entry(part, !known.all.contains(part))];
        }
        let same = known.by_name.get(part).into_iter().flatten();
        let mut entries: Vec<_> = same.map(|key| entry(key, false)).collect();
        if entries.is_empty() {
            entries.push(entry(&part.to_lowercase(), true));
        }
        entries
    }
}

/// The number of an item, as it is written by whoever counts.
fn index(text: &str) -> Option<usize> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let index = text.parse().ok().filter(|_| is_plain)?;
    (text == "0" || !text.starts_with('0')).then_some(index)
}

/// The reading that counts: the one whose entries the layers below have, or else the one with the longest names of fields.
/// Of several that are as good as one another there is none: they are the error.
pub(super) fn choose(found: &[Reading]) -> Result<Option<&Reading>, Vec<Vec<Seg>>> {
    let mut best: Vec<&Reading> = found.iter().filter(|reading| !reading.is_new).collect();
    if best.is_empty() {
        let least = found.iter().map(|reading| reading.keys).min();
        let shortest = found.iter().filter(|reading| Some(reading.keys) == least);
        best = shortest.collect();
    }
    let mut paths: Vec<_> = best.iter().map(|reading| path_of(&reading.steps)).collect();
    paths.sort_unstable();
    paths.dedup();
    match paths.len() {
        0 | 1 => Ok(best.first().copied()),
        _ => Err(paths),
    }
}

/// What is reported of a name with several meanings.
pub(super) fn ambiguous(name: &str, paths: &[Vec<Seg>]) -> String {
    let all: Vec<_> = paths
        .iter()
        .map(|path| format!("`{}`", Dotted(path)))
        .collect();
    format!(
        "{name} can mean {}; set the map as a whole, as JSON, or join the parts of names by `__`: `?separator=__`",
        all.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_map_of_the_layers_below_is_looked_through_once_however_often_it_is_asked_for() {
        let looks = Cell::new(0);
        let known = |_: &[Seg]| {
            looks.set(looks.get() + 1);
            vec!["some-key".to_owned(), "some_key".to_owned(), "b".to_owned()]
        };
        let keys = KeysByName::new(&known);
        for number in 0..2_000 {
            let at = |name: &str| vec![Seg::Key(name.to_owned().into())];
            let labels = keys.of(at("labels"));
            assert_eq!(
                labels.by_name["SOME_KEY"],
                ["some-key", "some_key"],
                "{number}"
            );
            assert!(keys.of(at("limits")).all.contains("b"));
        }
        assert_eq!(looks.get(), 2);
    }
}
