//! How a configuration is written as YAML, TOML or JSON, with comments where the format has them: quoting, order, indentation.

use super::value::{ConfigValue, quoted};
use flux_syntax::Format;

/// A key with what is behind it, as it is to be written.
#[derive(Debug, Clone)]
pub(super) struct PrintedEntry {
    pub(super) key: String,
    /// Comments above it.
    pub(super) above: Vec<String>,
    /// A comment behind it.
    pub(super) behind: Option<String>,
    pub(super) content: PrintedContent,
    /// It is written as a comment: a document without it has the same values.
    pub(super) is_comment: bool,
}

/// What is behind a key.
#[derive(Debug, Clone)]
pub(super) enum PrintedContent {
    Value(ConfigValue),
    Map(Vec<PrintedEntry>),
    List(Vec<PrintedContent>),
    /// Nothing is known of it but that it is there.
    Open,
}

/// The document.
pub(super) fn print(format: Format, entries: &[PrintedEntry]) -> String {
    let mut lines = Vec::new();
    match format {
        Format::Toml => toml_table(&[], entries, false, &mut lines),
        // What is JSON is JSONC and JSON5 too.
        Format::Json | Format::Jsonc | Format::Json5 => {
            let mut text = String::new();
            json(&value(&PrintedContent::Map(entries.to_vec())), 0, &mut text);
            lines.push(text);
        }
        _ => yaml_map(entries, 0, false, &mut lines),
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// A value as a JSON document.
pub(super) fn print_json(value: &ConfigValue) -> String {
    let mut text = String::new();
    json(value, 0, &mut text);
    text.push('\n');
    text
}

/// What a document with these entries contains.
pub(super) fn value(content: &PrintedContent) -> ConfigValue {
    match content {
        PrintedContent::Value(value) => value.clone(),
        PrintedContent::Open => ConfigValue::Null,
        PrintedContent::List(items) => ConfigValue::List(items.iter().map(value).collect()),
        PrintedContent::Map(entries) => {
            let entries = entries.iter().filter(|one| !one.is_comment);
            let entry = |one: &PrintedEntry| (one.key.clone(), value(&one.content));
            ConfigValue::Map(entries.map(entry).collect())
        }
    }
}

fn indented(depth: usize, text: &str, is_comment: bool) -> String {
    let blanks = "  ".repeat(depth);
    match is_comment {
        true => format!("{blanks}# {text}"),
        false => format!("{blanks}{text}"),
    }
}

fn with_comment(line: String, behind: Option<&String>) -> String {
    match behind {
        Some(comment) => format!("{line}  # {comment}"),
        None => line,
    }
}

fn yaml_map(entries: &[PrintedEntry], depth: usize, is_comment: bool, lines: &mut Vec<String>) {
    for entry in entries {
        let is_comment = is_comment || entry.is_comment;
        for comment in &entry.above {
            lines.push(indented(depth, &format!("# {comment}"), false));
        }
        let key = yaml_key(&entry.key);
        let mut push = |text: String| {
            let line = indented(depth, &text, is_comment);
            lines.push(with_comment(line, entry.behind.as_ref()));
        };
        match &entry.content {
            PrintedContent::Open => push(format!("{key}:")),
            PrintedContent::Value(value) => push(format!("{key}: {}", yaml(value))),
            PrintedContent::Map(inner) => {
                let has_entries = is_comment || inner.iter().any(|one| !one.is_comment);
                push(format!("{key}:{}", if has_entries { "" } else { " {}" }));
                yaml_map(inner, depth + 1, is_comment, lines);
            }
            PrintedContent::List(items) if items.is_empty() => push(format!("{key}: []")),
            PrintedContent::List(items) => {
                push(format!("{key}:"));
                yaml_list(items, depth + 1, is_comment, lines);
            }
        }
    }
}

fn yaml_list(items: &[PrintedContent], depth: usize, is_comment: bool, lines: &mut Vec<String>) {
    for item in items {
        match item {
            PrintedContent::Open => lines.push(indented(depth, "-", is_comment)),
            PrintedContent::Value(value) => {
                lines.push(indented(depth, &format!("- {}", yaml(value)), is_comment));
            }
            PrintedContent::Map(inner) => {
                let has_entries = is_comment || inner.iter().any(|one| !one.is_comment);
                let dash = if has_entries { "-" } else { "- {}" };
                lines.push(indented(depth, dash, is_comment));
                yaml_map(inner, depth + 1, is_comment, lines);
            }
            PrintedContent::List(inner) if inner.is_empty() => {
                lines.push(indented(depth, "- []", is_comment));
            }
            PrintedContent::List(inner) => {
                lines.push(indented(depth, "-", is_comment));
                yaml_list(inner, depth + 1, is_comment, lines);
            }
        }
    }
}

/// A key without quotes where it means the same: a word that is only a word, or a number, which keys of numbers need.
fn yaml_key(key: &str) -> String {
    let reserved = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ];
    let is_reserved = reserved.iter().any(|word| key.eq_ignore_ascii_case(word));
    let is_integer = key
        .parse::<i128>()
        .is_ok_and(|number| number.to_string() == key);
    match is_integer || is_word(key) && !is_reserved {
        true => key.to_owned(),
        false => quoted(key),
    }
}

fn is_word(key: &str) -> bool {
    let first = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    first
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A value in one line.
fn yaml(value: &ConfigValue) -> String {
    match value {
        ConfigValue::Number(text) => match text.as_str() {
            "inf" => ".inf".to_owned(),
            "-inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        ConfigValue::List(items) => {
            let items: Vec<String> = items.iter().map(yaml).collect();
            format!("[{}]", items.join(", "))
        }
        ConfigValue::Map(entries) => {
            let entry = |(key, value): &(String, ConfigValue)| {
                format!("{}: {}", yaml_key(key), yaml(value))
            };
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
        ConfigValue::Secret => quoted(super::value::SECRET),
        value => value.to_string(),
    }
}

fn json(value: &ConfigValue, depth: usize, text: &mut String) {
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    };
    match value {
        ConfigValue::List(items) if items.iter().any(is_structure) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                line(text, depth + 1);
                json(item, depth + 1, text);
            }
            line(text, depth);
            text.push(']');
        }
        ConfigValue::Map(entries) if !entries.is_empty() => {
            text.push('{');
            for (number, (key, value)) in entries.iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                line(text, depth + 1);
                text.push_str(&quoted(key));
                text.push_str(": ");
                json(value, depth + 1, text);
            }
            line(text, depth);
            text.push('}');
        }
        ConfigValue::Number(number) if matches!(number.as_str(), "inf" | "-inf" | "NaN") => {
            text.push_str("null");
        }
        ConfigValue::Secret => text.push_str(&quoted(super::value::SECRET)),
        ConfigValue::List(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push_str(", ");
                }
                json(item, depth, text);
            }
            text.push(']');
        }
        value => text.push_str(&value.to_string()),
    }
}

