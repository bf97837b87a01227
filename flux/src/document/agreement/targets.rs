//! For the tests: what every kind of target makes of a value, with both decoders.

use super::*;
use crate::{
    codec::{Decoder, LazyModel, fast},
    document::{NodeDecoder, decode::ChosenParts},
};
use serde::de::DeserializeOwned;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    net::IpAddr,
    path::PathBuf,
};

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct V<T> {
    v: T,
}

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
enum TargetShape {
    Point,
    Circle(u32),
    Box(i8, i8),
    Text { text: String },
    Inner(Option<TargetLevel>),
}

#[derive(serde::Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum TargetLevel {
    Low,
    High,
}

#[derive(serde::Deserialize, Debug)]
#[serde(untagged)]
#[allow(dead_code)]
enum Untagged {
    Number(u8),
    Text(String),
    List(Vec<u8>),
    Map { a: u8 },
}

#[derive(serde::Deserialize, Debug)]
#[serde(tag = "kind")]
#[allow(dead_code)]
enum Internal {
    A { a: u16 },
    B,
}

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct TargetLeaf {
    a: u8,
    #[serde(default)]
    b: Option<String>,
}

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct New(u16);

#[derive(serde::Deserialize, Debug)]
#[allow(dead_code)]
struct Couple(u8, String);

#[derive(serde::Deserialize, Debug)]
struct Nothing;

/// Whether a map of the document has a key twice.
fn has_a_key_twice(document: &Document<'_>) -> bool {
    document.nodes.iter().any(|node| match &node.content {
        NodeContent::Map(entries) => {
            let keys: std::collections::HashSet<_> = entries
                .iter()
                .map(|entry| document.key(entry.key))
                .collect();
            keys.len() < entries.len()
        }
        _ => false,
    })
}

/// Panics where the fast decoder takes a value and the model does not, or makes something else of it; answers how many
/// targets take it.
fn holds<T: DeserializeOwned + Debug>(dialect: Dialect, text: &str) -> usize {
    let Ok(document) = Document::parse(dialect, text) else {
        return 0;
    };
    let fast: Result<V<T>, String> = match dialect {
        Dialect::Json => fast(&LazyModel::new(&Decoder::Json, text)),
        #[cfg(feature = "jsonc")]
        Dialect::Jsonc => fast(&LazyModel::new(&Decoder::Jsonc, text)),
        #[cfg(feature = "json5")]
        Dialect::Json5 => fast(&LazyModel::new(&Decoder::Json5, text)),
        Dialect::Yaml => fast(&LazyModel::new(&Decoder::Yaml, text)),
        _ => fast(&LazyModel::new(&Decoder::Toml, text)),
    }
    .map_err(|syntax| syntax.message);
    if crate::document::bad_merge(&document).is_some() {
        // No pass decodes such a document.
        assert!(fast.is_err(), "{dialect:?} {text:?} {fast:?}");
        return 0;
    }
    let (parts, left) = (ChosenParts::default(), NodeDecoder::budget(&document));
    let slow = V::<T>::deserialize(NodeDecoder::new(&document, &parts, &left));
    let name = std::any::type_name::<T>();
    match (&fast, &slow) {
        (Ok(fast), Ok(slow)) => {
            assert_eq!(
                format!("{fast:?}"),
                format!("{slow:?}"),
                "{name} {dialect:?} {text}"
            );
        }
        (Ok(fast), Err(error)) => {
            panic!("{name} {dialect:?} accuses {text:?}, which is {fast:?}: {error}")
        }
        // toml refuses a key that occurs twice; the model keeps both, and the walk over it reports the second.
        (Err(error), Ok(_)) if error.contains("duplicate key") => {
            assert!(has_a_key_twice(&document), "{name} {dialect:?} {text:?}");
        }
        // A surplus item, which toml passes over, is reported better.
        (Err(error), Ok(slow)) => {
            panic!("{name} {dialect:?} takes {text:?} for {slow:?}: {error}")
        }
        (Err(_), Err(_)) => {}
    }
    usize::from(fast.is_ok())
}

/// Panics where a target reads a value of YAML in another way once the document may have merge keys, and is decoded from the model.
#[cfg(test)]
fn reads_the_same_beside_merge_keys<T: DeserializeOwned + Debug>(_: Dialect, text: &str) -> usize {
    let read = |text: &str| match fast::<V<T>>(&LazyModel::new(&Decoder::Yaml, text)) {
        Ok(value) => format!("{value:?}"),
        Err(_) => "an error".to_owned(),
    };
    let beside = format!("{text}# <<\n");
    if Document::parse(Dialect::Yaml, &beside).is_err() {
        return 0;
    }
    let name = std::any::type_name::<T>();
    let alone = read(text);
    assert_eq!(read(&beside), alone, "{name} {text}");
    usize::from(alone != "an error")
}

/// The sum of what a check answers for every kind of target.
macro_rules! every_target {
    ($check:ident($dialect:expr, $text:expr)) => {
        every_target! { @ $check($dialect, $text):
            bool, u8, i8, u16, i32, u64, i64, u128, i128, f32, f64, char, String, PathBuf, IpAddr, (),
            Option<u8>, Option<String>, Option<Option<bool>>, Vec<u8>, Vec<String>, Vec<Option<bool>>,
            (u8, String), [u8; 2], BTreeSet<String>, BTreeMap<String, u8>, BTreeMap<u16, String>,
            BTreeMap<bool, u8>, BTreeMap<TargetLevel, u8>, BTreeMap<i8, TargetLeaf>, BTreeMap<New, u8>, TargetShape, TargetLevel,
            Vec<TargetShape>, Untagged, Internal, TargetLeaf, Flat, New, Couple, Nothing, serde_json::Value,
            Box<str>, ::toml::Spanned<u8>, ::toml::Spanned<Option<String>>, ::toml::value::Datetime,
            serde::de::IgnoredAny, std::time::Duration, Vec<(u8, u8)>, BTreeMap<String, ()>,
        }
    };
    (@ $check:ident($dialect:expr, $text:expr): $($type:ty),* $(,)?) => {
        0 $(+ $check::<$type>($dialect, $text))*
    };
}

/// Holds the model against the fast decoder for every kind of target; answers how many targets take the value.
pub(in crate::document) fn all(dialect: Dialect, text: &str) -> usize {
    every_target!(holds(dialect, text))
}

/// The same for YAML with and without merge keys.
#[cfg(test)]
pub(in crate::document) fn all_beside_merge_keys(text: &str) -> usize {
    every_target!(reads_the_same_beside_merge_keys(Dialect::Yaml, text))
}

impl PartialEq for New {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for New {}
impl PartialOrd for New {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for New {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
