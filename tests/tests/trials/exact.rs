//! What readers saw is what a start without sources serves: whatever the format, and however a value is written.

use flux::{
    Capacitor, Config, Flux, Format, Secrets, Source,
    codec::{Codec, Tree},
    source::{Channel, SourceError},
};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    fmt::Debug,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

#[derive(Flux, Debug, Clone)]
struct Values {
    #[flux(default)]
    text: String,
    #[flux(default)]
    big: u128,
    #[flux(default)]
    signed: i128,
    #[flux(default)]
    number: f64,
    #[flux(default)]
    small: u8,
    #[flux(default)]
    on: bool,
    maybe: Option<String>,
    #[flux(default, value)]
    any: serde_json::Value,
    #[flux(default)]
    texts: Vec<String>,
    #[flux(default)]
    pairs: BTreeMap<String, String>,
    #[flux(default)]
    numbered: BTreeMap<i64, String>,
    #[flux(default, nested)]
    sections: BTreeMap<String, Section>,
    #[flux(default = "1s")]
    pause: Duration,
    #[flux(secret, default)]
    password: String,
}

#[derive(Flux, Debug, Clone)]
struct Section {
    #[flux(default)]
    name: String,
    #[flux(secret, default)]
    token: String,
}

enum Reading {
    Format(Format),
    Codec(Arc<dyn Codec>),
}

impl Reading {
    fn source(&self, channel: Channel) -> Source {
        let source = Source::watcher(channel);
        match self {
            Reading::Format(format) => source.format(*format),
            Reading::Codec(codec) => source.codec(Shared(Arc::clone(codec))),
        }
    }
}

struct Shared(Arc<dyn Codec>);

impl Codec for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn decode(&self, text: &str) -> Result<Tree, String> {
        self.0.decode(text)
    }
}

/// What readers see of a document and, after a stop, without any source; none where the document is refused. An error says what
/// could not be kept.
fn twice<C: Config + Debug>(
    reading: &Reading,
    document: &str,
) -> Option<Result<(String, String), String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.json");
        let open = || {
            let (sender, channel) = Channel::buffered("app", 4);
            let capacitor = Capacitor::<C>::builder()
                .source(reading.source(channel))
                .last_known_good(path.to_str().unwrap(), Secrets::Omit)
                .build()
                .unwrap();
            (capacitor, sender)
        };
        let (capacitor, sender) = open();
        sender.send(document.as_bytes()).await.unwrap();
        if capacitor.start().await.is_err() {
            return None;
        }
        let before = format!("{:?}", *capacitor.get());
        capacitor.stop().await;
        let kept = capacitor.status().last_known_good.clone();
        let kept = kept.expect("it is in the status");
        if let Some(problem) = kept.problem {
            return Some(Err(problem));
        }
        let (capacitor, sender) = open();
        let down = SourceError::transient("no route");
        sender.fail(down).await.unwrap();
        let started = capacitor.start().await;
        let text = fs::read_to_string(&path).unwrap();
        started.unwrap_or_else(|error| panic!("{document}\n{text}\n{error}"));
        let after = format!("{:?}", *capacitor.get());
        capacitor.stop().await;
        Some(Ok((before, after)))
    })
}

/// Whether a document is accepted; then it must be kept.
fn is_kept<C: Config + Debug>(reading: &Reading, document: &str) -> Result<bool, String> {
    match twice::<C>(reading, document) {
        None => Ok(false),
        Some(Ok((before, after))) if before == after => Ok(true),
        Some(Ok((before, after))) => Err(format!("{document}{before}\n{after}")),
        Some(Err(problem)) => Err(format!("{document}{problem}")),
    }
}

/// Scalars as they are written in YAML.
const YAML: &[&str] = &[
    "1.10",
    "1e3",
    "0x1F",
    "0o17",
    "0b101",
    "True",
    "false",
    "~",
    "null",
    "Null",
    "",
    ".inf",
    "-.INF",
    ".nan",
    "1_000",
    "00123",
    "+1",
    "-0",
    "-1",
    "7",
    "255",
    "18446744073709551616",
    "340282366920938463463374607431768211455",
    "-170141183460469231731687303715884105728",
    "'1.10'",
    "\"a\\tb \\u0001 \\u2028 é 😀\"",
    "hello world",
    "2001-01-01",
    "2001-01-01 10:00:00",
    "1:30",
    "yes",
    "No",
    "127.0.0.1",
    "::1",
    "a: b",
    "a #b",
    "-x",
    "- x",
    "-",
    "...",
    "---",
    "?x",
    "@x",
    "x, y",
    "[a, 1.10, 'b']",
    "{a: 1.10, '1': x, 1.1: y, ~: z}",
    "!t x",
    "!!str 1.10",
    "!!int '5'",
    "|\n    two\n    lines\n",
    ">-\n    folded\n    text\n",
    "5s",
    "1.0",
    "1.",
    ".5",
    "1e400",
    "inf",
    "nan",
    "$plain",
    "{$plain: 1}",
    "'$tag'",
    "\"\"",
    "''",
    "'it''s'",
    "\"{\"",
    "&a x",
    "<<",
    "{? [1, 2] : x}",
    "1.10 # comment",
    "/a/b",
    "_x",
    "ünï",
];

