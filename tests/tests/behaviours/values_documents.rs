//! Values that a format's decoder would take for something else: null, merge keys, dates, surplus items, no number.

use crate::{applied, by_hand, refusal};
use flux::{
    Capacitor, Flux, Format, Report, Source,
    codec::{Codec, Tree},
    source::Channel,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Path, message, line and column of each problem.
type Told = (String, String, Option<(usize, usize)>);

fn told(report: &Report) -> Vec<Told> {
    let problems = report.problems().iter();
    let told = problems.map(|one| {
        (
            one.path.to_string(),
            one.message.clone(),
            one.line.zip(one.column),
        )
    });
    told.collect()
}

#[derive(Deserialize, Clone, Debug, PartialEq)]
struct Credentials {
    user: String,
    password: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Flux, Debug)]
struct Texts {
    #[flux(default = "")]
    host: String,
    #[flux(default)]
    names: Vec<String>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    pair: Option<(String, char)>,
    #[flux(default)]
    login: Option<Credentials>,
    #[flux(default)]
    comment: Option<String>,
}

#[tokio::test]
async fn null_is_no_text_in_yaml_wherever_the_text_is() {
    for null in ["null", "~", "", "Null"] {
        for (document, path) in [
            (format!("host: {null}"), "host"),
            (
                format!("names: [a, {null} ]\n").replace("[a,  ]", "[a, ~]"),
                "names[1]",
            ),
            (format!("names:\n- a\n- {null}\n"), "names[1]"),
            (format!("pair:\n- a\n- {null}\n"), "pair[1]"),
            (format!("login:\n  user: {null}"), "login.user"),
            (format!("login: {{user: u}}\nnames: {null}"), "names"),
            (format!("login:\n  user: u\n  roles: {null}"), "login.roles"),
        ] {
            let report = refusal::<Texts>(Format::Yaml, &document).await;
            let told = told(&report);
            assert_eq!(told.len(), 1, "{document}: {report}");
            assert_eq!(told[0].0, path, "{document}: {report}");
            assert!(
                told[0].1.starts_with("expected a") && !told[0].1.contains("found string"),
                "{document}: {report}"
            );
            assert!(told[0].2.is_some(), "{document}: {report}");
        }
        let document = format!("comment: {null}\nlogin:\n  user: u\n  password: {null}");
        let texts = applied::<Texts>(Format::Yaml, &document).await;
        assert_eq!(texts.comment, None);
        assert_eq!(texts.login.as_ref().unwrap().password, None);
    }
    #[derive(Flux)]
    #[allow(dead_code)]
    struct OtherTexts {
        #[flux(default)]
        path: std::path::PathBuf,
        #[flux(default = "")]
        shared: std::sync::Arc<str>,
        #[flux(default)]
        boxed: Box<str>,
        #[flux(default)]
        labels: BTreeMap<String, String>,
        #[flux(default)]
        by_number: BTreeMap<u8, std::path::PathBuf>,
    }
    for null in ["null", "~", ""] {
        for (document, path) in [
            (format!("path: {null}"), "path"),
            (format!("shared: {null}"), "shared"),
            (format!("boxed: {null}"), "boxed"),
        ] {
            let report = refusal::<OtherTexts>(Format::Yaml, &document).await;
            let told = told(&report);
            assert_eq!((told.len(), &*told[0].0), (1, path), "{document}: {report}");
            assert!(!told[0].1.contains("found string"), "{document}: {report}");
        }
        // There it takes the entry away, and is no text either.
        let document = format!("labels:\n  a: {null}\n  b: x\nby_number:\n  1: {null}");
        let texts = applied::<OtherTexts>(Format::Yaml, &document).await;
        assert_eq!(texts.labels, [("b".to_owned(), "x".to_owned())].into());
        assert!(texts.by_number.is_empty());
    }
    #[derive(Flux)]
    struct Secret {
        #[flux(secret)]
        _token: String,
    }
    let report = refusal::<Secret>(Format::Yaml, "_token: ~").await;
    assert_eq!(told(&report)[0].0, "_token", "{report}");

    let quoted = applied::<Texts>(Format::Yaml, "host: 'null'\nnames: ['~', \"\"]").await;
    assert_eq!(quoted.host, "null");
    assert_eq!(quoted.names, ["~", ""]);
}

