//! The configuration that readers see as a whole, and settings without effect.

use super::explain::over;
use flux::{Capacitor, Flux, Format, Source, inspect::ConfigValue, source::Channel};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

#[derive(Flux, Debug, Clone, PartialEq)]
struct App {
    #[flux(default = 8_080)]
    port: u16,
    #[flux(default = "10.0.0.1")]
    address: IpAddr,
    #[flux(default = Duration::from_secs(2 + 3))]
    timeout: Duration,
    #[flux(default = "30s")]
    wait: Duration,
    #[flux(default = 0x10, bytes)]
    size: u64,
    #[flux(default = -1.5)]
    ratio: f64,
    #[flux(default = 'x')]
    sign: char,
    name: Option<String>,
    #[flux(default = ["a", "b"], merge = "append")]
    hosts: Vec<String>,
    #[flux(default, merge = "union")]
    ports: BTreeSet<u16>,
    #[flux(default)]
    labels: BTreeMap<String, Option<String>>,
    #[flux(default)]
    weights: BTreeMap<u8, u32>,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested)]
    backup: Option<Box<Pool>>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Vec<Pool>>,
    #[flux(nested, default)]
    upstreams: Vec<Pool>,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Pool {
    #[flux(default = 1)]
    #[serde(alias = "minimum")]
    min: u32,
    #[flux(default = true)]
    lazy: bool,
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,3}",
        Just("1.10".to_owned()),
        Just("0x10".to_owned()),
        Just("yes".to_owned()),
        Just("null".to_owned()),
        Just("a: \"b\" # c\n\\é\u{1b}".to_owned()),
    ]
}

fn pool() -> impl Strategy<Value = serde_json::Value> {
    let min = proptest::option::of(0..9u32);
    (min, proptest::option::of(any::<bool>()), any::<bool>()).prop_map(|(min, lazy, alias)| {
        let mut map = serde_json::Map::new();
        if let Some(min) = min {
            let key = if alias { "minimum" } else { "min" };
            map.insert(key.to_owned(), min.into());
        }
        if let Some(lazy) = lazy {
            map.insert("lazy".to_owned(), lazy.into());
        }
        map.into()
    })
}

