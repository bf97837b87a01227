//! The assignments of a text of variables, and where they are. `dotenvy` decides what they contain.

use crate::codec::variables::is_no_assignment;
use std::{
    cell::Cell,
    io::{self, Read},
    ops::Range,
};

/// One assignment.
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) value: String,
    /// From its first word to the end of its last line.
    pub(super) place: Range<usize>,
}

/// What a text contains.
pub(super) struct Assignments {
    /// In the order of the text.
    pub(super) all: Vec<Assignment>,
    /// What is neither an assignment nor a comment.
    pub(super) unreadable: Vec<Range<usize>>,
}

pub(super) fn assignments(text: &str) -> Assignments {
    // Without a line break at its end, blanks there would be an error.
    let whole = format!("{text}\n");
    let given = Cell::new(0);
    let lines = LineByLine {
        rest: whole.as_bytes(),
        given: &given,
    };
    let mut found = Assignments {
        all: Vec::new(),
        unreadable: Vec::new(),
    };
    let mut begin = 0;
    for item in dotenvy::from_read_iter(lines) {
        // It has taken the lines that it needs, and no more.
        let end = given.get().min(text.len());
        let place = first_line(text, begin..end);
        begin = end;
        match item {
            Ok((name, value)) => found.all.push(Assignment { name, value, place }),
            // The error quotes the line, which may be secret.
            Err(_) => found.unreadable.push(place),
        }
    }
    found
}

/// The range without comments and blank lines at its beginning, and without blanks at its end.
fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    let mut start = range.start;
    for line in part.split_inclusive('\n') {
        if !is_no_assignment(line) {
            start += line.len() - line.trim_start().len();
            break;
        }
        start += line.len();
    }
    let end = range.start + part.trim_end().len();
    start.min(end)..end
}

/// Gives a text out by its lines, so that it is known after each assignment where it ends.
struct LineByLine<'t> {
    rest: &'t [u8],
    given: &'t Cell<usize>,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let line = self.rest.iter().position(|byte| *byte == b'\n');
        let length = line.map_or(self.rest.len(), |end| end + 1).min(into.len());
        let (line, rest) = self.rest.split_at(length);
        into[..length].copy_from_slice(line);
        self.rest = rest;
        self.given.set(self.given.get() + length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(text: &str) -> Vec<(String, String, &str)> {
        let all = assignments(text).all.into_iter();
        all.map(|one| (one.name, one.value, &text[one.place]))
            .collect()
    }

    #[test]
    fn every_form_has_its_place() {
        let text = "# first\n\nA=1\n  export B = \"x\n# no comment\ny\" # behind\nC='a # b'   \r\n# D=4\nE=\nF=\"\\\"\"   ";
        let expected = [
            ("A", "1", "A=1"),
            (
                "B",
                "x\n# no comment\ny",
                "export B = \"x\n# no comment\ny\" # behind",
            ),
            ("C", "a # b", "C='a # b'"),
            ("E", "", "E="),
            ("F", "\"", "F=\"\\\"\""),
        ];
        let expected = expected.map(|(name, value, place)| (name.into(), value.into(), place));
        assert_eq!(places(text), expected);
        assert!(assignments(text).unreadable.is_empty());
    }

    #[test]
    fn what_is_no_assignment_is_found_and_what_follows_is_read() {
        let text = "A=1\nno assignment\n# b\n2B=3\nC=x y\nD=4\nE=\"open\nF=5\n";
        let found = assignments(text);
        let bad: Vec<&str> = found
            .unreadable
            .iter()
            .map(|one| &text[one.clone()])
            .collect();
        assert_eq!(bad, ["no assignment", "2B=3", "C=x y", "E=\"open\nF=5"]);
        let names: Vec<_> = found.all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["A", "D"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_every_place_is_behind_the_one_before(text in "([A-C]|=|\"|'|#|\\\\|\\$|\\{|\\}| |\t|\r?\n|é|x){0,60}") {
            let found = assignments(&text);
            let mut end = 0;
            for one in &found.all {
                prop_assert!(end <= one.place.start && one.place.start < one.place.end);
                let written = &text[one.place.clone()];
                prop_assert!(written.contains(&one.name) && written.contains('='));
                end = one.place.end;
            }
            for one in &found.unreadable {
                prop_assert!(text.get(one.clone()).is_some_and(|text| !text.is_empty()));
            }
        }

        #[test]
        fn any_value_in_single_quotes_is_itself(value in "[^'\\\\]{0,40}", before in "[^'\\\\]{0,10}") {
            let text = format!("A='{before}'\nB='{value}'\n");
            prop_assert_eq!(places(&text).last().map(|(name, value, _)| (name.clone(), value.clone())), Some(("B".to_owned(), value)));
        }
    }
}
