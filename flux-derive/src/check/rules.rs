//! Which rules do not compile: those that do not fit the field's type, and those that the field's own default breaks; what `each`,
//! `one_of` and `pattern` may contain.

use super::{
    default::value,
    literals::feature_off,
    range::{self, COUNT, shape_of},
};
use crate::{
    ast,
    attr::{Given, Options, Written},
    errors::Errors,
    model::{self, Check, Rule},
    options::Key,
    types::{Number, Shape, literal_text, shape},
    words::type_name,
};
use syn::{Expr, ExprArray, Lit, Type};

/// The rules of a field.
pub(super) fn rules<'a>(written: &'a ast::FieldInput<'_>, errors: &mut Errors) -> Vec<Rule<'a>> {
    let (options, ty) = (&written.options, &written.original.ty);
    if written.is_section() {
        section(options, ty, errors);
    }
    if let Some(default) = options.expr(Key::Default).map(inside) {
        for rule in options.rules() {
            outside(rule, shape(ty).inner(), default, errors);
        }
    }
    checked(options, Some(ty), None, written.is_section(), errors)
}

/// The rules of a section are on its own fields; only the number of sections in a list or map is the field's.
fn section(options: &Options, ty: &Type, errors: &mut Errors) {
    let counted = matches!(shape(ty), Shape::Vec(_) | Shape::Map(..));
    for rule in options.rules() {
        let key = &rule.key;
        match rule.spec.key {
            Key::Length | Key::NonEmpty | Key::Validate if counted => {}
            Key::Validate => errors.at(
                key,
                format!(
                    "a section checks itself; put `#[flux(validate = ..)]` on the struct `{}`",
                    type_name(ty)
                ),
            ),
            _ => errors.at(
                key,
                format!("a section has no `{key}`; put the rule on its fields"),
            ),
        }
    }
}

/// The value inside `Some(..)`.
fn inside(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => inside(&group.expr),
        Expr::Call(call) if call.args.len() == 1 => match (&*call.func, call.args.first()) {
            (Expr::Path(path), Some(inner)) if path.path.is_ident("Some") => inner,
            _ => expr,
        },
        _ => expr,
    }
}

fn checked<'a>(
    options: &'a Options,
    ty: Option<&'a Type>,
    inherited: Option<String>,
    is_section: bool,
    errors: &mut Errors,
) -> Vec<Rule<'a>> {
    if let (Some(key), true) = (options.key(Key::Message), options.rules().next().is_none()) {
        errors.at(key, "`message` says what a broken rule says, and there is no rule here; add one, or remove `message`");
    }
    let message = options.text(Key::Message).map(syn::LitStr::value);
    let message = message.or(inherited);
    let checks = options.rules().filter_map(|rule| {
        // A section's rules have been judged as such.
        if !is_section && !fits(rule, ty, errors) {
            return None;
        }
        Some(Rule {
            check: check(rule, ty, message.as_ref(), errors)?,
            message: message.clone(),
        })
    });
    checks.collect()
}

/// Whether the rule has a meaning on the type.
fn fits(rule: &Given, ty: Option<&Type>, errors: &mut Errors) -> bool {
    let own = shape_of(ty);
    let counted = own.is_text() || matches!(own, Shape::Path) || own.items().is_some();
    let (fits, needs) = match rule.spec.key {
        Key::Range => (
            matches!(own, Shape::Int(_) | Shape::Float | Shape::Duration),
            if counted {
                "numbers and durations; for a number of characters or items use `length`"
            } else {
                "numbers and durations"
            },
        ),
        Key::Length | Key::NonEmpty => (
            counted && !matches!(own, Shape::Array(_)),
            if matches!(own, Shape::Int(_) | Shape::Float | Shape::Duration) {
                "text, lists, sets and maps; for a number use `range`"
            } else {
                "text, lists, sets and maps"
            },
        ),
        Key::Pattern | Key::Email | Key::Url => (
            own.is_text(),
            "text; for the items of a list write `each(..)`",
        ),
        Key::Ip => (
            own.is_text(),
            if matches!(own, Shape::Net(_)) {
                "text, and this type is always an address"
            } else {
                "text"
            },
        ),
        Key::OneOf => (
            own.is_text()
                || matches!(
                    own,
                    Shape::Int(_) | Shape::Float | Shape::Bool | Shape::Char | Shape::Duration
                ),
            "text, numbers and other single values; for the items of a list write `each(one_of = ..)`",
        ),
        Key::Each => (own.items().is_some(), "lists, sets and maps"),
        _ => (true, ""),
    };
    let fits = fits || own.is_other();
    if !fits {
        let key = &rule.key;
        let name = ty.map(type_name).unwrap_or_default();
        errors.at(
            key,
            format!("`{key}` does not fit `{name}`: it is for {needs}"),
        );
    }
    fits
}

