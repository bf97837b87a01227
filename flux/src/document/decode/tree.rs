//! How variables, providers and texts of an own codec are decoded: the target's type decides what a raw text means; paths are kept
//! for `problem::collect_errors`.

use super::{
    date,
    parts::{ListKind, Rest},
    reading::{
        AskedForm, AskedValue, asked_for, asked_for_map, asked_for_value, by_number, chosen,
        opened, plain_scalars,
    },
    tree_access::{TreeEntries, TreeItems, entries_of, no_key_twice},
    variant::VariantName,
};
use crate::{
    document::{
        raw,
        tree::{Tree, TreeError},
    },
    layer::{decode::numbered, serde_methods::deserializer_methods},
    problem::{DATE, too_many},
};
use serde::{
    de::{
        self, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor,
        value::MapAccessDeserializer,
    },
    forward_to_deserialize_any,
};

/// A decoder of a tree.
#[derive(Clone, Copy)]
pub(crate) struct TreeDecoder<'a>(pub(crate) &'a Tree);

macro_rules! numbers {
    ($($method:ident: $type:ty => $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
            match self.0 {
                Tree::Raw(text) => match text.trim().parse::<$type>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => not_that_number(text, visitor),
                },
                _ => self.plainly(visitor),
            }
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
            match self.0 {
                Tree::Raw(text) => visitor.visit_str(text),
                Tree::U64(n) if plain_scalars() => visitor.visit_str(&n.to_string()),
                Tree::I64(n) if plain_scalars() => visitor.visit_str(&n.to_string()),
                Tree::F64(n) if plain_scalars() => visitor.visit_str(&n.to_string()),
                Tree::Bool(b) if plain_scalars() => visitor.visit_str(&b.to_string()),
                _ => self.plainly(visitor),
            }
        }
    )*};
}

/// Lists whose items have types of their own.
macro_rules! fixed {
    ($method:ident($($arg:ident: $type:ty),*)) => {
        fn $method<V: Visitor<'de>>(self, $(_: $type,)* visitor: V) -> Result<V::Value, TreeError> {
            self.list(ListKind::Tuple, visitor)
        }
    };
}

macro_rules! floats {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
            match self.0 {
                Tree::Raw(text) => match raw::float(text) {
                    Some(number) => visitor.visit_f64(number),
                    None => visitor.visit_str(text),
                },
                _ => self.plainly(visitor),
            }
        }
    )*};
}

/// Text where a number of another width is expected: what the target's type reports of it must name what it is.
fn not_that_number<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, TreeError> {
    let number = text.trim();
    if let Ok(number) = number.parse() {
        return visitor.visit_i128(number);
    }
    match number.parse() {
        Ok(number) => visitor.visit_u128(number),
        Err(_) => visitor.visit_str(text),
    }
}

impl TreeDecoder<'_> {
    /// The value as what it is in the tree.
    fn plainly<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.items(ListKind::Other, visitor)
    }

    /// The same, for a target that may know what a list or map is.
    fn items<'de, V: Visitor<'de>>(
        self,
        kind: ListKind,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(*value),
            Tree::I64(value) => visitor.visit_i64(*value),
            Tree::U64(value) => visitor.visit_u64(*value),
            Tree::F64(value) => visitor.visit_f64(*value),
            Tree::Str(text) => visitor.visit_str(text),
            Tree::Raw(text) => TreeDecoder(&raw::guess(text)?).items(kind, visitor),
            Tree::Seq(items) => {
                let chosen = chosen();
                let mut rest = Rest::new(chosen.as_ref(), items.len());
                let value = visitor.visit_seq(TreeItems {
                    items,
                    rest: &mut rest,
                    kind,
                })?;
                match rest.left() {
                    0 => Ok(value),
                    surplus => Err(too_many(items.len(), items.len() - surplus)),
                }
            }
            Tree::Map(entries) => entries_of(entries, (false, kind.is_alike()), visitor),
        }
    }
}

impl TreeDecoder<'_> {
    fn list<'de, V: Visitor<'de>>(self, kind: ListKind, visitor: V) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Raw(text) => {
                asked_for(AskedForm::List);
                TreeDecoder(&*opened(AskedForm::List, text)?).items(kind, visitor)
            }
            Tree::Map(items) if by_number() => {
                numbered(|| entries_of(items, (true, false), visitor))
            }
            _ => self.items(kind, visitor),
        }
    }
}

/// The date that a map of toml's decoder is.
fn date_of_toml(entries: &[(String, Tree)]) -> Option<&str> {
    match entries {
        [(key, Tree::Str(text))] if key == DATE => Some(text),
        _ => None,
    }
}

impl<'de> Deserializer<'de> for TreeDecoder<'_> {
    type Error = TreeError;

    /// What takes anything takes a date of TOML as text.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Map(entries) => match date_of_toml(entries) {
                Some(date) => visitor.visit_str(date),
                None => {
                    no_key_twice(entries)?;
                    self.plainly(visitor)
                }
            },
            Tree::Raw(text) => {
                asked_for_value(AskedValue::Anything);
                TreeDecoder(&raw::guess(text)?).deserialize_any(visitor)
            }
            _ => self.plainly(visitor),
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
    }

    floats! { deserialize_f32 deserialize_f64 }

    texts! { deserialize_str deserialize_string deserialize_char deserialize_identifier deserialize_bytes deserialize_byte_buf }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Raw(text) => {
                asked_for(AskedForm::Bool);
                match raw::bool(text) {
                    Some(value) => visitor.visit_bool(value),
                    None => visitor.visit_str(text),
                }
            }
            _ => self.plainly(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.list(ListKind::Any, visitor)
    }

    deserializer_methods! { fixed: tuple tuple_struct }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Raw(text) => {
                // What serde derives for a struct with a flattened field expects `struct App`, where maps expect `a map`.
                let expected = (&visitor as &dyn Expected).to_string();
                asked_for_map(expected.starts_with("struct "));
                TreeDecoder(&*opened(AskedForm::Map, text)?).items(ListKind::Tuple, visitor)
            }
            _ => self.items(ListKind::Tuple, visitor),
        }
    }

    /// A struct that is a value may be written as the list of its fields.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        if let Tree::Raw(text) = self.0 {
            if date::is_date(fields) {
                return date::read(text, visitor);
            }
            asked_for_value(AskedValue::Struct(fields));
        }
        match self.0 {
            Tree::Raw(text) if text.trim_ascii_start().starts_with('[') => {
                self.list(ListKind::Other, visitor)
            }
            Tree::Raw(text) => TreeDecoder(&*opened(AskedForm::Map, text)?).plainly(visitor),
            _ => self.plainly(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        if let Tree::Raw(_) = self.0 {
            asked_for_value(AskedValue::Enum(variants));
        }
        match self.0 {
            Tree::Raw(text) if text.trim_ascii_start().starts_with('{') => {
                TreeDecoder(&*opened(AskedForm::Map, text)?)
                    .deserialize_enum(name, variants, visitor)
            }
            Tree::Raw(text) | Tree::Str(text) => {
                visitor.visit_enum(text.trim().into_deserializer())
            }
            Tree::Map(entries) if entries.len() == 1 => {
                let mut rest = Rest::new(None, 1);
                let entry = TreeEntries::new(entries, (false, false), &mut rest);
                visitor.visit_enum(MapAccessDeserializer::new(entry))
            }
            Tree::Map(_) => Err(de::Error::invalid_type(
                Unexpected::Map,
                &VariantName(variants),
            )),
            _ => self.plainly(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { unit unit_struct }
}
