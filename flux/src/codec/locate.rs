//! Where in a document a path is: the document is decoded again along the path and made to fail at its end, so that the
//! format's own decoder tells the place.

use super::{Decoder, text_of};
use crate::{layer::Seg, report::tree::Key};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Line and column of the value at `path`, counted from 1.
pub(crate) fn locate(decoder: &Decoder, bytes: &[u8], path: &[Seg]) -> Option<(usize, usize)> {
    position(decoder, text_of(bytes).ok()?, path)
}

pub(super) fn position(decoder: &Decoder, text: &str, path: &[Seg]) -> Option<(usize, usize)> {
    if path.is_empty() {
        return None;
    }
    match decoder {
        #[cfg(feature = "json")]
        Decoder::Json => {
            let mut document = serde_json::Deserializer::from_str(text);
            let error = Probe { path, before: true }
                .deserialize(&mut document)
                .err()?;
            Some(after_blanks(text, error.line(), error.column() + 1))
        }
        #[cfg(feature = "yaml")]
        Decoder::Yaml => {
            let document = serde_yaml::Deserializer::from_str(text);
            let error = Probe {
                path,
                before: false,
            }
            .deserialize(document)
            .err()?;
            error.location().map(|at| (at.line(), at.column()))
        }
        #[cfg(feature = "toml")]
        Decoder::Toml => {
            let document = ::toml::Deserializer::parse(text).ok()?;
            let error = Probe {
                path,
                before: false,
            }
            .deserialize(document)
            .err()?;
            error
                .span()
                .map(|span| super::line_and_column(text, span.start))
        }
        Decoder::Off(_) | Decoder::Custom(_) => {
            let _ = text;
            None
        }
    }
}

/// serde_json fails before the blanks that lead to the value.
#[cfg(feature = "json")]
fn after_blanks(text: &str, line: usize, column: usize) -> (usize, usize) {
    let (mut line, mut column) = (line, column);
    let lines: Vec<&str> = text.lines().collect();
    while let Some(rest) = lines.get(line - 1).and_then(|text| text.get(column - 1..)) {
        match rest.find(|c: char| !c.is_whitespace() && c != ':') {
            Some(blanks) => return (line, column + blanks),
            None if line < lines.len() => (line, column) = (line + 1, 1),
            None => break,
        }
    }
    (line, column)
}

/// Follows a path and fails at its end, before the value is consumed or with it.
struct Probe<'p> {
    path: &'p [Seg],
    before: bool,
}

impl<'p> Probe<'p> {
    fn inner(&self) -> Probe<'p> {
        Probe {
            path: &self.path[1..],
            before: self.before,
        }
    }
}

const HERE: &str = "here";

impl<'de> DeserializeSeed<'de> for Probe<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match (self.path.is_empty(), self.before) {
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
        while let Some(key) = entries.next_key::<Key>()? {
            match &self.path[0] {
                Seg::Key(wanted) if *wanted == key.0 => entries.next_value_seed(self.inner())?,
                _ => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let wanted = match &self.path[0] {
            Seg::Index(index) => *index,
            Seg::Key(_) => return Ok(()),
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
