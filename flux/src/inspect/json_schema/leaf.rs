//! The JSON Schema of a value that is decoded as a whole, and of the rules on it.

use super::{SchemaMap, number, or_null, put, text};
use crate::{
    inspect::value::{self, ConfigValue},
    schema::{Bound, Constraint, ConstraintKind, ValueType},
};

const DURATION: &str = r"^\s*(0|([0-9]+(\.[0-9]+)?\s*(nanos|nsec|ns|usec|us|µs|millis|msec|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w|months?|M|years?|yrs?|y)\s*)+)\s*$";
const BYTE_SIZE: &str = r"^\s*-?[0-9]+(\.[0-9]+)?\s*([kKmMgGtTpPeE][iI]?)?[bB]?\s*$";

fn of(name: &str) -> SchemaMap {
    vec![("type".to_owned(), text(name))]
}

fn texts(words: &[&str]) -> ConfigValue {
    ConfigValue::List(words.iter().map(|word| text(*word)).collect())
}

fn any_of(schemas: Vec<SchemaMap>) -> SchemaMap {
    let all = schemas.into_iter().map(ConfigValue::Map).collect();
    vec![("anyOf".to_owned(), ConfigValue::List(all))]
}

/// The schema of a type; `type_name` as it is written in the code.
pub(super) fn of_type(is: &ValueType, type_name: &str) -> SchemaMap {
    match is {
        ValueType::Any => Vec::new(),
        ValueType::Bool => of("boolean"),
        ValueType::Integer { bits, signed } => integer(*bits, *signed, type_name),
        ValueType::Float => of("number"),
        ValueType::Text => of("string"),
        ValueType::Char => {
            let mut schema = of("string");
            put(&mut schema, "minLength", number(1));
            put(&mut schema, "maxLength", number(1));
            schema
        }
        ValueType::Bytes => any_of(vec![of("string"), of("array")]),
        ValueType::Null => of("null"),
        ValueType::Duration => duration(),
        ValueType::ByteSize => {
            let mut written = of("string");
            put(&mut written, "pattern", text(BYTE_SIZE));
            any_of(vec![of("integer"), written])
        }
        ValueType::Optional(inner) => or_null(of_type(inner, type_name)),
        ValueType::List { items, len: None } => {
            let mut schema = of("array");
            put(&mut schema, "items", ConfigValue::Map(of_type(items, "")));
            schema
        }
        // The items of a tuple have types of their own, of which the first is known; those of an array have one.
        ValueType::List {
            items,
            len: Some(len),
        } => {
            let mut schema = of("array");
            let first = ConfigValue::Map(of_type(items, ""));
            match type_name.starts_with('[') {
                true => put(&mut schema, "items", first),
                false if *len == 0 => {}
                false => put(&mut schema, "prefixItems", ConfigValue::List(vec![first])),
            }
            put(&mut schema, "minItems", number(len));
            put(&mut schema, "maxItems", number(len));
            schema
        }
        ValueType::Map { keys, values } => {
            let mut schema = of("object");
            if let ValueType::Enum(words) = &**keys {
                let names = ConfigValue::Map(vec![("enum".to_owned(), texts(words))]);
                put(&mut schema, "propertyNames", names);
            }
            let values = ConfigValue::Map(of_type(values, ""));
            put(&mut schema, "additionalProperties", values);
            schema
        }
        ValueType::Struct(keys) => {
            let mut schema = of("object");
            let properties = keys.iter();
            let properties =
                properties.map(|key| ((*key).to_owned(), ConfigValue::Map(Vec::new())));
            let properties = ConfigValue::Map(properties.collect());
            put(&mut schema, "properties", properties);
            schema
        }
        // Which of the words carry a value is not known.
        ValueType::Enum(words) => {
            let word = vec![("enum".to_owned(), texts(words))];
            let mut carrying = of("object");
            let names = ConfigValue::Map(word.clone());
            put(&mut carrying, "propertyNames", names);
            put(&mut carrying, "minProperties", number(1));
            put(&mut carrying, "maxProperties", number(1));
            any_of(vec![word, carrying])
        }
    }
}

