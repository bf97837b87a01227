//! What each kind of target (number, text, option, enum, map) gets from a node of a document.

#[cfg(feature = "json")]
use super::json;
#[cfg(feature = "toml")]
use super::toml;
use super::{
    ListKind, NodeDecoder,
    variant::{TaggedValue, VariantEntry, VariantName},
};
#[cfg(feature = "yaml")]
use crate::document::{
    DocumentScalar,
    scalar::yaml::{float, signed, unsigned},
};
use crate::{
    document::{NodeContent, ResolvedKind, ScalarStyle, tree::TreeError},
    layer::serde_methods::deserializer_methods,
};
use serde::de::{Deserializer, IntoDeserializer, Visitor, value::StrDeserializer};

macro_rules! numbers {
    ($($method:ident: $type:ty, $read:expr => $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
            self.without_tag()?;
            #[cfg(feature = "yaml")]
            if self.is_yaml() {
                let read: fn(&str) -> Option<$type> = $read;
                return match self.yaml_text_of_no_float().and_then(read) {
                    Some(number) => visitor.$visit(number),
                    None => Err(self.unexpected(&visitor)),
                };
            }
            #[cfg(feature = "json")]
            if self.document.dialect().is_json() {
                return match self.content() {
                    NodeContent::Scalar(_) if self.is_wide() => Err(self.wide(&visitor)),
                    NodeContent::Scalar(scalar) => json::number(self.read(scalar)?, visitor),
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
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
            self.without_tag()?;
            #[cfg(feature = "yaml")]
            if self.is_yaml() {
                let read: fn(&str) -> Option<$type> = $read;
                return match self.yaml_text_of_no_float().and_then(read) {
                    Some(number) => visitor.$visit(number),
                    None => Err(self.unexpected(&visitor)),
                };
            }
            #[cfg(feature = "json")]
            if self.document.kind(self.id) == Some(ResolvedKind::Integer)
                && self.document.dialect().is_json()
            {
                return match self.document.key(self.id).parse::<$type>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(TreeError("number out of range".to_owned())),
                };
            }
            self.any_scalar(visitor)
        }
    )*};
}

#[cfg(feature = "yaml")]
fn no_null(scalar: &DocumentScalar<'_>) -> TreeError {
    let found = serde::de::Unexpected::Str(&scalar.text);
    serde::de::Error::invalid_value(found, &"null")
}

/// Lists whose items have types of their own.
macro_rules! fixed {
    ($method:ident($($arg:ident: $type:ty),*)) => {
        fn $method<V: Visitor<'de>>(self, $(_: $type,)* visitor: V) -> Result<V::Value, TreeError> {
            self.items(ListKind::Tuple, visitor)
        }
    };
}

