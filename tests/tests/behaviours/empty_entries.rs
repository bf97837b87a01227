//! Entries of maps that are null: they take the entry of the layers below away, and where there is none, a warning reports it.

use flux::{
    Capacitor, Config, Flux, Format, Source, report::ProblemKind, source::Channel,
    source::ChannelSender,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

#[derive(Flux, Debug, PartialEq, Clone)]
struct Tenant {
    #[flux(default = 1)]
    max: u32,
    #[flux(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Flux, Debug, PartialEq)]
struct App {
    #[flux(default)]
    #[serde(alias = "tags")]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    ports: Option<Arc<BTreeMap<u16, u16>>>,
    #[flux(default)]
    limits: HashMap<String, Option<u32>>,
    #[flux(default)]
    anything: BTreeMap<String, serde_json::Value>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Tenant>,
    #[flux(nested, default)]
    groups: Vec<BTreeMap<String, Tenant>>,
    #[flux(nested, default)]
    maybe: BTreeMap<String, Option<Tenant>>,
    #[serde(flatten)]
    rest: BTreeMap<String, u32>,
}

/// Starts over these documents, lowest first.
async fn started<C: Config>(documents: &[(Format, &str)]) -> (Capacitor<C>, Vec<ChannelSender>) {
    let mut builder = Capacitor::<C>::builder().manual();
    let mut senders = Vec::new();
    for (number, (format, document)) in documents.iter().enumerate() {
        let (sender, channel) = Channel::buffered(format!("layer {number}"), 4);
        builder = builder.source(Source::watcher(channel).format(*format));
        let bytes = document.as_bytes().to_vec();
        sender.send(bytes).await.expect("room for one");
        senders.push(sender);
    }
    let capacitor = builder.build().expect("layers that work");
    capacitor.start().await.expect("good documents");
    (capacitor, senders)
}

/// The paths and lines of the warnings.
fn warned<C: Config>(capacitor: &Capacitor<C>) -> Vec<(String, Option<usize>)> {
    let status = capacitor.status();
    let warnings = status.warnings.iter();
    warnings
        .map(|one| {
            assert_eq!(one.kind, ProblemKind::NoEffect, "{one}");
            (one.path.to_string(), one.line)
        })
        .collect()
}

#[tokio::test]
async fn an_entry_with_nothing_in_it_that_no_layer_below_has_is_a_warning() {
    let document = "
labels:
  team:
  a: b
ports: {7: ~, 8: 9}
limits: {a: ~}
anything: {a: ~}
tenants:
  acme:
  zeta: {labels: {x: null}}
groups: [{a: {}, b: null}]
maybe: {a: ~}
more:
";
    let (capacitor, _senders) = started::<App>(&[(Format::Yaml, document)]).await;
    let value = capacitor.snapshot();
    assert!(!value.labels.contains_key("team") && !value.tenants.contains_key("acme"));
    let expected = [
        ("labels.team", 3),
        ("ports.7", 5),
        ("tenants.acme", 9),
        ("tenants.zeta.labels.x", 10),
        ("groups[0].b", 11),
        ("more", 13),
    ];
    let expected = expected.map(|(path, line)| (path.to_owned(), Some(line)));
    assert_eq!(warned(&capacitor), expected);
    let status = capacitor.status();
    let texts: Vec<_> = status.warnings.iter().map(ToString::to_string).collect();
    assert!(
        texts[0].contains("has no value") && texts[0].contains("remove the key"),
        "{texts:?}"
    );
    assert!(texts[2].contains("write `{}`"), "{texts:?}");
}

#[tokio::test]
async fn an_entry_that_takes_one_of_a_layer_below_away_is_no_warning() {
    let lower = r#"{"tags": {"team": "x"}, "ports": {"7": 1}, "tenants": {"acme": {}}, "more": 1}"#;
    let upper = "labels: {team: }\nports: {0x7: }\ntenants: {acme: }\nmore:\n";
    let documents = [
        (Format::Json, lower),
        (Format::Json, "{}"),
        (Format::Yaml, upper),
    ];
    let (capacitor, senders) = started::<App>(&documents).await;
    let value = capacitor.snapshot();
    assert_eq!((value.labels.len(), value.tenants.len()), (0, 0));
    assert_eq!(warned(&capacitor), []);

    // What the layer below loses, the entry does not take away any more.
    let less = br#"{"ports": {"7": 1}, "tenants": {"acme": {}}, "more": 1}"#;
    senders[0].send(&less[..]).await.expect("a receiver");
    capacitor.process().await.expect("good documents");
    assert_eq!(warned(&capacitor), [("labels.team".to_owned(), Some(1))]);
    senders[1]
        .send(&br#"{"labels": {"team": "y"}}"#[..])
        .await
        .expect("a receiver");
    capacitor.process().await.expect("good documents");
    assert_eq!(warned(&capacitor), []);
    senders[1].send(&b"{}"[..]).await.expect("a receiver");
    capacitor.process().await.expect("good documents");
    assert_eq!(warned(&capacitor).len(), 1);
    senders[2].send(&b"more:\n"[..]).await.expect("a receiver");
    capacitor.process().await.expect("good documents");
    assert_eq!(warned(&capacitor), []);
}
