//! How the place that a format's decoder reports becomes a line and a column in characters.

/// A column that counts bytes as one that counts characters, both from 1.
#[cfg(feature = "json")]
pub(super) fn in_characters(text: &str, line: usize, column: usize) -> (usize, usize) {
    let before = column.saturating_sub(1);
    let line_text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let within = line_text
        .char_indices()
        .take_while(|(at, c)| at + c.len_utf8() <= before);
    let characters = within.count();
    (
        line,
        characters + before.saturating_sub(line_text.len()) + 1,
    )
}

/// Line and column of a byte offset, counted from 1.
#[cfg(feature = "toml")]
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::*;

    #[test]
    fn a_column_in_bytes_becomes_one_in_characters() {
        for (text, place, found) in [
            ("abc", (1, 2), (1, 2)),
            ("é😀x", (1, 7), (1, 3)),
            ("é😀x", (1, 8), (1, 4)),
            ("é😀x", (1, 5), (1, 2)),
            ("é\n漢x", (2, 4), (2, 2)),
            ("é", (1, 9), (1, 8)),
            ("é\n", (2, 0), (2, 1)),
            ("", (1, 0), (1, 1)),
        ] {
            assert_eq!(in_characters(text, place.0, place.1), found, "{text}");
        }
    }
}
