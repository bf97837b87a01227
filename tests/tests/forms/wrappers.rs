//! Sections behind pointers and in collections: whatever a section can, it can there.

use crate::support::{FORMATS, over, read, written};
use flux::{Config, Flux, Format, Unknown};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
};

#[derive(Flux, Deserialize, Debug, PartialEq, Clone)]
struct Part {
    #[flux(range = 1..=100)]
    max: u32,
    #[flux(default = 1)]
    min: u32,
    #[flux(secret)]
    token: Option<String>,
    #[flux(default = 0, monotonic)]
    version: u32,
    #[flux(default = 0, restart)]
    threads: u32,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "kebab-case")]
enum Word {
    One,
    TwoWords,
}

#[derive(Deserialize, Debug, Clone, PartialEq, Eq, Hash)]
struct Id(u16);

type Alias = Option<Box<Part>>;

/// A config for a type of field.
trait Wrapped: Config + Clone {
    /// The field's value with this as its part.
    fn wrap(part: Value) -> Value;
    /// The part, if it is there.
    fn part(&self) -> Option<&Part>;
    /// Where the part is.
    const PATH: &'static str;
    /// The variable of the part's `max`, where it has one.
    const VARIABLE: Option<&'static str>;
    /// Whether an upper layer's part is laid over the lower one's key by key.
    const MERGES: bool;
}

macro_rules! wrapped {
    ($($name:ident: $ty:ty, $path:literal, |$part:ident| $wrap:tt, |$value:ident| $get:expr, $variable:expr, $merges:literal;)*) => {
        $(
            #[derive(Flux, Debug, Clone, PartialEq)]
            struct $name {
                #[flux(nested)]
                value: $ty,
            }
            impl Wrapped for $name {
                fn wrap($part: Value) -> Value {
                    json!($wrap)
                }
                fn part(&self) -> Option<&Part> {
                    let $value = &self.value;
                    $get
                }
                const PATH: &'static str = $path;
                const VARIABLE: Option<&'static str> = $variable;
                const MERGES: bool = $merges;
            }
        )*
        /// Runs a generic function for each of them.
        macro_rules! each {
            ($function:ident) => {
                $($function::<$name>(stringify!($ty)).await;)*
            };
        }
    };
}

const SINGLE: Option<&str> = Some("APP_VALUE_MAX");

