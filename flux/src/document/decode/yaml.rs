//! How the slow pass reads a scalar as YAML's decoder does: null, bools, numbers.

use super::{
    DocumentScalar, NodeContent, ScalarStyle, TreeError, Unexpected, de, scalar::ScalarValue,
    shortened,
};
use crate::document::{
    scalar::yaml::{Integer, bool, float, integer, is_digits_but_no_number, is_nothing},
    tags,
};

/// A scalar that its text and its quotes decide; with a tag that it does not fit, and is read all the same, it is a text.
pub(super) fn read<'d>(scalar: &'d DocumentScalar<'_>, tag: Option<&str>) -> ScalarValue<'d> {
    let text = scalar.text.as_ref();
    let tagged = scalar.is_tagged_float.then(|| float(text));
    if let Some(number) = tagged.flatten() {
        return ScalarValue::F64(number);
    }
    match scalar.style {
        ScalarStyle::Plain if tag.is_none_or(|tag| tag.starts_with('!')) => plain(text),
        _ => ScalarValue::Text(text.into()),
    }
}

fn plain(text: &str) -> ScalarValue<'_> {
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

/// Why a value with this tag is not read where no enum is asked for. The name of a tag of the document's own is not shown: a secret may
/// begin with `!`.
#[cold]
pub(super) fn refused(content: &NodeContent<'_>, tag: &str) -> TreeError {
    match (tags::asks_for(tag), content) {
        (Some(expected), NodeContent::Scalar(scalar)) => {
            de::Error::invalid_value(Unexpected::Str(&shortened(&scalar.text)), &expected)
        }
        (Some(expected), NodeContent::List(_)) => {
            de::Error::invalid_type(Unexpected::Seq, &expected)
        }
        (Some(expected), _) => de::Error::invalid_type(Unexpected::Map, &expected),
        (None, _) => TreeError(REFUSED.to_owned()),
    }
}

/// The same of a key, whatever it is read as.
#[cold]
pub(super) fn refused_key(content: &NodeContent<'_>, tag: &str) -> TreeError {
    match tags::asks_for(tag) {
        Some(_) => refused(content, tag),
        None => TreeError(REFUSED_KEY.to_owned()),
    }
}

const REFUSED_KEY: &str = "begins with a YAML tag, `!` and a word, which is not read in a key; write a variant by its name alone, put \
                           a text that begins with `!` in quotes, and remove any other tag";

const REFUSED: &str = "begins with a YAML tag, `!` and a word, which is read only where it names a variant of an enum; put a text \
                       that begins with `!` in quotes, and remove any other tag";
