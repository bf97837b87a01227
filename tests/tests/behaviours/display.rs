//! How a report shows a document: in order, with carets that fit, and with nothing that controls a terminal.

use crate::{refusal, start};
use flux::{Capacitor, Flux, Format, Source, source::Channel};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Flux)]
struct App {
    #[flux(default = 8080, range = 1..=65535)]
    port: u16,
    #[flux(default = "localhost")]
    host: String,
    #[flux(default = 0.5, range = 0.0..=1.0)]
    ratio: f64,
    #[flux(default)]
    large: u64,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    level: Option<Level>,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1, range = 1..=100)]
    max_size: u32,
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    Info,
}

#[tokio::test]
async fn a_caret_stands_under_its_character() {
    let table = [
        (
            Format::Json,
            "{\"host\": \"é漢😀\", \"port\": 0}",
            25,
            "    1 | {\"host\": \"é漢😀\", \"port\": 0}\n      |                           ^",
        ),
        (
            Format::Json,
            "{\t\"port\":\t0}",
            11,
            "    1 | {\t\"port\":\t0}\n      |  \t       \t^",
        ),
        (
            Format::Yaml,
            "{host: 漢字, port: 0}",
            18,
            "    1 | {host: 漢字, port: 0}\n      |                    ^",
        ),
        (
            Format::Toml,
            "labels = {\"漢\" = 1}",
            17,
            "    1 | labels = {\"漢\" = 1}\n      |                  ^",
        ),
        (
            Format::Toml,
            "host\t=\t1",
            8,
            "    1 | host\t=\t1\n      |     \t \t^",
        ),
        (
            Format::Json,
            "{\"é\": 漢}",
            7,
            "    1 | {\"é\": 漢}\n      |       ^",
        ),
    ];
    for (format, document, column, shown) in table {
        let report = refusal::<App>(format, document).await;
        assert_eq!(report.problems()[0].column, Some(column), "{report}");
        assert!(
            report.to_string().contains(shown),
            "{shown}\nis not in\n{report}"
        );
    }
    let (_, error) = start::<App>(Format::Yaml, b"host: \xc3\xa9\nport: \xc3\xa9\xff").await;
    let error = error.expect("not UTF-8").to_string();
    assert!(error.contains("--> app:2:8"), "{error}");
}

