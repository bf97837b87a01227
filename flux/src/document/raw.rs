//! What the text of a variable or of a file of `dir:` may be read as: the grammar of bools, numbers, lists and maps whose type the
//! target decides. The page of the environment has it for people, with a table that a test reads.
//!
//! A list or map that is JSON is read as JSON. Else its items are between commas. A quote or bracket quotes only where an item
//! begins, and must close where the item ends; in any other place it is text.

use crate::document::{raw_json, tree::Tree};
use std::fmt;

/// `true`, `yes`, `on`, `1` and their opposites.
pub(crate) fn bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A float. Only a text that names infinity is infinite.
pub(crate) fn float(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    let is_named = || !text.bytes().any(|byte| byte.is_ascii_digit());
    (number.is_finite() || is_named()).then_some(number)
}

/// Lists and maps may be in each other so deep, so that no variable can exhaust the stack.
pub(super) const MAX_DEPTH: usize = 32;

/// What a text was read for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    List,
    Map,
}

/// Why a text cannot be read as a list or a map. It quotes nothing but brackets and quotes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unreadable {
    form: Form,
    why: Why,
}

/// Places are characters, counted from 1.
#[derive(Debug, Clone, PartialEq)]
enum Why {
    Open { sign: char, place: usize },
    Behind { place: usize },
    Escape { place: usize },
    NoEquals { entry: usize },
    NoKey { entry: usize },
    TooDeep,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.form {
            Form::List => "cannot be read as a list: ",
            Form::Map => "cannot be read as a map: ",
        })?;
        match &self.why {
            Why::Open { sign, place } => write!(f, "the {sign} at character {place} is not closed"),
            Why::Behind { place } => write!(
                f,
                "at character {place}, text follows a closed quote or bracket"
            ),
            Why::Escape { place } => write!(
                f,
                "the quoted text at character {place} has an escape that JSON has not; a backslash is \\\\"
            ),
            Why::NoEquals { entry } => write!(f, "entry {entry} has no ="),
            Why::NoKey { entry } => write!(f, "entry {entry} has no key before its ="),
            Why::TooDeep => write!(
                f,
                "lists and maps are more than {MAX_DEPTH} deep in each other"
            ),
        }?;
        f.write_str(match self.form {
            Form::List => "; a list is written a,b or as JSON, [\"a\",\"b\"]",
            Form::Map => "; a map is written a=1,b=2 or as JSON, {\"a\":1,\"b\":2}",
        })
    }
}

/// A list; `[]` and the empty text are the empty one. JSON is what it is, also where it is no list.
pub(crate) fn list(text: &str) -> Result<Tree, Unreadable> {
    let text = text.trim_ascii();
    if let Some(json) = raw_json::read(text) {
        return Ok(json);
    }
    let form = Form::List;
    Scan { text, form }.list().map(Tree::Seq)
}

/// A map; `{}` and the empty text are the empty one. JSON is what it is, also where it is no map.
pub(crate) fn map(text: &str) -> Result<Tree, Unreadable> {
    let text = text.trim_ascii();
    if let Some(json) = raw_json::read(text) {
        return Ok(json);
    }
    let form = Form::Map;
    Scan { text, form }.map().map(Tree::Map)
}

/// What a text is for a target that takes anything: a bool or number of JSON, a list or map in brackets, or else text.
pub(crate) fn guess(text: &str) -> Result<Tree, Unreadable> {
    let trimmed = text.trim_ascii();
    Ok(match trimmed {
        "true" => Tree::Bool(true),
        "false" => Tree::Bool(false),
        _ if raw_json::is_number(trimmed) => number(trimmed),
        _ if trimmed.starts_with('[') && trimmed.ends_with(']') => list(trimmed)?,
        _ if trimmed.starts_with('{') && trimmed.ends_with('}') => map(trimmed)?,
        _ => Tree::Str(text.to_owned()),
    })
}

fn number(text: &str) -> Tree {
    if let Ok(number) = text.parse() {
        return Tree::U64(number);
    }
    match text.parse() {
        // JSON's -0 is a float.
        Ok(number) if number != 0 => Tree::I64(number),
        _ => match float(text) {
            Some(number) => Tree::F64(number),
            None => Tree::Str(text.to_owned()),
        },
    }
}

