//! How much of a secret is enough for a text to be withheld (six characters in a row, or a short secret as a word), and in which
//! spellings: base64, hexadecimal, percent signs.

use crate::problem::{PieceSet, windows};
use std::{borrow::Cow, collections::HashSet};

/// So many characters of a secret in a row are a piece of it.
pub(super) const PIECE: usize = 6;

/// Secrets that are longer are not searched for: they are taken to be in every text.
const LONG: usize = 1 << 20;

/// The secrets by their pieces, letters in lower case.
#[derive(Default)]
pub(super) struct SecretPieces {
    pieces: PieceSet,
    /// Those that are shorter than a piece are found as words.
    words: HashSet<String>,
    /// A bit for each ASCII character that one of the words begins with.
    begins: u128,
    has_too_long: bool,
}

impl SecretPieces {
    /// Pieces that are in one of the `keys`, too, give nothing away.
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a str>, keys: &[&str]) -> Self {
        let mut all = SecretPieces::default();
        for value in values {
            all.add(value);
        }
        for key in keys {
            pieces_of(key, |piece| {
                all.pieces.remove(&piece);
                true
            });
        }
        all
    }

    fn add(&mut self, value: &str) {
        if value.len() > LONG {
            self.has_too_long = true;
            return;
        }
        let mut add = |text: &str| {
            pieces_of(text, |piece| {
                self.pieces.insert(piece);
                true
            });
        };
        add(value);
        if value.chars().any(is_escaped) {
            add(&value.escape_debug().to_string());
        }
        let word = value.trim();
        if !word.is_empty() && word.chars().take(PIECE).count() < PIECE {
            let word: String = folded(word).collect();
            self.begins |= word.chars().next().and_then(bit).unwrap_or_default();
            self.words.insert(word);
        }
    }

    /// Whether a piece of a secret is in `text`: as it is, or in base64, in hexadecimal or with percent signs.
    pub(super) fn are_in(&self, text: &str) -> bool {
        if self.has_too_long {
            return true;
        }
        if self.pieces.is_empty() && self.words.is_empty() {
            return false;
        }
        self.are_plainly_in(text, WordsOf::Sentence)
            || decoded(text, &mut |text| {
                self.are_plainly_in(text, WordsOf::Decoded)
            })
    }

    /// The same of one value. Of a word or a number of one or two characters it is no news that it is a secret's, too.
    pub(super) fn are_in_value(&self, value: &str) -> bool {
        self.are_in(value) && !is_ordinary(&folded(value.trim()).collect::<String>())
    }

    /// The same of a line of a document, in which any word may be a value.
    pub(super) fn are_in_line(&self, line: &str) -> bool {
        self.are_in(line) || self.has_word(line, WordsOf::Line)
    }

    /// Whether six characters of a secret are in the text as they are; short secrets are passed over.
    pub(super) fn have_a_piece_in(&self, text: &str) -> bool {
        self.has_too_long
            || !self.pieces.is_empty() && !pieces_of(text, |piece| !self.pieces.contains(&piece))
    }

    /// Whether a word may begin so.
    fn may_begin(&self, first: char) -> bool {
        bit(first).is_none_or(|bit| self.begins & bit != 0)
    }

    fn are_plainly_in(&self, text: &str, words: WordsOf) -> bool {
        self.have_a_piece_in(text) || self.has_word(text, words)
    }

    /// Whether a short secret is in the text, with nothing beside it that could be part of a word.
    fn has_word(&self, text: &str, words: WordsOf) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let text: Vec<char> = folded(text).collect();
        let is_edge = |at: Option<&char>| at.is_none_or(|c| !c.is_alphanumeric());
        let before = |from: usize| from.checked_sub(1).and_then(|at| text.get(at));
        let mut word = String::new();
        (0..text.len()).any(|from| {
            if !self.may_begin(text[from]) || !is_edge(before(from)) {
                return false;
            }
            word.clear();
            (text[from..].iter().take(PIECE - 1).enumerate()).any(|(at, c)| {
                word.push(*c);
                let behind = from + at + 1;
                is_edge(text.get(behind))
                    && self.words.contains(&word)
                    && match words {
                        WordsOf::Line => true,
                        WordsOf::Sentence => !is_ordinary(&word) || is_quoted(&text, from, behind),
                        WordsOf::Decoded => word.chars().count() > SHORT,
                    }
            })
        })
    }
}

