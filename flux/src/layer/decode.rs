//! Decoding a layer straight from its format: by field index, without an intermediate tree.

use super::{Layer, UNKNOWN};

use crate::problem::{TWICE, collect_errors::caught, what_of};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor, value},
};
use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    fmt,
    marker::PhantomData,
};

thread_local! {
    static SAW_UNKNOWN: Cell<bool> = const { Cell::new(false) };
}

/// Clears the flag and answers whether an unknown key was seen on this thread since the last call.
pub(crate) fn take_unknown_flag() -> bool {
    SAW_UNKNOWN.with(|flag| flag.replace(false))
}

#[cold]
#[inline(never)]
pub(crate) fn saw_unknown() {
    SAW_UNKNOWN.with(|flag| flag.set(true));
}

/// The slot after a decode: the value, or nothing where tolerant mode caught the problem.
#[inline]
pub(crate) fn kept<T, E: Error>(result: Result<T, E>) -> Result<Option<T>, E> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            if caught(|| what_of(&error)) {
                Ok(None)
            } else {
                Err(error)
            }
        }
    }
}

struct LeafSeed<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for LeafSeed<T> {
    type Value = Option<T>;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Option<T>, D::Error> {
        kept(T::deserialize(d))
    }
}

#[cold]
#[inline(never)]
fn duplicate<E: Error>() -> E {
    E::custom(TWICE)
}

/// The key was there before: an error, or in tolerant mode a problem and on to the next key.
#[cold]
#[inline(never)]
fn again<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    let error = duplicate();
    if !caught(|| what_of(&error)) {
        return Err(error);
    }
    map.next_value::<IgnoredAny>()?;
    Ok(())
}

#[inline]
fn store<'de, A: MapAccess<'de>, T, S: DeserializeSeed<'de, Value = Option<T>>>(
    map: &mut A,
    slot: &mut Option<T>,
    seed: S,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return again(map);
    }
    *slot = map.next_value_seed(seed)?;
    Ok(())
}

/// Decodes a leaf.
#[inline]
pub fn put<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    slot: &mut Option<T>,
) -> Result<(), A::Error> {
    store(map, slot, LeafSeed(PhantomData))
}

/// A field's own decoding function (`with`, `deserialize_with`), carried by a unit struct.
pub trait With {
    /// The field's type.
    type Out;
    /// Calls the function.
    fn decode<'de, D: Deserializer<'de>>(d: D) -> Result<Self::Out, D::Error>;
}

struct WithSeed<W>(PhantomData<W>);

impl<'de, W: With> DeserializeSeed<'de> for WithSeed<W> {
    type Value = Option<W::Out>;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        kept(W::decode(d))
    }
}

/// Decodes a leaf with the field's own function.
#[inline]
pub fn put_with<'de, W: With, A: MapAccess<'de>>(
    map: &mut A,
    slot: &mut Option<W::Out>,
) -> Result<(), A::Error> {
    store(map, slot, WithSeed::<W>(PhantomData))
}

/// Decodes a section, a list or a map of sections.
#[inline]
pub fn put_nested<'de, N: super::finish::Nested, A: MapAccess<'de>>(
    map: &mut A,
    slot: &mut Option<N::Layer>,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return again(map);
    }
    map.next_value_seed(InPlace(slot))
}

/// A section's layer, or a list or map of them: decoded where it stays, because it is too large to be handed around.
pub trait Fill: Sized {
    /// Fills the slot, or leaves it empty where the document says null and null says nothing.
    fn fill<'de, D: Deserializer<'de>>(slot: &mut Option<Self>, d: D) -> Result<(), D::Error>;
}

/// Fills an empty slot; it is empty again where tolerant mode caught the problem.
pub(super) struct InPlace<'a, T>(pub(super) &'a mut Option<T>);

impl<'de, T: Fill> DeserializeSeed<'de> for InPlace<'_, T> {
    type Value = ();
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        if kept(T::fill(self.0, d))?.is_none() {
            *self.0 = None;
        }
        Ok(())
    }
}

/// Null on a required section says nothing.
impl<L: Layer> Fill for L {
    #[inline]
    fn fill<'de, D: Deserializer<'de>>(slot: &mut Option<L>, d: D) -> Result<(), D::Error> {
        d.deserialize_option(Nullable(slot))
    }
}

