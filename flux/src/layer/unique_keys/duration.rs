//! Which texts and maps a `Duration` is read from: `30s`, `1h30m`, and `{secs: 30, nanos: 0}` as serde writes it.

use serde::de::{Error, MapAccess, Unexpected, Visitor, value::SeqDeserializer};
use std::fmt;

/// What is expected of a duration.
pub(in crate::layer) const DURATION: &str = "a duration such as `30s` or `1h30m`";

/// Whether this is how `std::time::Duration` asks for its value, wherever it is in the type that is decoded.
#[inline]
pub(super) fn is_duration(name: &str, fields: &[&str]) -> bool {
    name == "Duration" && fields == ["secs", "nanos"]
}

/// Hands the parts of a duration that is written as text to the visitor of `Duration`.
pub(super) struct Written<V>(pub(super) V);

impl<'de, V: Visitor<'de>> Written<V> {
    fn parts<E: Error>(self, text: &str, found: Unexpected<'_>) -> Result<V::Value, E> {
        match flux_syntax::parse_duration(text) {
            Ok(time) => {
                let parts = [time.as_secs(), u64::from(time.subsec_nanos())];
                self.0.visit_seq(SeqDeserializer::new(parts.into_iter()))
            }
            Err(_) => Err(match found {
                Unexpected::Str(_) => E::invalid_value(found, &self),
                _ => E::invalid_type(found, &self),
            }),
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Written<V> {
    type Value = V::Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DURATION)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.parts(text, Unexpected::Str(text))
    }
    // `0` needs no unit, so that it is a duration as a number too.
    fn visit_u64<E: Error>(self, number: u64) -> Result<V::Value, E> {
        self.parts(&number.to_string(), Unexpected::Unsigned(number))
    }
    // TOML's decoder has no other integers.
    fn visit_i64<E: Error>(self, number: i64) -> Result<V::Value, E> {
        self.parts(&number.to_string(), Unexpected::Signed(number))
    }
    fn visit_map<A: MapAccess<'de>>(self, parts: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(parts)
    }
}
