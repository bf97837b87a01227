//! What `--help` prints: every argument with its docs, default, rules and variable.

use super::{
    Arguments,
    names::{HELP, HELP_SHORT, KnownArgument, SET, known, may_be_typed},
};
use crate::{
    document::AskedForm,
    schema::{Bound, Constraint, ConstraintKind, Field},
    source::{
        DecodeTree,
        environment::{self, step::path_of},
    },
};
use std::fmt::Write;

/// The text of the help. Variables are named where the environment is a layer, with these prefixes.
pub(crate) fn help<L>(
    fields: &'static [Field],
    decode: DecodeTree<L>,
    prefixes: &[&str],
    arguments: &Arguments,
) -> String {
    let program = arguments.program().unwrap_or_else(|| "PROGRAM".to_owned());
    let mut text = format!("Usage: {program} [ARGUMENTS]\n\nArguments:\n");
    for one in known(fields, decode) {
        if may_be_typed(one.field) {
            argument(&mut text, &one, &variable(fields, prefixes, &one));
        }
    }
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "      --{SET} <PATH=VALUE>\n          Sets the value at any path, also in a list or a map: `--{SET} tenants.a.max=3`\n\
         \n  -{HELP_SHORT}, --{HELP}\n          Prints this help\n",
    );
    text.truncate(text.trim_end().len());
    text
}

fn variable(fields: &'static [Field], prefixes: &[&str], one: &KnownArgument) -> Option<String> {
    let path = path_of(&one.steps);
    let mut prefixes = prefixes.iter().rev();
    prefixes.find_map(|prefix| environment::name_of(fields, prefix, &path))
}

fn argument(text: &mut String, one: &KnownArgument, variable: &Option<String>) {
    let field = one.field;
    let short = one
        .short
        .map_or("    ".to_owned(), |letter| format!("-{letter}, "));
    let name = &one.names[0];
    let value = match one.form {
        Some(AskedForm::Bool) => format!(", --no-{name}"),
        Some(AskedForm::List | AskedForm::Map) => format!(" <{}>...", field.type_name()),
        None => format!(" <{}>", field.type_name()),
    };
    let _ = writeln!(text, "  {short}--{name}{value}");
    for line in field.docs().trim().lines() {
        let _ = writeln!(text, "          {line}");
    }
    let mut notes = Vec::new();
    match field.printed_default() {
        Some(default) if !field.is_secret() => notes.push(format!("default: {default}")),
        None if field.is_required() => notes.push("required".to_owned()),
        _ => {}
    }
    notes.extend(field.constraints().iter().filter_map(rule));
    notes.extend(
        variable
            .as_ref()
            .map(|variable| format!("variable: {variable}")),
    );
    if !notes.is_empty() {
        let _ = writeln!(text, "          [{}]", notes.join("] ["));
    }
    text.push('\n');
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
