//! Whether a path that leads into the value of a field can exist, by the field's type.

use super::value::{inner, part};
use crate::{
    codec::MAX_DEPTH,
    problem::Seg,
    schema::{Field, Kind, TypeFacts, ValueType},
};

/// How many steps of `path` can exist: all of them, or those up to the value that has no parts, or no part of this name.
pub(super) fn steps_that_exist(
    fields: &'static [Field],
    types: fn() -> Vec<TypeFacts>,
    path: &[Seg],
) -> usize {
    // No document is so deep, and a type that contains itself would be followed to the end of the stack.
    if path.len() > MAX_DEPTH {
        return MAX_DEPTH;
    }
    let Some((is, at)) = leaf_type(fields, &types(), path) else {
        return path.len();
    };
    let rest = path.get(at..).unwrap_or_default();
    at + steps_into(&is, rest)
}

fn steps_into(is: &ValueType, rest: &[Seg]) -> usize {
    let Some((seg, below)) = rest.split_first() else {
        return 0;
    };
    let next = match (inner(is), seg) {
        (ValueType::Any, _) => return rest.len(),
        (ValueType::List { len, .. }, Seg::Index(index)) => {
            len.is_none_or(|len| *index < len).then_some(part(is))
        }
        (ValueType::Map { .. }, Seg::Key(_)) => Some(part(is)),
        (ValueType::Struct(keys) | ValueType::Enum(keys), Seg::Key(key)) => {
            (keys.is_empty() || keys.contains(&&**key)).then_some(&ValueType::Any)
        }
        // Also written as a map.
        (ValueType::Duration, Seg::Key(key)) => {
            matches!(&**key, "secs" | "nanos").then_some(&ValueType::Null)
        }
        // Structs are read from lists too.
        (ValueType::Struct(_) | ValueType::Enum(_), Seg::Index(_)) => Some(&ValueType::Any),
        _ => None,
    };
    next.map_or(0, |next| 1 + steps_into(next, below))
}

/// The type of the value that a path leads to or into, and the number of steps to it; none where it leads to no value.
fn leaf_type(
    fields: &'static [Field],
    facts: &[TypeFacts],
    path: &[Seg],
) -> Option<(ValueType, usize)> {
    let Seg::Key(key) = path.first()? else {
        return None;
    };
    let unknown = TypeFacts::unknown();
    let mut rest = None;
    for (number, field) in fields.iter().enumerate() {
        let facts = facts.get(number).unwrap_or(&unknown);
        match field.kind() {
            Kind::Section(inner) if field.flatten => {
                let inner_facts = facts.fields.map_or(Vec::new(), |of| of());
                if let Some(found) = leaf_type(inner(), &inner_facts, path) {
                    return Some(found);
                }
            }
            kind if field.flatten => rest = Some((kind, facts)),
            kind if field.is(key) => return below(kind, &facts.value_type, facts, path, 1),
            _ => {}
        }
    }
    match rest? {
        (Kind::Map(entry), facts) => below(*entry, part(&facts.value_type), facts, path, 1),
        (kind, facts) => below(kind, part(&facts.value_type), facts, path, 1),
    }
}

fn below(
    mut kind: Kind,
    is: &ValueType,
    facts: &TypeFacts,
    path: &[Seg],
    mut at: usize,
) -> Option<(ValueType, usize)> {
    loop {
        match kind {
            Kind::Leaf => return Some((is.clone(), at)),
            Kind::List(item) | Kind::Map(item) => (kind, at) = (*item, at + 1),
            Kind::Section(inner) => {
                let rest = path.get(at..)?;
                let inner_facts = facts.fields.map_or(Vec::new(), |of| of());
                let (is, steps) = leaf_type(inner(), &inner_facts, rest)?;
                return Some((is, at + steps));
            }
        }
    }
}
