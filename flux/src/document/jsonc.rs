//! Finds the comments and the trailing commas of JSON, for which JSON has blanks: what is left is JSON, and every byte of it is where
//! it was.

use super::model::Unfollowed;
#[cfg(feature = "jsonc")]
use super::{json, model::Document};
use jsonc_parser::{
    Scanner, ScannerOptions,
    errors::{ParseError, ParseErrorKind},
    tokens::Token,
};
use std::fmt;
#[cfg(feature = "jsonc")]
use std::ops::Range;

/// Why a text is no document of JSONC or JSON5, and the byte at which it is none.
#[derive(Debug)]
pub(crate) struct JsonRefusal {
    pub(crate) at: usize,
    pub(crate) message: String,
    /// The message may quote the document.
    pub(crate) quotes: bool,
    pub(crate) too_deep: bool,
}

impl JsonRefusal {
    pub(super) fn new(at: usize, message: impl fmt::Display) -> Self {
        JsonRefusal {
            at,
            message: message.to_string(),
            quotes: false,
            too_deep: false,
        }
    }
}

impl From<ParseError> for JsonRefusal {
    fn from(error: ParseError) -> Self {
        // It begins with a capital letter, and is put behind a colon.
        let mut message = error.kind().to_string();
        if let Some(first) = message.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        JsonRefusal {
            quotes: matches!(error.kind(), ParseErrorKind::String(_)),
            ..JsonRefusal::new(error.range().start, message)
        }
    }
}

impl From<&JsonRefusal> for Unfollowed {
    fn from(refusal: &JsonRefusal) -> Self {
        match refusal.too_deep {
            true => Unfollowed::TooDeep,
            false => Unfollowed::Syntax(refusal.at),
        }
    }
}

/// A text of JSONC as JSON.
#[cfg(feature = "jsonc")]
pub(crate) struct Blanked {
    /// As long as the text, with the same lines. Null in the place of a text of comments alone, as a document without a value.
    pub(crate) json: String,
    pub(super) comments: Vec<Range<usize>>,
    has_value: bool,
}

/// What comes before a bracket that closes.
#[cfg(feature = "jsonc")]
enum BeforeBracket {
    Value,
    /// A comma behind a value, at this byte.
    Comma(usize),
    Other,
}

/// The text with blanks in the place of what JSON does not have. Everything else is left to the decoder of JSON.
#[cfg(feature = "jsonc")]
pub(crate) fn blanked(text: &str) -> Result<Blanked, JsonRefusal> {
    const STRICT: ScannerOptions = ScannerOptions {
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let mut json = text.as_bytes().to_vec();
    let mut comments = Vec::new();
    let mut has_value = false;
    let mut before = BeforeBracket::Other;
    let mut scanner = Scanner::new(text, &STRICT);
    while let Some(token) = scanner.scan()? {
        let span = scanner.token_start()..scanner.token_end();
        before = match token {
            Token::CommentLine(_) | Token::CommentBlock(_) => {
                blank(&mut json[span.clone()]);
                comments.push(span);
                continue;
            }
            Token::Comma => match before {
                BeforeBracket::Value => BeforeBracket::Comma(span.start),
                _ => BeforeBracket::Other,
            },
            Token::CloseBrace | Token::CloseBracket => {
                if let BeforeBracket::Comma(at) = before {
                    json[at] = b' ';
                }
                BeforeBracket::Value
            }
            Token::OpenBrace | Token::OpenBracket | Token::Colon => BeforeBracket::Other,
            Token::String(_)
            | Token::Word(_)
            | Token::Boolean(_)
            | Token::Number(_)
            | Token::Null => BeforeBracket::Value,
        };
        has_value = true;
    }
    if !has_value {
        json = b"null".to_vec();
    }
    // Whole characters became blanks.
    let json = String::from_utf8(json).map_err(|error| JsonRefusal::new(0, error))?;
    Ok(Blanked {
        json,
        comments,
        has_value,
    })
}

/// Breaks of lines are kept, so that every place stays what it was.
#[cfg(feature = "jsonc")]
fn blank(bytes: &mut [u8]) {
    for byte in bytes {
        if !matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

/// Whether there is no value in a text of JSONC or JSON5, but comments. Ends at the first word that is none.
pub(crate) fn is_comments_alone(text: &str) -> bool {
    let mut scanner = Scanner::new(text, &ScannerOptions::default());
    loop {
        match scanner.scan() {
            Ok(Some(Token::CommentLine(_) | Token::CommentBlock(_))) => {}
            Ok(token) => return token.is_none(),
            Err(_) => return false,
        }
    }
}

/// Reads JSONC with spans.
#[cfg(feature = "jsonc")]
pub(super) fn parse(text: &str) -> Result<Document<'_>, Unfollowed> {
    let blanked = blanked(text).map_err(|refusal| Unfollowed::from(&refusal))?;
    json::parse_blanked(
        text,
        blanked.has_value.then_some(blanked.json.as_bytes()),
        blanked.comments,
    )
}

#[cfg(all(test, feature = "jsonc"))]
mod tests {
    use super::*;

    #[test]
    fn what_json_does_not_have_is_blank_and_nothing_else_is() {
        for (text, json) in [
            ("{\"a\": 1, // é\n}", "{\"a\": 1       \n}"),
            ("[1, /* x\ny */ ]", "[1      \n     ]"),
            ("{\"//\": \"/* , */\",}", "{\"//\": \"/* , */\" }"),
            ("{,}", "{,}"),
            ("[1,,]", "[1,,]"),
            ("[,]", "[,]"),
            ("{\"a\":,}", "{\"a\":,}"),
            ("1,", "1,"),
            ("// nothing\n", "null"),
        ] {
            let Ok(blanked) = blanked(text) else {
                panic!("{text} is refused");
            };
            assert_eq!(blanked.json, json, "{text}");
        }
    }

    #[test]
    fn what_is_json5_alone_is_refused_by_its_name() {
        for (text, at, message) in [
            ("{'a': 1}", 1, "single-quoted strings are not allowed"),
            ("{\"a\": 0x1}", 6, "hexadecimal numbers are not allowed"),
            ("{} /* x", 3, "unterminated comment block"),
        ] {
            let Err(refusal) = blanked(text) else {
                panic!("{text} is read");
            };
            assert_eq!((refusal.at, &*refusal.message), (at, message), "{text}");
        }
    }
}
