//! In which paths documents differ: those that are about to be read or applied, and those of before.

use super::{
    kept_document,
    last_known_good::{KeptFile, NO_ENTRIES},
};
use crate::{
    codec::{self, Tree},
    engine::{Engine, LayerContent},
    problem::{Dotted, Seg, caught},
};
use std::{borrow::Cow, collections::HashMap};

/// More paths than this are not listed.
const MOST: usize = 64;

/// In which paths the documents that are about to be applied differ from what is kept on disk.
pub(super) fn applied(engine: &Engine, before: &KeptFile) -> Vec<String> {
    let schema = engine.layers().schema;
    let mut found = Vec::new();
    let states = engine.layers().states.iter().zip(engine.layers().keys());
    for (state, key) in states {
        let (Some(decoder), Some(old)) = (&state.decoder, before.content(&key)) else {
            continue;
        };
        match state.newest_content() {
            Some(LayerContent::Document(bytes)) => {
                if let Ok((new, _)) = kept_document::keep(schema, decoder, &bytes) {
                    paths(old, &new, &mut found);
                }
            }
            Some(LayerContent::Silent(_)) => paths(old, &NO_ENTRIES, &mut found),
            _ => {}
        }
    }
    found
}

/// In which paths the documents that are about to be read differ from what readers see; where they see nothing of a layer yet, from
/// what is kept on disk. Nothing of the program runs for it: of a layer that only the program's own code can read, nothing is known.
pub(super) fn incoming(engine: &Engine, before: Option<&KeptFile>) -> Vec<String> {
    let schema = engine.layers().schema;
    let mut found = Vec::new();
    let states = engine.layers().states.iter().zip(engine.layers().keys());
    for (state, key) in states {
        let (Some(decoder), Some(incoming)) = (&state.decoder, state.incoming()) else {
            continue;
        };
        let tree = |bytes: Option<&[u8]>| match bytes {
            Some(bytes) => {
                let text = codec::text_of(bytes).ok()?;
                match text.trim().is_empty() || codec::says_nothing(decoder, text) {
                    true => Some(Cow::Borrowed(&NO_ENTRIES)),
                    false if !codec::is_harmless(decoder, text) => None,
                    false => {
                        let kept = caught(|| kept_document::keep(schema, decoder, bytes));
                        kept.ok()?.ok().map(|(tree, _)| Cow::Owned(tree))
                    }
                }
            }
            None => Some(Cow::Borrowed(&NO_ENTRIES)),
        };
        let old = match state.content() {
            LayerContent::Given(_) => None,
            LayerContent::Document(bytes) => tree(Some(&bytes)),
            LayerContent::Silent(_) if state.is_accepted() => Some(Cow::Borrowed(&NO_ENTRIES)),
            LayerContent::Kept | LayerContent::Silent(_) => {
                before.and_then(|before| before.content(&key).map(Cow::Borrowed))
            }
        };
        if let Some(old) = old
            && let Some(new) = tree(incoming.as_deref())
        {
            paths(&old, &new, &mut found);
        }
    }
    found
}

/// Adds the paths in which they differ, by the names in the documents. That the whole is something else has no path.
fn paths(old: &Tree, new: &Tree, found: &mut Vec<String>) {
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
        _ if path.is_empty() => {}
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
