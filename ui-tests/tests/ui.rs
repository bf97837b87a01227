//! What the derive refuses, with the messages it gives, and what it accepts.

use std::fs;

#[test]
fn everything_that_must_fail_fails_with_our_message() {
    trybuild::TestCases::new().compile_fail("fail/*/*.rs");
}

#[test]
fn what_the_guide_quotes_of_the_compiler_is_what_it_says() {
    let mut messages = String::new();
    for folder in fs::read_dir("fail").unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|end| end == "stderr") {
                messages += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let page = include_str!("../../flux/src/docs/errors.md");
    let (_, table) = page
        .split_once("| the compiler says | it means |\n|---|---|\n")
        .unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let quoted = rows.map(|row| row.split(" | ").next().unwrap().trim_start_matches("| "));
    let quoted: Vec<_> = quoted.collect();
    assert_eq!(quoted.len(), 4);
    for message in quoted {
        assert!(messages.contains(message), "{message}");
    }
}

#[test]
fn everything_accepted_compiles() {
    trybuild::TestCases::new().pass("pass/*.rs");
}
