//! Which durations and counts in options do not compile (malformed, zero), and the error for an option whose cargo feature is off.

use crate::{errors::Errors, types::Number};
use quote::ToTokens;
use std::{ops::Range, time::Duration};
use syn::{Expr, LitStr};

/// A text that is a duration.
pub(super) fn duration(text: Option<&LitStr>, errors: &mut Errors) -> Option<Duration> {
    let text = text?;
    match flux_syntax::parse_duration(&text.value()) {
        Ok(duration) => Some(duration),
        Err(_) => {
            errors.at(
                text,
                format!("`{}` is not a duration; write a number and a unit, as in `100ms`, `30s` or `1h30m`", text.value()),
            );
            None
        }
    }
}

/// A time that is not zero.
pub(super) fn some_time(text: &LitStr, zero: &str, errors: &mut Errors) -> Option<Duration> {
    let time = duration(Some(text), errors)?;
    if time.is_zero() {
        errors.at(text, zero);
        return None;
    }
    Some(time)
}

/// A whole number that is not zero.
pub(super) fn at_least_one(expr: &Expr, zero: &str, errors: &mut Errors) -> Option<u32> {
    if Number::of(expr) == Some(Number::Int(0)) {
        errors.at(expr, zero);
        return None;
    }
    whole(expr, 1, errors)
}

/// A whole number of 32 bits.
pub(super) fn whole(expr: &Expr, least: u32, errors: &mut Errors) -> Option<u32> {
    let Some(Number::Int(number)) = Number::of(expr) else {
        let written = expr.to_token_stream();
        errors.at(
            expr,
            format!(
                "`{written}` is no whole number; write it in digits, so that it can be checked here"
            ),
        );
        return None;
    };
    let fitting = u32::try_from(number).ok();
    if fitting.is_none() {
        errors.at(
            expr,
            format!(
                "{number} is out of bounds; write a number from {least} to {}",
                u32::MAX
            ),
        );
    }
    fitting
}

/// The part of a literal's text as a place in the source: stable compilers give the whole literal.
pub(super) fn part_of(literal: &LitStr, span: Range<usize>) -> proc_macro2::Span {
    let token = literal.token();
    // Only a plain literal without escapes has its text right behind the quote.
    let plain = token.to_string() == format!("\"{}\"", literal.value());
    let part = plain.then(|| token.subspan(span.start + 1..span.end + 1));
    part.flatten().unwrap_or_else(|| literal.span())
}

/// The message for a feature of `flux` that is not enabled.
pub(super) fn feature_off(what: &str, feature: &str) -> String {
    format!(
        "{what} need the feature `{feature}` of `flux`: add it in Cargo.toml, `flux = {{ .., features = [\"{feature}\"] }}`"
    )
}
