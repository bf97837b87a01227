//! Decoding from a [`Tree`]: tells tolerant mode where it stands, and lets the target's type read raw text.

use crate::document::{
    raw,
    tree::{Error, Tree},
};
use crate::problem::{Seg, collect_errors};
use serde::{
    de::{
        DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::MapAccessDeserializer,
    },
    forward_to_deserialize_any,
};
use std::cell::Cell;

thread_local! {
    /// In YAML a plain scalar is also a legal string.
    static PLAIN_SCALARS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `decode` with numbers and bools accepted as strings.
pub(crate) fn with_plain_scalars<T>(on: bool, decode: impl FnOnce() -> T) -> T {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            PLAIN_SCALARS.set(false);
        }
    }
    let _reset = Reset;
    PLAIN_SCALARS.set(on);
    decode()
}

/// A decoder of a tree.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(pub(crate) &'a Tree);

macro_rules! numbers {
    ($($method:ident: $type:ty => $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                Tree::Raw(text) => match text.trim().parse::<$type>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => not_that_number(text, visitor),
                },
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                Tree::Raw(text) => visitor.visit_str(text),
                Tree::U64(n) if PLAIN_SCALARS.get() => visitor.visit_str(&n.to_string()),
                Tree::I64(n) if PLAIN_SCALARS.get() => visitor.visit_str(&n.to_string()),
                Tree::F64(n) if PLAIN_SCALARS.get() => visitor.visit_str(&n.to_string()),
                Tree::Bool(b) if PLAIN_SCALARS.get() => visitor.visit_str(&b.to_string()),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

/// Text where a number of another width is wanted: what the target's type says of it must name what it is.
fn not_that_number<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    let number = text.trim();
    if let Ok(number) = number.parse() {
        return visitor.visit_i128(number);
    }
    match number.parse() {
        Ok(number) => visitor.visit_u128(number),
        Err(_) => visitor.visit_str(text),
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(*value),
            Tree::I64(value) => visitor.visit_i64(*value),
            Tree::U64(value) => visitor.visit_u64(*value),
            Tree::F64(value) => visitor.visit_f64(*value),
            Tree::Str(text) => visitor.visit_str(text),
            Tree::Raw(text) => match &raw::guess(text) {
                Tree::Raw(text) => visitor.visit_str(text),
                tree => Node(tree).deserialize_any(visitor),
            },
            Tree::Seq(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Tree::Map(entries) => visitor.visit_map(Entries(entries.iter(), None)),
        }
    }

    numbers! {
        deserialize_i8: i64 => visit_i64;
        deserialize_i16: i64 => visit_i64;
        deserialize_i32: i64 => visit_i64;
        deserialize_i64: i64 => visit_i64;
        deserialize_i128: i128 => visit_i128;
        deserialize_u8: u64 => visit_u64;
        deserialize_u16: u64 => visit_u64;
        deserialize_u32: u64 => visit_u64;
        deserialize_u64: u64 => visit_u64;
        deserialize_u128: u128 => visit_u128;
        deserialize_f32: f64 => visit_f64;
        deserialize_f64: f64 => visit_f64;
    }

    texts! { deserialize_str deserialize_string deserialize_char deserialize_identifier deserialize_bytes deserialize_byte_buf }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Tree::Raw(text) => match raw::bool(text) {
                Some(value) => visitor.visit_bool(value),
                None => visitor.visit_str(text),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Tree::Raw(text) if raw::is_too_deep(text) => visitor.visit_str(text),
            Tree::Raw(text) => Node(&Tree::Seq(raw::list(text))).deserialize_any(visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Tree::Raw(text) if raw::is_too_deep(text) => visitor.visit_str(text),
            Tree::Raw(text) => match raw::map(text) {
                Some(entries) => Node(&Tree::Map(entries)).deserialize_any(visitor),
                None => visitor.visit_str(text),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Tree::Raw(text) | Tree::Str(text) => {
                visitor.visit_enum(text.trim().into_deserializer())
            }
            Tree::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries(entries.iter(), None)))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { unit unit_struct }
}

struct Items<'a>(std::iter::Enumerate<std::slice::Iter<'a, Tree>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        collect_errors::enter(Seg::Index(index), None);
        let result = seed.deserialize(Node(item));
        collect_errors::leave(result.is_err(), false);
        result.map(Some)
    }
}

struct Entries<'a>(
    std::slice::Iter<'a, (String, Tree)>,
    Option<&'a (String, Tree)>,
);

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.1 = self.0.next();
        match self.1 {
            // A key is a string in every format; a map with other keys reads them out of the text.
            Some((key, _)) => seed.deserialize(Node(&Tree::Raw(key.clone()))).map(Some),
            None => Ok(None),
        }
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((key, value)) = self.1.take() else {
            return Err(Error("a value was asked for before its key".to_owned()));
        };
        collect_errors::enter(Seg::Key(key.clone().into()), None);
        let result = seed.deserialize(Node(value));
        collect_errors::leave(result.is_err(), false);
        result
    }
}
