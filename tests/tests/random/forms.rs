//! A tree as a document of each format.

use crate::{commented::CommentedText, documents::TreeNode, random::Random};
use flux::Format;
use std::fmt::Write;

/// The document in a format, or none where the format cannot express it.
pub(crate) fn print(node: &TreeNode, format: Format, style: u64) -> Option<String> {
    let mut random = Random::new(style);
    match format {
        Format::Json => Some(inline(node, format)?),
        Format::Jsonc | Format::Json5 => {
            let mut text = String::new();
            CommentedText {
                random: &mut random,
                is_json5: format == Format::Json5,
            }
            .value(&mut text, node);
            Some(text)
        }
        Format::Yaml => {
            let mut text = String::new();
            match node {
                TreeNode::Map(entries) if !entries.is_empty() => {
                    block(&mut text, entries, 0, &mut random);
                }
                _ => text = inline(node, format)?,
            }
            Some(text)
        }
        Format::Toml => {
            let TreeNode::Map(entries) = node else {
                return None;
            };
            if entries.is_empty() {
                return None;
            }
            let (mut text, mut tables) = (String::new(), String::new());
            for (key, value) in entries {
                let key = quoted(key);
                match value {
                    TreeNode::Map(inner) if random.one_in(2) => {
                        let _ = writeln!(tables, "[{key}]");
                        for (key, value) in inner {
                            let _ =
                                writeln!(tables, "{} = {}", quoted(key), inline(value, format)?);
                        }
                    }
                    value => {
                        let _ = writeln!(text, "{key} = {}", inline(value, format)?);
                    }
                }
            }
            Some(text + &tables)
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn inline(node: &TreeNode, format: Format) -> Option<String> {
    Some(match node {
        TreeNode::Null if format == Format::Toml => return None,
        TreeNode::Null => "null".to_owned(),
        TreeNode::Bool(value) => value.to_string(),
        TreeNode::Number(number) => number.clone(),
        TreeNode::Text(text) => quoted(text),
        TreeNode::Bare(text) if format == Format::Json => quoted(text),
        TreeNode::Bare(text) => (*text).to_owned(),
        TreeNode::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| inline(item, format)).collect();
            format!("[{}]", items?.join(", "))
        }
        TreeNode::Map(entries) => {
            let equals = if format == Format::Toml { " = " } else { ": " };
            let entry = |(key, value): &(String, TreeNode)| {
                let key = match format {
                    Format::Yaml => yaml_key(key),
                    _ => quoted(key),
                };
                Some(format!("{key}{equals}{}", inline(value, format)?))
            };
            let entries: Option<Vec<_>> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries?.join(", "))
        }
    })
}

/// A number in quotes is no number to YAML.
fn yaml_key(key: &str) -> String {
    let is_word = key.bytes().all(|byte| byte.is_ascii_lowercase()) && key != "null";
    let is_number = key.bytes().all(|byte| byte.is_ascii_digit());
    match !key.is_empty() && (is_word || is_number) {
        true => key.to_owned(),
        false => quoted(key),
    }
}

fn block(text: &mut String, entries: &[(String, TreeNode)], depth: usize, random: &mut Random) {
    for (key, value) in entries {
        let key = yaml_key(key);
        let _ = write!(text, "{:1$}{key}:", "", depth * 2);
        match value {
            TreeNode::Map(inner) if !inner.is_empty() && random.one_in(2) => {
                text.push('\n');
                block(text, inner, depth + 1, random);
            }
            TreeNode::List(items) if !items.is_empty() && random.one_in(2) => {
                text.push('\n');
                for item in items {
                    let item = inline(item, Format::Yaml).unwrap_or_default();
                    let _ = writeln!(text, "{:1$}- {item}", "", depth * 2);
                }
            }
            TreeNode::Null if random.one_in(3) => text.push('\n'),
            TreeNode::Text(plain)
                if plain.len() > 2
                    && plain.bytes().all(|byte| byte.is_ascii_lowercase())
                    && !matches!(plain.as_str(), "true" | "null") =>
            {
                let _ = writeln!(text, " {plain}");
            }
            value => {
                let _ = writeln!(text, " {}", inline(value, Format::Yaml).unwrap_or_default());
            }
        }
    }
}
