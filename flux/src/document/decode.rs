//! Decoding from a document: every scalar is read from its source text exactly as the format's fast decoder reads it, so that what
//! that one accepts is accepted here.

use super::{
    Dialect, Document, NodeContent, NodeId, Pair, ResolvedKind, Scalar, ScalarStyle, tree::Error,
};
use crate::problem::{
    Seg,
    collect_errors::{self, Step},
};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor, value::StrDeserializer,
};
use std::{borrow::Cow, cell::Cell, collections::HashMap, fmt};

/// As deep as the fast decoders go.
const LEVELS: u8 = 128;

/// How many times its size a document may have with its aliases followed.
const ALIASED: usize = 64;

/// Which parts of lists and maps are decoded, where not all are.
pub(crate) type Parts = HashMap<NodeId, Part>;

#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// The parts with these numbers.
    Only(Vec<usize>),
    /// Those from this number on.
    From(usize),
}

/// A node that is decoded.
#[derive(Clone, Copy)]
pub(crate) struct NodeDecoder<'d> {
    document: &'d Document<'d>,
    id: NodeId,
    /// How many levels may follow.
    levels: u8,
    /// The tag chose a variant, whose content this is.
    tagged: bool,
    parts: &'d Parts,
    /// How many values may still be decoded.
    left: &'d Cell<usize>,
}

impl<'d> NodeDecoder<'d> {
    /// The outermost value, of which only these parts are decoded.
    pub(crate) fn new(document: &'d Document<'d>, parts: &'d Parts, left: &'d Cell<usize>) -> Self {
        NodeDecoder {
            document,
            id: document.root(),
            levels: LEVELS,
            tagged: false,
            parts,
            left,
        }
    }

    /// How many values are decoded of a document in all, so that aliases in each other come to an end.
    pub(crate) fn budget(document: &Document<'_>) -> Cell<usize> {
        Cell::new(
            document
                .len()
                .saturating_mul(ALIASED)
                .saturating_add(1 << 18),
        )
    }

