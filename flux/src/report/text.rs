//! How a line of a document is shown: its control characters are escaped, and the caret is under the right column.

use crate::problem::{controls, spelled};
/// The line with every character that would control a terminal written out; its tabs stay.
pub(crate) fn escaped_line(text: &str) -> String {
    text.chars().map(|c| spelled(c, true)).collect()
}

/// The blanks under the first `count` characters of a line as [`escaped_line`] shows it.
pub(crate) fn blanks(line: &str, count: usize) -> String {
    let mut blanks = String::new();
    let mut known = 0;
    for c in line.chars().take(count) {
        known += 1;
        match c {
            '\t' => blanks.push('\t'),
            _ if controls(c) => blanks.push_str(&" ".repeat(spelled(c, true).len())),
            _ => blanks.push_str(&" ".repeat(width(c))),
        }
    }
    blanks.push_str(&" ".repeat(count - known));
    blanks
}

/// How many columns of a terminal a character takes: none for marks on the one before, two for the scripts and pictures that
/// are drawn wide. The blocks of Unicode, not each of its characters.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f
        | 0x483..=0x489
        | 0x591..=0x5bd
        | 0x610..=0x61a
        | 0x64b..=0x65f
        | 0x6d6..=0x6dc
        | 0x900..=0x902
        | 0xe31
        | 0xe34..=0xe3a
        | 0xe47..=0xe4e
        | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff
        | 0x200c..=0x200d
        | 0x20d0..=0x20ff
        | 0x302a..=0x302d
        | 0x3099..=0x309a
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f
        | 0xe0100..=0xe01ef => 0,
        0x1100..=0x115f
        | 0x231a..=0x231b
        | 0x23e9..=0x23ec
        | 0x2614..=0x2615
        | 0x26a1
        | 0x2705
        | 0x274c
        | 0x2753..=0x2755
        | 0x2795..=0x2797
        | 0x2b50
        | 0x2b55
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xa960..=0xa97f
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe10..=0xfe19
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f004
        | 0x1f0cf
        | 0x1f18e
        | 0x1f191..=0x1f19a
        | 0x1f200..=0x1f320
        | 0x1f32d..=0x1f335
        | 0x1f337..=0x1f37c
        | 0x1f37e..=0x1f393
        | 0x1f3a0..=0x1f3ca
        | 0x1f3e0..=0x1f3f0
        | 0x1f3f8..=0x1f43e
        | 0x1f440
        | 0x1f442..=0x1f4fc
        | 0x1f4ff..=0x1f53d
        | 0x1f54b..=0x1f567
        | 0x1f5fb..=0x1f64f
        | 0x1f680..=0x1f6c5
        | 0x1f6d0..=0x1f6d2
        | 0x1f6eb..=0x1f6ec
        | 0x1f6f4..=0x1f6fc
        | 0x1f7e0..=0x1f7eb
        | 0x1f90c..=0x1f9ff
        | 0x1fa70..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_tabs() {
        assert_eq!(escaped_line("\ta\u{1b}"), "\ta\\u{1b}");
    }

    #[test]
    fn blanks_are_as_wide_as_what_stands_above_them() {
        for (line, count, wanted) in [
            ("port: 1", 6, "      "),
            ("\t\tx", 2, "\t\t"),
            ("漢字x", 2, "    "),
            ("e\u{301}x", 2, " "),
            ("😀x", 1, "  "),
            ("\u{1b}x", 1, "      "),
            ("ab", 4, "    "),
        ] {
            assert_eq!(blanks(line, count), wanted, "{line:?}");
        }
    }
}
