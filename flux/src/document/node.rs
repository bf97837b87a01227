//! Decoding from a [`Tree`]: tracks the path for `problem::collect_errors`, and lets the target's type read raw text.

use crate::document::{
    raw,
    tree::{Tree, TreeError},
};
use crate::{
    layer::decode::numbered,
    problem::{DATE, Seg, TWICE, collect_errors},
};
use serde::{
    de::{
        self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
        Unexpected, Visitor, value::MapAccessDeserializer,
    },
    forward_to_deserialize_any,
};
use std::{cell::Cell, collections::HashSet, fmt};

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

/// What a list or a map is written as in a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskedForm {
    List,
    Map,
}

thread_local! {
    /// The form that the last text was read for.
    static ASKED: Cell<Option<AskedForm>> = const { Cell::new(None) };
    /// A map in the place of a list contains its items by their numbers.
    static BY_NUMBER: Cell<bool> = const { Cell::new(false) };
}

/// The form that `decode` reads its one text for: a list, a map, or neither.
pub(crate) fn asked_form(decode: impl FnOnce()) -> Option<AskedForm> {
    ASKED.set(None);
    decode();
    ASKED.take()
}

/// Runs `decode` with lists of sections accepted as maps of their items by number.
pub(crate) fn items_by_number<T>(decode: impl FnOnce() -> T) -> T {
    struct ByNumberEnd;
    impl Drop for ByNumberEnd {
        fn drop(&mut self) {
            BY_NUMBER.set(false);
        }
    }
    let _end = ByNumberEnd;
    BY_NUMBER.set(true);
    decode()
}

/// A decoder of a tree.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(pub(crate) &'a Tree);

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
                Tree::U64(n) if PLAIN_SCALARS.get() => visitor.visit_str(&n.to_string()),
                Tree::I64(n) if PLAIN_SCALARS.get() => visitor.visit_str(&n.to_string()),
                Tree::F64(n) if PLAIN_SCALARS.get() => visitor.visit_str(&n.to_string()),
                Tree::Bool(b) if PLAIN_SCALARS.get() => visitor.visit_str(&b.to_string()),
                _ => self.plainly(visitor),
            }
        }
    )*};
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

/// Text where a number of another width is wanted: what the target's type says of it must name what it is.
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

impl Node<'_> {
    /// The value as what it is in the tree.
    fn plainly<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(*value),
            Tree::I64(value) => visitor.visit_i64(*value),
            Tree::U64(value) => visitor.visit_u64(*value),
            Tree::F64(value) => visitor.visit_f64(*value),
            Tree::Str(text) => visitor.visit_str(text),
            Tree::Raw(text) => Node(&raw::guess(text)?).plainly(visitor),
            Tree::Seq(items) => {
                let mut rest = items.iter().enumerate();
                let value = visitor.visit_seq(TreeItems(&mut rest))?;
                match rest.len() {
                    0 => Ok(value),
                    surplus => Err(too_many(items.len(), items.len() - surplus)),
                }
            }
            Tree::Map(entries) => visitor.visit_map(Entries::new(entries, false)),
        }
    }
}

/// A list that is longer than its target, in the words of serde for one that is shorter.
#[cold]
pub(crate) fn too_many<E: de::Error>(found: usize, taken: usize) -> E {
    struct ItemCount(usize);
    impl Expected for ItemCount {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {
                1 => f.write_str("a list of 1 item"),
                items => write!(f, "a list of {items} items"),
            }
        }
    }
    E::invalid_length(found, &ItemCount(taken))
}

