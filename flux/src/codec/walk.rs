//! A walk over a document's tree beside the field table: what typed decoding passes over.

use super::{
    locate::numbers,
    slow::{MOST, Read, date},
};
use crate::{
    document::tree::Tree,
    problem::{Problem, Seg, What},
    report::secrets::may_be_a_value,
    schema::{self, Field, Kind},
};
use std::collections::HashSet;

/// A problem and the numbers of the entries and items that lead to it, which tell equal keys apart.
pub(super) struct Spot {
    pub(super) problem: Problem,
    pub(super) numbers: Vec<usize>,
    /// The section refuses what no field has.
    pub(super) strict: bool,
}

impl Spot {
    /// A problem at the first value with its path.
    pub(super) fn at_path(problem: Problem, tree: &Tree) -> Self {
        let numbers = numbers(tree, &problem.path).unwrap_or_default();
        Spot {
            problem,
            numbers,
            strict: false,
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.problem.what, What::Unknown(_))
    }
}

/// Keys that no field has, keys that stand in their map twice, and dates in the place of sections, at any depth. Into values
/// that are decoded as a whole only `with_leaves`: what their types accept is accepted.
pub(super) fn walk(fields: &'static [Field], read: &Read<'_>, with_leaves: bool) -> Vec<Spot> {
    let mut walk = Walk {
        read,
        with_leaves,
        secrets: schema::any_secret(fields),
        path: Vec::new(),
        numbers: Vec::new(),
        spots: Vec::new(),
    };
    walk.section(fields, &read.tree);
    walk.spots
}

struct Walk<'a> {
    read: &'a Read<'a>,
    with_leaves: bool,
    /// The type has secrets.
    secrets: bool,
    path: Vec<Seg>,
    numbers: Vec<usize>,
    spots: Vec<Spot>,
}

impl Walk<'_> {
    fn tell(&mut self, what: What, strict: bool) {
        self.spots.push(Spot {
            problem: Problem {
                path: self.path.clone(),
                what,
            },
            numbers: self.numbers.clone(),
            strict,
        });
    }

    fn within(&mut self, seg: Seg, number: usize, go: impl FnOnce(&mut Self)) {
        self.path.push(seg);
        self.numbers.push(number);
        go(self);
        self.path.pop();
        self.numbers.pop();
    }

    /// The key as it stands in the document, and whether another was put in its place because it stands there twice.
    fn written<'k>(&'k self, key: &'k str) -> (&'k str, bool) {
        let mut renamed = self.read.renamed.iter();
        let renamed = renamed.find(|renamed| renamed.key == key);
        renamed.map_or((key, false), |renamed| (&renamed.written, true))
    }

    fn section(&mut self, fields: &'static [Field], tree: &Tree) {
        if let Some(date) = date(tree) {
            let found = format!("date-time `{date}`");
            let expected = "a section (a map of keys)".to_owned();
            return self.tell(What::Type { found, expected }, false);
        }
        let Tree::Map(entries) = tree else { return };
        let mut seen: HashSet<&str> = HashSet::new();
        for (number, (key, value)) in entries.iter().enumerate() {
            let (key, renamed) = self.written(key);
            let key = key.to_owned();
            let field = schema::find(fields, &key);
            let twice = renamed || field.is_some_and(|field| !seen.insert(field.name));
            self.within(Seg::Key(key.clone().into()), number, |walk| match field {
                _ if twice => walk.tell(What::Twice, false),
                Some(field) => walk.field(field, value),
                None => walk.unknown(fields, &key, value),
            });
        }
    }

    fn field(&mut self, field: &'static Field, value: &Tree) {
        match (field.kind, value) {
            (Kind::Leaf, value) if self.with_leaves => self.leaf(value),
            (Kind::Section(inner), value) => self.section(inner(), value),
            (Kind::List(inner), Tree::Seq(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.within(Seg::Index(index), index, |walk| walk.section(inner(), item));
                }
            }
            (Kind::Map(inner), value @ Tree::Map(_)) => {
                self.entries(value, |walk, entry| walk.section(inner(), entry));
            }
            _ => {}
        }
    }

    /// Keys that stand twice in a map that is decoded as a whole would silently lose one.
    fn leaf(&mut self, value: &Tree) {
        match value {
            Tree::Map(_) => self.entries(value, Self::leaf),
            Tree::Seq(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.within(Seg::Index(index), index, |walk| walk.leaf(item));
                }
            }
            _ => {}
        }
    }

    /// The entries of a map that any key may name.
    fn entries(&mut self, map: &Tree, go: impl Fn(&mut Self, &Tree)) {
        let Tree::Map(entries) = map else { return };
        let mut seen: HashSet<&str> = HashSet::new();
        for (number, (key, value)) in entries.iter().enumerate() {
            let (written, renamed) = self.written(key);
            let seg = Seg::Key(written.to_owned().into());
            let twice = renamed || !seen.insert(key);
            self.within(seg, number, |walk| match twice {
                true => walk.tell(What::Twice, false),
                false => go(walk, value),
            });
        }
    }

    fn unknown(&mut self, fields: &'static [Field], key: &str, value: &Tree) {
        // Beyond those that are told, none is suggested.
        let near = match self.spots.len() < MOST {
            true => flux_syntax::nearest(key, schema::keys(fields)),
            false => None,
        };
        if self.secrets && may_be_a_value(fields, key, value) {
            self.path.pop();
            self.path.push(Seg::Key("…".into()));
        }
        self.tell(What::Unknown(near), schema::is_strict(fields));
    }
}
