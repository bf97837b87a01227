//! The format of a recording: its lines, one JSON object each, and its version.

#[cfg(test)]
mod tests;

use crate::record::{Outcome, RecordingError, Refused, document::Encoding};
use crate::{
    State,
    source::{ErrorKind, SourceError},
};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) const VERSION: u64 = 1;

/// The latest time that a line may have, in seconds: some thirty years. A clock cannot be set to any time later.
const LONGEST: f64 = 1e9;

/// A line, and how long after the start it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) at: Duration,
    pub(super) what: LineKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum LineKind {
    Start(Start),
    /// A source was seen to hold something; how many observations it delivered in all.
    Observed {
        layer: usize,
        observed: RecordedObservation,
        received: u64,
    },
    Health {
        layer: usize,
        health: RecordedHealth,
    },
    /// What was observed so far was taken up.
    Update,
    Pin(bool),
    Rollback(Option<u64>),
    Unhealthy(String),
    Outcome(Outcome),
    /// The recording ends here, and what it recorded does not.
    Cut,
}

/// What a capacitor was started with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Start {
    pub(super) config: String,
    /// The generation that readers saw already.
    pub(super) generation: u64,
    pub(super) layers: Vec<RecordedLayer>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct RecordedLayer {
    pub(super) origin: String,
    pub(super) optional: bool,
    pub(super) kind: RecordedLayerKind,
    pub(super) note: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum RecordedLayerKind {
    Watched(Encoding),
    /// Several files that fit a pattern; none where the name of each says how it is encoded.
    Files {
        pattern: String,
        encoding: Option<Encoding>,
    },
    /// Its variables; one without a text is not Unicode.
    Environment {
        prefix: String,
        variables: Vec<(String, Option<String>)>,
        /// Those that name a file which was refused.
        refused: Vec<String>,
    },
    /// A provider that was read once, as a tree, or why it could not be.
    Given(Result<String, String>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum RecordedObservation {
    Value {
        text: String,
        revision: Option<String>,
        note: Option<String>,
    },
    /// What the layer held already.
    Same,
    Absent,
    Unreadable(SourceError),
}

/// What became of a source's health.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum RecordedHealth {
    Live,
    Stale(SourceError),
    Closed,
}

impl Line {
    pub(super) fn print(&self) -> String {
        let mut line = match self.what.json() {
            Value::Object(fields) => fields,
            other => Map::from_iter([("what".to_owned(), other)]),
        };
        line.insert("at".to_owned(), json!(self.at.as_secs_f64()));
        // Nothing of a secret can be in a key, and a map of values always prints.
        Value::Object(line).to_string()
    }

    pub(super) fn parse(text: &str) -> Result<Line, RecordingError> {
        let unusable = || RecordingError::new(format!("is not a line of a recording: {text:.60}"));
        let value: Value = serde_json::from_str(text).map_err(|_| unusable())?;
        let at = value.get("at").and_then(Value::as_f64);
        let at = at.filter(|at| *at <= LONGEST);
        let at = at.and_then(|at| Duration::try_from_secs_f64(at).ok());
        match (at, LineKind::read(&value)?) {
            (Some(at), Some(what)) => Ok(Line { at, what }),
            _ => Err(unusable()),
        }
    }
}

impl LineKind {
    fn json(&self) -> Value {
        match self {
            LineKind::Start(start) => json!({
                "start": start.config,
                "version": VERSION,
                "generation": start.generation,
                "layers": start.layers.iter().map(RecordedLayer::json).collect::<Vec<_>>(),
            }),
            LineKind::Observed {
                layer,
                observed,
                received,
            } => {
                let mut line = match observed {
                    RecordedObservation::Value {
                        text,
                        revision,
                        note,
                    } => json!({ "value": text, "revision": revision, "note": note }),
                    RecordedObservation::Same => json!({ "same": true }),
                    RecordedObservation::Absent => json!({ "absent": true }),
                    RecordedObservation::Unreadable(error) => {
                        json!({ "unreadable": error_json(error) })
                    }
                };
                line["layer"] = json!(layer);
                line["received"] = json!(received);
                without_nulls(line)
            }
            LineKind::Health { layer, health } => {
                let (health, error) = match health {
                    RecordedHealth::Live => ("live", None),
                    RecordedHealth::Stale(error) => ("stale", Some(error_json(error))),
                    RecordedHealth::Closed => ("closed", None),
                };
                without_nulls(json!({ "layer": layer, "health": health, "error": error }))
            }
            LineKind::Update => json!({ "update": true }),
            LineKind::Pin(pinned) => json!({ "pin": pinned }),
            LineKind::Rollback(to) => json!({ "rollback": to }),
            LineKind::Unhealthy(reason) => json!({ "unhealthy": reason }),
            LineKind::Outcome(outcome) => json!({
                "outcome": outcome.state.as_str(),
                "generation": outcome.generation,
                "refused": outcome.refused.iter().map(|one| json!([one.layer, one.path])).collect::<Vec<_>>(),
            }),
            LineKind::Cut => json!({ "cut": true }),
        }
    }

    /// None where it is no line that is known.
    fn read(value: &Value) -> Result<Option<LineKind>, RecordingError> {
        let layer = || value.get("layer").and_then(number).map(|n| n as usize);
        let is = |name: &str| value.get(name).and_then(Value::as_bool) == Some(true);
        let what = if let Some(config) = value.get("start").and_then(text) {
            let version = value.get("version").and_then(number);
            if version != Some(VERSION) {
                let told = version.map_or("no version".to_owned(), |n| format!("version {n}"));
                return Err(RecordingError::new(format!(
                    "is of {told}; this version of flux reads {VERSION}"
                )));
            }
            let layers = value.get("layers").and_then(Value::as_array);
            let layers = layers.and_then(|all| all.iter().map(RecordedLayer::read).collect());
            layers
                .zip(value.get("generation").and_then(number))
                .map(|(layers, generation)| {
                    LineKind::Start(Start {
                        config,
                        generation,
                        layers,
                    })
                })
        } else if let Some(state) = value.get("outcome").and_then(text) {
            read_outcome(value, &state).map(LineKind::Outcome)
        } else if let Some(health) = value.get("health").and_then(text) {
            let told = match health.as_str() {
                "live" => Some(RecordedHealth::Live),
                "stale" => value
                    .get("error")
                    .and_then(read_error)
                    .map(RecordedHealth::Stale),
                "closed" => Some(RecordedHealth::Closed),
                _ => None,
            };
            layer()
                .zip(told)
                .map(|(layer, health)| LineKind::Health { layer, health })
        } else if let Some(layer) = layer() {
            let observed = if let Some(document) = value.get("value").and_then(text) {
                Some(RecordedObservation::Value {
                    text: document,
                    revision: value.get("revision").and_then(text),
                    note: value.get("note").and_then(text),
                })
            } else if is("same") {
                Some(RecordedObservation::Same)
            } else if is("absent") {
                Some(RecordedObservation::Absent)
            } else {
                value
                    .get("unreadable")
                    .and_then(read_error)
                    .map(RecordedObservation::Unreadable)
            };
            let received = value.get("received").and_then(number).unwrap_or_default();
            observed.map(|observed| LineKind::Observed {
                layer,
                observed,
                received,
            })
        } else if let Some(pinned) = value.get("pin").and_then(Value::as_bool) {
            Some(LineKind::Pin(pinned))
        } else if let Some(reason) = value.get("unhealthy").and_then(text) {
            Some(LineKind::Unhealthy(reason))
        } else if let Some(to) = value.get("rollback") {
            Some(LineKind::Rollback(number(to)))
        } else if is("update") {
            Some(LineKind::Update)
        } else {
            is("cut").then_some(LineKind::Cut)
        };
        Ok(what)
    }
}

impl RecordedLayer {
    fn json(&self) -> Value {
        let mut layer = match &self.kind {
            RecordedLayerKind::Watched(encoding) => json!({ "format": encoding.name() }),
            RecordedLayerKind::Files { pattern, encoding } => {
                json!({ "files": pattern, "encoding": encoding.map(Encoding::name) })
            }
            RecordedLayerKind::Environment {
                prefix,
                variables,
                refused,
            } => {
                let variables = variables.iter();
                let variables = variables.map(|(name, value)| (name.clone(), json!(value)));
                let variables = Map::from_iter(variables);
                let mut layer = json!({ "prefix": prefix, "variables": variables });
                if !refused.is_empty() {
                    layer["refused"] = json!(refused);
                }
                layer
            }
            RecordedLayerKind::Given(Ok(tree)) => json!({ "given": tree }),
            RecordedLayerKind::Given(Err(error)) => json!({ "not_given": error }),
        };
        layer["origin"] = json!(self.origin);
        layer["optional"] = json!(self.optional);
        layer["note"] = json!(self.note);
        match layer {
            Value::Object(mut fields) => {
                fields.retain(|name, value| name != "note" || !value.is_null());
                Value::Object(fields)
            }
            other => other,
        }
    }

    fn read(value: &Value) -> Option<RecordedLayer> {
        let kind = if let Some(format) = value.get("format").and_then(text) {
            RecordedLayerKind::Watched(Encoding::all().find(|one| one.name() == format)?)
        } else if let Some(pattern) = value.get("files").and_then(text) {
            let encoding = match value.get("encoding").and_then(text) {
                None => None,
                Some(name) => Some(Encoding::all().find(|one| one.name() == name)?),
            };
            RecordedLayerKind::Files { pattern, encoding }
        } else if let Some(prefix) = value.get("prefix").and_then(text) {
            let variables = value.get("variables")?.as_object()?.iter();
            let refused = value.get("refused").and_then(Value::as_array);
            let refused = refused.into_iter().flatten().filter_map(text).collect();
            RecordedLayerKind::Environment {
                prefix,
                variables: variables
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
                refused,
            }
        } else if let Some(tree) = value.get("given").and_then(text) {
            RecordedLayerKind::Given(Ok(tree))
        } else {
            RecordedLayerKind::Given(Err(value.get("not_given").and_then(text)?))
        };
        Some(RecordedLayer {
            origin: value.get("origin").and_then(text)?,
            optional: value.get("optional")?.as_bool()?,
            kind,
            note: value.get("note").and_then(text),
        })
    }
}

fn read_outcome(value: &Value, state: &str) -> Option<Outcome> {
    let states = [
        State::Loading,
        State::Healthy,
        State::Degraded,
        State::Empty,
    ];
    let refused = value.get("refused")?.as_array()?.iter().map(|one| {
        Some(Refused {
            layer: text(one.get(0)?)?,
            path: text(one.get(1)?)?,
        })
    });
    Some(Outcome {
        state: states.into_iter().find(|known| known.as_str() == state)?,
        generation: number(value.get("generation")?)?,
        refused: refused.collect::<Option<_>>()?,
    })
}

fn error_json(error: &SourceError) -> Value {
    json!([error.kind().to_string(), error.to_string()])
}

fn read_error(value: &Value) -> Option<SourceError> {
    let message = text(value.get(1)?)?;
    Some(match text(value.get(0)?)?.as_str() {
        kind if kind == ErrorKind::Permission.to_string() => SourceError::permission(message),
        kind if kind == ErrorKind::Configuration.to_string() => SourceError::configuration(message),
        kind if kind == ErrorKind::Closed.to_string() => SourceError::closed(message),
        _ => SourceError::transient(message),
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64()
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            fields.retain(|_, value| !value.is_null());
            Value::Object(fields)
        }
        other => other,
    }
}