/// What a layer contains.
fn layer() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::json;
    let key = || "[ab1]";
    let or_null = |inner: BoxedStrategy<serde_json::Value>| prop_oneof![3 => inner, 1 => Just(serde_json::Value::Null)];
    let values: Vec<(&str, BoxedStrategy<serde_json::Value>)> = vec![
        ("port", (1..9u16).prop_map(|n| json!(n)).boxed()),
        (
            "wait",
            (1..9u16).prop_map(|n| json!(format!("{n}s"))).boxed(),
        ),
        (
            "timeout",
            (1..9u16).prop_map(|n| json!(format!("{n}ms"))).boxed(),
        ),
        (
            "size",
            (1..9u16).prop_map(|n| json!(format!("{n}KiB"))).boxed(),
        ),
        (
            "ratio",
            (1..9u16).prop_map(|n| json!(f64::from(n) / 4.0)).boxed(),
        ),
        ("sign", Just(json!("1")).boxed()),
        (
            "name",
            or_null(word().prop_map(|text| json!(text)).boxed()).boxed(),
        ),
        (
            "hosts",
            proptest::collection::vec(word(), 0..3)
                .prop_map(|list| json!(list))
                .boxed(),
        ),
        (
            "ports",
            proptest::collection::btree_set(1..5u16, 0..3)
                .prop_map(|set| json!(set))
                .boxed(),
        ),
        (
            "labels",
            proptest::collection::btree_map(word(), proptest::option::of(word()), 0..3)
                .prop_map(|map| json!(map))
                .boxed(),
        ),
        (
            "weights",
            proptest::collection::btree_map(1..4u8, 0..9u32, 0..3)
                .prop_map(|map| json!(map))
                .boxed(),
        ),
        ("pool", pool().boxed()),
        ("backup", or_null(pool().boxed()).boxed()),
        (
            "tenants",
            proptest::collection::btree_map(
                key(),
                or_null(
                    proptest::collection::vec(pool(), 0..3)
                        .prop_map(|list| json!(list))
                        .boxed(),
                ),
                0..3,
            )
            .prop_map(|map| json!(map))
            .boxed(),
        ),
        (
            "upstreams",
            proptest::collection::vec(pool(), 0..3)
                .prop_map(|list| json!(list))
                .boxed(),
        ),
    ];
    let fields: Vec<_> = (values.into_iter())
        .map(|(name, value)| (Just(name), proptest::option::weighted(0.5, value)))
        .collect();
    fields.prop_map(|fields| {
        let set = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        serde_json::Value::Object(set.collect())
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn what_is_printed_decodes_to_what_readers_see(
        lower in layer(),
        upper in layer(),
        variable in proptest::option::of(0..9u8),
    ) {
        let (lower, upper) = (lower.to_string(), upper.to_string());
        let documents = [("lower", Format::Json, &*lower), ("upper", Format::Json, &*upper)];
        let number: &'static str = ["0", "1", "2", "3", "4", "5", "6", "7", "8"][variable.unwrap_or(0) as usize];
        let variables: &[_] = match variable {
            None => &[],
            Some(_) => &[("APP_POOL_MIN", number), ("APP_LABELS_A", number), ("APP_HOSTS", "x,1.0")],
        };
        block_on(async {
            let app = over::<App>(&documents, variables).await;
            let effective = app.effective().unwrap();
            for format in [Format::Json, Format::Jsonc, Format::Json5, Format::Yaml, Format::Toml] {
                let with_null = effective.print(Format::Json).contains("null");
                if format == Format::Toml && with_null {
                    continue;
                }
                for effective in [effective.clone(), effective.clone().with_origins()] {
                    let text = effective.print(format);
                    let again = over::<App>(&[("again", format, &text)], &[]).await;
                    assert_eq!(*again.get(), *app.get(), "{text}");
                }
            }
            // One path at a time gives the same.
            for one in app.explain_all().unwrap() {
                let alone = app.explain(one.path.as_str()).unwrap();
                assert_eq!(alone.value, one.value);
            }
        });
    }
}

#[derive(Flux, Debug)]
struct Service {
    #[flux(default = 80)]
    port: u16,
    #[flux(default = Duration::from_secs(2 + 3))]
    timeout: Duration,
    #[flux(secret)]
    token: String,
    #[flux(secret, default = "changeit")]
    salt: String,
    #[flux(nested)]
    pool: Pool,
    note: Option<String>,
}

const SERVICE: &str =
    "port: 80\ntoken: hunter2-and-more\npool: {min: 3}\nprot: 1\nnote: hunter2-and-more is it";

#[tokio::test]
async fn each_line_has_its_origin_if_asked_and_secrets_are_left_out() {
    let documents = [
        ("lower.yaml", Format::Yaml, "port: 81"),
        ("app.yaml", Format::Yaml, SERVICE),
    ];
    let app = over::<Service>(&documents, &[("APP_POOL_MIN", "3")]).await;
    let effective = app.effective().unwrap();
    let line = |path| app.explain(path).unwrap().default.unwrap().line;
    let expected = format!(
        "port: 80  # app.yaml:1:7
# timeout:  # default: `Duration::from_secs(2 + 3)`, at {file}:{timeout}
token: \"<secret>\"  # app.yaml:2:8
# salt:  # default: at {file}:{salt}
pool:
  min: 3  # variable APP_POOL_MIN
  lazy: true  # default at {file}:{lazy}
# withheld: it has the text of a secret, or of what could be one, at app.yaml:2:8
note: \"<secret>\"  # app.yaml:5:7
",
        file = file!(),
        timeout = line("timeout"),
        salt = line("salt"),
        lazy = line("pool.lazy"),
    );
    assert_eq!(effective.clone().with_origins().to_string(), expected);
    let toml = effective.print(Format::Toml);
    assert!(
        toml.starts_with("port = 80\n# timeout =  # default: `Dur"),
        "{toml}"
    );
    assert!(
        toml.ends_with("note = \"<secret>\"\n\n[pool]\nmin = 3\nlazy = true\n"),
        "{toml}"
    );
    let json = serde_json::to_value(&effective).unwrap();
    assert_eq!(json["pool"], serde_json::json!({"min": 3, "lazy": true}));
    assert_eq!(json["token"], "<secret>");
    assert!(json.get("timeout").is_none());
}

#[tokio::test]
async fn settings_without_effect_are_listed() {
    let documents = [
        ("lower.yaml", Format::Yaml, "port: 81"),
        ("app.yaml", Format::Yaml, SERVICE),
    ];
    let app = over::<Service>(
        &documents,
        &[("APP_POOL_MIN", "3"), ("APP_POOL_LAZY", "true")],
    )
    .await;
    let silent: Vec<String> = app
        .silent()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        silent,
        [
            "`port` at lower.yaml:1:7 has no effect: app.yaml:1:7 hides it",
            "`pool.min` at app.yaml:3:13 has no effect: variable APP_POOL_MIN hides it",
            "`pool.min` at variable APP_POOL_MIN counts, and changes nothing: app.yaml:3:13 has the same value",
            "`pool.lazy` at variable APP_POOL_LAZY has no effect: the default is the same value",
            "`prot` at app.yaml:4:7 has no effect: unknown key, did you mean `port`?",
        ]
    );
}

