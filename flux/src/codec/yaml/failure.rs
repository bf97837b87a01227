//! The words for what the YAML parser refuses, and their place.

use crate::{codec::Syntax, document::Lines, problem::without_position};

/// What the format's decoder reports, and where. It has no place for a character that no document may contain.
pub(in crate::codec) fn failure(text: &str, error: &serde_yaml::Error, quotes: bool) -> Syntax {
    let message = error.to_string();
    if message.starts_with(CONTROL) {
        let offset = text.find(is_forbidden);
        let at = offset.map(|offset| Lines::of(text).place(text, offset));
        return Syntax::new(&CONTROL, at, false);
    }
    let at = error.location().map(|at| (at.line(), at.column()));
    if let Some(mend) = message
        .starts_with(NO_TOKEN)
        .then(|| mend(text, at))
        .flatten()
    {
        return Syntax::new(&mend, at, false);
    }
    if message.starts_with(MAPPING)
        && let Some(why) = at.and_then(|at| why_no_mapping(text, at))
    {
        return Syntax::new(&format!("{MAPPING}: {why}"), at, false);
    }
    // A text that does not fit its tag is refused by the parser itself, which quotes it.
    let quotes =
        quotes || message.contains("invalid value: ") || message.contains("invalid type: ");
    Syntax::new(&with_beginning(message), at, quotes)
}

/// What the parser reports, with the place at which that begins which has no end: the place of the error is where the parser has
/// noticed, which may be the end of the document.
fn with_beginning(message: String) -> String {
    let is_of_the_parser = ["did not find ", "found ", "could not find "];
    let is_of_the_parser = is_of_the_parser.iter().any(|own| message.starts_with(own));
    let Some((problem, context)) = message.split_once(", while ").filter(|_| is_of_the_parser)
    else {
        return message;
    };
    let (problem, what) = (without_position(problem), without_position(context));
    let begin = context
        .strip_prefix(what)
        .and_then(|rest| rest.trim_end().strip_prefix(" at "));
    match begin {
        Some(begin) if what.starts_with("parsing ") || what.starts_with("scanning a") => {
            let begin = begin.replacen(" column", ", column", 1);
            format!("{problem}, while {what} that begins in {begin}")
        }
        _ => format!("{problem}, while {what}"),
    }
}

/// What to do about the character that the parser stumbled over. It may be the first one of a secret, so it is not named.
fn mend(text: &str, at: Option<(usize, usize)>) -> Option<&'static str> {
    let (line, column) = at?;
    // The parser counts lines at other characters too.
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return None;
    }
    let line = text.lines().nth(line.checked_sub(1)?)?;
    match line.chars().nth(column.checked_sub(1)?)? {
        '\t' => Some("a tab cannot be here in YAML; write blanks"),
        '@' | '%' | '`' => {
            Some("`@`, `%` and a backtick cannot begin a key or a value in YAML; put it in quotes")
        }
        _ => None,
    }
}

/// Why there cannot be a key here. What the lines contain is not quoted: it may be secret.
fn why_no_mapping(text: &str, (number, column): (usize, usize)) -> Option<String> {
    if text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return None;
    }
    let lines: Vec<&str> = text.lines().take(number).collect();
    let (line, above) = lines.split_last()?;
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let has_key = |line: &str| line.contains(": ") || line.ends_with(':');
    let before: String = line.chars().take(column.saturating_sub(1)).collect();
    if has_key(&before) {
        return Some("a text with `: ` in it is put in quotes".to_owned());
    }
    let is_content = |line: &str| !line.is_empty() && !line.starts_with('#');
    let (at, above) = (above.iter().enumerate()).rfind(|(_, line)| is_content(line.trim()))?;
    let at = at + 1;
    if !has_key(above.trim_end()) && !above.trim_start().starts_with("- ") {
        return Some(format!("line {at} has no `:` behind its key"));
    }
    (indent(line) > indent(above)).then(|| {
        format!("line {number} is further to the right than line {at}, which has a value already")
    })
}

const MAPPING: &str = "mapping values are not allowed in this context";

const NO_TOKEN: &str = "found character that cannot start any token";

const CONTROL: &str = "control characters are not allowed";

/// The characters that the parser refuses wherever they are.
fn is_forbidden(c: char) -> bool {
    let is_blank = matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    (c.is_control() && !is_blank) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::failure;

    #[test]
    fn a_key_where_none_can_be_is_reported_with_the_line_that_is_to_blame() {
        for (text, expected) in [
            (
                "a:\n  host db\n  password: x\n",
                "line 2 has no `:` behind its key",
            ),
            ("host db\nb: 1\n", "line 1 has no `:` behind its key"),
            (
                "a: 1\n  b: 2\n",
                "line 2 is further to the right than line 1, which has a value already",
            ),
            ("a: b: c\n", "a text with `: ` in it is put in quotes"),
            ("ü: b: c\n", "a text with `: ` in it is put in quotes"),
        ] {
            let error = serde_yaml::from_str::<serde_yaml::Value>(text).unwrap_err();
            let message = failure(text, &error, false).message.to_string();
            assert!(message.ends_with(expected), "{text}: {message}");
        }
    }

    #[test]
    fn what_cannot_begin_anything_is_reported_with_what_to_do() {
        let tab = "a tab cannot be here in YAML; write blanks";
        let sign =
            "`@`, `%` and a backtick cannot begin a key or a value in YAML; put it in quotes";
        for (text, at, expected) in [
            ("a:\n\tb: 1\n", (2, 1), tab),
            ("a:\n-\tb\n", (2, 2), tab),
            ("a: 1\nb: @home\n", (2, 4), sign),
            ("ü: 1\nb: [`x`]\n", (2, 5), sign),
            ("b: %d\n", (1, 4), sign),
            ("@b: 1\n", (1, 1), sign),
        ] {
            let error = serde_yaml::from_str::<serde_yaml::Value>(text).unwrap_err();
            let syntax = failure(text, &error, false);
            assert_eq!(
                (syntax.at, &*syntax.message),
                (Some(at), expected),
                "{text}"
            );
        }
    }
}
