//! A scalar's value as a format reads it, and how it is given to a target.

use serde::de::{self, Visitor};
use std::borrow::Cow;

/// A scalar as its format reads it for a target that takes anything. Read by code that is compiled once; what is compiled for each
/// target is only `visit`.
#[cfg_attr(
    not(all(feature = "toml", feature = "yaml")),
    allow(dead_code, reason = "no format has all of them")
)]
pub(super) enum ScalarValue<'d> {
    Nothing,
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Text(Cow<'d, str>),
    /// Of TOML: a map with one entry to its targets.
    Date(String),
}

impl ScalarValue<'_> {
    pub(super) fn visit<'de, V: Visitor<'de>, E: de::Error>(
        self,
        visitor: V,
    ) -> Result<V::Value, E> {
        match self {
            ScalarValue::Nothing => visitor.visit_unit(),
            ScalarValue::Bool(value) => visitor.visit_bool(value),
            ScalarValue::I64(number) => visitor.visit_i64(number),
            ScalarValue::U64(number) => visitor.visit_u64(number),
            ScalarValue::I128(number) => visitor.visit_i128(number),
            ScalarValue::U128(number) => visitor.visit_u128(number),
            ScalarValue::F64(number) => visitor.visit_f64(number),
            ScalarValue::Text(Cow::Borrowed(text)) => visitor.visit_str(text),
            ScalarValue::Text(Cow::Owned(text)) | ScalarValue::Date(text) => {
                visitor.visit_string(text)
            }
        }
    }
}
