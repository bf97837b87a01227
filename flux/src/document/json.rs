//! Reads JSON with spans, as serde_json reads it.

use super::{
    build::NodeBuilder,
    model::{Dialect, Document, NodeContent, ScalarStyle, Unfollowed},
};
use std::borrow::Cow;

pub(super) fn parse(text: &str) -> Result<Document<'_>, Unfollowed> {
    let mut parser = JsonParser::new(text, text.as_bytes());
    parser.document()?;
    parser.finished(Dialect::Json)
}

/// Reads JSONC, whose bytes without comments and trailing commas these are; none where it is comments alone.
#[cfg(feature = "jsonc")]
pub(super) fn parse_blanked<'t>(
    text: &'t str,
    bytes: Option<&[u8]>,
    comments: Vec<std::ops::Range<usize>>,
) -> Result<Document<'t>, Unfollowed> {
    let mut parser = JsonParser::new(text, bytes.unwrap_or_default());
    parser.builder.comments = comments;
    match bytes {
        Some(_) => parser.document()?,
        None => {
            let nothing = text.len()..text.len();
            let null = Cow::Borrowed("null");
            parser
                .builder
                .scalar(nothing, ScalarStyle::Plain, null, None);
        }
    }
    parser.finished(Dialect::Jsonc)
}

struct JsonParser<'t, 'b> {
    text: &'t str,
    /// As long as the text.
    bytes: &'b [u8],
    at: usize,
    builder: NodeBuilder<'t>,
}

/// What may come next.
enum JsonNext {
    Value,
    /// A value, or the end of the list that has just begun.
    FirstItem,
    Key,
    /// A key, or the end of the map that has just begun.
    FirstKey,
    /// A comma or the end of what is open.
    After,
}

impl<'t, 'b> JsonParser<'t, 'b> {
    fn new(text: &'t str, bytes: &'b [u8]) -> Self {
        JsonParser {
            text,
            bytes,
            at: 0,
            builder: NodeBuilder::default(),
        }
    }

