//! A document as a tree that can be printed again: what a value's type was, and scalars as they were written.

use crate::{
    Format,
    codec::{self, Codec, Decoder, Tree},
    problem::Seg,
};
use serde::de::{
    Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::fmt::{self, Write};

/// How a document is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Yaml,
    Toml,
    /// The tree of a format of the user's own, as JSON.
    Tree,
}

/// A document. Scalars are as they were written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Doc {
    Null(String),
    Bool(String),
    Number(String),
    Str(String),
    /// Text whose type the target decides.
    Raw(String),
    /// A date of TOML.
    Date(String),
    Seq(Vec<Doc>),
    Map(Vec<(Doc, Doc)>),
    /// YAML's `!tag value`.
    Tagged(String, Box<Doc>),
}

/// Reads what [`Encoding::Tree`] printed.
pub(super) struct TreeCodec;

impl Codec for TreeCodec {
    fn name(&self) -> &str {
        "tree"
    }
    fn decode(&self, text: &str) -> Result<Tree, String> {
        let doc = Doc::parse(&Decoder::from(Format::Json), text);
        doc.map(Doc::into_tree)
            .ok_or_else(|| "it cannot be read".to_owned())
    }
}

impl Encoding {
    pub(super) fn of(decoder: &Decoder) -> Self {
        match decoder {
            #[cfg(feature = "yaml")]
            Decoder::Yaml => Encoding::Yaml,
            #[cfg(feature = "toml")]
            Decoder::Toml => Encoding::Toml,
            Decoder::Custom(_) => Encoding::Tree,
            _ => Encoding::Json,
        }
    }
}

impl Doc {
    /// Reads a document; none where it cannot be read.
    pub(super) fn parse(decoder: &Decoder, text: &str) -> Option<Doc> {
        if let Decoder::Custom(codec) = decoder {
            return codec.decode(text).ok().map(Doc::from);
        }
        let doc = codec::as_written::<Doc>(decoder, text).ok()?;
        #[cfg(feature = "yaml")]
        if matches!(decoder, Decoder::Yaml) {
            return Some(crate::record::as_written::as_written(doc, text));
        }
        Some(doc)
    }

    /// The document in one line.
    pub(super) fn print(&self, encoding: Encoding) -> String {
        let mut out = String::new();
        match (encoding, self) {
            (Encoding::Toml, Doc::Map(entries)) => {
                // An empty document is another thing than an empty table.
                if entries.is_empty() {
                    out.push('#');
                }
                for (key, value) in entries {
                    key.write(encoding, true, &mut out);
                    out.push_str(" = ");
                    value.write(encoding, false, &mut out);
                    out.push('\n');
                }
            }
            _ => self.write(encoding, false, &mut out),
        }
        out
    }

