//! Where a text in a tree is a section, or a list or map of sections, for the search for unknown keys in it.

use crate::{
    document::{raw, tree::Tree},
    schema::{self, Field, Kind},
};

/// The tree with these texts as the lists and maps that they are read as. A text that cannot be read remains: that is reported
/// where it is decoded.
pub(super) fn opened(fields: &'static [Field], tree: &Tree) -> Tree {
    section(fields, tree)
}

fn section(fields: &'static [Field], tree: &Tree) -> Tree {
    parts(tree, raw::map, |key, value| {
        match schema::step(fields, key) {
            Some((_, inner)) => kind(inner, value),
            None => value.clone(),
        }
    })
}

fn kind(of: Kind, tree: &Tree) -> Tree {
    match of {
        Kind::Leaf => tree.clone(),
        Kind::Section(inner) => section(inner(), tree),
        Kind::Map(entry) => parts(tree, raw::map, |_, value| kind(*entry, value)),
        Kind::List(item) => parts(tree, raw::list, |_, value| kind(*item, value)),
    }
}

fn parts(
    tree: &Tree,
    read: fn(&str) -> Result<Tree, raw::Unreadable>,
    part: impl Fn(&str, &Tree) -> Tree,
) -> Tree {
    let text;
    let tree = match tree {
        Tree::Raw(raw) => match read(raw) {
            Ok(read) => {
                text = read;
                &text
            }
            Err(_) => return tree.clone(),
        },
        other => other,
    };
    match tree {
        Tree::Map(entries) => {
            let entries = entries.iter();
            let opened = entries.map(|(key, value)| (key.clone(), part(key, value)));
            Tree::Map(opened.collect())
        }
        Tree::Seq(items) => Tree::Seq(items.iter().map(|item| part("", item)).collect()),
        other => other.clone(),
    }
}
