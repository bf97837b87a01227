//! The reducer against a naive model: documents merged as plain JSON values, then decoded at once.

use flux::{Capacitor, Flux, Format, Source, source::Channel};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Flux, Debug, PartialEq)]
struct App {
    #[flux(default = 0)]
    a: u32,
    #[flux(default = "none")]
    b: String,
    #[flux(default, merge = "append")]
    list: Vec<u32>,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
}

#[derive(Flux, Debug, PartialEq)]
struct Pool {
    #[flux(default = 1)]
    min: u32,
    #[flux(default = 9)]
    max: u32,
}

/// What a person would expect of two documents, one over the other.
fn merge(path: &str, below: Value, top: Value) -> Value {
    match (below, top) {
        (Value::Array(mut below), Value::Array(top)) if path == "list" => {
            below.extend(top);
            Value::Array(below)
        }
        (Value::Object(mut below), Value::Object(top)) => {
            for (key, value) in top {
                let merged = match below.remove(&key) {
                    Some(under) => merge(&key, under, value),
                    None => value,
                };
                below.insert(key, merged);
            }
            Value::Object(below)
        }
        (_, top) => top,
    }
}

fn number(value: Option<&Value>, default: u32) -> u32 {
    value.and_then(Value::as_u64).map_or(default, |n| n as u32)
}

fn pool(value: Option<&Value>) -> Pool {
    let field = |name| value.and_then(|value| value.get(name));
    Pool {
        min: number(field("min"), 1),
        max: number(field("max"), 9),
    }
}

fn expected(document: &Value) -> App {
    let object = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    App {
        a: number(document.get("a"), 0),
        b: document
            .get("b")
            .and_then(Value::as_str)
            .unwrap_or("none")
            .to_owned(),
        list: document
            .get("list")
            .and_then(Value::as_array)
            .map(|items| items.iter().map(|item| number(Some(item), 0)).collect())
            .unwrap_or_default(),
        labels: object("labels")
            .iter()
            .map(|(key, n)| (key.clone(), number(Some(n), 0)))
            .collect(),
        pool: pool(document.get("pool")),
        tenants: object("tenants")
            .iter()
            .map(|(key, value)| (key.clone(), pool(Some(value))))
            .collect(),
    }
}

fn pools() -> impl Strategy<Value = Value> {
    (
        proptest::option::of(0..5_u32),
        proptest::option::of(0..5_u32),
    )
        .prop_map(|(min, max)| {
            let mut pool = Map::new();
            min.into_iter()
                .for_each(|n| drop(pool.insert("min".into(), json!(n))));
            max.into_iter()
                .for_each(|n| drop(pool.insert("max".into(), json!(n))));
            Value::Object(pool)
        })
}

fn documents() -> impl Strategy<Value = Value> {
    let entries = [
        (0..9_u32).prop_map(|n| json!({ "a": n })).boxed(),
        "[a-z]{1,3}".prop_map(|b| json!({ "b": b })).boxed(),
        proptest::collection::vec(0..9_u32, 0..3)
            .prop_map(|list| json!({ "list": list }))
            .boxed(),
        proptest::collection::btree_map("[a-c]", 0..9_u32, 0..3)
            .prop_map(|labels| json!({ "labels": labels }))
            .boxed(),
        pools().prop_map(|pool| json!({ "pool": pool })).boxed(),
        proptest::collection::btree_map("[a-c]", pools(), 0..3)
            .prop_map(|tenants| json!({ "tenants": tenants }))
            .boxed(),
    ];
    let any_entry = proptest::strategy::Union::new(entries);
    proptest::collection::vec(any_entry, 0..6).prop_map(|entries| {
        entries
            .into_iter()
            .fold(json!({}), |document, entry| match (document, entry) {
                (Value::Object(mut document), Value::Object(entry)) => {
                    document.extend(entry);
                    Value::Object(document)
                }
                (document, _) => document,
            })
    })
}

#[test]
fn layers_merge_as_a_naive_model_says_at_start_and_after_every_change() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let layers = proptest::collection::vec(documents(), 1..4);
    let changes = proptest::collection::vec((0..4_usize, documents()), 0..6);
    proptest!(ProptestConfig::with_cases(128), |(layers in layers, changes in changes)| {
        runtime.block_on(async {
            let mut layers = layers;
            let mut builder = Capacitor::<App>::builder().manual();
            let mut senders = Vec::new();
            for (i, document) in layers.iter().enumerate() {
                let (sender, channel) = Channel::buffered(format!("layer {i}"), 4);
                sender.send(document.to_string().into_bytes()).await.unwrap();
                builder = builder.source(Source::watcher(channel).format(Format::Json));
                senders.push(sender);
            }
            let capacitor = builder.build().unwrap();
            capacitor.start().await.unwrap();
            let modelled = |layers: &[Value]| {
                expected(&layers.iter().cloned().reduce(|below, top| merge("", below, top)).unwrap())
            };
            assert_eq!(*capacitor.get(), modelled(&layers));
            for (layer, document) in changes {
                let layer = layer % layers.len();
                senders[layer].send(document.to_string().into_bytes()).await.unwrap();
                layers[layer] = document;
                capacitor.process().await.unwrap();
                assert_eq!(*capacitor.get(), modelled(&layers));
            }
        });
    });
}