#[tokio::test]
async fn a_list_that_is_longer_than_its_type_is_refused_with_its_path_in_every_format() {
    #[derive(Deserialize, Clone, Debug, PartialEq)]
    struct Point(u8, u8);
    #[derive(Flux)]
    #[allow(dead_code)]
    struct App {
        #[flux(default)]
        rgb: [u8; 3],
        #[flux(default)]
        points: Vec<Point>,
    }
    for (format, document) in [
        (
            Format::Json,
            "{\"rgb\": [1, 2, 3, 4], \"points\": [[1, 2], [1, 2, 3]]}",
        ),
        (
            Format::Yaml,
            "rgb: [1, 2, 3, 4]\npoints: [[1, 2], [1, 2, 3]]",
        ),
        (
            Format::Toml,
            "rgb = [1, 2, 3, 4]\npoints = [[1, 2], [1, 2, 3]]",
        ),
    ] {
        let report = refusal::<App>(format, document).await;
        let told = told(&report);
        let paths: Vec<&str> = told.iter().map(|(path, ..)| path.as_str()).collect();
        assert_eq!(paths, ["rgb", "points[1]"], "{format}: {report}");
        assert!(told[0].1.contains("3 items, found 4"), "{format}: {report}");
    }
}

#[tokio::test]
async fn a_codec_of_ones_own_is_held_to_the_same_rules() {
    struct Fixed;
    impl Codec for Fixed {
        fn name(&self) -> &str {
            "fixed"
        }
        fn decode(&self, _: &str) -> Result<Tree, String> {
            let numbers = (1..=4).map(Tree::U64).collect();
            let names = vec![Tree::Str("a".to_owned()), Tree::Null];
            Ok(Tree::Map(vec![
                ("rgb".to_owned(), Tree::Seq(numbers)),
                ("names".to_owned(), Tree::Seq(names)),
                ("labels".to_owned(), Tree::Raw("{a=1".to_owned())),
            ]))
        }
    }
    #[derive(Flux)]
    #[allow(dead_code)]
    struct App {
        rgb: [u8; 3],
        names: Vec<String>,
        labels: BTreeMap<String, String>,
    }
    let (sender, channel) = Channel::buffered("app", 4);
    sender.send(&b"x"[..]).await.expect("a receiver");
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(channel).codec(Fixed))
        .build()
        .expect("layers that work");
    let error = capacitor
        .start()
        .await
        .expect_err("three problems")
        .to_string();
    assert!(
        error.contains("rgb: expected a list of 3 items, found 4"),
        "{error}"
    );
    assert!(
        error.contains("names[1]: expected a string, found null"),
        "{error}"
    );
    assert!(
        error.contains("labels: cannot be read as a map: the { at character 1"),
        "{error}"
    );
}

#[derive(Flux, Debug)]
struct Tenants {
    #[flux(default)]
    base: Value,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Tenant>,
    #[flux(nested, default)]
    list: Vec<Tenant>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    any: Value,
    #[flux(default)]
    leaf: Option<Leaf>,
}

#[derive(Flux, Debug)]
struct Tenant {
    #[flux(range = 1..=9)]
    max: u8,
    #[flux(default = "none")]
    version: String,
}

#[derive(Deserialize, Clone, Debug, PartialEq)]
struct Leaf {
    a: String,
    b: u8,
}

