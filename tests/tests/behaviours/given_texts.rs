//! Layers whose values are texts or trees: variables, the files of a folder, codecs of the program, providers. What is wrong in them is
//! reported as it is of a document.

#![allow(clippy::result_large_err)] // figment's own error.

use flux::{
    Builder, Capacitor, Error, Flux, Format, Report, Source, Unknown,
    codec::{Codec, Tree},
    figment::{
        self, Figment, Metadata, Profile, Provider,
        providers::Serialized,
        value::{Dict, Map},
    },
    source::Channel,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Flux, Debug)]
struct App {
    #[flux(default)]
    numbers: Vec<u8>,
    #[flux(default)]
    ports: BTreeMap<String, u16>,
    #[flux(default)]
    rows: Vec<BTreeMap<String, u8>>,
    #[flux(default)]
    pair: Option<(u8, u8)>,
    #[flux(nested, default)]
    pools: Vec<Pool>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested)]
    pool: Pool,
    #[flux(default)]
    features: BTreeMap<String, bool>,
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(default = 1)]
    max_size: u32,
    #[flux(default)]
    sizes: Vec<u8>,
}

/// Texts under their keys.
struct Texts(&'static [(&'static str, &'static str)]);

impl Codec for Texts {
    fn name(&self) -> &str {
        "texts"
    }
    fn decode(&self, _: &str) -> Result<Tree, String> {
        let texts = self.0.iter();
        let raw = texts.map(|(key, text)| ((*key).to_owned(), Tree::Raw((*text).to_owned())));
        Ok(Tree::Map(raw.collect()))
    }
}

/// A tree without any text.
struct Plain(Value);

impl Codec for Plain {
    fn name(&self) -> &str {
        "plain"
    }
    fn decode(&self, _: &str) -> Result<Tree, String> {
        serde_json::from_value(self.0.clone()).map_err(|error| error.to_string())
    }
}

impl Provider for Plain {
    fn metadata(&self) -> Metadata {
        Metadata::named("plain")
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Serialized::defaults(&self.0).data()
    }
}

/// As figment's own provider of every variable of the process.
struct WholeEnvironment(Vec<(&'static str, &'static str)>);

impl Provider for WholeEnvironment {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment variable(s)")
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Serialized::defaults(BTreeMap::from_iter(self.0.iter().copied())).data()
    }
}

/// What a builder with one layer more gives: its refusal, or the warnings.
async fn outcome(layer: impl FnOnce(Builder<App>) -> Builder<App>) -> (Vec<String>, bool) {
    let paths = |report: &Report| {
        let paths = report.problems().iter().map(|one| one.path.to_string());
        paths.collect::<Vec<_>>()
    };
    let capacitor = layer(Capacitor::<App>::builder().manual()).build().unwrap();
    match capacitor.start().await {
        Ok(()) => {
            let status = capacitor.status();
            let warnings = status.warnings.iter().map(|one| one.path.to_string());
            (warnings.collect(), false)
        }
        Err(Error::Refused(report)) => (paths(&report), true),
        Err(other) => panic!("{other}"),
    }
}

async fn channel(codec: impl Codec + 'static) -> Source {
    let (sender, channel) = Channel::buffered("channel", 1);
    sender.send("x".as_bytes()).await.unwrap();
    Source::watcher(channel).codec(codec)
}

