//! How the slow pass reads a scalar as YAML's decoder does: null, bools, numbers, tags.

use super::{DocumentScalar, ScalarStyle, TreeError, Unexpected, de, scalar::ScalarValue};
use crate::document::scalar::yaml::{
    BOOL, FLOAT, INT, Integer, NULL, bool, float, integer, is_digits_but_no_number, is_nothing,
    is_null,
};

/// A scalar without a tag that names a variant.
pub(super) fn read<'d>(
    scalar: &'d DocumentScalar<'_>,
    tag: Option<&str>,
) -> Result<ScalarValue<'d>, TreeError> {
    let text = scalar.text.as_ref();
    let no = |what: &'static str| de::Error::invalid_value(Unexpected::Str(text), &what);
    match tag {
        Some(BOOL) => match bool(text) {
            Some(value) => Ok(ScalarValue::Bool(value)),
            None => Err(no("a boolean")),
        },
        Some(INT) => match integer(text) {
            Some(number) => Ok(whole(number)),
            None => Err(no("an integer")),
        },
        Some(FLOAT) => match float(text) {
            Some(number) => Ok(ScalarValue::F64(number)),
            None => Err(no("a float")),
        },
        Some(NULL) => match is_null(text) {
            true => Ok(ScalarValue::Nothing),
            false => Err(no("null")),
        },
        Some(tag) if !tag.starts_with('!') => Ok(ScalarValue::Text(text.into())),
        _ if scalar.style != ScalarStyle::Plain => Ok(ScalarValue::Text(text.into())),
        _ => Ok(untagged(text)),
    }
}

fn untagged(text: &str) -> ScalarValue<'_> {
    if is_nothing(text) {
        return ScalarValue::Nothing;
    }
    if let Some(value) = bool(text) {
        return ScalarValue::Bool(value);
    }
    if let Some(number) = integer(text) {
        return whole(number);
    }
    match float(text).filter(|_| !is_digits_but_no_number(text)) {
        Some(number) => ScalarValue::F64(number),
        None => ScalarValue::Text(text.into()),
    }
}

fn whole(number: Integer) -> ScalarValue<'static> {
    match number {
        Integer::U64(number) => ScalarValue::U64(number),
        Integer::I64(number) => ScalarValue::I64(number),
        Integer::U128(number) => ScalarValue::U128(number),
        Integer::I128(number) => ScalarValue::I128(number),
    }
}
