//! A YAML document in memory: what is in it and how it is written. Only for documents with merge keys (`<<`), and for those that
//! write a variant as a map of one key; all others are decoded straight from the text.

use super::Syntax;
use crate::{
    document::{Dialect, Document, Lines, bad_merge, tree::TreeError},
    layer::serde_methods::deserializer_methods,
    problem::too_many,
};
use serde::{
    de::{
        self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IgnoredAny,
        IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
        value::{MapAccessDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use std::{collections::HashSet, fmt, mem};

/// The key whose value is merged into the map that it is in, as YAML 1.1 has it. Also in quotes: the parser does not report the quotes.
const MERGE: &str = "<<";

/// Whether the text may have merge keys.
pub(super) fn may_merge(text: &str) -> bool {
    text.contains(MERGE)
}

/// Whether the format's decoder failed because it takes a variant with content only as a tag.
pub(super) fn wants_a_tag(error: &serde_yaml::Error) -> bool {
    let text = error.to_string();
    text.contains("a YAML tag starting with '!'") || text.contains("deserializing nested enum in ")
}

/// What the format's decoder reports, and where. It has no place for a character that no document may contain.
pub(super) fn failure(text: &str, error: &serde_yaml::Error, quotes: bool) -> Syntax {
    let message = error.to_string();
    if message.starts_with(CONTROL) {
        let offset = text.find(is_forbidden);
        let at = offset.map(|offset| Lines::of(text).place(text, offset));
        return Syntax::new(&CONTROL, at, false);
    }
    let at = error.location().map(|at| (at.line(), at.column()));
    Syntax::new(&message, at, quotes)
}

const CONTROL: &str = "control characters are not allowed";

/// The characters that the parser refuses wherever they are.
fn is_forbidden(c: char) -> bool {
    let is_blank = matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    (c.is_control() && !is_blank) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Decodes a document from memory.
pub(super) fn decode<T: DeserializeOwned>(text: &str) -> Result<T, Syntax> {
    let value = read(text)?;
    T::deserialize(&value).map_err(|error| Syntax::new(&error, None, true))
}

fn read(text: &str) -> Result<Value, Syntax> {
    let failed = |error: serde_yaml::Error| failure(text, &error, false);
    let document = || serde_yaml::Deserializer::from_str(text);
    let mut value = Value::deserialize(document()).map_err(failed)?;
    Texts(&mut value).deserialize(document()).map_err(failed)?;
    value.merge().map_err(|wrong| {
        let document = Document::parse(Dialect::Yaml, text).ok();
        let at = document.and_then(|document| Some(document.start(bad_merge(&document)?)));
        Syntax::new(&wrong, at, false)
    })?;
    Ok(value)
}

enum Value {
    Null,
    Scalar(ScalarKind, String),
    Seq(Vec<Value>),
    Map(Pairs),
    Tagged(String, Box<Value>),
}

/// What a scalar is for a target that takes anything.
#[derive(Clone, Copy)]
enum ScalarKind {
    Bool(bool),
    U64(u64),
    I64(i64),
    U128(u128),
    I128(i128),
    F64(f64),
    Text,
}

impl Value {
    /// Puts the entries of merge keys into their maps.
    fn merge(&mut self) -> Result<(), &'static str> {
        match self {
            Value::Null | Value::Scalar(..) => {}
            Value::Tagged(_, inner) => inner.merge()?,
            Value::Seq(items) => items.iter_mut().try_for_each(Value::merge)?,
            Value::Map(entries) => {
                for (key, value) in entries.iter_mut() {
                    key.merge()?;
                    value.merge()?;
                }
                let mut keys = entries.iter().enumerate();
                if let Some((number, _)) = keys.find(|(_, (key, _))| key.text() == Some(MERGE)) {
                    if keys.any(|(_, (key, _))| key.text() == Some(MERGE)) {
                        return Err(
                            "the merge key `<<` is in this map twice; write one: `<<: [*a, *b]`",
                        );
                    }
                    *entries = put_in(mem::take(entries), number)?;
                }
            }
        }
        Ok(())
    }

    fn text(&self) -> Option<&str> {
        match self {
            Value::Scalar(_, text) => Some(text),
            _ => None,
        }
    }
}

type Pairs = Vec<(Value, Value)>;

/// Puts the entries of the merge key with this number where it is; those that the map has itself win.
fn put_in(own: Pairs, merge: usize) -> Result<Pairs, &'static str> {
    const NO_MAP: &str = "the merge key `<<` takes a map, or a list of maps";
    let mut known: HashSet<String> = own
        .iter()
        .filter_map(|(key, _)| key.text().map(str::to_owned))
        .collect();
    let mut entries = Vec::new();
    for (number, (key, value)) in own.into_iter().enumerate() {
        if number != merge {
            entries.push((key, value));
            continue;
        }
        let maps = match value {
            map @ Value::Map(_) => vec![map],
            Value::Seq(maps) => maps,
            _ => return Err(NO_MAP),
        };
        for map in maps {
            let Value::Map(merged) = map else {
                return Err(NO_MAP);
            };
            for (key, value) in merged {
                if key.text().is_none_or(|key| known.insert(key.to_owned())) {
                    entries.push((key, value));
                }
            }
        }
    }
    Ok(entries)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct AnyShape;
        macro_rules! scalars {
            ($($method:ident: $type:ty => $kind:ident;)*) => {$(
                fn $method<E>(self, value: $type) -> Result<Value, E> {
                    Ok(Value::Scalar(ScalarKind::$kind(value), String::new()))
                }
            )*};
        }
        impl<'de> Visitor<'de> for AnyShape {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            scalars! {
                visit_bool: bool => Bool;
                visit_u64: u64 => U64;
                visit_i64: i64 => I64;
                visit_u128: u128 => U128;
                visit_i128: i128 => I128;
                visit_f64: f64 => F64;
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Scalar(ScalarKind::Text, text.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Value::Seq(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Value::Map(entries))
            }
            fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
                let (tag, value) = tagged.variant()?;
                Ok(Value::Tagged(tag, Box::new(value.newtype_variant()?)))
            }
        }
        d.deserialize_any(AnyShape)
    }
}

/// Reads the document again and keeps how its scalars are written.
struct Texts<'v>(&'v mut Value);

