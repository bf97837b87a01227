//! Decodes a document along a path, only to fail at its end.

use super::locate::Way;
use crate::{document::tree::Key, problem::Seg};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Follows a way and fails at its end, before the value is consumed or with it.
pub(super) struct Probe<'p> {
    pub(super) way: Way<'p>,
    pub(super) before: bool,
}

impl Probe<'_> {
    fn inner(&self) -> Self {
        Probe {
            way: self.way.inner(),
            before: self.before,
        }
    }
}

const HERE: &str = "here";

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match (self.way.is_over(), self.before) {
            (true, true) => Err(D::Error::custom(HERE)),
            (true, false) => d.deserialize_any(Stop),
            (false, _) => d.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Probe<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or a map")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(key) = entries.next_key::<Key>()? {
            let wanted = match self.way {
                Way::Path(path) => {
                    matches!(path.first(), Some(Seg::Key(wanted)) if *wanted == key.0)
                }
                Way::Nth(numbers) => numbers.first() == Some(&number),
            };
            match wanted {
                true => entries.next_value_seed(self.inner())?,
                false => drop(entries.next_value::<IgnoredAny>()?),
            }
            number += 1;
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let wanted = match self.way {
            Way::Path([Seg::Index(index), ..]) | Way::Nth([index, ..]) => *index,
            _ => return Ok(()),
        };
        for _ in 0..wanted {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        items.next_element_seed(self.inner())?;
        Ok(())
    }
}

struct Stop;

macro_rules! stop {
    ($($method:ident: $type:ty;)*) => {$(
        fn $method<E: Error>(self, _: $type) -> Result<(), E> {
            Err(E::custom(HERE))
        }
    )*};
}

impl<'de> Visitor<'de> for Stop {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    stop! {
        visit_bool: bool;
        visit_i64: i64;
        visit_u64: u64;
        visit_f64: f64;
        visit_str: &str;
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(E::custom(HERE))
    }
    fn visit_none<E: Error>(self) -> Result<(), E> {
        Err(E::custom(HERE))
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(Stop)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(HERE))
    }
    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(HERE))
    }
}