    fn write(&self, encoding: Encoding, key: bool, out: &mut String) {
        match self {
            Doc::Null(text) if encoding == Encoding::Yaml => out.push_str(text),
            Doc::Null(_) => out.push_str("null"),
            Doc::Bool(text) | Doc::Number(text) if key && encoding != Encoding::Yaml => {
                quote(text, out);
            }
            Doc::Bool(text) | Doc::Number(text) | Doc::Date(text) => out.push_str(text),
            Doc::Raw(text) if encoding == Encoding::Tree && !key => {
                out.push_str("{\"$raw\": ");
                quote(text, out);
                out.push('}');
            }
            Doc::Str(text) | Doc::Raw(text) => quote(text, out),
            Doc::Seq(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    item.write(encoding, false, out);
                }
                out.push(']');
            }
            Doc::Map(entries) => {
                let equals = if encoding == Encoding::Toml {
                    " = "
                } else {
                    ": "
                };
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    key.write(encoding, true, out);
                    out.push_str(equals);
                    value.write(encoding, false, out);
                }
                out.push('}');
            }
            Doc::Tagged(tag, value) if encoding == Encoding::Yaml => {
                out.push('!');
                out.push_str(tag);
                out.push(' ');
                value.write(encoding, false, out);
            }
            Doc::Tagged(tag, value) => {
                out.push('{');
                quote(tag, out);
                out.push_str(": ");
                value.write(encoding, false, out);
                out.push('}');
            }
        }
    }

    /// The key as a step of a path.
    pub(super) fn seg(&self) -> Seg {
        Seg::Key(self.text().to_owned().into())
    }

    /// A scalar's text.
    pub(super) fn text(&self) -> &str {
        match self {
            Doc::Null(text)
            | Doc::Bool(text)
            | Doc::Number(text)
            | Doc::Str(text)
            | Doc::Raw(text)
            | Doc::Date(text) => text,
            Doc::Seq(_) | Doc::Map(_) | Doc::Tagged(..) => "",
        }
    }

    /// The tree that [`Encoding::Tree`] printed.
    pub(super) fn into_tree(self) -> Tree {
        match self {
            Doc::Null(_) => Tree::Null,
            Doc::Bool(text) => Tree::Bool(text == "true"),
            Doc::Number(text) => number(&text),
            Doc::Str(text) | Doc::Date(text) => Tree::Str(text),
            Doc::Raw(text) => Tree::Raw(text),
            Doc::Seq(items) => Tree::Seq(items.into_iter().map(Doc::into_tree).collect()),
            Doc::Map(mut entries) => match entries.as_mut_slice() {
                [(Doc::Str(key), Doc::Str(text))] if key == "$raw" => {
                    Tree::Raw(std::mem::take(text))
                }
                _ => {
                    let pairs = entries.into_iter();
                    Tree::Map(
                        pairs
                            .map(|(k, v)| (k.text().to_owned(), v.into_tree()))
                            .collect(),
                    )
                }
            },
            Doc::Tagged(tag, value) => Tree::Map(vec![(tag, value.into_tree())]),
        }
    }
}

fn number(text: &str) -> Tree {
    if let Ok(number) = text.parse() {
        return Tree::U64(number);
    }
    if let Ok(number) = text.parse() {
        return Tree::I64(number);
    }
    text.parse()
        .map_or_else(|_| Tree::Raw(text.to_owned()), Tree::F64)
}

/// Quotes that JSON, YAML and TOML read alike.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            // Not all of the three take these as they are.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