#[derive(Flux, Debug, PartialEq)]
struct Folder {
    #[flux(default)]
    hosts: Vec<String>,
    #[flux(nested)]
    pool: Pool,
}

#[tokio::test]
async fn a_folder_and_a_provider_are_layers_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pool.min"), "7\n").unwrap();
    std::fs::write(folder.path().join("hosts"), "a,b").unwrap();
    let provider = flux::figment::providers::Serialized::default("pool.lazy", false);
    let app = Capacitor::<Folder>::builder()
        .manual()
        .source(Source::dir(folder.path().to_str().unwrap()))
        .source(Source::provider(provider))
        .build()
        .unwrap();
    app.start().await.unwrap();
    let min = app.explain("pool.min").unwrap();
    assert_eq!(min.value, Some(ConfigValue::Number("7".to_owned())));
    assert!(min.settings[0].origin.starts_with("dir:"), "{min}");
    let lazy = app.explain("pool.lazy").unwrap();
    assert!(lazy.settings[0].origin.starts_with("provider "), "{lazy}");
    let again = over::<Folder>(
        &[("again", Format::Yaml, &app.effective().unwrap().to_string())],
        &[],
    )
    .await;
    assert_eq!(*again.get(), *app.get());
}

#[tokio::test]
async fn a_document_whose_places_are_not_known_is_explained_without_them() {
    struct Words;
    impl flux::codec::Codec for Words {
        fn name(&self) -> &str {
            "words"
        }
        fn decode(&self, text: &str) -> Result<flux::codec::Tree, String> {
            let pair = |line: &str| {
                let (key, value) = line.split_once(' ')?;
                Some((key.to_owned(), flux::codec::Tree::Raw(value.to_owned())))
            };
            Ok(flux::codec::Tree::Map(
                text.lines().filter_map(pair).collect(),
            ))
        }
    }
    let (sender, channel) = Channel::buffered("app.words", 4);
    let source = Source::watcher(channel).codec(Words);
    let app = Capacitor::<Folder>::builder()
        .manual()
        .source(source)
        .build()
        .unwrap();
    sender.send(b"hosts x,y".as_slice()).await.unwrap();
    app.start().await.unwrap();
    let hosts = app.explain("hosts").unwrap();
    assert_eq!(hosts.value.as_ref().unwrap().to_string(), r#"["x", "y"]"#);
    assert_eq!(hosts.settings[0].to_string(), "app.words");
}

#[tokio::test]
async fn a_misspelt_variable_has_no_effect_in_the_words_of_the_warning() {
    #[derive(Flux, Debug)]
    struct Login {
        #[flux(default = "a")]
        password: String,
    }
    let app: flux::Capacitor<Login> = over(&[], &[("APP_PASSWRD", "s")]).await;
    let silent = app.silent().unwrap();
    let warning = &app.status().warnings[0];
    assert_eq!(
        silent[0].to_string(),
        format!(
            "`password` at variable APP_PASSWRD has no effect: {}",
            warning.message
        )
    );
    assert!(
        warning.message.contains("did you mean `APP_PASSWORD`"),
        "{warning:?}"
    );
    let json = serde_json::to_value(&silent[0]).unwrap();
    assert_eq!(
        (&json["why"], &json["message"]),
        (&"unknown_key".into(), &(&*warning.message).into())
    );
}
