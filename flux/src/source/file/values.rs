//! Which document the files of a folder make together, and how it is read.

use std::{collections::HashMap, ffi::OsStr};

use super::entry::PathContent;
use crate::{
    codec::{Codec, Tree},
    source::{Content, Observation, SourceError},
};

/// What the files of the folder `shown` hold together, which is no more than `max` bytes.
pub(super) fn document(shown: &str, max: u64, files: &[(&OsStr, &PathContent)]) -> Observation {
    match texts(shown, max, files) {
        Ok(texts) => Observation::Value(Content {
            bytes: written(&texts).into(),
            revision: None,
        }),
        Err(error) => Observation::Unreadable(error),
    }
}

fn texts<'a>(
    shown: &str,
    max: u64,
    files: &[(&'a OsStr, &'a PathContent)],
) -> Result<Vec<(&'a str, &'a str)>, SourceError> {
    let (mut texts, mut size) = (Vec::new(), 0);
    for (name, held) in files {
        let refused = |reason: &str| {
            let name = name.to_string_lossy();
            SourceError::configuration(format!("{shown}/{} {reason}", name.escape_debug()))
        };
        let bytes = match held {
            PathContent::Value(bytes) => bytes,
            PathContent::Absent => continue,
            PathContent::Unreadable(error) => return Err(error.clone()),
        };
        let name = name.to_str().filter(|name| !name.contains('\n'));
        let name = name.ok_or_else(|| refused("has a name that cannot be a key"))?;
        size += bytes.len() as u64;
        if size > max {
            return Err(SourceError::configuration(format!(
                "{shown} holds more than the limit of {} MiB",
                max >> 20
            )));
        }
        let text = std::str::from_utf8(bytes);
        let text = text.map_err(|_| refused("is not UTF-8, so it cannot be a value"))?;
        texts.push((name, text));
    }
    Ok(texts)
}

/// One document: each file's name, its length and its content.
pub(super) fn written(files: &[(&str, &str)]) -> Vec<u8> {
    let mut document = Vec::new();
    for (name, text) in files {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        document.extend_from_slice(format!("{name}\n{}\n{text}\n", text.len()).as_bytes());
    }
    match document.is_empty() {
        // An empty directory is there, and contains nothing.
        true => b"\n".to_vec(),
        false => document,
    }
}

/// The codec of what [`written`] makes.
pub(super) struct FolderCodec;

impl Codec for FolderCodec {
    fn name(&self) -> &str {
        "as a directory of values"
    }
    fn decode(&self, text: &str) -> Result<Tree, String> {
        let broken = || "an entry is cut".to_owned();
        let mut root = FolderSection::default();
        let mut rest = text.trim_start_matches('\n');
        while !rest.is_empty() {
            let (name, behind) = rest.split_once('\n').ok_or_else(broken)?;
            let (length, behind) = behind.split_once('\n').ok_or_else(broken)?;
            let length: usize = length.parse().map_err(|_| broken())?;
            let value = behind.get(..length).ok_or_else(broken)?;
            rest = behind.get(length + 1..).ok_or_else(broken)?;
            root.insert(name, value).map_err(|other| {
                format!("the files `{other}` and `{name}` set the same key; remove one")
            })?;
        }
        Ok(root.tree())
    }
}

/// What stands under a key.
enum FolderValue<'a> {
    Text(&'a str),
    Section(FolderSection<'a>),
}

/// Keys in the order of their files, each found without looking through the others.
#[derive(Default)]
struct FolderSection<'a> {
    entries: Vec<(&'a str, FolderValue<'a>)>,
    places: HashMap<&'a str, usize>,
}

impl<'a> FolderSection<'a> {
    /// Where a file and a section have one name, the name of the file that is in the way, without the sections that lead to it.
    fn insert(&mut self, name: &'a str, value: &'a str) -> Result<(), String> {
        let sections = name.split_once('.');
        let sections = sections.filter(|(section, rest)| !section.is_empty() && !rest.is_empty());
        let key = sections.map_or(name, |(section, _)| section);
        let at = self.places.get(key).copied();
        let Some((section, rest)) = sections else {
            return match at {
                Some(at) => Err(self.entries[at].1.first_file(key)),
                None => {
                    self.add(name, FolderValue::Text(value));
                    Ok(())
                }
            };
        };
        let at =
            at.unwrap_or_else(|| self.add(section, FolderValue::Section(FolderSection::default())));
        match &mut self.entries[at].1 {
            FolderValue::Section(inner) => {
                let inserted = inner.insert(rest, value);
                inserted.map_err(|other| format!("{section}.{other}"))
            }
            FolderValue::Text(_) => Err(section.to_owned()),
        }
    }