wrapped! {
    Plain: Part, "value", |part| part, |value| Some(value), SINGLE, true;
    Boxed: Box<Part>, "value", |part| part, |value| Some(value), SINGLE, true;
    Shared: Arc<Part>, "value", |part| part, |value| Some(value), SINGLE, true;
    Twice: Arc<Box<Part>>, "value", |part| part, |value| Some(value), SINGLE, true;
    Perhaps: Option<Box<Part>>, "value", |part| part, |value| value.as_deref(), SINGLE, true;
    Aliased: Alias, "value", |part| part, |value| value.as_deref(), SINGLE, true;
    BoxedPerhaps: Box<Option<Part>>, "value", |part| part, |value| Option::as_ref(value), SINGLE, true;
    List: Vec<Part>, "value[0]", |part| [part], |value| value.first(), None, false;
    PerhapsList: Option<Vec<Part>>, "value[0]", |part| [part], |value| value.as_ref()?.first(), None, false;
    BoxedList: Box<Vec<Part>>, "value[0]", |part| [part], |value| value.first(), None, false;
    Queue: VecDeque<Part>, "value[0]", |part| [part], |value| value.front(), None, false;
    Fixed: [Part; 1], "value[0]", |part| [part], |value| value.first(), None, false;
    Boxes: Vec<Box<Part>>, "value[0]", |part| [part], |value| Some(value.first()?), None, false;
    Lists: Vec<Vec<Part>>, "value[1][0]", |part| [[], [part]], |value| value.get(1)?.first(), None, false;
    ByName: BTreeMap<String, Part>, "value.a", |part| {"a": part}, |value| value.get("a"), None, true;
    Hashed: HashMap<String, Arc<Part>>, "value.a", |part| {"a": part}, |value| Some(value.get("a")?), None, true;
    PerhapsByName: Option<BTreeMap<String, Part>>, "value.a", |part| {"a": part}, |value| value.as_ref()?.get("a"), None, true;
    ListsByName: BTreeMap<String, Vec<Part>>, "value.a[0]", |part| {"a": [part]}, |value| value.get("a")?.first(), None, false;
    MapsByName: HashMap<String, BTreeMap<String, Part>>, "value.a.b", |part| {"a": {"b": part}}, |value| value.get("a")?.get("b"), None, true;
    MapsInList: Vec<BTreeMap<String, Part>>, "value[0].a", |part| [{"a": part}], |value| value.first()?.get("a"), None, false;
    Ordered: IndexMap<String, Part>, "value.a", |part| {"a": part}, |value| value.get("a"), None, true;
    ByNumber: BTreeMap<u16, Part>, "value.7", |part| {"7": part}, |value| value.get(&7), None, true;
    ByFlag: BTreeMap<bool, Part>, "value.true", |part| {"true": part}, |value| value.get(&true), None, true;
    ByLetter: BTreeMap<char, Part>, "value.x", |part| {"x": part}, |value| value.get(&'x'), None, true;
    ByWord: HashMap<Word, Part>, "value.two-words", |part| {"two-words": part}, |value| value.get(&Word::TwoWords), None, true;
    ById: HashMap<Id, Part>, "value.7", |part| {"7": part}, |value| value.get(&Id(7)), None, true;
    ByAddress: BTreeMap<IpAddr, Part>, "value.\"::1\"", |part| {"::1": part}, |value| value.get(&IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])), None, true;
}

fn document<W: Wrapped>(part: Value) -> Value {
    json!({ "value": W::wrap(part) })
}

async fn refused<W: Wrapped>(name: &str, format: Format, documents: &[Value]) -> String {
    match read::<W>(format, documents, &[]).await {
        Ok(_) => panic!("{name} accepts {documents:?} as {format}"),
        Err(report) => report,
    }
}

/// Whether a line of the report begins with this path and contains this.
fn has(report: &str, path: &str, text: &str) -> bool {
    let is_it =
        |line: &str| line.trim_start().starts_with(&format!("{path}: ")) && line.contains(text);
    report.lines().any(is_it)
}

#[tokio::test]
async fn a_section_is_read_in_every_format() {
    async fn check<W: Wrapped>(name: &str) {
        for format in FORMATS {
            let config = read::<W>(format, &[document::<W>(json!({"max": 5}))], &[])
                .await
                .unwrap_or_else(|report| panic!("{name} as {format}: {report}"));
            let part = config.part().expect(name);
            assert_eq!((part.max, part.min), (5, 1), "{name} as {format}");
        }
    }
    each!(check);
}

#[tokio::test]
async fn two_layers_meet_as_the_type_decides() {
    async fn check<W: Wrapped>(name: &str) {
        for format in FORMATS {
            let layers = [
                document::<W>(json!({"max": 5, "min": 2})),
                document::<W>(json!({"min": 3})),
            ];
            if W::MERGES {
                let config = read::<W>(format, &layers, &[]).await.unwrap();
                let part = config.part().expect(name);
                assert_eq!((part.max, part.min), (5, 3), "{name} as {format}");
            } else {
                let report = refused::<W>(name, format, &layers).await;
                let path = format!("{}.max", W::PATH);
                assert!(has(&report, &path, "is required"), "{name}: {report}");
            }
        }
    }
    each!(check);
}