/// None where the rule could not be read.
fn check<'a>(
    rule: &'a Given,
    ty: Option<&'a Type>,
    message: Option<&String>,
    errors: &mut Errors,
) -> Option<Check<'a>> {
    let own = shape_of(ty);
    let key = &rule.key;
    if matches!(rule.spec.key, Key::Pattern | Key::Email | Key::Url) && cfg!(not(feature = "rules"))
    {
        let what = format!("the rules `pattern`, `email` and `url` (here `{key}`)");
        errors.at(key, feature_off(&what, "rules"));
    }
    Some(match (&rule.value, rule.spec.key) {
        (Written::Range(bounds), Key::Range) => Check::Range(range::range(bounds, own, ty, errors)),
        (Written::Range(bounds), _) => Check::Length(range::range(bounds, COUNT, None, errors)),
        (Written::Text(text), _) => {
            if let Err(problem) = compiles(&text.value()) {
                errors.at(
                    text,
                    format!("this pattern is not a regular expression: {problem}"),
                );
            }
            Check::Pattern(text.value())
        }
        (Written::List(list), _) => one_of(list, ty, errors),
        (Written::Flag, Key::NonEmpty) => Check::NonEmpty,
        (Written::Flag, Key::Email) => Check::Email,
        (Written::Flag, Key::Url) => Check::Url,
        (Written::Flag, _) => Check::Ip,
        (Written::Inside(_, rules), _) => {
            let item = own.items();
            Check::Each {
                rules: checked(rules, item, message.cloned(), false, errors),
                options: item.map_or(0, options),
            }
        }
        (Written::Function(path), _) => Check::Custom(path),
        (Written::Expr(_) | Written::Faulty, _) => return None,
    })
}

fn one_of<'a>(list: &'a ExprArray, ty: Option<&'a Type>, errors: &mut Errors) -> Check<'a> {
    if list.elems.is_empty() {
        errors.at(
            list,
            "this list is empty, so no value is in it; name the values that are allowed",
        );
    }
    let own = shape_of(ty);
    let inner = ty.map(innermost);
    let mut item = |one| {
        let written = model::Value::Written(one);
        match (own, inner) {
            (Shape::Other, _) | (_, None) => written,
            (_, Some(ty)) => match (own, value(one, ty, errors)) {
                // Text is compared with text: no `String` is made of the list.
                (Shape::Text | Shape::TextPointer, _) => written,
                (_, value) => value,
            },
        }
    };
    let items = list.elems.iter().map(&mut item).collect();
    let is_constant = matches!(
        own,
        Shape::Int(_) | Shape::Float | Shape::Bool | Shape::Char | Shape::Duration
    );
    Check::OneOf {
        items,
        of: inner.filter(|_| is_constant),
        written: list.elems.iter().collect(),
    }
}

/// How many `Option`s are around the value.
pub(super) fn options(ty: &Type) -> usize {
    match shape(ty) {
        Shape::Option(inner) => 1 + options(inner),
        _ => 0,
    }
}

/// The type inside its `Option`s.
fn innermost(ty: &Type) -> &Type {
    match shape(ty) {
        Shape::Option(inner) => innermost(inner),
        _ => ty,
    }
}

/// What the runtime will do with the pattern, done once here.
#[cfg(feature = "rules")]
fn compiles(pattern: &str) -> Result<(), String> {
    regex_lite::Regex::new(pattern)
        .map(drop)
        .map_err(|error| error.to_string())
}

#[cfg(not(feature = "rules"))]
fn compiles(_: &str) -> Result<(), String> {
    Ok(())
}

#[cfg(feature = "rules")]
fn matches_pattern(pattern: &str, text: &str) -> bool {
    regex_lite::Regex::new(pattern).map_or(true, |regex| regex.is_match(text))
}

#[cfg(not(feature = "rules"))]
fn matches_pattern(_: &str, _: &str) -> bool {
    true
}

/// A default that breaks the rule would refuse the configuration that sets nothing.
fn outside(rule: &Given, own: Shape<'_>, default: &Expr, errors: &mut Errors) {
    let text = literal_text(default).map(syn::LitStr::value);
    let items = match default {
        Expr::Array(list) => Some(&list.elems),
        _ => None,
    };
    let count = match (&text, items) {
        (Some(text), _) if own.is_text() => Some(text.chars().count()),
        (_, Some(items)) => Some(items.len()),
        _ => None,
    };
    let broken = match (&rule.value, rule.spec.key) {
        (Written::Range(range), Key::Range) => range::excludes(range, own, default),
        (Written::Range(range), _) => {
            count.is_some_and(|count| range::excludes_count(range, count))
        }
        (Written::Flag, Key::NonEmpty) => count == Some(0),
        (Written::Text(pattern), _) => {
            text.is_some_and(|text| !matches_pattern(&pattern.value(), &text))
        }
        (Written::List(list), _) => {
            !list.elems.is_empty() && list.elems.iter().all(|one| differs(one, default))
        }
        (Written::Flag, Key::Ip) => {
            text.is_some_and(|text| text.parse::<std::net::IpAddr>().is_err())
        }
        (Written::Inside(_, rules), _) => {
            let item = own.items().map_or(Shape::Other, shape).inner();
            for (rule, one) in rules
                .rules()
                .flat_map(|rule| items.into_iter().flatten().map(move |one| (rule, one)))
            {
                outside(rule, item, one, errors);
            }
            false
        }
        _ => false,
    };
    if broken {
        let key = &rule.key;
        errors.at(
            default,
            format!(
                "the default breaks the field's own rule `{key}`; change the default or the rule"
            ),
        );
    }
}

/// Whether two literals are of one kind and not the same.
fn differs(one: &Expr, other: &Expr) -> bool {
    if let (Some(one), Some(other)) = (Number::of(one), Number::of(other)) {
        return one.less_than(other) || other.less_than(one);
    }
    if let (Some(one), Some(other)) = (literal_text(one), literal_text(other)) {
        return one.value() != other.value();
    }
    match (one, other) {
        (Expr::Lit(one), Expr::Lit(other)) => match (&one.lit, &other.lit) {
            (Lit::Bool(one), Lit::Bool(other)) => one.value != other.value,
            (Lit::Char(one), Lit::Char(other)) => one.value() != other.value(),
            _ => false,
        },
        _ => false,
    }
}
