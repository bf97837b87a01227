//! Texts without what differs from run to run: times, lengths of time, folders, numbers made at random.

use std::collections::HashMap;

/// The text with every time in the same words, and names that are made at random by the order in which they come.
pub(crate) fn steady(text: &str, folder: &str) -> String {
    let text = numbered(&text.replace(folder, "FOLDER"));
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        out += before;
        let is_of_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let end = number.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ':')));
        let (number, behind) = number.split_at(end.unwrap_or(number.len()));
        let is_time = before.ends_with("nsec: ")
            || number.len() > 6
            || !is_of_word && is_of_time(number, behind);
        out += match is_time {
            true => "TIME",
            false => number,
        };
        rest = behind;
    }
    out + rest
}

fn is_of_time(number: &str, behind: &str) -> bool {
    const UNITS: [&str; 9] = ["s", "ms", "µs", "ns", " s", " ms", " min", " h", " d"];
    let is_unit = UNITS.iter().any(|unit| {
        let behind = behind.strip_prefix(unit);
        behind.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    });
    is_unit || number.contains('.') && !number.ends_with('.')
}

/// Whether a word is a number that is made at random in each run, or a hash: at least eight digits of hexadecimal. Those of ten alone are
/// taken for a time, unless the word before says that it is a placeholder.
fn is_random(word: &str, before: &str) -> bool {
    word.len() >= 8
        && word.bytes().all(|c| c.is_ascii_hexdigit())
        && (before == "redacted" || !word.bytes().all(|c| c.is_ascii_digit()))
}

fn numbered(text: &str) -> String {
    let mut known = HashMap::new();
    let pieces = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let mut last = "";
    let pieces = pieces.map(|piece| {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let before = std::mem::replace(&mut last, word);
        if !is_random(word, before) {
            return piece.to_owned();
        }
        let number = known.len();
        let number = known.entry(word.to_owned()).or_insert(number);
        format!("RANDOM{number}{}", &piece[word.len()..])
    });
    pieces.collect()
}
