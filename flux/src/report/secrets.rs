//! What must not be printed, and whether a text holds a piece of it. The last line of defence: the paths of secrets are known, but
//! a message of the program's own code may quote anything.

use crate::{
    codec::{self, Decoder},
    document::tree::Tree,
    problem::Seg,
    schema::{self, Field},
};
use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// So many characters of a secret in a row are a piece of it.
const PIECE: usize = 6;
/// The same for a message that a decoder made of a document, where nobody knows which part of it is secret.
const SMALL_PIECE: usize = 4;

/// A text that is longer is not searched: it is taken to be anywhere.
const LONG: usize = 1 << 20;

/// A document that took part in an update.
pub(crate) type Told<'a> = (&'a Arc<[u8]>, &'a Decoder);

/// The secrets of an update.
#[derive(Default)]
pub(crate) struct Secrets {
    values: Vec<String>,
    /// Pieces of keys give nothing away.
    keys: Vec<&'static str>,
}

impl Secrets {
    /// The secrets in these documents, and those `given` by layers without one.
    pub(crate) fn of<'a>(
        fields: &'static [Field],
        documents: impl IntoIterator<Item = Told<'a>>,
        given: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        if !schema::any_secret(fields) {
            return Secrets::default();
        }
        let mut values: Vec<String> = given.into_iter().cloned().collect();
        let mut seen: Vec<*const u8> = Vec::new();
        for (bytes, decoder) in documents {
            if seen.contains(&bytes.as_ptr()) {
                continue;
            }
            seen.push(bytes.as_ptr());
            match read(bytes, decoder) {
                Some(tree) => values.extend(texts(&of_tree(fields, &tree))),
                // A secret may be anywhere in it.
                None => values.push(String::from_utf8_lossy(bytes).into_owned()),
            }
        }
        Secrets {
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

/// The tree of a document; none where it cannot be read, or its codec panics.
pub(super) fn read(bytes: &[u8], decoder: &Decoder) -> Option<Tree> {
    let text = codec::text_of(bytes).ok()?;
    catch_unwind(AssertUnwindSafe(|| codec::tree(decoder, text)))
        .ok()?
        .ok()
}

/// A scalar that must not be shown.
pub(crate) struct Secret {
    /// The numbers of the entries and items that lead to it.
    pub(super) numbers: Vec<usize>,
    pub(super) text: String,
    /// A number or a bool.
    pub(super) is_plain: bool,
}

/// Every scalar of a tree that must not be shown.
pub(crate) fn of_tree(fields: &'static [Field], tree: &Tree) -> Vec<Secret> {
    let mut found = Vec::new();
    collect(fields, tree, &mut Vec::new(), &mut Vec::new(), &mut found);
    found
}

/// Their texts, but for `true` and `false`, which are in many a sentence.
pub(crate) fn texts(secrets: &[Secret]) -> impl Iterator<Item = String> {
    let texts = secrets.iter().map(|secret| &secret.text);
    texts
        .filter(|text| !matches!(text.as_str(), "true" | "false"))
        .cloned()
}

fn collect(
    fields: &'static [Field],
    tree: &Tree,
    path: &mut Vec<Seg>,
    numbers: &mut Vec<usize>,
    found: &mut Vec<Secret>,
) {
    let mut below = |seg: Seg, number: usize, value: &Tree| {
        path.push(seg);
        numbers.push(number);
        collect(fields, value, path, numbers, found);
        path.pop();
        numbers.pop();
    };
    let (text, is_plain) = match tree {
        Tree::Map(entries) => {
            for (number, (key, value)) in entries.iter().enumerate() {
                below(Seg::Key(key.clone().into()), number, value);
            }
            let table = schema::table(fields, path);
            for (key, value) in entries {
                if may_be_a_value(table, key, value) {
                    found.push(Secret {
                        // Where a key stands is not told.
                        numbers: Vec::new(),
                        text: key.clone(),
                        is_plain: false,
                    });
                }
            }
            return;
        }
        Tree::Seq(items) => {
            for (number, item) in items.iter().enumerate() {
                below(Seg::Index(number), number, item);
            }
            return;
        }
        Tree::Str(text) | Tree::Raw(text) => (text.clone(), false),
        Tree::U64(number) => (number.to_string(), true),
        Tree::I64(number) => (number.to_string(), true),
        Tree::F64(number) => (number.to_string(), true),
        Tree::Bool(value) => (value.to_string(), true),
        Tree::Null => return,
    };
    if schema::is_secret(fields, path) {
        found.push(Secret {
            numbers: numbers.clone(),
            text,
            is_plain,
        });
    }
}

/// Whether a key may be a secret that lost its own key: `{secret}` and `password:secret` are maps with such a key, in YAML.
pub(crate) fn may_be_a_value(table: &'static [Field], key: &str, value: &Tree) -> bool {
    *value == Tree::Null
        && schema::find(table, key).is_none()
        && flux_syntax::nearest(key, schema::keys(table)).is_none()
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

/// Whether two texts have some characters in a row in common.
pub(crate) fn share_a_piece(message: &str, text: &str) -> bool {
    let pieces = pieces(message, SMALL_PIECE);
    let escaped: String = text.escape_debug().collect();
    windows(text, SMALL_PIECE)
        .chain(windows(&escaped, SMALL_PIECE))
        .any(|piece| pieces.contains(piece))
}

fn pieces(text: &str, length: usize) -> HashSet<&str> {
    windows(text, length).collect()
}

/// Every `length` characters in a row that are not blank.
fn windows(text: &str, length: usize) -> impl Iterator<Item = &str> {
    let starts = text.char_indices().map(|(at, _)| at);
    let ends = text.char_indices().map(|(at, _)| at).skip(length);
    starts
        .zip(ends.chain([text.len()]))
        .map(|(start, end)| &text[start..end])
        .filter(move |piece| !piece.trim().is_empty() && piece.chars().count() == length)
}

/// Whether a value that is shorter than a piece stands in `text` as a word of its own.
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

    fn secrets(values: &[&str]) -> Secrets {
        Secrets {
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

    #[test]
    fn a_message_that_quotes_a_document_is_told_from_one_that_does_not() {
        assert!(share_a_piece("no value: hunter2", "user me\nhunter2"));
        assert!(share_a_piece("no \"a\\\"bc\"", "a\"bc"));
        assert!(!share_a_piece("a line without a key", "user me\nhunter2"));
    }
}
