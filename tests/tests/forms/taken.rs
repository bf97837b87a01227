//! Null under a key of a map of values takes the entry of the layers below away.

use crate::support::read;
use flux::{Config, Flux, Format};
use indexmap::IndexMap;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

trait Map: Config + Clone {
    fn keys(&self) -> Vec<String>;
}

macro_rules! maps {
    ($($name:ident: $(#[$option:meta])* $ty:ty, |$map:ident| $keys:expr, $value:tt, $key:literal;)*) => {
        $(
            #[derive(Flux, Debug, Clone, PartialEq)]
            struct $name {
                #[allow(dead_code)]
                other: Option<u8>,
                $(#[$option])*
                map: $ty,
            }
            impl Map for $name {
                fn keys(&self) -> Vec<String> {
                    let $map = &self.map;
                    let mut keys: Vec<String> = $keys.map(|key| format!("{key:?}")).collect();
                    keys.sort();
                    keys
                }
            }
        )*

        #[tokio::test]
        async fn an_entry_is_taken_away_whatever_the_map_is_called_and_wherever_it_is() {
            $(taken::<$name>(stringify!($name), json!($value), $key).await;)*
        }
    };
}

type Alias = Option<Box<BTreeMap<String, Vec<u8>>>>;

maps! {
    Tree: BTreeMap<String, u8>, |map| map.keys(), 1, "a";
    Hashed: HashMap<String, String>, |map| map.keys(), "x", "a";
    Ordered: IndexMap<String, bool>, |map| map.keys(), true, "a";
    Perhaps: Option<BTreeMap<String, Duration>>, |map| map.as_ref().unwrap().keys(), "5s", "a";
    Boxed: Box<HashMap<String, u8>>, |map| map.keys(), 1, "a";
    Shared: Arc<BTreeMap<String, f64>>, |map| map.keys(), 1.5, "a";
    Aliased: Alias, |map| map.as_ref().unwrap().keys(), [1], "a";
    Numbers: #[flux(merge = "by_key")] BTreeMap<u16, char>, |map| map.keys(), "x", "1";
}

async fn taken<M: Map>(name: &str, value: Value, key: &str) {
    let other = if key == "a" { "b" } else { "2" };
    let entry = |key: &str, value: &Value| json!({ "map": { key: value } });
    let null = Value::Null;
    let both = json!({"map": {key: value, other: value}});
    // As YAML is written by serde_yaml, its number keys are texts, which a number is not read from.
    for format in [Format::Json, Format::Jsonc, Format::Json5, Format::Yaml]
        .into_iter()
        .take(3 + usize::from(key == "a"))
    {
        let keys = async |documents: &[Value]| match read::<M>(format, documents, &[]).await {
            Ok(config) => config.keys(),
            Err(report) => panic!("{name} as {format}: {report}"),
        };
        let all = keys(std::slice::from_ref(&both)).await;
        assert_eq!(all.len(), 2, "{name}");
        let left = keys(&[both.clone(), entry(key, &null)]).await;
        assert_eq!(left, all[1..], "{name} as {format}");
        // Not from itself, and a layer above may bring it back.
        let back = [
            both.clone(),
            entry(key, &null),
            json!({"other": 1}),
            entry(key, &value),
        ];
        assert_eq!(keys(&back).await, all, "{name}");
        assert_eq!(keys(&back[..3]).await, all[1..], "{name}");
        assert_eq!(
            keys(&[entry(key, &null), both.clone()]).await,
            all,
            "{name}"
        );
        assert_eq!(keys(&[entry(key, &null)]).await, [""; 0], "{name}");
        let wrong = [json!({"map": null, "other": "x"})];
        let report = read::<M>(format, &wrong, &[]).await;
        assert!(report.is_err(), "{name}");
    }
}

#[tokio::test]
async fn null_is_a_value_where_the_values_have_one() {
    #[derive(Flux, Debug, Clone, PartialEq)]
    struct Nulls {
        options: BTreeMap<String, Option<u8>>,
        tree: HashMap<String, Value>,
        object: serde_json::Map<String, Value>,
    }
    let low = json!({"options": {"a": 1}, "tree": {"a": 1}, "object": {"a": 1}});
    let top = json!({"options": {"a": null}, "tree": {"a": null}, "object": {"a": null}});
    let nulls = read::<Nulls>(Format::Json, &[low, top], &[]).await.unwrap();
    assert_eq!(nulls.options["a"], None);
    assert_eq!(nulls.tree["a"], Value::Null);
    assert_eq!(nulls.object["a"], Value::Null);
}

#[tokio::test]
async fn a_map_that_is_replaced_has_nothing_to_take_away() {
    #[derive(Flux, Debug, Clone, PartialEq)]
    struct Replaced {
        #[flux(merge = "replace")]
        map: BTreeMap<String, u8>,
    }
    let report = read::<Replaced>(Format::Json, &[json!({"map": {"a": null}})], &[]).await;
    assert!(report.unwrap_err().contains("map.a: expected"));
}

#[tokio::test]
async fn a_variable_may_take_an_entry_away_as_json() {
    let low = json!({"map": {"a": 1, "b": 2}});
    let tree = read::<Tree>(Format::Json, &[low], &[("APP_MAP", r#"{"a": null}"#)]).await;
    assert_eq!(tree.unwrap().keys(), ["\"b\""]);
}

#[tokio::test]
async fn a_key_that_is_taken_and_there_at_once_occurs_twice() {
    for document in [
        r#"{"map": {"a": null, "a": 1}}"#,
        r#"{"map": {"a": 1, "a": null}}"#,
        r#"{"map": {"a": null, "a": null}}"#,
    ] {
        let (sender, channel) = flux::source::Channel::buffered("layer 0", 1);
        sender.send(document.as_bytes()).await.unwrap();
        let source = flux::Source::watcher(channel).format(Format::Json);
        let capacitor = flux::Capacitor::<Tree>::builder()
            .manual()
            .source(source)
            .build()
            .unwrap();
        let error = capacitor.start().await.unwrap_err().to_string();
        assert!(error.contains("twice"), "{document}: {error}");
    }
}
