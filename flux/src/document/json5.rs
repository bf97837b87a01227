//! Reads JSON5 with spans, from the tokens of a kept scanner; no decoder of JSON5 for serde has the places, the depth and the numbers
//! of a configuration, so that this is how JSON5 is decoded, too.

use super::{
    build::NodeBuilder,
    jsonc::JsonRefusal,
    model::{Dialect, Document, NodeContent, ScalarStyle},
};
use jsonc_parser::{Scanner, ScannerOptions, tokens::Token};
use std::{borrow::Cow, ops::Range};

pub(super) fn parse(text: &str) -> Result<Document<'_>, JsonRefusal> {
    let mut parser = Json5Parser {
        text,
        scanner: Scanner::new(text, &ScannerOptions::default()),
        builder: NodeBuilder::default(),
    };
    parser.document()?;
    let document = parser.builder.finish(text, Dialect::Json5);
    document.ok_or_else(|| JsonRefusal::new(text.len(), END))
}

const END: &str = "EOF while parsing a value";

struct Json5Parser<'t> {
    text: &'t str,
    scanner: Scanner<'t>,
    builder: NodeBuilder<'t>,
}

/// What may come next.
enum Json5Next {
    Value,
    /// A value, or the end of the list.
    Item,
    /// A key, or the end of the map.
    Key,
    Colon,
    /// A comma or the end of what is open.
    After,
}

impl<'t> Json5Parser<'t> {
    fn document(&mut self) -> Result<(), JsonRefusal> {
        let mut next = Json5Next::Value;
        loop {
            let token = self.token()?;
            let span = self.scanner.token_start()..self.scanner.token_end();
            next = match (next, token) {
                (Json5Next::After, None) if self.builder.is_closed() => return Ok(()),
                // Comments alone: nothing is set.
                (Json5Next::Value, None) if self.builder.is_closed() => {
                    self.scalar(span, ScalarStyle::Plain, "null".into());
                    return Ok(());
                }
                (Json5Next::After, Some(_)) if self.builder.is_closed() => {
                    return Err(JsonRefusal::new(span.start, "trailing characters"));
                }
                (Json5Next::After, Some(Token::Comma)) if self.is_in_list() => Json5Next::Item,
                (Json5Next::After, Some(Token::Comma)) => Json5Next::Key,
                (Json5Next::After | Json5Next::Item, Some(Token::CloseBracket))
                    if self.is_in_list() =>
                {
                    self.end(span.end)
                }
                (Json5Next::After | Json5Next::Key, Some(Token::CloseBrace))
                    if !self.is_in_list() =>
                {
                    self.end(span.end)
                }
                (Json5Next::Colon, Some(Token::Colon)) => Json5Next::Value,
                (Json5Next::Key, Some(token)) => self.key(token, span)?,
                (Json5Next::Value | Json5Next::Item, Some(token)) => self.value(token, span)?,
                (next, _) => return Err(JsonRefusal::new(span.start, self.missing(&next))),
            };
        }
    }

