//! The hash of the configuration that readers see, for comparing instances: what counts in it, and how secrets do, by a key.

use super::{
    answers::{Answers, ReadLayers},
    explanation::Explanation,
    fold::Secrecy,
    item::{Effect, ExplainedItem, ItemOutcome, PartsForm, each_leaf},
    value::{ConfigValue, inner, part},
};
use crate::{
    engine::{Fingerprint, FingerprintKey, Schema, Status},
    problem::{KeyPath, Seg},
    schema::{TypeFacts, ValueType},
};
use flux_syntax::{parse_bytes, parse_duration};
use serde::{Serialize, Serializer};
use std::{fmt, time::Duration};

/// A hash of a configuration. Two that are equal are of the same values; `Display` and `Serialize` give it as 32 hexadecimal digits.
///
/// It is over the path and the value of every setting, ordered by path, so that the order of keys, the format, and which layer sets
/// what make no difference, nor does a default that a layer repeats. A value counts as its type reads it: `60s` is `1m`, `1KB` is `1000`,
/// a float `1` is `1.0`. A list counts in its order, also where the type is a set. An optional value that is not set is the same as null.
///
/// A text or a number that quotes a secret counts like one.
///
/// What Flux cannot know counts as what it is known to be, and [`is_partial`](Self::is_partial) is `true`: a default that is an
/// expression; a value that a stage, a reducer or a merge function of the program makes; a layer that serves from the last known good file.
/// Where two fingerprints are partial and equal, these may differ. What waits for a restart does not count: the value that runs does.
///
/// The function is SipHash-2-4 of 128 bits: it tells apart what differs by chance or by mistake. Whoever may write a configuration could
/// construct two with one fingerprint, so it is no signature. Fingerprints of one release of Flux are comparable; a release in which they
/// become others names it in the changelog. They do not depend on the order of the fields in the struct.
///
/// ```
/// # use flux::{Capacitor, Flux, Source, inspect::{CheckError, Inputs}};
/// #[derive(Flux)]
/// struct App {
///     #[flux(default = 80)]
///     port: u16,
///     #[flux(secret)]
///     token: String,
/// }
/// # fn main() -> Result<(), CheckError> {
/// # let of = |file: &str, text: &str| {
/// #     let layers = Capacitor::<App>::builder().source(Source::file(file));
/// #     layers.check(Inputs::new().layer(file, text))
/// # };
/// let one = of("app.yaml", "port: 80\ntoken: a")?;
/// let other = of("app.toml", "token = 'b'")?;
/// assert_eq!(one.fingerprint(None), other.fingerprint(None));
/// let key = Some(&b"16 random bytes.."[..]);
/// assert_ne!(one.fingerprint(key), other.fingerprint(key));        // another secret
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConfigFingerprint {
    hash: u128,
    is_partial: bool,
}

impl ConfigFingerprint {
    /// Whether it is not over all values that readers see, because Flux does not know some.
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }
}

impl fmt::Display for ConfigFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.hash)
    }
}

impl fmt::Debug for ConfigFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ConfigFingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Known to everyone: what is hashed under it is no secret.
const PUBLIC: FingerprintKey = FingerprintKey(0x666c_7578_2063_6f6e, 0x6669_6720_7631_0000);

/// The fingerprint of what these answers are about. `key` is the one for secrets.
pub(super) fn fingerprint(
    schema: &'static Schema,
    types: fn() -> Vec<TypeFacts>,
    answers: &Answers,
    status: &Status,
    key: Option<&[u8]>,
) -> ConfigFingerprint {
    let read = ReadLayers::of(schema, &status.served);
    fingerprint_of(schema, types, answers, &read, key)
}

/// [`fingerprint`], of layers that were read.
pub(super) fn fingerprint_of(
    schema: &Schema,
    types: fn() -> Vec<TypeFacts>,
    answers: &Answers,
    read: &ReadLayers<'_>,
    key: Option<&[u8]>,
) -> ConfigFingerprint {
    let mut hashing = Hashing {
        answers,
        whole: answers,
        key: key.map(secret_key),
        is_partial: false,
    };
    let mut settings = Vec::new();
    // Not kept, and nothing of it is printed.
    let revealed = read.fold(schema, types, Secrecy::Revealed, &[]);
    each_leaf(&revealed, &mut |path, item| {
        if answers.running(path).is_none() {
            settings.push((KeyPath::new(path), hashing.setting(path, item)));
        }
    });
    // What waits for a restart is not what readers see.
    for (running, status) in answers.all_running() {
        let read = ReadLayers::of(schema, &status.served);
        let revealed = read.fold(schema, types, Secrecy::Revealed, &[]);
        hashing.answers = running;
        each_leaf(&revealed, &mut |path, item| {
            let runs = answers.running(path);
            if runs.is_some_and(|(one, _)| std::ptr::eq(one, running)) {
                settings.push((KeyPath::new(path), hashing.setting(path, item)));
            }
        });
    }
    settings.sort();
    let mut bytes = Vec::new();
    for (path, value) in &settings {
        text(path.as_str(), &mut bytes);
        length(value.len(), &mut bytes);
        bytes.extend(value);
    }
    ConfigFingerprint {
        hash: Fingerprint::of(PUBLIC, Some(&bytes)).0,
        is_partial: hashing.is_partial,
    }
}

