//! Documents of a schema, documents that break it, and what the decoder makes of them.

use super::validator::Validator;
use flux::{
    Capacitor, Config, Format,
    inspect::{CheckError, Describe, Inputs},
};
use proptest::{
    prelude::*,
    test_runner::{self, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};

/// A document of the schema, or a little beside it.
fn document(validator: &Validator, schema: &Value, rng: &mut TestRng, depth: u32) -> Value {
    let schema = validator.resolved(schema);
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words[rng.random_range(0..words.len())].clone();
    }
    let any = schema.get("anyOf").or(schema.get("oneOf"));
    if let Some(any) = any.and_then(Value::as_array) {
        let one = &any[rng.random_range(0..any.len())];
        return document(validator, one, rng, depth);
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    let limit = |key: &str| schema.get(key).and_then(Value::as_i64);
    let name = match schema.get("type") {
        Some(Value::Array(names)) => names[rng.random_range(0..names.len())].as_str(),
        name => name.and_then(Value::as_str),
    };
    match name {
        Some("boolean") => json!(rng.random_bool(0.5)),
        Some("null") => Value::Null,
        Some("integer") => {
            let (least, most) = (limit("minimum").unwrap_or(0), limit("maximum"));
            let most = most.or(limit("exclusiveMaximum").map(|most| most - 1));
            json!(rng.random_range(least..=most.unwrap_or(i64::MAX)))
        }
        Some("number") => json!(rng.random_range(0..=8) as f64 / 8.0),
        Some("string")
            if schema
                .get("pattern")
                .is_some_and(|one| one.to_string().contains("nanos")) =>
        {
            let units = ["s", "ms", "m", "h", "days"];
            json!(format!(
                "{}{}",
                rng.random_range(0..99),
                units[rng.random_range(0..5)]
            ))
        }
        Some("string") => {
            let (least, most) = (
                limit("minLength").unwrap_or(0),
                limit("maxLength").unwrap_or(6),
            );
            let count = rng.random_range(least..=most);
            let letters = (0..count).map(|_| char::from(rng.random_range(b'a'..=b'z')));
            json!(letters.collect::<String>())
        }
        Some("array") => {
            let least = limit("minItems").unwrap_or(0);
            let most = limit("maxItems")
                .unwrap_or(3)
                .min(least + i64::from(3 - depth.min(3)));
            let count = rng.random_range(least..=most);
            let (first, items) = (schema.get("prefixItems"), schema.get("items"));
            let item = |at| {
                let own = first.and_then(|first| first.get(at as usize)).or(items);
                document(validator, own.unwrap(), rng, depth + 1)
            };
            Value::Array((0..count).map(item).collect())
        }
        Some("object") => {
            let mut map = Map::new();
            let required = schema.get("required").and_then(Value::as_array);
            let properties = schema.get("properties").and_then(Value::as_object);
            // What is removed has the schema `false`.
            let properties = properties.into_iter().flatten();
            let properties = properties.filter(|(_, inner)| inner.is_object());
            for (key, inner) in properties.clone() {
                let is_required = required.is_some_and(|all| all.iter().any(|one| one == key));
                if inner.get("x-flux-alias-of").is_none() && (is_required || rng.random_bool(0.6)) {
                    map.insert(key.clone(), document(validator, inner, rng, depth + 1));
                }
            }
            // Of the names of a field there is one.
            for (alias, inner) in properties {
                if let Some(own) = inner.get("x-flux-alias-of").and_then(Value::as_str)
                    && (!map.contains_key(own) || rng.random_bool(0.3))
                {
                    map.remove(own);
                    map.insert(alias.clone(), document(validator, inner, rng, depth + 1));
                }
            }
            if let Some(entries) = schema
                .get("additionalProperties")
                .filter(|one| one.is_object())
            {
                for key in ["a", "b.c"] {
                    if map.is_empty() || rng.random_bool(0.3) {
                        map.insert(key.to_owned(), document(validator, entries, rng, depth + 1));
                    }
                }
            }
            Value::Object(map)
        }
        _ => panic!("{schema}"),
    }
}

/// Breaks something, most of the time.
fn mutated(value: &mut Value, rng: &mut TestRng) {
    let others = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(70_000),
        json!(0),
        json!(1.5),
        json!("text"),
        json!("UP"),
        json!(""),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({ "a": 1 }),
    ];
    match value {
        Value::Object(map) if !map.is_empty() && rng.random_bool(0.9) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = &keys[rng.random_range(0..keys.len())];
            match rng.random_range(0..8) {
                0 => drop(map.remove(key)),
                1 => drop(map.insert("unknown".to_owned(), json!(1))),
                2 => drop(map.insert("removed".to_owned(), json!(1))),
                _ => mutated(map.get_mut(key).unwrap(), rng),
            }
        }
        Value::Array(items) if !items.is_empty() && rng.random_bool(0.7) => {
            let at = rng.random_range(0..items.len());
            match rng.random_range(0..4) {
                0 => drop(items.remove(at)),
                1 => items.extend(items.clone()),
                _ => mutated(&mut items[at], rng),
            }
        }
        value => *value = others[rng.random_range(0..others.len())].clone(),
    }
}