impl<'de> Deserializer<'de> for NodeDecoder<'_> {
    type Error = TreeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        #[cfg(feature = "toml")]
        if let (true, Some(date)) = (self.is_toml(), self.scalar().and_then(toml::date)) {
            return visitor.visit_string(date);
        }
        let Some(tag) = self.variant() else {
            self.without_tag()?;
            return self.any(visitor);
        };
        let read = visitor.visit_enum(TaggedValue { tag, content: self });
        // A target such as `serde_yaml::Value` takes any tag, and others take none.
        read.or_else(|error| match error.0.starts_with("invalid type: enum") {
            true => self.without_tag().and(Err(error)),
            false => Err(error),
        })
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

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.without_tag()?;
        #[cfg(feature = "yaml")]
        if self.is_yaml() {
            return match self.yaml_text().and_then(float) {
                Some(number) => visitor.visit_f64(number),
                None => Err(self.unexpected(&visitor)),
            };
        }
        #[cfg(feature = "json")]
        if let (true, NodeContent::Scalar(scalar)) =
            (self.document.dialect().is_json(), self.content())
        {
            return json::number(self.read(scalar)?, visitor);
        }
        self.any_scalar(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.without_tag()?;
        #[cfg(feature = "yaml")]
        if self.is_yaml() {
            let text = self.yaml_text();
            return match text.and_then(crate::document::scalar::yaml::bool) {
                Some(value) => visitor.visit_bool(value),
                None => Err(self.unexpected(&visitor)),
            };
        }
        self.any_of(ResolvedKind::Bool, visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.without_tag()?;
        match self.scalar() {
            _ if self.is_toml() => self.any(visitor),
            Some(_) if self.is_null() => Err(self.unexpected(&visitor)),
            Some(scalar) if self.is_yaml() => visitor.visit_str(&scalar.text),
            Some(scalar) if scalar.style == ScalarStyle::Quoted => self.any(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        match self.scalar() {
            Some(scalar) if self.is_null() => visitor.visit_str(&scalar.text),
            _ => self.deserialize_str(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.without_tag()?;
        if self.is_yaml() {
            return Err(TreeError(
                "serialization and deserialization of bytes in YAML is not implemented".to_owned(),
            ));
        }
        match self.content() {
            _ if self.is_toml() => self.any(visitor),
            NodeContent::Scalar(scalar) if scalar.style == ScalarStyle::Quoted => {
                visitor.visit_bytes(scalar.text.as_bytes())
            }
            NodeContent::List(items) => self.list(items.into(), ListKind::Other, visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        #[cfg(feature = "toml")]
        if self.is_date {
            return self.any(visitor);
        }
        #[cfg(feature = "yaml")]
        if self.is_yaml() {
            return match self.is_null() {
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

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.without_tag()?;
        #[cfg(feature = "yaml")]
        if let (true, Some(scalar)) = (self.is_yaml(), self.scalar()) {
            return match self.is_null() {
                true => visitor.visit_unit(),
                false => Err(no_null(scalar)),
            };
        }
        self.any_of(ResolvedKind::Null, visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        #[cfg(feature = "json")]
        if self.takes_raw() && name == json::RAW {
            // serde_json's `RawValue` takes the text as it is.
            let source = self.document.source(self.document.resolved(self.id));
            let entry = std::iter::once((json::RAW, source));
            return visitor.visit_map(serde::de::value::MapDeserializer::new(entry));
        }
        let _ = name;
        #[cfg(feature = "toml")]
        if self.is_date {
            return self.any(visitor);
        }
        match self.is_yaml() {
            true => visitor.visit_newtype_struct(self.deeper()?),
            false => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.items(ListKind::Any, visitor)
    }

    deserializer_methods! { fixed: tuple tuple_struct }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        self.entries(true, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        #[cfg(feature = "toml")]
        if self.is_toml() && name == toml::SPANNED {
            return visitor.visit_map(toml::SpannedAccess {
                decoder: self,
                next: 0,
            });
        }
        let _ = name;
        match self.content() {
            NodeContent::List(items) if !self.is_yaml() => {
                self.list(items.into(), ListKind::Other, visitor)
            }
            _ => self.entries(false, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TreeError> {
        if self.is_yaml() {
            return self.yaml_enum(variants, visitor);
        }
        match self.content() {
            NodeContent::Scalar(scalar) if scalar.style == ScalarStyle::Quoted => {
                let name: StrDeserializer<'_, TreeError> = scalar.text.as_ref().into_deserializer();
                visitor.visit_enum(name)
            }
            NodeContent::Map(entries) => match entries.as_slice() {
                [entry] => visitor.visit_enum(VariantEntry {
                    decoder: self.deeper()?,
                    entry: *entry,
                }),
                entries => Err(TreeError(format!(
                    "a variant is a map with one key, its name; here are {}",
                    entries.len()
                ))),
            },
            _ => Err(self.unexpected(&VariantName(variants))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TreeError> {
        if self.is_toml() {
            self.passed_over()?;
        }
        visitor.visit_unit()
    }
}
