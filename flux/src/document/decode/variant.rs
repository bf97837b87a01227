//! How the slow pass finds the variant of an enum: a text, a map of one key, a YAML tag.

use super::{ListKind, NodeDecoder};
use crate::{
    document::{NodeContent, NodeId, Pair, tree::TreeError},
    problem::collect_errors,
};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, Unexpected,
    VariantAccess, Visitor, value::StrDeserializer,
};
use std::{borrow::Cow, fmt};

/// A variant that a map of one entry names.
pub(super) struct VariantEntry<'d> {
    pub(super) decoder: NodeDecoder<'d>,
    pub(super) entry: Pair,
}

impl<'de, 'd> EnumAccess<'de> for VariantEntry<'d> {
    type Error = TreeError;
    type Variant = Self;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), TreeError> {
        let name = self.decoder.key(self.entry.key, (0, false), seed)?;
        Ok((name, self))
    }
}

impl VariantEntry<'_> {
    fn within<T>(
        self,
        decode: impl FnOnce(NodeDecoder<'_>) -> Result<T, TreeError>,
    ) -> Result<T, TreeError> {
        let step = self.decoder.step(self.entry.value, 0, ListKind::Other);
        let content = self.decoder.at(self.entry.value);
        collect_errors::within(self.decoder.seg(self.entry.key), step, || decode(content))
    }
}

impl<'de> VariantAccess<'de> for VariantEntry<'_> {
    type Error = TreeError;
    fn unit_variant(self) -> Result<(), TreeError> {
        self.within(|content| match content.content() {
            // toml's decoder takes what is empty.
            NodeContent::List(items) if content.is_toml() && items.is_empty() => Ok(()),
            NodeContent::Map(entries) if content.is_toml() && entries.is_empty() => Ok(()),
            _ => de::Deserialize::deserialize(content),
        })
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, TreeError> {
        self.within(|content| seed.deserialize(content))
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, TreeError> {
        self.within(|content| {
            if !content.is_toml() {
                return content.items(ListKind::Other, visitor);
            }
            // toml's decoder takes a table with the keys 0, 1 and so on, which it sorts.
            let document = content.document;
            let items: Cow<'_, [NodeId]> = match content.content() {
                NodeContent::List(items) => items.into(),
                NodeContent::Map(entries) => {
                    let mut entries = entries.to_vec();
                    entries.sort_by_key(|entry| document.key(entry.key));
                    let mut keys = entries.iter().map(|entry| document.key(entry.key));
                    if !(0..entries.len())
                        .all(|index| keys.next().map(str::parse) == Some(Ok(index)))
                    {
                        return Err(TreeError("expected the keys 0, 1 and so on".to_owned()));
                    }
                    entries.into_iter().map(|entry| entry.value).collect()
                }
                _ => return Err(content.unexpected(&visitor)),
            };
            match items.len() == len {
                true => content.list(items, ListKind::Other, visitor),
                false => Err(TreeError(format!("expected tuple with length {len}"))),
            }
        })
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        self.within(|content| content.deserialize_struct("", fields, visitor))
    }
}

const NESTED_VARIANT: &str = "is a variant with content behind the tag of another one; write the outer one as a map with one key, its \
                              name";

impl NodeDecoder<'_> {
    /// A variant of YAML: by its tag, a text or a map of one key.
    pub(super) fn yaml_enum<'de, V: Visitor<'de>>(
        self,
        variants: &[&str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        let scalar = self.scalar();
        if self.tagged {
            return match scalar {
                Some(scalar) if !scalar.text.is_empty() => visitor.visit_enum(UnitVariant(self)),
                _ if self.is_left_out() => Err(self.unexpected(&"the name of a variant")),
                _ => Err(TreeError(NESTED_VARIANT.to_owned())),
            };
        }
        if self.variant().is_none() {
            self.without_tag()?;
        }
        match self.variant() {
            Some(tag) => visitor.visit_enum(TaggedValue { tag, content: self }),
            None if scalar.is_some() => visitor.visit_enum(UnitVariant(self)),
            None => match self.content() {
                NodeContent::Map(entries) if entries.len() == 1 => {
                    visitor.visit_enum(VariantEntry {
                        decoder: self.deeper()?,
                        entry: entries[0],
                    })
                }
                _ => Err(self.unexpected(&VariantName(variants))),
            },
        }
    }
}

/// What an enum is written as.
pub(super) struct VariantName<'v>(pub(super) &'v [&'v str]);

impl Expected for VariantName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a variant")?;
        if let Some(first) = self.0.first() {
            write!(f, ", such as `{first}`")?;
        }
        f.write_str(", alone or as the only key of a map")
    }
}

/// A variant that YAML's tag names.
pub(super) struct TaggedValue<'d> {
    pub(super) tag: &'d str,
    pub(super) content: NodeDecoder<'d>,
}

impl<'de, 'd> EnumAccess<'de> for TaggedValue<'d> {
    type Error = TreeError;
    type Variant = TaggedContent<'d>;
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, TaggedContent<'d>), TreeError> {
        let name: StrDeserializer<'_, TreeError> = self.tag.into_deserializer();
        let content = NodeDecoder {
            tagged: true,
            ..self.content
        };
        Ok((seed.deserialize(name)?, TaggedContent(content)))
    }
}

/// What follows a tag.
pub(super) struct TaggedContent<'d>(pub(super) NodeDecoder<'d>);

impl<'de> VariantAccess<'de> for TaggedContent<'_> {
    type Error = TreeError;
    fn unit_variant(self) -> Result<(), TreeError> {
        de::Deserialize::deserialize(self.0)
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, TreeError> {
        seed.deserialize(self.0)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, TreeError> {
        self.0.items(ListKind::Other, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        self.0.deserialize_struct("", fields, visitor)
    }
}

/// A variant that a scalar of YAML names.
pub(super) struct UnitVariant<'d>(pub(super) NodeDecoder<'d>);

impl<'de, 'd> EnumAccess<'de> for UnitVariant<'d> {
    type Error = TreeError;
    type Variant = Self;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), TreeError> {
        // Behind a tag that was followed, the text is the name.
        Ok((seed.deserialize(self.0)?, self))
    }
}

impl<'de> VariantAccess<'de> for UnitVariant<'_> {
    type Error = TreeError;
    fn unit_variant(self) -> Result<(), TreeError> {
        Ok(())
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, TreeError> {
        Err(de::Error::invalid_type(
            Unexpected::UnitVariant,
            &"newtype variant",
        ))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, TreeError> {
        Err(de::Error::invalid_type(
            Unexpected::UnitVariant,
            &"tuple variant",
        ))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, TreeError> {
        Err(de::Error::invalid_type(
            Unexpected::UnitVariant,
            &"struct variant",
        ))
    }
}
