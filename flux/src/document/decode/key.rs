//! How the slow pass reads the keys of JSON and TOML as numbers, bools or enums, as the fast decoders do.

use super::NodeDecoder;
#[cfg(feature = "toml")]
use super::toml;
use crate::document::tree::TreeError;
use serde::de::{Deserializer, IntoDeserializer, Visitor, value::StrDeserializer};

/// A key of JSON or TOML: a text, that a map with other keys reads.
#[derive(Clone, Copy)]
pub(super) struct KeyDecoder<'d>(pub(super) NodeDecoder<'d>);

impl<'d> KeyDecoder<'d> {
    fn text(self) -> &'d str {
        #[cfg(feature = "toml")]
        if self.0.is_date {
            return crate::problem::DATE;
        }
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
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
            match self.parsed() {
                Some(value) => visitor.$visit(value),
                None => visitor.visit_str(self.text()),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyDecoder<'_> {
    type Error = TreeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
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

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.parsed().filter(|_| !self.0.is_toml()) {
            Some(value) => visitor.visit_f64(value),
            None => visitor.visit_str(self.text()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.0.is_toml() {
            true => self.deserialize_any(visitor),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.0.is_toml() {
            true => self.deserialize_any(visitor),
            false => visitor.visit_bytes(self.text().as_bytes()),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        let name: StrDeserializer<'_, TreeError> = self.text().into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
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
