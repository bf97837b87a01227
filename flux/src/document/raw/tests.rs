//! Texts of variables, read as lists and maps.

use crate::document::raw::*;
use proptest::{collection::vec, prelude::*};
use std::fmt::Write;

fn raw(text: &str) -> Tree {
    Tree::Raw(text.to_owned())
}

fn text(text: &str) -> Tree {
    Tree::Str(text.to_owned())
}

fn refused(read: Result<impl fmt::Debug, Unreadable>) -> String {
    read.expect_err("unreadable").to_string()
}

#[test]
fn lists_are_read_with_and_without_brackets() {
    for (written, read) in [
        ("", vec![]),
        ("[]", vec![]),
        ("a", vec![raw("a")]),
        ("a,b", vec![raw("a"), raw("b")]),
        (" [ a , b ] ", vec![raw("a"), raw("b")]),
        ("a,b,", vec![raw("a"), raw("b")]),
        ("a,,b", vec![raw("a"), raw(""), raw("b")]),
        ("\"a,b\",c", vec![text("a,b"), raw("c")]),
        ("'a,b' , c", vec![text("a,b"), raw("c")]),
        ("'it''s'", vec![text("it's")]),
        ("O'Brien,Smith", vec![raw("O'Brien"), raw("Smith")]),
        ("5\",6\"", vec![raw("5\""), raw("6\"")]),
        ("a],b", vec![raw("a]"), raw("b")]),
        ("[\"a\\\"b\",\"c\"]", vec![text("a\"b"), text("c")]),
        ("\"a\\\"b\",c", vec![text("a\"b"), raw("c")]),
        ("[1, true, null]", vec![raw("1"), raw("true"), Tree::Null]),
        ("[a],[b]", vec![raw("[a]"), raw("[b]")]),
        ("[{a=1,b=2},{a=3}]", vec![raw("{a=1,b=2}"), raw("{a=3}")]),
        ("{\"a\":\"}\"},x", vec![raw("{\"a\":\"}\"}"), raw("x")]),
        ("{a='},'},x", vec![raw("{a='},'}"), raw("x")]),
        ("[::]:80", vec![raw("[::]:80")]),
        ("[::]:80, 1.2.3.4:5", vec![raw("[::]:80"), raw("1.2.3.4:5")]),
        (
            "[1.2.3.4:5, [fe80::1%2]:80 ,[::1]:1]",
            vec![raw("1.2.3.4:5"), raw("[fe80::1%2]:80"), raw("[::1]:1")],
        ),
        ("[::1]", vec![raw("::1")]),
        ("[::1],[::2]", vec![raw("[::1]"), raw("[::2]")]),
    ] {
        assert_eq!(list(written), Ok(Tree::Seq(read)), "{written}");
    }
}

#[test]
fn maps_need_a_key_and_an_equals_sign_in_every_entry() {
    let entry = |key: &str, value| (key.to_owned(), value);
    for (written, read) in [
        ("", vec![]),
        ("{}", vec![]),
        ("a=1", vec![entry("a", raw("1"))]),
        (
            "{a=1, b=\"x,y\"}",
            vec![entry("a", raw("1")), entry("b", text("x,y"))],
        ),
        (
            "msg=it's,n=1",
            vec![entry("msg", raw("it's")), entry("n", raw("1"))],
        ),
        ("\"a=b\"=c", vec![entry("a=b", raw("c"))]),
        ("a=b=c", vec![entry("a", raw("b=c"))]),
        ("a=,b=2", vec![entry("a", raw("")), entry("b", raw("2"))]),
        (
            "{\"a\":1,\"b\":\"2\"}",
            vec![entry("a", raw("1")), entry("b", text("2"))],
        ),
        ("a={b={c=1}}", vec![entry("a", raw("{b={c=1}}"))]),
    ] {
        assert_eq!(map(written), Ok(Tree::Map(read)), "{written}");
    }
    assert_eq!(
        refused(map("a=1,b")),
        "cannot be read as a map: entry 2 has no =; a map is written a=1,b=2 or as JSON, {\"a\":1,\"b\":2}"
    );
    for written in ["=1", "a=1,=2", "\"a\":1", "{a=1", "{a=1}x", "a", "{a: 1}"] {
        refused(map(written));
    }
}

#[test]
fn what_does_not_close_is_refused_with_its_place() {
    assert_eq!(
        refused(list("é,'tis,b")),
        "cannot be read as a list: the ' at character 3 is not closed; a list is written a,b or as JSON, [\"a\",\"b\"]"
    );
    for written in [
        "[a,b", "a,\"b", "\"a\"b", "[a]b]", "[a] b", "[a,b]c", "[[a]]b", "['a']b", "[]b", "{a}b",
        "[a,[b]", "'a' 'b'", "\"\\d\"",
    ] {
        refused(list(written));
    }
    let deep = "[".repeat(40) + &"]".repeat(40);
    assert!(refused(list(&deep)).contains("more than 32 deep"));
}