    /// The next token that is no comment.
    fn token(&mut self) -> Result<Option<Token<'t>>, JsonRefusal> {
        loop {
            let token = self.scanner.scan()?;
            let span = self.scanner.token_start()..self.scanner.token_end();
            match token {
                Some(Token::CommentLine(comment)) => {
                    // JSON5 ends a comment there, and the scanner at the next line.
                    if let Some(at) = comment.find(['\u{2028}', '\u{2029}']) {
                        let at = span.end - comment.len() + at;
                        return Err(JsonRefusal::new(
                            at,
                            "a separator of lines or paragraphs (U+2028, U+2029) in a comment",
                        ));
                    }
                    self.builder.comments.push(span);
                }
                Some(Token::CommentBlock(_)) => self.builder.comments.push(span),
                Some(Token::String(text)) => {
                    let source = &self.text[span.clone()];
                    if let Some(at) = line_break(source) {
                        return Err(JsonRefusal::new(
                            span.start + at,
                            "a line break in a string; write `\\n`, or `\\` before the break to leave it out",
                        ));
                    }
                    return Ok(Some(Token::String(text)));
                }
                token => return Ok(token),
            }
        }
    }

    fn key(&mut self, token: Token<'t>, span: Range<usize>) -> Result<Json5Next, JsonRefusal> {
        let (name, end) = match token {
            Token::String(text) => (text, span.end),
            Token::Word(word) => (self.name(word, &span)?.into(), span.end),
            // `null_values` is a word that the scanner takes for two.
            Token::Null | Token::Boolean(_) if self.text[span.end..].starts_with('_') => {
                self.scanner.scan()?;
                let end = self.scanner.token_end();
                let word = &self.text[span.start..end];
                (self.name(word, &span)?.into(), end)
            }
            Token::Null | Token::Boolean(_) => (self.text[span.clone()].into(), span.end),
            Token::Number(word @ ("Infinity" | "NaN")) => (word.into(), span.end),
            _ => return Err(JsonRefusal::new(span.start, self.missing(&Json5Next::Key))),
        };
        // A key is a text, with quotes or without.
        self.scalar(span.start..end, ScalarStyle::Quoted, name);
        Ok(Json5Next::Colon)
    }

    /// A word that is a name in JSON5.
    fn name(&self, word: &'t str, span: &Range<usize>) -> Result<&'t str, JsonRefusal> {
        let begins = |c: char| c.is_alphabetic() || matches!(c, '$' | '_');
        match word.starts_with(begins) && !word.contains('-') {
            true => Ok(word),
            false => Err(JsonRefusal::new(
                span.start,
                "a key without quotes has letters, digits, `_` and `$` alone; write it in quotes",
            )),
        }
    }

    fn value(&mut self, token: Token<'t>, span: Range<usize>) -> Result<Json5Next, JsonRefusal> {
        let (content, next) = match token {
            Token::OpenBracket => (NodeContent::List(Vec::new()), Json5Next::Item),
            Token::OpenBrace => (NodeContent::Map(Vec::new()), Json5Next::Key),
            Token::String(text) => return Ok(self.scalar(span, ScalarStyle::Quoted, text)),
            Token::Null | Token::Boolean(_) => {
                let word = &self.text[span.clone()];
                return Ok(self.scalar(span, ScalarStyle::Plain, word.into()));
            }
            Token::Number(number) => {
                let plain = plain(number)
                    .ok_or_else(|| JsonRefusal::new(span.start, "number out of range"))?;
                return Ok(self.scalar(span, ScalarStyle::Plain, plain));
            }
            _ => {
                let next = Json5Next::Value;
                return Err(JsonRefusal::new(span.start, self.missing(&next)));
            }
        };
        match self.builder.begin(span.start, None, content) {
            Some(_) => Ok(next),
            None => Err(JsonRefusal {
                too_deep: true,
                ..JsonRefusal::new(span.start, "")
            }),
        }
    }

    fn scalar(&mut self, span: Range<usize>, style: ScalarStyle, text: Cow<'t, str>) -> Json5Next {
        self.builder.scalar(span, style, text, None);
        Json5Next::After
    }

    fn is_in_list(&self) -> bool {
        matches!(self.builder.innermost(), Some(NodeContent::List(_)))
    }

    fn end(&mut self, end: usize) -> Json5Next {
        self.builder.end(end);
        Json5Next::After
    }

    /// What is not there, in the words of the decoder of JSON.
    fn missing(&self, next: &Json5Next) -> &'static str {
        match next {
            _ if self.scanner.token().is_none() => match self.builder.innermost() {
                Some(NodeContent::List(_)) => "EOF while parsing a list",
                Some(_) => "EOF while parsing an object",
                None => END,
            },
            Json5Next::Value | Json5Next::Item => "expected value",
            Json5Next::Key => "expected a key or `}`",
            Json5Next::Colon => "expected `:`",
            Json5Next::After if self.is_in_list() => "expected `,` or `]`",
            Json5Next::After => "expected `,` or `}`",
        }
    }
}

/// The first break of a line in a string that no `\` is before.
fn line_break(source: &str) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'\\' if bytes[at..].starts_with(b"\\\r\n") => 3,
            b'\\' => 2,
            b'\n' | b'\r' => return Some(at),
            _ => 1,
        };
    }
    None
}

