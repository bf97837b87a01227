//! A pattern in the place of a file's name, `conf.d/*.yaml`: every file of the folder that fits it is read.

use crate::{Format, Part, Template};
use std::path::is_separator;

/// A folder, and which of its files are read.
///
/// ```
/// use flux_syntax::Pattern;
///
/// let pattern = Pattern::of("conf.d/*.yaml").unwrap().unwrap();
/// assert_eq!(pattern.folder(), "conf.d/");
/// assert!(pattern.fits("10-a.yaml") && !pattern.fits("10-a.yaml~") && !pattern.fits(".a.yaml"));
/// assert_eq!(Pattern::of("app.yaml"), Ok(None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    folder: String,
    name: String,
}

impl Pattern {
    /// The pattern that a path is; none where it is the path of one file.
    ///
    /// # Errors
    /// A sentence: why such a pattern can fit nothing, or is not read.
    pub fn of(path: &str) -> Result<Option<Self>, String> {
        Pattern::read(path, &path)
    }

    /// The pattern that a path is, which messages call `shown`.
    fn read(path: &str, shown: &dyn std::fmt::Display) -> Result<Option<Self>, String> {
        if !path.contains('*') {
            return Ok(None);
        }
        let start = path.rfind(is_separator).map_or(0, |at| at + 1);
        let (folder, name) = path.split_at(start);
        if folder.contains('*') {
            return Err(format!(
                "`{shown}`: a `*` is possible in the name of the files alone, and not in that of a folder: `conf.d/*.yaml`"
            ));
        }
        if name.contains("**") {
            return Err(format!(
                "`{shown}`: folders in the folder are not read, so that `**` has no meaning; write one `*`"
            ));
        }
        if name.starts_with('.') {
            return Err(format!(
                "`{shown}`: hidden files are not read, so that a pattern cannot begin with a dot"
            ));
        }
        Ok(Some(Pattern {
            folder: folder.to_owned(),
            name: name.to_owned(),
        }))
    }

    /// What is known of the pattern in a path before its variables are: as if each were a word.
    ///
    /// # Errors
    /// As [`of`](Pattern::of).
    pub fn of_template(path: &Template) -> Result<Option<Self>, String> {
        let words = path.parts.iter().map(|part| match part {
            Part::Text(text) => text.as_str(),
            Part::Var { .. } => "name",
        });
        Pattern::read(&words.collect::<String>(), path)
    }

    /// The folder as it is written, with the separator at its end; empty for the folder that the program is in.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// What is behind the folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a file of this name is read. A hidden one never is.
    pub fn fits(&self, name: &str) -> bool {
        let mut pieces = self.name.split('*');
        let (first, last) = (pieces.next(), pieces.next_back());
        let (Some(first), Some(last)) = (first, last) else {
            return false;
        };
        let rest = name.strip_prefix(first);
        let Some(rest) = rest.and_then(|rest| rest.strip_suffix(last)) else {
            return false;
        };
        // Each piece as early as possible leaves the most for those behind it.
        let left = pieces.try_fold(rest, |rest, piece| {
            rest.find(piece).map(|at| &rest[at + piece.len()..])
        });
        left.is_some() && !name.starts_with('.')
    }

    /// The format that the ending of the pattern names; none where that of each file does.
    pub fn format(&self) -> Option<Format> {
        Format::of_path(&self.name)
    }

    /// Whether the ending of each file names its format, because the pattern leaves it open.
    pub fn is_open(&self) -> bool {
        let ending = self.name.rsplit_once('.');
        ending.is_none_or(|(_, ending)| ending.contains('*'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(path: &str) -> Pattern {
        Pattern::of(path).expect(path).expect(path)
    }

    #[test]
    fn a_path_without_an_asterisk_is_that_of_one_file() {
        for path in ["app.yaml", "/etc/app.d/a?b.toml", "", "a[1].json"] {
            assert_eq!(Pattern::of(path), Ok(None), "{path}");
        }
    }

    #[test]
    fn an_asterisk_is_possible_in_the_name_of_the_files_alone() {
        for (path, expected) in [
            ("/etc/*/app.yaml", "not in that of a folder"),
            ("*/*.yaml", "not in that of a folder"),
            ("*/", "not in that of a folder"),
            ("conf.d/**.yaml", "`**` has no meaning"),
            ("conf.d/.*.yaml", "cannot begin with a dot"),
        ] {
            let refused = Pattern::of(path).expect_err(path);
            assert!(
                refused.contains(expected) && refused.contains(path),
                "{refused}"
            );
        }
    }

    #[test]
    fn what_fits_and_what_does_not() {
        for (path, fits, others) in [
            (
                "conf.d/*.yaml",
                &["10-a.yaml", "a.b.yaml", "*.yaml", "é.yaml"][..],
                &[
                    "a.yml",
                    "a.yaml~",
                    ".a.yaml",
                    ".yaml",
                    "a.yaml.swp",
                    "yaml",
                    "#a.yaml#",
                ][..],
            ),
            ("*", &["a", "a.yaml"], &[".a"]),
            (
                "d/app-*.toml",
                &["app-.toml", "app-1.toml"],
                &["app.toml", "xapp-1.toml"],
            ),
            ("d/a*a", &["aa", "aba"], &["a", "ab", "ba"]),
            (
                "d/*-x-*.json",
                &["1-x-2.json", "-x-.json", "1-x-x-.json"],
                &["-x.json", "1-y-2.json"],
            ),
        ] {
            let pattern = pattern(path);
            for name in fits {
                assert!(pattern.fits(name), "{path} {name}");
            }
            for name in others {
                assert!(!pattern.fits(name), "{path} {name}");
            }
        }
    }

    #[test]
    fn the_ending_of_the_pattern_names_the_format_or_leaves_it_open() {
        for (path, format, is_open) in [
            ("conf.d/*.yaml", Some(Format::Yaml), false),
            ("conf.d/*.TOML", Some(Format::Toml), false),
            ("conf.d/*.conf", None, false),
            ("conf.d/*", None, true),
            ("conf.d/app-*", None, true),
            ("conf.d/*.y*ml", None, true),
        ] {
            let pattern = pattern(path);
            assert_eq!(
                (pattern.format(), pattern.is_open()),
                (format, is_open),
                "{path}"
            );
        }
    }

    /// Whether a name fits, by trying every length for each asterisk.
    fn slow(pattern: &str, name: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == name,
            Some((before, behind)) => name.strip_prefix(before).is_some_and(|rest| {
                let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
                ends.clone().any(|at| slow(behind, &rest[at..]))
            }),
        }
    }

    proptest! {
        #[test]
        fn a_name_fits_where_the_asterisks_can_be_filled_in(
            pattern in "[ab]{0,2}[*][ab]{1,2}[*]?[ab]{0,2}",
            name in "[ab]{0,7}",
        ) {
            if let Ok(Some(known)) = Pattern::of(&pattern) {
                prop_assert_eq!(known.fits(&name), slow(&pattern, &name));
            }
        }
    }
}
