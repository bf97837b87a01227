//! The file with the record of trials: beside the last known good file and readable by its owner alone; what is in it, and when it
//! is removed.
//!
//! It contains fingerprints, paths, counts and times; no value of any document. It names the process that wrote it: a record of
//! another process that lives is not a death, and is left alone.

use super::process::ProcessId;
use crate::engine::{
    Fingerprint, FingerprintKey, Fingerprints, InARow, OnTrial, QuarantinedContent, TrialRecord,
};
use serde_json::{Map, Value, json};
use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A record has at most 64 contents in quarantine and one on trial, each with 17 paths of 2,000 characters, which are 8 KB at most.
pub(super) const LARGEST: u64 = 16 << 20;

/// Of a program with drop-ins it has some thousand files of a folder besides, each by its path and without other ones.
pub(super) const LARGEST_OF_FOLDERS: u64 = 64 << 20;

/// Where the record is, for the last known good configuration in `path`.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".trial");
    path.with_file_name(name)
}

/// A record, and who wrote it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrialFile {
    pub(super) process: ProcessId,
    pub(super) record: TrialRecord,
    /// There was a last known good file when it was written. A record of an earlier version does not say so.
    pub(super) is_beside_kept: bool,
}

/// The file's content; none where there is nothing to remember.
pub(super) fn written(
    config: &str,
    record: &TrialRecord,
    process: &ProcessId,
    is_beside_kept: bool,
) -> Option<Vec<u8>> {
    if record.on_trial.is_none() && record.quarantined.is_empty() && record.in_a_row.is_none() {
        return None;
    }
    let on_trial = record.on_trial.as_ref().map(|trial| {
        let layers: Map<String, Value> = (trial.fingerprints.iter())
            .map(|(layer, fingerprint)| (layer.clone(), hex(*fingerprint)))
            .collect();
        json!({
            "layers": layers,
            "generation": trial.generation,
            "changed": trial.changed,
            "since": seconds(trial.since),
            "deaths": trial.deaths,
            "running": trial.running,
        })
    });
    let quarantined: Vec<Value> = (record.quarantined.iter())
        .map(|content| {
            json!({
                "layer": content.layer,
                "fingerprint": hex(content.fingerprint),
                "changed": content.changed,
                "deaths": content.deaths,
                "until": seconds(content.until),
                "times": content.times,
                "lifted": content.lifted,
                "after": content.after,
            })
        })
        .collect();
    let in_a_row = record.in_a_row.as_ref().map(
        |row| json!({ "contents": row.contents, "last": seconds(row.last), "held": row.held }),
    );
    let root = json!({
        "version": 1,
        "config": config,
        "process": owner(process),
        "beside_last_known_good": is_beside_kept,
        "key": format!("{:016x}{:016x}", record.key.0, record.key.1),
        "on_trial": on_trial,
        "quarantined": quarantined,
        "in_a_row": in_a_row,
    });
    serde_json::to_vec_pretty(&root).ok()
}

/// Reads a file's content; none where it is no record of this config type.
pub(super) fn parse(config: &str, bytes: &[u8]) -> Option<TrialFile> {
    let root: Value = serde_json::from_slice(bytes).ok()?;
    if root.get("version")?.as_u64()? != 1 || root.get("config")?.as_str()? != config {
        return None;
    }
    let process = process(root.get("process")?)?;
    let on_trial = match root.get("on_trial")? {
        Value::Null => None,
        trial => Some(on_trial(trial)?),
    };
    let quarantined = root.get("quarantined")?.as_array()?;
    let is_beside_kept = root.get("beside_last_known_good");
    let empty = TrialRecord::new(key(root.get("key")?.as_str()?)?);
    Some(TrialFile {
        process,
        is_beside_kept: is_beside_kept.and_then(Value::as_bool) == Some(true),
        record: TrialRecord {
            on_trial,
            quarantined: quarantined.iter().map(content).collect::<Option<_>>()?,
            // A file of an earlier version has none.
            in_a_row: root.get("in_a_row").and_then(in_a_row),
            ..empty
        },
    })
}

/// A process, as both files name the one that wrote them.
pub(super) fn owner(process: &ProcessId) -> Value {
    json!({ "id": process.id, "began": process.began, "token": process.token })
}

