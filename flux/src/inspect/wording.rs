//! A field's rules in words, for explanations, templates and references.

use crate::schema::{self, Bound, ChangeRule, Constraint, ConstraintKind, Field};

/// What the values of a field must satisfy.
pub(super) fn rules(field: &Field) -> Vec<String> {
    let rules = field.constraints().iter();
    rules
        .map(|rule| sentence(rule, !field.is_secret()))
        .collect()
}

fn sentence(rule: &Constraint, shown: bool) -> String {
    if let Some(message) = rule.message {
        return message.to_owned();
    }
    match rule.kind {
        ConstraintKind::Range(from, to) => format!("must be in {}", range(from, to)),
        ConstraintKind::Length(from, to) => {
            format!("must have {} characters or items", range(from, to))
        }
        ConstraintKind::NonEmpty => "must not be empty".to_owned(),
        ConstraintKind::Pattern(pattern) => format!("must match `{pattern}`"),
        ConstraintKind::OneOf(allowed) if shown => format!("must be one of {allowed:?}"),
        ConstraintKind::OneOf(_) => "must be one of a few values".to_owned(),
        ConstraintKind::Email => "must be an email address".to_owned(),
        ConstraintKind::Url => "must be a URL".to_owned(),
        ConstraintKind::Ip => "must be an IP address".to_owned(),
        ConstraintKind::Each(rules) => {
            let rules: Vec<String> = rules.iter().map(|rule| sentence(rule, shown)).collect();
            format!("each item {}", rules.join(" and "))
        }
        ConstraintKind::Custom(function) => format!("is checked by `{function}`"),
    }
}

fn range(from: Bound, to: Bound) -> String {
    let start = match from {
        Bound::None => "",
        Bound::Included(text) | Bound::Excluded(text) => text,
    };
    match to {
        Bound::None => format!("{start}.."),
        Bound::Included(end) => format!("{start}..={end}"),
        Bound::Excluded(end) => format!("{start}..{end}"),
    }
}

/// What the running value may become.
pub(super) fn change_rules(field: &Field) -> Vec<String> {
    let rules = field.changes().iter();
    let rule = |rule: &ChangeRule| match rule {
        ChangeRule::Immutable => "must not change while the program runs".to_owned(),
        ChangeRule::Restart => "a change waits for a restart of the program".to_owned(),
        // In ten thousandths of a percent.
        ChangeRule::MaxChange(limit) => {
            let percent = format!("{}.{:04}", limit / 10_000, limit % 10_000);
            let percent = percent.trim_end_matches('0').trim_end_matches('.');
            format!("must change by at most {percent}% at a time")
        }
        ChangeRule::Monotonic => "must not decrease".to_owned(),
    };
    rules.map(rule).collect()
}

/// Other keys that a document may have for it.
pub(super) fn aliases(field: &Field) -> Option<String> {
    let aliases = field.aliases();
    (!aliases.is_empty()).then(|| format!("alias: {}", aliases.join(", ")))
}

/// What to do instead, where it is deprecated, and how long it is read.
pub(super) fn deprecation(field: &'static Field) -> Option<String> {
    schema::deprecation(field)
}

/// How the program reads a hot field.
pub(super) fn hot(field: &Field) -> Option<String> {
    let accessor = field.accessor()?;
    Some(format!("hot: read by `{accessor}()`"))
}

/// A doc comment in one line.
pub(super) fn docs(field: &Field) -> String {
    let words: Vec<&str> = field.docs().split_whitespace().collect();
    words.join(" ")
}
