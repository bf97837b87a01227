//! Maps that are decoded as a whole: a key that stands in one twice is refused, where serde would silently keep the last.
//!
//! Of the field's own map the entries are only counted, and compared with what it holds in the end; of maps inside it, the keys
//! are hashed.

mod deserializer;

use crate::{
    layer::{
        decode::{Human, With},
        unique_keys::deserializer::{Mode, Watched},
    },
    problem::TWICE,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, Visitor, value},
};
use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    fmt,
    hash::BuildHasher,
    marker::PhantomData,
};

/// Decodes a map, or something that holds maps; null is the target's own error in every format.
#[derive(Debug)]
pub struct Distinct<T>(PhantomData<T>);

impl<T: DeserializeOwned + Keyed> With for Distinct<T> {
    type Out = T;
    #[inline]
    fn decode<'de, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
        strict(d)
    }
}

/// The same for maps and lists of durations.
#[derive(Debug)]
pub struct DistinctHuman<T>(PhantomData<T>);

impl<T: Human> With for DistinctHuman<T>
where
    T::Wire: DeserializeOwned + Keyed,
{
    type Out = T;
    #[inline]
    fn decode<'de, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
        strict(d).map(T::from_wire)
    }
}

/// How many keys the outermost map holds; none where there is no such map.
pub trait Keyed {
    /// The number of keys.
    fn keys(&self) -> Option<usize>;
}

impl<K, V> Keyed for BTreeMap<K, V> {
    fn keys(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<K, V, S: BuildHasher> Keyed for HashMap<K, V, S> {
    fn keys(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: Keyed> Keyed for Option<T> {
    fn keys(&self) -> Option<usize> {
        self.as_ref().and_then(Keyed::keys)
    }
}

impl<T> Keyed for Vec<T> {
    fn keys(&self) -> Option<usize> {
        None
    }
}

fn strict<'de, T: Deserialize<'de> + Keyed, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    struct NotNull<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de> + Keyed> Visitor<'de> for NotNull<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value")
        }
        #[inline]
        fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
            let count = Cell::new(0);
            let value = T::deserialize(Watched(d, Mode::Count(&count)))?;
            match value.keys() {
                Some(keys) if keys != count.get() => Err(D::Error::custom(TWICE)),
                _ => Ok(value),
            }
        }
        fn visit_none<E: Error>(self) -> Result<T, E> {
            T::deserialize(value::UnitDeserializer::new())
        }
        fn visit_unit<E: Error>(self) -> Result<T, E> {
            T::deserialize(value::UnitDeserializer::new())
        }
    }
    d.deserialize_option(NotNull(PhantomData))
}