fn is_structure(value: &ConfigValue) -> bool {
    matches!(value, ConfigValue::List(_) | ConfigValue::Map(_))
}

/// The values of a table, and then the tables in it.
fn toml_table(
    path: &[String],
    entries: &[PrintedEntry],
    is_comment: bool,
    lines: &mut Vec<String>,
) {
    let (tables, values): (Vec<_>, Vec<_>) = entries.iter().partition(|one| is_table(&one.content));
    for entry in values {
        let is_comment = is_comment || entry.is_comment;
        lines.extend(entry.above.iter().map(|comment| format!("# {comment}")));
        let key = toml_key(&entry.key);
        let written = match &entry.content {
            PrintedContent::Open => None,
            content => toml(&value(content)),
        };
        let line = match (written, is_comment) {
            (Some(text), false) => format!("{key} = {text}"),
            (Some(text), true) => format!("# {key} = {text}"),
            (None, _) => format!("# {key} ="),
        };
        lines.push(with_comment(line, entry.behind.as_ref()));
    }
    for entry in tables {
        let is_comment = is_comment || entry.is_comment;
        let path = [path, &[toml_key(&entry.key)]].concat();
        let header = path.join(".");
        let sign = if is_comment { "# " } else { "" };
        let begin = |open: &str, close: &str, lines: &mut Vec<String>, is_first: bool| {
            lines.push(String::new());
            if is_first {
                lines.extend(entry.above.iter().map(|comment| format!("# {comment}")));
            }
            let behind = entry.behind.as_ref().filter(|_| is_first);
            lines.push(with_comment(format!("{sign}{open}{header}{close}"), behind));
        };
        match &entry.content {
            PrintedContent::Map(inner) => {
                begin("[", "]", lines, true);
                toml_table(&path, inner, is_comment, lines);
            }
            PrintedContent::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    begin("[[", "]]", lines, number == 0);
                    if let PrintedContent::Map(inner) = item {
                        toml_table(&path, inner, is_comment, lines);
                    }
                }
            }
            PrintedContent::Value(_) | PrintedContent::Open => {}
        }
    }
}

fn is_table(content: &PrintedContent) -> bool {
    match content {
        PrintedContent::Map(_) => true,
        PrintedContent::List(items) => {
            let is_map = |item: &PrintedContent| matches!(item, PrintedContent::Map(_));
            !items.is_empty() && items.iter().all(is_map)
        }
        PrintedContent::Value(_) | PrintedContent::Open => false,
    }
}

fn toml_key(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match !key.is_empty() && key.bytes().all(is_bare) {
        true => key.to_owned(),
        false => quoted(key),
    }
}

/// A value in one line; none where TOML has no word for it.
fn toml(value: &ConfigValue) -> Option<String> {
    Some(match value {
        ConfigValue::Null => return None,
        ConfigValue::Number(text) if text == "NaN" => "nan".to_owned(),
        ConfigValue::List(items) => {
            let items: Vec<String> = items.iter().filter_map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        ConfigValue::Map(entries) => {
            let entry = |(key, value): &(String, ConfigValue)| {
                Some(format!("{} = {}", toml_key(key), toml(value)?))
            };
            let entries: Vec<String> = entries.iter().filter_map(entry).collect();
            match entries.is_empty() {
                true => "{}".to_owned(),
                false => format!("{{ {} }}", entries.join(", ")),
            }
        }
        ConfigValue::Secret => quoted(super::value::SECRET),
        value => value.to_string(),
    })
}
