//! Layers and the reducer.

use crate::by_hand;
use flux::{Capacitor, Flux, Format, Source, State, Unknown, source::Channel};
use std::collections::{BTreeMap, BTreeSet, HashMap};

#[derive(Flux, Debug, PartialEq)]
struct App {
    #[flux(default = 1)]
    size: u32,
    #[flux(default, merge = "append")]
    plugins: Vec<String>,
    #[flux(default, merge = "prepend")]
    path: Vec<String>,
    #[flux(default, merge = "union")]
    tags: BTreeSet<String>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default, merge = "replace")]
    only: BTreeMap<String, String>,
    #[flux(default, merge = longest)]
    name: String,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested)]
    tls: Option<Tls>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    upstreams: Vec<Pool>,
}

fn longest(below: &mut String, top: &String) {
    if top.len() > below.len() {
        below.clone_from(top);
    }
}

#[derive(Flux, Debug, PartialEq)]
struct Pool {
    #[flux(default = 10)]
    max: u32,
    #[flux(default = 1)]
    min: u32,
}

#[derive(Flux, Debug, PartialEq)]
struct Tls {
    cert: String,
}

async fn merged(layers: &[&str]) -> Capacitor<App> {
    let mut builder = Capacitor::<App>::builder().manual();
    for (i, document) in layers.iter().enumerate() {
        let (sender, channel) = Channel::buffered(format!("layer {i}"), 4);
        sender.send(document.as_bytes()).await.unwrap();
        builder = builder.source(Source::watcher(channel).format(Format::Yaml));
    }
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap();
    capacitor
}

#[tokio::test]
async fn every_merge_rule_does_what_its_name_says() {
    let app = merged(&[
        "size: 2\nplugins: [a]\npath: [x]\ntags: [r]\nlabels: {k: 1, l: 1}\nonly: {k: 1}\nname: longer",
        "size: 3\nplugins: [b]\npath: [y]\ntags: [s, r]\nlabels: {k: 2}\nonly: {l: 2}\nname: short",
    ])
    .await
    .get();
    assert_eq!(app.size, 3);
    assert_eq!(app.plugins, ["a", "b"]);
    assert_eq!(app.path, ["y", "x"]);
    assert_eq!(app.tags.iter().collect::<Vec<_>>(), ["r", "s"]);
    assert_eq!(
        app.labels,
        BTreeMap::from([("k".into(), "2".into()), ("l".into(), "1".into())])
    );
    assert_eq!(app.only, BTreeMap::from([("l".into(), "2".into())]));
    assert_eq!(app.name, "longer");
}

