//! How the last known good file is laid out: JSON in lines, but for what a document contains, which is in one line.
//! Indented, a deep document would be as long as its depth.

use crate::codec::Tree;
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap, SerializeSeq},
};
use serde_json::ser::{Formatter, PrettyFormatter};
use std::io::{self, Write};

/// What is deeper is in one line: below the file, its layers and one of them.
const IN_LINES: usize = 3;

pub(super) fn text(root: &Tree) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let layout = Layout {
        lines: PrettyFormatter::new(),
        depth: 0,
    };
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, layout);
    let done = Json(root).serialize(&mut serializer);
    done.map(|()| text).map_err(|error| error.to_string())
}

struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}

struct Layout {
    lines: PrettyFormatter<'static>,
    depth: usize,
}

/// As `PrettyFormatter`, or as `OneLine` where it is deeper.
macro_rules! layout {
    ($($method:ident($($first:ident)?), $begins:literal, $ends:literal;)*) => {
        impl Formatter for Layout {$(
            fn $method<W: ?Sized + Write>(&mut self, to: &mut W $(, $first: bool)?) -> io::Result<()> {
                self.depth += $begins;
                let written = match self.depth > IN_LINES {
                    true => OneLine.$method(to $(, $first)?),
                    false => self.lines.$method(to $(, $first)?),
                };
                self.depth -= $ends;
                written
            }
        )*}
    };
}

layout! {
    begin_array(), 1, 0;
    end_array(), 0, 1;
    begin_array_value(first), 0, 0;
    end_array_value(), 0, 0;
    begin_object(), 1, 0;
    end_object(), 0, 1;
    begin_object_key(first), 0, 0;
    begin_object_value(), 0, 0;
    end_object_value(), 0, 0;
}

/// A tree as JSON.
struct Json<'a>(&'a Tree);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Tree::Null => serializer.serialize_unit(),
            Tree::Bool(value) => serializer.serialize_bool(*value),
            Tree::I64(value) => serializer.serialize_i64(*value),
            Tree::U64(value) => serializer.serialize_u64(*value),
            Tree::F64(_) | Tree::Raw(_) => Err(S::Error::custom("it is no JSON")),
            Tree::Str(text) => serializer.serialize_str(text),
            Tree::Seq(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Json(item))?;
                }
                list.end()
            }
            Tree::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, &Json(value))?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, Tree)]) -> Tree {
        let entries = entries.iter().cloned();
        Tree::Map(
            entries
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }

    #[test]
    fn a_deep_document_is_as_long_as_it_is_in_one_line() {
        let deep = |_| (0..100).fold(Tree::U64(1), |inner, _| map(&[("a", inner)]));
        let deep = Tree::Seq((0..100).map(deep).collect());
        let alone = serde_json::to_string(&Json(&deep)).unwrap();
        assert!(alone.len() > 50_000);
        let alone = alone.replace(',', ", ").replace(':', ": ");
        let layer = map(&[("layer", Tree::Str("one".to_owned())), ("content", deep)]);
        let file = map(&[
            ("version", Tree::U64(2)),
            ("layers", Tree::Seq(vec![layer])),
        ]);
        let text = String::from_utf8(text(&file).unwrap()).unwrap();
        let around = "{\n  \"version\": 2,\n  \"layers\": [\n    {\n      \"layer\": \"one\",\n      \"content\": ";
        assert_eq!(text, format!("{around}{alone}\n    }}\n  ]\n}}"));
    }
}
