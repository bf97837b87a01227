//! A value as a document could contain it, read by the type of its field; a secret is `<secret>`.

use crate::{
    document::{Document, NodeContent, NodeId, ResolvedKind, ScalarStyle, raw, tree::Tree},
    schema::ValueType,
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::fmt;

/// A value of a configuration, as a document could contain it. Secrets are never in it.
///
/// `Display` prints it in one line, as JSON does; `Serialize` gives the value itself, and the text `<secret>` for what is secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigValue {
    /// Null.
    Null,
    /// A bool.
    Bool(bool),
    /// A number, as it is printed: `42`, `1.5`, `inf`.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<ConfigValue>),
    /// A map, in the order of its document.
    Map(Vec<(String, ConfigValue)>),
    /// A secret.
    Secret,
}

/// What is printed in the place of a secret.
pub(super) const SECRET: &str = "<secret>";

impl ConfigValue {
    /// Whether a secret is in it.
    pub(super) fn has_secret(&self) -> bool {
        match self {
            ConfigValue::Secret => true,
            ConfigValue::List(items) => items.iter().any(ConfigValue::has_secret),
            ConfigValue::Map(entries) => entries.iter().any(|(_, value)| value.has_secret()),
            _ => false,
        }
    }
}

impl Serialize for ConfigValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ConfigValue::Null => serializer.serialize_unit(),
            ConfigValue::Bool(value) => serializer.serialize_bool(*value),
            ConfigValue::Number(text) => number(text, serializer),
            ConfigValue::Text(text) => serializer.serialize_str(text),
            ConfigValue::List(items) => serializer.collect_seq(items),
            ConfigValue::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            ConfigValue::Secret => serializer.serialize_str(SECRET),
        }
    }
}

fn number<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if let Ok(number) = text.parse() {
        return serializer.serialize_u64(number);
    }
    if let Ok(number) = text.parse() {
        return serializer.serialize_i64(number);
    }
    if let Ok(number) = text.parse() {
        return serializer.serialize_u128(number);
    }
    if let Ok(number) = text.parse() {
        return serializer.serialize_i128(number);
    }
    match text.parse() {
        Ok(number) => serializer.serialize_f64(number),
        Err(_) => serializer.serialize_str(text),
    }
}

/// In one line, as JSON.
impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigValue::Null => f.write_str("null"),
            ConfigValue::Bool(value) => write!(f, "{value}"),
            ConfigValue::Number(text) => f.write_str(text),
            ConfigValue::Text(text) => f.write_str(&quoted(text)),
            ConfigValue::List(items) => {
                f.write_str("[")?;
                for (number, item) in items.iter().enumerate() {
                    let comma = if number > 0 { ", " } else { "" };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            ConfigValue::Map(entries) => {
                f.write_str("{")?;
                for (number, (key, value)) in entries.iter().enumerate() {
                    let comma = if number > 0 { ", " } else { "" };
                    write!(f, "{comma}{}: {value}", quoted(key))?;
                }
                f.write_str("}")
            }
            ConfigValue::Secret => f.write_str(SECRET),
        }
    }
}

/// A text in quotes that JSON, YAML and TOML read alike.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if crate::problem::controls(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    quoted.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The type of what is there where it is not null.
pub(super) fn inner(mut is: &ValueType) -> &ValueType {
    while let ValueType::Optional(inner) = is {
        is = inner;
    }
    is
}

/// The type of an item or an entry.
pub(super) fn part(is: &ValueType) -> &ValueType {
    match inner(is) {
        ValueType::List { items, .. } => items,
        ValueType::Map { values, .. } => values,
        _ => &ValueType::Any,
    }
}

fn is_text(is: &ValueType) -> bool {
    matches!(
        is,
        ValueType::Text | ValueType::Char | ValueType::Enum(_) | ValueType::Bytes
    )
}

/// The value at a node, for a target of this type. `left` is how many nodes may be read; none where that is not enough, since aliases
/// can make a small document endless.
pub(super) fn of_node(
    document: &Document<'_>,
    id: NodeId,
    is: &ValueType,
    left: &mut usize,
) -> Option<ConfigValue> {
    *left = left.checked_sub(1)?;
    let node = document.node(id);
    let value = match &node.content {
        NodeContent::Scalar(_) | NodeContent::Alias(_) => of_scalar(document, id, is),
        NodeContent::List(items) => {
            let items = items.iter();
            let items = items.map(|id| of_node(document, *id, part(is), left));
            ConfigValue::List(items.collect::<Option<_>>()?)
        }
        NodeContent::Map(entries) => {
            let mut map = Vec::with_capacity(entries.len());
            for entry in entries {
                let key = document.key(entry.key).to_owned();
                map.push((key, of_node(document, entry.value, part(is), left)?));
            }
            ConfigValue::Map(map)
        }
    };
    Some(
        match node.tag.as_deref().and_then(|tag| tag.strip_prefix('!')) {
            Some(name) if is_nothing(document, id) => ConfigValue::Text(name.to_owned()),
            Some(name) => ConfigValue::Map(vec![(name.to_owned(), value)]),
            None => value,
        },
    )
}

