//! The plain scalars of a YAML document, as they are written: `1.10` is no `1.1` for a field that is a string.

use crate::record::document::Doc;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use std::fmt;

/// Walks the document once more. What cannot be walked again keeps its first reading.
pub(super) fn as_written(mut doc: Doc, text: &str) -> Doc {
    let _ = AsWritten(&mut doc).deserialize(serde_yaml::Deserializer::from_str(text));
    doc
}

struct AsWritten<'a>(&'a mut Doc);

impl<'de> DeserializeSeed<'de> for AsWritten<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match self.0 {
            Doc::Null(_) | Doc::Bool(_) | Doc::Number(_) => d.deserialize_str(self),
            _ => d.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for AsWritten<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the same document")
    }
    fn visit_str<E>(self, written: &str) -> Result<(), E> {
        if let Doc::Null(text) | Doc::Bool(text) | Doc::Number(text) = self.0 {
            written.clone_into(text);
        }
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Doc::Seq(known) = self.0 else {
            return Err(Error::custom("another document"));
        };
        for item in known {
            items.next_element_seed(AsWritten(item))?;
        }
        items.next_element::<IgnoredAny>().map(|_| ())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Doc::Map(known) = self.0 else {
            return Err(Error::custom("another document"));
        };
        for (key, value) in known {
            entries.next_key_seed(AsWritten(key))?;
            entries.next_value_seed(AsWritten(value))?;
        }
        entries.next_key::<IgnoredAny>().map(|_| ())
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let Doc::Tagged(_, known) = self.0 else {
            return Err(Error::custom("another document"));
        };
        let (_, value) = tagged.variant::<IgnoredAny>()?;
        value.newtype_variant_seed(AsWritten(known))
    }
}
