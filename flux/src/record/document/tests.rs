//! Documents of every format, printed for a recording.

use super::*;

fn printed(decoder: &Decoder, text: &str) -> String {
    let document = read(decoder, text).expect("a document");
    print(&document, Encoding::of(decoder), &[], &mut |_, _, _| {
        String::new()
    })
}

/// What is printed is the same document, printed the same.
fn again(format: Format, text: &str) -> String {
    let decoder = Decoder::from(format);
    let first = printed(&decoder, text);
    assert_eq!(printed(&decoder, &first), first);
    let trees = [text, &first].map(|text| codec::tree(&decoder, text).ok());
    assert!(trees[0].is_some() && trees[0] == trees[1], "{first}");
    first
}

#[test]
fn json_is_printed_in_one_line_with_duplicates_and_numbers_as_written() {
    let printed = again(
        Format::Json,
        "{\"a\": [1, 2.50, -3], \"b\": {},\n\"a\": null}",
    );
    assert_eq!(printed, r#"{"a": [1, 2.50, -3], "b": {}, "a": null}"#);
}

#[cfg(feature = "yaml")]
#[test]
fn nothing_is_printed_as_null_and_a_float_by_its_tag_stays_one() {
    for (text, expected) in [
        ("- 1\n-\n- 2", "[1, ~, 2]"),
        ("a:\nb: null\nc: ~", "{\"a\": ~, \"b\": null, \"c\": ~}"),
        ("a: !!null\nb: ''", "{\"a\": ~, \"b\": \"\"}"),
        ("a: !keep\nb: 1", "{\"a\": !keep , \"b\": 1}"),
        (
            "a: !!float 7\nb: !!float \"-3\"\nc: !!float 1.50",
            "{\"a\": !!float 7, \"b\": !!float -3, \"c\": 1.50}",
        ),
    ] {
        assert_eq!(again(Format::Yaml, text), expected, "{text}");
    }
}

#[cfg(feature = "yaml")]
#[test]
fn nothing_of_a_tag_in_the_place_of_a_secret_is_recorded() {
    static FIELDS: [Field; 2] = [
        Field::new("password", "PASSWORD").with_secret(),
        Field::new("mode", "MODE"),
    ];
    for (text, expected) in [
        (
            "password: !hunter2\nmode: !keep a",
            r#"{"password": !x , "mode": !keep "a"}"#,
        ),
        ("password: !hunter2 [a]", r#"{"password": !x ["x"]}"#),
    ] {
        let document = read(&Decoder::Yaml, text).expect(text);
        let printed = print(&document, Encoding::Yaml, &FIELDS, &mut |_, _, _| {
            "x".to_owned()
        });
        assert!(!printed.contains("hunter2"), "{printed}");
        assert_eq!(printed, expected, "{text}");
    }
}

#[cfg(feature = "yaml")]
#[test]
fn a_key_alone_that_may_be_a_secret_is_replaced_and_stays_alone() {
    static INNER: [Field; 1] = [Field::new("port", "PORT")];
    static ENTRY: schema::Kind = schema::Kind::Section(|| &INNER);
    static FIELDS: [Field; 4] = [
        Field::new("password", "PASSWORD").with_secret(),
        Field::new("inner", "INNER").with_kind(schema::Kind::Section(|| &INNER)),
        Field::new("entries", "ENTRIES").with_kind(schema::Kind::Map(&ENTRY)),
        Field::new("labels", "LABELS"),
    ];
    let text = "{password: {hunter2}, inner: {hunter3, port}, entries: {hunter4, a: {port: 1}}, labels: {b}}";
    let document = read(&Decoder::Yaml, text).expect("a document");
    let mut found = Vec::new();
    let printed = print(&document, Encoding::Yaml, &FIELDS, &mut |_, shape, text| {
        found.push((shape, text.to_owned()));
        "x".to_owned()
    });
    assert_eq!(
        printed,
        r#"{"password": {"x"}, "inner": {"x", "port"}, "entries": {"x", "a": {"port": 1}}, "labels": {"b"}}"#
    );
    let keys = [
        (Shape::LostKey, "hunter2"),
        (Shape::LostKey, "hunter3"),
        (Shape::LostKey, "hunter4"),
    ];
    assert_eq!(found, keys.map(|(shape, text)| (shape, text.to_owned())));
}

#[cfg(feature = "yaml")]
#[test]
fn yaml_keeps_its_plain_scalars_and_tags_and_loses_its_comments() {
    let text = "a: 1.10 # old: hunter1\nb: &x [0x1F, True, ~]\nc: *x\n1: !Var\n  d: |-\n    two\n    lines\ne:\nf: !!str 5\n";
    assert_eq!(
        again(Format::Yaml, text),
        r#"{"a": 1.10, "b": [0x1F, True, ~], "c": [0x1F, True, ~], 1: !Var {"d": "two\nlines"}, "e": ~, "f": "5"}"#
    );
}

#[cfg(feature = "yaml")]
#[test]
fn yaml_is_printed_with_the_entries_of_merge_keys_in_their_maps() {
    let text = "base: &base {a: 1, b: 2}\nx: {<<: *base, b: 3}\n";
    let decoder = Decoder::from(Format::Yaml);
    assert_eq!(
        printed(&decoder, text),
        r#"{"base": {"a": 1, "b": 2}, "x": {"a": 1, "b": 3}}"#
    );
}

#[cfg(feature = "toml")]
#[test]
fn toml_keeps_its_dates_and_floats() {
    let text = "a = 1979-05-27T07:32:00Z\nb = [1.0, inf]\n[c.d]\ne = 'x\\y'\n[[f]]\n[[f]]\ng = 1";
    assert_eq!(
        again(Format::Toml, text),
        "\"a\" = 1979-05-27T07:32:00Z\n\"b\" = [1.0, inf]\n\"c\" = {\"d\" = {\"e\" = \"x\\\\y\"}}\n\"f\" = [{}, {\"g\" = 1}]\n"
    );
}

#[test]
fn every_format_reads_the_quotes() {
    for c in [
        "\u{7f}", "\u{85}", "\u{1}", "\u{2028}", "\u{feff}", "\"\\\n\t", "é😀",
    ] {
        let mut quoted = String::new();
        quote(c, &mut quoted);
        for (format, text) in [
            (Format::Json, format!("{{\"k\": {quoted}}}")),
            (Format::Yaml, format!("{{\"k\": {quoted}}}")),
            (Format::Toml, format!("\"k\" = {quoted}\n")),
        ] {
            let decoder = Decoder::from(format);
            if matches!(decoder, Decoder::Off(_)) {
                continue;
            }
            let tree = codec::tree(&decoder, &text).ok();
            let entry = ("k".to_owned(), Tree::Str(c.to_owned()));
            assert_eq!(tree, Some(Tree::Map(vec![entry])), "{format} {text}");
            assert_eq!(printed(&decoder, &text), text, "{format}");
        }
    }
}

#[test]
fn a_tree_survives_with_its_raw_texts() {
    let tree = Tree::Map(vec![
        ("a".to_owned(), Tree::Raw("0123".to_owned())),
        (
            "b".to_owned(),
            Tree::Seq(vec![Tree::F64(1.0), Tree::U64(1), Tree::Null]),
        ),
    ]);
    assert_eq!(TreeCodec.decode(&printed_tree(&tree)), Ok(tree));
}
