//! Which of `immutable`, `max_change`, `monotonic` and `restart` do not compile: on a type that they do not fit, or together.

use crate::{
    ast,
    errors::Errors,
    model::{Shown, Transition},
    options::Key,
    types::{Shape, shape},
    words::type_name,
};
use syn::{Ident, LitStr, Type};

/// The rules from the previous value to the next.
pub(super) fn change_rules(written: &ast::FieldInput<'_>, errors: &mut Errors) -> Transition {
    let (options, ty) = (&written.options, &written.original.ty);
    let keys =
        [Key::Immutable, Key::Restart, Key::MaxChange, Key::Monotonic].map(|key| options.key(key));
    for key in keys.into_iter().flatten() {
        unknowable(written, key, errors);
    }
    let [immutable, restart, max_change, monotonic] = keys;
    if let (Some(_), Some(key)) = (immutable, restart) {
        errors.at(
            key,
            "`immutable` refuses a change, and `restart` puts it off until the next start; keep one of them",
        );
    }
    for key in [max_change, monotonic].into_iter().flatten() {
        if let Some(fixed) = immutable.or(restart) {
            errors.at(
                key,
                format!("`{key}` limits a change while the program runs, and with `{fixed}` there is none; keep one of them"),
            );
        } else if written.is_section() {
            errors.at(
                key,
                format!("a section is no single value, so `{key}` has nothing to compare; put it on the section's fields"),
            );
        } else {
            fits(key, ty, errors);
        }
    }
    Transition {
        immutable: immutable.is_some(),
        restart: restart.is_some(),
        monotonic: monotonic.is_some(),
        max_change: options
            .text(Key::MaxChange)
            .map(|text| percent(text, errors)),
    }
}

/// How a report prints the value: single values of the standard library's types, none of a secret.
pub(super) fn shown(ty: &Type, secret: bool) -> Shown {
    let own = shape(ty);
    match own {
        _ if secret => Shown::Hidden,
        Shape::Option(inner) if is_single(shape(inner)) => Shown::Inside,
        _ if is_single(own) => Shown::Plain,
        _ => Shown::Hidden,
    }
}

fn is_single(shape: Shape<'_>) -> bool {
    let number = matches!(shape, Shape::Int(_) | Shape::Float | Shape::Duration);
    let word = shape.is_text() || matches!(shape, Shape::Bool | Shape::Char);
    number || word || matches!(shape, Shape::Path | Shape::Net(_))
}

/// A rule needs two values that may differ and can be compared.
fn unknowable(written: &ast::FieldInput<'_>, key: &Ident, errors: &mut Errors) {
    let options = &written.options;
    if options.is_set(Key::SerdeSkip) {
        errors.at(
            key,
            format!("a skipped field is in no layer, so it never changes; remove `{key}`"),
        );
    } else if options.is_set(Key::Opaque) && !options.is_set(Key::Nested) {
        errors.at(
            key,
            format!("an `opaque` field cannot be compared; give its type `PartialEq` and remove `opaque`, or remove `{key}`"),
        );
    }
}

fn fits(key: &Ident, ty: &Type, errors: &mut Errors) {
    let own = shape(ty).inner();
    let (fits, needs) = match key.to_string().as_str() {
        "max_change" => (
            matches!(own, Shape::Int(_) | Shape::Float | Shape::Duration),
            "numbers and durations",
        ),
        // A list or a set has an order too, that of a dictionary, which is never what is meant.
        _ => (
            own.items().is_none(),
            "numbers, durations and other single values with an order",
        ),
    };
    if !fits && !own.is_other() {
        errors.at(
            key,
            format!(
                "`{key}` does not fit `{}`: it is for {needs}",
                type_name(ty)
            ),
        );
    }
}

/// A percentage in ten thousandths of a percent.
fn percent(literal: &LitStr, errors: &mut Errors) -> u64 {
    let written = literal.value();
    ten_thousandths(&written).unwrap_or_else(|problem| {
        errors.at(literal, format!("`{written}` {problem}"));
        0
    })
}

/// Decimals that a percentage may have.
const DECIMALS: usize = 4;

fn ten_thousandths(written: &str) -> Result<u64, String> {
    let no_percentage =
        "is not a percentage; write a number and `%`, as in `\"50%\"` or `\"12.5%\"`";
    let Some(number) = written.strip_suffix('%') else {
        return Err(match decimal(written) {
            Some(_) => format!("is not a percentage; write `\"{written}%\"`"),
            None => no_percentage.to_owned(),
        });
    };
    if let Some(below) = number
        .strip_prefix('-')
        .filter(|one| decimal(one).is_some())
    {
        return Err(format!(
            "is below zero; a change is limited up and down alike: write `\"{below}%\"`"
        ));
    }
    let (whole, rest) = decimal(number).ok_or(no_percentage)?;
    if rest.len() > DECIMALS {
        return Err(format!(
            "is finer than a limit can be; write at most {DECIMALS} decimals"
        ));
    }
    match format!("{whole}{rest:0<DECIMALS$}").parse() {
        Ok(0) => Err("allows no change at all; write `immutable`, or a percentage above 0".into()),
        Ok(found) => Ok(found),
        Err(_) => {
            Err("is so much that it limits nothing; write less, or remove `max_change`".into())
        }
    }
}

/// What is before and behind the point.
fn decimal(text: &str) -> Option<(&str, &str)> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(rest)).then_some((whole, rest))
}
