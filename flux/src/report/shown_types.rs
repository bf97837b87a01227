//! That every public type which can be printed is reviewed: `shown_types.txt` has why no secret is in what it prints.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const TRAITS: [&str; 4] = ["Debug", "Display", "Error", "Serialize"];

/// The public types of a file, and those that have one of the traits.
fn shown(text: &str, types: &mut BTreeSet<String>, printed: &mut BTreeSet<String>) {
    let lines: Vec<&str> = text.lines().collect();
    let word = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric());
        text[..end.unwrap_or(text.len())].to_owned()
    };
    for (at, line) in lines.iter().enumerate() {
        let name = line.strip_prefix("pub struct ");
        if let Some(name) = name.or_else(|| line.strip_prefix("pub enum ")) {
            let above = lines[..at].iter().rev();
            let above = above.take_while(|line| !line.is_empty() && !line.starts_with('}'));
            let attributes = above.filter(|line| !line.starts_with("///"));
            let attributes: String = attributes.copied().collect();
            if attributes.contains("cfg(test)") {
                continue;
            }
            types.insert(word(name));
            let mut words = attributes.split(|c: char| !c.is_alphanumeric());
            if words.any(|word| TRAITS.contains(&word)) {
                printed.insert(word(name));
            }
        }
        if let (true, Some((head, name))) = (line.starts_with("impl"), line.split_once(" for ")) {
            let of = head.rsplit([' ', ':', '>']).next();
            if of.is_some_and(|of| TRAITS.contains(&of)) {
                printed.insert(word(name));
            }
        }
    }
}

fn each_file(folder: &Path, read: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = |name: &str| name.ends_with("tests.rs") || name == "tests";
        if is_test(path.file_name().unwrap().to_str().unwrap()) {
            continue;
        }
        if path.is_dir() {
            each_file(&path, read);
        } else if path.extension().is_some_and(|one| one == "rs") {
            read(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_public_type_that_can_be_printed_is_reviewed() {
    let (mut types, mut printed) = (BTreeSet::new(), BTreeSet::new());
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    each_file(&sources, &mut |text| shown(text, &mut types, &mut printed));
    printed.retain(|name| types.contains(name));
    let mut reviewed = BTreeMap::new();
    for line in include_str!("shown_types.txt").lines() {
        if let Some((name, why)) = line.split_once(" | ") {
            assert!(why.len() > 10, "{name}: `{why}` is no reason");
            assert_eq!(reviewed.insert(name.to_owned(), why), None, "{name} twice");
        }
    }
    let new: Vec<_> = (printed.iter())
        .filter(|name| !reviewed.contains_key(*name))
        .collect();
    assert!(
        new.is_empty(),
        "not in shown_types.txt; see that no secret is in what they print: {new:?}"
    );
    let gone: Vec<_> = (reviewed.keys())
        .filter(|name| !printed.contains(*name))
        .collect();
    assert!(gone.is_empty(), "cannot be printed, or is gone: {gone:?}");
}

#[test]
fn a_type_that_can_be_printed_is_found() {
    let text = "/// A.\n#[derive(Clone, Debug)]\npub struct A {\n    a: u8,\n}\n\npub struct B;\n\nimpl<T> fmt::Display for B<T> {\n}\n\
                #[derive(Clone)]\npub enum C {\n}\n\n#[derive(Debug, thiserror::Error)]\n#[error(\n    \"no\"\n)]\npub struct D(u8);\n";
    let (mut types, mut printed) = (BTreeSet::new(), BTreeSet::new());
    shown(text, &mut types, &mut printed);
    let names = |all: &BTreeSet<String>| all.iter().cloned().collect::<Vec<_>>().join("");
    assert_eq!(
        (names(&types), names(&printed)),
        ("ABCD".into(), "ABD".into())
    );
}

#[test]
fn a_tree_prints_keys_and_no_value() {
    let text = |text: &str| crate::codec::Tree::Str(text.to_owned());
    let list = crate::codec::Tree::Seq(vec![text("hunter2"), crate::codec::Tree::U64(1234)]);
    let tree = crate::codec::Tree::Map(vec![("pins".to_owned(), list)]);
    assert_eq!(format!("{tree:?}"), r#"{"pins": [Str(..), U64(..)]}"#);
}
