//! How answers for people are laid out: lines below a first one.

use crate::{problem::KeyPath, report::Problem};
use std::fmt::{Display, Formatter, Result};

/// What a path is called; the empty one is everything.
pub(crate) fn called(path: &KeyPath) -> &str {
    match path.is_empty() {
        true => "the configuration",
        false => path.as_str(),
    }
}

/// Each of these in a line of its own, behind `before`.
pub(super) fn each_line<T: Display>(
    f: &mut Formatter<'_>,
    before: &str,
    lines: impl IntoIterator<Item = T>,
) -> Result {
    let mut lines = lines.into_iter();
    lines.try_for_each(|line| write!(f, "\n{before}{line}"))
}

/// Each of these behind a word, as in `to come: port: is required`.
pub(super) fn each_problem(f: &mut Formatter<'_>, word: &str, problems: &[Problem]) -> Result {
    let problems = problems.iter().map(Problem::after_word);
    each_line(f, &format!("  {word}: "), problems)
}
