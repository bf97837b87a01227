//! What a YAML merge key `<<` means: its entries are entries of the map itself, the map's own first, and where it cannot be
//! followed.

use super::{
    model::{Document, NodeContent, NodeId, Pair},
    scalar::ResolvedKind,
};
use std::collections::HashSet;

/// The key whose value is merged into the map that it is in, as YAML 1.1 has it. Also in quotes: the fast decoder's parser does
/// not tell.
pub(crate) const MERGE: &str = "<<";

/// How many times the size of the document its entries may have with merged ones.
const GROWTH: usize = 64;

/// Puts the entries of merge keys into their maps, unless there is one that cannot be merged: [`bad_merge`] finds it. Answers
/// whether it could.
pub(super) fn follow(document: &mut Document<'_>) -> bool {
    let mut left = document.len().saturating_mul(GROWTH);
    let mut done = vec![MergeState::Open; document.len()];
    for number in 0..document.len() {
        // What a map merges is merged first.
        let mut stack = vec![document.id(number)];
        while let Some(&id) = stack.last() {
            match (done[id.number()], merge_of(document, id)) {
                (MergeState::Done, _) | (_, None) => {
                    done[id.number()] = MergeState::Done;
                    stack.pop();
                }
                (MergeState::Open, Some(maps)) => {
                    done[id.number()] = MergeState::Begun;
                    let open = |map: &NodeId| matches!(done[map.number()], MergeState::Open);
                    stack.extend(maps.into_iter().filter(open));
                }
                (MergeState::Begun, Some(maps)) => {
                    let Some(entries) = merged(document, id, &maps, &mut left) else {
                        return false;
                    };
                    document.nodes[id.number()].content = NodeContent::Map(entries);
                    done[id.number()] = MergeState::Done;
                    stack.pop();
                }
            }
        }
    }
    true
}

#[derive(Clone, Copy)]
enum MergeState {
    Open,
    Begun,
    Done,
}

fn is_merge(document: &Document<'_>, key: NodeId) -> bool {
    document
        .scalar(key)
        .is_some_and(|scalar| scalar.text == MERGE && !has_tag(document, key))
}

/// Whether the node has a tag that was not settled: then it is a variant, or refused, and neither a key, a map nor a list.
fn has_tag(document: &Document<'_>, id: NodeId) -> bool {
    document.node(id).tag.is_some()
}

/// The text by which a key is the same as another one.
fn text_of_key<'d>(document: &'d Document<'_>, key: NodeId) -> Option<&'d str> {
    let scalar = document.scalar(key)?;
    let is_text = document.kind(key) != Some(ResolvedKind::Null) && !has_tag(document, key);
    is_text.then_some(&*scalar.text)
}

/// The maps that the one merge key of a map names; none where it has no such key, or one that is no map.
fn merge_of(document: &Document<'_>, id: NodeId) -> Option<Vec<NodeId>> {
    let NodeContent::Map(entries) = &document.written(id).content else {
        return None;
    };
    let mut all = entries.iter().filter(|pair| is_merge(document, pair.key));
    let merge = all.next()?;
    if all.next().is_some() {
        return None;
    }
    maps(document, merge.value)
}

fn maps(document: &Document<'_>, value: NodeId) -> Option<Vec<NodeId>> {
    let is_map = |id: NodeId| {
        matches!(document.written(id).content, NodeContent::Map(_)) && !has_tag(document, id)
    };
    let value = document.resolved(value);
    match &document.written(value).content {
        _ if has_tag(document, value) => None,
        NodeContent::Map(_) => Some(vec![value]),
        NodeContent::List(items) => {
            let items = items.iter().map(|item| document.resolved(*item));
            let items: Vec<NodeId> = items.collect();
            items.iter().all(|id| is_map(*id)).then_some(items)
        }
        _ => None,
    }
}

/// The entries of a map with those of `maps` in the place of its merge key; its own win, then those of the first map.
fn merged(
    document: &Document<'_>,
    id: NodeId,
    maps: &[NodeId],
    left: &mut usize,
) -> Option<Vec<Pair>> {
    let own = document.entries(id);
    let mut known: HashSet<&str> = own
        .iter()
        .filter_map(|pair| text_of_key(document, pair.key))
        .collect();
    let mut all = Vec::with_capacity(own.len());
    for pair in own {
        if !is_merge(document, pair.key) {
            all.push(*pair);
            continue;
        }
        for map in maps.iter().filter(|map| **map != id) {
            for pair in document.entries(*map) {
                *left = left.checked_sub(1)?;
                let key = text_of_key(document, pair.key);
                if key.is_none_or(|key| known.insert(key)) {
                    all.push(*pair);
                }
            }
        }
    }
    Some(all)
}

/// A merge key that cannot be merged.
pub(crate) struct BadMerge {
    /// Its value.
    pub(crate) value: NodeId,
    pub(crate) sentence: &'static str,
}

/// The first merge key that cannot be merged: its value is no map, or it is the second one of its map.
pub(crate) fn bad_merge(document: &Document<'_>) -> Option<BadMerge> {
    (0..document.len()).find_map(|number| {
        let entries = document.entries(document.id(number));
        let mut all = entries.iter().filter(|pair| is_merge(document, pair.key));
        let (first, second) = (all.next()?, all.next());
        match second {
            Some(second) => Some(BadMerge {
                value: second.value,
                sentence: "the merge key `<<` is in this map twice; write one: `<<: [*a, *b]`",
            }),
            None if maps(document, first.value).is_none() => Some(BadMerge {
                value: first.value,
                sentence: "the merge key `<<` takes a map, or a list of maps",
            }),
            None => None,
        }
    })
}
