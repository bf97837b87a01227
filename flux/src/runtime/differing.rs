//! In which paths two kept documents differ.

use crate::{
    codec::Tree,
    problem::{Dotted, Seg},
};
use std::collections::HashMap;

/// More paths than this are not listed.
const MOST: usize = 64;

/// Adds the paths in which they differ, by the names in the documents.
pub(super) fn paths(old: &Tree, new: &Tree, found: &mut Vec<String>) {
    walk(old, new, &mut Vec::new(), found);
}

fn walk(old: &Tree, new: &Tree, path: &mut Vec<Seg>, found: &mut Vec<String>) {
    if found.len() >= MOST {
        return;
    }
    match (old, new) {
        (Tree::Map(before), Tree::Map(after)) if !is_marked(before) && !is_marked(after) => {
            let mut added: HashMap<&str, &Tree> = HashMap::new();
            added.extend(after.iter().map(|(key, value)| (key.as_str(), value)));
            let mut entry = |key: &str, old: &Tree, new: &Tree| {
                path.push(Seg::Key(key.to_owned().into()));
                walk(old, new, path, found);
                path.pop();
            };
            for (key, old) in before {
                entry(key, old, added.remove(key.as_str()).unwrap_or(&Tree::Null));
            }
            for (key, new) in after {
                if added.remove(key.as_str()).is_some() {
                    entry(key, &Tree::Null, new);
                }
            }
        }
        (old, new) if old == new => {}
        _ => found.push(Dotted(path).to_string()),
    }
}

/// Whether it is a value that JSON has no word for.
fn is_marked(entries: &[(String, Tree)]) -> bool {
    entries.first().is_some_and(|(key, _)| key.starts_with('$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, Tree)]) -> Tree {
        let entries = entries.iter();
        Tree::Map(
            entries
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
        )
    }

    #[test]
    fn only_what_differs_is_found_at_any_depth() {
        let plain = |text: &str| map(&[("$plain", Tree::Str(text.to_owned()))]);
        let old = map(&[
            ("same", Tree::U64(1)),
            ("gone", Tree::U64(1)),
            (
                "pool",
                map(&[("size", Tree::U64(1)), ("ratio", plain("1.0"))]),
            ),
            ("list", Tree::Seq(vec![Tree::U64(1)])),
        ]);
        let new = map(&[
            ("same", Tree::U64(1)),
            (
                "pool",
                map(&[("size", Tree::U64(2)), ("ratio", plain("1.1"))]),
            ),
            ("list", Tree::Seq(vec![Tree::U64(2)])),
            ("come", Tree::Bool(true)),
        ]);
        let mut found = Vec::new();
        paths(&old, &new, &mut found);
        assert_eq!(found, ["gone", "pool.size", "pool.ratio", "list", "come"]);
    }
}