    fn take(self) -> Result<(), Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or_default());
        match left {
            Some(_) => Ok(()),
            None => Err(Error("repetition limit exceeded".to_owned())),
        }
    }

    fn at(self, id: NodeId) -> Self {
        NodeDecoder {
            id,
            tagged: false,
            ..self
        }
    }

    fn deeper(self) -> Result<Self, Error> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(NodeDecoder { levels, ..self }),
            None => Err(Error("recursion limit exceeded".to_owned())),
        }
    }

    fn content(self) -> &'d NodeContent<'d> {
        &self.document.node(self.id).content
    }

    fn scalar(self) -> Option<&'d Scalar<'d>> {
        self.document.scalar(self.id)
    }

    fn is_yaml(self) -> bool {
        match self.document.dialect() {
            #[cfg(feature = "yaml")]
            Dialect::Yaml => true,
            _ => false,
        }
    }

    fn is_toml(self) -> bool {
        match self.document.dialect() {
            #[cfg(feature = "toml")]
            Dialect::Toml => true,
            _ => false,
        }
    }

    /// YAML's tag, unless it was followed already.
    fn tag(self) -> Option<&'d str> {
        let tag = self.document.node(self.id).tag.as_deref();
        tag.filter(|_| !self.tagged)
    }

    /// The variant that YAML's own tag names.
    fn variant(self) -> Option<&'d str> {
        let tag = self.tag()?;
        match tag.strip_prefix('!')? {
            "" => Some(tag),
            name => Some(name),
        }
    }

    /// A plain scalar with nothing in it.
    fn is_blank(self) -> bool {
        let blank =
            |scalar: &Scalar<'_>| scalar.style == ScalarStyle::Plain && scalar.text.is_empty();
        self.is_yaml() && self.scalar().is_some_and(blank)
    }

    /// The format's own reading of a value that takes any type.
    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.content() {
            NodeContent::Scalar(scalar) => match self.document.dialect() {
                #[cfg(feature = "json")]
                Dialect::Json => json::any(self.document.source(self.id), scalar, visitor),
                #[cfg(feature = "yaml")]
                Dialect::Yaml => yaml::any(scalar, self.tag(), visitor),
                #[cfg(feature = "toml")]
                Dialect::Toml => toml::any(scalar, visitor),
                // Trees have a decoder of their own.
                Dialect::Tree => visitor.visit_str(&scalar.text),
            },
            NodeContent::List(items) => self.list(items.into(), true, visitor),
            NodeContent::Map(entries) => self.map(entries, visitor),
            NodeContent::Alias(_) => Err(Error("an alias of an alias".to_owned())),
        }
    }

    /// `fixed` where the target may know how many items there are and what each of them is.
    fn list<'de, V: Visitor<'de>>(
        self,
        items: Cow<'d, [NodeId]>,
        fixed: bool,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let id = self.document.resolved(self.id);
        let length = items.len();
        let mut rest = Rest::new(self.parts.get(&id), length);
        let value = visitor.visit_seq(NodeItems {
            decoder: self.deeper()?,
            items,
            rest: &mut rest,
            fixed,
        })?;
        match rest.left() {
            0 => Ok(value),
            // toml's decoder passes over them.
            _ if self.is_toml() => Ok(value),
            left => Err(too_many(length, length - left)),
        }
    }

    fn map<'de, V: Visitor<'de>>(self, entries: &'d [Pair], visitor: V) -> Result<V::Value, Error> {
        let id = self.document.resolved(self.id);
        let mut rest = Rest::new(self.parts.get(&id), entries.len());
        let value = visitor.visit_map(NodeEntries {
            decoder: self.deeper()?,
            entries,
            rest: &mut rest,
            value: None,
        })?;
        match rest.left() {
            0 => Ok(value),
            _ if self.is_toml() => Ok(value),
            left => Err(too_many(entries.len(), entries.len() - left)),
        }
    }

    /// What is here instead of what the target takes.
    #[cold]
    fn unexpected(self, expected: &dyn Expected) -> Error {
        struct Nothing<'e>(&'e dyn Expected);
        enum Never {}
        impl Visitor<'_> for Nothing<'_> {
            type Value = Never;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        let error = match self.content() {
            NodeContent::List(_) => de::Error::invalid_type(Unexpected::Seq, expected),
            NodeContent::Map(_) => de::Error::invalid_type(Unexpected::Map, expected),
            _ => match self.any(Nothing(expected)) {
                Ok(never) => match never {},
                Err(error) => error,
            },
        };
        error
    }

    /// An integer that no type of 64 bits holds.
    fn is_wide(self) -> bool {
        let text = self.document.key(self.id);
        self.document.kind(self.id) == Some(ResolvedKind::Integer)
            && text.parse::<i64>().is_err()
            && text.parse::<u64>().is_err()
    }

    #[cold]
    fn wide(self, expected: &dyn Expected) -> Error {
        let found = format!("integer `{}`", self.document.key(self.id));
        de::Error::invalid_type(Unexpected::Other(&found), expected)
    }

    /// The text of a scalar that the target's type reads as a number or a bool; none in a format whose decoder hands over what it
    /// is, and where quotes or a tag say that it is none.
    #[cfg(feature = "yaml")]
    fn yaml_text(self, tag: &str) -> Option<&'d str> {
        let scalar = self.scalar().filter(|_| self.is_yaml())?;
        let takes = match scalar.style {
            ScalarStyle::Plain => true,
            ScalarStyle::Literal => self.tag() == Some(tag),
            _ => false,
        };
        takes.then_some(&*scalar.text)
    }
}

/// A list that is longer than its target, in the words of serde for one that is shorter.
#[cold]
fn too_many(found: usize, taken: usize) -> Error {
    struct Items(usize);
    impl Expected for Items {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {
                1 => f.write_str("a list of 1 item"),
                items => write!(f, "a list of {items} items"),
            }
        }
    }
    de::Error::invalid_length(found, &Items(taken))
}

macro_rules! numbers {
    ($($method:ident: $type:ty, $read:expr => $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            #[cfg(feature = "yaml")]
            if self.is_yaml() {
                let read: fn(&str) -> Option<$type> = $read;
                return match self.yaml_text(super::scalar::yaml::INT).and_then(read) {
                    Some(number) => visitor.$visit(number),
                    None => Err(self.unexpected(&visitor)),
                };
            }
            #[cfg(feature = "json")]
            if matches!(self.document.dialect(), Dialect::Json) {
                return match self.content() {
                    NodeContent::Scalar(_) if self.is_wide() => Err(self.wide(&visitor)),
                    NodeContent::Scalar(scalar) => {
                        let source = self.document.source(self.document.resolved(self.id));
                        json::with(source, scalar, visitor, |value, visitor| value.$method(visitor))
                    }
                    _ => Err(self.unexpected(&visitor)),
                };
            }
            self.any(visitor)
        }
    )*};
}