#[tokio::test]
async fn what_is_wrong_inside_is_refused_where_it_is() {
    async fn check<W: Wrapped>(name: &str) {
        for format in FORMATS {
            for (part, key, text) in [
                (json!({"max": 500}), "max", "must be in 1..=100"),
                (json!({"max": "x"}), "max", "expected"),
                (json!({"max": 5, "mim": 1}), "mim", "unknown key"),
                (json!({"min": 2}), "max", "is required"),
            ] {
                let report = refused::<W>(name, format, &[document::<W>(part)]).await;
                let path = format!("{}.{key}", W::PATH);
                assert!(has(&report, &path, text), "{name} as {format}: {report}");
                let has_place = text == "is required" || report.contains("layer 0:");
                assert!(has_place, "{name} as {format}: {report}");
            }
        }
    }
    each!(check);
}

#[tokio::test]
async fn what_is_secret_inside_is_not_shown() {
    async fn check<W: Wrapped>(name: &str) {
        for format in FORMATS {
            for part in [
                json!({"max": 500, "token": "hunter2"}),
                json!({"max": 5, "token": ["hunter2"]}),
                json!({"max": 5, "tokem": "hunter2"}),
            ] {
                let report = refused::<W>(name, format, &[document::<W>(part)]).await;
                assert!(!report.contains("hunter2"), "{name} as {format}: {report}");
                assert!(report.contains(W::PATH), "{name} as {format}: {report}");
            }
        }
    }
    each!(check);
}

#[tokio::test]
async fn variables_reach_a_single_section_by_field_and_every_form_as_json() {
    async fn check<W: Wrapped>(name: &str) {
        let low = [document::<W>(json!({"max": 5, "min": 2}))];
        if let Some(variable) = W::VARIABLE {
            let config = read::<W>(Format::Json, &low, &[(variable, "9")])
                .await
                .unwrap();
            let part = config.part().expect(name);
            assert_eq!((part.max, part.min), (9, 2), "{name}");
        }
        if W::VARIABLE.is_none() {
            let text = W::wrap(json!({"max": 9})).to_string();
            let config = read::<W>(Format::Json, &low, &[("APP_VALUE", &text)])
                .await
                .unwrap();
            assert_eq!(config.part().expect(name).max, 9, "{name}");
        }
    }
    each!(check);
}