#[tokio::test]
async fn merge_keys_are_followed_in_every_place_and_explicit_keys_win() {
    let document = "
base: &base {max: 1, version: 1.10}
tenants:
  <<: {given: {max: 7}}
  own: {max: 3, <<: *base}
  all:
    <<: *base
list:
- {<<: [{max: 2}, *base]}
- {\"<<\": *base, version: '2'}
labels: {<<: {a: 1.10, b: x}, b: y}
any: {<<: {a: 1, b: {c: 2}}, b: 3}
leaf: {<<: {a: 0x10, b: 0x10}}
";
    let app = applied::<Tenants>(Format::Yaml, document).await;
    let tenant = |key: &str| (app.tenants[key].max, app.tenants[key].version.as_str());
    assert_eq!(
        app.tenants.keys().collect::<Vec<_>>(),
        ["all", "given", "own"]
    );
    assert_eq!(tenant("given"), (7, "none"));
    assert_eq!(tenant("own"), (3, "1.10"));
    assert_eq!(tenant("all"), (1, "1.10"));
    let list: Vec<_> = app
        .list
        .iter()
        .map(|one| (one.max, one.version.as_str()))
        .collect();
    assert_eq!(list, [(2, "1.10"), (1, "2")]);
    let labels: Vec<_> = app
        .labels
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(labels, [("a", "1.10"), ("b", "y")]);
    assert_eq!(app.any, json!({"a": 1, "b": 3}));
    let leaf = Leaf {
        a: "0x10".to_owned(),
        b: 16,
    };
    assert_eq!(app.leaf.as_ref(), Some(&leaf));
}

#[tokio::test]
async fn a_problem_in_a_merged_entry_has_the_place_of_the_entry() {
    let document = "
base: &base
  max: x
tenants:
  a:
    version: '1'
    <<: *base
list:
- <<: [{version: '1'}, {max: 99}]
- max: 0
";
    let report = refusal::<Tenants>(Format::Yaml, document).await;
    let problems = told(&report);
    let expected = ("tenants.a.max".to_owned(), Some((3, 8)));
    assert_eq!((problems[0].0.clone(), problems[0].2), expected, "{report}");

    let document = document.replace("max: x", "max: 5");
    let report = refusal::<Tenants>(Format::Yaml, &document).await;
    let places: Vec<_> = told(&report)
        .into_iter()
        .map(|(path, _, at)| (path, at))
        .collect();
    let expected = [
        ("list[0].max".to_owned(), Some((9, 30))),
        ("list[1].max".to_owned(), Some((10, 8))),
    ];
    assert_eq!(places, expected, "{report}");
}

#[tokio::test]
async fn what_a_merge_key_cannot_take_is_refused_with_its_place() {
    for (document, sentence, at) in [
        (
            "labels: {a: b}\nany:\n  <<: 5",
            "takes a map, or a list of maps",
            (3, 7),
        ),
        (
            "labels:\n  <<: [{a: b}, c]",
            "takes a map, or a list of maps",
            (2, 7),
        ),
        ("labels:\n  <<:\n", "takes a map, or a list of maps", (2, 5)),
        ("labels:\n  <<: {a: b}\n  <<: {c: d}", "twice", (3, 7)),
    ] {
        let report = refusal::<Tenants>(Format::Yaml, document).await;
        let told = told(&report);
        assert!(told[0].1.contains(sentence), "{document}\n{report}");
        assert_eq!(told[0].2, Some(at), "{document}\n{report}");
    }
    let report = refusal::<Tenants>(Format::Yaml, "labels: {a: x, <<: {b: y}, a: z}").await;
    assert!(told(&report)[0].1.contains("twice"), "{report}");
}

#[tokio::test]
async fn two_arrows_in_a_text_are_text() {
    let document = "labels: {a: '<<', b: \"x << y\"}\nany: {c: '<<'}";
    let app = applied::<Tenants>(Format::Yaml, document).await;
    assert_eq!(app.labels["a"], "<<");
    assert_eq!(app.any, json!({"c": "<<"}));
    let app = applied::<Tenants>(Format::Json, "{\"labels\": {\"<<\": \"x\"}}").await;
    assert_eq!(app.labels["<<"], "x");
}

#[tokio::test]
async fn a_date_of_toml_is_text_to_what_takes_anything() {
    #[derive(Deserialize, Clone, Debug, PartialEq)]
    #[serde(untagged)]
    enum Either {
        Number(u8),
        Text(String),
    }
    #[derive(Flux)]
    struct App {
        any: Value,
        map: HashMap<String, Value>,
        either: Either,
    }
    let document = "any = [2024-01-02, {d = 07:30:00}, {e = 1, f = []}]\nmap = {a = 2024-01-02T07:30:00Z}\neither = 2024-01-02";
    let app = applied::<App>(Format::Toml, document).await;
    assert_eq!(
        app.any,
        json!(["2024-01-02", {"d": "07:30:00"}, {"e": 1, "f": []}])
    );
    assert_eq!(app.map["a"], json!("2024-01-02T07:30:00Z"));
    assert_eq!(app.either, Either::Text("2024-01-02".to_owned()));
}

#[tokio::test]
async fn a_date_of_toml_is_refused_for_a_text() {
    let report = refusal::<Texts>(Format::Toml, "host = 2024-01-02\ncomment = 07:30:00").await;
    for (_, message, _) in told(&report) {
        assert!(
            message.starts_with("expected a string, found date-time"),
            "{report}"
        );
    }
}

#[tokio::test]
async fn what_is_no_number_has_not_changed_because_something_else_did() {
    #[derive(Flux, Clone)]
    struct App {
        weight: f64,
        #[flux(default)]
        weights: Vec<f32>,
        #[flux(default)]
        limit: Option<f64>,
        n: u8,
    }
    let changed = std::sync::Arc::new(std::sync::Mutex::new(0));
    let seen = std::sync::Arc::clone(&changed);
    let (capacitor, sender) = by_hand::<App>(|builder| builder);
    let document =
        |weight: &str, n: u8| format!("weight: {weight}\nweights: [1, .nan]\nlimit: .nan\nn: {n}");
    sender.send(document(".nan", 1).as_bytes()).await.unwrap();
    capacitor.start().await.unwrap();
    let mut subscription = capacitor.subscribe();
    for (weight, n, paths) in [
        (".nan", 2, vec!["n"]),
        ("1", 2, vec!["weight"]),
        (".nan", 2, vec!["weight"]),
    ] {
        sender.send(document(weight, n).as_bytes()).await.unwrap();
        capacitor.process().await.unwrap();
        let change = subscription.changed().await.expect("it runs");
        assert_eq!(change.paths(), paths);
        *seen.lock().unwrap() += 1;
    }
    assert_eq!(*changed.lock().unwrap(), 3);
}

#[tokio::test]
async fn a_default_written_as_text_is_read_where_its_type_is_not_made_from_text() {
    #[derive(Deserialize, Clone, Debug, PartialEq)]
    #[serde(try_from = "String")]
    struct Even(String);
    impl TryFrom<String> for Even {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            match text.len() % 2 {
                0 => Ok(Even(text)),
                _ => Err("is not even".to_owned()),
            }
        }
    }
    #[derive(Flux)]
    struct App {
        #[flux(default = "abcd")]
        even: Even,
        #[flux(default = "abcd")]
        maybe: Option<Even>,
        #[flux(default = "8")]
        port: std::num::NonZeroU16,
    }
    let app = applied::<App>(Format::Json, "{}").await;
    assert_eq!(app.even, Even("abcd".to_owned()));
    assert_eq!(app.maybe, Some(Even("abcd".to_owned())));
    assert_eq!(app.port.get(), 8);
}

