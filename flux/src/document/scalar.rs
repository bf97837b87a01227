//! What kind a scalar is to its format (null, bool, number, date, text), and how a number is printed.

use super::model::{Dialect, DocumentScalar, ScalarStyle};

/// The kind of a scalar, as the format's fast decoder resolves it for a target that takes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResolvedKind {
    Null,
    Bool,
    Integer,
    Float,
    Text,
    /// TOML's dates and times.
    Date,
    /// The target decides.
    Raw,
}

/// The kind of a scalar of a document; `tag` is that of YAML.
pub(super) fn kind(
    dialect: Dialect,
    scalar: &DocumentScalar<'_>,
    #[cfg_attr(not(feature = "yaml"), allow(unused_variables, reason = "YAML's"))] tag: Option<
        &str,
    >,
) -> ResolvedKind {
    let text = scalar.text.as_ref();
    match dialect {
        Dialect::Tree => match scalar.style {
            ScalarStyle::Raw => ResolvedKind::Raw,
            ScalarStyle::Plain => json_kind(text),
            _ => ResolvedKind::Text,
        },
        #[cfg(feature = "yaml")]
        Dialect::Yaml if scalar.is_tagged_float => ResolvedKind::Float,
        #[cfg(feature = "yaml")]
        Dialect::Yaml => yaml::kind(text, scalar.style, tag),
        #[cfg(feature = "json")]
        Dialect::Json if scalar.style == ScalarStyle::Plain => json_kind(text),
        #[cfg(feature = "jsonc")]
        Dialect::Jsonc if scalar.style == ScalarStyle::Plain => json_kind(text),
        #[cfg(feature = "json5")]
        Dialect::Json5 if scalar.style == ScalarStyle::Plain => json_kind(text),
        #[cfg(feature = "toml")]
        Dialect::Toml if scalar.style == ScalarStyle::Plain => toml_kind(text),
        #[cfg(any(feature = "json", feature = "toml"))]
        _ => ResolvedKind::Text,
    }
}

/// A number of this kind as decoders print it, where it is written in another way.
pub(super) fn printed(kind: ResolvedKind, text: &str) -> Option<String> {
    let text = text.replace('_', "");
    let printed = match kind {
        ResolvedKind::Integer => integer(&text)?,
        ResolvedKind::Float => text
            .trim_start_matches('+')
            .parse::<f64>()
            .ok()?
            .to_string(),
        _ => return None,
    };
    (printed != text).then_some(printed)
}

fn integer(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.trim_start_matches('+')),
    };
    let (base, digits) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits),
    };
    let number = u128::from_str_radix(digits, base).ok()?;
    Some(format!("{sign}{number}"))
}

fn json_kind(text: &str) -> ResolvedKind {
    match text {
        "null" => ResolvedKind::Null,
        "true" | "false" => ResolvedKind::Bool,
        _ if text.contains(['.', 'e', 'E', 'n', 'N']) => ResolvedKind::Float,
        _ => ResolvedKind::Integer,
    }
}

#[cfg(feature = "toml")]
fn toml_kind(text: &str) -> ResolvedKind {
    let digits = text.trim_start_matches(['+', '-']);
    match text {
        "true" | "false" => ResolvedKind::Bool,
        _ if matches!(digits, "inf" | "nan") => ResolvedKind::Float,
        _ if digits.starts_with("0x") || digits.starts_with("0o") || digits.starts_with("0b") => {
            ResolvedKind::Integer
        }
        // A sign is first in a number, and after four digits in a date.
        _ if text.contains(':') || text.get(4..5) == Some("-") && text.get(7..8) == Some("-") => {
            ResolvedKind::Date
        }
        _ if digits.contains(['.', 'e', 'E']) => ResolvedKind::Float,
        _ => ResolvedKind::Integer,
    }
}

/// How the fast decoder of YAML reads plain scalars.
#[cfg(feature = "yaml")]
pub(crate) mod yaml {
    use super::{ResolvedKind, ScalarStyle};
    use std::num::ParseIntError;

    pub(crate) const NULL: &str = "tag:yaml.org,2002:null";
    pub(crate) const BOOL: &str = "tag:yaml.org,2002:bool";
    pub(crate) const INT: &str = "tag:yaml.org,2002:int";
    pub(crate) const FLOAT: &str = "tag:yaml.org,2002:float";

