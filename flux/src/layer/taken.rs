//! That null under a key of a map of values drops the entry of the layers below, as in a map of sections. Where the values have a
//! null of their own, such as `Option<T>` and `serde_json::Value`, null is a value.

use super::{
    Leaf,
    contract::Taken,
    decode::{again, fill, kept, saw_empty},
    leaf::TypeProbe,
    null::Null,
    unique_keys::{FirstKey, inside, not_null},
};
use crate::problem::ALIKE_KEYS;
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, Visitor, value::Error as NoValue},
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    hash::{BuildHasher, Hash},
    marker::PhantomData,
    sync::Arc,
};

/// The keys that a layer takes from the maps below, by the indices of the fields. Mostly none.
#[derive(Debug, Clone, Default)]
pub struct Gone(Vec<(usize, Taken)>);

impl Gone {
    /// What is taken away.
    #[inline]
    pub fn all(&self) -> &[(usize, Taken)] {
        &self.0
    }

    /// Takes the same away from what is below both.
    #[cold]
    pub fn join(&mut self, top: &Gone) {
        self.0.extend(top.all().iter().cloned());
    }

    #[cold]
    fn push(&mut self, index: usize, taken: Taken) {
        self.0.push((index, taken));
    }
}

/// Decodes the next value of `map` into the slot, and notes which entries it takes away.
#[inline]
pub fn put_entries<'de, L: Leaf, A: MapAccess<'de>>(
    map: &mut A,
    slot: &mut Option<L::Out>,
    gone: &mut Gone,
    index: usize,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return again(map);
    }
    let mut taken = None;
    map.next_value_seed(TakingSeed::<L>(slot, &mut taken))?;
    if let Some(taken) = taken {
        gone.push(index, taken);
    }
    Ok(())
}

/// Takes entries from what is below.
#[cold]
pub fn take_away<L: Leaf>(below: &mut Option<L::Out>, taken: &Taken) {
    if let Some(below) = below {
        L::take_away(below, taken);
    }
}

struct TakingSeed<'t, L: Leaf>(&'t mut Option<L::Out>, &'t mut Option<Taken>);

impl<'de, L: Leaf> DeserializeSeed<'de> for TakingSeed<'_, L> {
    type Value = ();
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        fill(self.0, kept(L::entries(d, self.1))?);
        Ok(())
    }
}

/// A map whose entries can be taken away, alone or behind an `Option` or a pointer.
pub trait TakenEntries: Sized {
    /// Its keys.
    type Key: Clone + Send + Sync + 'static;
    /// Decodes it; the keys under which null is no value.
    fn read<'de, D: Deserializer<'de>>(d: D, taken: &mut Vec<Self::Key>) -> Result<Self, D::Error>;
    /// Removes entries.
    fn remove_all(&mut self, keys: &[Self::Key]);
}

/// What is reported of an entry that is null where no layer below has one.
pub(super) const NO_VALUE: &str = "has no value, and no layer below has this entry, so there is none; give it a value, or remove the key";

struct EntriesSeed<'t, T: TakenEntries>(&'t mut Vec<T::Key>, PhantomData<T>);

macro_rules! map {
    ($([$($bound:tt)*] [$($hasher:ident)?] $map:ident, |$entries:ident, $keys:ident| $remove:expr;)*) => {$(
        impl<K, V $(, $hasher: BuildHasher + Default)?> TakenEntries for $map<K, V $(, $hasher)?>
        where
            K: DeserializeOwned + Clone + Send + Sync + 'static $($bound)*,
            V: DeserializeOwned,
        {
            type Key = K;
            #[inline]
            fn read<'de, D: Deserializer<'de>>(d: D, taken: &mut Vec<K>) -> Result<Self, D::Error> {
                not_null(d, EntriesSeed::<Self>(taken, PhantomData))
            }
            fn remove_all(&mut self, $keys: &[K]) {
                let $entries = self;
                $remove
            }
        }

        impl<'de, K, V $(, $hasher: BuildHasher + Default)?> DeserializeSeed<'de> for EntriesSeed<'_, $map<K, V $(, $hasher)?>>
        where
            K: DeserializeOwned + Clone + Send + Sync + 'static $($bound)*,
            V: DeserializeOwned,
        {
            type Value = $map<K, V $(, $hasher)?>;
            #[inline]
            fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
                d.deserialize_map(self)
            }
        }

        impl<'de, K, V $(, $hasher: BuildHasher + Default)?> Visitor<'de> for EntriesSeed<'_, $map<K, V $(, $hasher)?>>
        where
            K: DeserializeOwned + Clone + Send + Sync + 'static $($bound)*,
            V: DeserializeOwned,
        {
            type Value = $map<K, V $(, $hasher)?>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            #[inline]
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut map = $map::default();
                let mut first = FirstKey::default();
                let mut count = 0;
                while let Some(key) = first.next::<K, A>(&mut entries)? {
                    count += 1;
                    match entries.next_value_seed(OrNull(PhantomData::<V>))? {
                        Some(value) => {
                            map.insert(key, value);
                        }
                        None => self.0.push(key),
                    }
                }
                let mut taken: $map<&K, () $(, $hasher)?> = $map::default();
                let again = |key| taken.insert(key, ()).is_some() || map.contains_key(key);
                match map.len() + self.0.len() == count && !self.0.iter().any(again) {
                    true => Ok(map),
                    false => Err(A::Error::custom(ALIKE_KEYS)),
                }
            }
        }
    )*};
}

