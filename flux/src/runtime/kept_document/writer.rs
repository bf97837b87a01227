//! Which values of a document are kept, and which are left out as secrets.

use super::{DEEPEST, Omitted, hides, is_integer, one, simple_key};
use crate::{
    codec::Tree,
    document::{Document, NodeContent, NodeId, Pair, ResolvedKind, ScalarStyle},
    problem::Seg,
    schema::{Cursor, Field, SecretPlaces},
};

/// How many times its size a document may have with its aliases written out.
const GROWTH: usize = 64;

/// The document without its secrets, and what is left out.
pub(super) fn kept(
    fields: &'static [Field],
    document: &Document<'_>,
) -> Result<(Tree, Omitted), String> {
    let left = document.len().saturating_mul(GROWTH);
    let mut writer = KeptWriter {
        fields,
        document,
        path: Vec::new(),
        places: SecretPlaces::of(fields),
        at: Cursor::Section(fields),
        left: left.saturating_add(1 << 12),
        omitted: Omitted::default(),
    };
    let kept = writer.value(document.root())?.unwrap_or_default();
    Ok((kept, writer.omitted))
}

struct KeptWriter<'d> {
    fields: &'static [Field],
    document: &'d Document<'d>,
    path: Vec<Seg>,
    places: SecretPlaces,
    /// What is at the path: nothing is asked from the root on, which would take time for each value.
    at: Cursor,
    /// How many values may still be written.
    left: usize,
    omitted: Omitted,
}

impl KeptWriter<'_> {
    /// A value; none where it is secret.
    fn value(&mut self, id: NodeId) -> Result<Option<Tree>, String> {
        let node = self.document.node(id);
        let has_parts = !matches!(node.content, NodeContent::Scalar(_));
        if !self.path.is_empty() && hides(&self.places, self.at, has_parts) {
            self.omitted.add(self.fields, &self.path);
            return Ok(None);
        }
        self.left = match self.left.checked_sub(1) {
            Some(left) if self.path.len() < DEEPEST => left,
            Some(_) => return Err("it is too deep".to_owned()),
            None => return Err("its aliases make it too large".to_owned()),
        };
        let mut value = match &node.content {
            NodeContent::Scalar(_) => self.scalar(id),
            NodeContent::List(items) => Tree::Seq(self.list(items)?),
            NodeContent::Map(entries) => self.map(entries)?,
            NodeContent::Alias(_) => return Err("an alias of an alias is in it".to_owned()),
        };
        if let Some(tag) = self.document.tag(id) {
            if matches!(value, Tree::Null) {
                value = one("$plain", Tree::Str(self.document.key(id).to_owned()));
            }
            value = Tree::Map(vec![
                ("$tag".to_owned(), Tree::Str(tag.to_string())),
                ("$of".to_owned(), value),
            ]);
        }
        Ok(Some(value))
    }

    /// The value one step below.
    fn below(&mut self, step: Seg, id: NodeId) -> Result<Option<Tree>, String> {
        let around = self.at;
        let key = match &step {
            Seg::Key(key) => Some(&**key),
            Seg::Index(_) => None,
        };
        self.at = self.places.below(around, key);
        self.path.push(step);
        let value = self.value(id);
        self.path.pop();
        self.at = around;
        value
    }

    fn list(&mut self, items: &[NodeId]) -> Result<Vec<Tree>, String> {
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let value = self.below(Seg::Index(index), *item)?;
            list.extend(value);
        }
        Ok(list)
    }

    fn map(&mut self, entries: &[Pair]) -> Result<Tree, String> {
        let mut simple = Vec::with_capacity(entries.len());
        let mut others = Vec::new();
        for entry in entries {
            let key = self.document.key(entry.key);
            let value = self.below(Seg::Key(key.to_owned().into()), entry.value)?;
            let Some(value) = value else { continue };
            match self.is_simple(entry.key) && others.is_empty() {
                true => simple.push((key.to_owned(), value)),
                false => {
                    let key = self.key(entry.key)?;
                    others.push(Tree::Seq(vec![key, value]));
                }
            }
        }
        if others.is_empty() {
            return Ok(Tree::Map(simple));
        }
        let is_yaml = codec_is_yaml(self.document);
        // Elsewhere every key is a text.
        let key_of = |key| match is_yaml {
            true => simple_key(key),
            false => Tree::Str(key),
        };
        let pair = |(key, value)| Tree::Seq(vec![key_of(key), value]);
        let mut all: Vec<Tree> = simple.into_iter().map(pair).collect();
        all.append(&mut others);
        Ok(one("$entries", Tree::Seq(all)))
    }

    /// Whether a key in JSON means the same as this one.
    fn is_simple(&self, id: NodeId) -> bool {
        let Some(scalar) = self.document.scalar(id) else {
            return false;
        };
        let text = scalar.text.as_ref();
        if text.starts_with('$') || self.document.tag(id).is_some() {
            return false;
        }
        match codec_is_yaml(self.document) {
            false => true,
            true if scalar.style == ScalarStyle::Plain => {
                is_integer(text) || is_word(text) && self.is_text(id)
            }
            true => !is_integer(text),
        }
    }

    /// Any key.
    fn key(&mut self, id: NodeId) -> Result<Tree, String> {
        // A key is no value of the schema: nothing in it is asked for.
        let path = std::mem::take(&mut self.path);
        let fields = std::mem::take(&mut self.fields);
        let places = std::mem::replace(&mut self.places, SecretPlaces::of(&[]));
        let at = std::mem::replace(&mut self.at, Cursor::Unknown);
        let key = self.value(id);
        (self.path, self.fields) = (path, fields);
        (self.places, self.at) = (places, at);
        Ok(key?.unwrap_or_default())
    }

    fn is_text(&self, id: NodeId) -> bool {
        self.document.kind(id) == Some(ResolvedKind::Text)
    }

    fn scalar(&self, id: NodeId) -> Tree {
        let Some(scalar) = self.document.scalar(id) else {
            return Tree::Null;
        };
        if scalar.style != ScalarStyle::Plain {
            return Tree::Str(scalar.text.as_ref().to_owned());
        }
        let yaml = codec_is_yaml(self.document);
        let text = match yaml {
            true => scalar.text.as_ref(),
            // Numbers with their underscores.
            false => self.document.source(self.document.resolved(id)),
        };
        match text {
            "null" => return Tree::Null,
            "" | "~" if yaml => return Tree::Null,
            "true" => return Tree::Bool(true),
            "false" => return Tree::Bool(false),
            _ => {}
        }
        if is_integer(text) {
            if let Ok(number) = text.parse() {
                return Tree::U64(number);
            }
            if let Ok(number) = text.parse() {
                return Tree::I64(number);
            }
        }
        match yaml && is_word(text) && self.is_text(id) {
            true => Tree::Str(text.to_owned()),
            false => one("$plain", Tree::Str(text.to_owned())),
        }
    }
}

fn codec_is_yaml(document: &Document<'_>) -> bool {
    match document.dialect() {
        #[cfg(feature = "yaml")]
        crate::document::Dialect::Yaml => true,
        _ => false,
    }
}

/// Text that no type reads as anything but text, with or without quotes.
fn is_word(text: &str) -> bool {
    let first = text.starts_with(|first: char| first.is_alphabetic() || matches!(first, '/' | '_'));
    let reserved = ["null", "true", "false", "nan", "inf", "infinity"];
    first && !reserved.iter().any(|word| text.eq_ignore_ascii_case(word))
}
