//! That a key which occurs twice in a map of a value is refused, where serde would silently keep the last. On the same way, every
//! `Duration` in the value is read as people write it.
//!
//! Of the field's own map the entries are only counted, and compared with what it holds in the end; of maps inside it, the keys
//! are hashed.

mod deserializer;
mod duration;
mod finite;

pub(super) use duration::DURATION;

use crate::{
    layer::{
        null::Null,
        unique_keys::deserializer::{Mode, Watched},
    },
    problem::ALIKE_KEYS,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Unexpected, Visitor},
};
use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    fmt,
    hash::BuildHasher,
    marker::PhantomData,
};

/// How many keys the outermost map holds; none where there is no such map.
pub trait CountedMap {
    /// The number of keys.
    fn keys(&self) -> Option<usize>;
}

impl<K, V> CountedMap for BTreeMap<K, V> {
    fn keys(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<K, V, S: BuildHasher> CountedMap for HashMap<K, V, S> {
    fn keys(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: CountedMap> CountedMap for Option<T> {
    fn keys(&self) -> Option<usize> {
        self.as_ref().and_then(CountedMap::keys)
    }
}

impl<T: CountedMap> CountedMap for Box<T> {
    fn keys(&self) -> Option<usize> {
        T::keys(self)
    }
}

#[cfg(feature = "indexmap")]
impl<K, V, S: BuildHasher> CountedMap for indexmap::IndexMap<K, V, S> {
    fn keys(&self) -> Option<usize> {
        Some(self.len())
    }
}

#[cfg(feature = "json")]
impl CountedMap for serde_json::Map<String, serde_json::Value> {
    fn keys(&self) -> Option<usize> {
        Some(self.len())
    }
}

// What a target makes of null, as functions and not as closures, which would be others for every format.

fn always<T>(_: &T) -> bool {
    true
}

fn never<T>(_: &T) -> bool {
    false
}

fn has_no_keys<T: CountedMap>(null: &T) -> bool {
    null.keys().is_none()
}

/// Decodes a list. Null is the target's own error in every format.
#[inline]
pub(super) fn strict<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    d.deserialize_option(NotNull(Plain(PhantomData), always))
}

/// Decodes a map, or something around one.
#[inline]
pub(super) fn counted<'de, T: Deserialize<'de> + CountedMap, D: Deserializer<'de>>(
    d: D,
) -> Result<T, D::Error> {
    d.deserialize_option(NotNull(Counting(PhantomData), has_no_keys))
}

/// Decodes a value of any type. The keys of the maps in it are hashed, also where the type takes anything.
#[inline]
pub(super) fn careful<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    d.deserialize_option(NotNull(Hashing(PhantomData), always))
}

/// Decodes a map with a seed of its own. Null is the target's own error in every format.
#[inline]
pub(super) fn not_null<'de, S: DeserializeSeed<'de>, D: Deserializer<'de>>(
    d: D,
    seed: S,
) -> Result<S::Value, D::Error> {
    d.deserialize_option(NotNull(seed, never))
}

/// Decodes what is inside of a map, whose keys are counted elsewhere.
#[inline]
pub(super) fn inside<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    T::deserialize(Watched(d, Mode::Hash))
}

/// The keys of a map that is counted elsewhere. The first one may be that which toml's decoder makes of a date.
#[derive(Default)]
pub(super) struct FirstKey(bool);

impl FirstKey {
    /// The next key.
    #[inline]
    pub(super) fn next<'de, K: Deserialize<'de>, A: MapAccess<'de>>(
        &mut self,
        entries: &mut A,
    ) -> Result<Option<K>, A::Error> {
        if self.0 {
            return entries.next_key();
        }
        self.0 = true;
        let is_date = Cell::new(false);
        let key = entries.next_key_seed(Watched(Plain(PhantomData), Mode::First(&is_date)))?;
        match is_date.get() {
            true => Err(A::Error::invalid_type(
                Unexpected::Other("date-time"),
                &"a map",
            )),
            false => Ok(key),
        }
    }
}

/// What the visitor of a value that cannot be null expects; the tracer of types knows it by that.
pub(super) const NOT_NULL: &str = "a value that is not null";

/// A value that is not null, or null as the target's own error: a YAML decoder takes it for an empty list or map.
///
/// The second part is whether what the target made of null is one: some maps take it for an empty one.
struct NotNull<S, F>(S, F);

