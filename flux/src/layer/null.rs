//! A value that is null, as a decoder of any format gives it to a type that is asked what it makes of null.

use serde::{
    Deserializer,
    de::{Error, Visitor},
    forward_to_deserialize_any,
};
use std::marker::PhantomData;

/// Null for any type: unlike serde's own decoder of a unit it lets a newtype ask the type inside, as the formats do.
pub(super) struct Null<E>(PhantomData<E>);

impl<E> Null<E> {
    #[inline]
    pub(super) fn new() -> Self {
        Null(PhantomData)
    }
}

impl<'de, E: Error> Deserializer<'de> for Null<E> {
    type Error = E;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, E> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct enum identifier ignored_any
    }
}