/// A number as JSON writes it; infinity and no number are left. None where it has more digits than the widest integer.
fn plain(number: &str) -> Option<Cow<'_, str>> {
    let unsigned = number.trim_start_matches(['+', '-']);
    let sign = if number.starts_with('-') { "-" } else { "" };
    if unsigned == "NaN" {
        return Some(unsigned.into());
    }
    if let Some(digits) = unsigned.strip_prefix("0x").or(unsigned.strip_prefix("0X")) {
        let value = u128::from_str_radix(digits, 16).ok()?;
        return Some(format!("{sign}{value}").into());
    }
    let (before, after) = match unsigned.split_once('.') {
        Some((before, after)) => (before, after),
        None if sign.len() + unsigned.len() == number.len() => return Some(number.into()),
        None => return Some(unsigned.into()),
    };
    let zero = |is_missing: bool| if is_missing { "0" } else { "" };
    let leading = zero(before.is_empty());
    let trailing = zero(!after.starts_with(|c: char| c.is_ascii_digit()));
    Some(format!("{sign}{leading}{before}.{trailing}{after}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_json_writes_them() {
        for (number, json) in [
            ("1", "1"),
            ("-1", "-1"),
            ("+1", "1"),
            ("-0", "-0"),
            ("0x1F", "31"),
            ("-0X1f", "-31"),
            (".5", "0.5"),
            ("-.5e3", "-0.5e3"),
            ("5.", "5.0"),
            ("5.e3", "5.0e3"),
            ("+5.25", "5.25"),
            ("1e3", "1e3"),
            ("+Infinity", "Infinity"),
            ("-Infinity", "-Infinity"),
            ("-NaN", "NaN"),
            (
                "0xffffffffffffffffffffffffffffffff",
                "340282366920938463463374607431768211455",
            ),
        ] {
            assert_eq!(plain(number).as_deref(), Some(json), "{number}");
        }
        assert_eq!(plain("0x100000000000000000000000000000000"), None);
    }

    #[test]
    fn names_are_the_words_of_the_language() {
        for (text, key) in [
            ("{a: 1}", "a"),
            ("{$a_1: 1}", "$a_1"),
            ("{null_values: 1}", "null_values"),
            ("{true: 1}", "true"),
            ("{Infinity: 1}", "Infinity"),
            ("{été: 1}", "été"),
            ("{'a-b': 1}", "a-b"),
        ] {
            let document = parse(text).unwrap();
            let entries = document.entries(document.root());
            assert_eq!(document.key(entries[0].key), key);
            let span = &document.written(entries[0].key).span;
            assert_eq!(text[span.clone()].trim_matches('\''), key);
        }
    }

    #[test]
    fn what_is_none_is_refused_with_its_place() {
        for (text, at, message) in [
            (
                "{a-b: 1}",
                1,
                "a key without quotes has letters, digits, `_` and `$` alone; write it in quotes",
            ),
            ("{1: 1}", 1, "expected a key or `}`"),
            ("{a 1}", 3, "expected `:`"),
            ("{a: 1 b: 2}", 6, "expected `,` or `}`"),
            ("[1 2]", 3, "expected `,` or `]`"),
            ("[1,,2]", 3, "expected value"),
            ("[,]", 1, "expected value"),
            ("{,}", 1, "expected a key or `}`"),
            ("{a: undefined}", 4, "unexpected token"),
            ("{a: 01}", 5, "expected `,` or `}`"),
            ("{a: 1}}", 6, "trailing characters"),
            ("{a: [1", 6, "EOF while parsing a list"),
            ("{a: ", 4, "EOF while parsing an object"),
            ("[1}", 2, "expected `,` or `]`"),
            (
                "'a\nb'",
                2,
                "a line break in a string; write `\\n`, or `\\` before the break to leave it out",
            ),
            (
                "1 // \u{2028} 2",
                5,
                "a separator of lines or paragraphs (U+2028, U+2029) in a comment",
            ),
            ("{} /*", 3, "unterminated comment block"),
            (
                "{a: 0x100000000000000000000000000000000}",
                4,
                "number out of range",
            ),
        ] {
            let Err(refusal) = parse(text) else {
                panic!("{text} is read");
            };
            assert_eq!((refusal.at, &*refusal.message), (at, message), "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err_and(|refusal| refusal.too_deep));
    }

    #[test]
    fn strings_go_on_over_escaped_breaks() {
        for text in ["'a\\\nb'", "'a\\\r\nb'", "\"a\\\rb\""] {
            let document = parse(text).unwrap();
            assert_eq!(document.key(document.root()), "ab", "{text:?}");
        }
    }
}
