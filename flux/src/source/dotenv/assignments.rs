//! The assignments of a text of variables, and where they are. `dotenvy` decides what they contain.

use crate::codec::variables::is_no_assignment;
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io::{self, Read},
    ops::Range,
};

/// So many bytes the variables that a text names in its values may come to. Each may name those above it, so that a few lines
/// would come to more than there is memory.
const MOST: usize = 16 << 20;

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
    let lengths = RefCell::new(HashMap::new());
    let lines = LineByLine {
        rest: whole.as_bytes(),
        given: &given,
        left: 0,
        room: MOST,
        lengths: &lengths,
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
            Ok((name, value)) => {
                lengths.borrow_mut().insert(name.clone(), value.len());
                found.all.push(Assignment { name, value, place });
            }
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
    /// Of the line that is given out; none where one begins.
    left: usize,
    /// What the variables in the rest may come to.
    room: usize,
    /// Of the values so far.
    lengths: &'t RefCell<HashMap<String, usize>>,
}

impl LineByLine<'_> {
    /// What the variables come to that a line may name.
    fn named(&self, line: &[u8]) -> usize {
        let line = std::str::from_utf8(line).unwrap_or_default();
        let names = line.split('$').skip(1).map(|behind| {
            let braced = behind.strip_prefix('{');
            let braced = braced.and_then(|behind| behind.split('}').next());
            let plain = || behind.split(|c: char| !c.is_alphanumeric()).next();
            braced.or_else(plain).unwrap_or_default()
        });
        let lengths = self.lengths.borrow();
        let length = |name: &str| match std::env::var(name) {
            Ok(value) => value.len(),
            Err(_) => lengths.get(name).copied().unwrap_or_default(),
        };
        names.map(length).fold(0, usize::saturating_add)
    }
}

impl Read for LineByLine<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let line = self.rest.iter().position(|byte| *byte == b'\n');
            let length = line.map_or(self.rest.len(), |end| end + 1);
            let Some(room) = self.room.checked_sub(self.named(&self.rest[..length])) else {
                self.given.set(self.given.get() + self.rest.len());
                self.rest = &[];
                return Err(io::Error::other("the variables come to too much"));
            };
            (self.left, self.room) = (length, room);
        }
        let length = self.left.min(into.len());
        self.left -= length;
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

    #[test]
    fn variables_that_name_those_above_them_come_to_no_more_than_there_is_room_for() {
        let mut text = "FluxA=0123456789\n".to_owned();
        for (above, name) in ('A'..='Y').zip('B'..='Z') {
            text += &format!("Flux{name}=$Flux{above}${{Flux{above}}}$Flux{above}$Flux{above}\n");
        }
        let found = assignments(&text);
        let lengths: Vec<usize> = found.all.iter().map(|one| one.value.len()).collect();
        assert_eq!(lengths[..3], [10, 40, 160]);
        assert!(lengths.iter().sum::<usize>() <= MOST + 10);
        let refused: Vec<&str> = (found.unreadable.iter())
            .map(|one| &text[one.clone()])
            .collect();
        assert_eq!(refused.len(), 1, "the rest");
        assert!(refused[0].starts_with("Flux") && refused[0].contains("FluxZ="));
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
