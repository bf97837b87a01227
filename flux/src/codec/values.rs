//! Whether two documents have the same content although one was only written anew: a document in a form that depends on its values
//! alone.
//!
//! Comments, blanks, quotes, the layout and the order of keys make no difference, nor do keys that no field has and aliases of
//! fields. A scalar counts by its kind and its text: where one type reads two texts alike, another one may not. No code of the
//! program runs, and nothing recurses deeper than a document may be.

#[cfg(test)]
#[cfg(all(
    feature = "derive",
    feature = "json",
    feature = "yaml",
    feature = "toml"
))]
mod read_alike;
#[cfg(test)]
#[cfg(all(
    feature = "derive",
    feature = "json",
    feature = "yaml",
    feature = "toml"
))]
mod tests;

use super::{Decoder, bounded_dialect, is_without_content, text_of};
use crate::{
    document::{Dialect, Document, NodeContent, NodeId, ResolvedKind, ScalarStyle},
    problem::caught,
    schema::{self, Field, Kind},
};

/// Deeper than the fast decoders go.
const DEEPEST: usize = 160;

/// How many times the size of the document its values may have, with its aliases put in, and beyond that.
const GROWTH: usize = 16;
const LARGEST: usize = 1 << 16;

/// The values of a document; none where it cannot be read, or where the program's own code would have to read it.
pub(crate) fn values(fields: &'static [Field], decoder: &Decoder, bytes: &[u8]) -> Option<Vec<u8>> {
    let text = text_of(bytes).ok()?;
    let dialect = caught(|| bounded_dialect(decoder, text)).ok()??;
    let mut values = Values {
        bytes: Vec::new(),
        left: text.len().saturating_mul(GROWTH).saturating_add(LARGEST),
        depth: 0,
    };
    if text.trim().is_empty() || is_without_content(decoder, text) {
        values.bytes.push(NULL);
        return Some(values.bytes);
    }
    let written = caught(|| {
        let document = Document::parse(dialect, text).ok()?;
        #[cfg(feature = "yaml")]
        if crate::document::bad_merge(&document).is_some() {
            return None;
        }
        values.section(&document, fields, document.root())?;
        Some(values.bytes)
    });
    written.ok().flatten()
}

const NULL: u8 = b'n';

struct Values {
    bytes: Vec<u8>,
    /// How many more bytes may come.
    left: usize,
    depth: usize,
}

impl Values {
    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        self.left = self.left.checked_sub(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Some(())
    }

    fn text(&mut self, kind: u8, text: &str) -> Option<()> {
        self.push(&[kind])?;
        self.push(&(text.len() as u64).to_le_bytes())?;
        self.push(text.as_bytes())
    }

    fn within(&mut self, go: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        go(self)?;
        self.depth -= 1;
        Some(())
    }

    /// Parts that begin with `form`, ordered by their names where `sorted`. A part appends its name, and then its value.
    fn parts<P>(
        &mut self,
        form: u8,
        sorted: bool,
        parts: impl Iterator<Item = P>,
        mut part: impl FnMut(&mut Self, P) -> Option<()>,
    ) -> Option<()> {
        self.push(&[form])?;
        self.within(|values| {
            let mut all = Vec::new();
            for one in parts {
                let before = std::mem::take(&mut values.bytes);
                let done = part(values, one);
                all.push(std::mem::replace(&mut values.bytes, before));
                done?;
            }
            if sorted {
                all.sort();
            }
            // What is counted above is not counted twice.
            values
                .bytes
                .extend_from_slice(&(all.len() as u64).to_le_bytes());
            values.bytes.extend(all.into_iter().flatten());
            Some(())
        })
    }