    fn add(&mut self, key: &'a str, held: FolderValue<'a>) -> usize {
        let at = self.entries.len();
        self.entries.push((key, held));
        self.places.insert(key, at);
        at
    }

    fn tree(self) -> Tree {
        let entries = self.entries.into_iter().map(|(key, held)| {
            let value = match held {
                FolderValue::Text(text) => Tree::Raw(text.to_owned()),
                FolderValue::Section(inner) => inner.tree(),
            };
            (key.to_owned(), value)
        });
        Tree::Map(entries.collect())
    }
}

impl FolderValue<'_> {
    /// The name of the file that is here, or of the first one in the section.
    fn first_file(&self, key: &str) -> String {
        let inner = match self {
            FolderValue::Section(inner) => inner.entries.first(),
            FolderValue::Text(_) => None,
        };
        match inner {
            Some((first, held)) => format!("{key}.{}", held.first_file(first)),
            None => key.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dots_in_a_name_lead_into_sections() {
        let files = [("pool.host", "a"), ("pool.size", "5\n"), ("port", "80")];
        let text = String::from_utf8(written(&files)).unwrap();
        let raw = |text: &str| Tree::Raw(text.to_owned());
        let pool = vec![("host".to_owned(), raw("a")), ("size".to_owned(), raw("5"))];
        assert_eq!(
            FolderCodec.decode(&text),
            Ok(Tree::Map(vec![
                ("pool".to_owned(), Tree::Map(pool)),
                ("port".to_owned(), raw("80")),
            ]))
        );
    }

    /// It would take minutes to look through all keys for each.
    #[test]
    fn a_hundred_thousand_files_are_a_document_without_looking_through_all() {
        let names: Vec<String> = (0..100_000).map(|at| format!("section.{at}")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "1")).collect();
        let text = String::from_utf8(written(&files)).unwrap();
        let begin = std::time::Instant::now();
        assert!(FolderCodec.decode(&text).is_ok());
        let took = begin.elapsed();
        assert!(took < std::time::Duration::from_secs(60), "{took:?}");
    }

    proptest! {
        #[test]
        fn whatever_stands_in_the_files_is_read_back(
            files in proptest::collection::btree_map("[a-z]{1,8}", "(?s).{0,40}[^\r\n]", 0..6)
        ) {
            let pairs: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            let text = String::from_utf8(written(&pairs)).unwrap();
            let read: Vec<_> = files.iter().map(|(name, text)| (name.clone(), Tree::Raw(text.clone()))).collect();
            prop_assert_eq!(FolderCodec.decode(&text), Ok(Tree::Map(read)));
        }
    }

    #[test]
    fn a_file_and_a_section_of_one_name_are_refused_by_the_names_of_the_files() {
        for (files, expected) in [
            (
                ["pool", "pool.size"],
                "the files `pool` and `pool.size` set the same key",
            ),
            (
                ["pool.size", "pool"],
                "the files `pool.size` and `pool` set the same key",
            ),
            (
                ["a.b", "a.b.c"],
                "the files `a.b` and `a.b.c` set the same key",
            ),
        ] {
            let text = String::from_utf8(written(&files.map(|name| (name, "1")))).unwrap();
            let refused = FolderCodec.decode(&text).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn a_name_that_would_be_taken_for_another_entry_is_refused() {
        let value = PathContent::Value(b"1".as_slice().into());
        let files = [(OsStr::new("a\n1\nx\nport"), &value)];
        let Observation::Unreadable(error) = document("dir:d", 10, &files) else {
            panic!("not refused");
        };
        let expected = "dir:d/a\\n1\\nx\\nport has a name that cannot be a key";
        assert_eq!(error.to_string(), expected);
    }
}
