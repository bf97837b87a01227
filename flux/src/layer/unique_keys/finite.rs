//! Which numbers are refused because serde would make something else of them: too large for an `f32`, or none that JSON has for a
//! `serde_json::Value`.

use crate::layer::serde_methods::visitor_methods;
use serde::{
    Deserializer,
    de::{EnumAccess, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor},
};
use std::fmt;

/// Whether the target is a `serde_json::Value`; its visitor is known by its words alone.
#[cold]
pub(super) fn takes_json<'de>(visitor: &impl Visitor<'de>) -> bool {
    (visitor as &dyn Expected).to_string() == "any valid JSON value"
}

/// Not a number, or an infinite one, in a `serde_json::Value`.
#[cold]
pub(super) fn not_json<E: Error>(value: f64) -> E {
    let expected =
        "a number that JSON has, which `serde_json::Value` would replace by null; write it as text";
    E::invalid_value(Unexpected::Float(value), &expected)
}

/// The visitor of an `f32`, which never gets a finite number that it would read as an infinite one.
pub(super) struct Finite<V>(pub(super) V);

macro_rules! pass {
    ($method:ident: $type:ty) => {
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    };
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "whether it is too large is the question"
)]
fn is_too_large(value: f64) -> bool {
    value.is_finite() && (value as f32).is_infinite()
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Finite<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    #[inline]
    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        match is_too_large(value) {
            true => Err(E::invalid_value(
                Unexpected::Float(value),
                &"f32, which holds numbers up to 3.4e38",
            )),
            false => self.0.visit_f64(value),
        }
    }

    visitor_methods! { pass: bool i64 i128 u64 u128 f32 texts byte_texts }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(d)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(d)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(items)
    }
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(entries)
    }
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(access)
    }
}
