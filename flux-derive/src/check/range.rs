//! Which bounds of `range` and `length` do not compile (empty, outside the type), and whether a value is outside of them.

use super::literals::duration;
use crate::{
    errors::Errors,
    model::{Bound, Bounds, Value},
    types::{Int, Number, Shape, literal_text, shape},
    words::type_name,
};
use quote::ToTokens;
use syn::{Expr, ExprRange, RangeLimits, Type};

/// What `length` counts in.
pub(super) const COUNT: Shape<'static> = Shape::Int(Int {
    name: "usize",
    min: 0,
    max: u64::MAX as i128,
});

/// The bounds as values of the shape's type.
pub(super) fn range<'a>(
    range: &'a ExprRange,
    of: Shape<'_>,
    ty: Option<&Type>,
    errors: &mut Errors,
) -> Bounds<'a> {
    if range.start.is_none() && range.end.is_none() {
        errors.at(
            range,
            "this range has no bound and so forbids nothing; write one, as in `1..`",
        );
    }
    let start = range.start.as_deref().map(|one| bound(one, of, ty, errors));
    let end = range.end.as_deref().map(|one| bound(one, of, ty, errors));
    if let (Some(start), Some(end)) = (range.start.as_deref(), range.end.as_deref()) {
        empty(range, start, end, of, errors);
    }
    Bounds {
        start,
        limits: &range.limits,
        end,
    }
}

/// A range that no value is in would refuse every configuration.
fn empty(range: &ExprRange, start: &Expr, end: &Expr, of: Shape<'_>, errors: &mut Errors) {
    let Some((reversed, same)) = order(start, end, of) else {
        return;
    };
    if reversed {
        let (start, end) = (start.to_token_stream(), end.to_token_stream());
        let limits = range.limits.to_token_stream();
        let fixed = format!("{end}{limits}{start}").replace("- ", "-");
        errors.at(
            range,
            format!("this range is reversed, so no value is in it; write `{fixed}`"),
        );
    } else if same && matches!(range.limits, RangeLimits::HalfOpen(_)) {
        errors.at(
            range,
            "this range is empty, since `..` leaves its end out; write `..=` to include it",
        );
    }
}

/// Whether the end is before the start, and whether they are the same.
fn order(start: &Expr, end: &Expr, of: Shape<'_>) -> Option<(bool, bool)> {
    if matches!(of, Shape::Duration) {
        let time = |expr| flux_syntax::parse_duration(&literal_text(expr)?.value()).ok();
        let (start, end) = (time(start)?, time(end)?);
        return Some((end < start, start == end));
    }
    let (start, end) = (Number::of(start)?, Number::of(end)?);
    let reversed = end.less_than(start);
    Some((reversed, !reversed && !start.less_than(end)))
}

fn bound<'a>(expr: &'a Expr, of: Shape<'_>, ty: Option<&Type>, errors: &mut Errors) -> Bound<'a> {
    let name = ty.map(type_name).unwrap_or_default();
    let mut value = Value::Written(expr);
    match (of, Number::of(expr), literal_text(expr)) {
        (Shape::Int(int), Some(Number::Int(number)), _) if !int.holds(number) => {
            errors.at(
                expr,
                format!(
                    "the bound {number} does not fit `{}`, which holds {} to {}",
                    int.name, int.min, int.max
                ),
            );
        }
        (Shape::Int(int), Some(Number::Float(_)), _) => {
            errors.at(
                expr,
                format!(
                    "the bound is a float, and the value is an integer (`{}`); write an integer",
                    int.name
                ),
            );
        }
        (Shape::Float, Some(Number::Int(number)), _) => value = Value::Float(number),
        (Shape::Duration, _, Some(text)) => {
            value = Value::Duration(duration(Some(text), errors).unwrap_or_default());
        }
        (Shape::Duration, Some(_), _) => {
            errors.at(expr, "the bound of a `Duration` is a number and a unit in quotes, as in `\"1s\"..=\"1h\"`");
        }
        (Shape::Int(_) | Shape::Float, _, Some(_)) => {
            errors.at(
                expr,
                format!("the bound is text, and the value is `{name}`; write a number"),
            );
        }
        _ => {}
    }
    Bound {
        value,
        written: expr,
    }
}

/// Whether the literal is outside; nothing where that is not known.
pub(super) fn excludes(range: &ExprRange, of: Shape<'_>, value: &Expr) -> bool {
    let below = range
        .start
        .as_deref()
        .and_then(|start| order(start, value, of));
    let above = range.end.as_deref().and_then(|end| order(value, end, of));
    below.is_some_and(|(reversed, _)| reversed)
        || above.is_some_and(|(reversed, same)| {
            reversed || (same && matches!(range.limits, RangeLimits::HalfOpen(_)))
        })
}

/// Whether so many characters or items are outside.
pub(super) fn excludes_count(range: &ExprRange, count: usize) -> bool {
    let count: Expr = syn::parse_quote!(#count);
    excludes(range, COUNT, &count)
}

/// The shape that is compared, for a type that may be unknown.
pub(super) fn shape_of(ty: Option<&Type>) -> Shape<'_> {
    ty.map_or(Shape::Other, |ty| shape(ty).inner())
}
