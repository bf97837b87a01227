//! How a section, or a list, map, option or pointer of sections, is decoded and merged inside a layer; what null means there.

mod list;

pub(crate) use list::{Array, List, no_such_item};

use super::{
    Layer, Presence,
    decode::{kept, saw_empty, section},
    key::{AsKey, MapKey},
    seen_keys::saw_unknown,
};
use crate::problem::{ALIKE_KEYS, What, collect_errors::caught};
use serde::{
    Deserializer,
    de::{self, DeserializeSeed, Error, Visitor},
};
use std::{fmt, marker::PhantomData};

/// A layer's view of something nested. It is decoded where it stays, because it is too large to be handed around.
pub trait Sublayer: Default + Clone + Send + Sync + 'static {
    /// What a document must have here.
    const EXPECTED: &'static str;
    /// Whether null is a value here; else null as an entry of a map removes the entry of the layers below.
    const NULL_IS_A_VALUE: bool = false;
    /// What null in the place of a field means.
    fn null<E: Error>(slot: &mut Option<Self>) -> Result<(), E>;
    /// Decodes what is not null into an empty one.
    fn put<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error>;
    /// Decodes an item of a list into an empty one.
    #[inline]
    fn put_item<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error> {
        self.put(d)
    }
    /// Lays an upper layer's view over this one.
    fn lay_over(&mut self, top: &Self);
    /// What the layer contains.
    fn presence(&self) -> Presence<'_>;
}

/// Fills an empty slot; it is empty again where the problem was collected.
pub(super) struct InPlace<'a, T>(pub(super) &'a mut Option<T>);

impl<'de, T: Sublayer> DeserializeSeed<'de> for InPlace<'_, T> {
    type Value = ();
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        if kept(d.deserialize_option(Nullable(&mut *self.0)))?.is_none() {
            *self.0 = None;
        }
        Ok(())
    }
}

/// What is reported of a section that is null where no layer below has one.
const NOTHING_IN_IT: &str = "has nothing in it, and no layer below has this entry, so there is none; write `{}` for one with its defaults, or remove the key";

/// Fills the slot of an entry of a map, for which null is no value unless its type has one.
struct EntryInPlace<'a, L>(&'a mut Option<Option<L>>);

impl<'de, L: Sublayer> DeserializeSeed<'de> for EntryInPlace<'_, L> {
    type Value = ();
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        InPlace(&mut *self.0).deserialize(d)?;
        if let Some(None) = self.0 {
            saw_empty(NOTHING_IN_IT);
        }
        Ok(())
    }
}

struct Nullable<'a, T>(&'a mut Option<T>);

impl<'de, T: Sublayer> Visitor<'de> for Nullable<'_, T> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }
    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        self.0.get_or_insert_with(T::default).put(d)
    }
    fn visit_none<E: Error>(self) -> Result<(), E> {
        T::null(self.0)
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }
}

/// Null is no list and no map in any format, though a YAML decoder takes it for an empty one.
#[cold]
pub(super) fn not_null<T: Sublayer, E: Error>() -> E {
    E::invalid_type(de::Unexpected::Unit, &T::EXPECTED)
}

/// Null on a required section sets nothing.
impl<L: Layer> Sublayer for L {
    const EXPECTED: &'static str = "a section (a map of keys)";
    fn null<E>(_: &mut Option<L>) -> Result<(), E> {
        // Says nothing, so that a second such key would not be noticed on the way.
        saw_unknown();
        Ok(())
    }
    #[inline]
    fn put<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error> {
        section(self, d)
    }
    #[inline]
    fn lay_over(&mut self, top: &L) {
        self.over(top);
    }
    fn presence(&self) -> Presence<'_> {
        Presence::Parts(self)
    }
}

