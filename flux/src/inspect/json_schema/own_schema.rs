//! What the JSON Schema takes from types that implement `JsonSchema`, where Flux does not know all of it by their `Deserialize`.

use super::{SchemaMap, leaf, text};
use crate::{
    inspect::value::ConfigValue,
    schema::{Field, TypeFacts, ValueType},
};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

/// The types that describe themselves, each once.
pub(super) struct OwnSchemas(SchemaGenerator);

/// Their schemas are beside those of sections, whose names have no dot.
const PREFIX: &str = "leaf.";
const DEFINITIONS: &str = "#/$defs/";

/// What Flux has of the field itself.
const OF_FIELD: [&str; 5] = ["$schema", "title", "description", "default", "examples"];

impl OwnSchemas {
    pub(super) fn new() -> Self {
        OwnSchemas(SchemaSettings::draft2020_12().into_generator())
    }

    /// What a type has of itself; none where it has nothing to add to what Flux knows. Nothing of a secret, whose defaults and examples
    /// it may contain.
    pub(super) fn of(&mut self, field: &Field, facts: &TypeFacts) -> Option<SchemaMap> {
        let own = facts
            .schema
            .filter(|_| !field.is_secret() && !is_known(&facts.value_type, field.type_name()))?;
        let ConfigValue::Map(mut schema) = converted(own(&mut self.0).to_value()) else {
            return None;
        };
        schema.retain(|(key, _)| !OF_FIELD.contains(&key.as_str()));
        let adds = schema.iter().any(|(key, value)| has_more(key, value));
        adds.then_some(schema)
    }

    /// What the schemas of fields refer to. A duration is what Flux reads as one, inside of a value too; another type with the same
    /// parts is not.
    pub(super) fn definitions(&mut self) -> SchemaMap {
        let all = self.0.take_definitions(true).into_iter();
        let definition = |(name, schema): (String, Value)| {
            let schema = match &schema {
                // A second type of this name has a number.
                Value::Object(entries) if name.starts_with("Duration") && is_duration(entries) => {
                    ConfigValue::Map(leaf::duration())
                }
                _ => converted(schema),
            };
            (format!("{PREFIX}{name}"), schema)
        };
        all.map(definition).collect()
    }
}

/// Whether all of a type is known: then Flux's own schema has more, such as the forms of a duration.
fn is_known(is: &ValueType, type_name: &str) -> bool {
    match is {
        ValueType::Any | ValueType::Text | ValueType::Struct(_) | ValueType::Enum(_) => false,
        ValueType::Optional(inner) => is_known(inner, type_name),
        // Of a tuple the first item is known.
        ValueType::List { items, len } => {
            (len.is_none() || type_name.starts_with('[')) && is_known(items, "")
        }
        ValueType::Map { values, .. } => is_known(values, ""),
        _ => true,
    }
}

/// Whether a keyword is more than the type, which Flux knows.
fn has_more(key: &str, value: &ConfigValue) -> bool {
    match (key, value) {
        ("type", _) => false,
        ("items" | "additionalProperties", ConfigValue::Map(inner)) => {
            inner.iter().any(|(key, value)| has_more(key, value))
        }
        ("additionalProperties", ConfigValue::Bool(true)) => false,
        _ => true,
    }
}

/// As Flux has schemas.
fn converted(schema: Value) -> ConfigValue {
    match schema {
        Value::Null => ConfigValue::Null,
        Value::Bool(value) => ConfigValue::Bool(value),
        Value::Number(number) => ConfigValue::Number(number.to_string()),
        Value::String(value) => text(value),
        Value::Array(items) => ConfigValue::List(items.into_iter().map(converted).collect()),
        Value::Object(entries) => {
            let entry = |(key, value): (String, Value)| match (&*key, &value) {
                ("$ref", Value::String(to)) => {
                    let name = to.strip_prefix(DEFINITIONS);
                    let to = name.map(|name| text(format!("{DEFINITIONS}{PREFIX}{name}")));
                    (key, to.unwrap_or_else(|| converted(value)))
                }
                _ => (key, converted(value)),
            };
            let bounds = integer_bounds(&entries);
            let mut schema: SchemaMap = entries.into_iter().map(entry).collect();
            schema.extend(bounds);
            ConfigValue::Map(schema)
        }
    }
}

/// The bounds of an integer that are not written, but follow from its width.
fn integer_bounds(schema: &serde_json::Map<String, Value>) -> SchemaMap {
    let format = schema.get("format").and_then(Value::as_str);
    let (signed, bits) = match format.map(|name| name.split_once("int")) {
        Some(Some(("u", bits))) => (false, bits),
        Some(Some(("", bits))) => (true, bits),
        _ => return Vec::new(),
    };
    // `usize` and `isize` have those of the widest machine.
    let Ok(bits) = if bits.is_empty() { "64" } else { bits }.parse() else {
        return Vec::new();
    };
    let mut bounds = leaf::integer(bits, signed, "");
    bounds.retain(|(key, _)| key != "type" && !schema.contains_key(key));
    bounds
}

fn is_duration(schema: &serde_json::Map<String, Value>) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(|properties| {
        properties.len() == 2 && properties.contains_key("secs") && properties.contains_key("nanos")
    })
}
