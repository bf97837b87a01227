//! Decodes from a document's nodes, exactly as the format's fast decoder reads each scalar, so that what that one accepts is
//! accepted here; how deep, and how often through aliases.

mod access;
mod date;
mod deserializer;
#[cfg(feature = "json")]
mod json;
mod key;
mod parts;
mod reading;
mod scalar;
#[cfg(feature = "toml")]
mod toml;
mod tree;
mod tree_access;
mod variant;
#[cfg(feature = "yaml")]
mod yaml;

pub(crate) use parts::ChosenPart;
pub(crate) use reading::{
    AskedForm, AskedValue, asked_form, asked_value, items_by_number, with_parts,
    with_plain_scalars, with_texts_read_once,
};
pub(crate) use tree::TreeDecoder;

use access::{NodeEntries, NodeItems};
use parts::{ListKind, Rest};
use scalar::ScalarValue;

use super::{
    Dialect, Document, DocumentScalar, NodeContent, NodeId, Pair, ResolvedKind, ScalarStyle,
    tree::TreeError,
};
use crate::problem::{LONGEST, shortened, too_many};
use serde::de::{self, Expected, Unexpected, Visitor};
use std::{borrow::Cow, cell::Cell, collections::HashMap, fmt};

/// As deep as the fast decoders go.
const LEVELS: u8 = 128;

/// How many times its size a document may have with its aliases followed.
const ALIASED: usize = 64;

/// Which parts of lists and maps are decoded, where not all are.
pub(crate) type ChosenParts = HashMap<NodeId, ChosenPart>;

/// A node that is decoded.
#[derive(Clone, Copy)]
pub(crate) struct NodeDecoder<'d> {
    document: &'d Document<'d>,
    id: NodeId,
    /// How many levels may follow.
    levels: u8,
    /// The tag chose a variant, whose content this is.
    tagged: bool,
    /// Whatever the tag is, the value is read.
    #[cfg_attr(
        not(feature = "yaml"),
        allow(dead_code, reason = "YAML alone has tags")
    )]
    takes_any_tag: bool,
    /// It is the one entry of the map that toml's decoder makes of a date, and the text of the date.
    #[cfg(feature = "toml")]
    is_date: bool,
    parts: &'d ChosenParts,
    /// How many values may still be decoded.
    left: &'d Cell<usize>,
}

impl<'d> NodeDecoder<'d> {
    /// The outermost value, of which only these parts are decoded.
    pub(crate) fn new(
        document: &'d Document<'d>,
        parts: &'d ChosenParts,
        left: &'d Cell<usize>,
    ) -> Self {
        NodeDecoder {
            document,
            id: document.root(),
            levels: LEVELS,
            tagged: false,
            takes_any_tag: false,
            #[cfg(feature = "toml")]
            is_date: false,
            parts,
            left,
        }
    }

    /// For a target that is no type of the program: what does not fit its tag is read all the same.
    #[cfg(feature = "yaml")]
    pub(crate) fn with_any_tag(self) -> Self {
        NodeDecoder {
            takes_any_tag: true,
            ..self
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

    fn take(self) -> Result<(), TreeError> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or_default());
        match left {
            Some(_) => Ok(()),
            None => Err(TreeError("repetition limit exceeded".to_owned())),
        }
    }

    fn at(self, id: NodeId) -> Self {
        NodeDecoder {
            id,
            tagged: false,
            ..self
        }
    }

