//! Scalars as YAML's decoder reads them.

use super::{DocumentScalar, ScalarStyle, TreeError, Unexpected, Visitor, de};
use crate::document::scalar::yaml::{
    BOOL, FLOAT, INT, Integer, NULL, bool, float, integer, is_digits_but_no_number, is_nothing,
    is_null,
};

/// A scalar without a tag that names a variant.
pub(super) fn any<'de, V: Visitor<'de>>(
    scalar: &DocumentScalar<'_>,
    tag: Option<&str>,
    visitor: V,
) -> Result<V::Value, TreeError> {
    let text = scalar.text.as_ref();
    let no = |what: &'static str| de::Error::invalid_value(Unexpected::Str(text), &what);
    match tag {
        Some(BOOL) => match bool(text) {
            Some(value) => visitor.visit_bool(value),
            None => Err(no("a boolean")),
        },
        Some(INT) => match integer(text) {
            Some(number) => visit(number, visitor),
            None => Err(no("an integer")),
        },
        Some(FLOAT) => match float(text) {
            Some(number) => visitor.visit_f64(number),
            None => Err(no("a float")),
        },
        Some(NULL) => match is_null(text) {
            true => visitor.visit_unit(),
            false => Err(no("null")),
        },
        Some(tag) if !tag.starts_with('!') => visitor.visit_str(text),
        _ if scalar.style != ScalarStyle::Plain => visitor.visit_str(text),
        _ => untagged(text, visitor),
    }
}

fn untagged<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, TreeError> {
    if is_nothing(text) {
        return visitor.visit_unit();
    }
    if let Some(value) = bool(text) {
        return visitor.visit_bool(value);
    }
    if let Some(number) = integer(text) {
        return visit(number, visitor);
    }
    match float(text).filter(|_| !is_digits_but_no_number(text)) {
        Some(number) => visitor.visit_f64(number),
        None => visitor.visit_str(text),
    }
}

fn visit<'de, V: Visitor<'de>>(number: Integer, visitor: V) -> Result<V::Value, TreeError> {
    match number {
        Integer::U64(number) => visitor.visit_u64(number),
        Integer::I64(number) => visitor.visit_i64(number),
        Integer::U128(number) => visitor.visit_u128(number),
        Integer::I128(number) => visitor.visit_i128(number),
    }
}
