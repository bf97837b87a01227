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

/// How the character is written that the parser stumbled over.
fn mend(text: &str, at: Option<(usize, usize)>) -> Option<String> {
    let (line, column) = at?;
    let line = text.lines().nth(line.checked_sub(1)?)?;
    match line.chars().nth(column.checked_sub(1)?)? {
        '\t' => Some("a tab cannot indent a line of YAML; indent with spaces".to_owned()),
        '`' => Some("a backtick cannot begin a value in YAML; put the value in quotes".to_owned()),
        sign @ ('@' | '%') => Some(format!(
            "`{sign}` cannot begin a value in YAML; put the value in quotes"
        )),
        _ => None,
    }
}

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

    fn refused(text: &str) -> String {
        let error = serde_yaml::from_str::<serde_yaml::Value>(text).unwrap_err();
        let syntax = failure(text, &error, false);
        format!("{:?}: {}", syntax.at, syntax.message)
    }

    #[test]
    fn a_character_that_cannot_begin_anything_is_named_with_what_to_do() {
        for (text, expected) in [
            (
                "a:\n\tb: 1\n",
                "Some((2, 1)): a tab cannot indent a line of YAML; indent with spaces",
            ),
            (
                "a: 1\nb: @home\n",
                "Some((2, 4)): `@` cannot begin a value in YAML; put the value in quotes",
            ),
            (
                "ü: 1\nb: [`x`]\n",
                "Some((2, 5)): a backtick cannot begin a value in YAML; put the value in quotes",
            ),
            (
                "b: %d\n",
                "Some((1, 4)): `%` cannot begin a value in YAML; put the value in quotes",
            ),
        ] {
            assert_eq!(refused(text), expected, "{text}");
        }
    }
}
