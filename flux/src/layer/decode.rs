//! Decodes a layer straight from its format, by field index, without an intermediate tree; notes unknown keys and what is null or
//! empty on the way.

use super::{Layer, UNKNOWN, seen_keys::saw_unknown};
use crate::problem::{ProblemKind, TWICE, What, collect_errors::caught, what_of};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
};
use std::{cell::Cell, fmt, marker::PhantomData, mem};

thread_local! {
    /// An entry of a map was null where null is no value.
    static SAW_EMPTY: Cell<bool> = const { Cell::new(false) };
    /// Such entries are recorded by `collect_errors`.
    static RECORDS_EMPTY: Cell<bool> = const { Cell::new(false) };
}

/// Clears the flag and answers whether an entry without a value was seen on this thread since the last call.
pub(crate) fn take_empty_flag() -> bool {
    SAW_EMPTY.take()
}

/// An entry of a map is null where null is no value. It takes the entry of the layers below away.
#[cold]
#[inline(never)]
pub(super) fn saw_empty(sentence: &'static str) {
    SAW_EMPTY.set(true);
    if RECORDS_EMPTY.get() {
        caught(|| What::plain(ProblemKind::NoEffect, sentence));
    }
}

/// Runs `decode` under `collect_errors`, so that it records the entries that are null where null is no value.
pub(crate) fn recording_empty<T>(decode: impl FnOnce() -> T) -> T {
    /// Ends it, also where the decoder panics.
    struct RecordingScope;
    impl Drop for RecordingScope {
        fn drop(&mut self) {
            RECORDS_EMPTY.set(false);
        }
    }
    let _scope = RecordingScope;
    RECORDS_EMPTY.set(true);
    decode()
}

thread_local! {
    /// The map that is visited next contains items of a list by their numbers.
    static NUMBERED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the map that is visited contains items of a list by their numbers. Only variables have such ones.
pub(super) fn take_numbered() -> bool {
    NUMBERED.take()
}

/// Runs `visit`, whose map contains items of a list by their numbers.
pub(crate) fn numbered<T>(visit: impl FnOnce() -> T) -> T {
    NUMBERED.set(true);
    let visited = visit();
    NUMBERED.set(false);
    visited
}

/// The slot after a decode: the value, or nothing where the problem was collected.
#[inline]
pub(crate) fn kept<T, E: Error>(result: Result<T, E>) -> Result<Option<T>, E> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            if is_caught(&error) {
                Ok(None)
            } else {
                Err(error)
            }
        }
    }
}

/// Whether the error is recorded. Not generic, so that a config type does not bring its own.
#[cold]
#[inline(never)]
pub(super) fn is_caught(error: &dyn fmt::Display) -> bool {
    caught(|| what_of(error))
}

#[cold]
#[inline(never)]
fn duplicate<E: Error>() -> E {
    E::custom(TWICE)
}

/// The key was there before: an error, or, where errors are collected, a problem and on to the next key.
#[cold]
#[inline(never)]
pub fn again<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    let error = duplicate();
    if !is_caught(&error) {
        return Err(error);
    }
    map.next_value_seed(PassedOver)
}

/// Puts a value into a slot that is empty.
#[inline]
pub(super) fn fill<T>(slot: &mut Option<T>, value: Option<T>) {
    // There is nothing to drop, which the compiler cannot know across a decoder.
    mem::forget(mem::replace(slot, value));
}

struct KeySeed<L>(usize, PhantomData<L>);

impl<'de, L: Layer> DeserializeSeed<'de> for KeySeed<L> {
    type Value = usize;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<usize, D::Error> {
        d.deserialize_identifier(self)
    }
}

impl<L: Layer> Visitor<'_> for KeySeed<L> {
    type Value = usize;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    #[inline]
    fn visit_str<E>(self, key: &str) -> Result<usize, E> {
        Ok(L::index(key, self.0))
    }
}

/// Fills a layer from a map, never from the positional sequence that serde would also take.
#[inline]
pub(super) fn section<'de, L: Layer, D: Deserializer<'de>>(
    layer: &mut L,
    d: D,
) -> Result<(), D::Error> {
    d.deserialize_map(KeyedSection(layer))
}

struct KeyedSection<'a, L>(&'a mut L);

impl<'de, L: Layer> Visitor<'de> for KeyedSection<'_, L> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section (a map of keys)")
    }
    #[inline]
    #[allow(
        clippy::question_mark,
        reason = "each `?` is two more functions for every format of every config type"
    )]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // In a block, so that the other way is not even compiled for a layer without such a place.
        if const { L::RESTS > 0 } {
            return with_rest(self.0, map);
        }
        let mut hint = 0;
        loop {
            let read = match map.next_key_seed(KeySeed::<L>(hint, PhantomData)) {
                Ok(None) => return Ok(()),
                Ok(Some(UNKNOWN)) => {
                    saw_unknown();
                    map.next_value_seed(PassedOver)
                }
                Ok(Some(index)) => {
                    hint = index + 1;
                    self.0.put(index, &mut map)
                }
                Err(error) => return Err(error),
            };
            #[allow(clippy::question_mark)]
            if let Err(error) = read {
                return Err(error);
            }
        }
    }
}

/// Passes over a value.
struct PassedOver;

impl<'de> DeserializeSeed<'de> for PassedOver {
    type Value = ();
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match d.deserialize_ignored_any(IgnoredAny) {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Fills a layer that has a place for every key.
fn with_rest<'de, L: Layer, A: MapAccess<'de>>(layer: &mut L, mut map: A) -> Result<(), A::Error> {
    while let Some(key) = map.next_key::<String>()? {
        match L::index(&key, 0) {
            UNKNOWN => layer.put_rest(key, &mut map)?,
            index => layer.put(index, &mut map)?,
        }
    }
    Ok(())
}

/// The outermost section.
#[derive(Debug, Default, Clone)]
pub(crate) struct Section<L>(pub L);

impl<'de, L: Layer> Deserialize<'de> for Section<L> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut layer = L::default();
        section(&mut layer, d)?;
        Ok(Section(layer))
    }
}