    fn section(
        &mut self,
        document: &Document<'_>,
        fields: &'static [Field],
        id: NodeId,
    ) -> Option<()> {
        let NodeContent::Map(entries) = &document.node(id).content else {
            return match document.kind(id) {
                // However it is written.
                Some(ResolvedKind::Null) if document.node(id).tag.is_none() => self.push(&[NULL]),
                _ => self.value(document, id),
            };
        };
        self.tag(document, id)?;
        // What no field has is not read. A key with a tag may be refused, whatever has it.
        let known = entries.iter().filter_map(|entry| {
            let key = document.key(entry.key);
            match schema::step(fields, key) {
                Some((_, kind)) => Some((schema::find(fields, key), kind, entry)),
                None if document.node(entry.key).tag.is_some() => Some((None, Kind::Leaf, entry)),
                None => None,
            }
        });
        self.parts(b'm', true, known, |values, (field, kind, entry)| {
            match field.filter(|_| document.node(entry.key).tag.is_none()) {
                Some(field) => values.text(b'k', field.name)?,
                None => values.key(document, entry.key)?,
            }
            values.kind(document, kind, entry.value)
        })
    }

    fn kind(&mut self, document: &Document<'_>, kind: Kind, id: NodeId) -> Option<()> {
        match (kind, &document.node(id).content) {
            (Kind::Section(inner), _) => self.section(document, inner(), id),
            (Kind::List(item), NodeContent::List(items)) => {
                self.tag(document, id)?;
                self.parts(b'l', false, items.iter(), |values, one| {
                    values.kind(document, *item, *one)
                })
            }
            (Kind::Map(entry), NodeContent::Map(entries)) => {
                self.tag(document, id)?;
                self.parts(b'm', true, entries.iter(), |values, one| {
                    values.key(document, one.key)?;
                    values.kind(document, *entry, one.value)
                })
            }
            _ => self.value(document, id),
        }
    }

    /// The key of an entry. In TOML it is a text, though it looks like a number: `01` is not `1`.
    fn key(&mut self, document: &Document<'_>, id: NodeId) -> Option<()> {
        match document.scalar(id) {
            Some(key) if is_toml(document.dialect()) => self.text(b't', &key.text),
            _ => self.value(document, id),
        }
    }

    /// A value that is decoded as a whole.
    fn value(&mut self, document: &Document<'_>, id: NodeId) -> Option<()> {
        self.tag(document, id)?;
        match &document.node(id).content {
            NodeContent::Scalar(scalar) => self.scalar(document, id, &scalar.text),
            NodeContent::List(items) => self.parts(b'l', false, items.iter(), |values, item| {
                values.value(document, *item)
            }),
            NodeContent::Map(entries) => self.parts(b'm', true, entries.iter(), |values, one| {
                values.key(document, one.key)?;
                values.value(document, one.value)
            }),
            // Every way to a node resolves its aliases.
            NodeContent::Alias(_) => None,
        }
    }

    /// What a tag makes of a scalar depends on its quotes.
    fn tag(&mut self, document: &Document<'_>, id: NodeId) -> Option<()> {
        let node = document.node(id);
        let Some(tag) = &node.tag else {
            return Some(());
        };
        self.text(b'!', tag)?;
        match &node.content {
            NodeContent::Scalar(scalar) if scalar.style != ScalarStyle::Plain => self.push(b"q"),
            _ => Some(()),
        }
    }

    fn scalar(&mut self, document: &Document<'_>, id: NodeId, text: &str) -> Option<()> {
        match document.kind(id)? {
            // A text or a word where one is wanted, as in a key.
            ResolvedKind::Null => self.text(NULL, text),
            ResolvedKind::Bool => self.text(b'b', text),
            // In TOML an integer is never a text, and how it is written makes no difference.
            ResolvedKind::Integer if is_toml(document.dialect()) => {
                let digits = text.replace('_', "");
                let printed = document.printed(id);
                self.text(b'i', printed.as_deref().unwrap_or(&digits))
            }
            ResolvedKind::Integer => self.text(b'i', text),
            ResolvedKind::Float => self.text(b'f', text),
            ResolvedKind::Date => self.text(b'd', text),
            ResolvedKind::Text | ResolvedKind::Raw => self.text(b't', text),
        }
    }
}

fn is_toml(dialect: Dialect) -> bool {
    match dialect {
        #[cfg(feature = "toml")]
        Dialect::Toml => true,
        _ => false,
    }
}