/// Whether the decoder and the rules accept these documents, of which the last is the highest.
fn verdict<C: Config>(format: Format, documents: &[String]) -> Result<(), CheckError> {
    let documents = documents.iter().enumerate();
    let inputs = documents.fold(Inputs::new(), |inputs, (number, document)| {
        inputs.document(format!("doc{number}"), format, document.clone())
    });
    Capacitor::<C>::builder().check(inputs).map(drop)
}

/// A document in TOML; none where it has null, which TOML has not.
fn toml(document: &Value) -> Option<String> {
    let lines = document.as_object()?.iter();
    let lines = lines.map(|(key, value)| Some(format!("{} = {}\n", json!(key), inline(value)?)));
    lines.collect()
}

/// A value in one line. Texts are written as in JSON.
fn inline(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(inline).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                Some(format!("{} = {}", json!(key), inline(value)?))
            };
            let entries: Option<Vec<String>> = map.iter().map(entry).collect();
            format!("{{ {} }}", entries?.join(", "))
        }
        plain => plain.to_string(),
    })
}

/// Holds the verdicts of the schema against those of the decoder, over documents of the schema and documents that break it; at least so
/// many are good, and as many are not.
pub(super) fn have_the_same_verdict<C: Config + Describe>(at_least: u32) {
    let validator = Validator::new(&C::schema());
    let of_yaml = Validator::of_yaml(&C::schema());
    let mut runner = TestRunner::new(test_runner::Config::default());
    let rng = runner.rng();
    let (mut good, mut bad, mut plain) = (0, 0, 0);
    for round in 0..1_000 {
        let mut value = document(&validator, validator.root(), rng, 0);
        for _ in 0..round % 3 {
            mutated(&mut value, rng);
        }
        let expected = validator.accepts(&value);
        for format in [Format::Json, Format::Jsonc, Format::Json5] {
            let judged = verdict::<C>(format, &[value.to_string()]);
            assert_eq!(expected, judged.is_ok(), "{format}: {value:#}\n{judged:?}");
        }
        if let Some(text) = toml(&value) {
            let judged = verdict::<C>(Format::Toml, std::slice::from_ref(&text));
            assert_eq!(expected, judged.is_ok(), "{text}\n{judged:?}");
        }
        match expected {
            true => good += 1,
            false => bad += 1,
        }
        // Null is an empty document, which is no object.
        if !value.is_null() {
            let text = serde_yaml::to_string(&value).unwrap();
            let judged = verdict::<C>(Format::Yaml, std::slice::from_ref(&text));
            let expected_of_yaml = of_yaml.accepts(&value);
            assert_eq!(expected_of_yaml, judged.is_ok(), "{text}\n{judged:?}");
            plain += u32::from(expected_of_yaml && !expected);
        }
    }
    assert!(good > at_least && bad > at_least, "{good} good, {bad} bad");
    assert!(plain > 0, "no number in the place of a text was tried");
}

/// Holds that the schema of a type accepts what the decoder accepts: `make` makes documents that are good, in every format, and what
/// breaks them is refused by the decoder or good for the schema too. At least so many are refused by the schema itself.
pub(super) fn is_never_narrower<C: Config + Describe>(
    make: fn(&mut TestRng) -> Value,
    at_least: u32,
) {
    let validator = Validator::new(&C::schema());
    let mut runner = TestRunner::new(test_runner::Config::default());
    let rng = runner.rng();
    let mut bad = 0;
    for round in 0..1_000 {
        let mut value = make(rng);
        for _ in 0..round % 3 {
            mutated(&mut value, rng);
        }
        // Null is an empty document, which is no object.
        if value.is_null() {
            continue;
        }
        let accepts = validator.accepts(&value);
        bad += u32::from(!accepts);
        let mut texts = vec![(Format::Json, value.to_string())];
        texts.extend(toml(&value).map(|text| (Format::Toml, text)));
        if round % 3 == 0 {
            texts.push((Format::Yaml, serde_yaml::to_string(&value).unwrap()));
        }
        for (format, text) in texts {
            let judged = verdict::<C>(format, std::slice::from_ref(&text));
            assert!(accepts || judged.is_err(), "the schema refuses {text}");
            assert!(round % 3 != 0 || judged.is_ok(), "{text}\n{judged:?}");
        }
    }
    assert!(bad > at_least, "{bad} bad");
}

/// Holds that the schema of one layer accepts what the decoder accepts above a layer that has everything. At least so many are accepted
/// by both, and as many are refused by the schema.
pub(super) fn is_never_narrower_of_a_layer<C: Config + Describe>(at_least: u32) {
    let whole = Validator::new(&C::schema());
    let layer = Validator::new(&C::layer_schema());
    let mut runner = TestRunner::new(test_runner::Config::default());
    let rng = runner.rng();
    let (mut good, mut bad) = (0, 0);
    for round in 0..1_000 {
        let below = document(&whole, whole.root(), rng, 0);
        let mut value = document(&layer, layer.root(), rng, 0);
        for _ in 0..round % 3 {
            mutated(&mut value, rng);
        }
        // Null is an empty document, which is no object.
        if value.is_null() {
            continue;
        }
        let accepts = layer.accepts(&value);
        let judged = verdict::<C>(Format::Json, &[below.to_string(), value.to_string()]);
        assert!(
            accepts || judged.is_err(),
            "the schema refuses {value:#} above {below:#}"
        );
        good += u32::from(judged.is_ok());
        bad += u32::from(!accepts);
    }
    assert!(good > at_least && bad > at_least, "{good} good, {bad} bad");
}