/// The two words of a key of any length.
fn secret_key(key: &[u8]) -> FingerprintKey {
    let both = Fingerprint::of(PUBLIC, Some(key)).0.to_le_bytes();
    let word = |half: &[u8]| {
        let mut word = [0; 8];
        word.copy_from_slice(half);
        u64::from_le_bytes(word)
    };
    FingerprintKey(word(&both[..8]), word(&both[8..]))
}

struct Hashing<'a> {
    /// Those that have the value.
    answers: &'a Answers,
    /// Those that have what a stage made of it.
    whole: &'a Answers,
    key: Option<FingerprintKey>,
    is_partial: bool,
}

impl Hashing<'_> {
    /// One setting. `item` has its secrets.
    fn setting(&mut self, path: &[Seg], item: &ExplainedItem) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(shown) = self.answers.find(path) else {
            self.is_partial = true;
            return bytes;
        };
        let mut explained = Explanation::empty(&[]);
        self.answers.describe(path, shown, &mut explained);
        // A stage, a reducer, a layer that cannot be read.
        let is_made = self.whole.staged.overlaps(path);
        if is_made || explained.value.is_none() && !explained.notes.is_empty() {
            self.is_partial = true;
            bytes.push(b'?');
        }
        let is = item.value_type.as_ref().unwrap_or(&ValueType::Any);
        let is_secret = item.field.is_secret();
        let shown_value = match &shown.outcome {
            _ if is_secret => Some(&ConfigValue::Secret),
            ItemOutcome::Value(value) => value.as_ref(),
            ItemOutcome::Default => shown.default.as_ref(),
            _ => None,
        };
        match &item.outcome {
            ItemOutcome::Value(Some(ConfigValue::Null)) | ItemOutcome::Nothing => bytes.push(b'n'),
            ItemOutcome::Value(Some(value)) => self.value(value, shown_value, is, &mut bytes),
            ItemOutcome::Default if item.default.is_some() => {
                if let Some(value) = &item.default {
                    self.value(value, shown_value, is, &mut bytes);
                }
            }
            ItemOutcome::Value(None) => {
                self.is_partial = true;
                bytes.push(b'?');
                let settings = item.settings.iter().zip(&shown.settings);
                for (own, shown) in settings.filter(|(own, _)| own.effect != Effect::Shadowed) {
                    if let Some(value) = &own.value {
                        self.value(value, shown.value.as_ref(), is, &mut bytes);
                    }
                }
            }
            ItemOutcome::Default => {
                self.is_partial = true;
                bytes.push(b'd');
            }
            ItemOutcome::Missing => {
                self.is_partial = true;
                bytes.push(b'-');
            }
            ItemOutcome::Parts(PartsForm::List) => sequence(b'l', 0, &mut bytes),
            ItemOutcome::Parts(PartsForm::Map) => sequence(b'm', 0, &mut bytes),
        }
        bytes
    }

    /// A value; what of it is `shown` as secret counts under the key.
    fn value(
        &self,
        value: &ConfigValue,
        shown: Option<&ConfigValue>,
        is: &ValueType,
        bytes: &mut Vec<u8>,
    ) {
        match (value, shown) {
            (ConfigValue::List(own), Some(ConfigValue::List(shown)))
                if own.len() == shown.len() =>
            {
                sequence(b'l', own.len(), bytes);
                for (own, shown) in own.iter().zip(shown) {
                    self.value(own, Some(shown), part(is), bytes);
                }
            }
            (ConfigValue::Map(own), Some(ConfigValue::Map(shown)))
                if !is_duration(is) && own.len() == shown.len() =>
            {
                sequence(b'm', own.len(), bytes);
                let mut entries: Vec<_> = own.iter().zip(shown).collect();
                entries.sort_by_key(|((key, _), _)| key);
                for ((key, own), (_, shown)) in entries {
                    text(key, bytes);
                    self.value(own, Some(shown), part(is), bytes);
                }
            }
            (_, Some(shown)) if !shown.has_secret() => plain(value, is, bytes),
            // As a whole, where its parts cannot be told apart.
            _ => {
                bytes.push(b's');
                if let Some(key) = self.key {
                    let mut secret = Vec::new();
                    opaque(value, &mut secret);
                    let hash = Fingerprint::of(key, Some(&secret));
                    bytes.extend(hash.0.to_le_bytes());
                }
            }
        }
    }
}

