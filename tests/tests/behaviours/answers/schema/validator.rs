//! A validator of JSON Schema for the keywords that Flux writes. It panics at any other one.

use serde_json::{Map, Value};

pub(super) struct Validator {
    root: Value,
    /// A number or a bool is a text where one is expected, as what has no quotes in YAML is.
    plain_is_text: bool,
}

/// Keywords without a verdict.
const SILENT: [&str; 8] = [
    "$schema",
    "$defs",
    "title",
    "description",
    "default",
    "deprecated",
    "writeOnly",
    "format",
];

impl Validator {
    pub(super) fn new(schema: &str) -> Self {
        Validator {
            root: serde_json::from_str(schema).unwrap(),
            plain_is_text: false,
        }
    }

    /// As the guide has it of documents in YAML.
    pub(super) fn of_yaml(schema: &str) -> Self {
        Validator {
            plain_is_text: true,
            ..Validator::new(schema)
        }
    }

    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    pub(super) fn accepts(&self, value: &Value) -> bool {
        self.holds(&self.root, value)
    }

    pub(super) fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema.get("$ref") {
            Some(reference) => {
                let path = reference.as_str().unwrap().strip_prefix('#').unwrap();
                self.root.pointer(path).unwrap()
            }
            None => schema,
        }
    }

    pub(super) fn holds(&self, schema: &Value, value: &Value) -> bool {
        let schema = match schema {
            Value::Bool(verdict) => return *verdict,
            Value::Object(schema) => schema,
            other => panic!("no schema: {other}"),
        };
        let is_plain = matches!(value, Value::Number(_) | Value::Bool(_));
        let is_text = schema.get("type").is_some_and(|name| name == "string");
        let text =
            (self.plain_is_text && is_plain && is_text).then(|| Value::String(value.to_string()));
        let value = text.as_ref().unwrap_or(value);
        schema
            .iter()
            .all(|(keyword, limit)| self.keyword(schema, keyword, limit, value))
    }

    fn keyword(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        limit: &Value,
        value: &Value,
    ) -> bool {
        let all = |key: &str| limit.as_array().unwrap_or_else(|| panic!("{key}: {limit}"));
        let number = || limit.as_f64().unwrap();
        let count = limit.as_u64().map(|count| count as usize);
        match (keyword, value) {
            ("$ref", _) => {
                let path = limit.as_str().unwrap().strip_prefix('#').unwrap();
                self.holds(self.root.pointer(path).unwrap(), value)
            }
            ("type", _) => match limit {
                Value::Array(names) => {
                    let mut names = names.iter();
                    names.any(|name| is_of(name.as_str().unwrap(), value))
                }
                name => is_of(name.as_str().unwrap(), value),
            },
            ("enum", _) => all("enum").contains(value),
            ("const", _) => limit == value,
            ("anyOf", _) => all("anyOf").iter().any(|one| self.holds(one, value)),
            ("oneOf", _) => {
                let fitting = all("oneOf").iter().filter(|one| self.holds(one, value));
                fitting.count() == 1
            }
            ("allOf", _) => all("allOf").iter().all(|one| self.holds(one, value)),
            ("not", _) => !self.holds(limit, value),
            ("minimum", Value::Number(own)) => own.as_f64().unwrap() >= number(),
            ("maximum", Value::Number(own)) => own.as_f64().unwrap() <= number(),
            ("exclusiveMinimum", Value::Number(own)) => own.as_f64().unwrap() > number(),
            ("exclusiveMaximum", Value::Number(own)) => own.as_f64().unwrap() < number(),
            ("minLength", Value::String(own)) => own.chars().count() >= count.unwrap(),
            ("maxLength", Value::String(own)) => own.chars().count() <= count.unwrap(),
            ("pattern", Value::String(own)) => matches(limit.as_str().unwrap(), own),
            ("minItems", Value::Array(own)) => own.len() >= count.unwrap(),
            ("maxItems", Value::Array(own)) => own.len() <= count.unwrap(),
            ("minProperties", Value::Object(own)) => own.len() >= count.unwrap(),
            ("maxProperties", Value::Object(own)) => own.len() <= count.unwrap(),
            ("required", Value::Object(own)) => {
                let mut keys = all("required").iter();
                keys.all(|key| own.contains_key(key.as_str().unwrap()))
            }
            ("properties", Value::Object(own)) => own.iter().all(|(key, value)| {
                limit
                    .get(key)
                    .is_none_or(|schema| self.holds(schema, value))
            }),
            ("additionalProperties", Value::Object(own)) => {
                let known = schema.get("properties");
                let is_known = |key: &String| known.is_some_and(|known| known.get(key).is_some());
                let mut others = own.iter().filter(|(key, _)| !is_known(key));
                others.all(|(_, value)| self.holds(limit, value))
            }
            ("propertyNames", Value::Object(own)) => own
                .keys()
                .all(|key| self.holds(limit, &Value::String(key.clone()))),
            ("items", Value::Array(own)) => own.iter().all(|item| self.holds(limit, item)),
            ("prefixItems", Value::Array(own)) => own
                .iter()
                .zip(all("prefixItems"))
                .all(|(item, schema)| self.holds(schema, item)),
            (
                "minimum"
                | "maximum"
                | "exclusiveMinimum"
                | "exclusiveMaximum"
                | "minLength"
                | "maxLength"
                | "pattern"
                | "minItems"
                | "maxItems"
                | "minProperties"
                | "maxProperties"
                | "required"
                | "properties"
                | "additionalProperties"
                | "propertyNames"
                | "items"
                | "prefixItems",
                _,
            ) => true,
            (other, _) if other.starts_with("x-flux-") || SILENT.contains(&other) => true,
            (other, _) => panic!("unknown keyword {other}"),
        }
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => !number.is_f64(),
        ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        _ => false,
    }
}

/// The patterns of Flux's own types, and `^[a-z]+$`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[a-z]+$" => !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase()),
        _ if pattern.contains("nanos") => flux_syntax_duration(text),
        _ if pattern.contains("[kKmM") => is_byte_size(text),
        other => panic!("no such pattern: {other}"),
    }
}

/// What the generator makes of durations, and what it breaks them into.
fn flux_syntax_duration(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && matches!(unit, "s" | "ms" | "m" | "h" | "days")
}

fn is_byte_size(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix('-').unwrap_or(text);
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &text[..text.len() - rest.len()];
    let parts: Vec<&str> = number.split('.').collect();
    let unit = rest.trim_start().to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let unit = unit.strip_suffix('i').unwrap_or(unit);
    parts.len() <= 2
        && parts.iter().all(|part| !part.is_empty())
        && ["", "k", "m", "g", "t", "p", "e"].contains(&unit)
        && (!unit.is_empty() || !rest.contains(['i', 'I']))
}