const JSON5: &[&str] = &[
    "0x1F",
    "-0XfF",
    "+1",
    ".5",
    "5.",
    "-.5e3",
    "0xffffffffffffffffffffffffffffffff",
    "NaN",
    "-NaN",
    "+Infinity",
    "-Infinity",
    "'1.10'",
    "'NaN'",
    "'0x1F'",
    "'a\\\nb\\x41\\v\\0\\'\"'",
    "[.5, 'a', null, Infinity,]",
    "{a: 0x10, '$plain': 1, '1': 'x'}",
    "{$plain: 'x'}",
];

const JSON: &[&str] = &[
    "1.10",
    "1e3",
    "1E+2",
    "-0",
    "-0.0",
    "0",
    "255",
    "18446744073709551616",
    "340282366920938463463374607431768211455",
    "-170141183460469231731687303715884105728",
    "true",
    "null",
    "\"1.10\"",
    "\"a\\tb\\u0001\\ud83d\\ude00 é\"",
    "\"\"",
    "[1.10, \"a\", null]",
    "{\"a\": 1.10, \"$plain\": 1, \"1\": \"x\"}",
    "{\"$plain\": \"x\"}",
    "\"5s\"",
    "1.0",
    "\"\\u2028\\u007f\"",
    "{}",
    "[]",
    "{\"1\": \"x\", \"-2\": \"y\"}",
];

const TOML: &[&str] = &[
    "1.10",
    "1e3",
    "0x1F",
    "0o17",
    "0b101",
    "1_000",
    "inf",
    "-inf",
    "nan",
    "true",
    "'1.10'",
    "\"a\\tb\\u0001 é\"",
    "\"\"\"\nmany\nlines\"\"\"",
    "'''raw \\ text'''",
    "1979-05-27",
    "1979-05-27T07:32:00Z",
    "07:32:00",
    "[1.10, 1.0]",
    "['a', 'b']",
    "{a = 1.10, \"1\" = 2}",
    "{\"$plain\" = 'x'}",
    "{ a = 'x', \"b c\" = 'y' }",
    "255",
    "-0",
    "+1",
    "'5s'",
    "{1 = 'x', -2 = 'y'}",
    "9223372036854775807",
    "{}",
    "[]",
];

const FIELDS: &[&str] = &[
    "text", "big", "signed", "number", "small", "on", "maybe", "any", "texts", "pairs", "numbered",
    "pause", "unknown",
];

