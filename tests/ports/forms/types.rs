//! What the type of a leaf decides, however it is spelt.

use crate::support::flux;
use flux::Capacitor;
use flux::Flux;
use flux::Format;
use flux::Source;
use flux::source::Channel;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::time::Duration;

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
enum Word {
    One,
    Two,
}

#[tokio::test]
async fn a_duration_is_read_in_both_forms_wherever_it_stands() {
    type Wait = Duration;
    #[derive(Flux, Debug)]
    struct App {
        plain: Duration,
        alias: Wait,
        boxed: Option<Box<Duration>>,
        pair: (Duration, u32),
        two: [Duration; 2],
        set: BTreeSet<Duration>,
        map: HashMap<Word, Duration>,
    }
    let texts = r#"{"plain": "5s", "alias": "5s", "boxed": "5s", "pair": ["5s", 1], "two": ["5s", "1m"], "set": ["5s"], "map": {"one": "5s"}}"#;
    let five = r#"{"secs": 5, "nanos": 0}"#;
    let structs = texts
        .replace("\"5s\"", five)
        .replace("\"1m\"", r#"{"secs": 60, "nanos": 0}"#);
    let texts = flux::<App>(Format::Json, texts, &[]).await.unwrap();
    let structs = flux::<App>(Format::Json, &structs, &[]).await.unwrap();
    assert_eq!(format!("{:?}", **texts), format!("{:?}", **structs));
    assert_eq!(texts.two[1], Duration::from_secs(60));
}

#[tokio::test]
#[allow(clippy::box_collection, reason = "people write it")]
async fn maps_merge_by_key_whatever_they_are_called() {
    type Flags = BTreeMap<String, u8>;
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        spelt: BTreeMap<String, u8>,
        alias: Flags,
        boxed: Box<BTreeMap<String, u8>>,
        ordered: IndexMap<String, u8>,
        tree: serde_json::Map<String, Value>,
        by_number: BTreeMap<u8, u8>,
        by_word: HashMap<Word, u8>,
    }
    let layer = |key: &str, number: u8, word: &str| {
        format!(
            r#"{{"spelt": {{"{key}": 1}}, "alias": {{"{key}": 1}}, "boxed": {{"{key}": 1}}, "ordered": {{"{key}": 1}},
            "tree": {{"{key}": 1}}, "by_number": {{"{number}": 1}}, "by_word": {{"{word}": 1}}}}"#
        )
    };
    let mut builder = Capacitor::<App>::builder().manual();
    for document in [layer("a", 1, "one"), layer("b", 2, "two")] {
        let (sender, channel) = Channel::buffered("document", 1);
        sender.send(document.as_bytes()).await.unwrap();
        builder = builder.source(Source::watcher(channel).format(Format::Json));
    }
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap();
    let app = capacitor.get();
    let lengths = [
        app.spelt.len(),
        app.alias.len(),
        app.boxed.len(),
        app.ordered.len(),
        app.tree.len(),
        app.by_number.len(),
        app.by_word.len(),
    ];
    assert_eq!(lengths, [2; 7]);
}

#[tokio::test]
async fn secrecys_types_are_secret_and_opaque_by_themselves() {
    #[derive(Flux)]
    struct App {
        password: secrecy::SecretString,
        other: Option<secrecy::SecretString>,
    }
    use secrecy::ExposeSecret;
    let app = flux::<App>(Format::Json, r#"{"password": "hunter2"}"#, &[])
        .await
        .unwrap();
    assert_eq!(app.password.expose_secret(), "hunter2");
    assert!(app.other.is_none());
    let error = flux::<App>(Format::Json, r#"{"password": ["hunter2"]}"#, &[])
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn an_alias_of_an_option_is_optional() {
    type Perhaps = Option<u16>;
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        port: u16,
        other: Perhaps,
    }
    let app = flux::<App>(Format::Json, r#"{"port": 1}"#, &[])
        .await
        .unwrap();
    assert_eq!(app.other, None);
}
