//! serde's attributes mean what they mean to serde: each is compared with what serde itself makes of the same document.

use crate::{applied, refusal};
use flux::{Capacitor, Config, Flux, Format, Source, source::Channel};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug};

/// The same document in all formats is what serde reads from the first.
async fn as_serde<C>(json: &str, yaml: &str, toml: &str) -> C
where
    C: Config + DeserializeOwned + PartialEq + Debug,
{
    let expected: C = serde_json::from_str(json).expect("what serde reads");
    for (format, document) in [
        (Format::Json, json),
        (Format::Yaml, yaml),
        (Format::Toml, toml),
    ] {
        let read = applied::<C>(format, document).await;
        assert_eq!(**read, expected, "{format}: {document}");
    }
    expected
}

#[tokio::test]
async fn rename_gives_a_field_its_key() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        #[serde(rename = "type")]
        kind: String,
        #[serde(rename(deserialize = "max size", serialize = "other"))]
        max: u32,
    }
    let app: App = as_serde(
        "{\"type\": \"a\", \"max size\": 2}",
        "type: a\nmax size: 2",
        "type = \"a\"\n\"max size\" = 2",
    )
    .await;
    assert_eq!((app.kind.as_str(), app.max), ("a", 2));
    let report = refusal::<App>(Format::Yaml, "kind: a\nmax: 2").await;
    let paths = report.problems().iter().map(|one| one.path.as_str());
    // The names in Rust are unknown keys.
    let expected = ["type", "max size", "kind", "max"];
    assert_eq!(paths.collect::<Vec<_>>(), expected, "{report}");
}

#[tokio::test]
async fn rename_all_gives_every_field_its_key() {
    macro_rules! cases {
        ($($name:ident $case:literal: $key:literal;)*) => {$({
            #[derive(Flux, Deserialize, Debug, PartialEq)]
            #[serde(rename_all = $case)]
            struct $name {
                max_body_2: u32,
                #[serde(rename = "own")]
                other_name: u32,
            }
            let app: $name = as_serde(
                concat!("{\"", $key, "\": 1, \"own\": 2}"),
                concat!($key, ": 1\nown: 2"),
                concat!($key, " = 1\nown = 2"),
            )
            .await;
            assert_eq!((app.max_body_2, app.other_name), (1, 2));
        })*};
    }
    cases! {
        Lower "lowercase": "max_body_2";
        Upper "UPPERCASE": "MAX_BODY_2";
        Pascal "PascalCase": "MaxBody2";
        Camel "camelCase": "maxBody2";
        Snake "snake_case": "max_body_2";
        Screaming "SCREAMING_SNAKE_CASE": "MAX_BODY_2";
        Kebab "kebab-case": "max-body-2";
        ScreamingKebab "SCREAMING-KEBAB-CASE": "MAX-BODY-2";
    }
}

#[tokio::test]
async fn every_alias_of_a_field_sets_it() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        #[serde(alias = "listen", alias = "bind-port")]
        port: u16,
        #[flux(nested)]
        #[serde(alias = "db")]
        database: Database,
    }
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct Database {
        #[serde(alias = "connections")]
        max: u32,
    }
    for key in ["port", "listen", "bind-port"] {
        let app: App = as_serde(
            &format!("{{\"{key}\": 1, \"db\": {{\"connections\": 2}}}}"),
            &format!("{key}: 1\ndb: {{connections: 2}}"),
            &format!("{key} = 1\n[db]\nconnections = 2"),
        )
        .await;
        assert_eq!((app.port, app.database.max), (1, 2));
    }
    let report = refusal::<App>(Format::Yaml, "db: {connections: x}\nlisten: 1").await;
    assert!(
        report.to_string().contains("db.connections: expected u32"),
        "{report}"
    );
}

