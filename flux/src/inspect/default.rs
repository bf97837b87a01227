//! Which value a default that is written as text has for comparing and printing, by the field's type.

use super::value::{self, ConfigValue};
use crate::schema::{Field, ValueType};

/// The default of a field of this type as a value; none where it is an expression.
pub(super) fn of_field(field: &Field, is: &ValueType) -> Option<ConfigValue> {
    let text = field.literal_default()?;
    let is_written = field.default().is_some_and(|default| default.is_literal);
    // A field with a function of its own may be read from something else than its type.
    let is_plain = matches!(
        is,
        ValueType::Bool | ValueType::Integer { .. } | ValueType::Float | ValueType::ByteSize
    );
    match is_written || is_plain {
        true => literal(text, is),
        false => None,
    }
}

/// The text of a default that a program of before had, as a value of the form that today's has.
#[cfg(feature = "cli")]
pub(super) fn of_before(text: &str, today: Option<&ConfigValue>) -> ConfigValue {
    let any = || Box::new(ValueType::Any);
    let is = match today {
        Some(ConfigValue::Bool(_)) => ValueType::Bool,
        Some(ConfigValue::Number(_)) => ValueType::Float,
        Some(ConfigValue::List(_)) => ValueType::List {
            items: any(),
            len: None,
        },
        Some(ConfigValue::Map(_)) => ValueType::Map {
            keys: any(),
            values: any(),
        },
        Some(ConfigValue::Text(_)) => ValueType::Text,
        Some(ConfigValue::Null | ConfigValue::Secret) | None => ValueType::Any,
    };
    literal(text, &is).unwrap_or_else(|| ConfigValue::Text(text.to_owned()))
}

/// The value of the text of a default, for a field of this type; none where it is an expression after all.
fn literal(text: &str, is: &ValueType) -> Option<ConfigValue> {
    match value::inner(is) {
        ValueType::Integer { .. } | ValueType::ByteSize | ValueType::Float => number(text, is),
        ValueType::Bool => matches!(text, "true" | "false").then(|| value::of_text(text, is)),
        ValueType::Char => {
            let inside = text
                .strip_prefix('\'')
                .and_then(|rest| rest.strip_suffix('\''));
            Some(ConfigValue::Text(inside.unwrap_or(text).to_owned()))
        }
        ValueType::List { .. } => match value::of_text(text, is) {
            list @ ConfigValue::List(_) => Some(list),
            _ => None,
        },
        _ => Some(value::of_text(text, is)),
    }
}

/// A number as Rust writes it: `10_000`, `0xff`, `5u32`, `-1`. A text that no number is, such as `10MB`, is read as in a document.
fn number(text: &str, is: &ValueType) -> Option<ConfigValue> {
    let plain: String = text.chars().filter(|c| !matches!(c, '_' | ' ')).collect();
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.as_str()),
    };
    let based = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter();
    let based = based
        .filter_map(|(prefix, base)| Some((digits.strip_prefix(prefix)?, base)))
        .next();
    if let Some((digits, base)) = based {
        let number = u128::from_str_radix(digits, base).ok()?;
        return Some(ConfigValue::Number(format!("{sign}{number}")));
    }
    let suffixes = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
        "f32", "f64",
    ];
    let bare = suffixes
        .into_iter()
        .find_map(|suffix| digits.strip_suffix(suffix));
    let digits = bare.unwrap_or(digits);
    let is_number =
        digits.parse::<u128>().is_ok() || digits.parse::<f64>().is_ok_and(f64::is_finite);
    Some(match is_number {
        true => ConfigValue::Number(format!("{sign}{digits}")),
        false => value::of_text(text, is),
    })
}
