//! What `--help` prints: every argument with its docs, default, rules and variable.

use super::{
    Arguments,
    described::{ArgumentForm, DescribedArgument, described},
    names::{HELP, HELP_SHORT, SET},
};
use crate::{schema::Field, source::DecodeTree};
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
    let all = described(fields, decode, prefixes).into_iter();
    for one in all.filter(|one| !one.is_hidden) {
        argument(&mut text, &one);
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

fn argument(text: &mut String, one: &DescribedArgument) {
    let short = one
        .short
        .map_or("    ".to_owned(), |letter| format!("-{letter}, "));
    let name = &one.names[0];
    let value = match one.form {
        ArgumentForm::Switch => format!(", --no-{name}"),
        ArgumentForm::Values => format!(" <{}>...", one.type_name),
        ArgumentForm::Value => format!(" <{}>", one.type_name),
    };
    let _ = writeln!(text, "  {short}--{name}{value}");
    for line in one.docs.trim().lines() {
        let _ = writeln!(text, "          {line}");
    }
    if !one.notes.is_empty() {
        let _ = writeln!(text, "          [{}]", one.notes.join("] ["));
    }
    text.push('\n');
}
