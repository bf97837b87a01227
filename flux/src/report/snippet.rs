//! The line of a document that a problem is on, shown only if no secret can be on it.

use super::{
    secrets::{self, KnownSecrets},
    text::{blanks, escaped_line},
};
use crate::{
    document::Document,
    problem::{Flaw, What},
    schema::{self, Field},
};

/// Longer lines are cut.
pub(super) const WIDEST: usize = 160;

/// What must be known of a document to show lines of it.
pub(super) struct Excerpt {
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

impl Excerpt {
    /// `document` is the model of the text, where there is one.
    pub(super) fn read(
        fields: &'static [Field],
        text: &str,
        document: Option<&Document<'_>>,
    ) -> Self {
        let hidden = match document {
            _ if !schema::any_secret(fields) => Hidden::Nothing,
            None => Hidden::Everything,
            Some(document) => {
                let nodes = secrets::hidden(fields, document);
                let lines = |id| (document.start(id).0, document.last_line(id));
                // An alias, and where its anchor is.
                let both = |id| [lines(id), lines(document.resolved(id))];
                let all = nodes.map(|nodes| nodes.into_iter().flat_map(both).collect());
                all.map_or(Hidden::Everything, Hidden::Lines)
            }
        };
        Excerpt {
            lines: text.lines().map(str::to_owned).collect(),
            hidden,
        }
    }

    /// The line, if it can be shown.
    pub(super) fn line(
        &self,
        (number, column): (usize, usize),
        problem: &Flaw,
        secrets: &KnownSecrets,
    ) -> Option<Shown> {
        let mut line = self.lines.get(number.checked_sub(1)?)?.as_str();
        match &self.hidden {
            Hidden::Nothing => {}
            Hidden::Everything => return None,
            // What is behind a misspelt key may be the secret that was meant.
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
