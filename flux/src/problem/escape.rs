//! What of a text is escaped because it would control a terminal or a log, and how long a text may be before it is shortened.

use std::borrow::Cow;

/// The text with every character that would control a terminal, or reorder what it shows, written out.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| !controls(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| spelled(c, false)).collect())
}

/// JSON with the same values and nothing in it that would control a terminal: such characters are only in its texts, where each has
/// an escape.
#[cfg(any(feature = "cli", feature = "page"))]
pub(crate) fn escaped_json(json: &str) -> Cow<'_, str> {
    let is_written_out = |c: char| c != '\n' && controls(c);
    if !json.contains(is_written_out) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        match is_written_out(c) {
            true => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                text.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
            false => text.push(c),
        }
    }
    Cow::Owned(text)
}

pub(crate) fn spelled(c: char, keep_tabs: bool) -> Cow<'static, str> {
    match c {
        '\t' if keep_tabs => Cow::Borrowed("\t"),
        '\t' => Cow::Borrowed("\\t"),
        '\n' => Cow::Borrowed("\\n"),
        '\r' => Cow::Borrowed("\\r"),
        _ if controls(c) => Cow::Owned(c.escape_unicode().to_string()),
        _ => Cow::Owned(c.to_string()),
    }
}

/// Control characters, those that change the direction of text, those that are invisible, and blanks that look like a space:
/// what a reader cannot see must not decide what a text means.
pub(crate) fn controls(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{a0}'
                | '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{1680}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{2000}'..='\u{200f}'
                | '\u{2028}'..='\u{202f}'
                | '\u{205f}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3000}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// So many characters of a text are shown, and so many bytes of a path.
pub(crate) const LONGEST: usize = 2_000;

/// The begin and the end of a text that is too long for people.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    let count = match text.len() > LONGEST {
        true => text.chars().count(),
        false => 0,
    };
    if count <= LONGEST {
        return Cow::Borrowed(text);
    }
    let (head, tail) = (LONGEST * 3 / 4, LONGEST / 5);
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    Cow::Owned(format!(
        "{begin} .. ({} characters more) .. {end}",
        count - head - tail
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(feature = "json", any(feature = "cli", feature = "page")))]
    fn json_controls_no_terminal_and_has_the_same_values() {
        let value = serde_json::json!({
            "\u{9b}31m": ["\u{7f}\u{202e}a\u{2028}", "\u{e0001}", "plain \u{e4}\n", 7],
        });
        for text in [
            serde_json::to_string(&value).unwrap(),
            serde_json::to_string_pretty(&value).unwrap(),
        ] {
            let safe = escaped_json(&text);
            assert!(!safe.contains(|c| c != '\n' && controls(c)), "{safe}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
                value
            );
        }
    }
    use proptest::prelude::*;

    #[test]
    fn nothing_that_controls_a_terminal_is_left() {
        for (text, shown) in [
            ("plain é 漢", "plain é 漢"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{9b}2J\u{7f}\u{0}", "\\u{9b}2J\\u{7f}\\u{0}"),
            ("user\u{202e}gnp", "user\\u{202e}gnp"),
            ("po\u{ad}rt", "po\\u{ad}rt"),
            ("port\u{fe0f}", "port\\u{fe0f}"),
            ("a\u{a0}b\u{3000}c", "a\\u{a0}b\\u{3000}c"),
            ("\u{3164}\u{200d}", "\\u{3164}\\u{200d}"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_escaped_once(text in any::<String>()) {
            let once = escaped(&text).into_owned();
            prop_assert!(!once.chars().any(|c| c.is_control()), "{once:?}");
            prop_assert_eq!(escaped(&once), once.clone());
        }
    }

    #[test]
    fn a_long_text_is_shown_by_its_begin_and_its_end() {
        assert_eq!(shortened("short"), "short");
        let long = format!("expected u16, found \"{}\", at the end", "é".repeat(50_000));
        let shown = shortened(&long);
        assert!(shown.starts_with("expected u16") && shown.ends_with("\", at the end"));
        assert!(shown.chars().count() < 2_100, "{}", shown.len());
    }
}