    fn deeper(self) -> Result<Self, TreeError> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(NodeDecoder { levels, ..self }),
            None => Err(TreeError("recursion limit exceeded".to_owned())),
        }
    }

    fn content(self) -> &'d NodeContent<'d> {
        &self.document.node(self.id).content
    }

    fn scalar(self) -> Option<&'d DocumentScalar<'d>> {
        self.document.scalar(self.id)
    }

    fn is_yaml(self) -> bool {
        match self.document.dialect() {
            #[cfg(feature = "yaml")]
            Dialect::Yaml => true,
            _ => false,
        }
    }

    /// Whether the text of a value is JSON.
    #[cfg(feature = "json")]
    fn takes_raw(self) -> bool {
        match self.document.dialect() {
            Dialect::Json => true,
            #[cfg(feature = "jsonc")]
            Dialect::Jsonc => true,
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

    /// Refuses a value with a tag, for a target that is no enum.
    fn without_tag(self) -> Result<(), TreeError> {
        #[cfg(feature = "yaml")]
        if let Some(tag) = self.tag().filter(|_| !self.takes_any_tag) {
            return Err(yaml::refused(self.content(), tag));
        }
        Ok(())
    }

    /// The variant that a tag of the document's own names.
    fn variant(self) -> Option<&'d str> {
        let tag = self.tag()?;
        match tag.strip_prefix('!')? {
            "" => Some(tag),
            name => Some(name),
        }
    }

    /// Nothing at all is behind the tag of a variant: null to what takes null, and to a list or a map one without anything in it.
    fn is_left_out(self) -> bool {
        let is_nothing = |scalar: &DocumentScalar<'_>| {
            scalar.style == ScalarStyle::Plain && scalar.text.is_empty()
        };
        self.tagged && self.scalar().is_some_and(is_nothing)
    }

    /// Refuses a key with a tag: no other format has such keys, and paths have none.
    #[cfg(feature = "yaml")]
    fn without_tag_in_key(self) -> Result<(), TreeError> {
        match self.tag().filter(|_| !self.takes_any_tag) {
            Some(tag) => Err(yaml::refused_key(self.content(), tag)),
            None => Ok(()),
        }
    }

    /// YAML's null, which is no text here.
    #[cfg(feature = "yaml")]
    fn is_null(self) -> bool {
        use super::scalar::yaml::is_nothing;
        let plain = |scalar: &&DocumentScalar<'_>| scalar.style == ScalarStyle::Plain;
        let scalar = self.scalar().filter(plain).filter(|_| self.is_yaml());
        self.tag().is_none() && scalar.is_some_and(|scalar| is_nothing(&scalar.text))
    }

    #[cfg(not(feature = "yaml"))]
    fn is_null(self) -> bool {
        false
    }

    /// The format's own reading of a value that takes any type.
    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.content() {
            NodeContent::Scalar(scalar) => match self.read(scalar)? {
                #[cfg(feature = "toml")]
                ScalarValue::Date(date) if self.is_date => visitor.visit_string(date),
                // Of the type of every other map, so that no target is compiled once more for dates alone.
                #[cfg(feature = "toml")]
                ScalarValue::Date(_) => visitor.visit_map(NodeEntries {
                    decoder: NodeDecoder {
                        is_date: true,
                        ..self
                    },
                    entries: &[],
                    rest: &mut Rest::new(None, 1),
                    value: None,
                    alike: false,
                }),
                value => match self.document.dialect() {
                    #[cfg(feature = "json")]
                    dialect if dialect.is_json() => json::visit(value, visitor),
                    _ => value.visit(visitor),
                },
            },
            NodeContent::List(items) => self.list(items.into(), ListKind::Other, visitor),
            NodeContent::Map(entries) => self.map(entries, false, visitor),
            NodeContent::Alias(_) => Err(TreeError("an alias of an alias".to_owned())),
        }
    }

    /// What toml's decoder refuses even where nobody reads the value.
    fn passed_over(self) -> Result<(), TreeError> {
        match self.any(de::IgnoredAny) {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn read(self, scalar: &'d DocumentScalar<'_>) -> Result<ScalarValue<'d>, TreeError> {
        match self.document.dialect() {
            #[cfg(feature = "json")]
            Dialect::Json => json::read(self.document.source(self.id), scalar),
            #[cfg(feature = "jsonc")]
            Dialect::Jsonc => json::read(self.document.source(self.id), scalar),
            #[cfg(feature = "json5")]
            Dialect::Json5 => json::read_json5(scalar),
            #[cfg(feature = "yaml")]
            Dialect::Yaml => Ok(yaml::read(scalar, self.tag())),
            #[cfg(feature = "toml")]
            Dialect::Toml => toml::read(scalar),
            // Trees have a decoder of their own.
            Dialect::Tree => Ok(ScalarValue::Text(scalar.text.as_ref().into())),
        }
    }

    fn list<'de, V: Visitor<'de>>(
        self,
        items: Cow<'d, [NodeId]>,
        kind: ListKind,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        let id = self.document.resolved(self.id);
        let length = items.len();
        let mut rest = Rest::new(self.parts.get(&id), length);
        let value = visitor.visit_seq(NodeItems {
            decoder: self.deeper()?,
            items,
            rest: &mut rest,
            kind,
        })?;
        match rest.left() {
            0 => Ok(value),
            left => Err(too_many(length, length - left)),
        }
    }

    fn map<'de, V: Visitor<'de>>(
        self,
        entries: &'d [Pair],
        alike: bool,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        let id = self.document.resolved(self.id);
        let mut rest = Rest::new(self.parts.get(&id), entries.len());
        let value = visitor.visit_map(NodeEntries {
            decoder: self.deeper()?,
            entries,
            rest: &mut rest,
            value: None,
            alike,
        })?;
        match rest.left() {
            0 => Ok(value),
            _ if self.is_toml() => Ok(value),
            left => Err(too_many(entries.len(), entries.len() - left)),
        }
    }

    /// What is here instead of what the target takes.
    #[cold]
    fn unexpected(self, expected: &dyn Expected) -> TreeError {
        struct NoTarget<'e>(&'e dyn Expected);
        enum Never {}
        impl Visitor<'_> for NoTarget<'_> {
            type Value = Never;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        match self.content() {
            // Nobody reads all of a long text.
            NodeContent::Scalar(scalar)
                if scalar.style == ScalarStyle::Quoted && scalar.text.len() > 2 * LONGEST =>
            {
                de::Error::invalid_type(Unexpected::Str(&shortened(&scalar.text)), expected)
            }
            NodeContent::List(_) => de::Error::invalid_type(Unexpected::Seq, expected),
            NodeContent::Map(_) => de::Error::invalid_type(Unexpected::Map, expected),
            _ => match self.any(NoTarget(expected)) {
                Ok(never) => match never {},
                Err(error) => error,
            },
        }
    }

    /// An integer that no type of 64 bits holds.
    #[cfg(feature = "json")]
    fn is_wide(self) -> bool {
        let text = self.document.key(self.id);
        self.document.kind(self.id) == Some(ResolvedKind::Integer)
            && text.parse::<i64>().is_err()
            && text.parse::<u64>().is_err()
    }

    #[cfg(feature = "json")]
    #[cold]
    fn wide(self, expected: &dyn Expected) -> TreeError {
        let found = format!("integer `{}`", self.document.key(self.id));
        de::Error::invalid_type(Unexpected::Other(&found), expected)
    }

    /// `yaml_text` for a target that is no float: none where the tag makes a float of it.
    #[cfg(feature = "yaml")]
    fn yaml_text_of_no_float(self) -> Option<&'d str> {
        let is_float = self.scalar().is_some_and(|scalar| scalar.is_tagged_float);
        self.yaml_text().filter(|_| !is_float)
    }

    /// The text of a scalar that the target's type reads as a number or a bool; none in a format whose decoder hands over what it
    /// is, and where quotes make it none.
    #[cfg(feature = "yaml")]
    fn yaml_text(self) -> Option<&'d str> {
        let scalar = self.scalar().filter(|_| self.is_yaml())?;
        (scalar.style == ScalarStyle::Plain).then_some(&*scalar.text)
    }
}