#[tokio::test]
async fn sections_merge_field_by_field_and_maps_of_sections_by_key() {
    let app = merged(&[
        "pool: {max: 5}\ntls: {cert: c}\ntenants: {a: {max: 1}, b: {max: 2}}\nupstreams: [{max: 1}, {}]",
        "pool: {min: 2}\ntenants: {a: {min: 9}, b: null, c: {}}",
    ])
    .await
    .get();
    assert_eq!(app.pool, Pool { max: 5, min: 2 });
    assert_eq!(app.tls, Some(Tls { cert: "c".into() }));
    assert_eq!(app.tenants["a"], Pool { max: 1, min: 9 });
    assert_eq!(app.tenants.keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(
        app.upstreams,
        [Pool { max: 1, min: 1 }, Pool { max: 10, min: 1 }]
    );
}

#[tokio::test]
async fn a_section_that_no_layer_has_is_made_of_its_fields_own_defaults() {
    let capacitor = merged(&["size: 2", "labels: {a: b}"]).await;
    let now = capacitor.get();
    assert_eq!(now.pool, Pool { max: 10, min: 1 });
    assert_eq!(now.tls, None, "an optional one is not there");
}

#[tokio::test]
async fn null_turns_an_optional_section_off_and_says_nothing_on_a_required_one() {
    let app = merged(&["pool: {max: 5}\ntls: {cert: c}", "pool: ~\ntls: ~"])
        .await
        .get();
    assert_eq!(app.pool.max, 5);
    assert_eq!(app.tls, None);
}

#[derive(Flux)]
struct Fleet {
    #[flux(nested, default)]
    sorted: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    hashed: HashMap<String, Pool>,
}

#[tokio::test]
async fn every_change_of_a_map_of_sections_is_applied_and_no_other_document_is() {
    let steps = [
        ("{b: {max: 1}, d: {max: 2}, f: {max: 3}}", true),
        ("{f: {max: 3}, d: {max: 2}, b: {max: 1}}", false),
        ("{b: {max: 1, min: 1}, d: {max: 2}, f: {max: 3}}", false),
        ("{b: {max: 1}, d: {max: 2}, f: {max: 4}}", true),
        ("{a: {}, b: {max: 1}, d: {max: 2}, f: {max: 4}}", true),
        ("{a: {}, b: {max: 9}, d: {max: 2}, f: {max: 4}}", true),
        ("{b: {max: 9}, d: {max: 2}, f: {max: 4}}", true),
        ("{b: {max: 9}, d: {max: 2}}", true),
        ("{b: {max: 9}, c: {max: 2}}", true),
        ("{b: {max: 9}, c: {max: 2}, g: {}}", true),
        ("{}", true),
        ("{} # nothing", false),
    ];
    for key in ["sorted", "hashed"] {
        let (capacitor, sender) = by_hand::<Fleet>(|builder| builder);
        sender.send(&b"{}"[..]).await.unwrap();
        capacitor.start().await.unwrap();
        for (map, changed) in steps {
            let before = capacitor.status().generation;
            let document = format!("{key}: {map}");
            sender.send(document.clone().into_bytes()).await.unwrap();
            assert!(capacitor.process().await.unwrap());
            assert_eq!(capacitor.state(), State::Healthy, "{document}");
            let applied = capacitor.status().generation - before;
            assert_eq!(applied, u64::from(changed), "{document}");
        }
    }
}

#[tokio::test]
async fn an_optional_layer_that_is_absent_contributes_nothing() {
    let (one, first) = Channel::buffered("one", 4);
    let (two, second) = Channel::buffered("two", 4);
    one.send(&b"size: 5"[..]).await.unwrap();
    two.absent().await.unwrap();
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(first).format(Format::Yaml))
        .override_with(Source::watcher(second).format(Format::Yaml).optional())
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(
        (capacitor.state(), capacitor.get().size),
        (State::Healthy, 5)
    );
    two.send(&b"size: 6"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.get().size, 6);
    two.absent().await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(
        (capacitor.state(), capacitor.get().size),
        (State::Healthy, 5)
    );
}

