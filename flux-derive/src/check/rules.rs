//! Rules: each must fit the type it is on, and the default must keep it.

use super::{
    container::feature_off,
    default::value,
    field::text,
    range::{self, COUNT, shape_of},
};
use crate::{
    ast,
    attr::{DefaultAttr, RuleAttr, RuleKind, Rules},
    errors::Errors,
    model::{Check, Rule},
    types::{Number, Shape, literal_text, shape},
};
use quote::quote;
use syn::{Expr, Lit, Type};

/// The rules of a field.
pub(super) fn rules(written: &ast::Field<'_>, is_section: bool, errors: &mut Errors) -> Vec<Rule> {
    let (attrs, ty) = (&written.attrs, &written.original.ty);
    let rules = &attrs.rules;
    if is_section {
        section(rules, ty, errors);
    }
    let default = match attrs.default.get() {
        Some(DefaultAttr::Value(expr)) => Some(inside(expr)),
        _ => None,
    };
    if let Some(default) = default {
        for rule in &rules.all {
            outside(rule, shape(ty).inner(), default, errors);
        }
    }
    checked(rules, Some(ty), None, is_section, errors)
}

/// The rules of a section are on its own fields; only the number of sections in a list or map is the field's.
fn section(rules: &Rules, ty: &Type, errors: &mut Errors) {
    let counted = matches!(shape(ty), Shape::Vec(_) | Shape::Map(..));
    for rule in &rules.all {
        let key = &rule.key;
        match rule.kind {
            RuleKind::Length(_) | RuleKind::NonEmpty | RuleKind::Validate(_) if counted => {}
            RuleKind::Validate(_) => errors.at(
                key,
                format!(
                    "a section checks itself; put `#[flux(validate = ..)]` on the struct `{}`",
                    text(ty)
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

fn checked(
    rules: &Rules,
    ty: Option<&Type>,
    inherited: Option<String>,
    is_section: bool,
    errors: &mut Errors,
) -> Vec<Rule> {
    if let (Some(key), true) = (rules.message.key(), rules.all.is_empty()) {
        errors.at(key, "`message` says what a broken rule says, and there is no rule here; add one, or remove `message`");
    }
    let message = rules.message.get().map(syn::LitStr::value).or(inherited);
    let checks = rules.all.iter().filter_map(|rule| {
        // A section's rules have been judged as such.
        if !is_section && !fits(rule, ty, errors) {
            return None;
        }
        Some(Rule {
            check: check(rule, ty, message.as_ref(), errors),
            message: message.clone(),
        })
    });
    checks.collect()
}

/// Whether the rule has a meaning on the type.
fn fits(rule: &RuleAttr, ty: Option<&Type>, errors: &mut Errors) -> bool {
    let own = shape_of(ty);
    let counted = own.is_text() || matches!(own, Shape::Path) || own.items().is_some();
    let (fits, needs) = match rule.kind {
        RuleKind::Range(_) => (
            matches!(own, Shape::Int(_) | Shape::Float | Shape::Duration),
            if counted {
                "numbers and durations; for a number of characters or items use `length`"
            } else {
                "numbers and durations"
            },
        ),
        RuleKind::Length(_) | RuleKind::NonEmpty => (
            counted && !matches!(own, Shape::Array(_)),
            if matches!(own, Shape::Int(_) | Shape::Float | Shape::Duration) {
                "text, lists, sets and maps; for a number use `range`"
            } else {
                "text, lists, sets and maps"
            },
        ),
        RuleKind::Pattern(_) | RuleKind::Email | RuleKind::Url => (
            own.is_text(),
            "text; for the items of a list write `each(..)`",
        ),
        RuleKind::Ip => (
            own.is_text(),
            if matches!(own, Shape::Net(_)) {
                "text, and this type is always an address"
            } else {
                "text"
            },
        ),
        RuleKind::OneOf(_) => (
            own.is_text()
                || matches!(
                    own,
                    Shape::Int(_) | Shape::Float | Shape::Bool | Shape::Char | Shape::Duration
                ),
            "text, numbers and other single values; for the items of a list write `each(one_of = ..)`",
        ),
        RuleKind::Each(_) => (own.items().is_some(), "lists, sets and maps"),
        RuleKind::Validate(_) => (true, ""),
    };
    let fits = fits || own.is_other();
    if !fits {
        let key = &rule.key;
        let name = ty.map(text).unwrap_or_default();
        errors.at(
            key,
            format!("`{key}` does not fit `{name}`: it is for {needs}"),
        );
    }
    fits
}

fn check(
    rule: &RuleAttr,
    ty: Option<&Type>,
    message: Option<&String>,
    errors: &mut Errors,
) -> Check {
    let own = shape_of(ty);
    let needs_rules = |errors: &mut Errors| {
        if cfg!(not(feature = "rules")) {
            let key = &rule.key;
            errors.at(
                key,
                feature_off(
                    &format!("the rules `pattern`, `email` and `url` (here `{key}`)"),
                    "rules",
                ),
            );
        }
    };
    match &rule.kind {
        RuleKind::Range(bounds) => Check::Range(range::range(bounds, own, ty, errors)),
        RuleKind::Length(bounds) => Check::Length(range::range(bounds, COUNT, None, errors)),
        RuleKind::NonEmpty => Check::NonEmpty,
        RuleKind::Pattern(text) => {
            needs_rules(errors);
            if let Err(problem) = compiles(&text.value()) {
                errors.at(
                    text,
                    format!("this pattern is not a regular expression: {problem}"),
                );
            }
            Check::Pattern(text.value())
        }
        RuleKind::OneOf(list) => {
            if list.elems.is_empty() {
                errors.at(
                    list,
                    "this list is empty, so no value is in it; name the values that are allowed",
                );
            }
            let inner = ty.map(innermost);
            let items: Vec<_> = match (own, inner) {
                // Text is compared with text: no `String` is made of the list.
                (Shape::Text | Shape::TextPointer, Some(ty)) => list
                    .elems
                    .iter()
                    .map(|one| {
                        value(one, ty, errors);
                        quote!(#one)
                    })
                    .collect(),
                (Shape::Other, _) | (_, None) => {
                    list.elems.iter().map(|one| quote!(#one)).collect()
                }
                (_, Some(ty)) => list
                    .elems
                    .iter()
                    .map(|one| value(one, ty, errors))
                    .collect(),
            };
            Check::OneOf(match (own, inner) {
                (
                    Shape::Int(_) | Shape::Float | Shape::Bool | Shape::Char | Shape::Duration,
                    Some(ty),
                ) => {
                    quote!({ const __ALLOWED: &[#ty] = &[#(#items),*]; __ALLOWED })
                }
                _ => quote!(&[#(#items),*]),
            })
        }
        RuleKind::Email => {
            needs_rules(errors);
            Check::Email
        }
        RuleKind::Url => {
            needs_rules(errors);
            Check::Url
        }
        RuleKind::Ip => Check::Ip,
        RuleKind::Each(rules) => {
            let item = own.items();
            let mut options = 0;
            let mut inner = item.map(shape);
            while let Some(Shape::Option(ty)) = inner {
                options += 1;
                inner = Some(shape(ty));
            }
            Check::Each {
                rules: checked(rules, item, message.cloned(), false, errors),
                options,
            }
        }
        RuleKind::Validate(path) => Check::Custom(path.clone()),
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

/// A default that breaks the rule would refuse the configuration that says nothing.
fn outside(rule: &RuleAttr, own: Shape<'_>, default: &Expr, errors: &mut Errors) {
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
    let broken = match &rule.kind {
        RuleKind::Range(range) => range::excludes(range, own, default),
        RuleKind::Length(range) => count.is_some_and(|count| range::excludes_count(range, count)),
        RuleKind::NonEmpty => count == Some(0),
        RuleKind::Pattern(pattern) => {
            text.is_some_and(|text| !matches_pattern(&pattern.value(), &text))
        }
        RuleKind::OneOf(list) => {
            !list.elems.is_empty() && list.elems.iter().all(|one| differs(one, default))
        }
        RuleKind::Ip => text.is_some_and(|text| text.parse::<std::net::IpAddr>().is_err()),
        RuleKind::Each(rules) => {
            let item = own.items().map_or(Shape::Other, shape).inner();
            for (rule, one) in rules
                .all
                .iter()
                .flat_map(|rule| items.into_iter().flatten().map(move |one| (rule, one)))
            {
                outside(rule, item, one, errors);
            }
            false
        }
        RuleKind::Email | RuleKind::Url | RuleKind::Validate(_) => false,
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