fn folder(texts: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in texts {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn variables(texts: &[(&str, &str)]) -> Source {
    let named = texts.iter().map(|(key, text)| {
        let name = format!("APP_{}", key.to_uppercase().replace('.', "_"));
        (name, (*text).to_owned())
    });
    Source::env("APP_").variables(named.collect::<Vec<_>>())
}

/// The outcome of texts in each kind of layer, which is the same one.
async fn of_texts(texts: &'static [(&str, &str)], unknown: Unknown) -> (Vec<String>, bool) {
    let of_variables = outcome(|builder| builder.unknown(unknown).source(variables(texts))).await;
    let folder = folder(texts);
    let files = Source::dir(folder.path());
    let of_files = outcome(|builder| builder.unknown(unknown).source(files)).await;
    let codec = channel(Texts(texts)).await;
    let of_codec = outcome(|builder| builder.unknown(unknown).source(codec)).await;
    let sorted = |(mut paths, refused): (Vec<String>, bool)| {
        paths.sort_unstable();
        (paths, refused)
    };
    let all = [of_variables, of_files, of_codec].map(sorted);
    assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
    all[0].clone()
}

/// The same of values, in a codec and in a provider.
async fn of_values(values: &Value, unknown: Unknown) -> (Vec<String>, bool) {
    let codec = channel(Plain(values.clone())).await;
    let of_codec = outcome(|builder| builder.unknown(unknown).source(codec)).await;
    let provider = Plain(values.clone());
    let of_provider = outcome(|builder| builder.unknown(unknown).provider(provider)).await;
    let sorted = |(mut paths, refused): (Vec<String>, bool)| {
        paths.sort_unstable();
        (paths, refused)
    };
    let (of_codec, of_provider) = (sorted(of_codec), sorted(of_provider));
    assert_eq!(of_codec, of_provider);
    of_codec
}

/// Names with their texts, and what is reported of them.
type TextsAndPaths = (
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

#[rustfmt::skip]
const BAD: &[TextsAndPaths] = &[
    (&[("numbers", "x,1,y,300")], &["numbers[0]", "numbers[2]", "numbers[3]"]),
    (&[("numbers", r#"["x", 1, 300]"#)], &["numbers[0]", "numbers[2]"]),
    (&[("ports", "a=x,b=1,c=70000")], &["ports.a", "ports.c"]),
    (&[("ports", r#"{"a": "x", "b": 1, "c": -1}"#)], &["ports.a", "ports.c"]),
    (&[("rows", "[{a=x,b=1,c=y},{},{d=300}]")], &["rows[0].a", "rows[0].c", "rows[2].d"]),
    (&[("pools", "[{max_size=x,sizes=[a,1,b]},{max_size=y}]")],
        &["pools[0].max_size", "pools[0].sizes[0]", "pools[0].sizes[2]", "pools[1].max_size"]),
    (&[("tenants", r#"{"a": {"sizes": [256, 1, 257]}, "b": {"max_size": -1}}"#)],
        &["tenants.a.sizes[0]", "tenants.a.sizes[2]", "tenants.b.max_size"]),
    // Items that have types of their own are one value.
    (&[("pair", "x,y")], &["pair[0]"]),
];

#[tokio::test]
async fn every_bad_element_of_a_text_is_reported_with_its_index_or_key() {
    for (texts, paths) in BAD {
        let (found, refused) = of_texts(texts, Unknown::Warn).await;
        assert_eq!((found, refused), (to_owned(paths), true), "{texts:?}");
    }
}

#[tokio::test]
async fn every_bad_element_of_a_value_is_reported_with_its_index_or_key() {
    for (values, paths) in [
        (
            json!({"numbers": ["x", 1, 300]}),
            vec!["numbers[0]", "numbers[2]"],
        ),
        (
            json!({"ports": {"a": "x", "b": 1, "c": 70000}}),
            vec!["ports.a", "ports.c"],
        ),
        (
            json!({"rows": [{"a": "x", "b": []}, {"c": {}}]}),
            vec!["rows[0].a", "rows[0].b", "rows[1].c"],
        ),
        (
            json!({"tenants": {"t": {"sizes": [1, 256, 257]}}}),
            vec!["tenants.t.sizes[1]", "tenants.t.sizes[2]"],
        ),
    ] {
        let (found, refused) = of_values(&values, Unknown::Warn).await;
        assert_eq!((found, refused), (to_owned(&paths), true), "{values}");
    }
}

/// The report is bounded, and its cost is: each text is parsed once, and no element is decoded again and again.
#[tokio::test]
async fn of_very_many_bad_elements_the_first_are_reported_and_the_rest_is_counted() {
    let text: &'static str = Box::leak("x,".repeat(20_000).into_boxed_str());
    let texts: &'static [(&str, &str)] = Box::leak(Box::new([("numbers", text)]));
    let codec = channel(Texts(texts)).await;
    let begin = std::time::Instant::now();
    let (found, refused) = outcome(|builder| builder.source(codec)).await;
    assert!(
        refused && found.len() > 90 && found.len() <= 101,
        "{}",
        found.len()
    );
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn an_unknown_key_within_a_text_is_reported_as_in_a_document() {
    let cases: [TextsAndPaths; 4] = [
        (&[("pools", "[{},{max_szie=1}]")], &["pools[1].max_szie"]),
        (&[("pools", r#"[{"max_szie": 1}]"#)], &["pools[0].max_szie"]),
        (
            &[("tenants", "{a={max_szie=1,size=2},b={}}")],
            &["tenants.a.max_szie", "tenants.a.size"],
        ),
        // A leaf decides what it accepts.
        (&[("ports", "anything=1")], &[]),
    ];
    for (texts, paths) in cases {
        for (unknown, warned, refuses) in [
            (Unknown::Warn, true, false),
            (Unknown::Deny, true, true),
            (Unknown::Ignore, false, false),
        ] {
            let (found, refused) = of_texts(texts, unknown).await;
            let expected = if warned { to_owned(paths) } else { Vec::new() };
            assert_eq!(found, expected, "{texts:?} {unknown:?}");
            assert_eq!(
                refused,
                refuses && !paths.is_empty(),
                "{texts:?} {unknown:?}"
            );
        }
    }
}

/// A section as a whole is a text in a file of a folder, and in a codec; a variable of that name is not read, and reported as that.
#[tokio::test]
async fn an_unknown_key_within_the_text_of_a_section_is_reported() {
    let texts: &'static [(&str, &str)] = &[("pool", r#"{"max_szie": 1}"#)];
    let folder = folder(texts);
    let files = Source::dir(folder.path());
    let (found, _) = outcome(|builder| builder.source(files)).await;
    assert_eq!(found, ["pool.max_szie"]);
    let codec = channel(Texts(texts)).await;
    let (found, refused) = outcome(|builder| builder.unknown(Unknown::Deny).source(codec)).await;
    assert_eq!((found, refused), (vec!["pool.max_szie".to_owned()], true));
    let (found, _) = outcome(|builder| builder.source(variables(texts))).await;
    assert_eq!(found, ["pool"]);
}

#[tokio::test]
async fn an_unknown_key_of_a_value_is_reported_as_in_a_document() {
    for (values, paths) in [
        (json!({"pool": {"max_szie": 1}}), vec!["pool.max_szie"]),
        (
            json!({"pools": [{}, {"a": 1}], "prot": 1}),
            vec!["pools[1].a", "prot"],
        ),
        (
            json!({"tenants": {"t": {"max_szie": null}}}),
            vec!["tenants.t.max_szie"],
        ),
        (json!({"ports": {"anything": 1}}), vec![]),
    ] {
        let expected = to_owned(&paths);
        let (found, refused) = of_values(&values, Unknown::Warn).await;
        assert_eq!((&found, refused), (&expected, false), "{values}");
        let (found, refused) = of_values(&values, Unknown::Deny).await;
        assert_eq!((found, refused), (expected, !paths.is_empty()), "{values}");
        let (found, refused) = of_values(&values, Unknown::Ignore).await;
        assert_eq!((found, refused), (Vec::new(), false), "{values}");
    }
}

/// The program that is ported from figment, and that misspells: `APP_POOL_MAX_SZIE` of a whole environment is near a key.
#[tokio::test]
async fn of_the_whole_environment_in_a_provider_only_what_is_near_a_key_is_reported() {
    let set = [("path", "/bin"), ("home", "/"), ("nmubers", "[1]")];
    for (set, expected) in [(&set[..2], vec![]), (&set[..], vec!["nmubers".to_owned()])] {
        let provider = WholeEnvironment(set.to_vec());
        let outcome = outcome(|builder| builder.unknown(Unknown::Deny).provider(provider)).await;
        assert_eq!(outcome, (expected.clone(), !expected.is_empty()));
    }
    let figment = Figment::from(Serialized::default("pool.max_szie", 1)).merge(("nmubers", [1]));
    let (found, _) = outcome(|builder| builder.provider(figment)).await;
    assert_eq!(found, ["pool.max_szie", "nmubers"]);
}

/// Names that no field has: what is suggested can be set.
#[tokio::test]
async fn what_is_suggested_of_a_variable_is_a_variable_that_is_read() {
    let cases = [
        (
            "APP_?separator=__",
            "APP_FEATURES__A__B",
            "features",
            "the key of an entry of `features`, and nothing else",
        ),
        (
            "APP_?separator=__",
            "APP_FEATURS__A__B",
            "features",
            "the key of an entry of `features`, and nothing else",
        ),
        (
            "APP_?separator=__",
            "APP_FEATURE__A",
            "features",
            "did you mean `APP_FEATURES__A`?",
        ),
        (
            "APP_?separator=__",
            "APP_POOL",
            "pool",
            "`pool` is a section, and its fields have variables, such as `APP_POOL__MAX_SIZE`",
        ),
        (
            "APP_",
            "APP_POOL",
            "pool",
            "`pool` is a section, and its fields have variables, such as `APP_POOL_MAX_SIZE`",
        ),
        (
            "APP_",
            "APP_FEATURE_A",
            "features",
            "did you mean `APP_FEATURES_A`?",
        ),
        (
            "APP_",
            "APP_POOL_0_MAX_SIZE",
            "pools",
            "did you mean `APP_POOLS_0_MAX_SIZE`?",
        ),
        (
            "APP_",
            "APP_TENANT_X",
            "tenants",
            "behind `APP_TENANTS_` is the key of an entry of `tenants` and the name of one of its fields",
        ),
        (
            "APP_",
            "APP_POOL_MAX_SIZE_A",
            "pool.max_size",
            "did you mean `APP_POOL_MAX_SIZE`?",
        ),
    ];
    for (prefix, name, path, expected) in cases {
        let variables = [(name.to_owned(), "1".to_owned())];
        let builder = Capacitor::<App>::builder().manual();
        let capacitor = builder.source(Source::env(prefix).variables(variables));
        let capacitor = capacitor.build().unwrap();
        capacitor.start().await.unwrap();
        let status = capacitor.status();
        let [warning] = &status.warnings[..] else {
            panic!("{name}: {:?}", status.warnings);
        };
        assert_eq!(warning.path.as_str(), path, "{warning}");
        assert!(warning.message.contains(expected), "{warning}");
    }
}

/// Variables of entries are read anew with the keys of the layers below; what is warned of is not lost with that.
#[tokio::test]
async fn the_warnings_of_an_environment_with_entries_are_those_of_its_newest_reading() {
    let (sender, channel) = Channel::buffered("channel", 4);
    let set = [
        ("APP_TENANTS_DARK_MODE_MAX_SIZE", "3"),
        ("APP_TENANTS_A", "{max_szie=1}"),
        ("APP_NUMBRES", "1"),
    ];
    let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(channel).format(Format::Yaml))
        .override_with(Source::env("APP_").variables(set))
        .build()
        .unwrap();
    let warnings = || {
        let status = capacitor.status();
        let warnings = status.warnings.iter();
        let named = warnings.map(|one| (one.variable.clone().unwrap(), one.path.to_string()));
        let mut named: Vec<_> = named.collect();
        named.sort_unstable();
        named
    };
    let named = |key: &str| {
        let of = |name: &str, path: &str| (name.to_owned(), path.to_owned());
        vec![
            of("APP_NUMBRES", "numbers"),
            of("APP_TENANTS_A", &format!("tenants.{key}.max_szie")),
        ]
    };
    sender
        .send("tenants: {dark-mode: {}}".as_bytes())
        .await
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(warnings(), named("a"));
    assert_eq!(capacitor.get().tenants["dark-mode"].max_size, 3);
    // The entry is spelt otherwise from now on.
    sender
        .send("tenants: {dark_mode: {}, A: {}}".as_bytes())
        .await
        .unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(warnings(), named("A"));
    assert_eq!(capacitor.get().tenants["dark_mode"].max_size, 3);
    sender.send("tenants: {A: {}}".as_bytes()).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(warnings(), named("A"));
}

fn to_owned(paths: &[&str]) -> Vec<String> {
    let mut paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    paths.sort_unstable();
    paths
}