    pub(in crate::document) fn kind(
        text: &str,
        style: ScalarStyle,
        tag: Option<&str>,
    ) -> ResolvedKind {
        match tag {
            // It does not fit the value, else it was taken away.
            Some(tag) if !tag.starts_with('!') => ResolvedKind::Text,
            _ if style != ScalarStyle::Plain => ResolvedKind::Text,
            _ if is_nothing(text) => ResolvedKind::Null,
            _ if bool(text).is_some() => ResolvedKind::Bool,
            _ if integer(text).is_some() => ResolvedKind::Integer,
            _ if float(text).is_some() && !is_digits_but_no_number(text) => ResolvedKind::Float,
            _ => ResolvedKind::Text,
        }
    }

    pub(crate) fn is_null(text: &str) -> bool {
        matches!(text, "null" | "Null" | "NULL" | "~")
    }

    /// Null, or nothing at all.
    pub(crate) fn is_nothing(text: &str) -> bool {
        text.is_empty() || is_null(text)
    }

    pub(crate) fn bool(text: &str) -> Option<bool> {
        match text {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    /// An integer, in the narrowest of the types that the decoder tries.
    pub(crate) enum Integer {
        U64(u64),
        I64(i64),
        U128(u128),
        I128(i128),
    }

    pub(crate) fn integer(text: &str) -> Option<Integer> {
        let u64 = || unsigned(text, u64::from_str_radix).map(Integer::U64);
        let i64 = || negative(text, i64::from_str_radix).map(Integer::I64);
        let u128 = || unsigned(text, u128::from_str_radix).map(Integer::U128);
        let i128 = || negative(text, i128::from_str_radix).map(Integer::I128);
        u64().or_else(i64).or_else(u128).or_else(i128)
    }

    type Radix<T> = fn(&str, u32) -> Result<T, ParseIntError>;

    const BASES: [(&str, u32); 3] = [("0x", 16), ("0o", 8), ("0b", 2)];

    pub(crate) fn unsigned<T>(text: &str, radix: Radix<T>) -> Option<T> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        for (prefix, base) in BASES {
            if let Some(rest) = digits.strip_prefix(prefix) {
                if rest.starts_with(['+', '-']) {
                    return None;
                }
                if let Ok(number) = radix(rest, base) {
                    return Some(number);
                }
            }
        }
        if digits.starts_with(['+', '-']) || is_digits_but_no_number(text) {
            return None;
        }
        radix(digits, 10).ok()
    }

    pub(crate) fn signed<T>(text: &str, radix: Radix<T>) -> Option<T> {
        let digits = match text.strip_prefix('+') {
            Some(digits) if digits.starts_with(['+', '-']) => return None,
            Some(digits) => digits,
            None => text,
        };
        for (prefix, base) in BASES {
            if let Some(rest) = digits.strip_prefix(prefix) {
                if rest.starts_with(['+', '-']) {
                    return None;
                }
                if let Ok(number) = radix(rest, base) {
                    return Some(number);
                }
            }
            if let Some(number) = below_zero(text, prefix, base, radix) {
                return Some(number);
            }
        }
        if is_digits_but_no_number(text) {
            return None;
        }
        radix(digits, 10).ok()
    }

    fn negative<T>(text: &str, radix: Radix<T>) -> Option<T> {
        for (prefix, base) in BASES {
            if let Some(number) = below_zero(text, prefix, base, radix) {
                return Some(number);
            }
        }
        if is_digits_but_no_number(text) {
            return None;
        }
        radix(text, 10).ok()
    }

    fn below_zero<T>(text: &str, prefix: &str, base: u32, radix: Radix<T>) -> Option<T> {
        let rest = text.strip_prefix('-')?.strip_prefix(prefix)?;
        radix(&format!("-{rest}"), base).ok()
    }

    pub(crate) fn float(text: &str) -> Option<f64> {
        let digits = match text.strip_prefix('+') {
            Some(digits) if digits.starts_with(['+', '-']) => return None,
            Some(digits) => digits,
            None => text,
        };
        match (digits, text) {
            (".inf" | ".Inf" | ".INF", _) => return Some(f64::INFINITY),
            (_, "-.inf" | "-.Inf" | "-.INF") => return Some(f64::NEG_INFINITY),
            (_, ".nan" | ".NaN" | ".NAN") => return Some(f64::NAN.copysign(1.0)),
            _ => {}
        }
        digits.parse().ok().filter(|float: &f64| float.is_finite())
    }

    /// `0123` is a text.
    pub(crate) fn is_digits_but_no_number(text: &str) -> bool {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    }
}
