//! How JSON in a variable is read: what is in quotes is text, every other scalar is read by its target.

use crate::document::{raw::MAX_DEPTH, tree::Tree};

/// The list or map that the whole text is, if it is JSON.
pub(super) fn read(text: &str) -> Option<Tree> {
    let mut reader = JsonReader { text, at: 0 };
    reader.blanks();
    if !matches!(reader.peek(), Some(b'[' | b'{')) {
        return None;
    }
    let tree = reader.value(MAX_DEPTH)?;
    reader.blanks();
    (reader.at == text.len()).then_some(tree)
}

/// The text that a string of JSON encodes, with its quotes.
pub(super) fn string(text: &str) -> Option<String> {
    let mut reader = JsonReader { text, at: 0 };
    let string = reader.string()?;
    (reader.at == text.len()).then_some(string)
}

/// Whether the text is a number of JSON.
pub(super) fn is_number(text: &str) -> bool {
    let mut reader = JsonReader { text, at: 0 };
    reader.number().is_some() && reader.at == text.len()
}

struct JsonReader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> JsonReader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Tree> {
        match self.peek()? {
            b'[' => {
                let depth = depth.checked_sub(1)?;
                let mut items = Vec::new();
                self.each(b'[', b']', |reader| {
                    items.push(reader.value(depth)?);
                    Some(())
                })?;
                Some(Tree::Seq(items))
            }
            b'{' => {
                let depth = depth.checked_sub(1)?;
                let mut entries = Vec::new();
                self.each(b'{', b'}', |reader| {
                    let key = reader.string()?;
                    reader.blanks();
                    reader.take(b':')?;
                    reader.blanks();
                    entries.push((key, reader.value(depth)?));
                    Some(())
                })?;
                Some(Tree::Map(entries))
            }
            b'"' => self.string().map(Tree::Str),
            b'-' | b'0'..=b'9' => self.number().map(|text| Tree::Raw(text.to_owned())),
            _ => {
                for (word, tree) in [
                    ("true", Tree::Raw("true".to_owned())),
                    ("false", Tree::Raw("false".to_owned())),
                    ("null", Tree::Null),
                ] {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Some(tree);
                    }
                }
                None
            }
        }
    }

    /// Items between brackets, with commas between them.
    fn each(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(open)?;
        self.blanks();
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            self.blanks();
            item(self)?;
            self.blanks();
            if self.take(close).is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn number(&mut self) -> Option<&'t str> {
        let from = self.at;
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.text.get(from..self.at)
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            string.push_str(&rest[..plain]);
            self.at += plain + 1;
            match rest.as_bytes()[plain] {
                b'"' => return Some(string),
                b'\\' => string.push(self.escaped()?),
                _ => return None,
            }
        }
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                self.take(b'\\')?;
                self.take(b'u')?;
                let second = self
                    .unit()?
                    .checked_sub(0xdc00)
                    .filter(|low| *low < 0x400)?;
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second);
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use crate::document::raw_json::*;

    #[test]
    fn it_reads_what_a_json_parser_reads() {
        for text in [
            "[]",
            " [ 1 , -2.5e+3 ] ",
            "{\"a\": [true, false, null], \"\": \"\\u00e9\\ud83d\\ude00\\n\\/\"}",
            "[1,]",
            "[01]",
            "[1.]",
            "[.5]",
            "[+1]",
            "[1e]",
            "[\"\\x\"]",
            "[\"\\ud83d\"]",
            "[\"a\nb\"]",
            "[tru]",
            "[nullx]",
            "[1] 2",
            "{\"a\" 1}",
            "{a: 1}",
            "{\"a\": 1,}",
            "[",
            "[\"",
            "[\"\\",
            "[\"\\u12",
            "[\"\\u12é4\"]",
        ] {
            let expected: Option<serde_json::Value> = serde_json::from_str(text).ok();
            let read = read(text).map(|tree| {
                use serde::Deserialize;
                serde_json::Value::deserialize(crate::document::TreeDecoder(&tree))
                    .expect("any value")
            });
            assert_eq!(read, expected, "{text}");
        }
    }
}
