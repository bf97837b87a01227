//! What people can read of each argument, whoever prints it.

use super::names::{KnownArgument, known, may_be_typed};
use crate::{
    document::AskedForm,
    schema::{self, Bound, Constraint, ConstraintKind, Field},
    source::{
        DecodeTree,
        environment::{self, step::path_of},
    },
};

/// What follows the name of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArgumentForm {
    /// Nothing, or `=` and a value; `--no-NAME` is its negation.
    Switch,
    Value,
    /// A value; the argument may be repeated.
    Values,
}

/// One argument with its texts.
#[derive(Debug, Clone)]
pub(crate) struct DescribedArgument {
    /// Without hyphens in front; the one that the help shows first.
    pub(crate) names: Vec<String>,
    /// Those with a key of an earlier version in them, which no help shows.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the help shows none"))]
    pub(crate) old: Vec<String>,
    /// No help shows it.
    pub(crate) is_hidden: bool,
    pub(crate) short: Option<char>,
    pub(crate) form: ArgumentForm,
    pub(crate) type_name: &'static str,
    pub(crate) docs: &'static str,
    /// Default, rules and variable: `default: 8080`.
    pub(crate) notes: Vec<String>,
    /// The values of a rule `one_of`.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "for completions"))]
    pub(crate) choices: &'static [&'static str],
}

/// Every argument that may be typed, in the order of the fields. Variables are named under these prefixes, of which later ones win.
pub(crate) fn described<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    prefixes: &[&str],
) -> Vec<DescribedArgument> {
    let known = known(fields, decode).into_iter();
    let known = known.filter(|one| may_be_typed(one.field));
    known
        .map(|one| DescribedArgument {
            notes: notes(fields, prefixes, &one),
            names: one.names,
            old: one.old,
            is_hidden: one.field.is_removed() && one.field.deprecated().is_some(),
            short: one.short,
            form: match one.form {
                Some(AskedForm::Bool) => ArgumentForm::Switch,
                Some(AskedForm::List | AskedForm::Map) => ArgumentForm::Values,
                None => ArgumentForm::Value,
            },
            type_name: one.field.type_name(),
            docs: one.field.docs(),
            choices: choices(one.field),
        })
        .collect()
}

fn notes(fields: &'static [Field], prefixes: &[&str], one: &KnownArgument) -> Vec<String> {
    let field = one.field;
    let mut notes = Vec::new();
    match field.printed_default() {
        Some(default) if !field.is_secret() => notes.push(format!("default: {default}")),
        None if field.is_required() => notes.push("required".to_owned()),
        _ => {}
    }
    notes.extend(field.constraints().iter().filter_map(rule));
    notes.extend(schema::deprecation(field));
    let path = path_of(&one.steps);
    let mut prefixes = prefixes.iter().rev();
    let variable = prefixes.find_map(|prefix| environment::name_of(fields, prefix, &path));
    notes.extend(variable.map(|variable| format!("variable: {variable}")));
    notes
}

fn choices(field: &Field) -> &'static [&'static str] {
    let rules = field.constraints().iter();
    let mut choices = rules.filter_map(|rule| match rule.kind {
        ConstraintKind::OneOf(values) => Some(values),
        _ => None,
    });
    choices.next().unwrap_or_default()
}

/// A rule in the fewest words. One that is a function of the program has none but its own sentence.
fn rule(constraint: &Constraint) -> Option<String> {
    if let Some(message) = constraint.message {
        return Some(message.to_owned());
    }
    Some(match constraint.kind {
        ConstraintKind::Range(start, end) => format!("range: {}", range(start, end)),
        ConstraintKind::Length(start, end) => format!("length: {}", range(start, end)),
        ConstraintKind::NonEmpty => "not empty".to_owned(),
        ConstraintKind::Pattern(pattern) => format!("pattern: {pattern}"),
        ConstraintKind::OneOf(values) => format!("one of: {}", values.join(", ")),
        ConstraintKind::Email => "an address of e-mail".to_owned(),
        ConstraintKind::Url => "a URL".to_owned(),
        ConstraintKind::Ip => "an IP address".to_owned(),
        ConstraintKind::Each(rules) => {
            let rules: Vec<String> = rules.iter().filter_map(rule).collect();
            if rules.is_empty() {
                return None;
            }
            format!("each: {}", rules.join(", "))
        }
        ConstraintKind::Custom(_) => return None,
    })
}

fn range(start: Bound, end: Bound) -> String {
    let start = match start {
        Bound::None => "",
        Bound::Included(text) | Bound::Excluded(text) => text,
    };
    match end {
        Bound::None => format!("{start}.."),
        Bound::Included(text) => format!("{start}..={text}"),
        Bound::Excluded(text) => format!("{start}..{text}"),
    }
}