fn bit(c: char) -> Option<u128> {
    c.is_ascii().then(|| 1 << u32::from(c))
}

/// Where short secrets are looked for.
#[derive(Clone, Copy)]
enum WordsOf {
    /// In a line of a document.
    Line,
    /// In a sentence, which has ordinary words.
    Sentence,
    /// In what was decoded from something that may be no encoding: any two letters may come out.
    Decoded,
}

/// Secrets of so many characters may be words and numbers of any sentence.
const SHORT: usize = 2;

/// Whether a sentence may have the word for another reason than that it quotes a secret.
fn is_ordinary(word: &str) -> bool {
    const WORDS: [&str; 32] = [
        "am", "an", "as", "at", "be", "by", "do", "eg", "go", "he", "id", "ie", "if", "in", "io",
        "ip", "is", "it", "me", "ms", "my", "no", "of", "ok", "on", "or", "os", "so", "to", "up",
        "us", "we",
    ];
    let length = word.chars().count();
    length == 1
        || length <= SHORT && word.chars().all(|c| c.is_ascii_digit())
        || WORDS.contains(&word)
}

/// Whether a sentence has this part of it as a value: in quotes or brackets, behind `=`, behind `:` at the end of a clause, or alone.
fn is_quoted(text: &[char], from: usize, behind: usize) -> bool {
    let next = text.get(behind);
    let ends = || next.is_none_or(|c| matches!(c, ',' | ';' | '.' | ')' | '\n'));
    let before = from.checked_sub(1).map(|at| text[at]);
    if matches!(
        (before, next),
        (Some('"'), Some('"'))
            | (Some('`'), Some('`'))
            | (Some('\''), Some('\''))
            | (Some('('), Some(')'))
            | (Some('['), Some(']'))
            | (Some('<'), Some('>'))
    ) {
        return true;
    }
    let mut signs = text[..from].iter().rev().filter(|c| !c.is_whitespace());
    match signs.next() {
        // Not `<=` and the like.
        Some('=') => !matches!(signs.next(), Some('.' | '<' | '>' | '!' | '=')),
        Some(':') | None => ends(),
        _ => false,
    }
}

/// What `escape_debug` writes in another way.
fn is_escaped(c: char) -> bool {
    c.is_control() || matches!(c, '"' | '\'' | '\\') || !c.is_ascii()
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| match c.is_ascii() {
        true => c.to_ascii_lowercase(),
        false => c.to_lowercase().next().unwrap_or(c),
    })
}

/// Calls `each` with every piece of the text, until it answers false. Whether it never did.
fn pieces_of(text: &str, each: impl FnMut(u64) -> bool) -> bool {
    windows::<PIECE>(folded(text), each)
}