#[tokio::test]
async fn changes_inside_are_told_by_path_and_keep_their_rules() {
    async fn check<W: Wrapped>(name: &str) {
        for format in FORMATS {
            let first = document::<W>(json!({"max": 5, "version": 2}));
            let (capacitor, senders, outcome) =
                over::<W>(format, &[first], &[], Unknown::Warn).await;
            outcome.unwrap();
            let mut subscription = capacitor.subscribe();
            let send = async |part: Value| {
                let text = written(format, &document::<W>(part)).unwrap();
                senders[0].send(text.as_bytes()).await.unwrap();
                capacitor.process().await.unwrap();
                capacitor.last_error().map(|report| report.to_string())
            };
            assert_eq!(send(json!({"max": 6, "version": 2})).await, None, "{name}");
            let change = subscription.changed().await.unwrap();
            assert_eq!(change.paths(), [format!("{}.max", W::PATH)], "{name}");
            let report = send(json!({"max": 6, "version": 1})).await.expect(name);
            let path = format!("{}.version", W::PATH);
            assert!(has(&report, &path, "may not decrease"), "{name}: {report}");
            let next = json!({"max": 6, "version": 2, "threads": 4});
            assert_eq!(send(next).await, None, "{name}");
            let pending = capacitor.status().pending_restart.clone();
            assert_eq!(pending, [format!("{}.threads", W::PATH)], "{name}");
            let threads = capacitor.get().part().expect(name).threads;
            assert_eq!(threads, 0, "{name}");
        }
    }
    each!(check);
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Nulls {
    #[flux(nested)]
    list: Option<Vec<Part>>,
    #[flux(nested, default)]
    lists: BTreeMap<String, Vec<Part>>,
    #[flux(nested, default)]
    options: BTreeMap<String, Option<Part>>,
    #[flux(nested)]
    items: Vec<Option<Box<Part>>>,
}

#[tokio::test]
async fn null_is_nothing_where_the_type_has_a_nothing_and_else_takes_an_entry_away() {
    let part = json!({"max": 5});
    let low = json!({"list": [part], "lists": {"a": [part], "b": [part]}, "options": {"a": part}, "items": [null, part]});
    let top = json!({"list": null, "lists": {"a": null}, "options": {"a": null}});
    for format in [Format::Json, Format::Jsonc, Format::Json5, Format::Yaml] {
        let config = read::<Nulls>(format, &[low.clone(), top.clone()], &[])
            .await
            .unwrap();
        assert_eq!(config.list, None);
        assert_eq!(config.lists.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(config.options, BTreeMap::from([("a".to_owned(), None)]));
        assert_eq!(config.items[0], None);
        assert_eq!(config.items[1].as_ref().unwrap().max, 5);
        let wrong = json!({"lists": null, "items": [3, null]});
        let report = read::<Nulls>(format, &[low.clone(), wrong], &[]).await;
        let report = report.unwrap_err();
        assert!(
            has(&report, "lists", "expected a map of sections"),
            "{report}"
        );
        assert!(has(&report, "items[0]", "expected a section"), "{report}");
    }
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Node {
    name: String,
    #[flux(nested)]
    next: Option<Box<Node>>,
    #[flux(nested, default)]
    inside: BTreeMap<String, Arc<Node>>,
    #[flux(nested)]
    pair: Option<Box<[Node; 2]>>,
}

#[tokio::test]
async fn a_type_may_hold_itself_behind_a_pointer() {
    let leaf = |name: &str| json!({ "name": name });
    let document = json!({
        "name": "a",
        "next": {"name": "b", "next": leaf("c"), "inside": {"d": leaf("d")}},
        "pair": [leaf("e"), leaf("f")],
    });
    for format in FORMATS {
        let node = read::<Node>(format, std::slice::from_ref(&document), &[])
            .await
            .unwrap();
        let next = node.next.as_ref().unwrap();
        assert_eq!(next.next.as_ref().unwrap().name, "c");
        assert_eq!(next.inside["d"].name, "d");
        assert_eq!(node.pair.unwrap()[1].name, "f");
    }
}

#[tokio::test]
async fn an_array_has_exactly_so_many_items() {
    for count in [0, 2] {
        let items = vec![json!({"max": 5}); count];
        let report = read::<Fixed>(Format::Json, &[json!({ "value": items })], &[]).await;
        let report = report.unwrap_err();
        assert!(has(&report, "value", "a list of 1 section"), "{report}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_and_a_key_that_occurs_twice_are_refused_with_their_place() {
    let document = json!({"value": {"70000": {"max": 5}}});
    for format in FORMATS {
        let report = read::<ByNumber>(format, std::slice::from_ref(&document), &[]).await;
        let report = report.unwrap_err();
        assert!(
            report.contains("value.70000") && report.contains("layer 0:"),
            "{report}"
        );
    }
    let document = json!({"value": {"7": {"max": 5}, "07": {"max": 6}}});
    let report = read::<ByNumber>(Format::Json, &[document], &[])
        .await
        .unwrap_err();
    let both = "value.7: `07` and `7` are the same key; remove one";
    assert!(report.contains(both), "{report}");
}

#[derive(Deserialize, Debug, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Op {
    Keep,
    Remove(String),
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Does {
    op: Op,
}

#[tokio::test]
async fn toml_takes_an_empty_table_for_a_word_without_data_and_the_others_refuse_it() {
    let document = json!({"op": {"keep": {}}});
    for format in FORMATS {
        let does = read::<Does>(format, std::slice::from_ref(&document), &[]).await;
        match format {
            Format::Toml => assert_eq!(does.unwrap().op, Op::Keep),
            _ => assert!(does.unwrap_err().contains("op"), "{format}"),
        }
        let does = read::<Does>(format, &[json!({"op": {"remove": "x"}})], &[]).await;
        assert_eq!(does.unwrap().op, Op::Remove("x".to_owned()));
        let wrong = read::<Does>(format, &[json!({"op": {"keep": 1}})], &[]).await;
        assert!(wrong.is_err(), "{format}");
    }
}
