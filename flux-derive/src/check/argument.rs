//! Which `arg` and `short` do not compile: names that are taken, malformed, of a secret, or of two fields.

use super::kind;
use crate::{
    ast::{FieldInput, Input},
    errors::Errors,
    model,
    options::Key,
    words::plain,
};
use proc_macro2::TokenStream;
use quote::ToTokens;
use std::collections::HashMap;
use syn::{Expr, ExprLit, Lit};

/// What every program with arguments has already.
const TAKEN: [(&str, &str); 2] = [
    ("help", "prints the help"),
    ("set", "sets the value at any path"),
];

/// The letter that asks for the help.
const HELP: char = 'h';

/// The whole name of a field's argument.
pub(super) fn name(written: &FieldInput<'_>, errors: &mut Errors) -> Option<String> {
    let text = written.options.text(Key::Arg)?;
    let name = text.value();
    if let Some(why) = nameless(written, "arg") {
        errors.at(text, why);
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_possible = name.starts_with(char::is_alphabetic) && name.chars().all(is_part);
    if let Some(bare) = name.strip_prefix('-') {
        let bare = bare.trim_start_matches('-');
        errors.at(
            text,
            format!("the hyphens are not part of the name; write `arg = \"{bare}\"`"),
        );
    } else if !is_possible {
        errors.at(
            text,
            format!(
                "`{}` cannot be the name of an argument, which begins with a letter and has letters, digits, `-`, `_` and `.`; write one such as `listen`",
                name.escape_default()
            ),
        );
    } else if let Some((_, does)) = TAKEN.iter().find(|(taken, _)| *taken == name) {
        errors.at(text, format!("`--{name}` {does}; write another name"));
    } else {
        return Some(name);
    }
    None
}

/// The letter of a field's short argument.
pub(super) fn short(written: &FieldInput<'_>, errors: &mut Errors) -> Option<char> {
    let expr = written.options.expr(Key::Short)?;
    if let Some(why) = nameless(written, "short") {
        errors.at(expr, why);
        return None;
    }
    let Some(letter) = character(expr) else {
        errors.at(expr, "`short` is one character: `short = 'p'`");
        return None;
    };
    if letter == HELP {
        errors.at(expr, "`-h` prints the help; write another letter");
    } else if !letter.is_ascii_alphanumeric() {
        errors.at(
            expr,
            format!(
                "`-{}` cannot be an argument; write a letter or a digit",
                letter.escape_default()
            ),
        );
    } else if is_secret(written) && !written.options.is_set(Key::Arg) {
        errors.at(
            expr,
            "everybody on a machine can read the arguments of its processes, so a secret has none; if that is accepted here, name its long argument: `arg = \"..\"`",
        );
    } else {
        return Some(letter);
    }
    None
}

fn is_secret(written: &FieldInput<'_>) -> bool {
    written.options.is_set(Key::Secret) || kind::sealed(&written.original.ty).is_some()
}

fn character(expr: &Expr) -> Option<char> {
    match expr {
        Expr::Group(group) => character(&group.expr),
        Expr::Lit(ExprLit {
            lit: Lit::Char(letter),
            ..
        }) => Some(letter.value()),
        _ => None,
    }
}

/// Why a field has no argument of its own.
fn nameless(written: &FieldInput<'_>, option: &str) -> Option<String> {
    let options = &written.options;
    let why = if options.is_set(Key::SerdeSkip) {
        format!("nothing sets a field that is skipped; remove `{option}`")
    } else if options.is_set(Key::SerdeFlatten) {
        format!("what is flattened has no name of its own; remove `{option}`")
    } else if written.is_section() {
        format!("a section has an argument for each of its fields; put `{option}` on them")
    } else {
        return None;
    };
    Some(why)
}

/// Two fields with one name could not be distinguished on a command line.
pub(super) fn distinct(input: &Input<'_>, fields: &[model::Field<'_>], errors: &mut Errors) {
    let mut names: HashMap<String, String> = HashMap::new();
    let mut shorts: HashMap<char, String> = HashMap::new();
    // A field whose name is computed gives way to nobody: the error is where a name was chosen.
    let computed = fields.iter().filter(|field| field.argument.is_none());
    for field in computed.filter(|field| field.is_keyed()) {
        let name = flux_syntax::env_segment(&field.key).to_lowercase();
        names.insert(name.replace('_', "-"), plain(field.ident));
    }
    for field in fields {
        let Some(written) = input.fields.iter().find(|one| one.ident == field.ident) else {
            continue;
        };
        let own = plain(field.ident);
        let mut clash = |at: TokenStream, argument: String, other: &str| {
            errors.at(
                at,
                format!("`{argument}` sets both `{other}` and `{own}`; name another one"),
            );
        };
        if let Some(name) = &field.argument
            && let Some(other) = names.insert(name.replace('_', "-"), own.clone())
        {
            let at = written.options.text(Key::Arg).to_token_stream();
            clash(at, format!("--{name}"), &other);
        }
        if let Some(letter) = field.short
            && let Some(other) = shorts.insert(letter, own.clone())
        {
            let at = written.options.expr(Key::Short).to_token_stream();
            clash(at, format!("-{letter}"), &other);
        }
    }
}
