//! What must not be printed, and whether a text holds a piece of it. The last line of defence: the paths of secrets are known, but
//! a message of the program's own code may quote anything.

use crate::{
    codec::{self, Decoder},
    document::{Document, NodeContent, NodeId, ResolvedKind},
    problem::{Seg, pieces, windows},
    schema::{self, Field},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// So many characters of a secret in a row are a piece of it.
const PIECE: usize = 6;

/// A text that is longer is not searched: it is taken to be anywhere.
const LONG: usize = 1 << 20;

/// A document that took part in an update.
pub(crate) type DocumentText<'a> = (&'a Arc<[u8]>, &'a Decoder);

/// The secrets of an update.
#[derive(Default)]
pub(crate) struct KnownSecrets {
    values: Vec<String>,
    /// Pieces of keys give nothing away.
    keys: Vec<&'static str>,
}

impl KnownSecrets {
    /// The secrets in these documents, and those `given` by layers without one.
    pub(crate) fn of<'a>(
        fields: &'static [Field],
        documents: impl IntoIterator<Item = DocumentText<'a>>,
        given: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        if !schema::any_secret(fields) {
            return KnownSecrets::default();
        }
        let mut values: Vec<String> = given.into_iter().cloned().collect();
        let mut seen: Vec<*const u8> = Vec::new();
        for (bytes, decoder) in documents {
            if seen.contains(&bytes.as_ptr()) {
                continue;
            }
            seen.push(bytes.as_ptr());
            let texts = with_document(bytes, decoder, |document| texts(fields, document));
            match texts.flatten() {
                Some(texts) => values.extend(texts),
                // A secret may be anywhere in it.
                None => values.push(String::from_utf8_lossy(bytes).into_owned()),
            }
        }
        KnownSecrets {
            values,
            keys: all_keys(fields, schema::MAX_DEPTH),
        }
    }

    /// Whether a piece of a secret is in `text`.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        if self.values.is_empty() {
            return false;
        }
        let pieces = pieces(text, PIECE);
        let known = |piece: &str| self.keys.iter().any(|key| key.contains(piece));
        self.values.iter().any(|value| {
            if value.len() > LONG {
                return true;
            }
            let escaped: String = value.escape_debug().collect();
            [value.as_str(), &escaped].into_iter().any(|value| {
                let found =
                    windows(value, PIECE).any(|piece| pieces.contains(piece) && !known(piece));
                found || is_word_of(value, text)
            })
        })
    }
}

