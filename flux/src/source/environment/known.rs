//! How a key of a map is spelt whose variable has lost that: by the keys that the layers below have.

use crate::{
    document::{Document, NodeContent, NodeId, raw, tree::Tree},
    problem::Seg,
    schema::{self, Field},
};
use std::cell::RefCell;

/// The keys of the map at `path` of a document, in which fields may have any of their names.
pub(crate) fn keys_of(
    fields: &'static [Field],
    document: &Document<'_>,
    path: &[Seg],
) -> Vec<String> {
    let Some(id) = find(fields, document, path) else {
        return Vec::new();
    };
    let entries = document.entries(id).iter();
    entries
        .map(|entry| document.key(entry.key).to_owned())
        .collect()
}

fn find(fields: &'static [Field], document: &Document<'_>, path: &[Seg]) -> Option<NodeId> {
    let mut id = document.root();
    for (end, seg) in path.iter().enumerate() {
        let table = schema::table(fields, &path[..end]);
        id = match seg {
            Seg::Index(index) => match &document.node(id).content {
                NodeContent::List(items) => *items.get(*index)?,
                _ => return None,
            },
            Seg::Key(key) => {
                let is_it = |other: &str| is_same(table, key, other);
                let mut entries = document.entries(id).iter();
                entries.find(|entry| is_it(document.key(entry.key)))?.value
            }
        };
    }
    Some(id)
}

/// A tree with texts of variables. The text of a map or a list is read once, when a path leads into it.
pub(crate) struct TextTree(RefCell<Tree>);

impl TextTree {
    pub(crate) fn new(tree: &Tree) -> Self {
        TextTree(RefCell::new(tree.clone()))
    }

    /// The keys of the map at `path`.
    pub(crate) fn keys(&self, fields: &'static [Field], path: &[Seg]) -> Vec<String> {
        let mut tree = self.0.borrow_mut();
        let mut at = &mut *tree;
        for (end, seg) in path.iter().enumerate() {
            open(at, matches!(seg, Seg::Index(_)));
            let next = match (at, seg) {
                (Tree::Seq(items), Seg::Index(index)) => items.get_mut(*index),
                (Tree::Map(entries), Seg::Key(key)) => {
                    let table = schema::table(fields, &path[..end]);
                    let mut entries = entries.iter_mut();
                    let found = entries.find(|(other, _)| is_same(table, key, other));
                    found.map(|(_, value)| value)
                }
                _ => None,
            };
            let Some(next) = next else {
                return Vec::new();
            };
            at = next;
        }
        open(at, false);
        match at {
            Tree::Map(entries) => entries.iter().map(|(key, _)| key.clone()).collect(),
            _ => Vec::new(),
        }
    }
}

fn open(tree: &mut Tree, is_list: bool) {
    if let Tree::Raw(text) = tree {
        let read = match is_list {
            true => raw::list(text),
            false => raw::map(text),
        };
        *tree = read.unwrap_or_default();
    }
}

fn is_same(table: &'static [Field], key: &str, other: &str) -> bool {
    match schema::find(table, key) {
        Some(field) => field.is(other),
        None => key == other,
    }
}
