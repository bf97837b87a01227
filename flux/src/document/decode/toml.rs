//! How the slow pass reads a scalar as TOML's decoder does, dates and `Spanned` included.

use super::{DocumentScalar, NodeDecoder, ScalarStyle, TreeError, scalar::ScalarValue};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, value::BorrowedStrDeserializer};

/// The name by which toml knows its `Spanned`, and the names of its fields.
pub(super) const SPANNED: &str = "$__serde_spanned_private_Spanned";
const FIELDS: [&str; 3] = [
    "$__serde_spanned_private_start",
    "$__serde_spanned_private_end",
    "$__serde_spanned_private_value",
];

/// A scalar as TOML's decoder reads it.
pub(super) fn read<'d>(scalar: &'d DocumentScalar<'_>) -> Result<ScalarValue<'d>, TreeError> {
    let text = scalar.text.as_ref();
    if scalar.style == ScalarStyle::Quoted {
        return Ok(ScalarValue::Text(text.into()));
    }
    match text {
        "true" => return Ok(ScalarValue::Bool(true)),
        "false" => return Ok(ScalarValue::Bool(false)),
        _ => {}
    }
    match date(scalar) {
        Some(date) => Ok(ScalarValue::Date(date)),
        None => number(&text.replace('_', "")),
    }
}

/// A date or a time, as it is printed.
pub(super) fn date(scalar: &DocumentScalar<'_>) -> Option<String> {
    let plain = scalar.style != ScalarStyle::Quoted;
    let date = plain.then(|| scalar.text.parse::<::toml::value::Datetime>());
    Some(date?.ok()?.to_string())
}

fn number(text: &str) -> Result<ScalarValue<'static>, TreeError> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => ("-", &text[1..]),
        Some(b'+') => ("", &text[1..]),
        _ => ("", text),
    };
    let base = match digits.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 10,
    };
    let bare = if base == 10 { digits } else { &digits[2..] };
    if base != 10 || digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let signed = format!("{sign}{bare}");
        if let Ok(number) = i64::from_str_radix(&signed, base) {
            return Ok(ScalarValue::I64(number));
        }
        if let Ok(number) = u64::from_str_radix(&signed, base) {
            return Ok(ScalarValue::U64(number));
        }
        if let Ok(number) = i128::from_str_radix(&signed, base) {
            return Ok(ScalarValue::I128(number));
        }
        return match u128::from_str_radix(&signed, base) {
            Ok(number) => Ok(ScalarValue::U128(number)),
            Err(_) => Err(TreeError("integer number overflowed".to_owned())),
        };
    }
    match format!("{sign}{digits}").parse::<f64>() {
        Ok(number) if number.is_finite() || digits == "inf" || digits == "nan" => {
            Ok(ScalarValue::F64(number))
        }
        _ => Err(TreeError("floating-point number overflowed".to_owned())),
    }
}

/// The fields of `Spanned`.
pub(super) struct SpannedAccess<'d> {
    pub(super) decoder: NodeDecoder<'d>,
    pub(super) next: usize,
}

impl<'de> MapAccess<'de> for SpannedAccess<'_> {
    type Error = TreeError;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TreeError> {
        let Some(name) = FIELDS.get(self.next) else {
            return Ok(None);
        };
        self.next += 1;
        let name = BorrowedStrDeserializer::<TreeError>::new(name);
        seed.deserialize(name).map(Some)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TreeError> {
        let NodeDecoder { document, id, .. } = self.decoder;
        let span = &document.node(id).span;
        let at = match self.next {
            1 => span.start,
            2 => span.end,
            _ => return seed.deserialize(self.decoder),
        };
        let at: serde::de::value::UsizeDeserializer<TreeError> = at.into_deserializer();
        seed.deserialize(at)
    }
}