/// Null turns an optional section off.
impl<L: Layer> Fill for Option<L> {
    #[inline]
    fn fill<'de, D: Deserializer<'de>>(slot: &mut Option<Self>, d: D) -> Result<(), D::Error> {
        L::fill(slot.insert(None), d)
    }
}

struct Nullable<'a, L>(&'a mut Option<L>);

impl<'de, L: Layer> Visitor<'de> for Nullable<'_, L> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section (a map of keys)")
    }
    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        section(self.0.insert(L::default()), d)
    }
    fn visit_none<E>(self) -> Result<(), E> {
        // Says nothing, so that a second such key would not be noticed on the way.
        saw_unknown();
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }
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
    d.deserialize_map(Keyed(layer))
}

struct Keyed<'a, L>(&'a mut L);

impl<'de, L: Layer> Visitor<'de> for Keyed<'_, L> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section (a map of keys)")
    }
    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut hint = 0;
        while let Some(index) = map.next_key_seed(KeySeed::<L>(hint, PhantomData))? {
            if index == UNKNOWN {
                saw_unknown();
                map.next_value::<IgnoredAny>()?;
            } else {
                self.0.put(index, &mut map)?;
                hint = index + 1;
            }
        }
        Ok(())
    }
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

/// A type that is written as `30s` or `1h30m`: `Duration`, and options, lists and maps of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `std::time::Duration`",
    note = "for another duration type name its decoder: `#[serde(with = \"..\")]`"
)]
pub trait Human: Sized {
    /// What stands in the document.
    type Wire: for<'de> Deserialize<'de>;
    /// The value of what stands there.
    fn from_wire(wire: Self::Wire) -> Self;
}

/// The text of a duration.
#[derive(Debug)]
pub struct DurationText(std::time::Duration);

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = DurationText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as `30s` or `1h30m`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<DurationText, E> {
                match flux_syntax::parse_duration(text) {
                    Ok(duration) => Ok(DurationText(duration)),
                    Err(_) => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        d.deserialize_str(V)
    }
}

impl Human for std::time::Duration {
    type Wire = DurationText;
    fn from_wire(wire: DurationText) -> Self {
        wire.0
    }
}

impl<T: Human> Human for Option<T> {
    type Wire = Option<T::Wire>;
    fn from_wire(wire: Self::Wire) -> Self {
        wire.map(T::from_wire)
    }
}

impl<T: Human> Human for Vec<T> {
    type Wire = Vec<T::Wire>;
    fn from_wire(wire: Self::Wire) -> Self {
        wire.into_iter().map(T::from_wire).collect()
    }
}

impl<T: Human> Human for BTreeMap<String, T> {
    type Wire = BTreeMap<String, T::Wire>;
    fn from_wire(wire: Self::Wire) -> Self {
        wire.into_iter()
            .map(|(k, v)| (k, T::from_wire(v)))
            .collect()
    }
}

impl<T: Human> Human for HashMap<String, T> {
    type Wire = HashMap<String, T::Wire>;
    fn from_wire(wire: Self::Wire) -> Self {
        wire.into_iter()
            .map(|(k, v)| (k, T::from_wire(v)))
            .collect()
    }
}

/// Decodes a duration, or an option, list or map of durations.
#[inline]
pub fn put_human<'de, A: MapAccess<'de>, T: Human>(
    map: &mut A,
    slot: &mut Option<T>,
) -> Result<(), A::Error> {
    struct Seed<T>(PhantomData<T>);
    impl<'de, T: Human> DeserializeSeed<'de> for Seed<T> {
        type Value = Option<T>;
        fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Option<T>, D::Error> {
            kept(T::Wire::deserialize(d).map(T::from_wire))
        }
    }
    store(map, slot, Seed(PhantomData))
}

/// Decodes null as T's own error in every format: a YAML list or map key with nothing after it is not an empty list.
#[inline]
pub fn put_strict<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    slot: &mut Option<T>,
) -> Result<(), A::Error> {
    struct Seed<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Seed<T> {
        type Value = Option<T>;
        #[inline]
        fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Option<T>, D::Error> {
            kept(d.deserialize_option(NotNull(PhantomData)))
        }
    }
    store(map, slot, Seed(PhantomData))
}

struct NotNull<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NotNull<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
        T::deserialize(d)
    }
    fn visit_none<E: Error>(self) -> Result<T, E> {
        T::deserialize(value::UnitDeserializer::new())
    }
    fn visit_unit<E: Error>(self) -> Result<T, E> {
        T::deserialize(value::UnitDeserializer::new())
    }
}
