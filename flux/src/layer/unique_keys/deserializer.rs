//! Counts or hashes the keys of the maps in a value while a decoder of any format reads it.

use super::{
    duration::{Written, is_duration},
    finite::{Finite, not_json, takes_json},
};
use crate::{
    layer::serde_methods::{deserializer_methods, visitor_methods},
    problem::{ALIKE_KEYS, DATE},
};
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess,
        Visitor,
    },
};
use std::{
    cell::Cell,
    fmt,
    hash::{Hash, Hasher},
};

/// What is done with the value that is decoded.
#[derive(Clone, Copy)]
pub(super) enum Mode<'c> {
    /// The entries of its map are counted.
    Count(&'c Cell<usize>),
    /// The keys of its maps are hashed.
    Hash,
    /// It is a key: it is hashed. The hash of a key that its type passes over remains 0.
    Key(&'c Cell<u64>),
    /// It is the first key of a map that is counted: is it the one that toml's decoder makes of a date?
    First(&'c Cell<bool>),
}

impl Mode<'_> {
    #[inline]
    fn text(self, value: &str) {
        match self {
            Mode::First(is_date) => is_date.set(value == DATE),
            mode => mode.scalar(value),
        }
    }

    #[inline]
    fn scalar(self, value: &(impl Hash + ?Sized)) {
        if let Mode::Key(hash) = self {
            // A key can have several parts.
            let mut hasher = Folded(hash.get());
            value.hash(&mut hasher);
            hash.set(hasher.finish());
        }
    }
}

/// A hash of keys that nobody chooses to collide: who writes the document would only refuse it for himself.
struct Folded(u64);

impl Folded {
    #[inline]
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hasher for Folded {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.fold(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
    }
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// A decoder, a visitor, an access or a seed that passes everything on.
pub(super) struct Watched<'c, T>(pub(super) T, pub(super) Mode<'c>);

macro_rules! decode {
    ($method:ident($($arg:ident: $type:ty),*)) => {
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($arg,)* Watched(visitor, self.1))
        }
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Watched<'_, D> {
    type Error = D::Error;

    deserializer_methods! {
        decode: bool integers f64 texts option unit unit_struct newtype_struct seq tuple tuple_struct enum identifier ignored_any
    }

    #[inline]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_f32(Watched(Finite(visitor), self.1))
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Watched(visitor, self.1))
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Watched(visitor, self.1))
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        if is_duration(name, fields) {
            return self.0.deserialize_any(Written(visitor));
        }
        self.0
            .deserialize_struct(name, fields, Watched(visitor, self.1))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! visit {
    ($method:ident: $type:ty) => {
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.1.scalar(&value);
            self.0.$method(value)
        }
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watched<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visitor_methods! { visit: bool i64 i128 u64 u128 char byte_texts }

    #[inline]
    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        self.1.text(value);
        self.0.visit_str(value)
    }
    #[inline]
    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.1.text(value);
        self.0.visit_borrowed_str(value)
    }
    #[inline]
    fn visit_string<E: Error>(self, value: String) -> Result<V::Value, E> {
        self.1.text(&value);
        self.0.visit_string(value)
    }
    #[inline]
    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        self.1.scalar(&value.to_bits());
        match value.is_finite() || !takes_json(&self.0) {
            true => self.0.visit_f64(value),
            false => Err(not_json(value)),
        }
    }
    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }
    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }
    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Watched(d, self.1))
    }
    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Watched(d, self.1))
    }
    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        let inner = match self.1 {
            Mode::Key(_) => self.1,
            _ => Mode::Hash,
        };
        self.0.visit_seq(Watched(items, inner))
    }
    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let count = match self.1 {
            Mode::Count(count) => Some(count),
            _ => None,
        };
        self.0.visit_map(WatchedEntries {
            keys: Vec::with_capacity(if count.is_some() { 0 } else { 16 }),
            entries,
            count,
        })
    }
    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Watched(access, self.1))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Watched<'_, S> {
    type Value = S::Value;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Watched(d, self.1))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Watched<'_, A> {
    type Error = A::Error;
    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Watched(seed, self.1))
    }
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

/// An enum as a key is its variant's name.
impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Watched<'_, A> {
    type Error = A::Error;
    type Variant = Watched<'static, A::Variant>;
    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (name, variant) = self.0.variant_seed(Watched(seed, self.1))?;
        Ok((name, Watched(variant, Mode::Hash)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Watched<'_, A> {
    type Error = A::Error;
    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }
    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Watched(seed, self.1))
    }
    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Watched(visitor, self.1))
    }
    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Watched(visitor, self.1))
    }
}

/// A map whose keys are counted or hashed.
struct WatchedEntries<'c, A> {
    entries: A,
    count: Option<&'c Cell<usize>>,
    keys: Vec<u64>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WatchedEntries<'_, A> {
    type Error = A::Error;
    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        if let Some(count) = self.count {
            if count.get() > 0 {
                let key = self.entries.next_key_seed(seed)?;
                count.set(count.get() + usize::from(key.is_some()));
                return Ok(key);
            }
            let is_date = Cell::new(false);
            let first = Watched(seed, Mode::First(&is_date));
            let key = self.entries.next_key_seed(first)?;
            count.set(usize::from(key.is_some()));
            if is_date.get() {
                return Err(A::Error::invalid_type(
                    Unexpected::Other("date-time"),
                    &"a map",
                ));
            }
            return Ok(key);
        }
        let hash = Cell::new(0);
        let key = self
            .entries
            .next_key_seed(Watched(seed, Mode::Key(&hash)))?;
        match key {
            Some(_) if hash.get() == 0 => {}
            Some(_) => self.keys.push(hash.get()),
            None => {
                self.keys.sort_unstable();
                if self.keys.windows(2).any(|pair| pair[0] == pair[1]) {
                    return Err(A::Error::custom(ALIKE_KEYS));
                }
            }
        }
        Ok(key)
    }
    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.entries.next_value_seed(Watched(seed, Mode::Hash))
    }
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use crate::layer::unique_keys::deserializer::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn hash(key: &str) -> u64 {
        let mut hasher = Folded(0);
        key.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn keys_that_are_alike_have_hashes_of_their_own() {
        let keys = (0..20_000).map(|n| match n % 4 {
            0 => format!("tenant-{n:08}"),
            1 => format!("{n}"),
            2 => format!("a.rather.long.key.with.the.number.{n}.in.it"),
            _ => "k".repeat(n / 1000) + &n.to_string(),
        });
        let keys: HashSet<String> = keys.collect();
        let hashes: HashSet<u64> = keys.iter().map(|key| hash(key)).collect();
        assert_eq!(hashes.len(), keys.len());
    }

    proptest! {
        #[test]
        fn different_keys_have_different_hashes(a in ".{0,20}", b in ".{0,20}") {
            prop_assert_eq!(a == b, hash(&a) == hash(&b));
        }
    }
}