/// Calls `holds` with what parts of the text are if they are written in an encoding, until it answers true; whether it did.
fn decoded(text: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool {
    if text.contains('%') && holds(&lossy(&percent(text))) {
        return true;
    }
    let runs =
        text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')));
    for run in runs.filter(|run| run.len() >= PIECE) {
        // What is cut out of the middle of something begins anywhere.
        let in_base64 = |from: usize| base64(&run.as_bytes()[from..]);
        if (0..4).any(|from| holds(&lossy(&in_base64(from)))) {
            return true;
        }
        for digits in run.split(|c: char| !c.is_ascii_hexdigit()) {
            if digits.len() >= 2 * PIECE
                && (0..2).any(|from| holds(&lossy(&hexadecimal(&digits.as_bytes()[from..]))))
            {
                return true;
            }
        }
    }
    false
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

fn percent(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'%', [high, low, after @ ..]) => match digit(*high).zip(digit(*low)) {
                Some((high, low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                None => bytes.push(b'%'),
            },
            _ => bytes.push(*first),
        }
    }
    bytes
}

fn hexadecimal(digits: &[u8]) -> Vec<u8> {
    let pairs = digits.chunks_exact(2);
    pairs
        .filter_map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

fn base64(text: &[u8]) -> Vec<u8> {
    let value = |byte: &u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    };
    let mut bytes = Vec::with_capacity(text.len());
    for four in text.chunks(4) {
        let bits = (four.iter()).fold(0_u32, |bits, byte| bits << 6 | u32::from(value(byte)));
        let bits = bits << (6 * (4 - four.len()));
        let whole = bits.to_be_bytes();
        bytes.extend(&whole[1..four.len().max(1)]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(values: &[&str]) -> SecretPieces {
        SecretPieces::of(values.iter().copied(), &["password"])
    }

    #[test]
    fn six_characters_of_a_secret_are_a_piece_of_it() {
        let hidden = pieces(&["correct horse"]);
        for (text, holds) in [
            ("it was correct horse", true),
            ("it was CORRECT", true),
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
        let hidden = pieces(&["12ab", "", " ", "a-b"]);
        assert!(hidden.are_in("found \"12ab\""));
        assert!(hidden.are_in("12AB"));
        assert!(hidden.are_in("is a-b."));
        assert!(!hidden.are_in("found 312abc"));
        assert!(!hidden.are_in("found"));
        assert!(!hidden.are_in("a b"));
    }

    #[test]
    fn a_secret_of_one_or_two_characters_is_no_reason_to_withhold_a_sentence_that_does_not_quote_it()
     {
        let ordinary = ["a", "s", "t", "4", "12", "is", "IT", "o"];
        let hidden = pieces(&ordinary);
        for text in [
            "the process died once, and a change of `workers` is to blame",
            "it doesn't hold: there are 4 of 12, which isn't a good number of Bob's",
            "12 are too many",
            "no such host: a name is expected",
            "must be in 0..=4, found 400",
            "expected a list of hosts",
        ] {
            assert!(!hidden.are_in(text), "{text}");
            assert!(
                hidden.are_in_line(text) || text.starts_with("expected"),
                "{text}"
            );
        }
        for secret in ordinary {
            for text in [
                "found `@`",
                "found \"@\" here",
                "not '@'",
                "bad pin: @",
                "bad pin: @, no",
                "pin=@ is",
                "(@)",
                "@",
            ] {
                let text = text.replace('@', secret);
                assert!(hidden.are_in(&text), "{text}");
            }
        }
        let rare = pieces(&["x7", "é1"]);
        assert!(rare.are_in("pin x7 is too short") && rare.are_in("found É1"));
    }

    #[test]
    fn a_secret_is_found_though_it_was_escaped() {
        let hidden = pieces(&["a\"b\nc\u{1b}d"]);
        assert!(hidden.are_in(&format!("found {:?}", "a\"b\nc\u{1b}d")));
        assert!(hidden.are_in("found a\"b\nc\u{1b}d"));
    }

    #[test]
    fn a_key_in_a_message_is_no_piece_of_a_secret() {
        let hidden = pieces(&["password123"]);
        assert!(!hidden.are_in("the password is too short"));
        assert!(hidden.are_in("the password password12 is too short"));
    }

    #[test]
    fn a_secret_is_found_in_its_usual_encodings() {
        let hidden = pieces(&["s3cr/t+p@ss wörd!"]);
        for text in [
            "header Basic Ym9iOnMzY3IvdCtwQHNzIHfDtnJkIQ==",
            "get /?p=s3cr%2Ft%2Bp%40ss%20w%C3%B6rd%21",
            "bytes 733363722f742b704073732077c3b6726421",
            "BYTES 733363722F742B704073732077C3B6726421",
            "S3CR/T+P@SS",
        ] {
            assert!(hidden.are_in(text), "{text}");
        }
        assert!(!hidden.are_in("header Basic dXNlcjpub3RoaW5nIGF0IGFsbA=="));
    }

    proptest! {
        #[test]
        fn every_piece_of_a_secret_is_found_and_no_other(
            secret in "[a-z0-9é ]{6,40}",
            (before, after) in ("[A-Z.]{0,9}", "[A-Z.]{0,9}"),
            at in 0_usize..40,
        ) {
            let hidden = pieces(&[&secret]);
            let letters: Vec<char> = secret.chars().collect();
            let at = at.min(letters.len() - PIECE);
            let piece: String = letters[at..at + PIECE].iter().collect();
            prop_assume!(!piece.trim().is_empty() && !"password".contains(&piece));
            let text = format!("{before}{piece}{after}");
            prop_assert!(hidden.are_in(&text));
            prop_assert!(!hidden.are_plainly_in("ßßßßß ßßßßß", WordsOf::Line));
        }

        #[test]
        fn any_text_is_looked_at(text in any::<String>(), secret in any::<String>()) {
            let hidden = pieces(&[&secret]);
            let _ = hidden.are_in(&text);
            if secret.trim().chars().count() >= PIECE {
                let quoted = format!("{text}{secret}");
                prop_assert!(hidden.are_in(&quoted));
            }
        }
    }
}