fn length(count: usize, bytes: &mut Vec<u8>) {
    bytes.extend((count as u64).to_le_bytes());
}

fn sequence(form: u8, count: usize, bytes: &mut Vec<u8>) {
    bytes.push(form);
    length(count, bytes);
}

fn text(text: &str, bytes: &mut Vec<u8>) {
    length(text.len(), bytes);
    bytes.extend(text.as_bytes());
}

fn is_duration(is: &ValueType) -> bool {
    matches!(inner(is), ValueType::Duration)
}

/// A value as its type reads it.
fn plain(value: &ConfigValue, is: &ValueType, bytes: &mut Vec<u8>) {
    let tagged = |tag: u8, written: &str, bytes: &mut Vec<u8>| {
        bytes.push(tag);
        text(written, bytes);
    };
    match (value, inner(is)) {
        (ConfigValue::Null, _) => bytes.push(b'n'),
        (ConfigValue::Bool(value), _) => bytes.extend([b'b', u8::from(*value)]),
        (ConfigValue::Text(written), ValueType::Duration) => match parse_duration(written) {
            Ok(duration) => tagged(b'u', &duration.as_nanos().to_string(), bytes),
            Err(_) => tagged(b't', written, bytes),
        },
        (ConfigValue::Map(entries), ValueType::Duration) => {
            let part = |name: &str| {
                let found = entries.iter().find(|(key, _)| key == name);
                found.and_then(|(_, value)| match value {
                    ConfigValue::Number(number) => number.parse::<u64>().ok(),
                    _ => None,
                })
            };
            let whole = Duration::from_secs(part("secs").unwrap_or(0)).as_nanos();
            let nanos = whole + u128::from(part("nanos").unwrap_or(0));
            tagged(b'u', &nanos.to_string(), bytes);
        }
        (ConfigValue::Text(written) | ConfigValue::Number(written), ValueType::ByteSize) => {
            match parse_bytes(written) {
                Ok(size) => tagged(b'i', &size.to_string(), bytes),
                Err(_) => tagged(b't', written, bytes),
            }
        }
        (ConfigValue::Number(number) | ConfigValue::Text(number), ValueType::Float) => {
            match number.parse::<f64>() {
                Ok(number) => {
                    bytes.push(b'f');
                    bytes.extend(number.to_bits().to_le_bytes());
                }
                Err(_) => tagged(b't', number, bytes),
            }
        }
        (ConfigValue::Number(number), _) => tagged(b'i', number, bytes),
        (ConfigValue::Text(written), _) => tagged(b't', written, bytes),
        (ConfigValue::List(items), _) => {
            sequence(b'l', items.len(), bytes);
            for item in items {
                plain(item, part(is), bytes);
            }
        }
        (ConfigValue::Map(entries), _) => {
            sequence(b'm', entries.len(), bytes);
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key, value)).collect();
            entries.sort_by_key(|(key, _)| *key);
            for (key, value) in entries {
                text(key, bytes);
                plain(value, part(is), bytes);
            }
        }
        (ConfigValue::Secret, _) => bytes.push(b's'),
    }
}

/// A secret, of whose type less is known: a number is the text that it is written as.
fn opaque(value: &ConfigValue, bytes: &mut Vec<u8>) {
    match value {
        ConfigValue::Null => bytes.push(b'n'),
        ConfigValue::Bool(value) => text(&value.to_string(), bytes),
        ConfigValue::Number(written) | ConfigValue::Text(written) => text(written, bytes),
        ConfigValue::List(items) => {
            sequence(b'l', items.len(), bytes);
            items.iter().for_each(|item| opaque(item, bytes));
        }
        ConfigValue::Map(entries) => {
            sequence(b'm', entries.len(), bytes);
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key, value)).collect();
            entries.sort_by_key(|(key, _)| *key);
            for (key, value) in entries {
                text(key, bytes);
                opaque(value, bytes);
            }
        }
        ConfigValue::Secret => bytes.push(b's'),
    }
}
