//! What a format's own decoder would take for something else, and is refused at any depth: null for a text, items that are left
//! over, a date for a map. What it alone refuses is taken.
//!
//! YAML's decoder takes null for a text, and nothing for an empty list or map; TOML's decoder passes over the items that a
//! target leaves, hands a date over as a map, and refuses the keys that a struct variant does not have, whatever the type is. JSON's
//! decoder has none of these habits.

use crate::{
    layer::serde_methods::{deserializer_methods, visitor_methods},
    problem::{DATE, too_many},
};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use std::{fmt, marker::PhantomData};

/// What is known of a format's decoder.
pub(super) trait Format {
    /// What is known of its decoder where a value is not null.
    type NotNull: Format;
    /// What is known of its decoder inside a value.
    type Inside: Format;
    /// It takes null for a text, and nothing for an empty list or map.
    const LAX_NULL: bool;
    /// It hands a date over as a map with one key.
    const DATES: bool;
    /// It refuses a key of a struct variant that has no field, although the type passes it over.
    const STRICT_VARIANTS: bool;
}

macro_rules! formats {
    ($($(#[$attribute:meta])* $name:ident: not null $not_null:ident, inside $inside:ident, lax null $lax:literal, dates $dates:literal, strict variants $strict:literal;)*) => {$(
        $(#[$attribute])*
        pub(super) struct $name;

        $(#[$attribute])*
        impl Format for $name {
            type NotNull = $not_null;
            type Inside = $inside;
            const LAX_NULL: bool = $lax;
            const DATES: bool = $dates;
            const STRICT_VARIANTS: bool = $strict;
        }
    )*};
}

formats! {
    #[cfg(feature = "yaml")]
    Yaml: not null YamlNotNull, inside Yaml, lax null true, dates false, strict variants false;
    // Asked for an option before: no need to ask again.
    #[cfg(feature = "yaml")]
    YamlNotNull: not null YamlNotNull, inside Yaml, lax null false, dates false, strict variants false;
    #[cfg(feature = "toml")]
    Toml: not null Toml, inside Toml, lax null false, dates true, strict variants true;
}

/// A decoder, a visitor, an access or a seed that passes on what is exactly what was asked for. What depends on the format is asked
/// in a `const` block: then only the branch that is taken is compiled for a config type.
pub(super) struct Exact<T, F>(T, PhantomData<F>);

impl<T, F> Exact<T, F> {
    #[inline]
    pub(super) fn new(inner: T) -> Self {
        Exact(inner, PhantomData)
    }
}

macro_rules! decode {
    ($method:ident($($arg:ident: $type:ty),*)) => {
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($arg,)* Exact(visitor, PhantomData::<F::Inside>))
        }
    };
}

/// What no scalar's visitor could get wrong is handed through as it is.
macro_rules! scalars {
    ($method:ident($($arg:ident: $type:ty),*)) => {
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($arg,)* visitor)
        }
    };
}

macro_rules! not_null {
    ($method:ident($($arg:ident: $type:ty),*)) => {
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            if const { !F::LAX_NULL } {
                return self.0.$method($($arg,)* Exact(visitor, PhantomData::<F::Inside>));
            }
            struct Present<V, F> {
                visitor: V,
                format: PhantomData<F>,
                $($arg: $type,)*
            }
            impl<'de, V: Visitor<'de>, F: Format> Visitor<'de> for Present<V, F> {
                type Value = V::Value;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.visitor.expecting(f)
                }
                #[inline]
                fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
                    d.$method($(self.$arg,)* Exact(self.visitor, PhantomData::<F::Inside>))
                }
                fn visit_none<E: Error>(self) -> Result<V::Value, E> {
                    Err(E::invalid_type(Unexpected::Unit, &self))
                }
                fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
                    self.visit_none()
                }
            }
            self.0.deserialize_option(Present::<V, F> { visitor, format: PhantomData, $($arg,)* })
        }
    };
}

impl<'de, D: Deserializer<'de>, F: Format> Deserializer<'de> for Exact<D, F> {
    type Error = D::Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        match const { F::DATES } {
            true => self
                .0
                .deserialize_any(Anything::<V, F>(visitor, PhantomData)),
            false => self
                .0
                .deserialize_any(Exact(visitor, PhantomData::<F::Inside>)),
        }
    }

    deserializer_methods! {
        scalars: bool integers f32 f64 unit unit_struct identifier ignored_any
    }

    deserializer_methods! {
        not_null: texts seq tuple tuple_struct map struct
    }

    deserializer_methods! { decode: option newtype_struct enum }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! pass {
    ($method:ident: $type:ty) => {
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    };
}

