//! Types, by what their own `Deserialize` asks for.

use super::{
    super::leaf::{TypeProbe, probe::*},
    *,
};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::Duration,
};

macro_rules! trace {
    ($type:ty) => {{
        struct L;
        impl Leaf for L {
            type Out = $type;
            fn decode<'de, D: Deserializer<'de>>(d: D) -> Result<$type, D::Error> {
                TypeProbe::<$type>::new().read(d)
            }
            fn merge() -> Option<fn(&mut $type, &$type)> {
                TypeProbe::<$type>::new().merge()
            }
        }
        (value_type::<L>(), merge::<L>())
    }};
}

#[derive(serde::Deserialize, Clone)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
enum Level {
    Low,
    High(u8),
}

#[derive(serde::Deserialize)]
#[allow(dead_code)]
struct Point {
    x: u8,
    next: Option<Box<Point>>,
}

const BYTE: ValueType = ValueType::Integer {
    bits: 8,
    signed: false,
};

fn optional(inner: ValueType) -> ValueType {
    ValueType::Optional(Box::new(inner))
}

fn list(items: ValueType, len: Option<usize>) -> ValueType {
    let items = Box::new(items);
    ValueType::List { items, len }
}

fn map(keys: ValueType, values: ValueType) -> ValueType {
    let (keys, values) = (Box::new(keys), Box::new(values));
    ValueType::Map { keys, values }
}

#[test]
fn a_type_is_known_by_what_it_asks_for() {
    type Alias = Option<BTreeMap<String, Vec<Duration>>>;
    let levels = ValueType::Enum(&["low", "high"]);
    assert_eq!(trace!(u8).0, BYTE);
    assert_eq!(trace!(String).0, ValueType::Text);
    assert_eq!(trace!(IpAddr).0, ValueType::Text);
    assert_eq!(trace!(Option<bool>).0, optional(ValueType::Bool));
    assert_eq!(trace!(Vec<f32>).0, list(ValueType::Float, None));
    assert_eq!(trace!([Duration; 2]).0, list(ValueType::Duration, Some(2)));
    assert_eq!(trace!(Duration).0, ValueType::Duration);
    assert_eq!(trace!(Level).0, levels.clone());
    assert_eq!(trace!(Option<Level>).0, optional(levels.clone()));
    assert_eq!(trace!(Point).0, ValueType::Struct(&["x", "next"]));
    assert_eq!(trace!(HashMap<u8, bool>).0, map(BYTE, ValueType::Bool));
    let durations = list(ValueType::Duration, None);
    assert_eq!(trace!(Alias).0, optional(map(ValueType::Text, durations)));
}

#[test]
fn maps_merge_by_key_behind_any_name() {
    type Alias = BTreeMap<String, u8>;
    assert_eq!(trace!(Alias).1, MergeRule::ByKey);
    assert_eq!(trace!(Option<Box<Alias>>).1, MergeRule::ByKey);
    assert_eq!(trace!(Vec<(String, u8)>).1, MergeRule::Replace);
    assert_eq!(trace!(String).1, MergeRule::Replace);
}
