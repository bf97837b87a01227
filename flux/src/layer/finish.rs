//! From the folded layer to the struct: where a default is filled in, and that everything which is missing is listed at once.

use super::{
    decode::again,
    secret_texts::SecretTexts,
    sublayer::{InPlace, Sublayer},
};
use crate::{
    problem::{Cx, Diff, Seg, What},
    schema::{Kind, TypeFacts},
};
use serde::de::MapAccess;

/// Decodes something nested.
#[inline]
pub fn put_nested<'de, N: Nested, A: MapAccess<'de>>(
    map: &mut A,
    slot: &mut Option<N::Layer>,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return again(map);
    }
    map.next_value_seed(InPlace(slot))
}

/// Compares something nested; an empty name is a flattened section.
pub fn diff<N: Nested>(diff: &mut Diff, name: &'static str, new: &N, old: &N) {
    if name.is_empty() {
        return new.diff(old, diff);
    }
    diff.within(|| Seg::Key(name.into()), |diff| new.diff(old, diff));
}

/// A leaf with a default.
#[inline]
pub fn or<T>(value: Option<T>, default: fn() -> T) -> Option<T> {
    Some(match value {
        Some(value) => value,
        None => default(),
    })
}

/// Something nested.
#[inline]
pub fn nested<N: Nested>(cx: &mut Cx, name: &'static str, layer: Option<N::Layer>) -> Option<N> {
    let finish = |cx: &mut Cx| match layer {
        Some(layer) => N::finish(layer, cx),
        None => N::silent(cx),
    };
    if name.is_empty() {
        return finish(cx);
    }
    cx.within(Seg::Key(name.into()), finish)
}

/// Something nested that has a default for when no layer sets anything in it.
#[inline]
pub fn nested_or<N: Nested>(
    cx: &mut Cx,
    name: &'static str,
    layer: Option<N::Layer>,
    default: fn() -> N,
) -> Option<N> {
    match layer {
        Some(layer) => nested(cx, name, Some(layer)),
        None => Some(default()),
    }
}

/// What `#[flux(nested)]` accepts: a config struct, and an option, a pointer, a list, an array or a map of something nested.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a section",
    label = "not a section",
    note = "`#[flux(nested)]` needs a struct that derives `Flux`, or an `Option`, `Box`, `Arc`, `Vec`, `VecDeque`, array or map of one",
    note = "a value that is read as a whole needs no `nested`"
)]
pub trait Nested: Sized {
    /// The layer's view.
    type Layer: Sublayer;
    /// What the field table has of it.
    const KIND: Kind;
    /// What is known of the section's fields by their types, in the order of the field table.
    fn type_facts() -> Vec<TypeFacts> {
        Vec::new()
    }
    /// Builds the value from the folded layers, or lists what is missing.
    fn finish(layer: Self::Layer, cx: &mut Cx) -> Option<Self>;
    /// The value where no layer sets anything in it.
    fn silent(cx: &mut Cx) -> Option<Self> {
        cx.problem("", What::Missing);
        None
    }
    /// Checks every rule and records all violations.
    fn validate(&self, cx: &mut Cx);
    /// Records what differs from the previous value.
    fn diff(&self, old: &Self, diff: &mut Diff);
    /// Checks the rules from the running value to this one in every section that both have, and records all violations.
    fn transition(&self, _old: &Self, _cx: &mut Cx) {}
    /// Puts the running values in the place of those that need a restart, in every section that both have, and records where.
    fn defer(&mut self, _running: &Self, _deferred: &mut Diff) {}
    /// Adds the texts of every secret in it.
    fn secrets(&self, _secrets: &mut SecretTexts) {}
}