#[tokio::test]
async fn one_bad_layer_does_not_block_the_good_updates_of_another() {
    let (one, first) = Channel::buffered("one", 4);
    let (two, second) = Channel::buffered("two", 4);
    one.send(&b"size: 1"[..]).await.unwrap();
    two.send(&b"name: a"[..]).await.unwrap();
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(first).format(Format::Yaml))
        .source(Source::watcher(second).format(Format::Yaml))
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    one.send(&b"size: x"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    two.send(&b"name: b"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.get().name, "b");
    assert_eq!(
        capacitor.state(),
        State::Degraded,
        "the first layer's newest content is still refused"
    );
    assert!(capacitor.last_error().unwrap().to_string().contains("size"));
    one.send(&b"size: 3"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(
        (capacitor.state(), capacitor.get().size),
        (State::Healthy, 3)
    );
}

#[tokio::test]
async fn later_layers_win_and_overrides_win_over_every_source_wherever_they_were_declared() {
    let (mut builder, mut senders) = (Capacitor::<App>::builder().manual(), Vec::new());
    let layers = [
        ("override a", "size: 4\nplugins: [d]\npath: [d]"),
        ("source a", "size: 1\nplugins: [a]\npath: [a]\ntags: [a]"),
        ("override b", "size: 5\nplugins: [e]\npath: [e]"),
        ("source b", "size: 2\nplugins: [b]\npath: [b]\ntags: [b]"),
    ];
    for (name, document) in layers {
        let (sender, channel) = Channel::buffered(name, 4);
        sender.send(document.as_bytes()).await.unwrap();
        senders.push(sender);
        let source = Source::watcher(channel).format(Format::Yaml);
        builder = match name.starts_with("override") {
            true => builder.override_with(source),
            false => builder.source(source),
        };
    }
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap();
    let app = capacitor.get();
    assert_eq!(app.size, 5);
    assert_eq!(app.plugins, ["a", "b", "d", "e"]);
    assert_eq!(app.path, ["e", "d", "b", "a"]);
    let origins = capacitor
        .status()
        .layers
        .iter()
        .map(|layer| layer.origin.to_string())
        .collect::<Vec<_>>();
    assert_eq!(
        origins,
        ["source a", "source b", "override a", "override b"]
    );
    // A lower layer that changes does not win for being newer.
    senders[1]
        .send(&b"size: 9\nplugins: [z]"[..])
        .await
        .unwrap();
    capacitor.process().await.unwrap();
    let app = capacitor.get();
    assert_eq!(app.size, 5);
    assert_eq!(app.plugins, ["z", "b", "d", "e"]);
    assert_eq!(app.path, ["e", "d", "b"]);
}

#[tokio::test]
async fn attributes_declare_the_order_of_the_layers() {
    #[allow(clippy::duplicated_attributes)] // Two optional sources are no accident.
    #[derive(Flux)]
    #[flux(
        override("file:${FLUX_TEST_ORDER:-/nonexistent}/c.yaml", optional),
        source("file:${FLUX_TEST_ORDER:-/nonexistent}/a.yaml", optional),
        override = "env:FLUX_TEST_ORDER_NOTHING_",
        source("file:${FLUX_TEST_ORDER:-/nonexistent}/b.yaml", optional)
    )]
    struct Ordered {
        #[flux(default = 1)]
        n: u32,
    }
    let capacitor = Ordered::builder().build().unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 1);
    let origins = capacitor
        .status()
        .layers
        .iter()
        .map(|layer| layer.origin.to_string())
        .collect::<Vec<_>>();
    assert_eq!(
        origins,
        [
            "/nonexistent/a.yaml",
            "/nonexistent/b.yaml",
            "/nonexistent/c.yaml",
            "environment"
        ]
    );
}

