//! Whether the line of a document that a problem is on is shown, or withheld because a secret may be on it; how long lines are cut.

use super::{
    secrets::{KnownSecrets, ReadDocument},
    text::{blanks, escaped_line},
    unseen::{LEFT_OUT, READ, UnseenValues},
};
use crate::{
    document::{Document, Lines},
    problem::{Flaw, ProblemKind},
    schema::{self, Field},
};
use std::{borrow::Cow, ops::Range};

/// Longer lines are cut.
pub(super) const WIDEST: usize = 160;

/// What must be known of a document to show lines of it.
pub(super) struct Excerpt<'r> {
    text: &'r str,
    lines: Lines,
    hidden: Hidden,
    unseen: UnseenValues,
    /// Where comments are that may be anywhere in a line.
    comments: &'r [Range<usize>],
}

/// Where the secrets are.
enum Hidden {
    /// The type has none.
    Nothing,
    /// Whether they are on a line, counted from 0.
    Lines(Vec<bool>),
    /// The document cannot be read, so that a secret may be on any line.
    Everything,
}

/// A line and the blanks that lead to the column under it.
pub(super) struct Shown {
    pub(super) line: String,
    pub(super) blanks: Option<String>,
}

impl<'r> Excerpt<'r> {
    pub(super) fn read(fields: &'static [Field], read: &'r ReadDocument<'_>) -> Self {
        let text = read.text.trim_start_matches('\u{feff}');
        let lines = Lines::of(text);
        let hidden = match (read.document(), &read.hidden) {
            _ if read.shows_nothing() => Hidden::Everything,
            _ if !schema::any_secret(fields) => Hidden::Nothing,
            (Some(document), Some(nodes)) => {
                Hidden::Lines(covered(lines.len(), nodes.lines(document).into_iter()))
            }
            _ => Hidden::Everything,
        };
        let document = read.document();
        let unseen = document.map(|document| UnseenValues::of(fields, document, lines.len()));
        Excerpt {
            text,
            lines,
            hidden,
            unseen: unseen.unwrap_or_default(),
            comments: read.document().map_or(&[], Document::comments),
        }
    }

    /// The line, if it can be shown.
    pub(super) fn line(
        &self,
        (number, column): (usize, usize),
        problem: &Flaw,
        layer: Option<usize>,
        secrets: &KnownSecrets,
    ) -> Option<Shown> {
        let whole = self.lines.line(self.text, number)?;
        let mut caret = Some(column);
        if problem.what.is_of_a_secret() {
            return None;
        }
        let bare = match self.hidden {
            // No more of it is shown, and it may be all of a large document.
            _ if !self.unseen.is_empty() => {
                self.without_comments_inside(number, first_chars(whole, READ))
            }
            Hidden::Lines(_) => self.without_comments_inside(number, first_chars(whole, WIDEST)),
            Hidden::Nothing | Hidden::Everything => Cow::Borrowed(whole),
        };
        let mut shown = Cow::Borrowed(&*bare);
        if !self.unseen.is_empty() {
            let (masked, now) = self.unseen.masked(&bare, (number, column))?;
            if masked.contains(LEFT_OUT) {
                caret = now;
                shown = Cow::Owned(self.without_last_comment(&masked).to_owned());
            }
        }
        let mut line = first_chars(&shown, WIDEST);
        match &self.hidden {
            // A value of the program's own type may have a secret in it, and a comment what it was.
            Hidden::Nothing if !self.unseen.is_empty() => line = self.without_last_comment(line),
            Hidden::Nothing => {}
            Hidden::Everything => return None,
            // What is behind a misspelt key may be the secret that was meant.
            Hidden::Lines(_) if problem.what.kind() == ProblemKind::UnknownKey => return None,
            Hidden::Lines(covered) => {
                if covered.get(number - 1) != Some(&false) {
                    return None;
                }
                line = self.without_last_comment(line);
                if secrets.of_layer_are_in_line(layer, line) {
                    return None;
                }
            }
        }
        Some(Shown {
            blanks: (caret.filter(|column| *column <= WIDEST))
                .map(|column| blanks(line, column.saturating_sub(1))),
            line: escaped_line(line),
        })
    }

    /// A comment may hold what was the secret yesterday. One that may be anywhere in a line leaves as many blanks, so that columns hold.
    fn without_comments_inside<'l>(&self, number: usize, line: &'l str) -> Cow<'l, str> {
        if self.comments.is_empty() {
            return Cow::Borrowed(line);
        }
        let start = self.lines.start(number).unwrap_or_default();
        // In the order of the text, and none in another.
        let first = (self.comments).partition_point(|comment| comment.end <= start);
        let mut comments = self.comments[first..].iter().peekable();
        let shown = line.char_indices().map(|(at, c)| {
            let at = start + at;
            while comments.next_if(|comment| comment.end <= at).is_some() {}
            match comments.peek().is_some_and(|comment| comment.start <= at) {
                true => ' ',
                false => c,
            }
        });
        Cow::Owned(shown.collect())
    }

    /// The same of one that goes on to the end of the line.
    fn without_last_comment<'l>(&self, line: &'l str) -> &'l str {
        match self.comments.is_empty() {
            true => without_comment(line),
            false => line.trim_end(),
        }
    }
}

fn first_chars(text: &str, count: usize) -> &str {
    let end = text.char_indices().nth(count).map(|(end, _)| end);
    &text[..end.unwrap_or(text.len())]
}

/// Which of so many lines are in one of the ranges, whose first and last line are counted from 1.
pub(super) fn covered(lines: usize, ranges: impl Iterator<Item = (usize, usize)>) -> Vec<bool> {
    // How many more ranges are open at a line than at the one before it.
    let mut steps = vec![0_isize; lines + 1];
    for (first, last) in ranges {
        let first = first.saturating_sub(1).min(lines);
        steps[first] += 1;
        steps[last.clamp(first, lines)] -= 1;
    }
    let mut open = 0;
    let mut covered: Vec<bool> = Vec::with_capacity(lines);
    for step in &steps[..lines] {
        open += step;
        covered.push(open > 0);
    }
    covered
}

/// The line up to what is a comment to its end.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| {
        line[..*at]
            .chars()
            .next_back()
            // Behind a key in quotes YAML asks for no blank.
            .is_none_or(|before| before.is_whitespace() || before == ':')
    });
    comment.map_or(line, |(at, _)| line[..at].trim_end())
}