#[tokio::test]
async fn an_alias_in_an_upper_layer_wins_over_the_name_in_a_lower_one() {
    #[derive(Flux)]
    struct App {
        #[serde(alias = "listen")]
        port: u16,
    }
    let mut builder = Capacitor::<App>::builder().manual();
    for document in ["port: 1", "listen: 2"] {
        let (sender, channel) = Channel::buffered("channel", 4);
        sender.send(document.as_bytes()).await.unwrap();
        builder = builder.source(Source::watcher(channel).format(Format::Yaml));
    }
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().port, 2);
}

/// A module for `with`.
mod hex {
    use super::*;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
        let text = String::deserialize(d)?;
        u32::from_str_radix(&text, 16)
            .map_err(|_| serde::de::Error::custom(format!("`{text}` is no hexadecimal number")))
    }
}

fn doubled<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    u32::deserialize(d).map(|n| n * 2)
}

#[tokio::test]
async fn with_and_deserialize_with_decode_the_field() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        #[serde(with = "hex")]
        colour: u32,
        #[serde(deserialize_with = "doubled", default)]
        twice: u32,
        #[serde(deserialize_with = "hex::deserialize", rename = "shade")]
        other: u32,
    }
    let app: App = as_serde(
        "{\"colour\": \"ff\", \"twice\": 4, \"shade\": \"10\"}",
        "colour: ff\ntwice: 4\nshade: '10'",
        "colour = \"ff\"\ntwice = 4\nshade = \"10\"",
    )
    .await;
    assert_eq!((app.colour, app.twice, app.other), (255, 8, 16));
    for (format, document, line) in [
        (Format::Json, "{\"shade\": \"1\",\n\"colour\": \"xyz\"}", 2),
        (Format::Yaml, "shade: '1'\ncolour: xyz", 2),
        (Format::Toml, "shade = \"1\"\ncolour = \"xyz\"", 2),
    ] {
        let report = refusal::<App>(format, document).await;
        let [problem] = report.problems() else {
            panic!("{report}");
        };
        assert_eq!(
            (
                problem.path.as_str(),
                problem.line,
                problem.message.as_str()
            ),
            ("colour", Some(line), "`xyz` is no hexadecimal number")
        );
    }
}

#[tokio::test]
async fn a_fields_default_is_its_types_or_its_functions() {
    fn seven() -> u32 {
        7
    }
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        #[serde(default)]
        plain: u32,
        #[serde(default = "seven")]
        function: u32,
        #[serde(default)]
        list: Vec<String>,
        #[serde(default)]
        map: BTreeMap<String, u32>,
        option: Option<u32>,
    }
    let empty: App = as_serde("{}", "{}", "# nothing\n[map]").await;
    assert_eq!((empty.plain, empty.function, empty.option), (0, 7, None));
    let set: App = as_serde(
        "{\"plain\": 1, \"function\": 2, \"list\": [\"a\"], \"map\": {\"k\": 1}, \"option\": 3}",
        "plain: 1\nfunction: 2\nlist: [a]\nmap: {k: 1}\noption: 3",
        "plain = 1\nfunction = 2\nlist = [\"a\"]\noption = 3\n[map]\nk = 1",
    )
    .await;
    assert_eq!((set.plain, set.function, set.option), (1, 2, Some(3)));
}

#[tokio::test]
async fn the_structs_default_fills_what_no_layer_sets() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    #[serde(default)]
    struct App {
        host: String,
        port: u16,
        #[serde(default)]
        own: u32,
        #[flux(nested)]
        pool: Pool,
    }
    impl Default for App {
        fn default() -> Self {
            App {
                host: "localhost".to_owned(),
                port: 8080,
                own: 9,
                pool: Pool { max: 5, min: 4 },
            }
        }
    }
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    #[serde(default = "pool")]
    struct Pool {
        max: u32,
        min: u32,
    }
    fn pool() -> Pool {
        Pool { max: 50, min: 40 }
    }
    let app: App = as_serde("{\"port\": 1}", "port: 1", "port = 1").await;
    assert_eq!((app.host.as_str(), app.port, app.own), ("localhost", 1, 0));
    assert_eq!(app.pool, Pool { max: 5, min: 4 });
    let app: App = as_serde(
        "{\"pool\": {\"max\": 6}}",
        "pool: {max: 6}",
        "[pool]\nmax = 6",
    )
    .await;
    assert_eq!(app.pool, Pool { max: 6, min: 40 });
}

