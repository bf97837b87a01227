//! Edits without effect: an argument sets the same value, above every document.

use super::Layers;
use crate::{
    codec::{self, Decoder, Tree},
    engine::decoded::DecodedContent,
    problem::{Flaw, ProblemKind, Seg, What, caught},
    report::{ArgumentPlace, Entry},
    schema::{self, Field, MergeRule, Reached},
};
use std::sync::Arc;

impl Layers {
    /// A warning for every value that differs between what readers see of a document and its newest content, and that an argument
    /// sets. Only a program with arguments pays for it: both documents are read once more.
    pub(super) fn hidden_edits(&self, number: usize) -> Vec<Entry> {
        let arguments = self.states.iter().skip(number + 1);
        let arguments = arguments.filter_map(|state| state.arguments.as_deref());
        let mut arguments = arguments.flatten().peekable();
        if arguments.peek().is_none() {
            return Vec::new();
        }
        let Some(state) = self.states.get(number) else {
            return Vec::new();
        };
        let (Some(newest), Some(before), Some(decoder)) =
            (&state.candidate, &state.accepted, &state.decoder)
        else {
            return Vec::new();
        };
        let Some(bytes) = newest.bytes.as_ref() else {
            return Vec::new();
        };
        // A codec of the program may panic; what it contains was decoded before.
        let trees = caught(|| Some((tree(newest, decoder)?, tree(before, decoder)?)));
        let Ok(Some((newest, before))) = trees else {
            return Vec::new();
        };
        let fields = (self.schema.fields)();
        let hidden = arguments.filter_map(|(path, argument)| {
            let (value, place) = find(fields, &newest, path)?;
            let was = find(fields, &before, path).map(|(value, _)| value);
            let is_edit = was != Some(value) && is_replaced(fields, path, value);
            is_edit.then(|| entry(path, argument, &place, bytes, decoder))
        });
        hidden.map(|entry| entry.of(&state.origin)).collect()
    }
}

fn entry(
    path: &[Seg],
    argument: &ArgumentPlace,
    place: &[Seg],
    bytes: &Arc<[u8]>,
    decoder: &Decoder,
) -> Entry {
    let text = format!(
        "is changed here without effect: the argument {} sets it; start the program without that argument to use this value",
        argument.name
    );
    let (path, what) = (path.to_vec(), What::plain(ProblemKind::Shadowed, text));
    Entry::new("", Flaw { path, what })
        .within(bytes, decoder, place)
        .warning(true)
}

fn tree(content: &DecodedContent, decoder: &Decoder) -> Option<Tree> {
    let Some(bytes) = &content.bytes else {
        return Some(Tree::Null);
    };
    codec::tree(decoder, codec::text_of(bytes).ok()?).ok()
}

/// Whether nothing of the value is left where a layer above sets it.
fn is_replaced(fields: &'static [Field], path: &[Seg], value: &Tree) -> bool {
    let merge = match schema::follow(fields, path) {
        Reached::Leaf(field, at) if at == path.len() => field.merge(),
        _ => None,
    };
    matches!(merge, None | Some(MergeRule::Replace)) && !matches!(value, Tree::Map(_))
}

/// The value at `path`, and the path as this document writes it.
fn find<'t>(
    fields: &'static [Field],
    tree: &'t Tree,
    path: &[Seg],
) -> Option<(&'t Tree, Vec<Seg>)> {
    let (mut at, mut written) = (tree, Vec::new());
    for (end, seg) in path.iter().enumerate() {
        at = match (at, seg) {
            (Tree::Map(entries), Seg::Key(key)) => {
                let field = schema::find(schema::table(fields, &path[..end]), key);
                let is = |other: &str| field.map_or(other == key, |field| field.is(other));
                let (key, value) = entries.iter().find(|(other, _)| is(other))?;
                written.push(Seg::Key(key.clone().into()));
                value
            }
            (Tree::Seq(items), Seg::Index(index)) => {
                written.push(seg.clone());
                items.get(*index)?
            }
            _ => return None,
        };
    }
    Some((at, written))
}
