//! Pieces of texts, by which a text that quotes another one is recognised.

use std::collections::HashSet;

/// The same for a message that a decoder made of a document, where nobody knows which part of it is secret.
const SMALL_PIECE: usize = 4;

/// Whether two texts have some characters in a row in common.
pub(crate) fn share_a_piece(message: &str, text: &str) -> bool {
    let pieces = pieces(message, SMALL_PIECE);
    let escaped: String = text.escape_debug().collect();
    windows(text, SMALL_PIECE)
        .chain(windows(&escaped, SMALL_PIECE))
        .any(|piece| pieces.contains(piece))
}

pub(crate) fn pieces(text: &str, length: usize) -> HashSet<&str> {
    windows(text, length).collect()
}

/// Every `length` characters in a row that are not blank.
pub(crate) fn windows(text: &str, length: usize) -> impl Iterator<Item = &str> {
    let starts = text.char_indices().map(|(at, _)| at);
    let ends = text.char_indices().map(|(at, _)| at).skip(length);
    starts
        .zip(ends.chain([text.len()]))
        .map(|(start, end)| &text[start..end])
        .filter(move |piece| !piece.trim().is_empty() && piece.chars().count() == length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_quotes_a_document_is_told_from_one_that_does_not() {
        assert!(share_a_piece("no value: hunter2", "user me\nhunter2"));
        assert!(share_a_piece("no \"a\\\"bc\"", "a\"bc"));
        assert!(!share_a_piece("a line without a key", "user me\nhunter2"));
    }
}