#[tokio::test]
async fn nothing_in_a_document_reaches_the_terminal_as_a_control_character() {
    let evil = "\u{1b}[2J\u{9b}31m\u{7}\u{202e}";
    let escaped = "\\u001b[2J\\u009b31m\\u0007\\u202e";
    for (format, document) in [
        (Format::Json, format!("{{\"port\": \"{escaped}\"}}")),
        (
            Format::Json,
            format!("{{\"tenants\": {{\"{escaped}\\nport: fine\": 1}}}}"),
        ),
        (Format::Json, format!("{{\"port\": \"x\", \"{evil}\": 1}}")),
        (Format::Json, format!("{{\"level\": \"{escaped}\"}}")),
        (
            Format::Yaml,
            format!("port: \"{escaped}\"\n\"{escaped}\\r\\n\": 1"),
        ),
        (Format::Yaml, "port: x\u{202e}y".to_owned()),
        (
            Format::Yaml,
            "tenants: {\"a\\e[31m\": {max_size: 0}}".to_owned(),
        ),
        (Format::Toml, format!("port = \"{escaped}\"")),
        (Format::Toml, format!("level = \"{escaped}\"")),
        (Format::Toml, format!("port = '{evil}'")),
    ] {
        let report = refusal::<App>(format, &document).await;
        for text in [report.to_string(), format!("{report:?}")] {
            let controls = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.chars().any(controls), "{text:?}");
        }
        for problem in report.problems() {
            assert!(
                !problem.path.as_str().contains('\n') && !problem.message.contains('\n'),
                "{problem:?}"
            );
            assert!(
                !problem.message.chars().any(char::is_control),
                "{problem:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_message_of_the_programs_own_code_may_hold_control_characters_and_they_are_written_out() {
    #[derive(Flux)]
    struct Quoting {
        #[flux(validate = quote)]
        _text: String,
    }
    fn quote(text: &String) -> Result<(), String> {
        Err(format!("`{text}` is not good"))
    }
    let report = refusal::<Quoting>(Format::Yaml, "_text: \"\\e[31m\\nred\"").await;
    assert_eq!(
        report.problems()[0].message,
        "`\\u{1b}[31m\\nred` is not good"
    );
}

#[tokio::test]
async fn problems_come_in_the_order_of_the_layers_and_of_the_lines() {
    let mut builder = Capacitor::<App>::builder().manual();
    for (name, document) in [
        ("zebra", "port: x\nhost: []"),
        ("apple", "large: y\nratio: z"),
    ] {
        let (sender, channel) = Channel::buffered(name, 4);
        sender.send(document.as_bytes()).await.unwrap();
        builder = builder.source(Source::watcher(channel).format(Format::Yaml));
    }
    let (sender, channel) = Channel::buffered("middle", 4);
    sender.send(&b"level: 1"[..]).await.unwrap();
    builder = builder.override_with(Source::watcher(channel).format(Format::Yaml));
    let capacitor = builder.build().unwrap();
    let Err(flux::Error::Refused(report)) = capacitor.start().await else {
        panic!("refused");
    };
    let told: Vec<_> = (report.problems().iter())
        .map(|problem| (problem.origin.as_str(), problem.path.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("zebra", "port"),
            ("zebra", "host"),
            ("apple", "large"),
            ("apple", "ratio"),
            ("middle", "level")
        ],
        "{report}"
    );
}

#[tokio::test]
async fn broken_rules_come_in_the_order_of_the_layers_too() {
    let mut builder = Capacitor::<App>::builder().manual();
    for (name, document) in [
        ("zebra", "pool: {max_size: 0}"),
        ("apple", "ratio: 5\nport: 0"),
    ] {
        let (sender, channel) = Channel::buffered(name, 4);
        sender.send(document.as_bytes()).await.unwrap();
        builder = builder.source(Source::watcher(channel).format(Format::Yaml));
    }
    let capacitor = builder.build().unwrap();
    let Err(flux::Error::Refused(report)) = capacitor.start().await else {
        panic!("refused");
    };
    let told: Vec<_> = (report.problems().iter())
        .map(|problem| (problem.origin.as_str(), problem.path.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("zebra", "pool.max_size"),
            ("apple", "ratio"),
            ("apple", "port")
        ],
        "{report}"
    );
}

#[tokio::test]
async fn a_misspelt_variant_is_told_with_the_one_that_was_meant() {
    for (document, sentence) in [
        (
            "level: debgu",
            "level: expected `debug` or `info`, found `debgu`, did you mean `debug`?",
        ),
        ("level: Info", "found `Info`, did you mean `info`?"),
        (
            "level: verbose",
            "level: expected `debug` or `info`, found `verbose`\n",
        ),
    ] {
        let report = refusal::<App>(Format::Yaml, document).await.to_string();
        assert!(report.contains(sentence), "{report}");
    }
    #[derive(Flux)]
    struct Hidden {
        #[flux(secret)]
        _level: Level,
    }
    let report = refusal::<Hidden>(Format::Yaml, "_level: debgu")
        .await
        .to_string();
    assert!(
        !report.contains("did you mean") && !report.contains("debgu"),
        "{report}"
    );
}

#[tokio::test]
async fn a_key_with_a_sign_that_nobody_sees_is_shown_with_the_number_of_the_sign() {
    for sign in [
        '\u{ad}',
        '\u{3164}',
        '\u{115f}',
        '\u{ffa0}',
        '\u{fe0f}',
        '\u{e0101}',
        '\u{a0}',
        '\u{2007}',
        '\u{202f}',
        '\u{3000}',
        '\u{200b}',
        '\u{2060}',
        '\u{1b}',
    ] {
        let written = sign.escape_unicode().to_string();
        let key = serde_json::to_string(&format!("po{sign}rt")).unwrap();
        let document = format!("{{\"port\": \"a{sign}b\", {key}: 1}}").replace('\u{1b}', "\\u001b");
        let report = refusal::<App>(Format::Json, document).await;
        let text = report.to_string();
        assert!(text.contains(&format!("po{written}rt")), "{text}");
        assert!(text.contains(&format!("a{written}b")), "{text}");
        let all = format!("{text}{report:?}{}", report.problems()[0].message);
        assert!(!all.contains(sign), "{written}: {all}");
    }
}