impl<'de> DeserializeSeed<'de> for Texts<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match self.0 {
            Value::Null | Value::Scalar(ScalarKind::Text, _) => {
                d.deserialize_ignored_any(IgnoredAny).map(drop)
            }
            Value::Scalar(..) => d.deserialize_str(self),
            Value::Seq(_) => d.deserialize_seq(self),
            Value::Map(_) => d.deserialize_map(self),
            Value::Tagged(..) => d.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the same document")
    }
    fn visit_str<E>(self, written: &str) -> Result<(), E> {
        if let Value::Scalar(_, text) = self.0 {
            written.clone_into(text);
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if let Value::Seq(known) = self.0 {
            for item in known {
                items.next_element_seed(Texts(item))?;
            }
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if let Value::Map(known) = self.0 {
            for (key, value) in known {
                entries.next_key_seed(Texts(key))?;
                entries.next_value_seed(Texts(value))?;
            }
        }
        Ok(())
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let (_, content) = tagged.variant::<IgnoredAny>()?;
        match self.0 {
            Value::Tagged(_, inner) => content.newtype_variant_seed(Texts(inner)),
            _ => content.unit_variant(),
        }
    }
}

macro_rules! untagged {
    ($method:ident($($arg:ident: $type:ty),*)) => {
        fn $method<V: Visitor<'de>>(self, $(_: $type,)* visitor: V) -> Result<V::Value, TreeError> {
            self.untagged().deserialize_any(visitor)
        }
    };
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
            match self.untagged() {
                Value::Scalar(_, text) => visitor.visit_str(text),
                other => other.deserialize_any(visitor),
            }
        }
    )*};
}