/// Integers of 128 bits, which serde_json reads from the text.
macro_rules! wide {
    ($($method:ident: $type:ty, $read:expr => $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            #[cfg(feature = "yaml")]
            if self.is_yaml() {
                let read: fn(&str) -> Option<$type> = $read;
                return match self.yaml_text(super::scalar::yaml::INT).and_then(read) {
                    Some(number) => visitor.$visit(number),
                    None => Err(self.unexpected(&visitor)),
                };
            }
            #[cfg(feature = "json")]
            if self.document.kind(self.id) == Some(ResolvedKind::Integer)
                && matches!(self.document.dialect(), Dialect::Json)
            {
                return match self.document.key(self.id).parse::<$type>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(Error("number out of range".to_owned())),
                };
            }
            self.any_scalar(visitor)
        }
    )*};
}

#[cfg(feature = "yaml")]
use super::scalar::yaml::{float, signed, unsigned};

impl<'de> Deserializer<'de> for NodeDecoder<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.variant() {
            Some(tag) => visitor.visit_enum(Tagged { tag, content: self }),
            None => self.any(visitor),
        }
    }

    numbers! {
        deserialize_i8: i64, |text| signed(text, i64::from_str_radix) => visit_i64;
        deserialize_i16: i64, |text| signed(text, i64::from_str_radix) => visit_i64;
        deserialize_i32: i64, |text| signed(text, i64::from_str_radix) => visit_i64;
        deserialize_i64: i64, |text| signed(text, i64::from_str_radix) => visit_i64;
        deserialize_u8: u64, |text| unsigned(text, u64::from_str_radix) => visit_u64;
        deserialize_u16: u64, |text| unsigned(text, u64::from_str_radix) => visit_u64;
        deserialize_u32: u64, |text| unsigned(text, u64::from_str_radix) => visit_u64;
        deserialize_u64: u64, |text| unsigned(text, u64::from_str_radix) => visit_u64;
    }

    wide! {
        deserialize_i128: i128, |text| signed(text, i128::from_str_radix) => visit_i128;
        deserialize_u128: u128, |text| unsigned(text, u128::from_str_radix) => visit_u128;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        #[cfg(feature = "yaml")]
        if self.is_yaml() {
            return match self.yaml_text(super::scalar::yaml::FLOAT).and_then(float) {
                Some(number) => visitor.visit_f64(number),
                None => Err(self.unexpected(&visitor)),
            };
        }
        #[cfg(feature = "json")]
        if let (Dialect::Json, NodeContent::Scalar(scalar)) =
            (self.document.dialect(), self.content())
        {
            let source = self.document.source(self.document.resolved(self.id));
            return json::with(source, scalar, visitor, |value, visitor| {
                value.deserialize_f64(visitor)
            });
        }
        self.any_scalar(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        #[cfg(feature = "yaml")]
        if self.is_yaml() {
            let text = self.yaml_text(super::scalar::yaml::BOOL);
            return match text.and_then(super::scalar::yaml::bool) {
                Some(value) => visitor.visit_bool(value),
                None => Err(self.unexpected(&visitor)),
            };
        }
        self.any_of(ResolvedKind::Bool, visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar() {
            _ if self.is_toml() => self.any(visitor),
            Some(scalar) if self.is_yaml() => visitor.visit_str(&scalar.text),
            Some(scalar) if scalar.style == ScalarStyle::Quoted => self.any(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_yaml() {
            return Err(Error(
                "serialization and deserialization of bytes in YAML is not implemented".to_owned(),
            ));
        }
        match self.content() {
            _ if self.is_toml() => self.any(visitor),
            NodeContent::Scalar(scalar) if scalar.style == ScalarStyle::Quoted => {
                visitor.visit_bytes(scalar.text.as_bytes())
            }
            NodeContent::List(items) => self.list(items.into(), true, visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        #[cfg(feature = "yaml")]
        if self.is_yaml() {
            use super::scalar::yaml::{NULL, is_nothing, is_null};
            let plain = self
                .scalar()
                .filter(|scalar| scalar.style == ScalarStyle::Plain);
            let is_none = match (plain, self.tag()) {
                (Some(scalar), Some(NULL)) if is_null(&scalar.text) => true,
                (Some(scalar), Some(NULL)) => {
                    let found = Unexpected::Str(&scalar.text);
                    return Err(de::Error::invalid_value(found, &"null"));
                }
                (Some(scalar), None) => is_nothing(&scalar.text),
                _ => false,
            };
            return match is_none {
                true => visitor.visit_none(),
                false => visitor.visit_some(self),
            };
        }
        match self.scalar() {
            Some(scalar)
                if scalar.style == ScalarStyle::Plain
                    && scalar.text == "null"
                    && !self.is_toml() =>
            {
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        #[cfg(feature = "yaml")]
        if let (true, Some(scalar)) = (self.is_yaml(), self.scalar()) {
            use super::scalar::yaml::{NULL, is_nothing, is_null};
            let is_null = scalar.style == ScalarStyle::Plain
                && match self.tag() {
                    Some(tag) => tag == NULL && is_null(&scalar.text),
                    None => is_nothing(&scalar.text),
                };
            return match is_null {
                true => visitor.visit_unit(),
                false => {
                    let found = Unexpected::Str(&scalar.text);
                    Err(de::Error::invalid_value(found, &"null"))
                }
            };
        }
        self.any_of(ResolvedKind::Null, visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        #[cfg(feature = "json")]
        if matches!(self.document.dialect(), Dialect::Json) && name == json::RAW {
            // serde_json's `RawValue` takes the text as it is.
            let source = self.document.source(self.document.resolved(self.id));
            let entry = std::iter::once((json::RAW, source));
            return visitor.visit_map(de::value::MapDeserializer::new(entry));
        }
        let _ = name;
        match self.is_yaml() {
            true => visitor.visit_newtype_struct(self.deeper()?),
            false => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.items(false, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.items(true, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.items(true, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.content() {
            NodeContent::Map(entries) => self.map(entries, visitor),
            _ if self.is_blank() => self.map(&[], visitor),
            _ if self.is_toml() => self.any(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        #[cfg(feature = "toml")]
        if self.is_toml() && name == toml::SPANNED {
            return visitor.visit_map(toml::SpannedAccess {
                decoder: self,
                next: 0,
            });
        }
        let _ = name;
        match self.content() {
            NodeContent::List(items) if !self.is_yaml() => self.list(items.into(), true, visitor),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.is_yaml() {
            return self.yaml_enum(name, visitor);
        }
        match self.content() {
            NodeContent::Scalar(scalar) if scalar.style == ScalarStyle::Quoted => {
                let name: StrDeserializer<'_, Error> = scalar.text.as_ref().into_deserializer();
                visitor.visit_enum(name)
            }
            NodeContent::Map(entries) => match entries.as_slice() {
                [entry] => visitor.visit_enum(OneEntry {
                    decoder: self.deeper()?,
                    entry: *entry,
                }),
                entries => Err(Error(format!(
                    "a variant is a map with one key, its name; here are {}",
                    entries.len()
                ))),
            },
            _ => Err(self.unexpected(&"the name of a variant, or a map with one key")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.is_toml() {
            true => self.any(visitor),
            false => visitor.visit_unit(),
        }
    }
}

impl NodeDecoder<'_> {
    /// A value for a target that takes one kind of scalar. toml's decoder hands over what it has, and the others do not.
    fn any_of<'de, V: Visitor<'de>>(
        self,
        kind: ResolvedKind,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.is_toml() || self.document.kind(self.id) == Some(kind) {
            true => self.any(visitor),
            false => Err(self.unexpected(&visitor)),
        }
    }

    /// A value for a target that takes a scalar.
    fn any_scalar<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.content() {
            NodeContent::Scalar(_) => self.any(visitor),
            _ if self.is_toml() => self.any(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn items<'de, V: Visitor<'de>>(self, fixed: bool, visitor: V) -> Result<V::Value, Error> {
        match self.content() {
            NodeContent::List(items) => self.list(items.into(), fixed, visitor),
            _ if self.is_blank() => self.list(Cow::Borrowed(&[]), fixed, visitor),
            _ if self.is_toml() => self.any(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn yaml_enum<'de, V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let scalar = self.scalar();
        if self.tagged {
            return match scalar {
                Some(scalar) if !scalar.text.is_empty() => visitor.visit_enum(Unit(self)),
                _ => Err(Error(format!(
                    "deserializing nested enum in {name} from YAML is not supported yet"
                ))),
            };
        }
        match self.variant() {
            Some(tag) => visitor.visit_enum(Tagged { tag, content: self }),
            None if scalar.is_some() => visitor.visit_enum(Unit(self)),
            None => Err(self.unexpected(&"a YAML tag starting with '!'")),
        }
    }
}

/// The parts of a list or map that are still to be decoded.
struct Rest<'d> {
    next: usize,
    end: usize,
    only: Option<&'d [usize]>,
}

impl<'d> Rest<'d> {
    fn new(part: Option<&'d Part>, end: usize) -> Self {
        match part {
            None => Rest {
                next: 0,
                end,
                only: None,
            },
            Some(Part::From(next)) => Rest {
                next: *next,
                end,
                only: None,
            },
            Some(Part::Only(only)) => Rest {
                next: 0,
                end: only.len(),
                only: Some(only),
            },
        }
    }

    fn take(&mut self) -> Option<usize> {
        let next = (self.next < self.end).then_some(self.next)?;
        self.next += 1;
        match self.only {
            Some(only) => only.get(next).copied(),
            None => Some(next),
        }
    }

    fn left(&self) -> usize {
        self.end.saturating_sub(self.next)
    }
}

struct NodeItems<'r, 'd> {
    decoder: NodeDecoder<'d>,
    items: Cow<'d, [NodeId]>,
    rest: &'r mut Rest<'d>,
    fixed: bool,
}

impl<'de> SeqAccess<'de> for NodeItems<'_, '_> {
    type Error = Error;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(index) = self.rest.take() else {
            return Ok(None);
        };
        let Some(item) = self.items.get(index) else {
            return Ok(None);
        };
        self.decoder.take()?;
        let step = self.decoder.step(*item, index, self.fixed);
        collect_errors::enter(Seg::Index(index), Some(step));
        let result = seed.deserialize(self.decoder.at(*item));
        collect_errors::leave(result.is_err(), true);
        result.map(Some)
    }
}

struct NodeEntries<'r, 'd> {
    decoder: NodeDecoder<'d>,
    entries: &'d [Pair],
    rest: &'r mut Rest<'d>,
    value: Option<(usize, Pair)>,
}

impl<'d> NodeDecoder<'d> {
    fn step(self, node: NodeId, index: usize, fixed: bool) -> Step {
        Step {
            node: node.number(),
            index,
            fixed,
        }
    }

    fn seg(self, key: NodeId) -> Seg {
        Seg::Key(self.document.key(key).to_owned().into())
    }

    /// Decodes the key of an entry.
    fn key<'de, S: DeserializeSeed<'de>>(
        self,
        key: NodeId,
        index: usize,
        seed: S,
    ) -> Result<S::Value, Error> {
        let decoder = self.at(key);
        let result = match self.document.dialect() {
            #[cfg(feature = "yaml")]
            Dialect::Yaml => seed.deserialize(decoder),
            _ => seed.deserialize(KeyDecoder(decoder)),
        };
        if result.is_err() {
            collect_errors::enter(self.seg(key), Some(self.step(key, index, false)));
            collect_errors::leave(true, true);
        }
        result
    }
}

impl<'de> MapAccess<'de> for NodeEntries<'_, '_> {
    type Error = Error;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(index) = self.rest.take() else {
            return Ok(None);
        };
        let Some(entry) = self.entries.get(index) else {
            return Ok(None);
        };
        self.value = Some((index, *entry));
        self.decoder.key(entry.key, index, seed).map(Some)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((index, entry)) = self.value.take() else {
            return Err(Error("a value was asked for before its key".to_owned()));
        };
        self.decoder.take()?;
        let step = self.decoder.step(entry.value, index, false);
        collect_errors::enter(self.decoder.seg(entry.key), Some(step));
        let result = seed.deserialize(self.decoder.at(entry.value));
        collect_errors::leave(result.is_err(), true);
        result
    }
}

/// A variant that a map of one entry names.
struct OneEntry<'d> {
    decoder: NodeDecoder<'d>,
    entry: Pair,
}

impl<'de, 'd> EnumAccess<'de> for OneEntry<'d> {
    type Error = Error;
    type Variant = Self;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name = self.decoder.key(self.entry.key, 0, seed)?;
        Ok((name, self))
    }
}

impl OneEntry<'_> {
    fn within<T>(
        self,
        decode: impl FnOnce(NodeDecoder<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let step = self.decoder.step(self.entry.value, 0, true);
        collect_errors::enter(self.decoder.seg(self.entry.key), Some(step));
        let result = decode(self.decoder.at(self.entry.value));
        collect_errors::leave(result.is_err(), true);
        result
    }
}

impl<'de> VariantAccess<'de> for OneEntry<'_> {
    type Error = Error;
    fn unit_variant(self) -> Result<(), Error> {
        self.within(|content| match content.content() {
            // toml's decoder takes what is empty.
            NodeContent::List(items) if content.is_toml() && items.is_empty() => Ok(()),
            NodeContent::Map(entries) if content.is_toml() && entries.is_empty() => Ok(()),
            _ => de::Deserialize::deserialize(content),
        })
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        self.within(|content| seed.deserialize(content))
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.within(|content| {
            if !content.is_toml() {
                return content.items(true, visitor);
            }
            // toml's decoder takes a table with the keys 0, 1 and so on.
            let document = content.document;
            let items: Cow<'_, [NodeId]> = match content.content() {
                NodeContent::List(items) => items.into(),
                NodeContent::Map(entries) => {
                    let mut keys = entries
                        .iter()
                        .map(|entry| document.key(entry.key))
                        .enumerate();
                    if !keys.all(|(index, key)| key.parse() == Ok(index)) {
                        return Err(Error("expected the keys 0, 1 and so on".to_owned()));
                    }
                    entries.iter().map(|entry| entry.value).collect()
                }
                _ => return Err(content.unexpected(&visitor)),
            };
            match items.len() == len {
                true => content.list(items, true, visitor),
                false => Err(Error(format!("expected tuple with length {len}"))),
            }
        })
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.within(|content| {
            if content.is_toml() {
                let document = content.document;
                let keys = document.entries(content.id).iter();
                let mut keys = keys.map(|entry| document.key(entry.key));
                if let Some(key) = keys.find(|key| !fields.contains(key)) {
                    let known = fields.join(", ");
                    return Err(Error(format!(
                        "unexpected keys in table: {key}, available keys: {known}"
                    )));
                }
            }
            content.deserialize_struct("", fields, visitor)
        })
    }
}

/// A variant that YAML's tag names.
struct Tagged<'d> {
    tag: &'d str,
    content: NodeDecoder<'d>,
}

impl<'de, 'd> EnumAccess<'de> for Tagged<'d> {
    type Error = Error;
    type Variant = Content<'d>;
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'d>), Error> {
        let name: StrDeserializer<'_, Error> = self.tag.into_deserializer();
        let content = NodeDecoder {
            tagged: true,
            ..self.content
        };
        Ok((seed.deserialize(name)?, Content(content)))
    }
}

/// What follows a tag.
struct Content<'d>(NodeDecoder<'d>);

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Error;
    fn unit_variant(self) -> Result<(), Error> {
        de::Deserialize::deserialize(self.0)
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.0)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.items(true, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_struct("", fields, visitor)
    }
}

/// A variant that a scalar of YAML names.
struct Unit<'d>(NodeDecoder<'d>);

impl<'de, 'd> EnumAccess<'de> for Unit<'d> {
    type Error = Error;
    type Variant = Self;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name = NodeDecoder {
            tagged: false,
            ..self.0
        };
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Unit<'_> {
    type Error = Error;
    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Error> {
        Err(de::Error::invalid_type(
            Unexpected::UnitVariant,
            &"newtype variant",
        ))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(de::Error::invalid_type(
            Unexpected::UnitVariant,
            &"tuple variant",
        ))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(de::Error::invalid_type(
            Unexpected::UnitVariant,
            &"struct variant",
        ))
    }
}

/// A key of JSON or TOML: a text, that a map with other keys reads.
#[derive(Clone, Copy)]
struct KeyDecoder<'d>(NodeDecoder<'d>);

impl<'d> KeyDecoder<'d> {
    fn text(self) -> &'d str {
        self.0.document.key(self.0.id)
    }

    /// The key as a number or a bool, as Rust reads it, where it is written as the format's decoder takes it.
    fn parsed<T: std::str::FromStr>(self) -> Option<T> {
        let text = self.text();
        let json = !self.0.is_toml();
        // serde_json reads a number of its own grammar in the quotes, without escapes.
        let refused = text.starts_with(['+', '.'])
            || text.ends_with('.')
            || text.starts_with("0")
                && text.len() > 1
                && !text.starts_with("0.")
                && !text.starts_with("0e")
            || self.0.document.source(self.0.id).contains('\\');
        match json && refused {
            true => None,
            false => text.parse().ok(),
        }
    }
}

macro_rules! parsed_keys {
    ($($method:ident => $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.parsed() {
                Some(value) => visitor.$visit(value),
                None => visitor.visit_str(self.text()),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyDecoder<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text())
    }

    parsed_keys! {
        deserialize_bool => visit_bool;
        deserialize_i8 => visit_i8;
        deserialize_i16 => visit_i16;
        deserialize_i32 => visit_i32;
        deserialize_i64 => visit_i64;
        deserialize_i128 => visit_i128;
        deserialize_u8 => visit_u8;
        deserialize_u16 => visit_u16;
        deserialize_u32 => visit_u32;
        deserialize_u64 => visit_u64;
        deserialize_u128 => visit_u128;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.parsed().filter(|_| !self.0.is_toml()) {
            Some(value) => visitor.visit_f64(value),
            None => visitor.visit_str(self.text()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.is_toml() {
            true => self.deserialize_any(visitor),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.is_toml() {
            true => self.deserialize_any(visitor),
            false => visitor.visit_bytes(self.text().as_bytes()),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name: StrDeserializer<'_, Error> = self.text().into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        #[cfg(feature = "toml")]
        if self.0.is_toml() && name == toml::SPANNED {
            return visitor.visit_map(toml::SpannedAccess {
                decoder: self.0,
                next: 0,
            });
        }
        let _ = name;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        char str string seq map unit ignored_any unit_struct tuple_struct tuple identifier
    }
}

#[cfg(feature = "json")]
mod json {
    use super::{Error, Scalar, ScalarStyle, Visitor};
    use serde::de;

    /// The name by which serde_json knows its `RawValue`.
    pub(super) const RAW: &str = "$serde_json::private::RawValue";

    /// A scalar as serde_json reads it.
    pub(super) fn any<'de, V: Visitor<'de>>(
        source: &str,
        scalar: &Scalar<'_>,
        visitor: V,
    ) -> Result<V::Value, Error> {
        with(source, scalar, visitor, |value, visitor| {
            de::Deserializer::deserialize_any(value, visitor)
        })
    }

    pub(super) fn with<'de, V: Visitor<'de>>(
        source: &str,
        scalar: &Scalar<'_>,
        visitor: V,
        decode: impl FnOnce(serde_json::Value, V) -> serde_json::Result<V::Value>,
    ) -> Result<V::Value, Error> {
        let value = match scalar.style {
            // An escape may be half a pair, which serde_json refuses.
            ScalarStyle::Quoted if !source.contains('\\') => Ok(scalar.text.as_ref().into()),
            _ => serde_json::from_str(source),
        };
        let value = value.and_then(|value| decode(value, visitor));
        value.map_err(|error| Error(error.to_string()))
    }
}

#[cfg(feature = "yaml")]
mod yaml {
    use super::{Error, Scalar, ScalarStyle, Unexpected, Visitor, de};
    use crate::document::scalar::yaml::{
        BOOL, FLOAT, INT, Integer, NULL, bool, float, integer, is_digits_but_no_number, is_nothing,
        is_null,
    };

    /// A scalar without a tag that names a variant.
    pub(super) fn any<'de, V: Visitor<'de>>(
        scalar: &Scalar<'_>,
        tag: Option<&str>,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text = scalar.text.as_ref();
        let no = |what: &'static str| de::Error::invalid_value(Unexpected::Str(text), &what);
        match tag {
            Some(BOOL) => match bool(text) {
                Some(value) => visitor.visit_bool(value),
                None => Err(no("a boolean")),
            },
            Some(INT) => match integer(text) {
                Some(number) => visit(number, visitor),
                None => Err(no("an integer")),
            },
            Some(FLOAT) => match float(text) {
                Some(number) => visitor.visit_f64(number),
                None => Err(no("a float")),
            },
            Some(NULL) => match is_null(text) {
                true => visitor.visit_unit(),
                false => Err(no("null")),
            },
            Some(tag) if !tag.starts_with('!') => visitor.visit_str(text),
            _ if scalar.style != ScalarStyle::Plain => visitor.visit_str(text),
            _ => untagged(text, visitor),
        }
    }

    fn untagged<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
        if is_nothing(text) {
            return visitor.visit_unit();
        }
        if let Some(value) = bool(text) {
            return visitor.visit_bool(value);
        }
        if let Some(number) = integer(text) {
            return visit(number, visitor);
        }
        match float(text).filter(|_| !is_digits_but_no_number(text)) {
            Some(number) => visitor.visit_f64(number),
            None => visitor.visit_str(text),
        }
    }

    fn visit<'de, V: Visitor<'de>>(number: Integer, visitor: V) -> Result<V::Value, Error> {
        match number {
            Integer::U64(number) => visitor.visit_u64(number),
            Integer::I64(number) => visitor.visit_i64(number),
            Integer::U128(number) => visitor.visit_u128(number),
            Integer::I128(number) => visitor.visit_i128(number),
        }
    }
}

#[cfg(feature = "toml")]
mod toml {
    use super::{Error, NodeDecoder, Scalar, ScalarStyle, Visitor};
    use crate::problem::DATE;
    use serde::de::{
        DeserializeSeed, IntoDeserializer, MapAccess,
        value::{BorrowedStrDeserializer, MapDeserializer},
    };

    /// The name by which toml knows its `Spanned`, and the names of its fields.
    pub(super) const SPANNED: &str = "$__serde_spanned_private_Spanned";
    const FIELDS: [&str; 3] = [
        "$__serde_spanned_private_start",
        "$__serde_spanned_private_end",
        "$__serde_spanned_private_value",
    ];

    pub(super) fn any<'de, V: Visitor<'de>>(
        scalar: &Scalar<'_>,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text = scalar.text.as_ref();
        if scalar.style == ScalarStyle::Quoted {
            return visitor.visit_str(text);
        }
        match text {
            "true" => return visitor.visit_bool(true),
            "false" => return visitor.visit_bool(false),
            _ => {}
        }
        if let Ok(date) = text.parse::<::toml::value::Datetime>() {
            let entry = std::iter::once((DATE, date.to_string()));
            return visitor.visit_map(MapDeserializer::<_, Error>::new(entry));
        }
        number(&text.replace('_', ""), visitor)
    }

    fn number<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Error> {
        let (sign, digits) = match text.as_bytes().first() {
            Some(b'-') => ("-", &text[1..]),
            Some(b'+') => ("", &text[1..]),
            _ => ("", text),
        };
        let base = match digits.get(..2) {
            Some("0x") => 16,
            Some("0o") => 8,
            Some("0b") => 2,
            _ => 10,
        };
        let bare = if base == 10 { digits } else { &digits[2..] };
        if base != 10 || digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let signed = format!("{sign}{bare}");
            if let Ok(number) = i64::from_str_radix(&signed, base) {
                return visitor.visit_i64(number);
            }
            if let Ok(number) = u64::from_str_radix(&signed, base) {
                return visitor.visit_u64(number);
            }
            if let Ok(number) = i128::from_str_radix(&signed, base) {
                return visitor.visit_i128(number);
            }
            return match u128::from_str_radix(&signed, base) {
                Ok(number) => visitor.visit_u128(number),
                Err(_) => Err(Error("integer number overflowed".to_owned())),
            };
        }
        match format!("{sign}{digits}").parse::<f64>() {
            Ok(number) if number.is_finite() || digits == "inf" || digits == "nan" => {
                visitor.visit_f64(number)
            }
            _ => Err(Error("floating-point number overflowed".to_owned())),
        }
    }

    /// The fields of `Spanned`.
    pub(super) struct SpannedAccess<'d> {
        pub(super) decoder: NodeDecoder<'d>,
        pub(super) next: usize,
    }

    impl<'de> MapAccess<'de> for SpannedAccess<'_> {
        type Error = Error;
        fn next_key_seed<S: DeserializeSeed<'de>>(
            &mut self,
            seed: S,
        ) -> Result<Option<S::Value>, Error> {
            let Some(name) = FIELDS.get(self.next) else {
                return Ok(None);
            };
            self.next += 1;
            let name = BorrowedStrDeserializer::<Error>::new(name);
            seed.deserialize(name).map(Some)
        }
        fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
            let NodeDecoder { document, id, .. } = self.decoder;
            let span = &document.node(id).span;
            let at = match self.next {
                1 => span.start,
                2 => span.end,
                _ => return seed.deserialize(self.decoder),
            };
            let at: serde::de::value::UsizeDeserializer<Error> = at.into_deserializer();
            seed.deserialize(at)
        }
    }
}