pub(super) fn integer(bits: u32, signed: bool, type_name: &str) -> SchemaMap {
    let mut schema = of("integer");
    let is_positive = type_name.contains("NonZeroU");
    let (least, most) = match (signed, bits) {
        (true, 1..128) => {
            let most = (1_i128 << (bits - 1)) - 1;
            ((-most - 1).to_string(), most.to_string())
        }
        (true, _) => (i128::MIN.to_string(), i128::MAX.to_string()),
        (false, 1..128) => ("0".to_owned(), ((1_u128 << bits) - 1).to_string()),
        (false, _) => ("0".to_owned(), u128::MAX.to_string()),
    };
    let least = if is_positive { "1".to_owned() } else { least };
    put(&mut schema, "minimum", number(least));
    put(&mut schema, "maximum", number(most));
    if type_name.contains("NonZeroI") {
        let zero = ConfigValue::Map(vec![("const".to_owned(), number(0))]);
        put(&mut schema, "not", zero);
    }
    schema
}

pub(super) fn duration() -> SchemaMap {
    let mut written = of("string");
    put(&mut written, "pattern", text(DURATION));
    let mut parts = of("object");
    let part = |most: u64| {
        let mut schema = of("integer");
        put(&mut schema, "minimum", number(0));
        put(&mut schema, "maximum", number(most));
        ConfigValue::Map(schema)
    };
    let properties = vec![
        ("secs".to_owned(), part(u64::MAX)),
        ("nanos".to_owned(), part(999_999_999)),
    ];
    put(&mut parts, "properties", ConfigValue::Map(properties));
    put(&mut parts, "required", texts(&["secs", "nanos"]));
    put(&mut parts, "additionalProperties", ConfigValue::Bool(false));
    // No time at all needs no unit.
    let nothing = vec![("const".to_owned(), number(0))];
    any_of(vec![written, parts, nothing])
}

