//! Secrets of the layers and of built values, withheld in a report.

use super::*;
use crate::{
    problem::{Flaw, ProblemKind, Seg, What},
    report::{Entry, Keeping, Report},
};
use proptest::prelude::*;

static FIELDS: [Field; 2] = [
    Field::new("password", "PASSWORD").with_secret(),
    Field::new("port", "PORT"),
];

/// What is reported of a lower layer that contains `guess`, below one whose secret is `secret`.
fn report(guess: &str, secret: &str) -> Report {
    let bytes = |text: String| -> Arc<[u8]> { text.into_bytes().into() };
    let lower = bytes(serde_json::json!({"port": guess}).to_string());
    let upper = bytes(serde_json::json!({"password": secret}).to_string());
    let entry = |what: What| {
        let path = vec![Seg::Key("port".into())];
        let entry = Entry::new("lower.json", Flaw { path, what }).layer(0);
        entry.text(&lower, &Decoder::Json).at(Some((1, 9)))
    };
    let expected = "u16".to_owned();
    let found = format!("string {guess:?}");
    let rule = What::Rule {
        change: false,
        must: "must be in 1..=9".to_owned(),
        found: Some(guess.to_owned()),
    };
    let entries = vec![
        entry(What::Type { found, expected }),
        entry(rule),
        entry(What::Message(format!("no such port: {guess}"))),
    ];
    let documents = [&lower, &upper].into_iter().enumerate();
    let documents = documents.map(|(layer, bytes)| DocumentText {
        layer,
        bytes,
        decoder: &Decoder::Json,
    });
    let sources = SecretSources {
        documents: documents.collect(),
        ..SecretSources::default()
    };
    Report::compose(&FIELDS, entries, Keeping::Previous, &sources)
}

proptest! {
    #[test]
    fn a_report_about_a_layer_does_not_depend_on_the_secrets_of_another_one(
        guess in "[0-9]{4}|[a-z]{8}",
        secret in "[0-9]{4}|[a-z]{8}",
    ) {
        let matches = report(&guess, &guess);
        prop_assert_eq!(&matches, &report(&guess, &secret));
        prop_assert_eq!(matches.to_string().matches(&guess).count(), 6, "{}", matches);
    }
}

#[test]
fn a_secret_of_the_layer_itself_is_withheld_wherever_else_it_is() {
    let text = br#"{"password": "hunter2hunter2", "port": "hunter2hunter2"}"#;
    let bytes: Arc<[u8]> = text.as_slice().into();
    let path = vec![Seg::Key("port".into())];
    let what = What::message(ProblemKind::Rule, "no such port: hunter2hunter2");
    let found = What::Type {
        found: "string \"hunter2hunter2\"".to_owned(),
        expected: "u16".to_owned(),
    };
    let entries = [what, found].map(|what| {
        let flaw = Flaw {
            path: path.clone(),
            what,
        };
        Entry::new("a.json", flaw)
            .layer(0)
            .text(&bytes, &Decoder::Json)
            .at(Some((1, 40)))
    });
    let document = DocumentText {
        layer: 0,
        bytes: &bytes,
        decoder: &Decoder::Json,
    };
    let sources = SecretSources {
        documents: vec![document],
        ..SecretSources::default()
    };
    let report = Report::compose(&FIELDS, entries.into(), Keeping::Previous, &sources);
    assert!(!report.to_string().contains("hunter2"), "{report}");
}
