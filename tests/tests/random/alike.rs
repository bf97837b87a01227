//! When two values are the same to a reader, where they differ, and which values have which fingerprint.

use crate::asked::Asked;
use flux::inspect::ConfigFingerprint;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is under these keys; null where nothing is.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    let mut value = value;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        value = match step.parse::<usize>() {
            Ok(number) => &value[number],
            Err(_) => &value[step],
        };
    }
    value
}

/// Whether both are the same to a reader: `1` is `1.0`, and what is not there, or has nothing in it, is null.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| same(one, other))
        }
        (Value::Object(left), Value::Object(right)) => {
            let mut keys = left.keys().chain(right.keys());
            keys.all(|key| same(&one[key], &other[key]))
        }
        (Value::Null, Value::Array(items)) | (Value::Array(items), Value::Null) => items.is_empty(),
        (Value::Null, Value::Object(entries)) | (Value::Object(entries), Value::Null) => {
            entries.values().all(|value| same(value, &Value::Null))
        }
        (one, other) => one == other,
    }
}

/// The values with what `effective` has in the places of secrets: whether they are set.
pub(crate) fn shown<C: Asked>(values: &Value, effective: &Value) -> Value {
    let mut values = values.clone();
    for secret in C::SECRETS {
        if let Some(found) = values.pointer_mut(secret) {
            *found = effective.pointer(secret).cloned().unwrap_or_default();
        }
    }
    values
}

/// The values with one text in the places of secrets that are set, as whoever has no key compares them.
pub(crate) fn without_secrets<C: Asked>(values: &Value) -> Value {
    let mut values = values.clone();
    for secret in C::SECRETS {
        if let Some(found) = values.pointer_mut(secret).filter(|found| !found.is_null()) {
            *found = Value::from("<secret>");
        }
    }
    values
}

/// The paths at which both differ.
pub(crate) fn differing(one: &Value, other: &Value, path: &str, all: &mut BTreeSet<String>) {
    match (one, other) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left.keys().chain(right.keys()) {
                let path = format!("{path}.{key}");
                let path = path.trim_start_matches('.');
                differing(&one[key], &other[key], path, all);
            }
        }
        _ if same(one, other) => {}
        _ => {
            all.insert(path.to_owned());
        }
    }
}

pub(crate) fn overlap(one: &str, other: &str) -> bool {
    let below = |outer: &str, inner: &str| {
        let rest = inner.strip_prefix(outer);
        outer.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    below(one, other) || below(other, one)
}

/// Each of both has one of the other that it overlaps.
pub(crate) fn cover(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let each = |left: &BTreeSet<String>, right: &BTreeSet<String>| {
        left.iter()
            .all(|path| right.iter().any(|known| overlap(path, known)))
    };
    each(one, other) && each(other, one)
}

/// Which values have which fingerprint, and the other way round.
#[derive(Default)]
pub(crate) struct Fingerprints {
    of_values: BTreeMap<String, String>,
    of_fingerprints: BTreeMap<String, String>,
}

impl Fingerprints {
    /// A partial one does not know all values.
    pub(crate) fn add(
        &mut self,
        values: &Value,
        fingerprint: &ConfigFingerprint,
    ) -> Result<(), String> {
        if fingerprint.is_partial() {
            return Ok(());
        }
        let fingerprint = fingerprint.to_string();
        let values = values.to_string();
        let known = self.of_values.entry(values.clone());
        let known = known.or_insert_with(|| fingerprint.clone());
        if *known != fingerprint {
            return Err(format!("two fingerprints of {values}"));
        }
        let known = self.of_fingerprints.entry(fingerprint);
        let known = known.or_insert_with(|| values.clone());
        match *known == values {
            true => Ok(()),
            false => Err(format!("one fingerprint of {values} and of {known}")),
        }
    }
}
