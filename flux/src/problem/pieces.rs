//! Whether a decoder's message quotes the document: four characters in a row in common; the search for pieces that
//! `report/pieces.rs` uses for secrets.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

/// So many characters in a row that a decoder's message and a document have in common are a quotation: nobody knows which part of
/// the document is secret.
const SMALL_PIECE: usize = 4;

/// Pieces of texts, by a number for each.
pub(crate) type PieceSet = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// Whether two texts have some characters in a row in common.
pub(crate) fn share_a_piece(message: &str, text: &str) -> bool {
    let mut pieces = PieceSet::default();
    windows::<SMALL_PIECE>(message.chars(), |piece| {
        pieces.insert(piece);
        true
    });
    let other = |piece| !pieces.contains(&piece);
    !windows::<SMALL_PIECE>(text.chars(), other)
        || !windows::<SMALL_PIECE>(text.escape_debug(), other)
}

/// Calls `each` with every `N` characters in a row that are not all blank, until it answers false. Whether it never did.
pub(crate) fn windows<const N: usize>(
    text: impl Iterator<Item = char>,
    mut each: impl FnMut(u64) -> bool,
) -> bool {
    let mut last = ['\0'; N];
    let mut blanks = 0;
    for (at, c) in text.enumerate() {
        let slot = at % N;
        blanks = if c.is_whitespace() { blanks + 1 } else { 0 };
        last[slot] = c;
        if at + 1 < N || blanks >= N {
            continue;
        }
        let (end, begin) = last.split_at(slot + 1);
        let mixed = (begin.iter().chain(end)).fold(0_u64, |all, c| {
            (all.rotate_left(21) ^ u64::from(u32::from(*c))).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        if !each(mixed ^ (mixed >> 29)) {
            return false;
        }
    }
    true
}

/// Pieces are mixed already.
#[derive(Debug, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, piece: u64) {
        self.0 = piece;
    }
    fn finish(&self) -> u64 {
        self.0
    }
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