/// Null turns something optional off.
impl<L: Sublayer> Sublayer for Option<L> {
    const EXPECTED: &'static str = L::EXPECTED;
    const NULL_IS_A_VALUE: bool = true;
    fn null<E>(slot: &mut Option<Self>) -> Result<(), E> {
        *slot = Some(L::NULL_IS_A_VALUE.then(L::default));
        Ok(())
    }
    #[inline]
    fn put<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error> {
        self.insert(L::default()).put(d)
    }
    fn put_item<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error> {
        let mut slot = None;
        d.deserialize_option(Nullable(&mut slot))?;
        *self = slot.flatten();
        Ok(())
    }
    #[inline]
    fn lay_over(&mut self, top: &Self) {
        match (self, top) {
            (Some(below), Some(top)) => below.lay_over(top),
            (below, top) => *below = top.clone(),
        }
    }
    fn presence(&self) -> Presence<'_> {
        match self {
            Some(layer) => layer.presence(),
            None => Presence::Value,
        }
    }
}

/// The layer of something behind a pointer, so that a recursive type has a size.
#[derive(Debug, Clone, Default)]
pub struct BoxedLayer<L>(pub Box<L>);

impl<L: Sublayer> Sublayer for BoxedLayer<L> {
    const EXPECTED: &'static str = L::EXPECTED;
    const NULL_IS_A_VALUE: bool = L::NULL_IS_A_VALUE;
    fn null<E: Error>(slot: &mut Option<Self>) -> Result<(), E> {
        let mut inner = slot.take().map(|layer| *layer.0);
        L::null(&mut inner)?;
        *slot = inner.map(|layer| BoxedLayer(Box::new(layer)));
        Ok(())
    }
    fn put<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error> {
        self.0.put(d)
    }
    fn put_item<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error> {
        self.0.put_item(d)
    }
    fn lay_over(&mut self, top: &Self) {
        self.0.lay_over(&top.0);
    }
    fn presence(&self) -> Presence<'_> {
        self.0.presence()
    }
}

/// The layer of a map of something nested; an entry that is nothing removes that of the layers below.
#[derive(Debug, Clone, Default)]
pub struct Map<M>(pub M);

/// A map from keys to layers.
pub trait LayerEntries: Default + Clone + Send + Sync + 'static {
    /// The map's keys.
    type Key: MapKey;
    /// What a key has.
    type Layer: Sublayer;
    /// The entry with this key.
    fn get(&self, key: &Self::Key) -> Option<&Option<Self::Layer>>;
    /// The entry with this key.
    fn get_mut(&mut self, key: &Self::Key) -> Option<&mut Option<Self::Layer>>;
    /// Adds an entry, unless there is one with this key.
    fn add(&mut self, key: Self::Key, entry: Option<Self::Layer>) -> bool;
    /// All entries.
    fn all(&self) -> impl Iterator<Item = (&Self::Key, &Option<Self::Layer>)>;
}

impl<M: LayerEntries> Map<M> {
    /// Decodes the value of an entry and adds it. A key that was there before is a problem.
    #[inline]
    pub(super) fn add<'de, A: de::MapAccess<'de>>(
        &mut self,
        key: M::Key,
        entries: &mut A,
    ) -> Result<(), A::Error> {
        let mut entry: Option<Option<M::Layer>> = None;
        entries.next_value_seed(EntryInPlace(&mut entry))?;
        let added = match entry {
            Some(layer) => self.0.add(key, layer),
            None => true,
        };
        if added || caught(|| What::AlikeKeys) {
            return Ok(());
        }
        Err(de::Error::custom(ALIKE_KEYS))
    }
}

impl<M: LayerEntries> Sublayer for Map<M> {
    const EXPECTED: &'static str = "a map of sections";
    fn null<E: Error>(_: &mut Option<Self>) -> Result<(), E> {
        Err(not_null::<Self, E>())
    }
    fn put<'de, D: Deserializer<'de>>(&mut self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
    fn lay_over(&mut self, top: &Self) {
        for (key, entry) in top.0.all() {
            match (self.0.get_mut(key), entry) {
                (Some(Some(below)), Some(top)) => below.lay_over(top),
                (Some(below), top) => *below = top.clone(),
                (None, top) => {
                    self.0.add(key.clone(), top.clone());
                }
            }
        }
    }
    fn presence(&self) -> Presence<'_> {
        Presence::Parts(self)
    }
}

impl<'de, M: LayerEntries> Visitor<'de> for &mut Map<M> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Map::<M>::EXPECTED)
    }
    #[inline]
    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key_seed(AsKey(PhantomData))? {
            self.add(key, &mut entries)?;
        }
        Ok(())
    }
}
