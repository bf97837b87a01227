//! How a document is laid out: on lines of its own, with headers, comments, keys apart from their values, aliases.

use crate::{commented, places::Markers};
use flux::Format;
use serde_json::Value;

/// A key in TOML.
fn key(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match !text.is_empty() && text.chars().all(is_bare) {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}

/// A document in TOML, with headers or without.
fn in_toml(value: &Value, has_headers: bool) -> String {
    let entries = value.as_object().into_iter().flatten();
    let (mut top, mut below) = (String::new(), String::new());
    for (name, value) in entries.filter(|(_, value)| !value.is_null()) {
        match value {
            Value::Object(entries) if has_headers => {
                below += &format!("\n[{}]\n", key(name));
                for (name, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                    below += &format!("{} = {}\n", key(name), inline(value));
                }
            }
            _ => top += &format!("{} = {}\n", key(name), inline(value)),
        }
    }
    top + &below
}

fn inline(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            let entries = entries.map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Null => "\"\"".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// The document as a text; none where the format cannot have it.
pub(crate) fn printed(value: &Value, format: Format, markers: &mut Markers) -> Option<String> {
    match format {
        Format::Yaml => match markers.below(6) {
            0 | 1 => serde_json::to_string(value).ok(),
            2 => Some(with_keys_alone(
                &serde_yaml::to_string(value).ok()?,
                Format::Yaml,
                markers,
            )),
            3 => Some(with_aliases(&serde_yaml::to_string(value).ok()?)),
            _ => serde_yaml::to_string(value).ok(),
        },
        Format::Toml => Some(in_toml(value, markers.one_in(2))),
        Format::Jsonc | Format::Json5 => {
            Some(commented::printed(value, format == Format::Json5, markers))
        }
        _ => match markers.below(4) {
            0 => Some(with_keys_alone(
                &serde_json::to_string_pretty(value).ok()?,
                Format::Json,
                markers,
            )),
            1 => serde_json::to_string_pretty(value).ok(),
            _ => serde_json::to_string(value).ok(),
        },
    }
}

/// The text with some of its keys on a line of their own, so that no line has both a key and its value.
fn with_keys_alone(text: &str, format: Format, markers: &mut Markers) -> String {
    let split = |line: &str, markers: &mut Markers| {
        let (key, value) = line.split_once(": ")?;
        let (indent, name) = key.split_at(key.len() - key.trim_start().len());
        if markers.one_in(2) {
            return None;
        }
        match format {
            // An item of a list has a `-` before its first key.
            Format::Yaml if name.starts_with('-') => None,
            Format::Json if !name.ends_with('"') => None,
            Format::Yaml => Some(format!("{indent}? {name}\n{indent}: {value}\n")),
            _ => Some(format!("{key}\n:\n{value}\n")),
        }
    };
    let lines = text.lines();
    lines
        .map(|line| split(line, markers).unwrap_or_else(|| format!("{line}\n")))
        .collect()
}

/// The text with the password as an anchor, and an alias wherever it is written again.
fn with_aliases(text: &str) -> String {
    let password = text
        .lines()
        .find_map(|line| line.strip_prefix("password: "));
    let Some(password) = password.filter(|password| password.starts_with("zq")) else {
        return text.to_owned();
    };
    let alias = |line: &str| {
        let before = line.strip_suffix(password)?;
        match before {
            "password: " => Some(format!("{before}&twin {password}\n")),
            _ => Some(format!("{before}*twin\n")),
        }
    };
    let lines = text.lines();
    lines
        .map(|line| alias(line).unwrap_or_else(|| format!("{line}\n")))
        .collect()
}