#[tokio::test]
async fn a_default_that_its_type_cannot_read_is_refused_before_the_start_whether_it_is_needed_or_not()
 {
    #[derive(Flux)]
    #[allow(dead_code)]
    struct Section {
        #[flux(default = "0")]
        zero: std::num::NonZeroU16,
    }
    #[derive(Flux)]
    #[allow(dead_code)]
    struct Wrong {
        #[flux(nested)]
        section: BTreeMap<String, Section>,
    }
    #[derive(Flux)]
    #[allow(dead_code)]
    struct Item {
        #[flux(default = ["8", "x"])]
        ports: Vec<std::num::NonZeroU16>,
    }
    #[derive(Flux)]
    #[allow(dead_code)]
    struct Secret {
        #[flux(default = "hunter2", secret)]
        pin: std::num::NonZeroU16,
    }
    fn refused<C: flux::Config>() -> String {
        let (_, channel) = Channel::buffered("app", 1);
        let source = Source::watcher(channel).format(Format::Json);
        let error = Capacitor::<C>::builder().source(source).build().err();
        error.expect("a wrong default").to_string()
    }
    let error = refused::<Wrong>();
    for part in [
        "`section.zero`: the default `0` cannot be read: ",
        "write a default that its type reads (",
        "values_documents.rs, line ",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = refused::<Item>();
    assert!(
        error.contains("`ports`: the default `x` cannot be read"),
        "{error}"
    );
    let error = refused::<Secret>();
    assert!(
        error.contains("`pin`: its default cannot be read"),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}