impl<'de, V: Visitor<'de>, F: Format> Visitor<'de> for Exact<V, F> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visitor_methods! { pass: bool numbers texts byte_texts }

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
        self.0.visit_some(Exact(d, PhantomData::<F::NotNull>))
    }
    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Exact(d, PhantomData::<F>))
    }
    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        let mut items = Counted::<A, F> {
            items,
            taken: 0,
            over: false,
            format: PhantomData,
        };
        let value = self.0.visit_seq(&mut items)?;
        match items.over {
            true => Ok(value),
            false => items.surplus(value),
        }
    }
    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Exact(entries, PhantomData::<F>))
    }
    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Exact(access, PhantomData::<F>))
    }
}

/// The visitor of a target that takes anything: a date is text to it.
struct Anything<V, F>(V, PhantomData<F>);

impl<'de, V: Visitor<'de>, F: Format> Visitor<'de> for Anything<V, F> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visitor_methods! { pass: bool numbers texts byte_texts }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }
    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        Exact(self.0, PhantomData::<F>).visit_some(d)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        Exact(self.0, PhantomData::<F>).visit_newtype_struct(d)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        Exact(self.0, PhantomData::<F>).visit_seq(items)
    }
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        Exact(self.0, PhantomData::<F>).visit_enum(access)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<V::Value, A::Error> {
        let first = entries.next_key::<String>()?;
        if first.as_deref() == Some(DATE) {
            return self.0.visit_string(entries.next_value()?);
        }
        let entries = Exact(entries, PhantomData::<F>);
        self.0.visit_map(AfterFirst {
            first,
            begun: false,
            entries,
        })
    }
}

/// A map whose first key was looked at.
struct AfterFirst<A> {
    first: Option<String>,
    begun: bool,
    entries: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for AfterFirst<A> {
    type Error = A::Error;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        if std::mem::replace(&mut self.begun, true) {
            return self.entries.next_key_seed(seed);
        }
        let first = self.first.take();
        first
            .map(|key| seed.deserialize(key.into_deserializer()))
            .transpose()
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.entries.next_value_seed(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        None
    }
}

impl<'de, S: DeserializeSeed<'de>, F: Format> DeserializeSeed<'de> for Exact<S, F> {
    type Value = S::Value;
    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Exact(d, PhantomData::<F>))
    }
}

/// The items of a list, which must all be taken.
struct Counted<A, F> {
    items: A,
    taken: usize,
    over: bool,
    format: PhantomData<F>,
}

impl<A, F> Counted<A, F> {
    /// The value, if nothing is left of the list.
    #[cold]
    fn surplus<'de, T>(mut self, value: T) -> Result<T, A::Error>
    where
        A: SeqAccess<'de>,
    {
        let mut found = self.taken;
        while self.items.next_element::<IgnoredAny>()?.is_some() {
            found += 1;
        }
        match found == self.taken {
            true => Ok(value),
            false => Err(too_many(found, self.taken)),
        }
    }
}

impl<'de, A: SeqAccess<'de>, F: Format> SeqAccess<'de> for &mut Counted<A, F> {
    type Error = A::Error;
    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let item = self
            .items
            .next_element_seed(Exact(seed, PhantomData::<F>))?;
        match item {
            Some(_) => self.taken += 1,
            None => self.over = true,
        }
        Ok(item)
    }
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.items.size_hint()
    }
}

impl<'de, A: MapAccess<'de>, F: Format> MapAccess<'de> for Exact<A, F> {
    type Error = A::Error;
    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Exact(seed, PhantomData::<F>))
    }
    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Exact(seed, PhantomData::<F>))
    }
    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>, F: Format> EnumAccess<'de> for Exact<A, F> {
    type Error = A::Error;
    type Variant = Exact<A::Variant, F>;
    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(seed)?;
        Ok((value, Exact(variant, PhantomData)))
    }
}

impl<'de, A: VariantAccess<'de>, F: Format> VariantAccess<'de> for Exact<A, F> {
    type Error = A::Error;
    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Exact(seed, PhantomData::<F>))
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Exact(visitor, PhantomData::<F>))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = Exact(visitor, PhantomData::<F>);
        match const { F::STRICT_VARIANTS } {
            true => self.0.newtype_variant_seed(StructContent(fields, visitor)),
            false => self.0.struct_variant(fields, visitor),
        }
    }
}

/// The content of a struct variant, read as any other struct.
struct StructContent<V>(&'static [&'static str], V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for StructContent<V> {
    type Value = V::Value;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        d.deserialize_struct("", self.0, self.1)
    }
}