/// The process that wrote a file; one without a token is of an earlier version.
pub(super) fn process(value: &Value) -> Option<ProcessId> {
    let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
    Some(ProcessId {
        id: u32::try_from(value.get("id")?.as_u64()?).ok()?,
        began: text("began")?,
        token: text("token").unwrap_or_default(),
    })
}

fn on_trial(value: &Value) -> Option<OnTrial> {
    let layers = value.get("layers")?.as_object()?.iter();
    let fingerprints: Option<Fingerprints> = layers
        .map(|(layer, text)| Some((layer.clone(), fingerprint(text.as_str()?)?)))
        .collect();
    Some(OnTrial {
        fingerprints: fingerprints?,
        generation: value.get("generation")?.as_u64()?,
        changed: texts(value.get("changed")?)?,
        since: time(value.get("since")?)?,
        deaths: u32::try_from(value.get("deaths")?.as_u64()?).ok()?,
        running: value.get("running")?.as_bool()?,
    })
}

fn in_a_row(value: &Value) -> Option<InARow> {
    let count = |name: &str| u32::try_from(value.get(name)?.as_u64()?).ok();
    Some(InARow {
        contents: count("contents")?,
        last: time(value.get("last")?)?,
        held: count("held")?,
    })
}

fn content(value: &Value) -> Option<QuarantinedContent> {
    Some(QuarantinedContent {
        layer: value.get("layer")?.as_str()?.to_owned(),
        fingerprint: fingerprint(value.get("fingerprint")?.as_str()?)?,
        changed: texts(value.get("changed")?)?,
        deaths: u32::try_from(value.get("deaths")?.as_u64()?).ok()?,
        until: time(value.get("until")?)?,
        times: u32::try_from(value.get("times")?.as_u64()?).ok()?,
        lifted: value.get("lifted")?.as_bool()?,
        after: (value.get("after").and_then(Value::as_u64))
            .map_or(0, |others| u32::try_from(others).unwrap_or(u32::MAX)),
    })
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let all = value.as_array()?.iter();
    all.map(|text| text.as_str().map(str::to_owned)).collect()
}

pub(super) fn hex(fingerprint: Fingerprint) -> Value {
    Value::String(format!("{:032x}", fingerprint.0))
}

pub(super) fn fingerprint(text: &str) -> Option<Fingerprint> {
    u128::from_str_radix(text, 16).ok().map(Fingerprint)
}

pub(super) fn key(text: &str) -> Option<FingerprintKey> {
    let (first, second) = text.split_at_checked(16)?;
    let part = |text| u64::from_str_radix(text, 16).ok();
    Some(FingerprintKey(part(first)?, part(second)?))
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn time(value: &Value) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(value.as_u64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> TrialRecord {
        let at = UNIX_EPOCH + Duration::from_secs(1_000);
        TrialRecord {
            on_trial: Some(OnTrial {
                fingerprints: vec![
                    ("app.yaml".to_owned(), Fingerprint(u128::MAX)),
                    ("app.yaml#2".to_owned(), Fingerprint(0)),
                ],
                generation: 7,
                changed: vec!["a.\"b\nc\"".to_owned()],
                since: at,
                deaths: 1,
                running: true,
            }),
            quarantined: vec![QuarantinedContent {
                layer: "app.yaml".to_owned(),
                fingerprint: Fingerprint(9),
                changed: Vec::new(),
                deaths: 2,
                until: at,
                times: 3,
                lifted: false,
                after: 3,
            }],
            in_a_row: Some(InARow {
                contents: 3,
                last: at,
                held: 1,
            }),
            ..TrialRecord::new(FingerprintKey(1, u64::MAX))
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let process = ProcessId::own();
        let bytes = written("App", &record(), &process, true).unwrap();
        let read = parse("App", &bytes).unwrap();
        assert_eq!((read.record, read.process), (record(), process));
        assert_eq!(parse("Other", &bytes), None);
    }

    #[test]
    fn half_a_record_is_none_and_an_empty_one_is_not_written() {
        let bytes = written("App", &record(), &ProcessId::own(), true).unwrap();
        for length in 0..bytes.len() {
            assert_eq!(parse("App", &bytes[..length]), None);
        }
        let empty = TrialRecord::new(FingerprintKey(1, 2));
        assert_eq!(written("App", &empty, &ProcessId::own(), true), None);
    }
}