impl<'de, S, F> Visitor<'de> for NotNull<S, F>
where
    S: DeserializeSeed<'de>,
    F: FnOnce(&S::Value) -> bool,
{
    type Value = S::Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NOT_NULL)
    }
    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(d)
    }
    fn visit_none<E: Error>(self) -> Result<S::Value, E> {
        let value = self.0.deserialize(Null::new())?;
        match (self.1)(&value) {
            true => Ok(value),
            false => Err(E::invalid_type(Unexpected::Unit, &"a map")),
        }
    }
    fn visit_unit<E: Error>(self) -> Result<S::Value, E> {
        self.visit_none()
    }
}

macro_rules! seeds {
    ($($name:ident<T: $($bound:ident)?>: |$d:ident| $body:expr;)*) => {$(
        struct $name<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> $(+ $bound)?> DeserializeSeed<'de> for $name<T> {
            type Value = T;
            #[inline]
            fn deserialize<D: Deserializer<'de>>(self, $d: D) -> Result<T, D::Error> {
                $body
            }
        }
    )*};
}

seeds! {
    Plain<T:>: |d| T::deserialize(d);
    Hashing<T:>: |d| T::deserialize(Watched(d, Mode::Hash));
    Counting<T: CountedMap>: |d| {
        let count = Cell::new(0);
        let value = T::deserialize(Watched(d, Mode::Count(&count)))?;
        match value.keys() {
            Some(keys) if keys != count.get() => Err(D::Error::custom(ALIKE_KEYS)),
            _ => Ok(value),
        }
    };
}

#[cfg(test)]
#[cfg(all(
    feature = "derive",
    feature = "json",
    feature = "toml",
    feature = "yaml"
))]
mod not_in_json {
    use crate::{
        codec::{self, Unknown},
        layer::Config,
        problem::What,
    };
    use flux_syntax::Format;
    use std::collections::BTreeMap;

    #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
    #[allow(dead_code, reason = "only read")]
    struct PlainAny {
        inner: Option<serde_json::Value>,
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "only read")]
    struct AnyApp {
        #[flux(default)]
        any: serde_json::Value,
        #[flux(default)]
        map: BTreeMap<String, serde_json::Value>,
        #[flux(default)]
        list: Vec<serde_json::Value>,
        plain: Option<PlainAny>,
        #[flux(default)]
        number: f64,
        #[flux(default)]
        numbers: BTreeMap<String, f64>,
        #[serde(flatten)]
        rest: BTreeMap<String, serde_json::Value>,
    }

    #[test]
    fn a_number_that_json_does_not_have_is_refused_where_a_json_value_would_be_null() {
        let texts = [
            #[cfg(feature = "json5")]
            (Format::Json5, ["NaN", "Infinity", "-Infinity"]),
            (Format::Yaml, [".nan", ".inf", "-.inf"]),
            (Format::Toml, ["nan", "inf", "-inf"]),
        ];
        for (format, numbers) in texts {
            for number in numbers {
                let read = |yaml: &str, toml: &str| {
                    let document = match format {
                        Format::Yaml => yaml.to_owned(),
                        Format::Json5 => format!("{{{yaml}}}"),
                        _ => toml.to_owned(),
                    };
                    let document = document.replace('@', number);
                    let decoder = format.into();
                    codec::decode::<AnyApp>(&decoder, document.as_bytes(), Unknown::Deny)
                        .map(drop)
                        .map_err(|failed| failed.found)
                };
                for (yaml, toml) in [
                    ("any: @", "any = @"),
                    ("any: {a: [1, @]}", "any = {a = [1, @]}"),
                    ("map: {a: @}", "map = {a = @}"),
                    ("list: [1, @]", "list = [1, @]"),
                    ("plain: {inner: @}", "plain = {inner = @}"),
                    ("other: @", "other = @"),
                ] {
                    let found = read(yaml, toml).unwrap_err();
                    let [problem] = found.as_slice() else {
                        panic!("{yaml}: {found:?}")
                    };
                    let What::Type { expected, .. } = &problem.problem.what else {
                        panic!("{yaml}: {found:?}")
                    };
                    assert!(expected.contains("that JSON has"), "{expected}");
                    assert_eq!(problem.at.map(|at| at.0), Some(1), "{yaml}");
                }
                read("number: @", "number = @").unwrap();
                read("numbers: {a: @}", "numbers = {a = @}").unwrap();
                read("any: '@'", "any = '@'").unwrap();
            }
        }
        assert!(!(<AnyApp as Config>::fields)().is_empty());
    }
}
