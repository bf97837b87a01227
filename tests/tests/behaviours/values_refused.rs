//! Surplus items and null, whatever type reads them and whoever gives them.

use crate::refusal;
use flux::{
    Builder, Capacitor, Error, Flux, Format, Source,
    codec::{Codec, Tree},
    figment::{Figment, providers::Serialized},
    source::Channel,
};
use serde::Deserialize;
use serde_json::json;
use std::{borrow::Cow, collections::BTreeMap, path::PathBuf, sync::Arc};

#[derive(Deserialize, Clone, Debug, PartialEq)]
struct Pair(u8, u8);

#[derive(Deserialize, Clone, Debug, PartialEq)]
struct Leaf {
    a: u8,
    b: u8,
}

#[derive(Flux, Debug)]
#[allow(dead_code)]
struct Fixed {
    array: Option<[u8; 3]>,
    tuple: Option<(u8, String)>,
    newtype: Option<Pair>,
    leaf: Option<Leaf>,
    inside: Option<Vec<(u8, u8)>>,
    entry: Option<BTreeMap<String, Pair>>,
}

/// A codec that answers with this tree.
struct Answers(Tree);

impl Codec for Answers {
    fn name(&self) -> &str {
        "answers"
    }
    fn decode(&self, _: &str) -> Result<Tree, String> {
        Ok(self.0.clone())
    }
}

/// The tree of a value, with numbers as numbers.
fn tree(value: &serde_json::Value) -> Tree {
    match value {
        serde_json::Value::Array(items) => Tree::Seq(items.iter().map(tree).collect()),
        serde_json::Value::Object(entries) => {
            let entry = |(key, value): (&String, _)| (key.clone(), tree(value));
            Tree::Map(entries.iter().map(entry).collect())
        }
        serde_json::Value::Number(number) => Tree::U64(number.as_u64().expect("a small one")),
        other => Tree::Str(other.as_str().expect("a text").to_owned()),
    }
}

/// The paths of the refusal.
async fn refused(what: &str, layer: impl FnOnce(Builder<Fixed>) -> Builder<Fixed>) -> Vec<String> {
    let capacitor = layer(Capacitor::<Fixed>::builder().manual())
        .build()
        .expect("layers that work");
    match capacitor.start().await {
        Err(Error::Refused(report)) => {
            let paths = report.problems().iter().map(|one| one.path.to_string());
            paths.collect()
        }
        other => panic!("{what}: {other:?}, {:?}", capacitor.try_get()),
    }
}

async fn channel(text: &str) -> Channel {
    let (sender, channel) = Channel::buffered("channel", 1);
    sender.send(text.as_bytes()).await.expect("room for one");
    channel
}

#[tokio::test]
async fn surplus_items_are_refused_by_every_type_of_a_fixed_length_whoever_gives_them() {
    for (field, value, path) in [
        ("array", json!([1, 2, 3, 4]), "array"),
        ("tuple", json!([1, "a", 2]), "tuple"),
        ("newtype", json!([1, 2, 3]), "newtype"),
        ("leaf", json!([1, 2, 3]), "leaf"),
        ("inside", json!([[1, 2], [1, 2, 3]]), "inside[1]"),
        ("entry", json!({"x": [1, 2, 3]}), "entry.x"),
    ] {
        let document = json!({ field: value });
        let toml_value = match &value {
            serde_json::Value::Object(_) => "{x = [1, 2, 3]}".to_owned(),
            list => list.to_string(),
        };
        for (format, text) in [
            (Format::Json, document.to_string()),
            (Format::Yaml, document.to_string()),
            (Format::Toml, format!("{field} = {toml_value}")),
        ] {
            let source = Source::watcher(channel(&text).await).format(format);
            let paths = refused(&text, |builder| builder.source(source)).await;
            assert_eq!(paths, [path], "{format}: {text}");
        }
        let codec = Source::watcher(channel("x").await).codec(Answers(tree(&document)));
        let paths = refused("a codec", |builder| builder.source(codec)).await;
        assert_eq!(paths, [path], "a codec: {document}");

        let name = format!("APP_{}", field.to_uppercase());
        let variable = Source::env("APP_").variables([(name, value.to_string())]);
        let paths = refused("a variable", |builder| builder.source(variable)).await;
        assert_eq!(paths, [path], "a variable: {document}");

        let provider = Figment::from(Serialized::defaults(&document));
        let paths = refused("a provider", |builder| builder.provider(provider)).await;
        assert_eq!(paths, [path], "a provider: {document}");
    }
}

#[tokio::test]
async fn null_is_no_text_behind_any_pointer() {
    #[derive(Flux, Debug)]
    #[allow(dead_code)]
    struct Texts {
        #[flux(default)]
        shared: Arc<str>,
        #[flux(default)]
        boxed: Box<str>,
        #[flux(default)]
        arc: Arc<String>,
        #[flux(default)]
        cow: Cow<'static, str>,
        #[flux(default)]
        path: PathBuf,
        #[flux(default = 'a')]
        letter: char,
        #[flux(default)]
        list: Vec<Arc<str>>,
        #[flux(default)]
        map: BTreeMap<String, Vec<Box<str>>>,
        secret: Option<Vec<secrecy::SecretString>>,
    }
    for null in ["null", "~", "", "Null"] {
        for (document, path) in [
            (format!("shared: {null}"), "shared"),
            (format!("boxed: {null}"), "boxed"),
            (format!("arc: {null}"), "arc"),
            (format!("cow: {null}"), "cow"),
            (format!("path: {null}"), "path"),
            (format!("letter: {null}"), "letter"),
            (format!("list:\n- a\n- {null}\n"), "list[1]"),
            (format!("map:\n  a:\n  - {null}\n"), "map.a[0]"),
            (format!("secret:\n- {null}\n"), "secret"),
        ] {
            let report = refusal::<Texts>(Format::Yaml, &document).await;
            let paths = report.problems().iter().map(|one| one.path.to_string());
            assert_eq!(paths.collect::<Vec<_>>(), [path], "{document}: {report}");
        }
    }
}
