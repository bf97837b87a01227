//! How the slow pass reads a scalar as serde_json does.

use super::{DocumentScalar, ScalarStyle, TreeError, Visitor, scalar::ScalarValue};
use serde::de::{self, Expected, Unexpected};
use serde_json::Value;

/// The name by which serde_json knows its `RawValue`.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// A scalar as serde_json reads it.
pub(super) fn read<'d>(
    source: &str,
    scalar: &'d DocumentScalar<'_>,
) -> Result<ScalarValue<'d>, TreeError> {
    // An escape may be half a pair, which serde_json refuses.
    match scalar.style {
        ScalarStyle::Quoted if !source.contains('\\') => Ok(text(scalar)),
        ScalarStyle::Quoted => parsed(source),
        _ => parsed(&scalar.text),
    }
}

/// A scalar of JSON5, whose parser has refused what is no text, and left numbers as JSON writes them.
#[cfg(feature = "json5")]
pub(super) fn read_json5<'d>(scalar: &'d DocumentScalar<'_>) -> Result<ScalarValue<'d>, TreeError> {
    match (scalar.style, &*scalar.text) {
        (ScalarStyle::Quoted, _) => Ok(text(scalar)),
        (_, "NaN") => Ok(ScalarValue::F64(f64::NAN)),
        (_, "Infinity") => Ok(ScalarValue::F64(f64::INFINITY)),
        (_, "-Infinity") => Ok(ScalarValue::F64(f64::NEG_INFINITY)),
        (_, plain) => parsed(plain),
    }
}

fn text<'d>(scalar: &'d DocumentScalar<'_>) -> ScalarValue<'d> {
    ScalarValue::Text(scalar.text.as_ref().into())
}

fn parsed<'d>(source: &str) -> Result<ScalarValue<'d>, TreeError> {
    let no_scalar = || TreeError("number out of range".to_owned());
    Ok(match serde_json::from_str(source).map_err(told)? {
        Value::Null => ScalarValue::Nothing,
        Value::Bool(value) => ScalarValue::Bool(value),
        Value::String(text) => ScalarValue::Text(text.into()),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => ScalarValue::U64(number),
            (_, Some(number)) => ScalarValue::I64(number),
            _ => ScalarValue::F64(number.as_f64().ok_or_else(no_scalar)?),
        },
        Value::Array(_) | Value::Object(_) => return Err(no_scalar()),
    })
}

/// A scalar for a target that takes a number; errors are in serde_json's words.
pub(super) fn number<'de, V: Visitor<'de>>(
    value: ScalarValue<'_>,
    visitor: V,
) -> Result<V::Value, TreeError> {
    match value {
        ScalarValue::U64(_) | ScalarValue::I64(_) | ScalarValue::F64(_) => visit(value, visitor),
        other => Err(no_number(&other, &visitor)),
    }
}

/// Errors are in serde_json's words.
pub(super) fn visit<'de, V: Visitor<'de>>(
    value: ScalarValue<'_>,
    visitor: V,
) -> Result<V::Value, TreeError> {
    match value.visit::<V, serde_json::Error>(visitor) {
        Ok(value) => Ok(value),
        Err(error) => Err(told(error)),
    }
}

#[cold]
fn no_number(found: &ScalarValue<'_>, expected: &dyn Expected) -> TreeError {
    let found = match found {
        ScalarValue::Bool(value) => Unexpected::Bool(*value),
        ScalarValue::Text(text) => Unexpected::Str(text),
        _ => Unexpected::Unit,
    };
    told(de::Error::invalid_type(found, expected))
}

fn told(error: serde_json::Error) -> TreeError {
    TreeError(error.to_string())
}