impl NodeDecoder<'_> {
    /// A value for a target that takes one kind of scalar. toml's decoder hands over what it has, and the others do not.
    fn any_of<'de, V: Visitor<'de>>(
        self,
        kind: ResolvedKind,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        match self.is_toml() || self.document.kind(self.id) == Some(kind) {
            true => self.any(visitor),
            false => Err(self.unexpected(&visitor)),
        }
    }

    /// A value for a target that takes a scalar.
    fn any_scalar<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.content() {
            NodeContent::Scalar(_) => self.any(visitor),
            _ if self.is_toml() => self.any(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn items<'de, V: Visitor<'de>>(
        self,
        kind: ListKind,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        self.without_tag()?;
        match self.content() {
            NodeContent::List(items) => self.list(items.into(), kind, visitor),
            _ if self.is_left_out() => self.list(Cow::Borrowed(&[]), kind, visitor),
            _ if self.is_toml() => self.any(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn entries<'de, V: Visitor<'de>>(self, alike: bool, visitor: V) -> Result<V::Value, TreeError> {
        self.without_tag()?;
        match self.content() {
            NodeContent::Map(entries) => self.map(entries, alike, visitor),
            _ if self.is_left_out() => self.map(&[], alike, visitor),
            _ if self.is_toml() => self.any(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }
}