/// Lets the entries of a map be null.
pub(super) fn with_null_entries(schema: &mut SchemaMap) {
    for (key, value) in schema {
        match value {
            ConfigValue::Map(entries) if key == "additionalProperties" && !entries.is_empty() => {
                *entries = or_null(std::mem::take(entries));
            }
            // A map or null.
            ConfigValue::List(any) if key == "anyOf" => {
                for one in any {
                    if let ConfigValue::Map(schema) = one {
                        with_null_entries(schema);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The form that the rules count in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RuledForm {
    Number,
    Text,
    List,
    Map,
    Other,
}

fn form(is: Option<&ValueType>) -> RuledForm {
    match is.map(value::inner) {
        Some(ValueType::Integer { .. } | ValueType::Float) => RuledForm::Number,
        Some(ValueType::Text | ValueType::Char) => RuledForm::Text,
        Some(ValueType::List { .. }) => RuledForm::List,
        Some(ValueType::Map { .. }) => RuledForm::Map,
        _ => RuledForm::Other,
    }
}

/// Adds the rules for which JSON Schema has words. Of lists and maps of sections the type is not known here.
pub(super) fn constrain(schema: &mut SchemaMap, rules: &[Constraint], is: Option<&ValueType>) {
    let form = match is {
        Some(_) => form(is),
        None => match schema.iter().any(|(key, _)| key == "items") {
            true => RuledForm::List,
            false => RuledForm::Map,
        },
    };
    let mut all: Vec<SchemaMap> = Vec::new();
    for rule in rules {
        let mut words = Vec::new();
        keywords(&mut words, rule, form, is);
        if !words.is_empty() {
            all.push(words);
        }
    }
    // A rule beside the type's own keywords narrows them; where both have the same one, both must hold.
    let mut both = Vec::new();
    for words in all {
        // The bounds of a rule are within those of the type.
        let replaced = |key: &String| {
            matches!(key.as_str(), "minimum" | "maximum")
                && words.iter().any(|(word, _)| word == key)
        };
        schema.retain(|(key, _)| !replaced(key));
        let is_free = |key: &String| schema.iter().all(|(known, _)| known != key);
        match words.iter().all(|(key, _)| is_free(key)) {
            true => schema.extend(words),
            false => both.push(ConfigValue::Map(words)),
        }
    }
    if !both.is_empty() {
        put(schema, "allOf", ConfigValue::List(both));
    }
}

fn keywords(words: &mut SchemaMap, rule: &Constraint, form: RuledForm, is: Option<&ValueType>) {
    match rule.kind {
        ConstraintKind::Range(from, to) if form == RuledForm::Number => {
            bound(words, from, "minimum", "exclusiveMinimum");
            bound(words, to, "maximum", "exclusiveMaximum");
        }
        ConstraintKind::Length(from, to) => {
            let Some((least, most)) = counted(form) else {
                return;
            };
            count(words, from, least, 1);
            count(words, to, most, -1);
        }
        // An entry that is null is taken away.
        ConstraintKind::NonEmpty if form == RuledForm::Map => {
            let null = ConfigValue::Map(of("null"));
            let all_null = ConfigValue::Map(vec![("additionalProperties".to_owned(), null)]);
            put(words, "not", all_null);
        }
        ConstraintKind::NonEmpty => {
            if let Some((least, _)) = counted(form) {
                put(words, least, number(1));
            }
        }
        ConstraintKind::Pattern(pattern) if form == RuledForm::Text => {
            put(words, "pattern", text(pattern));
        }
        ConstraintKind::OneOf(allowed) if form == RuledForm::Text => {
            // Null is not ruled.
            let mut allowed: Vec<_> = allowed.iter().map(|one| text(*one)).collect();
            if matches!(is, Some(ValueType::Optional(_))) {
                allowed.push(ConfigValue::Null);
            }
            put(words, "enum", ConfigValue::List(allowed));
        }
        ConstraintKind::Email if form == RuledForm::Text => put(words, "format", text("email")),
        ConstraintKind::Url if form == RuledForm::Text => put(words, "format", text("uri")),
        ConstraintKind::Each(rules) => {
            let part = is.map(|is| value::part(is).clone());
            let mut each = Vec::new();
            constrain_each(&mut each, rules, part.as_ref());
            if each.is_empty() {
                return;
            }
            let each = ConfigValue::Map(each);
            match form {
                RuledForm::List => put(words, "items", each),
                RuledForm::Map => put(words, "additionalProperties", each),
                _ => {}
            }
        }
        _ => {}
    }
}

fn constrain_each(schema: &mut SchemaMap, rules: &[Constraint], is: Option<&ValueType>) {
    if is.is_some() {
        constrain(schema, rules, is);
    }
}

/// The keywords that count the parts of a value.
fn counted(form: RuledForm) -> Option<(&'static str, &'static str)> {
    match form {
        RuledForm::Text => Some(("minLength", "maxLength")),
        RuledForm::List => Some(("minItems", "maxItems")),
        RuledForm::Map => Some(("minProperties", "maxProperties")),
        RuledForm::Number | RuledForm::Other => None,
    }
}

/// A number as Rust writes it; none of an expression.
fn written(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, '_' | ' ')).collect();
    let is_number = plain.parse::<i128>().is_ok()
        || plain.parse::<u128>().is_ok()
        || plain.parse::<f64>().is_ok_and(f64::is_finite);
    is_number.then_some(plain)
}

fn bound(words: &mut SchemaMap, bound: Bound, included: &str, excluded: &str) {
    let (key, text) = match bound {
        Bound::None => return,
        Bound::Included(text) => (included, text),
        Bound::Excluded(text) => (excluded, text),
    };
    if let Some(limit) = written(text) {
        put(words, key, ConfigValue::Number(limit));
    }
}

fn count(words: &mut SchemaMap, bound: Bound, key: &str, step: i64) {
    let (text, by) = match bound {
        Bound::None => return,
        Bound::Included(text) => (text, 0),
        Bound::Excluded(text) => (text, step),
    };
    let limit = written(text).and_then(|text| text.parse::<i64>().ok());
    if let Some(limit) = limit {
        put(words, key, number((limit + by).max(0)));
    }
}
