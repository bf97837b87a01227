//! Whether the fast decoder of YAML and the parser with spans read a document alike: structure, keys and scalars; where not, the
//! document is taken to have no places. Two parsers of YAML differ in odd corners (`[?"a"]`), and a report must not accuse what the
//! fast decoder never saw.

use super::{
    model::{Document, NodeContent, NodeId},
    scalar::yaml,
};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use std::fmt;

pub(super) fn with_fast_decoder(document: &Document<'_>, text: &str) -> bool {
    let same = Same {
        document,
        id: document.root(),
        tagged: false,
    };
    let decoder = serde_yaml::Deserializer::from_str(text);
    same.deserialize(decoder).is_ok()
}

/// A node that is compared with what the decoder gives. An alias is not followed: that its anchor is the same is enough.
#[derive(Clone, Copy)]
struct Same<'d, 't> {
    document: &'d Document<'t>,
    id: NodeId,
    /// The tag was compared.
    tagged: bool,
}

impl Same<'_, '_> {
    fn at(self, id: NodeId) -> Self {
        Same {
            id,
            tagged: false,
            ..self
        }
    }

    fn is(self, same: bool) -> Result<(), Differs> {
        match same {
            true => Ok(()),
            false => Err(Differs),
        }
    }

    /// The text of a scalar without quotes, or with a tag that decides its type.
    fn plain(&self) -> Option<&str> {
        match &self.document.written(self.id).content {
            NodeContent::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Whether the decoder refuses the scalar, whatever it is read as: its text is not what its tag says.
    fn is_refused(&self) -> bool {
        let (Some(tag), Some(text)) = (self.tag(), self.plain()) else {
            return false;
        };
        match tag {
            yaml::NULL => !yaml::is_null(text),
            yaml::BOOL => yaml::bool(text).is_none(),
            yaml::INT => yaml::integer(text).is_none(),
            yaml::FLOAT => yaml::float(text).is_none(),
            _ => false,
        }
    }

    fn tag(&self) -> Option<&str> {
        let tag = self.document.written(self.id).tag.as_deref();
        tag.filter(|_| !self.tagged)
    }
}

/// The two differ.
struct Differs;

impl Differs {
    fn into<E: Error>(self) -> E {
        E::custom("the two parsers differ")
    }
}

impl<'de> DeserializeSeed<'de> for Same<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match self.document.written(self.id).content {
            NodeContent::Alias(_) => d.deserialize_ignored_any(IgnoredAny).map(drop),
            _ if self.is_refused() => d.deserialize_str(self),
            _ => d.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Same<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the other parser read")
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let own = self.plain().and_then(yaml::bool);
        self.is(own == Some(value)).map_err(Differs::into)
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        let own = self.plain().and_then(yaml::integer);
        let same = matches!(own, Some(yaml::Integer::U64(own)) if own == value);
        self.is(same).map_err(Differs::into)
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        let own = self.plain().and_then(yaml::integer);
        let same = matches!(own, Some(yaml::Integer::I64(own)) if own == value);
        self.is(same).map_err(Differs::into)
    }
    fn visit_u128<E: Error>(self, value: u128) -> Result<(), E> {
        let own = self.plain().and_then(yaml::integer);
        let same = matches!(own, Some(yaml::Integer::U128(own)) if own == value);
        self.is(same).map_err(Differs::into)
    }
    fn visit_i128<E: Error>(self, value: i128) -> Result<(), E> {
        let own = self.plain().and_then(yaml::integer);
        let same = matches!(own, Some(yaml::Integer::I128(own)) if own == value);
        self.is(same).map_err(Differs::into)
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let own = self.plain().and_then(yaml::float);
        let same = own.is_some_and(|own| own.to_bits() == value.to_bits());
        self.is(same).map_err(Differs::into)
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let same = self.plain() == Some(value);
        self.is(same).map_err(Differs::into)
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        let same = self.plain().is_some_and(yaml::is_nothing);
        self.is(same).map_err(Differs::into)
    }
    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let NodeContent::List(items) = &self.document.written(self.id).content else {
            return Err(Differs.into());
        };
        for item in items {
            let there = list.next_element_seed(self.at(*item))?;
            self.is(there.is_some()).map_err(Differs::into)?;
        }
        // What is left over is an error of the decoder.
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let NodeContent::Map(entries) = &self.document.written(self.id).content else {
            return Err(Differs.into());
        };
        for entry in entries {
            let there = map.next_key_seed(self.at(entry.key))?;
            self.is(there.is_some()).map_err(Differs::into)?;
            map.next_value_seed(self.at(entry.value))?;
        }
        Ok(())
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let (tag, value) = tagged.variant::<String>()?;
        let own = self.tag().and_then(|own| own.strip_prefix('!'));
        let same = own.is_some_and(|own| own == tag || own.is_empty() && tag == "!");
        self.is(same).map_err(Differs::into)?;
        value.newtype_variant_seed(Same {
            tagged: true,
            ..self
        })
    }
}