/// Hands over the model of a document; none where it cannot be read, or its codec panics. Nothing in it has a place where the
/// parser with spans cannot follow the format's own decoder.
fn with_document<T>(
    bytes: &[u8],
    decoder: &Decoder,
    then: impl FnOnce(&Document<'_>) -> T,
) -> Option<T> {
    let text = codec::text_of(bytes).ok()?;
    let dialect = codec::dialect(decoder);
    if let Some(document) = dialect.and_then(|dialect| Document::parse(dialect, text).ok()) {
        return Some(then(&document));
    }
    let tree = catch_unwind(AssertUnwindSafe(|| codec::tree(decoder, text))).ok()?;
    Some(then(&Document::of_tree(&tree.ok()?)))
}

/// The nodes that must not be shown: secrets, whatever is in them, and what may be one. None where there is too much to follow.
pub(super) fn hidden(fields: &'static [Field], document: &Document<'_>) -> Option<Vec<NodeId>> {
    let mut search = Search {
        fields,
        document,
        path: Vec::new(),
        left: document
            .len()
            .saturating_mul(ALIASED)
            .saturating_add(1 << 16),
        found: Vec::new(),
    };
    search.node(document.root())?;
    Some(search.found)
}

/// The texts of what must not be shown, but for `true` and `false`, which are in many a sentence.
pub(crate) fn texts(fields: &'static [Field], document: &Document<'_>) -> Option<Vec<String>> {
    let nodes = hidden(fields, document)?;
    let mut texts = Vec::new();
    for node in nodes {
        if let Some(scalar) = document.scalar(node) {
            if !matches!(scalar.text.as_ref(), "true" | "false") {
                texts.push(scalar.text.to_string());
            }
            texts.extend(document.printed(node));
        }
    }
    Some(texts)
}

/// How many times its size a document may have with its aliases followed, before all of it is taken to be secret.
const ALIASED: usize = 16;

/// Deeper than the formats' decoders go.
const DEEPEST: usize = 160;

struct Search<'d, 't> {
    fields: &'static [Field],
    document: &'d Document<'t>,
    path: Vec<Seg>,
    /// How many nodes may still be looked at.
    left: usize,
    found: Vec<NodeId>,
}

impl Search<'_, '_> {
    fn node(&mut self, id: NodeId) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let document = self.document;
        match &document.node(id).content {
            NodeContent::Map(entries) => {
                let table = schema::table(self.fields, &self.path);
                for entry in entries {
                    let key = document.key(entry.key);
                    let is_null = document.kind(entry.value) == Some(ResolvedKind::Null);
                    if schema::may_be_a_value(table, key, is_null) {
                        self.found.push(entry.key);
                    }
                    self.below(Seg::Key(key.to_owned().into()), entry.value)?;
                }
            }
            NodeContent::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(Seg::Index(index), *item)?;
                }
            }
            NodeContent::Scalar(_) | NodeContent::Alias(_) => {
                let is_null = document.kind(id) == Some(ResolvedKind::Null);
                if !is_null && schema::is_secret(self.fields, &self.path) {
                    self.found.push(id);
                }
            }
        }
        Some(())
    }

    fn below(&mut self, seg: Seg, id: NodeId) -> Option<()> {
        if self.path.len() >= DEEPEST {
            return None;
        }
        self.path.push(seg);
        self.node(id)?;
        self.path.pop();
        Some(())
    }
}

fn all_keys(fields: &'static [Field], depth: u8) -> Vec<&'static str> {
    let mut keys = Vec::new();
    for field in fields {
        keys.push(field.name);
        if let Some(inner) = field.kind.table().filter(|_| depth > 0) {
            keys.extend(all_keys(inner, depth - 1));
        }
    }
    keys
}

/// Whether a value that is shorter than a piece is in `text` as a word of its own.
fn is_word_of(value: &str, text: &str) -> bool {
    let word = value.trim();
    if word.is_empty() || word.chars().count() >= PIECE {
        return false;
    }
    let outside = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(word).any(|(at, word)| {
        outside(text[..at].chars().next_back()) && outside(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[&str]) -> KnownSecrets {
        KnownSecrets {
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            keys: vec!["password"],
        }
    }

    #[test]
    fn six_characters_of_a_secret_are_a_piece_of_it() {
        let hidden = secrets(&["correct horse"]);
        for (text, holds) in [
            ("it was correct horse", true),
            ("it was correc", true),
            ("it was corre", false),
            ("orrect", true),
            ("ct hor", true),
            ("", false),
        ] {
            assert_eq!(hidden.are_in(text), holds, "{text}");
        }
    }

    #[test]
    fn a_short_secret_is_found_as_a_word() {
        let hidden = secrets(&["12ab", "", " "]);
        assert!(hidden.are_in("found \"12ab\""));
        assert!(!hidden.are_in("found 312abc"));
        assert!(!hidden.are_in("found"));
    }

    #[test]
    fn a_secret_is_found_though_it_was_escaped() {
        let hidden = secrets(&["a\"b\nc\u{1b}d"]);
        assert!(hidden.are_in(&format!("found {:?}", "a\"b\nc\u{1b}d")));
        assert!(hidden.are_in("found a\"b\nc\u{1b}d"));
    }

    #[test]
    fn a_key_in_a_message_is_no_piece_of_a_secret() {
        let hidden = secrets(&["password123"]);
        assert!(!hidden.are_in("the password is too short"));
        assert!(hidden.are_in("the password password12 is too short"));
    }
}
