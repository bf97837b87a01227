//! What a type reads (integer, text, list, struct, enum), found by asking its own `Deserialize`.

use super::{
    Leaf,
    byte_size::BYTE_SIZE,
    finish::Nested,
    sublayer::Sublayer as _,
    unique_keys::{DURATION, NOT_NULL},
};
use crate::schema::{Kind, MergeRule, TypeFacts, ValueType};
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::Error,
    },
    forward_to_deserialize_any,
};

/// What is known of a leaf by its type.
pub fn leaf_type<L: Leaf>() -> TypeFacts {
    TypeFacts {
        #[cfg(feature = "schemars")]
        schema: L::schema(),
        ..TypeFacts::leaf(value_type::<L>(), merge::<L>())
    }
}

/// What is known of a section, or of a list or map of them.
pub fn section_type<N: Nested>() -> TypeFacts {
    let merge = match N::KIND {
        Kind::List(_) => MergeRule::Replace,
        _ => MergeRule::ByKey,
    };
    TypeFacts::section(merge, N::Layer::NULL_IS_A_VALUE, N::type_facts)
}

fn merge<L: Leaf>() -> MergeRule {
    match L::merge() {
        Some(_) => MergeRule::ByKey,
        None => MergeRule::Replace,
    }
}

pub(super) fn value_type<L: Leaf>() -> ValueType {
    let mut found = ValueType::Any;
    let _: Result<L::Out, Error> = L::decode(Trace {
        found: &mut found,
        depth: 0,
    });
    found
}

/// Deeper than this a recursive type is anything.
const MAX_DEPTH: u8 = 8;

struct Trace<'f> {
    found: &'f mut ValueType,
    depth: u8,
}

fn answered<T>() -> Result<T, Error> {
    Err(Error::custom("the type is known"))
}

impl Trace<'_> {
    fn is<T>(self, found: ValueType) -> Result<T, Error> {
        *self.found = found;
        answered()
    }

    fn integer<T>(self, bits: u32, signed: bool) -> Result<T, Error> {
        self.is(ValueType::Integer { bits, signed })
    }

    fn list<'de, V: Visitor<'de>>(self, len: Option<usize>, visitor: V) -> Result<V::Value, Error> {
        let mut items = None;
        if self.depth < MAX_DEPTH {
            let _ = visitor.visit_seq(OneItem {
                items: &mut items,
                depth: self.depth + 1,
            });
        }
        let items = Box::new(items.unwrap_or(ValueType::Any));
        self.is(ValueType::List { items, len })
    }
}

/// Flux's own visitors are known by what they expect.
fn expects<'de>(visitor: &impl Visitor<'de>, what: &str) -> bool {
    let visitor: &dyn Expected = visitor;
    visitor.to_string() == what
}

macro_rules! known {
    ($($method:ident => $found:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            self.is($found)
        }
    )*};
}

macro_rules! integers {
    ($($method:ident: $bits:literal, $signed:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            self.integer($bits, $signed)
        }
    )*};
}

impl<'de> Deserializer<'de> for Trace<'_> {
    type Error = Error;

    known! {
        deserialize_bool => ValueType::Bool;
        deserialize_f32 => ValueType::Float;
        deserialize_f64 => ValueType::Float;
        deserialize_char => ValueType::Char;
        deserialize_str => ValueType::Text;
        deserialize_string => ValueType::Text;
        deserialize_identifier => ValueType::Text;
        deserialize_bytes => ValueType::Bytes;
        deserialize_byte_buf => ValueType::Bytes;
        deserialize_unit => ValueType::Null;
        deserialize_ignored_any => ValueType::Any;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match () {
            () if expects(&visitor, DURATION) => self.is(ValueType::Duration),
            () if expects(&visitor, BYTE_SIZE) => self.is(ValueType::ByteSize),
            () => self.is(ValueType::Any),
        }
    }

    integers! {
        deserialize_i8: 8, true;
        deserialize_i16: 16, true;
        deserialize_i32: 32, true;
        deserialize_i64: 64, true;
        deserialize_i128: 128, true;
        deserialize_u8: 8, false;
        deserialize_u16: 16, false;
        deserialize_u32: 32, false;
        deserialize_u64: 64, false;
        deserialize_u128: 128, false;
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, Error> {
        self.is(ValueType::Null)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if expects(&visitor, NOT_NULL) {
            return visitor.visit_some(self);
        }
        let mut inner = ValueType::Any;
        if self.depth < MAX_DEPTH {
            let _ = visitor.visit_some(Trace {
                found: &mut inner,
                depth: self.depth + 1,
            });
        }
        self.is(ValueType::Optional(Box::new(inner)))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.list(None, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.list(Some(len), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.list(Some(len), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let (mut keys, mut values) = (ValueType::Any, ValueType::Any);
        if self.depth < MAX_DEPTH {
            let _ = visitor.visit_map(OneEntry {
                keys: &mut keys,
                values: &mut values,
                depth: self.depth + 1,
            });
        }
        let (keys, values) = (Box::new(keys), Box::new(values));
        self.is(ValueType::Map { keys, values })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        match (name, fields) {
            ("Duration", ["secs", "nanos"]) => self.is(ValueType::Duration),
            _ => self.is(ValueType::Struct(fields)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.is(ValueType::Enum(variants))
    }
}

/// A list of one item.
struct OneItem<'f> {
    items: &'f mut Option<ValueType>,
    depth: u8,
}

impl<'de> SeqAccess<'de> for OneItem<'_> {
    type Error = Error;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if self.items.is_some() {
            return Ok(None);
        }
        let found = self.items.insert(ValueType::Any);
        let depth = self.depth;
        seed.deserialize(Trace { found, depth }).map(Some)
    }
}

/// A map of one entry.
struct OneEntry<'f> {
    keys: &'f mut ValueType,
    values: &'f mut ValueType,
    depth: u8,
}

impl<'de> MapAccess<'de> for OneEntry<'_> {
    type Error = Error;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        seed.deserialize(AnyKey(self.keys)).map(Some)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Trace {
            found: self.values,
            depth: self.depth,
        })
    }
}

/// A key: the type is noted, and gets one that it probably accepts, so that the value is reached.
struct AnyKey<'f>(&'f mut ValueType);

macro_rules! number_keys {
    ($($method:ident: $bits:literal, $signed:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            *self.0 = ValueType::Integer { bits: $bits, signed: $signed };
            visitor.visit_u64(1)
        }
    )*};
}

impl<'de> Deserializer<'de> for AnyKey<'_> {
    type Error = Error;

    number_keys! {
        deserialize_i8: 8, true;
        deserialize_i16: 16, true;
        deserialize_i32: 32, true;
        deserialize_i64: 64, true;
        deserialize_u8: 8, false;
        deserialize_u16: 16, false;
        deserialize_u32: 32, false;
        deserialize_u64: 64, false;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.0 = ValueType::Text;
        visitor.visit_str("a")
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = ValueType::Enum(variants);
        let first = variants.first().copied().unwrap_or_default();
        visitor.visit_enum(first.into_deserializer())
    }

    forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests;