#[test]
fn a_number_with_a_leading_zero_stays_text() {
    assert_eq!(guess("0123"), Ok(text("0123")));
    assert_eq!(guess("123"), Ok(Tree::U64(123)));
    assert_eq!(guess("-1"), Ok(Tree::I64(-1)));
    assert_eq!(guess("1e3"), Ok(Tree::F64(1000.0)));
    assert_eq!(guess("1e400"), Ok(text("1e400")));
    assert_eq!(guess("[draft] hello"), Ok(text("[draft] hello")));
    refused(guess("{\"a\":1,}"));
}

#[test]
fn only_a_text_that_names_infinity_is_infinite() {
    assert_eq!(float("1e400"), None);
    assert_eq!(float("-1e400"), None);
    assert_eq!(float("inf"), Some(f64::INFINITY));
    assert_eq!(float("1e308"), Some(1e308));
}

/// As JSON writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => write!(out, "\\u{:04x}", u32::from(c)).expect("a string"),
            c => out.push(c),
        }
    }
    out + "\""
}

/// In the shortest form that the grammar has for it.
fn bare_where_it_can_be(text: &str) -> String {
    let plain = !text.is_empty()
        && text.trim_ascii() == text
        && !text.starts_with(['"', '\'', '[', '{'])
        && !text.contains([',', '=', ']', '}']);
    match plain {
        true => text.to_owned(),
        false => quoted(text),
    }
}

fn items(tree: &Tree) -> Vec<String> {
    match tree {
        Tree::Seq(items) => items.iter().map(content).collect(),
        other => panic!("{other:?}"),
    }
}

fn entries(tree: &Tree) -> Vec<(String, String)> {
    match tree {
        Tree::Map(entries) => {
            let entries = entries.iter();
            entries
                .map(|(key, value)| (key.clone(), content(value)))
                .collect()
        }
        other => panic!("{other:?}"),
    }
}

fn content(tree: &Tree) -> String {
    match tree {
        Tree::Raw(text) | Tree::Str(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn any_text_can_be_asked_for(text in ".*", signs in "[\\[\\]{}\"'=:,\\\\ a1\u{e9}]{0,24}") {
        for text in [text, signs] {
            let _ = (list(&text), map(&text), guess(&text), bool(&text), float(&text));
        }
    }

    #[test]
    fn a_list_that_was_written_is_read_again(
        texts in vec(prop_oneof![".{0,8}", "[\\[\\]{}\"'=:,\\\\ a1\u{e9}\n]{0,8}"], 0..6)
    ) {
        let json: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
        let short: Vec<_> = texts.iter().map(|text| bare_where_it_can_be(text)).collect();
        for written in [
            format!("[{}]", json.join(", ")),
            json.join(","),
            format!("[{}]", short.join(", ")),
            short.join(","),
        ] {
            let read = list(&written).map(|list| items(&list));
            prop_assert_eq!(read.as_ref(), Ok(&texts), "{}", written);
        }
    }

    #[test]
    fn a_list_of_socket_addresses_is_read_as_it_is_printed(
        addresses in vec((any::<std::net::IpAddr>(), any::<u16>()), 0..6)
    ) {
        let texts: Vec<_> = (addresses.into_iter())
            .map(|pair| std::net::SocketAddr::from(pair).to_string())
            .collect();
        for written in [texts.join(","), texts.join(", "), format!("[{}]", texts.join(", "))] {
            let read = list(&written).map(|list| items(&list));
            prop_assert_eq!(read.as_ref(), Ok(&texts), "{}", written);
        }
    }

    #[test]
    fn a_map_that_was_written_is_read_again(
        texts in vec((
            prop_oneof![".{0,8}", "[\\[\\]{}\"'=:,\\\\ a1\u{e9}\n]{0,8}"],
            prop_oneof![".{0,8}", "[\\[\\]{}\"'=:,\\\\ a1\u{e9}\n]{0,8}"],
        ), 0..6)
    ) {
        let all = |form: &dyn Fn(&str) -> String, sign: &str| {
            let entry = |(key, value): &(String, String)| form(key) + sign + &form(value);
            texts.iter().map(entry).collect::<Vec<_>>().join(",")
        };
        for written in [
            format!("{{{}}}", all(&quoted, ": ")),
            format!("{{{}}}", all(&quoted, "=")),
            all(&quoted, " = "),
            format!("{{{}}}", all(&bare_where_it_can_be, "=")),
            all(&bare_where_it_can_be, "="),
        ] {
            let read = map(&written).map(|map| entries(&map));
            prop_assert_eq!(read.as_ref(), Ok(&texts), "{}", written);
        }
    }
}
