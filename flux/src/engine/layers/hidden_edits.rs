//! The warning of an edit without effect: a variable or an argument sets the same value, above every document.

use super::{Layers, document};
use crate::{
    codec::Decoder,
    document::{Document, NodeContent, NodeId, ResolvedKind},
    engine::{decoded::DecodedContent, layer_state::LayerState},
    layer::presence,
    problem::{Flaw, ProblemKind, Seg, What, caught},
    report::Entry,
    schema::{self, Field, MergeRule, Reached},
};
use std::{collections::HashSet, sync::Arc};

/// What sets a path, above every document.
#[derive(Clone, Copy, PartialEq)]
enum Above<'a> {
    Variable(&'a str),
    Argument(&'a str),
}

/// The paths that a layer sets by variables or arguments.
fn set_above(state: &LayerState) -> impl Iterator<Item = (&[Seg], Above<'_>)> {
    let arguments = state.arguments.iter().flatten();
    let arguments = arguments.map(|(path, one)| (&**path, Above::Argument(&one.name)));
    let newest = state.candidate.as_ref().or(state.accepted.as_ref());
    let newest = newest.filter(|_| state.prefix.is_some());
    let variables = newest.map_or(&[][..], DecodedContent::variables).iter();
    let variables = variables.map(|(path, name)| (&**path, Above::Variable(name)));
    arguments.chain(variables)
}

impl Layers {
    /// A warning for every value that differs between what readers see of a document and its newest content, and that a variable or an
    /// argument sets. Only where the document has such a value is anything paid for it: both documents are read once more.
    pub(super) fn hidden_edits(&self, number: usize) -> Vec<Entry> {
        let above = self.states.iter().skip(number + 1).rev();
        let mut above = above.flat_map(set_above).peekable();
        if above.peek().is_none() {
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
        // The source is read for the first time, which is no edit.
        if before.is_kept() {
            return Vec::new();
        }
        let layer = newest.decoded_layer();
        let layer = layer.map(|layer| (self.schema.parts)(layer));
        let contains =
            |path: &[Seg]| layer.is_none_or(|layer| presence::depth(layer, path) == path.len());
        // Of two that set a path, the higher one decides.
        let mut known = HashSet::new();
        let above = above.filter(|(path, _)| contains(path) && known.insert(*path));
        let above: Vec<(&[Seg], Above<'_>)> = above.collect();
        if above.is_empty() {
            return Vec::new();
        }
        // A codec of the program may panic; what it contains was decoded before.
        let documents = caught(|| {
            let before = before.bytes.as_ref();
            let before = before.map(|before| document(before, decoder).ok_or(()));
            Some((document(bytes, decoder)?, before.transpose().ok()?))
        });
        let Ok(Some((newest, before))) = documents else {
            return Vec::new();
        };
        let fields = (self.schema.fields)();
        let hidden = above.into_iter().filter_map(|(path, above)| {
            let (value, place) = find(fields, &newest, path)?;
            let is_edit = is_replaced(fields, path, (&newest, value))
                && before.as_ref().is_none_or(|before| {
                    let was = find(fields, before, path);
                    let by_value = is_number(fields, path);
                    was.is_none_or(|(was, _)| !is_same((before, was), (&newest, value), by_value))
                });
            is_edit.then(|| {
                let others = self.others_above(number, path, above);
                entry(path, (above, &others), &place, bytes, decoder)
            })
        });
        hidden.map(|entry| entry.of(&state.origin)).collect()
    }
}

impl Layers {
    /// What else sets the path above a layer, highest first.
    fn others_above(&self, number: usize, path: &[Seg], decides: Above<'_>) -> Vec<String> {
        let mut others = Vec::new();
        for state in self.states.iter().skip(number + 1).rev() {
            for (_, above) in set_above(state).filter(|(set, _)| *set == path) {
                match above {
                    _ if above == decides => {}
                    Above::Variable(name) => others.push(format!("the variable {name}")),
                    Above::Argument(name) => others.push(format!("the argument {name}")),
                }
            }
            let content = state.candidate.as_ref().or(state.accepted.as_ref());
            let content = content.filter(|_| state.decoder.is_some());
            let layer = content.and_then(DecodedContent::decoded_layer);
            let sets = |layer| presence::depth((self.schema.parts)(layer), path) == path.len();
            if layer.is_some_and(sets) {
                others.push(state.origin.to_string());
            }
        }
        others
    }
}

fn entry(
    path: &[Seg],
    (above, others): (Above<'_>, &[String]),
    place: &[Seg],
    bytes: &Arc<[u8]>,
    decoder: &Decoder,
) -> Entry {
    let (kind, name) = match above {
        Above::Variable(name) => ("variable", name),
        Above::Argument(name) => ("argument", name),
    };
    let text = match others {
        [] => format!(
            "is changed here without effect: the {kind} {name} sets it; start the program without that {kind} to use this value"
        ),
        others => format!(
            "is changed here without effect: the {kind} {name} sets it, and below that {} would; this value is used where none of them does",
            others.join(", ")
        ),
    };
    let (path, what) = (path.to_vec(), What::plain(ProblemKind::Shadowed, text));
    Entry::new("", Flaw { path, what })
        .within(bytes, decoder, place)
        .warning(true)
}

/// Whether nothing of the value is left where a layer above sets it.
fn is_replaced(
    fields: &'static [Field],
    path: &[Seg],
    (document, value): (&Document<'_>, NodeId),
) -> bool {
    let merge = match schema::follow(fields, path) {
        Reached::Leaf(field, at) if at == path.len() => field.merge(),
        _ => None,
    };
    let is_map = matches!(document.node(value).content, NodeContent::Map(_));
    matches!(merge, None | Some(MergeRule::Replace)) && !is_map
}

/// Whether the field at `path` reads a number.
fn is_number(fields: &'static [Field], path: &[Seg]) -> bool {
    let Reached::Leaf(field, at) = schema::follow(fields, path) else {
        return false;
    };
    let name = field.type_name();
    let inner = name.strip_prefix("Option<");
    let name = inner.and_then(|one| one.strip_suffix('>')).unwrap_or(name);
    let bits = name.strip_prefix(['u', 'i', 'f']).unwrap_or_default();
    at == path.len() && matches!(bits, "8" | "16" | "32" | "64" | "128" | "size")
}

/// Whether two values are written alike, but for quotes of texts, blanks and comments. How a number is written counts, unless it is
/// known `by_value` that it is one: where the field is a text, `1.1` and `1.10` are two values.
fn is_same(one: (&Document<'_>, NodeId), other: (&Document<'_>, NodeId), by_value: bool) -> bool {
    let ((one, first), (other, second)) = (one, other);
    if by_value && let (Some(first), Some(second)) = (number(one, first), number(other, second)) {
        return first == second;
    }
    let mut open = vec![(first, second)];
    let mut left = one.len().max(other.len());
    while let Some((a, b)) = open.pop() {
        // Aliases can contain more than there are nodes.
        let Some(rest) = left.checked_sub(1) else {
            return false;
        };
        left = rest;
        // A tag may name the variant of an enum.
        if one.node(a).tag.as_deref() != other.node(b).tag.as_deref() {
            return false;
        }
        match (&one.node(a).content, &other.node(b).content) {
            (NodeContent::Scalar(written), NodeContent::Scalar(now)) => {
                if written.text != now.text || one.kind(a) != other.kind(b) {
                    return false;
                }
            }
            (NodeContent::List(items), NodeContent::List(now)) if items.len() == now.len() => {
                open.extend(items.iter().copied().zip(now.iter().copied()));
            }
            (NodeContent::Map(entries), NodeContent::Map(now)) if entries.len() == now.len() => {
                let pairs = entries.iter().zip(now);
                open.extend(pairs.flat_map(|(a, b)| [(a.key, b.key), (a.value, b.value)]));
            }
            _ => return false,
        }
    }
    true
}

/// A number in one form, however it is written; none of anything else.
fn number(document: &Document<'_>, id: NodeId) -> Option<String> {
    let text = &document.scalar(id)?.text;
    let kind = document.kind(id)?;
    let printed = document.printed(id);
    let printed = printed.unwrap_or_else(|| text.replace('_', ""));
    match kind {
        // A whole float is printed as an integer.
        ResolvedKind::Integer | ResolvedKind::Float => Some(printed),
        _ => None,
    }
}

/// The value at `path`, and the path as this document writes it.
fn find(
    fields: &'static [Field],
    document: &Document<'_>,
    path: &[Seg],
) -> Option<(NodeId, Vec<Seg>)> {
    let (mut at, mut written) = (document.root(), Vec::new());
    for (end, seg) in path.iter().enumerate() {
        at = match (&document.node(at).content, seg) {
            (NodeContent::Map(entries), Seg::Key(key)) => {
                let field = schema::find(schema::table(fields, &path[..end]), key);
                let is = |other: &str| field.map_or(other == key, |field| field.is(other));
                let mut entries = entries.iter();
                let entry = entries.find(|entry| is(document.key(entry.key)))?;
                written.push(Seg::Key(document.key(entry.key).to_owned().into()));
                entry.value
            }
            (NodeContent::List(items), Seg::Index(index)) => {
                written.push(seg.clone());
                *items.get(*index)?
            }
            _ => return None,
        };
    }
    Some((at, written))
}

#[cfg(test)]
#[cfg(feature = "yaml")]
mod tests {
    use super::*;
    use crate::document::Dialect;

    #[test]
    fn an_edit_is_what_is_written_otherwise() {
        for (before, now, is_edit) in [
            ("v: 1.1", "v: 1.10", true),
            ("v: 1", "v: '1'", true),
            ("v: one", "v: \"one\" # quoted", false),
            ("v: [a, b]", "v:\n- a\n- b", false),
            ("v: [a, b]", "v: [a, b, c]", true),
            ("v: [{a: 1}]", "v: [{a: 2}]", true),
            ("v: !tcp x", "v: !udp x", true),
            ("w: 1\nv: one", "w: 2\nv: one", false),
            ("w: 1", "v: 1", true),
            ("x: &x [a]\nv: *x", "v: [a]", false),
        ] {
            let parse = |text| Document::parse(Dialect::Yaml, text).unwrap();
            let (before, after) = (parse(before), parse(now));
            let path = [Seg::Key("v".into())];
            let (value, _) = find(&[], &after, &path).unwrap();
            let was = find(&[], &before, &path);
            let is_kept =
                was.is_some_and(|(was, _)| is_same((&before, was), (&after, value), false));
            assert_eq!(!is_kept, is_edit, "{now}");
        }
    }

    #[test]
    fn a_number_that_is_only_written_otherwise_is_no_edit_of_a_number_and_one_of_a_text() {
        static FIELDS: [Field; 3] = [
            Field::new("count", "COUNT").with_type("u32"),
            Field::new("ratio", "RATIO").with_type("Option<f64>"),
            Field::new("name", "NAME").with_type("String"),
        ];
        for (field, before, now, is_edit) in [
            ("count", "30", "0x1e", false),
            ("count", "30", "+30", false),
            ("count", "30", "31", true),
            ("count", "30", "'30'", true),
            ("ratio", "30", "30.0", false),
            ("ratio", "3e1", "30.00", false),
            ("ratio", "0x1e", "30", false),
            ("ratio", "30.5", "30", true),
            ("name", "30", "30.0", true),
            ("name", "1.1", "1.10", true),
        ] {
            let (before, now) = (format!("{field}: {before}"), format!("{field}: {now}"));
            let parse = |text| Document::parse(Dialect::Yaml, text).unwrap();
            let (before, after) = (parse(&before), parse(&now));
            let path = [Seg::Key(field.into())];
            let value = |document| find(&FIELDS, document, &path).unwrap().0;
            let by_value = is_number(&FIELDS, &path);
            let (was, is) = ((&before, value(&before)), (&after, value(&after)));
            assert_eq!(!is_same(was, is, by_value), is_edit, "{now}");
        }
    }
}