map! {
    [+ Ord] [] BTreeMap, |entries, keys| for key in keys {
        entries.remove(key);
    };
    [+ Eq + Hash] [S] HashMap, |entries, keys| for key in keys {
        entries.remove(key);
    };
}

#[cfg(feature = "indexmap")]
mod ordered {
    use super::*;
    use indexmap::IndexMap;
    use std::collections::HashSet;

    map! {
        // In one pass: to remove one entry and keep the order of the others is a pass by itself.
        [+ Eq + Hash] [S] IndexMap, |entries, keys| {
            let gone: HashSet<&K> = keys.iter().collect();
            entries.retain(|key, _| !gone.contains(key));
        };
    }
}

/// A value, or nothing where it is null and the type has no null.
struct OrNull<V>(PhantomData<V>);

impl<'de, V: DeserializeOwned> DeserializeSeed<'de> for OrNull<V> {
    type Value = Option<V>;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Option<V>, D::Error> {
        d.deserialize_option(self)
    }
}

impl<'de, V: DeserializeOwned> Visitor<'de> for OrNull<V> {
    type Value = Option<V>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }
    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Option<V>, D::Error> {
        inside(d).map(Some)
    }
    fn visit_none<E: Error>(self) -> Result<Option<V>, E> {
        let value = V::deserialize(Null::<NoValue>::new()).ok();
        if value.is_none() {
            saw_empty(NO_VALUE);
        }
        Ok(value)
    }
    fn visit_unit<E: Error>(self) -> Result<Option<V>, E> {
        self.visit_none()
    }
}

struct Optional<'t, T: TakenEntries>(&'t mut Vec<T::Key>);

impl<'de, T: TakenEntries> Visitor<'de> for Optional<'_, T> {
    type Value = Option<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map or null")
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Option<T>, D::Error> {
        T::read(d, self.0).map(Some)
    }
    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
}

impl<T: TakenEntries> TakenEntries for Option<T> {
    type Key = T::Key;
    fn read<'de, D: Deserializer<'de>>(d: D, taken: &mut Vec<T::Key>) -> Result<Self, D::Error> {
        d.deserialize_option(Optional(taken))
    }
    fn remove_all(&mut self, keys: &[T::Key]) {
        if let Some(map) = self {
            map.remove_all(keys);
        }
    }
}

impl<T: TakenEntries> TakenEntries for Box<T> {
    type Key = T::Key;
    fn read<'de, D: Deserializer<'de>>(d: D, taken: &mut Vec<T::Key>) -> Result<Self, D::Error> {
        T::read(d, taken).map(Box::new)
    }
    fn remove_all(&mut self, keys: &[T::Key]) {
        T::remove_all(self, keys);
    }
}

impl<T: TakenEntries + Clone> TakenEntries for Arc<T> {
    type Key = T::Key;
    fn read<'de, D: Deserializer<'de>>(d: D, taken: &mut Vec<T::Key>) -> Result<Self, D::Error> {
        T::read(d, taken).map(Arc::new)
    }
    fn remove_all(&mut self, keys: &[T::Key]) {
        Arc::make_mut(self).remove_all(keys);
    }
}

/// A map whose entries can be taken away.
pub trait ReadsEntries<T> {
    /// Decodes it.
    fn entries<'de, D: Deserializer<'de>>(
        self,
        d: D,
        taken: &mut Option<Taken>,
    ) -> Result<Result<T, D::Error>, D>;
    /// Removes entries.
    fn take_away(self, below: &mut T, taken: &Taken);
}

impl<T: TakenEntries> ReadsEntries<T> for TypeProbe<T> {
    #[inline]
    fn entries<'de, D: Deserializer<'de>>(
        self,
        d: D,
        taken: &mut Option<Taken>,
    ) -> Result<Result<T, D::Error>, D> {
        let mut keys = Vec::new();
        let read = T::read(d, &mut keys);
        if !keys.is_empty() {
            *taken = Some(Arc::new(keys));
        }
        Ok(read)
    }
    fn take_away(self, below: &mut T, taken: &Taken) {
        if let Some(keys) = taken.downcast_ref::<Vec<T::Key>>() {
            below.remove_all(keys);
        }
    }
}

/// Everything else: the decoder is handed back.
pub trait ReadsNoEntries<T> {
    /// Decodes nothing.
    fn entries<'de, D: Deserializer<'de>>(
        self,
        d: D,
        taken: &mut Option<Taken>,
    ) -> Result<Result<T, D::Error>, D>;
    /// Removes nothing.
    fn take_away(self, below: &mut T, taken: &Taken);
}

impl<T> ReadsNoEntries<T> for &TypeProbe<T> {
    #[inline]
    fn entries<'de, D: Deserializer<'de>>(
        self,
        d: D,
        _: &mut Option<Taken>,
    ) -> Result<Result<T, D::Error>, D> {
        Err(d)
    }
    fn take_away(self, _: &mut T, _: &Taken) {}
}
