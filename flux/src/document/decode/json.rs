//! Scalars as serde_json reads them.

use super::{DocumentScalar, ScalarStyle, TreeError, Visitor};
use serde::de;

/// The name by which serde_json knows its `RawValue`.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// A scalar as serde_json reads it.
pub(super) fn any<'de, V: Visitor<'de>>(
    source: &str,
    scalar: &DocumentScalar<'_>,
    visitor: V,
) -> Result<V::Value, TreeError> {
    with(source, scalar, visitor, |value, visitor| {
        de::Deserializer::deserialize_any(value, visitor)
    })
}

pub(super) fn with<'de, V: Visitor<'de>>(
    source: &str,
    scalar: &DocumentScalar<'_>,
    visitor: V,
    decode: impl FnOnce(serde_json::Value, V) -> serde_json::Result<V::Value>,
) -> Result<V::Value, TreeError> {
    let value = match scalar.style {
        // An escape may be half a pair, which serde_json refuses.
        ScalarStyle::Quoted if !source.contains('\\') => Ok(scalar.text.as_ref().into()),
        _ => serde_json::from_str(source),
    };
    let value = value.and_then(|value| decode(value, visitor));
    value.map_err(|error| TreeError(error.to_string()))
}
