//! Which document the files of a folder make together, and how it is read.

use std::ffi::OsStr;

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
        let mut root = Vec::new();
        let mut rest = text.trim_start_matches('\n');
        while !rest.is_empty() {
            let (name, behind) = rest.split_once('\n').ok_or_else(broken)?;
            let (length, behind) = behind.split_once('\n').ok_or_else(broken)?;
            let length: usize = length.parse().map_err(|_| broken())?;
            let value = behind.get(..length).ok_or_else(broken)?;
            rest = behind.get(length + 1..).ok_or_else(broken)?;
            insert(&mut root, name, value).map_err(|other| {
                format!("the files `{other}` and `{name}` set the same key; remove one")
            })?;
        }
        Ok(Tree::Map(root))
    }
}

/// Where a file and a section have one name, the name of the file that is in the way, without the sections that lead to it.
fn insert(map: &mut Vec<(String, Tree)>, name: &str, value: &str) -> Result<(), String> {
    let sections = name.split_once('.');
    let sections = sections.filter(|(section, rest)| !section.is_empty() && !rest.is_empty());
    let key = sections.map_or(name, |(section, _)| section);
    let at = map.iter().position(|(known, _)| known == key);
    let Some((section, rest)) = sections else {
        if let Some(at) = at {
            return Err(first_file(&map[at]));
        }
        map.push((name.to_owned(), Tree::Raw(value.to_owned())));
        return Ok(());
    };
    let at = at.unwrap_or_else(|| {
        map.push((section.to_owned(), Tree::Map(Vec::new())));
        map.len() - 1
    });
    match &mut map[at].1 {
        Tree::Map(inner) => {
            insert(inner, rest, value).map_err(|other| format!("{section}.{other}"))
        }
        _ => Err(section.to_owned()),
    }
}

/// The name of the file that an entry, or the first one in it, is from.
fn first_file((key, value): &(String, Tree)) -> String {
    match value {
        Tree::Map(inner) => match inner.first() {
            Some(first) => format!("{key}.{}", first_file(first)),
            None => key.clone(),
        },
        _ => key.clone(),
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
