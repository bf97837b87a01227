//! Writes what was kept as a document of its format, which the fast decoder reads as it read the first one.

use super::{only, simple_key};
use crate::codec::Tree;
use flux_syntax::Format;

/// A document of the format.
pub(super) fn document(format: Format, kept: &Tree) -> Option<String> {
    let mut text = String::new();
    match (format, kept) {
        (Format::Toml, Tree::Map(entries)) => {
            for (key, value) in entries {
                quoted(key, &mut text);
                text.push_str(" = ");
                value_text(format, value, &mut text)?;
                text.push('\n');
            }
        }
        (Format::Toml, _) => return None,
        _ => value_text(format, kept, &mut text)?,
    }
    Some(text)
}

fn value_text(format: Format, kept: &Tree, text: &mut String) -> Option<()> {
    match kept {
        Tree::Null if format == Format::Toml => return None,
        Tree::Null => text.push_str("null"),
        Tree::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Tree::U64(number) => text.push_str(&number.to_string()),
        Tree::I64(number) => text.push_str(&number.to_string()),
        // They are written as plain text.
        Tree::F64(_) | Tree::Raw(_) => return None,
        Tree::Str(value) => quoted(value, text),
        Tree::Seq(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push_str(", ");
                }
                value_text(format, item, text)?;
            }
            text.push(']');
        }
        Tree::Map(entries) => match entries.as_slice() {
            [(key, Tree::Str(plain))] if key == "$plain" => plain_text(format, plain, text),
            [(key, Tree::Seq(pairs))] if key == "$entries" => {
                text.push('{');
                for (number, pair) in pairs.iter().enumerate() {
                    let Tree::Seq(pair) = pair else { return None };
                    let [key, value] = pair.as_slice() else {
                        return None;
                    };
                    if number > 0 {
                        text.push_str(", ");
                    }
                    entry(format, key, value, text)?;
                }
                text.push('}');
            }
            [(tag, Tree::Str(name)), (of, value)] if tag == "$tag" && of == "$of" => {
                if format != Format::Yaml {
                    return None;
                }
                match name.strip_prefix("tag:yaml.org,2002:") {
                    Some(short) => text.push_str(&format!("!!{short} ")),
                    None if name.starts_with('!') => text.push_str(&format!("{name} ")),
                    None => text.push_str(&format!("!<{name}> ")),
                }
                match only(value, "$plain") {
                    // Nothing but the tag.
                    Some(Tree::Str(nothing)) if nothing.is_empty() => {}
                    _ => value_text(format, value, text)?,
                }
            }
            entries => {
                text.push('{');
                for (number, (key, value)) in entries.iter().enumerate() {
                    if number > 0 {
                        text.push_str(", ");
                    }
                    let key = match format {
                        Format::Yaml => simple_key(key.clone()),
                        _ => Tree::Str(key.clone()),
                    };
                    entry(format, &key, value, text)?;
                }
                text.push('}');
            }
        },
    }
    Some(())
}

fn entry(format: Format, key: &Tree, value: &Tree, text: &mut String) -> Option<()> {
    // A key that could be too long for its short form, or of several parts.
    let long = |key: &String| key.len() > 100;
    let marked = match key {
        Tree::Str(key) => long(key),
        Tree::Seq(_) | Tree::Map(_) => true,
        _ => false,
    };
    if format == Format::Yaml && marked {
        text.push_str("? ");
    }
    value_text(format, key, text)?;
    text.push_str(if format == Format::Toml { " = " } else { " : " });
    value_text(format, value, text)
}

/// A scalar without quotes.
fn plain_text(format: Format, plain: &str, text: &mut String) {
    let safe =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-' | '~' | ':');
    // What begins with these alone is no plain scalar.
    let rest = plain.strip_prefix(['-', ':']).unwrap_or(plain);
    let begins =
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '~' | '+' | '_'));
    let verbatim = format != Format::Yaml
        || begins && plain.chars().all(safe) && !plain.ends_with(':') && !plain.starts_with("...");
    match verbatim {
        true => text.push_str(plain),
        // It is no number, and text is text.
        false => quoted(plain, text),
    }
}

/// A string in double quotes, as JSON, YAML and TOML read it alike.
fn quoted(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c.is_control()
                || matches!(
                    c,
                    '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
                ) =>
            {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}