#[test]
fn every_value_of_every_format_in_every_type_is_kept_as_it_was() {
    let (mut kept, mut lost) = (0, Vec::new());
    for (format, scalars) in [
        (Format::Yaml, YAML),
        (Format::Json, JSON),
        (Format::Jsonc, JSON),
        (Format::Json5, JSON),
        (Format::Json5, JSON5),
        (Format::Toml, TOML),
    ] {
        for scalar in scalars {
            for field in FIELDS {
                let document = match format {
                    Format::Yaml => format!("small: 7\n{field}: {scalar}\n"),
                    Format::Json | Format::Jsonc => {
                        format!("{{\"small\": 7, \"{field}\": {scalar}}}")
                    }
                    Format::Json5 => format!("{{small: 7, {field}: {scalar},}}"),
                    Format::Toml => format!("on = true\n{field} = {scalar}\n"),
                };
                match is_kept::<Values>(&Reading::Format(format), &document) {
                    Ok(accepted) => kept += u32::from(accepted),
                    Err(loss) => lost.push(loss),
                }
            }
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n\n"));
    assert!(kept > 400, "most are refused: {kept} are not");
}

#[test]
fn numbers_and_words_of_yaml_are_kept_as_they_were_in_lists_and_as_keys() {
    for text in ["1.10", "1e3", "0x1F", "True", "~", "1_000", "+1"] {
        for document in [
            format!("texts: [{text}, x]"),
            format!("texts:\n- {text}"),
            format!("pairs: {{{text}: x}}"),
            format!("pairs: {{x: {text}}}"),
            format!("any: [{text}]"),
            format!("any: {{a: [{text}]}}"),
            format!("sections: {{{text}: {{name: {text}}}}}"),
        ] {
            let kept = is_kept::<Values>(&Reading::Format(Format::Yaml), &document);
            // Nothing is no text.
            let is_text = text != "~" && !document.starts_with("any");
            if is_text {
                assert_eq!(kept, Ok(true), "{document}");
            }
            assert!(kept.is_ok(), "{kept:?}");
        }
    }
}

/// Documents in YAML with values at any place.
fn documents() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(YAML.to_vec());
    let one_line = scalar.prop_filter("one line", |text| {
        !text.contains('\n') && !text.contains('#')
    });
    let entry = (
        prop::sample::select([FIELDS, &["sections"]].concat()),
        0..4,
        one_line.clone(),
        one_line,
    );
    prop::collection::vec(entry, 1..4).prop_map(|entries| {
        let mut document = String::new();
        let mut seen = Vec::new();
        for (field, shape, key, value) in entries {
            if seen.contains(&field) {
                continue;
            }
            seen.push(field);
            document += &match shape {
                0 => format!("{field}: {value}\n"),
                1 => format!("{field}:\n  - {value}\n  - {key}\n"),
                2 => format!("{field}:\n  {key}: {value}\n  other: x\n"),
                // Under the name of a secret field nothing is kept, also where any value may be.
                _ if field == "any" => format!("any:\n  a:\n    name: {value}\n    b: {key}\n"),
                _ => format!("{field}:\n  a:\n    name: {value}\n    token: {key}\n"),
            };
        }
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]
    #[test]
    fn any_document_that_is_accepted_is_kept_or_its_loss_is_reported_when_it_is_written(document in documents()) {
        if let Some(Ok((before, after))) = twice::<Values>(&Reading::Format(Format::Yaml), &document) {
            let without_secrets = |text: &str| {
                let text = text.split("password: ").next().unwrap_or_default();
                text.split("token: ").map(|part| part.split_once("\" }").map_or(part, |(_, rest)| rest).to_owned()).collect::<String>()
            };
            prop_assert_eq!(without_secrets(&before), without_secrets(&after));
        }
    }
}

#[test]
fn secrets_are_not_in_the_file_in_any_format() {
    for (format, document) in [
        (
            Format::Yaml,
            "password: &p hunter22\ntext: x # hunter23\nsections: {a: {name: 1.10, token: hunter24}}\n",
        ),
        (
            Format::Json,
            "{\"password\": \"hunter22\", \"sections\": {\"a\": {\"name\": \"1.10\", \"token\": \"hunter24\"}}}",
        ),
        (
            Format::Jsonc,
            "{\"password\": \"hunter22\", /* hunter23 */ \"sections\": {\"a\": {\"name\": \"1.10\", \"token\": \"hunter24\",}}}",
        ),
        (
            Format::Json5,
            "{password: 'hunter\\\n22', /* hunter23 */ sections: {a: {name: '1.10', token: \"hunter\\x324\",}}}",
        ),
        (
            Format::Toml,
            "password = 'hunter22' # hunter23\n[sections.a]\nname = '1.10'\ntoken = 'hunter24'\n",
        ),
        (Format::Toml, "password = 'hunter22'\n"),
    ] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("last.json");
            let build = |sender: &mut Vec<_>| {
                let (one, channel) = Channel::buffered("app", 4);
                sender.push(one);
                Capacitor::<Values>::builder()
                    .source(Source::watcher(channel).format(format))
                    .last_known_good(path.to_str().unwrap(), Secrets::Omit)
                    .trial(2)
                    .build()
                    .unwrap()
            };
            let mut senders = Vec::new();
            let capacitor = build(&mut senders);
            senders[0].send(document.as_bytes()).await.unwrap();
            capacitor.start().await.unwrap();
            capacitor.stop().await;
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("hunter"), "{text}");
            let capacitor = build(&mut senders);
            senders[1]
                .fail(SourceError::transient("no route"))
                .await
                .unwrap();
            capacitor.start().await.unwrap();
            assert_eq!(capacitor.get().password, "");
        });
    }
}

/// A tree of a codec of the program's own, with everything that a tree can hold.
struct Own;

impl Codec for Own {
    fn name(&self) -> &str {
        "own"
    }
    fn decode(&self, text: &str) -> Result<Tree, String> {
        let entry = |key: &str, value| (key.to_owned(), value);
        Ok(Tree::Map(vec![
            entry("text", Tree::Raw(text.to_owned())),
            entry("number", Tree::F64(f64::INFINITY)),
            entry("big", Tree::Raw(u128::MAX.to_string())),
            entry("texts", Tree::Raw("a,b".to_owned())),
            entry(
                "pairs",
                Tree::Map(vec![entry("$raw", Tree::Str("$raw".to_owned()))]),
            ),
            entry(
                "any",
                Tree::Seq(vec![Tree::F64(0.1), Tree::I64(-1), Tree::Null]),
            ),
        ]))
    }
}