/// The date that a map of toml's decoder is.
fn date(entries: &[(String, Tree)]) -> Option<&str> {
    match entries {
        [(key, Tree::Str(text))] if key == DATE => Some(text),
        _ => None,
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = TreeError;

    /// What takes anything takes a date of TOML as text.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Map(entries) => match date(entries) {
                Some(date) => visitor.visit_str(date),
                None => {
                    no_key_twice(entries)?;
                    self.plainly(visitor)
                }
            },
            Tree::Raw(text) => Node(&raw::guess(text)?).deserialize_any(visitor),
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
            Tree::Raw(text) => match raw::bool(text) {
                Some(value) => visitor.visit_bool(value),
                None => visitor.visit_str(text),
            },
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
        match self.0 {
            Tree::Raw(text) => {
                ASKED.set(Some(AskedForm::List));
                Node(&raw::list(text)?).plainly(visitor)
            }
            Tree::Map(items) if BY_NUMBER.get() => {
                let by_number = true;
                numbered(|| visitor.visit_map(Entries::new(items, by_number)))
            }
            _ => self.plainly(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Raw(text) => {
                ASKED.set(Some(AskedForm::Map));
                Node(&raw::map(text)?).plainly(visitor)
            }
            _ => self.plainly(visitor),
        }
    }

    /// A struct that is a value may be written as the list of its fields.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Raw(text) if text.trim_ascii_start().starts_with('[') => {
                self.deserialize_seq(visitor)
            }
            Tree::Raw(text) => Node(&raw::map(text)?).plainly(visitor),
            _ => self.plainly(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        match self.0 {
            Tree::Raw(text) if text.trim_ascii_start().starts_with('{') => {
                Node(&raw::map(text)?).deserialize_enum(name, variants, visitor)
            }
            Tree::Raw(text) | Tree::Str(text) => {
                visitor.visit_enum(text.trim().into_deserializer())
            }
            Tree::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries::new(entries, false)))
            }
            Tree::Map(_) => Err(de::Error::invalid_type(
                Unexpected::Map,
                &"a map with one key, the name of the variant",
            )),
            _ => self.plainly(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { unit unit_struct }
}

struct TreeItems<'i, 'a>(&'i mut std::iter::Enumerate<std::slice::Iter<'a, Tree>>);

impl<'de> SeqAccess<'de> for TreeItems<'_, '_> {
    type Error = TreeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        collect_errors::enter(Seg::Index(index), None);
        let result = seed.deserialize(Node(item));
        collect_errors::leave(result.is_err(), false);
        result.map(Some)
    }
}

struct Entries<'a> {
    rest: std::slice::Iter<'a, (String, Tree)>,
    current: Option<&'a (String, Tree)>,
    /// They are items of a list, and the keys are their numbers.
    by_number: bool,
}

impl<'a> Entries<'a> {
    fn new(entries: &'a [(String, Tree)], by_number: bool) -> Self {
        Entries {
            rest: entries.iter(),
            current: None,
            by_number,
        }
    }

    /// Decodes a key. What is wrong with it is at the entry, as in a document.
    fn key<'de, S: DeserializeSeed<'de>>(
        &self,
        name: &str,
        key: Tree,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let result = seed.deserialize(Node(&key));
        if result.is_err() {
            at_key(name);
        }
        result.map(Some)
    }
}

/// An error is at this entry of the map.
#[cold]
fn at_key(name: &str) {
    collect_errors::enter(Seg::Key(name.to_owned().into()), None);
    collect_errors::leave(true, false);
}

/// What takes anything takes the last of two entries with one key, and nobody sees the first.
fn no_key_twice(entries: &[(String, Tree)]) -> Result<(), TreeError> {
    let mut keys = HashSet::new();
    match entries.iter().find(|(key, _)| !keys.insert(key)) {
        Some((key, _)) => {
            at_key(key);
            Err(TreeError(TWICE.to_owned()))
        }
        None => Ok(()),
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = TreeError;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        self.current = self.rest.next();
        match self.current {
            // A key is a string in every format; a map with other keys reads them out of the text, but never a list or a map.
            Some((key, _)) if key.starts_with(['[', '{']) => {
                self.key(key, Tree::Str(key.clone()), seed)
            }
            Some((key, _)) => self.key(key, Tree::Raw(key.clone()), seed),
            None => Ok(None),
        }
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TreeError> {
        let Some((key, value)) = self.current.take() else {
            return Err(TreeError("a value was asked for before its key".to_owned()));
        };
        let seg = match key.parse() {
            Ok(index) if self.by_number => Seg::Index(index),
            _ => Seg::Key(key.clone().into()),
        };
        collect_errors::enter(seg, None);
        let result = seed.deserialize(Node(value));
        collect_errors::leave(result.is_err(), false);
        result
    }
}