    fn finished(self, dialect: Dialect) -> Result<Document<'t>, Unfollowed> {
        let at = self.at;
        let document = self.builder.finish(self.text, dialect);
        document.ok_or(Unfollowed::Syntax(at))
    }

    fn document(&mut self) -> Result<(), Unfollowed> {
        let mut next = JsonNext::Value;
        loop {
            let byte = self.after_blanks();
            next = match (next, byte) {
                (JsonNext::After, byte) if self.builder.is_closed() => {
                    return match byte {
                        None => Ok(()),
                        Some(_) => self.refused(),
                    };
                }
                (JsonNext::After, Some(b',')) => {
                    self.at += 1;
                    match self.builder.innermost() {
                        Some(NodeContent::Map(_)) => JsonNext::Key,
                        _ => JsonNext::Value,
                    }
                }
                (JsonNext::After | JsonNext::FirstItem, Some(b']')) if self.is_in_list() => {
                    self.end()
                }
                (JsonNext::After | JsonNext::FirstKey, Some(b'}')) if !self.is_in_list() => {
                    self.end()
                }
                (JsonNext::Key | JsonNext::FirstKey, Some(b'"')) => {
                    self.string()?;
                    if self.after_blanks() != Some(b':') {
                        return self.refused();
                    }
                    self.at += 1;
                    JsonNext::Value
                }
                (JsonNext::Value | JsonNext::FirstItem, Some(byte)) => self.value(byte)?,
                _ => return self.refused(),
            };
        }
    }

    fn is_in_list(&self) -> bool {
        matches!(self.builder.innermost(), Some(NodeContent::List(_)))
    }

    fn end(&mut self) -> JsonNext {
        self.at += 1;
        self.builder.end(self.at);
        JsonNext::After
    }

    fn value(&mut self, byte: u8) -> Result<JsonNext, Unfollowed> {
        let (content, next) = match byte {
            b'[' => (NodeContent::List(Vec::new()), JsonNext::FirstItem),
            b'{' => (NodeContent::Map(Vec::new()), JsonNext::FirstKey),
            b'"' => return self.string().map(|()| JsonNext::After),
            b'-' | b'0'..=b'9' => return self.number().map(|()| JsonNext::After),
            _ => {
                let words = ["null", "true", "false"];
                let Some(word) = words
                    .iter()
                    .find(|word| self.text[self.at..].starts_with(**word))
                else {
                    return self.refused();
                };
                self.plain(self.at + word.len());
                return Ok(JsonNext::After);
            }
        };
        let begun = self.builder.begin(self.at, None, content);
        begun.ok_or(Unfollowed::TooDeep)?;
        self.at += 1;
        Ok(next)
    }

    fn plain(&mut self, end: usize) {
        let text = Cow::Borrowed(&self.text[self.at..end]);
        self.builder
            .scalar(self.at..end, ScalarStyle::Plain, text, None);
        self.at = end;
    }

    fn number(&mut self) -> Result<(), Unfollowed> {
        let mut at = self.at;
        let digits = |at: usize| {
            let digits = self.bytes[at..].iter().take_while(|b| b.is_ascii_digit());
            at + digits.count()
        };
        at += usize::from(self.bytes[at] == b'-');
        let end = match self.bytes.get(at) {
            Some(b'0') => at + 1,
            Some(b'1'..=b'9') => digits(at),
            _ => return Err(Unfollowed::Syntax(at)),
        };
        at = end;
        if self.bytes.get(at) == Some(&b'.') {
            let end = digits(at + 1);
            if end == at + 1 {
                return Err(Unfollowed::Syntax(end));
            }
            at = end;
        }
        if let Some(b'e' | b'E') = self.bytes.get(at) {
            let sign = matches!(self.bytes.get(at + 1), Some(b'+' | b'-'));
            let from = at + 1 + usize::from(sign);
            let end = digits(from);
            if end == from {
                return Err(Unfollowed::Syntax(end));
            }
            at = end;
        }
        // `01` and `1x` are refused where the next byte is looked at.
        self.plain(at);
        Ok(())
    }

    fn string(&mut self) -> Result<(), Unfollowed> {
        let start = self.at;
        let mut from = start + 1;
        let mut text = Cow::Borrowed("");
        loop {
            let special = |b: &u8| matches!(b, b'"' | b'\\' | 0..0x20);
            let Some(run) = self.bytes[from..].iter().position(special) else {
                return Err(Unfollowed::Syntax(self.bytes.len()));
            };
            let end = from + run;
            match &mut text {
                Cow::Borrowed(all) if all.is_empty() && from == start + 1 => {
                    text = Cow::Borrowed(&self.text[from..end]);
                }
                text => text.to_mut().push_str(&self.text[from..end]),
            }
            self.at = end;
            match self.bytes[end] {
                b'"' => break,
                b'\\' => text.to_mut().push(self.escape()?),
                _ => return self.refused(),
            }
            from = self.at;
        }
        self.at += 1;
        self.builder
            .scalar(start..self.at, ScalarStyle::Quoted, text, None);
        Ok(())
    }

    /// The character of an escape. Half of a pair is lost: the fast decoder refuses the text, or passes over it.
    fn escape(&mut self) -> Result<char, Unfollowed> {
        let c = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return self.refused(),
        };
        self.at += 2;
        Ok(c)
    }

    fn code_point(&mut self) -> Result<char, Unfollowed> {
        let first = self.hex(self.at + 2).ok_or(Unfollowed::Syntax(self.at))?;
        self.at += 6;
        let low = match first {
            0xd800..0xdc00 if self.bytes[self.at..].starts_with(b"\\u") => self.hex(self.at + 2),
            _ => None,
        };
        let code = match low {
            Some(low @ 0xdc00..0xe000) => {
                self.at += 6;
                0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00)
            }
            _ => first,
        };
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&self, from: usize) -> Option<u32> {
        let digits = self.text.get(from..from + 4)?;
        let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
        all.then(|| u32::from_str_radix(digits, 16).ok())?
    }

    fn after_blanks(&mut self) -> Option<u8> {
        let blank = |b: &&u8| matches!(b, b' ' | b'\n' | b'\t' | b'\r');
        self.at += self.bytes[self.at..].iter().take_while(blank).count();
        self.bytes.get(self.at).copied()
    }

    fn refused<T>(&self) -> Result<T, Unfollowed> {
        Err(Unfollowed::Syntax(self.at))
    }
}
