//! Tests of JSONC and JSON5, end to end: what is read of them, and what reports show.

use crate::{Capacitor, Error, Format, Source, source::Channel};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, flux_derive::Flux)]
#[flux(crate = crate)]
struct CommentedApp {
    port: u16,
    #[flux(default)]
    ratio: f64,
    #[flux(default)]
    wide: i128,
    #[flux(default)]
    names: Vec<String>,
    #[flux(default)]
    by_number: BTreeMap<u8, String>,
    #[flux(nested)]
    pool: CommentedPool,
}

#[derive(Debug, Clone, PartialEq, flux_derive::Flux)]
#[flux(crate = crate)]
struct CommentedPool {
    #[flux(default = 10)]
    max_size: u32,
    #[flux(default)]
    maybe: Option<bool>,
}

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct CommentedSecret {
    #[flux(default)]
    port: u16,
    #[flux(secret, default)]
    password: String,
}

async fn started<C: crate::Config>(format: Format, text: &str) -> Result<Capacitor<C>, String> {
    let (sender, channel) = Channel::buffered("app", 1);
    let builder = Capacitor::<C>::builder().manual();
    let builder = builder.source(Source::watcher(channel).format(format));
    let capacitor = builder.build().unwrap();
    sender.send(text.as_bytes()).await.unwrap();
    match capacitor.start().await {
        Ok(()) => Ok(capacitor),
        Err(Error::Refused(report)) => Err(report.to_string()),
        Err(error) => panic!("{error}"),
    }
}

async fn report<C: crate::Config>(format: Format, text: &str) -> String {
    match started::<C>(format, text).await {
        Ok(_) => panic!("{text} is applied"),
        Err(report) => report,
    }
}

const JSONC: &str = r#"// é
{
    "port": 80, /* the port */ "ratio": 2.5,
    "wide": 170141183460469231731687303715884105727,
    "names": ["//", "/* \" */",],
    "by_number": {"1": "one"},
    "pool": {"max_size": 5, "maybe": null,}, // and so on
}
"#;

const JSON5: &str = r"// é
{
    port: 0x50, /* the port */ 'ratio': +2.5,
    wide: 170141183460469231731687303715884105727,
    names: ['//', '/* \x22 */',],
    by_number: {'1': 'o\
ne'},
    pool: {max_size: 5, maybe: null,}, // and so on
}
";

#[tokio::test]
async fn every_value_is_the_one_that_json_has() {
    let json = JSONC
        .replace("// é", "")
        .replace("/* the port */", "")
        .replace("// and so on", "")
        .replace(",]", "]")
        .replace(",}", "}")
        .replace("}, \n}", "}\n}");
    let plain = started::<CommentedApp>(Format::Json, &json).await.unwrap();
    assert_eq!(plain.get().names, ["//", "/* \" */"]);
    for (format, text) in [
        (Format::Jsonc, JSONC),
        (Format::Json5, JSON5),
        (Format::Jsonc, &json),
        (Format::Json5, &json),
    ] {
        let capacitor = started::<CommentedApp>(format, text).await.unwrap();
        assert_eq!(*capacitor.get(), *plain.get(), "{format}");
    }
}

#[tokio::test]
async fn json5_has_numbers_that_json_does_not_have() {
    let text = "{port: +80., ratio: -Infinity, pool: {}}";
    let report = report::<CommentedApp>(Format::Json5, text).await;
    assert!(report.contains("port: expected u16"), "{report}");
    let text = "{port: 0x50, ratio: -Infinity, pool: {}}";
    let capacitor = started::<CommentedApp>(Format::Json5, text).await.unwrap();
    assert_eq!(capacitor.get().ratio, f64::NEG_INFINITY);
}

#[tokio::test]
async fn every_problem_has_its_place() {
    for (format, text) in [
        (
            Format::Jsonc,
            "// é\n{\n  \"port\": /* é */ 70000,\n  \"pool\": {\"max_szie\": 1, \"max_size\": \"x\",},\n}",
        ),
        (
            Format::Json5,
            "// é\n{\n   port:  /* é */ 70000,\n   pool : { max_szie : 1,  max_size : 'x',},\n}",
        ),
    ] {
        let report = report::<CommentedApp>(format, text).await;
        for expected in [
            "port: expected u16, found integer `70000`\n    --> app:3:19",
            "pool.max_size: expected u32, found string \"x\"\n    --> app:4:39",
            "pool.max_szie: unknown key, did you mean `max_size`?\n    --> app:4:24",
        ] {
            assert!(report.contains(expected), "{format} {expected}\n{report}");
        }
    }
}

#[tokio::test]
async fn a_key_that_occurs_twice_is_refused_where_it_occurs_again() {
    for (format, text) in [
        (
            Format::Jsonc,
            "{\"port\": 1, \"pool\": {},\n // x\n\"port\": 2,}",
        ),
        (Format::Json5, "{port: 1, pool: {},\n // x\n'port': 2,}"),
    ] {
        let report = report::<CommentedApp>(format, text).await;
        let expected = "port: this key occurs twice; remove one\n    --> app:3:9";
        assert!(report.contains(expected), "{format}\n{report}");
    }
}

#[tokio::test]
async fn what_is_no_document_is_refused_at_its_place() {
    for (format, text, expected) in [
        (
            Format::Jsonc,
            "{\"port\": 1,\n 'pool': {}}",
            "single-quoted strings are not allowed\n    --> app:2:2",
        ),
        (
            Format::Jsonc,
            "{\"port\": 1 /* é\n",
            "unterminated comment block\n    --> app:1:12",
        ),
        (
            Format::Json5,
            "{port: 1,\n po-ol: {}}",
            "write it in quotes\n    --> app:2:2",
        ),
        (
            Format::Json5,
            "{port: 1\n pool: {}}",
            "expected `,` or `}`\n    --> app:2:2",
        ),
        (
            Format::Jsonc,
            "// alone\n/* é */",
            "is empty, and this layer is required",
        ),
        (
            Format::Json5,
            "// alone\n/* é */",
            "is empty, and this layer is required",
        ),
    ] {
        let report = report::<CommentedApp>(format, text).await;
        assert!(report.contains(expected), "{format}\n{expected}\n{report}");
    }
}

#[tokio::test]
async fn a_comment_is_shown_only_where_the_type_has_no_secret() {
    let documents = [
        "{\"port\": 70000, /* was hunter2 */\n\"x\": 1}",
        "{/* hunter2 */ \"port\": 70000 // hunter2\n}",
        "{/* the password is\nhunter2 */ \"port\": 70000,}",
    ];
    for format in [Format::Jsonc, Format::Json5] {
        for text in documents {
            let report = report::<CommentedSecret>(format, text).await;
            assert!(!report.contains("hunter2"), "{report}");
            assert!(
                report.contains("| ") && report.contains("70000"),
                "{report}"
            );
            let shown = self::report::<CommentedApp>(format, text).await;
            assert!(shown.contains("hunter2"), "{shown}");
        }
    }
}

#[tokio::test]
async fn answers_name_the_places_of_values() {
    for (format, text, place) in [
        (Format::Jsonc, JSONC, "app:3:13"),
        (Format::Json5, JSON5, "app:3:11"),
    ] {
        let capacitor = started::<CommentedApp>(format, text).await.unwrap();
        let explained = capacitor.explain("port").unwrap().to_string();
        assert!(explained.contains(place), "{explained}");
        let printed = capacitor.effective().unwrap().print(format);
        let again = started::<CommentedApp>(format, &printed).await.unwrap();
        assert_eq!(*again.get(), *capacitor.get(), "{printed}");
    }
}