/// Whether nothing is behind a tag: it is a variant's name alone.
fn is_nothing(document: &Document<'_>, id: NodeId) -> bool {
    let scalar = document.scalar(id);
    scalar.is_some_and(|scalar| scalar.style == ScalarStyle::Plain && scalar.text.is_empty())
}

fn of_scalar(document: &Document<'_>, id: NodeId, is: &ValueType) -> ConfigValue {
    let (Some(scalar), Some(kind)) = (document.scalar(id), document.kind(id)) else {
        return ConfigValue::Null;
    };
    let text = scalar.text.as_ref();
    match kind {
        ResolvedKind::Raw => of_text(text, is),
        ResolvedKind::Null => ConfigValue::Null,
        ResolvedKind::Text | ResolvedKind::Date => ConfigValue::Text(text.to_owned()),
        _ if is_text(inner(is)) => ConfigValue::Text(text.to_owned()),
        ResolvedKind::Bool => ConfigValue::Bool(text.eq_ignore_ascii_case("true")),
        ResolvedKind::Integer | ResolvedKind::Float => {
            let plain = || text.replace('_', "");
            let printed = document.printed(id).unwrap_or_else(plain);
            let is_float = kind == ResolvedKind::Float || *inner(is) == ValueType::Float;
            let printed = match printed.parse::<f64>() {
                Ok(number) if is_float => float(number),
                _ => printed,
            };
            ConfigValue::Number(match printed.trim_start_matches(['+', '.']) {
                infinite if infinite.eq_ignore_ascii_case("inf") => "inf".to_owned(),
                nan if nan.eq_ignore_ascii_case("nan") => "NaN".to_owned(),
                _ if printed.eq_ignore_ascii_case("-.inf") => "-inf".to_owned(),
                _ => printed,
            })
        }
    }
}

/// A float as Rust and serde_json print it: `7.0` is another value than `7` to a reader that takes anything.
fn float(number: f64) -> String {
    format!("{number:?}")
}

/// The value of a text whose type the target decides, as in a variable. What cannot be read is text.
pub(super) fn of_text(text: &str, is: &ValueType) -> ConfigValue {
    let as_text = || ConfigValue::Text(text.to_owned());
    let trimmed = text.trim();
    let integer = || {
        let signed = trimmed.parse().map(|number: i128| number.to_string());
        let number = signed.or_else(|_| trimmed.parse().map(|number: u128| number.to_string()));
        number.map_or_else(|_| as_text(), ConfigValue::Number)
    };
    match is {
        ValueType::Optional(is) => of_text(text, is),
        ValueType::Bool => raw::bool(text).map_or_else(as_text, ConfigValue::Bool),
        ValueType::Integer { .. } | ValueType::ByteSize => integer(),
        ValueType::Float => {
            let number = raw::float(text).map(float);
            number.map_or_else(as_text, ConfigValue::Number)
        }
        ValueType::List { .. } => {
            raw::list(text).map_or_else(|_| as_text(), |tree| of_tree(&tree, is))
        }
        ValueType::Map { .. } | ValueType::Struct(_) => {
            raw::map(text).map_or_else(|_| as_text(), |tree| of_tree(&tree, is))
        }
        ValueType::Enum(_) if trimmed.starts_with('{') => {
            raw::map(text).map_or_else(|_| as_text(), |tree| of_tree(&tree, is))
        }
        ValueType::Any => raw::guess(text).map_or_else(|_| as_text(), |tree| of_tree(&tree, is)),
        _ => as_text(),
    }
}

/// The value of a part of a text.
pub(super) fn of_tree(tree: &Tree, is: &ValueType) -> ConfigValue {
    match tree {
        Tree::Null => ConfigValue::Null,
        Tree::Raw(text) => of_text(text, is),
        Tree::Str(text) => ConfigValue::Text(text.clone()),
        Tree::Bool(value) if is_text(inner(is)) => ConfigValue::Text(value.to_string()),
        Tree::Bool(value) => ConfigValue::Bool(*value),
        Tree::I64(number) => ConfigValue::Number(number.to_string()),
        Tree::U64(number) => ConfigValue::Number(number.to_string()),
        Tree::F64(number) => ConfigValue::Number(float(*number)),
        Tree::Seq(items) => {
            ConfigValue::List(items.iter().map(|item| of_tree(item, part(is))).collect())
        }
        Tree::Map(entries) => {
            let entries = entries.iter();
            let entry = |(key, value): &(String, Tree)| (key.clone(), of_tree(value, part(is)));
            ConfigValue::Map(entries.map(entry).collect())
        }
    }
}