#[tokio::test]
async fn a_skipped_field_is_in_no_document() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        port: u16,
        #[serde(skip)]
        cache: Vec<u32>,
        #[serde(skip_deserializing, default = "three")]
        counter: u32,
    }
    fn three() -> u32 {
        3
    }
    let app: App = as_serde(
        "{\"port\": 1, \"cache\": [1], \"counter\": 9}",
        "port: 1\ncache: [1]\ncounter: 9",
        "port = 1\ncache = [1]\ncounter = 9",
    )
    .await;
    assert_eq!((app.cache.len(), app.counter), (0, 3));
    let report = refusal::<App>(Format::Yaml, "port: x\ncache: [1]").await;
    assert!(
        report.to_string().contains("cache: unknown key"),
        "{report}"
    );
}

#[tokio::test]
async fn the_keys_of_a_flattened_section_stand_beside_the_others() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct App {
        name: String,
        #[flux(nested)]
        #[serde(flatten)]
        server: Server,
        last: u32,
    }
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct Server {
        #[flux(range = 1..=65535)]
        port: u16,
        #[flux(nested)]
        #[serde(flatten)]
        limits: Limits,
    }
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    struct Limits {
        #[serde(rename = "max-body", default)]
        max_body: u32,
    }
    let app: App = as_serde(
        "{\"last\": 3, \"max-body\": 2, \"port\": 1, \"name\": \"a\"}",
        "last: 3\nmax-body: 2\nport: 1\nname: a",
        "last = 3\nmax-body = 2\nport = 1\nname = \"a\"",
    )
    .await;
    assert_eq!((app.server.port, app.server.limits.max_body), (1, 2));
    for (format, document) in [
        (
            Format::Json,
            "{\"name\": \"a\", \"last\": 1,\n\"port\": 0,\n\"max-bdy\": 1}",
        ),
        (Format::Yaml, "name: a\nport: 0\nlast: 1\nmax-bdy: 1"),
        (
            Format::Toml,
            "name = \"a\"\nport = 0\nlast = 1\nmax-bdy = 1",
        ),
    ] {
        let report = refusal::<App>(format, document).await;
        let problem = &report.problems()[0];
        assert_eq!(
            (problem.path.as_str(), problem.line),
            ("port", Some(2)),
            "{report}"
        );
    }
    let report = refusal::<App>(Format::Yaml, "name: a\nport: x\nlast: 1\nmax-bdy: 1").await;
    let text = report.to_string();
    assert!(
        text.contains("max-bdy: unknown key, did you mean `max-body`?"),
        "{text}"
    );
    let twice = refusal::<App>(Format::Yaml, "name: a\nport: 1\nlast: 1\nport: 2").await;
    assert_eq!(twice.problems()[0].path, "port", "{twice}");
}

#[tokio::test]
async fn deny_unknown_fields_on_the_struct_with_the_sources_refuses_them_at_any_depth() {
    #[derive(Flux, Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    #[flux(source("file:never-there.yaml", optional))]
    struct App {
        #[serde(default)]
        n: u32,
        #[flux(nested)]
        #[serde(default)]
        inner: Inner,
    }
    #[derive(Flux, Deserialize, Debug, PartialEq, Default)]
    struct Inner {
        #[serde(default)]
        n: u32,
    }
    for (format, document) in [
        (Format::Json, "{\"m\": 1}"),
        (Format::Yaml, "m: 1"),
        (Format::Toml, "m = 1"),
        (Format::Yaml, "inner: {m: 1}"),
    ] {
        let (sender, channel) = Channel::buffered("app", 4);
        sender.send(document.as_bytes()).await.unwrap();
        let capacitor = App::builder()
            .clear_sources()
            .manual()
            .source(Source::watcher(channel).format(format))
            .build()
            .unwrap();
        let error = capacitor.start().await.expect_err("denied").to_string();
        assert!(error.contains("m: unknown key"), "{error}");
    }
}
