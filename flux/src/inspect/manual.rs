//! The manual page of the settings, in roff.

use super::{field_names::FieldNames, wording};
use crate::{
    problem::{Seg, escaped},
    schema::Field,
};

/// One setting: its key, what is known of it, and its docs.
pub(super) fn entry(field: &'static Field, key: &str, path: &[Seg], names: &FieldNames) -> String {
    let mut facts = Vec::new();
    if !field.type_name().is_empty() {
        facts.push(format!("type {}", field.type_name()));
    }
    match field.default() {
        Some(_) if field.is_secret() => facts.push("has a default".to_owned()),
        Some(default) => {
            let printed = field.printed_default().unwrap_or(default.text);
            facts.push(format!("default {printed}"));
        }
        None if field.is_required() => facts.push("required".to_owned()),
        None => facts.push("optional".to_owned()),
    }
    if field.is_secret() {
        facts.push("secret".to_owned());
    }
    facts.extend(wording::rules(field));
    facts.extend(wording::change_rules(field));
    facts.extend(wording::deprecation(field));
    facts.extend(wording::hot(field));
    facts.extend(wording::aliases(field));
    facts.extend(names.variable(path).map(|name| format!("variable {name}")));
    let arguments = names.arguments(field, path);
    if !arguments.is_empty() {
        facts.push(format!("argument {}", arguments.join(", ")));
    }
    let mut text = format!(".TP\n.B {}\n", line(key));
    let docs = wording::docs(field);
    if !docs.is_empty() {
        text.push_str(&format!("{}\n.br\n", line(&docs)));
    }
    text.push_str(&line(&facts.join("; ")));
    text.push('\n');
    text
}

/// The page with these settings.
pub(super) fn page(name: &str, docs: &str, settings: &[String]) -> String {
    let title = line(&name.to_uppercase()).replace('"', "\\(dq");
    let mut text = format!(
        ".TH \"{title}\" 5\n.SH NAME\n{} \\- settings of the configuration\n",
        line(name)
    );
    let paragraphs = docs.trim().split("\n\n");
    let mut paragraphs = paragraphs.filter(|one| !one.trim().is_empty()).peekable();
    if paragraphs.peek().is_some() {
        text.push_str(".SH DESCRIPTION\n");
    }
    for (number, paragraph) in paragraphs.enumerate() {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        let space = if number > 0 { ".PP\n" } else { "" };
        text.push_str(&format!("{space}{}\n", line(&words.join(" "))));
    }
    text.push_str(".SH SETTINGS\n");
    text.extend(settings.iter().map(String::as_str));
    text
}

/// A line of text that roff prints as it is.
fn line(text: &str) -> String {
    let text = escaped(text).replace('\\', "\\e").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}
