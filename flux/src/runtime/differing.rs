//! Which paths are named as changed for a trial: those in which documents differ from those of before.

use super::{
    kept_document,
    last_known_good::{KeptFile, NO_ENTRIES},
};
use crate::{
    codec::{self, Decoder, Tree},
    engine::{Engine, LayerContent, LayerState, Schema},
    problem::{Dotted, LONGEST, Seg, caught},
};
use std::{borrow::Cow, collections::HashMap, sync::Arc};

/// More paths than this are not listed.
const MOST: usize = 64;

/// In which paths the documents that are about to be applied differ from what is kept on disk.
pub(super) fn applied(engine: &Engine, before: &KeptFile) -> Vec<String> {
    between(engine, Some(before), true, |state, kept| {
        let new = match state.newest_content()? {
            LayerContent::Document(bytes, _) => Some(bytes),
            LayerContent::Silent(_) => None,
            LayerContent::Given(_) | LayerContent::Kept(_) => return None,
        };
        Some((Side::Kept(kept?), Side::Source(new)))
    })
}

/// In which paths the documents that are about to be read differ from what readers see; where they see nothing of a layer yet, from
/// what is kept on disk. Nothing of the program runs for it: of a layer that only the program's own code can read, nothing is known.
pub(super) fn incoming(engine: &Engine, before: Option<&KeptFile>) -> Vec<String> {
    between(engine, before, false, |state, kept| {
        let new = state.incoming()?;
        let old = match state.content() {
            LayerContent::Given(_) => return None,
            LayerContent::Document(bytes, _) => Side::Source(Some(bytes)),
            LayerContent::Silent(_) if state.is_accepted() => Side::Source(None),
            LayerContent::Kept(_) | LayerContent::Silent(_) => Side::Kept(kept?),
        };
        Some((old, Side::Source(new)))
    })
}

/// What is compared of a layer.
enum Side<'k> {
    Kept(&'k Tree),
    /// The document, where the source has one.
    Source(Option<Arc<[u8]>>),
}

/// In which paths the layers differ, each from its old to its new side. `was_read`: the program's own code has read the documents
/// and survived it, so that it may read them again.
fn between<'k>(
    engine: &Engine,
    before: Option<&'k KeptFile>,
    was_read: bool,
    sides: impl Fn(&LayerState, Option<&'k Tree>) -> Option<(Side<'k>, Side<'k>)>,
) -> Vec<String> {
    let schema = engine.layers().schema;
    let mut found = Vec::new();
    let states = engine.layers().states.iter().zip(engine.layers().keys());
    for (state, key) in states {
        let Some(decoder) = &state.decoder else {
            continue;
        };
        let tree = |side| match side {
            Side::Kept(tree) => Some(Cow::Borrowed(tree)),
            Side::Source(document) => entries(schema, decoder, document.as_deref(), was_read),
        };
        let kept = before.and_then(|before| before.content(&key));
        if let Some((old, new)) = sides(state, kept)
            && let (Some(old), Some(new)) = (tree(old), tree(new))
        {
            paths(&old, &new, &mut found);
        }
    }
    found
}

/// The entries of a document; none where they cannot be read. A document of comments has no entries.
fn entries(
    schema: &Schema,
    decoder: &Decoder,
    document: Option<&[u8]>,
    was_read: bool,
) -> Option<Cow<'static, Tree>> {
    let Some(bytes) = document else {
        return Some(Cow::Borrowed(&NO_ENTRIES));
    };
    let text = codec::text_of(bytes).ok()?;
    if text.trim().is_empty() || codec::is_without_content(decoder, text) {
        return Some(Cow::Borrowed(&NO_ENTRIES));
    }
    if !was_read && codec::bounded_dialect(decoder, text).is_none() {
        return None;
    }
    let kept = caught(|| kept_document::keep(schema, decoder, bytes));
    kept.ok()?.ok().map(|(tree, _)| Cow::Owned(tree))
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
        (Tree::Map(before), Tree::Map(after))
            if !is_marked(before) && !is_marked(after) && !is_long(path) =>
        {
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
        _ => found.push(Dotted(path).text()),
    }
}

/// Whether what is below is one difference: as many paths as there are would each repeat a key that is long.
fn is_long(path: &[Seg]) -> bool {
    let size = |seg: &Seg| match seg {
        Seg::Key(key) => key.len(),
        Seg::Index(_) => 0,
    };
    path.iter().map(size).sum::<usize>() > LONGEST
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

    #[test]
    fn what_is_below_a_long_key_is_one_difference() {
        let key = "k".repeat(LONGEST + 1);
        let below = |n| map(&[("a", Tree::U64(n)), ("b", Tree::U64(n))]);
        let mut found = Vec::new();
        let (old, new) = (map(&[(&key, below(1))]), map(&[(&key, below(2))]));
        paths(&old, &new, &mut found);
        assert_eq!(found, [key]);
    }
}
