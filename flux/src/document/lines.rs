//! How a byte of a document becomes a line and a column in characters.

/// Where the lines of a text begin, and how many characters are before every block of it: one place costs the same wherever it
/// is, also in a text of one long line.
pub(crate) struct Lines {
    starts: Vec<usize>,
    /// The characters that begin before each block of [`BLOCK`] bytes.
    before: Vec<usize>,
}

const BLOCK: usize = 128;

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let after = ends.map(|(at, _)| at + 1);
        let mut count = 0;
        let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
            let before = count;
            count += characters(block);
            before
        });
        Lines {
            before: blocks.collect(),
            starts: std::iter::once(0).chain(after).collect(),
        }
    }

    /// Counted from 1, the column in characters. A byte inside a character counts as its first.
    pub(crate) fn place(&self, text: &str, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let begin = self.count(text, self.starts[line - 1]);
        (line, self.count(text, offset).saturating_sub(begin) + 1)
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The byte at which a line begins, counted from 1.
    pub(crate) fn start(&self, number: usize) -> Option<usize> {
        self.starts.get(number.checked_sub(1)?).copied()
    }

    /// The text of a line, counted from 1, without its break.
    pub(crate) fn line<'t>(&self, text: &'t str, number: usize) -> Option<&'t str> {
        let start = *self.starts.get(number.checked_sub(1)?)?;
        let end = self.starts.get(number).map_or(text.len(), |next| next - 1);
        let line = text.get(start..end)?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// How many characters begin before a byte.
    fn count(&self, text: &str, offset: usize) -> usize {
        let block = (offset / BLOCK).min(self.before.len().saturating_sub(1));
        let before = self.before.get(block).copied().unwrap_or_default();
        let rest = text.as_bytes().get(block * BLOCK..offset);
        before + rest.map_or(0, characters)
    }
}

/// How many characters begin in these bytes.
fn characters(bytes: &[u8]) -> usize {
    let begins = bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80);
    begins.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "aé😀b\n\r\nc";
        let lines = Lines::of(text);
        for (at, place) in [
            (0, (1, 1)),
            (1, (1, 2)),
            (2, (1, 2)),
            (3, (1, 3)),
            (7, (1, 4)),
            (8, (1, 5)),
            (9, (2, 1)),
            (11, (3, 1)),
            (12, (3, 2)),
            (99, (3, 2)),
        ] {
            assert_eq!(lines.place(text, at), place, "{at}");
        }
        assert_eq!(Lines::of("").place("", 0), (1, 1));
    }

    #[test]
    fn places_in_a_long_line_are_counted_as_in_a_short_one() {
        let text = "aé漢😀".repeat(200) + "\n" + &"é".repeat(300);
        let lines = Lines::of(&text);
        for (at, _) in text.char_indices() {
            let before = &text[..at];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            assert_eq!(lines.place(&text, at), (line, column), "{at}");
        }
    }

    #[test]
    fn a_line_is_without_its_break() {
        let text = "a\r\n\nb";
        let lines = Lines::of(text);
        let all: Vec<_> = (0..5).map(|number| lines.line(text, number)).collect();
        assert_eq!(all, [None, Some("a"), Some(""), Some("b"), None]);
        assert_eq!(lines.len(), 3);
    }
}
