//! Each key of what variables set, or of what a provider contains, with the field that it belongs to.

use crate::{
    document::{raw, tree::Tree},
    problem::{MOST_PATH_BYTES, MOST_PROBLEMS, Seg, path_bytes},
    schema::{self, Field, Kind},
};

pub(super) trait KeyVisitor {
    /// A key of this field, at the end of the path.
    fn read(&mut self, path: &[Seg], field: &'static Field, key: &str);

    /// A key that none of these fields has, at the end of the path.
    fn unread(&mut self, path: &[Seg], fields: &'static [Field], key: &str, value: &Tree);
}

/// Shows each key of a section, and of what is below it, also in the texts of sections. A text that cannot be read has none: that is
/// reported where it is decoded.
pub(super) fn visit_keys(fields: &'static [Field], tree: &Tree, visitor: &mut impl KeyVisitor) {
    let path = Vec::new();
    KeyWalk { path, visitor }.section(fields, tree);
}

struct KeyWalk<'v, V> {
    path: Vec<Seg>,
    visitor: &'v mut V,
}

impl<V: KeyVisitor> KeyWalk<'_, V> {
    fn section(&mut self, fields: &'static [Field], tree: &Tree) {
        each(tree, raw::map, |key, _, value| {
            self.path.push(Seg::Key(key.to_owned().into()));
            match schema::step(fields, key) {
                Some((field, kind)) => {
                    self.visitor.read(&self.path, field, key);
                    self.kind(kind, value);
                }
                None => self.visitor.unread(&self.path, fields, key, value),
            }
            self.path.pop();
        });
    }

    fn kind(&mut self, kind: Kind, tree: &Tree) {
        match kind {
            Kind::Leaf => {}
            Kind::Section(inner) => self.section(inner(), tree),
            Kind::Map(entry) => each(tree, raw::map, |key, _, value| {
                self.within(Seg::Key(key.to_owned().into()), *entry, value);
            }),
            // Items that were set one by one are in a map, by their numbers.
            Kind::List(item) => each(tree, raw::list, |key, place, value| {
                let index = key.parse().unwrap_or(place);
                self.within(Seg::Index(index), *item, value);
            }),
        }
    }

    fn within(&mut self, seg: Seg, kind: Kind, value: &Tree) {
        self.path.push(seg);
        self.kind(kind, value);
        self.path.pop();
    }
}

/// Shows each part of a list or a map: its key, its place and its value.
fn each(
    tree: &Tree,
    read: fn(&str) -> Result<Tree, raw::Unreadable>,
    mut show: impl FnMut(&str, usize, &Tree),
) {
    let text;
    let tree = match tree {
        Tree::Raw(raw) => match read(raw) {
            Ok(read) => {
                text = read;
                &text
            }
            Err(_) => return,
        },
        other => other,
    };
    match tree {
        Tree::Map(entries) => {
            for (place, (key, value)) in entries.iter().enumerate() {
                show(key, place, value);
            }
        }
        Tree::Seq(items) => {
            for (place, value) in items.iter().enumerate() {
                show("", place, value);
            }
        }
        _ => {}
    }
}

/// How many flaws with their paths a report has room for.
#[derive(Default)]
pub(super) struct FlawRoom {
    taken: usize,
    /// How many bytes of keys their paths have.
    copied: usize,
}

impl FlawRoom {
    pub(super) fn is_full(&self) -> bool {
        self.taken >= MOST_PROBLEMS || self.copied >= MOST_PATH_BYTES
    }

    pub(super) fn take(&mut self, path: &[Seg]) {
        self.taken += 1;
        self.copied += path_bytes(path);
    }
}