#[tokio::test]
async fn a_layer_that_breaks_a_rule_does_not_block_another_one_either() {
    #[derive(Flux)]
    struct Two {
        #[flux(range = 1..=9)]
        a: u32,
        b: u32,
    }
    let (one, first) = Channel::buffered("one", 4);
    let (two, second) = Channel::buffered("two", 4);
    one.send(&b"a: 1"[..]).await.unwrap();
    two.send(&b"b: 1"[..]).await.unwrap();
    let capacitor = Capacitor::<Two>::builder()
        .manual()
        .source(Source::watcher(first).format(Format::Yaml))
        .source(Source::watcher(second).format(Format::Yaml))
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    one.send(&b"a: 10"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    two.send(&b"b: 2"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!((capacitor.get().a, capacitor.get().b), (1, 2));
    assert_eq!(capacitor.state(), State::Degraded);
}

#[tokio::test]
async fn a_reducer_of_the_users_replaces_the_generated_one() {
    type AppLayer = flux::LayerOf<App>;
    let (one, first) = Channel::buffered("one", 4);
    let (two, second) = Channel::buffered("two", 4);
    one.send(&b"size: 2"[..]).await.unwrap();
    two.send(&b"size: 3"[..]).await.unwrap();
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(first).format(Format::Yaml))
        .source(Source::watcher(second).format(Format::Yaml))
        .reducer(|previous: Option<&App>, layers: &[&AppLayer]| {
            let sum: u32 = layers.iter().filter_map(|layer| layer.size).sum();
            if sum > 50 {
                return Err("too much");
            }
            let before = previous.map_or(0, |app| app.size);
            Ok(AppLayer {
                size: Some(sum + before),
                ..AppLayer::default()
            })
        })
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().size, 5);
    two.send(&b"size: 4"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.get().size, 11);
    two.send(&b"size: 100"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert!(
        capacitor
            .last_error()
            .unwrap()
            .to_string()
            .contains("too much")
    );
}

#[tokio::test]
async fn every_layer_has_its_own_format_and_a_format_may_be_the_users() {
    struct Words;
    impl flux::codec::Codec for Words {
        fn name(&self) -> &str {
            "words"
        }
        fn decode(&self, text: &str) -> Result<flux::codec::Tree, String> {
            let pair = |line: &str| {
                let (key, value) = line.split_once(' ').ok_or("a line without a value")?;
                Ok((key.to_owned(), flux::codec::Tree::Raw(value.to_owned())))
            };
            text.lines()
                .map(pair)
                .collect::<Result<_, _>>()
                .map(flux::codec::Tree::Map)
        }
    }
    let mut builder = Capacitor::<App>::builder().manual();
    let documents = [
        ("{\"size\": 2}", Some(Format::Json)),
        ("name = \"toml\"", Some(Format::Toml)),
        ("plugins a,b", None),
    ];
    for (document, format) in documents {
        let (sender, channel) = Channel::buffered("channel", 4);
        sender.send(document.as_bytes()).await.unwrap();
        let source = Source::watcher(channel);
        builder = builder.source(match format {
            Some(format) => source.format(format),
            None => source.codec(Words),
        });
    }
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap();
    let app = capacitor.get();
    assert_eq!(
        (app.size, app.name.as_str(), app.plugins.len()),
        (2, "toml", 2)
    );
}

#[tokio::test]
async fn unknown_keys_are_refused_where_denied_and_passed_over_where_ignored() {
    for (unknown, state) in [
        (Unknown::Deny, State::Empty),
        (Unknown::Warn, State::Healthy),
        (Unknown::Ignore, State::Healthy),
    ] {
        let (capacitor, sender) = by_hand::<App>(|builder| builder.unknown(unknown));
        sender.send(&b"sise: 4\npool: {mxa: 1}"[..]).await.unwrap();
        let result = capacitor.start().await;
        assert_eq!(capacitor.state(), state);
        if let Err(error) = result {
            let text = error.to_string();
            assert!(
                text.contains("sise: unknown key, did you mean `size`?"),
                "{text}"
            );
            assert!(
                text.contains("pool.mxa: unknown key, did you mean `max`?"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_figment_provider_is_a_layer() {
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .provider(flux::figment::providers::Serialized::default("size", 42))
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().size, 42);
}

/// Clippy takes an argument that occurs twice for a mistake, unless each is a word of its own with a value.
#[deny(clippy::duplicated_attributes)]
mod missing {
    use flux::Flux;

    #[derive(Flux)]
    #[flux(
        optional_source = "file:never-there.yaml",
        optional_source = "file:nor-this.json",
        optional_override = "file:nor-that.toml",
        optional_override = "file:nor-another.toml"
    )]
    pub(super) struct Everywhere {
        #[flux(default = 7)]
        pub(super) n: u8,
    }
}

#[tokio::test]
async fn every_layer_may_be_missing_and_clippy_has_nothing_against_the_form() {
    let capacitor = missing::Everywhere::builder().manual().build().unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(capacitor.get().n, 7);
    assert_eq!(capacitor.status().layers.len(), 4);
}
