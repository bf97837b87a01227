//! The line of a document that a problem is on, shown only if no secret can be on it.

use super::{
    secrets::{Secret, Secrets, of_tree, read},
    text::{blanks, escaped_line},
};
use crate::{
    codec::{self, Decoder, Way},
    problem::{Problem, What},
    schema::{self, Field},
};

/// Longer lines are cut.
pub(super) const WIDEST: usize = 160;

/// What must be known of a document to show lines of it.
pub(super) struct Document {
    lines: Vec<String>,
    hidden: Hidden,
}

/// Where the secrets are.
enum Hidden {
    /// The type has none.
    Nothing,
    /// From a line to another one.
    Lines(Vec<(usize, usize)>),
    /// The document cannot be read, so that a secret may be on any line.
    Everything,
}

/// A line and the blanks that lead to the column under it.
pub(super) struct Shown {
    pub(super) line: String,
    pub(super) blanks: Option<String>,
}

impl Document {
    pub(super) fn read(fields: &'static [Field], bytes: &[u8], decoder: &Decoder) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let hidden = if !schema::any_secret(fields) {
            Hidden::Nothing
        } else {
            let secrets = read(bytes, decoder).map(|tree| of_tree(fields, &tree));
            match secrets.filter(|secrets| secrets.len() <= codec::most_places(bytes.len())) {
                Some(secrets) => secrets
                    .iter()
                    .map(|secret| extent(decoder, text, &lines, secret))
                    .collect::<Option<_>>()
                    .map_or(Hidden::Everything, Hidden::Lines),
                None => Hidden::Everything,
            }
        };
        Document { lines, hidden }
    }

    /// The line, if it can be shown.
    pub(super) fn line(
        &self,
        (number, column): (usize, usize),
        problem: &Problem,
        secrets: &Secrets,
    ) -> Option<Shown> {
        let mut line = self.lines.get(number.checked_sub(1)?)?.as_str();
        match &self.hidden {
            Hidden::Nothing => {}
            Hidden::Everything => return None,
            // What stands behind a misspelt key may be the secret that was meant.
            Hidden::Lines(_) if matches!(problem.what, What::Unknown(_)) => return None,
            Hidden::Lines(ranges) => {
                let on = |(from, to): &(usize, usize)| (*from..=*to).contains(&number);
                if ranges.iter().any(on) {
                    return None;
                }
                line = without_comment(line);
                if secrets.are_in(line) {
                    return None;
                }
            }
        }
        let line: String = line.chars().take(WIDEST).collect();
        Some(Shown {
            blanks: (column <= WIDEST).then(|| blanks(&line, column.saturating_sub(1))),
            line: escaped_line(&line),
        })
    }
}

/// A comment may hold what was the secret yesterday.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| {
        line[..*at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace)
    });
    comment.map_or(line, |(at, _)| line[..at].trim_end())
}

/// The first and the last line that a secret can be on; none where that cannot be told.
fn extent(
    decoder: &Decoder,
    text: &str,
    lines: &[String],
    secret: &Secret,
) -> Option<(usize, usize)> {
    let span = codec::span_at(decoder, text, Way::Nth(&secret.numbers))?;
    let (first, column) = span.start;
    if let Some(last) = span.last_line {
        return Some((first, last.max(first)));
    }
    let line = lines.get(first.checked_sub(1)?)?;
    let from: String = line.chars().skip(column.saturating_sub(1)).collect();
    let value = without_properties(&from);
    if is_whole(value, secret) {
        return Some((first, first));
    }
    if !value.starts_with(['|', '>']) {
        return Some((first, usize::MAX));
    }
    // A block ends at the first line that is indented no more than the line where it begins.
    let indent = |line: &str| line.chars().take_while(|c| *c == ' ').count();
    let after = lines.iter().enumerate().skip(first);
    let end = after
        .filter(|(_, below)| !below.trim().is_empty())
        .find(|(_, below)| indent(below) <= indent(line));
    Some((first, end.map_or(usize::MAX, |(at, _)| at)))
}

/// Whether the secret ends in the line in which it begins: a number always does, and so does a text that stands there as it is.
fn is_whole(value: &str, secret: &Secret) -> bool {
    let quoted = |quote: char| {
        value
            .strip_prefix(quote)
            .and_then(|value| value.strip_prefix(secret.text.as_str()))
            .is_some_and(|rest| rest.starts_with(quote))
    };
    let plain = !secret.text.is_empty() && value.starts_with(&secret.text);
    !value.is_empty() && (secret.is_plain || plain || quoted('"') || quoted('\''))
}

/// YAML's value behind its anchor and its tag.
fn without_properties(value: &str) -> &str {
    let mut value = value;
    while value.starts_with(['&', '!']) {
        value = value
            .split_once(' ')
            .map_or("", |(_, rest)| rest)
            .trim_start();
    }
    value
}