struct Scan<'t> {
    text: &'t str,
    form: Form,
}

/// Positions are in bytes. An `end` is behind the last byte of what may be read.
impl Scan<'_> {
    fn list(&self) -> Result<Vec<Tree>, Unreadable> {
        let (mut at, end) = self.inside(b'[')?;
        let mut items = Vec::new();
        at = self.blanks(at, end);
        while at < end {
            let (item, stop) = self.value(at, end)?;
            items.push(item);
            at = self.blanks(stop + 1, end);
        }
        Ok(items)
    }

    fn map(&self) -> Result<Vec<(String, Tree)>, Unreadable> {
        let (mut at, end) = self.inside(b'{')?;
        let mut entries = Vec::new();
        at = self.blanks(at, end);
        while at < end {
            let (key, equals) = self.key(at, end, entries.len() + 1)?;
            let (value, stop) = self.value(self.blanks(equals + 1, end), end)?;
            entries.push((key, value));
            at = self.blanks(stop + 1, end);
        }
        Ok(entries)
    }

    /// Where what is between the brackets begins and ends; the whole text where it is not in brackets.
    fn inside(&self, open: u8) -> Result<(usize, usize), Unreadable> {
        let all = self.text.len();
        if self.byte(0) != Some(open) {
            return Ok((0, all));
        }
        match self.bracket_end(0)? {
            end if end == all => Ok((1, all - 1)),
            // A list of lists without brackets of its own, or one whose first item only begins with a bracket.
            end if open == b'['
                && (self.byte(self.blanks(end, all)) == Some(b',')
                    || self.bracketed_text(0, end, all).is_some()) =>
            {
                Ok((0, all))
            }
            end => Err(self.why(Why::Behind {
                place: self.place(self.blanks(end, all)),
            })),
        }
    }

    /// The value that begins at `from`, and where the comma behind it is.
    fn value(&self, from: usize, end: usize) -> Result<(Tree, usize), Unreadable> {
        let to = match self.byte(from).filter(|_| from < end) {
            Some(b'"' | b'\'') => {
                let to = self.quote_end(from)?;
                return Ok((Tree::Str(self.unquoted(from, to)?), self.comma(to, end)?));
            }
            Some(b'[' | b'{') => {
                let to = self.bracket_end(from)?;
                if let Some(stop) = self.bracketed_text(from, to, end) {
                    let item = self.text[from..stop].trim_ascii_end();
                    return Ok((Tree::Raw(item.to_owned()), stop));
                }
                to
            }
            _ => {
                let rest = &self.text[from..end];
                let stop = from + rest.find(',').unwrap_or(rest.len());
                let item = self.text[from..stop].trim_ascii_end();
                return Ok((Tree::Raw(item.to_owned()), stop));
            }
        };
        let item = self.text[from..to].to_owned();
        Ok((Tree::Raw(item), self.comma(to, end)?))
    }

    /// Where an item ends that begins with a bracket, closed at `to`, and goes on as text, such as `[::1]:80`: then the bracket
    /// quotes nothing. Only where it contains nothing that would be another item, a quote or a bracket of its own.
    fn bracketed_text(&self, from: usize, to: usize, end: usize) -> Option<usize> {
        const SIGNS: [char; 7] = [',', '[', ']', '{', '}', '"', '\''];
        let inside = self.text.get(from + 1..to - 1)?;
        let behind = self.text.get(to..end)?;
        let length = behind.find(',').unwrap_or(behind.len());
        let goes_on = behind.starts_with(|c: char| c != ',' && !c.is_ascii_whitespace());
        let is_text = |text: &str| !text.contains(SIGNS);
        (self.byte(from) == Some(b'[')
            && goes_on
            && !inside.is_empty()
            && is_text(inside)
            && is_text(&behind[..length]))
        .then_some(to + length)
    }

    /// The key that begins at `from`, and where the `=` behind it is.
    fn key(&self, from: usize, end: usize, entry: usize) -> Result<(String, usize), Unreadable> {
        if let Some(b'"' | b'\'') = self.byte(from) {
            let to = self.quote_end(from)?;
            let equals = self.blanks(to, end);
            return match self.byte(equals).filter(|_| equals < end) {
                Some(b'=') => Ok((self.unquoted(from, to)?, equals)),
                _ => Err(self.why(Why::NoEquals { entry })),
            };
        }
        let rest = &self.text[from..end];
        match rest.find(['=', ',']) {
            Some(0) if rest.starts_with('=') => Err(self.why(Why::NoKey { entry })),
            Some(stop) if rest[stop..].starts_with('=') => {
                Ok((rest[..stop].trim_ascii_end().to_owned(), from + stop))
            }
            _ => Err(self.why(Why::NoEquals { entry })),
        }
    }

    /// Where the comma or the end is, with nothing but blanks before it.
    fn comma(&self, from: usize, end: usize) -> Result<usize, Unreadable> {
        let at = self.blanks(from, end);
        match at == end || self.byte(at) == Some(b',') {
            true => Ok(at),
            false => Err(self.why(Why::Behind {
                place: self.place(at),
            })),
        }
    }

    /// Behind the quote that closes the one at `from`. Within `"` a backslash escapes, within `'` a second `'`.
    fn quote_end(&self, from: usize) -> Result<usize, Unreadable> {
        let quote = self.byte(from);
        let mut at = from + 1;
        while let Some(byte) = self.byte(at) {
            at += 1;
            match byte {
                b'\\' if quote == Some(b'"') => at += 1,
                b'\'' if quote == Some(byte) && self.byte(at) == quote => at += 1,
                _ if Some(byte) == quote => return Ok(at),
                _ => {}
            }
        }
        Err(self.open(from))
    }

    /// Behind the bracket that closes the one at `from`.
    fn bracket_end(&self, from: usize) -> Result<usize, Unreadable> {
        let mut open: Vec<(u8, usize)> = Vec::new();
        // Whether an item begins here, and whether it is a key.
        let (mut begins, mut is_key) = (true, false);
        let mut at = from;
        while let Some(byte) = self.byte(at) {
            let innermost = open.last().map(|(bracket, _)| *bracket);
            match byte {
                b'"' | b'\'' if begins => {
                    at = self.quote_end(at)?;
                    begins = false;
                    let behind = self.blanks(at, self.text.len());
                    // JSON inside.
                    if is_key && self.byte(behind) == Some(b':') {
                        at = behind + 1;
                        (begins, is_key) = (true, false);
                    }
                    continue;
                }
                b'[' | b'{' if begins => {
                    open.push((byte, at));
                    if open.len() > MAX_DEPTH {
                        return Err(self.why(Why::TooDeep));
                    }
                    is_key = byte == b'{';
                }
                b']' | b'}' if innermost == Some(byte - 2) => {
                    open.pop();
                    if open.is_empty() {
                        return Ok(at + 1);
                    }
                    (begins, is_key) = (false, false);
                }
                b',' => (begins, is_key) = (true, innermost == Some(b'{')),
                b'=' if is_key => (begins, is_key) = (true, false),
                _ if byte.is_ascii_whitespace() => {}
                _ => begins = false,
            }
            at += 1;
        }
        Err(self.open(open.last().map_or(from, |(_, place)| *place)))
    }

    fn unquoted(&self, from: usize, to: usize) -> Result<String, Unreadable> {
        let text = &self.text[from..to];
        if let Some(inner) = text.strip_prefix('\'') {
            return Ok(inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'"));
        }
        raw_json::string(text).ok_or_else(|| {
            self.why(Why::Escape {
                place: self.place(from),
            })
        })
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The first place from `at` on that is not blank, at most `end`.
    fn blanks(&self, at: usize, end: usize) -> usize {
        match self.text.get(at..end) {
            Some(rest) => end - rest.trim_ascii_start().len(),
            None => end,
        }
    }

    fn place(&self, at: usize) -> usize {
        self.text[..at].chars().count() + 1
    }

    fn open(&self, at: usize) -> Unreadable {
        self.why(Why::Open {
            sign: self.text[at..].chars().next().unwrap_or_default(),
            place: self.place(at),
        })
    }

    fn why(&self, why: Why) -> Unreadable {
        Unreadable {
            form: self.form,
            why,
        }
    }
}

#[cfg(test)]
mod tests;