#[test]
fn what_a_codec_of_the_program_reads_is_kept_as_it_was() {
    for text in ["1.10", "true", "hello"] {
        assert_eq!(
            is_kept::<Values>(&Reading::Codec(Arc::new(Own)), text),
            Ok(true)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn two_layers_with_one_origin_keep_two_documents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let open = || {
        let (lower, one) = Channel::buffered("http://h/app.json", 4);
        let (upper, other) = Channel::buffered("http://h/app.json", 4);
        let capacitor = Capacitor::<Values>::builder()
            .source(Source::watcher(one).format(Format::Yaml))
            .source(Source::watcher(other).format(Format::Yaml))
            .last_known_good(path.to_str().unwrap(), Secrets::Omit)
            .build()
            .unwrap();
        (capacitor, lower, upper)
    };
    let (capacitor, lower, upper) = open();
    lower.send(&b"{text: lower, small: 1}"[..]).await.unwrap();
    upper.send(&b"{small: 2}"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    capacitor.stop().await;
    let (capacitor, lower, upper) = open();
    for sender in [lower, upper] {
        let down = SourceError::transient("no route");
        sender.fail(down).await.unwrap();
    }
    capacitor.start().await.unwrap();
    let values = capacitor.get();
    assert_eq!((values.text.as_str(), values.small), ("lower", 2));
}

/// Starts over a source that is down, with this as the last known good configuration; what operators read.
async fn cold(path: &Path) -> (Result<String, String>, Duration) {
    let (sender, channel) = Channel::buffered("app", 4);
    let capacitor = Capacitor::<Values>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .trial(2)
        .startup_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let down = SourceError::transient("no route");
    sender.fail(down).await.unwrap();
    let began = SystemTime::now();
    let outcome = capacitor.start().await.map_err(|error| error.to_string());
    let outcome = outcome.map(|()| format!("{:?}", *capacitor.get()));
    capacitor.stop().await;
    (outcome, began.elapsed().unwrap())
}

#[tokio::test]
async fn a_pipe_an_endless_device_and_a_file_of_300_mib_delay_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let fifo = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(fifo.unwrap().success());
    let (outcome, took) = cold(&path).await;
    assert!(
        outcome.is_err() && took < Duration::from_secs(30),
        "{took:?}"
    );
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    let (outcome, took) = cold(&path).await;
    assert!(
        outcome.is_err() && took < Duration::from_secs(30),
        "{took:?}"
    );
    fs::remove_file(&path).unwrap();
    fs::File::create(&path).unwrap().set_len(300 << 20).unwrap();
    let (outcome, took) = cold(&path).await;
    assert!(
        outcome.is_err() && took < Duration::from_secs(30),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_file_of_the_first_version_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let first = r#"{
  "version": 1, "config": "Values", "written": 1700000000, "generation": 3,
  "layers": { "app": { "text": "1.1", "small": 7, "number": 0.5, "pause": "5s" } }
}"#;
    fs::write(&path, first).unwrap();
    let (outcome, _) = cold(&path).await;
    let values = outcome.unwrap();
    for part in ["text: \"1.1\"", "small: 7", "number: 0.5", "pause: 5s"] {
        assert!(values.contains(part), "{values}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_in_the_status_when_it_is_written_and_the_file_before_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let (sender, channel) = Channel::buffered("app", 4);
    let capacitor = Capacitor::<Values>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .last_known_good(path.to_str().unwrap(), Secrets::Refuse)
        .build()
        .unwrap();
    sender.send(&b"small: 1"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    let kept = async |wanted: bool| {
        for _ in 0..1000 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let status = capacitor.status();
            if let Some(kept) = status.last_known_good.as_ref()
                && kept.problem.is_some() == wanted
            {
                return (kept.clone(), status.to_string());
            }
        }
        panic!("{}", capacitor.status());
    };
    let (first, _) = kept(false).await;
    assert!(first.written.is_some());
    let before = fs::read_to_string(&path).unwrap();
    sender
        .send(&b"{small: 2, password: hunter22}"[..])
        .await
        .unwrap();
    let (second, status) = kept(true).await;
    assert_eq!(second.written, first.written);
    assert!(status.contains("Secrets::Refuse"), "{status}");
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    sender.send(&b"small: 3"[..]).await.unwrap();
    kept(false).await;
    assert_ne!(fs::read_to_string(&path).unwrap(), before);
    capacitor.stop().await;
}