macro_rules! floats {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
            match self.untagged() {
                Value::Scalar(ScalarKind::U64(_) | ScalarKind::I64(_) | ScalarKind::U128(_) | ScalarKind::I128(_), text) => {
                    match text.parse() {
                        Ok(number) => visitor.visit_f64(number),
                        Err(_) => visitor.visit_str(text),
                    }
                }
                other => other.deserialize_any(visitor),
            }
        }
    )*};
}

impl Value {
    /// A tag matters only to what takes anything, and to variants.
    fn untagged(&self) -> &Value {
        match self {
            Value::Tagged(_, inner) => inner.untagged(),
            value => value,
        }
    }
}

impl<'de> Deserializer<'de> for &Value {
    type Error = TreeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(kind, text) => match *kind {
                ScalarKind::Bool(value) => visitor.visit_bool(value),
                ScalarKind::U64(value) => visitor.visit_u64(value),
                ScalarKind::I64(value) => visitor.visit_i64(value),
                ScalarKind::U128(value) => visitor.visit_u128(value),
                ScalarKind::I128(value) => visitor.visit_i128(value),
                ScalarKind::F64(value) => visitor.visit_f64(value),
                ScalarKind::Text => visitor.visit_str(text),
            },
            Value::Seq(items) => {
                let mut rest = items.iter();
                let value = visitor.visit_seq(ItemsOf(&mut rest))?;
                match rest.len() {
                    0 => Ok(value),
                    surplus => Err(too_many(items.len(), items.len() - surplus)),
                }
            }
            Value::Map(entries) => visitor.visit_map(MapOf(entries.iter(), None)),
            Value::Tagged(tag, inner) => visitor.visit_enum(Variant(tag, inner)),
        }
    }

    deserializer_methods! { untagged: bool integers seq tuple tuple_struct map struct }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf }

    /// A key is its text, as it is to the fast decoder; of an empty one nothing else is known here.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self {
            Value::Null => visitor.visit_str("null"),
            key => key.deserialize_str(visitor),
        }
    }

    floats! { deserialize_f32 deserialize_f64 }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self {
            Value::Null => visitor.visit_none(),
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

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        match self {
            Value::Scalar(_, text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Value::Tagged(tag, inner) => visitor.visit_enum(Variant(tag, inner)),
            Value::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(MapOf(entries.iter(), None)))
            }
            Value::Map(_) => Err(de::Error::invalid_type(
                Unexpected::Map,
                &"a map with one key, the name of the variant",
            )),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { unit unit_struct }
}

struct ItemsOf<'i, 'v>(&'i mut std::slice::Iter<'v, Value>);

impl<'de> SeqAccess<'de> for ItemsOf<'_, '_> {
    type Error = TreeError;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let item = self.0.next();
        item.map(|item| seed.deserialize(item)).transpose()
    }
}

struct MapOf<'v>(std::slice::Iter<'v, (Value, Value)>, Option<&'v Value>);

impl<'de> MapAccess<'de> for MapOf<'_> {
    type Error = TreeError;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let Some((key, value)) = self.0.next() else {
            return Ok(None);
        };
        self.1 = Some(value);
        seed.deserialize(key).map(Some)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TreeError> {
        seed.deserialize(self.1.take().unwrap_or(&Value::Null))
    }
}

/// A variant that is written as a tag.
struct Variant<'v>(&'v str, &'v Value);

impl<'de, 'v> EnumAccess<'de> for Variant<'v> {
    type Error = TreeError;
    type Variant = &'v Value;
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), TreeError> {
        let tag: StrDeserializer<'_, TreeError> = self.0.into_deserializer();
        Ok((seed.deserialize(tag)?, self.1))
    }
}

impl<'de> VariantAccess<'de> for &Value {
    type Error = TreeError;
    fn unit_variant(self) -> Result<(), TreeError> {
        Deserialize::deserialize(self)
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, TreeError> {
        seed.deserialize(self)
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, TreeError> {
        self.deserialize_tuple(len, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        self.deserialize_struct("", fields, visitor)
    }
}