impl From<Tree> for Doc {
    fn from(mut tree: Tree) -> Self {
        match &mut tree {
            Tree::Null => Doc::Null("null".to_owned()),
            Tree::Bool(value) => Doc::Bool(value.to_string()),
            Tree::I64(value) => Doc::Number(value.to_string()),
            Tree::U64(value) => Doc::Number(value.to_string()),
            Tree::F64(value) => Doc::Number(format!("{value:?}")),
            Tree::Str(text) => Doc::Str(std::mem::take(text)),
            Tree::Raw(text) => Doc::Raw(std::mem::take(text)),
            Tree::Seq(items) => Doc::Seq(items.drain(..).map(Doc::from).collect()),
            Tree::Map(entries) => {
                let pairs = entries.drain(..);
                Doc::Map(pairs.map(|(k, v)| (Doc::Str(k), Doc::from(v))).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Doc {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(DocVisitor)
    }
}

struct DocVisitor;

macro_rules! scalars {
    ($($method:ident($value:ident: $type:ty) => $doc:expr;)*) => {$(
        fn $method<E>(self, $value: $type) -> Result<Doc, E> {
            Ok($doc)
        }
    )*};
}

impl<'de> Visitor<'de> for DocVisitor {
    type Value = Doc;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    scalars! {
        visit_bool(value: bool) => Doc::Bool(value.to_string());
        visit_i64(value: i64) => Doc::Number(value.to_string());
        visit_u64(value: u64) => Doc::Number(value.to_string());
        visit_i128(value: i128) => Doc::Number(value.to_string());
        visit_u128(value: u128) => Doc::Number(value.to_string());
        visit_f64(value: f64) => Doc::Number(match value.is_nan() {
            true => "nan".to_owned(),
            false => format!("{value:?}"),
        });
        visit_str(text: &str) => Doc::Str(text.to_owned());
    }
    fn visit_unit<E>(self) -> Result<Doc, E> {
        Ok(Doc::Null("null".to_owned()))
    }
    fn visit_none<E>(self) -> Result<Doc, E> {
        Ok(Doc::Null("null".to_owned()))
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Doc, D::Error> {
        Doc::deserialize(d)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<Doc, D::Error> {
        Doc::deserialize(d)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Doc, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Doc::Seq(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Doc, A::Error> {
        let mut map: Vec<(Doc, Doc)> = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        match map.as_mut_slice() {
            [(Doc::Str(key), Doc::Str(date))] if key == "$__toml_private_datetime" => {
                Ok(Doc::Date(std::mem::take(date)))
            }
            _ => Ok(Doc::Map(map)),
        }
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Doc, A::Error> {
        let (tag, value) = tagged.variant::<String>()?;
        Ok(Doc::Tagged(tag, Box::new(value.newtype_variant()?)))
    }
}

#[cfg(test)]
mod tests {
    use crate::record::document::*;

    fn again(format: Format, text: &str) -> String {
        let decoder = Decoder::from(format);
        let encoding = Encoding::of(&decoder);
        let doc = Doc::parse(&decoder, text).expect("a document");
        let printed = doc.print(encoding);
        let back = Doc::parse(&decoder, &printed);
        assert_eq!(back.as_ref(), Some(&doc), "{printed}");
        printed
    }

    #[test]
    fn json_is_printed_in_one_line_with_duplicates() {
        let printed = again(
            Format::Json,
            "{\"a\": [1, 2.50, -3], \"b\": {},\n\"a\": null}",
        );
        assert_eq!(printed, r#"{"a": [1, 2.5, -3], "b": {}, "a": null}"#);
    }

    #[cfg(feature = "yaml")]
    #[test]
    fn yaml_keeps_its_plain_scalars_and_tags_and_loses_its_comments() {
        let text = "a: 1.10 # old: hunter1\nb: &x [0x1F, True, ~]\nc: *x\n1: !Var {d: |-\n  two\n  lines\n  }\ne:\n";
        let text = text.replace(
            "{d: |-\n  two\n  lines\n  }",
            "\n  d: |-\n    two\n    lines",
        );
        let printed = again(Format::Yaml, &text);
        assert_eq!(
            printed,
            r#"{"a": 1.10, "b": [0x1F, True, ~], "c": [0x1F, True, ~], 1: !Var {"d": "two\nlines"}, "e": }"#
        );
    }

    #[cfg(feature = "toml")]
    #[test]
    fn toml_keeps_its_dates_and_floats() {
        let text =
            "a = 1979-05-27T07:32:00Z\nb = [1.0, inf, nan]\n[c.d]\ne = 'x\\y'\n[[f]]\n[[f]]\ng = 1";
        let decoder = Decoder::from(Format::Toml);
        let doc = Doc::parse(&decoder, text).expect("a document");
        assert_eq!(
            doc.print(Encoding::Toml),
            "\"a\" = 1979-05-27T07:32:00Z\n\"b\" = [1.0, inf, nan]\n\"c\" = {\"d\" = {\"e\" = \"x\\\\y\"}}\n\"f\" = [{}, {\"g\" = 1}]\n"
        );
        assert_eq!(Doc::parse(&decoder, &doc.print(Encoding::Toml)), Some(doc));
    }

    #[test]
    fn every_format_reads_the_quotes() {
        for c in [
            "\u{7f}", "\u{85}", "\u{1}", "\u{2028}", "\u{feff}", "\"\\\n\t", "é😀",
        ] {
            for format in [Format::Json, Format::Yaml, Format::Toml] {
                let decoder = Decoder::from(format);
                if matches!(decoder, Decoder::Off(_)) {
                    continue;
                }
                let doc = Doc::Map(vec![(Doc::Str("k".to_owned()), Doc::Str(c.to_owned()))]);
                let printed = doc.print(Encoding::of(&decoder));
                assert_eq!(
                    Doc::parse(&decoder, &printed),
                    Some(doc),
                    "{format} {printed}"
                );
            }
        }
    }

    #[test]
    fn a_tree_survives_with_its_raw_texts() {
        let tree = Tree::Map(vec![
            ("a".to_owned(), Tree::Raw("0123".to_owned())),
            (
                "b".to_owned(),
                Tree::Seq(vec![Tree::F64(1.0), Tree::U64(1), Tree::Null]),
            ),
        ]);
        let printed = Doc::from(tree.clone()).print(Encoding::Tree);
        let json = Decoder::from(Format::Json);
        let back = Doc::parse(&json, &printed).map(Doc::into_tree);
        assert_eq!(back, Some(tree));
    }
}
