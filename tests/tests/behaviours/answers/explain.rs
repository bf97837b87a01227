//! Which layer sets a value, where, and what it hides.

use flux::{
    Capacitor, Config, Flux, Format, Source,
    inspect::{ConfigValue, Effect, ExplainError, Explanation, ValueOrigin},
    source::Channel,
    testing::Script,
};
use std::{collections::BTreeMap, time::Duration};

/// A capacitor over these documents, the lowest first, and these variables above them.
pub(super) async fn over<C: Config>(
    documents: &[(&str, Format, &str)],
    variables: &[(&'static str, &'static str)],
) -> Capacitor<C> {
    let mut builder = Capacitor::<C>::builder().manual();
    let mut channels = Vec::new();
    for (name, format, text) in documents {
        let (sender, channel) = Channel::buffered(*name, 4);
        sender.send(text.as_bytes()).await.unwrap();
        channels.push(sender);
        builder = builder.source(Source::watcher(channel).format(*format));
    }
    let variables = variables.iter().copied();
    let capacitor = builder
        .override_with(Source::env("APP_").variables(variables))
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    capacitor
}

fn number(number: u64) -> ConfigValue {
    ConfigValue::Number(number.to_string())
}

fn text(text: &str) -> ConfigValue {
    ConfigValue::Text(text.to_owned())
}

/// Where the settings are, highest first, with their effects.
fn places(one: &Explanation) -> Vec<String> {
    let settings = one.settings.iter();
    settings
        .map(|one| format!("{one} {}", one.effect.as_str()))
        .collect()
}

#[derive(Flux, Debug, Clone)]
struct App {
    /// Where it
    /// listens.
    #[flux(default = 8080, range = 1..=65535)]
    #[serde(alias = "listen")]
    port: u16,
    #[flux(default = "localhost")]
    host: String,
    version: Option<String>,
    #[flux(default = Duration::from_secs(2 + 3))]
    timeout: Duration,
    #[flux(default, merge = "append")]
    hosts: Vec<String>,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested)]
    tls: Option<Tls>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    upstreams: Vec<Pool>,
    #[flux(nested)]
    #[serde(flatten)]
    log: Log,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Pool {
    #[flux(default = 1)]
    min: u32,
    #[flux(default = 9, max_change = "50%")]
    max: u32,
}

#[derive(Flux, Debug, Clone)]
struct Tls {
    key: String,
    #[flux(secret, default = "changeit")]
    password: String,
}

#[derive(Flux, Debug, Clone)]
struct Log {
    #[flux(default = "info")]
    level: String,
}

const LOWER: &str = "
port: 9090
version: 1.10
hosts: [a, b]
labels: {a: 1, b: 2}
pool:
  max: 20
tls:
  key: k
  password: hunter2
tenants:
  x: {max: 1}
  y: {max: 2}
upstreams:
  - max: 3
  - min: 4
level: debug
";

const UPPER: &str = "
listen = 9090
hosts = [\"c\"]
[labels]
b = 3
[pool]
max = 30
[tls]
password = \"correct horse\"
[tenants.x]
min = 0
";

async fn app() -> Capacitor<App> {
    let documents = [
        ("lower.yaml", Format::Yaml, LOWER),
        ("upper.toml", Format::Toml, UPPER),
    ];
    let variables = [
        ("APP_POOL_MAX", "25"),
        ("APP_UPSTREAMS_1_MAX", "0"),
        ("APP_LABELS_C", "7"),
    ];
    over(&documents, &variables).await
}

#[tokio::test]
async fn values_are_cut_at_the_width_that_is_asked_for() {
    let documents = [("lower.yaml", "\u{e9}"), ("upper.yaml", "\u{fc}")];
    let documents = documents.map(|(name, letter)| (name, format!("host: {}", letter.repeat(300))));
    let documents = documents.each_ref();
    let documents = documents.map(|(name, text)| (*name, Format::Yaml, text.as_str()));
    let app = over::<App>(&documents, &[]).await;
    let one = app.explain("host").unwrap();
    let lines = |text: String| -> Vec<String> {
        let long = text
            .lines()
            .filter(|line| line.contains(['\u{e9}', '\u{fc}']));
        long.map(str::to_owned).collect()
    };
    let letters = |line: &str| line.matches(['\u{e9}', '\u{fc}']).count();
    for width in [60, 80, 200] {
        for line in lines(format!("{one:.width$}")) {
            assert_eq!(line.chars().count(), width, "{line}");
            assert!(line.ends_with(".."), "{line}");
        }
    }
    for (text, expected) in [
        (format!("{one}"), [119, 119]),
        (format!("{one:.4}"), [15, 15]),
        (format!("{one:.1000}"), [300, 300]),
    ] {
        let lines = lines(text);
        assert_eq!(
            [letters(&lines[0]), letters(&lines[1])],
            expected,
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn the_deciding_layer_and_all_that_it_hides_are_named_with_their_places() {
    let app = app().await;
    let max = app.explain("pool.max").unwrap();
    assert_eq!(max.value, Some(number(25)));
    assert_eq!(
        places(&max),
        [
            "variable APP_POOL_MAX decides",
            "upper.toml:7:7 shadowed",
            "lower.yaml:7:8 shadowed",
        ]
    );
    let values: Vec<_> = max
        .settings
        .iter()
        .map(|one| one.value.clone().unwrap())
        .collect();
    assert_eq!(values, [number(25), number(30), number(20)]);
    assert_eq!(max.default.as_ref().unwrap().value, Some(number(9)));
    assert_eq!(max.variables, ["APP_POOL_MAX"]);
    assert_eq!(max.change_rules, ["must change by at most 50% at a time"]);
}

#[tokio::test]
async fn it_is_printed_as_a_note() {
    let app = app().await;
    let port = app.explain("listen").unwrap();
    let line = port.default.as_ref().unwrap().line;
    assert_eq!(
        port.to_string(),
        format!(
            "port = 9090
  --> upper.toml:2:10
   |
   = hides: lower.yaml:2:7 = 9090
   = default: 8080, at {}:{line}
   = type: `u16`
   = rule: must be in 1..=65535
   = variable: APP_PORT, APP_LISTEN
   = alias: listen
   = docs: Where it listens.",
            file!()
        )
    );
    let json = serde_json::to_value(&port).unwrap();
    assert_eq!(json["value"], 9090);
    assert_eq!(json["settings"][1]["line"], 2);
    assert_eq!(json["settings"][1]["effect"], "shadowed");
}

#[tokio::test]
async fn what_no_layer_sets_has_the_default_of_the_code() {
    let app = app().await;
    let host = app.explain("host").unwrap();
    assert_eq!(
        (host.from, host.value),
        (ValueOrigin::Default, Some(text("localhost")))
    );
    let timeout = app.explain("timeout").unwrap();
    assert_eq!(
        (timeout.from, &timeout.value),
        (ValueOrigin::Default, &None)
    );
    let default = timeout.default.unwrap();
    assert_eq!(default.text.as_deref(), Some("Duration::from_secs(2 + 3)"));
    assert_eq!(default.file, file!());
    let min = app.explain("pool.min").unwrap();
    assert_eq!(min.value, Some(number(1)));
}

#[tokio::test]
async fn a_text_keeps_how_it_is_written() {
    let app = app().await;
    assert_eq!(app.explain("version").unwrap().value, Some(text("1.10")));
}

#[tokio::test]
async fn layers_that_make_a_list_or_a_map_together_are_all_named() {
    let app = app().await;
    let hosts = app.explain("hosts").unwrap();
    let list = ["a", "b", "c"].map(text).to_vec();
    assert_eq!(hosts.value, Some(ConfigValue::List(list)));
    assert_eq!(
        places(&hosts),
        ["upper.toml:3:9 contributes", "lower.yaml:4:8 contributes"]
    );
    assert!(hosts.decided_by().is_none());
    assert_eq!(
        places(&app.explain("hosts[2]").unwrap()),
        ["upper.toml:3:10 decides"]
    );
    assert_eq!(
        places(&app.explain("hosts[1]").unwrap()),
        ["lower.yaml:4:12 decides"]
    );
    let b = app.explain("labels.b").unwrap();
    assert_eq!(b.value, Some(number(3)));
    assert_eq!(
        places(&b),
        ["upper.toml:5:5 decides", "lower.yaml:5:19 shadowed"]
    );
    let c = app.explain("labels.c").unwrap();
    assert_eq!(c.value, Some(number(7)));
    assert_eq!(places(&c), ["variable APP_LABELS_C decides"]);
    assert_eq!(c.variables, ["APP_LABELS_C"]);
}

#[tokio::test]
async fn paths_lead_into_lists_and_maps_of_sections() {
    let app = app().await;
    let x = app.explain("tenants.x.min").unwrap();
    assert_eq!(
        (x.value.clone(), places(&x)),
        (Some(number(0)), vec!["upper.toml:11:7 decides".to_owned()])
    );
    let max = app.explain("tenants.x.max").unwrap();
    assert_eq!(places(&max), ["lower.yaml:12:12 decides"]);
    assert_eq!(max.variables, ["APP_TENANTS_X_MAX"]);
    let item = app.explain("upstreams[1].max").unwrap();
    assert_eq!(places(&item), ["variable APP_UPSTREAMS_1_MAX decides"]);
    assert_eq!(
        places(&app.explain("upstreams[1].min").unwrap()),
        ["lower.yaml:16:10 decides"]
    );
    assert_eq!(
        app.explain("upstreams[0].min").unwrap().from,
        ValueOrigin::Default
    );
    let level = app.explain("level").unwrap();
    assert_eq!(places(&level), ["lower.yaml:17:8 decides"]);
}

#[tokio::test]
async fn an_index_may_be_written_as_a_key_where_a_list_is() {
    let app = app().await;
    for (written, path) in [
        ("upstreams.1.max", "upstreams[1].max"),
        ("hosts.0", "hosts[0]"),
        ("hosts.99", "hosts[99]"),
    ] {
        let explained = |path: &str| app.explain(path).unwrap().to_string();
        assert_eq!(explained(written), explained(path));
    }
    #[derive(Flux, Debug)]
    struct Named {
        #[flux(default)]
        names: BTreeMap<String, Vec<String>>,
    }
    let text = "names: { '1': [a, b] }";
    let app = over::<Named>(&[("app", Format::Yaml, text)], &[]).await;
    // A key of a map is a key.
    let one = app.explain("names.1.0").unwrap();
    assert_eq!(one.value, Some(ConfigValue::Text("a".to_owned())));
    assert_eq!(one.path, "names.1[0]");
}

#[tokio::test]
async fn the_name_of_a_variable_leads_to_what_it_sets() {
    let app = app().await;
    for (name, path) in [
        ("APP_PORT", "port"),
        ("APP_POOL_MAX", "pool.max"),
        ("APP_TLS_PASSWORD", "tls.password"),
    ] {
        let explained = |path: &str| app.explain(path).unwrap().to_string();
        assert_eq!(explained(name), explained(path));
    }
    for (name, near) in [
        ("APP_POTR", "port"),
        // Of an entry, and of an item.
        ("APP_LABELS_C", "labels"),
        ("APP_UPSTREAMS_1_MAX", "upstreams"),
    ] {
        let error = app.explain(name).unwrap_err().to_string();
        let expected = format!("no field is at `{name}`, did you mean `{near}`?");
        assert_eq!(error, expected);
    }
    let error = app.explain("OTHER_PORTS").unwrap_err().to_string();
    assert_eq!(error, "no field is at `OTHER_PORTS`");
}

#[tokio::test]
async fn no_layers_secret_is_in_an_answer() {
    let app = app().await;
    let all = app.explain_all().unwrap();
    let mut whole = format!("{all:?}");
    for one in &all {
        whole += &one.to_string();
        whole += &serde_json::to_string(one).unwrap();
    }
    for secret in ["hunter2", "correct", "changeit"] {
        assert!(!whole.contains(secret), "{secret}: {whole}");
    }
    let password = app.explain("tls.password").unwrap();
    assert!(password.is_secret);
    assert_eq!(password.value, Some(ConfigValue::Secret));
    assert_eq!(
        places(&password),
        ["upper.toml:9:12 decides", "lower.yaml:10:13 shadowed"]
    );
    assert!(
        password
            .to_string()
            .starts_with("tls.password is set, and secret\n")
    );
}

#[tokio::test]
async fn a_path_that_does_not_exist_gets_a_suggestion() {
    let app = app().await;
    let error = app.explain("pool.maxx").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no field is at `pool.maxx`, did you mean `pool.max`?"
    );
    let error = app.explain("pool..max").unwrap_err();
    assert!(matches!(error, ExplainError::NoPath { .. }), "{error}");
    let (_sender, channel) = Channel::buffered("app", 4);
    let source = Source::watcher(channel).format(Format::Yaml);
    let idle = Capacitor::<App>::builder().source(source).build().unwrap();
    let error = idle.explain("port").unwrap_err();
    assert!(matches!(error, ExplainError::NotApplied { .. }), "{error}");
}

#[tokio::test]
async fn what_is_turned_off_hides_what_is_below_it() {
    let upper = "tls: null\ntenants: {y: null}\nlabels: {a: null}";
    let documents = [
        ("lower", Format::Yaml, LOWER),
        ("upper", Format::Yaml, upper),
    ];
    let app = over::<App>(&documents, &[]).await;
    let tls = app.explain("tls").unwrap();
    assert_eq!(tls.value, Some(ConfigValue::Null));
    assert_eq!(places(&tls), ["upper:1:6 decides", "lower:9:3 shadowed"]);
    let key = app.explain("tls.key").unwrap();
    assert_eq!(key.from, ValueOrigin::Nothing);
    assert_eq!(key.notes, ["`tls.key` is not in the configuration"]);
    let y = app.explain("tenants.y").unwrap();
    assert_eq!(places(&y), ["upper:2:14 decides", "lower:13:6 shadowed"]);
    assert_eq!(
        app.explain("labels.a").unwrap().value,
        Some(ConfigValue::Null)
    );
    assert!(!app.get().labels.contains_key("a"));
}

#[tokio::test]
async fn every_setting_is_explained_once() {
    let app = app().await;
    let all = app.explain_all().unwrap();
    let paths: Vec<String> = all.iter().map(|one| one.path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "port",
            "host",
            "version",
            "timeout",
            "hosts",
            "labels",
            "pool.min",
            "pool.max",
            "tls.key",
            "tls.password",
            "tenants.x.min",
            "tenants.x.max",
            "tenants.y.min",
            "tenants.y.max",
            "upstreams[0].min",
            "upstreams[0].max",
            "upstreams[1].min",
            "upstreams[1].max",
            "level",
        ]
    );
    assert!(all.iter().flat_map(|one| &one.notes).next().is_none());
    for one in &all {
        let alone = app.explain(one.path.as_str()).unwrap();
        assert_eq!(alone.to_string(), one.to_string());
        assert!(
            one.settings
                .iter()
                .filter(|one| one.effect == Effect::Decides)
                .count()
                <= 1
        );
    }
}

#[tokio::test]
async fn the_answers_follow_the_configuration() {
    let (sender, channel) = Channel::buffered("app", 4);
    let source = Source::watcher(channel).format(Format::Yaml);
    let app = Capacitor::<App>::builder()
        .manual()
        .source(source)
        .build()
        .unwrap();
    sender.send(b"port: 1".as_slice()).await.unwrap();
    app.start().await.unwrap();
    assert_eq!(app.explain("port").unwrap().value, Some(number(1)));
    sender.send(b"\nport: 2".as_slice()).await.unwrap();
    app.process().await.unwrap();
    let port = app.explain("port").unwrap();
    assert_eq!(
        (port.value.clone(), places(&port)),
        (Some(number(2)), vec!["app:2:7 decides".to_owned()])
    );
    // Equal values in other bytes.
    sender.send(b"\n\nport: 2".as_slice()).await.unwrap();
    app.process().await.unwrap();
    assert_eq!(places(&app.explain("port").unwrap()), ["app:3:7 decides"]);
    // Refused content is not what readers see.
    sender.send(b"port: 0".as_slice()).await.unwrap();
    app.process().await.unwrap();
    assert_eq!(app.explain("port").unwrap().value, Some(number(2)));
    app.stop().await;
    assert_eq!(app.explain("port").unwrap().value, Some(number(2)));
}

#[tokio::test]
async fn what_a_stage_changed_is_said_so() {
    let (sender, channel) = Channel::buffered("app", 4);
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = Capacitor::<App>::builder().manual().source(source);
    let builder = builder.transform(|request| {
        let mut app = (**request.current).clone();
        app.port += 1;
        request.with(app)
    });
    let app = builder.build().unwrap();
    sender.send(b"port: 1".as_slice()).await.unwrap();
    app.start().await.unwrap();
    let port = app.explain("port").unwrap();
    assert_eq!((port.value.clone(), app.get().port), (None, 2));
    assert_eq!(
        port.notes,
        ["a stage of the program changed it; the layers make 1 of it"]
    );
    assert_eq!(
        (port.from, places(&port)),
        (ValueOrigin::Stage, vec!["app:1:7 decides".to_owned()])
    );
    let printed = port.to_string();
    assert!(
        printed.starts_with(
            "port has a value that a stage of the program made\n  --> a stage of the program\n  --> app:1:7\n"
        ),
        "{printed}"
    );
    assert_eq!(serde_json::to_value(&port).unwrap()["from"], "stage");
    assert_eq!(app.explain("host").unwrap().value, Some(text("localhost")));
}

#[tokio::test]
async fn what_the_programs_reducer_makes_has_it_as_its_origin() {
    let (sender, channel) = Channel::buffered("app", 4);
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = Capacitor::<App>::builder().manual().source(source);
    let app = builder
        .reducer(|_, layers| Ok::<_, String>(layers[0].clone()))
        .build()
        .unwrap();
    sender.send(b"port: 1".as_slice()).await.unwrap();
    app.start().await.unwrap();
    let port = app.explain("port").unwrap();
    assert_eq!(
        (port.value.clone(), port.from),
        (None, ValueOrigin::Reducer)
    );
    let printed = port.to_string();
    assert!(
        printed.starts_with(
            "port has a value that the program's own reducer made\n  --> the program's reducer\n  --> app:1:7\n"
        ),
        "{printed}"
    );
    assert_eq!(serde_json::to_value(&port).unwrap()["from"], "reducer");
}

#[tokio::test]
async fn the_revision_of_a_store_is_part_of_the_origin() {
    let script = Script::new("store").revision("port: 1\npool: { max: 2 }", "r\u{1b}7");
    let source = Source::watcher(script).format(Format::Yaml);
    let builder = Capacitor::<App>::builder().source(source);
    let above = Source::env("APP_").variables([("APP_POOL_MAX", "3")]);
    let app = builder.override_with(above).build().unwrap();
    app.start().await.unwrap();
    let port = app.explain("port").unwrap();
    assert_eq!(
        port.settings[0].revision.as_deref(),
        Some("r\u{1b}7"),
        "as the store has it"
    );
    assert_eq!(
        port.settings[0].to_string(),
        "store:1:7 (revision r\\u{1b}7)"
    );
    assert!(
        port.to_string()
            .contains("\n  --> store:1:7 (revision r\\u{1b}7)\n"),
        "{port}"
    );
    let max = app.explain("pool.max").unwrap();
    assert!(
        max.to_string().contains("\n  --> variable APP_POOL_MAX\n"),
        "{max}"
    );
    assert!(
        max.to_string()
            .contains("\n   = hides: store:2:14 (revision r\\u{1b}7) = 2\n"),
        "{max}"
    );
    let data = serde_json::to_value(&max).unwrap();
    assert_eq!(data["settings"][0]["revision"], serde_json::Value::Null);
    assert_eq!(data["settings"][1]["revision"], "r\u{1b}7");
}

fn longest(below: &mut String, top: &String) {
    if top.len() > below.len() {
        below.clone_from(top);
    }
}

#[derive(Flux, Debug)]
struct Special {
    #[flux(default, merge = longest)]
    name: String,
    #[flux(default = 1, restart)]
    threads: u32,
}

#[tokio::test]
async fn what_the_program_alone_knows_is_said_so() {
    let documents = [
        ("lower", Format::Yaml, "name: longer"),
        ("upper", Format::Yaml, "name: short"),
    ];
    let app = over::<Special>(&documents, &[]).await;
    let name = app.explain("name").unwrap();
    assert_eq!((name.value.clone(), name.from), (None, ValueOrigin::Layers));
    assert_eq!(
        name.notes,
        ["`longest` of the program merges the layers' values"]
    );
    assert_eq!(
        places(&name),
        ["upper:1:7 contributes", "lower:1:7 contributes"]
    );
    let one = over::<Special>(&documents[..1], &[]).await;
    let name = one.explain("name").unwrap();
    assert_eq!(name.value, Some(text("longer")));
}

#[tokio::test]
async fn a_value_that_waits_for_a_restart_is_not_shown_as_the_running_one() {
    let (sender, channel) = Channel::buffered("app", 4);
    let source = Source::watcher(channel).format(Format::Yaml);
    let app = Capacitor::<Special>::builder()
        .manual()
        .source(source)
        .build()
        .unwrap();
    sender.send(b"threads: 2".as_slice()).await.unwrap();
    app.start().await.unwrap();
    assert_eq!(app.explain("threads").unwrap().value, Some(number(2)));
    sender.send(b"threads: 3".as_slice()).await.unwrap();
    app.process().await.unwrap();
    let threads = app.explain("threads").unwrap();
    assert_eq!(
        (threads.value.clone(), app.get().threads),
        (Some(number(2)), 2)
    );
    assert_eq!(threads.pending, Some(number(3)));
    let note = "waits for a restart of the program: 2 runs, 3 waits";
    assert_eq!(threads.notes, [note]);
    assert!(threads.waits_for_restart);
    let printed = threads.to_string();
    assert!(
        printed.starts_with("threads = 2\n  --> after a restart: app:1:10 = 3\n"),
        "{printed}"
    );
    let json = serde_json::to_value(&threads).unwrap();
    assert_eq!((&json["value"], &json["pending"]), (&2.into(), &3.into()));
}

#[derive(Flux, Debug)]
#[flux(source = "env:FLUX_TEST_EXPLAIN_")]
struct Declared {
    #[flux(default = 7)]
    port: u16,
}

#[tokio::test]
async fn the_config_type_answers_as_well() {
    assert!(matches!(
        Declared::explain("port"),
        Err(ExplainError::NotApplied { .. })
    ));
    Declared::start().await.unwrap();
    let port = Declared::explain("port").unwrap();
    assert_eq!(port.value, Some(number(7)));
    assert_eq!(port.variables, ["FLUX_TEST_EXPLAIN_PORT"]);
    Declared::capacitor().stop().await;
}

#[tokio::test]
async fn a_path_below_a_single_value_does_not_exist() {
    #[derive(Flux, Debug)]
    struct Deep {
        #[flux(default = 1)]
        n: u16,
        #[flux(default = "x")]
        text: String,
        #[flux(default)]
        list: Vec<u16>,
        #[flux(default)]
        pair: Option<(u8, u8)>,
        #[flux(default)]
        any: BTreeMap<String, Vec<bool>>,
        #[flux(nested)]
        tls: Option<Tls>,
        #[flux(default = Duration::from_secs(1))]
        wait: Duration,
    }
    #[derive(Flux, Debug)]
    struct Tls {
        port: u16,
    }
    let app = over::<Deep>(&[("app", Format::Yaml, "n: 2\nlist: [1]")], &[]).await;
    for (path, value) in [
        ("n.x", "n"),
        ("n[0]", "n"),
        ("text.x.y", "text"),
        ("list[0].x", "list[0]"),
        ("list[7].x", "list[7]"),
        ("list.x", "list"),
        ("pair[2]", "pair"),
        ("any.a[0].b", "any.a[0]"),
        ("any.a.b", "any.a"),
        ("tls.port.x", "tls.port"),
        ("wait.minutes", "wait"),
    ] {
        let error = app.explain(path).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("nothing can be at `{path}`: `{value}`")),
            "{text}"
        );
        assert!(
            text.ends_with(&format!("did you mean `{value}`?")),
            "{text}"
        );
    }
    for path in [
        "list[7]",
        "pair[1]",
        "any.a",
        "any.a[0]",
        "tls.port",
        "wait.secs",
        "n",
    ] {
        let one = app.explain(path).unwrap();
        assert_eq!(one.path.as_str(), path, "{one}");
    }
}

/// A type within itself.
#[derive(Flux, Debug)]
struct Nest {
    #[flux(default = 1)]
    size: u32,
    #[flux(nested)]
    inner: Option<Box<Nest>>,
    #[flux(nested, default)]
    many: BTreeMap<String, Nest>,
}

#[tokio::test]
async fn a_path_of_thousands_of_steps_through_a_type_within_itself_is_an_error() {
    let app = over::<Nest>(
        &[(
            "app.yaml",
            Format::Yaml,
            "inner: { inner: { size: 2 }, many: { a: { size: 3 } } }",
        )],
        &[],
    )
    .await;
    assert_eq!(
        app.explain("inner.inner.size").unwrap().value,
        Some(number(2))
    );
    assert_eq!(
        app.explain("inner.many.a.size").unwrap().value,
        Some(number(3))
    );
    for step in ["inner", "many.a", "many.inner"] {
        let path = [step; 10_000].join(".");
        for path in [
            path.clone(),
            format!("{path}.size"),
            format!("inner.{path}"),
        ] {
            assert!(matches!(
                app.explain(&path),
                Err(ExplainError::Unknown { .. })
            ));
            assert!(app.blame(&path).is_err());
        }
    }
}

#[tokio::test]
async fn what_is_asked_first_is_answered_as_what_is_asked_later() {
    let later = app().await;
    let mut paths: Vec<String> = later
        .explain_all()
        .unwrap()
        .iter()
        .map(|one| one.path.to_string())
        .collect();
    for path in [
        "",
        "listen",
        "pool",
        "tls",
        "tenants",
        "tenants.x",
        "tenants.y",
        "tenants.z.max",
        "upstreams",
        "upstreams[1]",
        "upstreams[7].max",
        "hosts[0]",
        "hosts[2]",
        "labels.a",
        "labels.c",
        "labels.z",
        "tls.password.inside",
        "nothing",
        "pool.mxa",
        "tenants.x.mni",
        "port.inside",
        "log.level",
        "tenants[0]",
        "a b",
    ] {
        paths.push(path.to_owned());
    }
    for path in &paths {
        let first = app().await;
        let print = |app: &Capacitor<App>| match app.explain(path) {
            Ok(one) => serde_json::to_string(&one).unwrap(),
            Err(error) => error.to_string(),
        };
        assert_eq!(print(&first), print(&later), "{path}");
        // What was not asked for at first is there too.
        for other in ["port", "tenants.y.max", "upstreams[0].max", path] {
            let print = |app: &Capacitor<App>| app.explain(other).map(|one| one.to_string());
            assert_eq!(print(&first), print(&later), "{path}, {other}");
        }
        assert_eq!(first.explain_all().unwrap().len(), 19);
    }
}

#[tokio::test]
async fn many_paths_asked_one_by_one_are_answered_as_all_of_them_at_once() {
    const MANY: usize = 80;
    let document = |of: usize| {
        let mut yaml = String::from("port: 1\ntenants:\n");
        for n in 0..MANY {
            yaml.push_str(&format!("  t{n}: {{ max: {} }}\n", n + of));
        }
        yaml
    };
    let over = |yaml: String| async move {
        let above = ("above.yaml", Format::Yaml, "tenants: { t3: { max: 7 } }");
        over::<App>(&[("below.yaml", Format::Yaml, &yaml), above], &[]).await
    };
    for of in [0, 100] {
        let (single, whole) = (over(document(of)).await, over(document(of)).await);
        let print = |one: &Explanation| serde_json::to_string(one).unwrap();
        for one in whole.explain_all().unwrap() {
            let path = one.path.as_str();
            // What is known already is asked for again.
            for _ in 0..2 {
                let alone = single.explain(path).unwrap();
                assert_eq!(print(&alone), print(&one), "{path}");
            }
        }
        let printed = |app: &Capacitor<App>| print(&app.explain("tenants").unwrap());
        assert_eq!(printed(&single), printed(&whole));
    }
}

#[derive(Flux, Debug, Clone)]
struct Rented {
    #[flux(nested, default)]
    tenants: BTreeMap<String, RentedTo>,
    #[flux(secret, default)]
    token: Option<String>,
}

#[derive(Flux, Debug, Clone)]
struct RentedTo {
    domain: String,
    #[flux(default = 100)]
    limit: u32,
}

#[tokio::test(start_paused = true)]
async fn what_is_in_an_entry_that_is_null_is_explained_by_the_null() {
    let app = over::<Rented>(
        &[
            (
                "base",
                Format::Yaml,
                "tenants: {a: {domain: a.example}, b: {domain: b.example}}",
            ),
            ("site", Format::Yaml, "tenants: {b: {limit: 50}}"),
            ("local", Format::Json, r#"{"tenants": {"b": null}}"#),
        ],
        &[],
    )
    .await;
    assert_eq!(app.get().tenants.len(), 1);
    for path in ["tenants.b", "tenants.b.domain", "tenants.b.limit"] {
        let one = app.explain(path).unwrap();
        let shown = one.to_string();
        assert_eq!(one.path.to_string(), "tenants.b", "{shown}");
        assert_eq!(one.value, Some(ConfigValue::Null), "{shown}");
        let places = places(&one);
        let expected = [
            "local:1:19 decides",
            "site:1:14 shadowed",
            "base:1:38 shadowed",
        ];
        assert_eq!(places, expected, "{shown}");
    }
    let paths: Vec<String> = (app.explain_all().unwrap().iter())
        .map(|one| one.path.to_string())
        .collect();
    assert_eq!(
        paths,
        ["tenants.a.domain", "tenants.a.limit", "tenants.b", "token"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_no_layer_sets_is_not_called_set() {
    let app = over::<Rented>(&[("base", Format::Yaml, "{}")], &[]).await;
    let shown = app.explain("token").unwrap().to_string();
    assert!(
        shown.starts_with("token has its default, which is secret"),
        "{shown}"
    );
    let app = over::<Rented>(&[("base", Format::Yaml, "token: hunter2hunter2")], &[]).await;
    let shown = app.explain("token").unwrap().to_string();
    assert!(shown.starts_with("token is set, and secret"), "{shown}");
}

#[derive(Flux, Debug, Clone)]
struct Served {
    #[flux(nested)]
    database: ServedPool,
    #[flux(nested)]
    cache: ServedPool,
}

#[derive(Flux, Debug, Clone)]
struct ServedPool {
    #[flux(default = 1)]
    max_size: u32,
}

#[tokio::test(start_paused = true)]
async fn a_path_in_the_spelling_of_its_argument_or_without_its_first_steps_is_suggested_if_only_one_is_meant()
 {
    let app = over::<Served>(&[("base", Format::Yaml, "{}")], &[]).await;
    for (asked, suggested) in [
        ("database.max-size", Some("database.max_size")),
        ("--database.max-size", Some("database.max_size")),
        ("Database.Max_Size", Some("database.max_size")),
        ("max_size", None),
    ] {
        let error = app.explain(asked).unwrap_err().to_string();
        let hint = suggested.map(|path| format!("did you mean `{path}`?"));
        assert_eq!(
            hint.is_some(),
            error.contains("did you mean"),
            "{asked}: {error}"
        );
        assert!(
            hint.is_none_or(|hint| error.contains(&hint)),
            "{asked}: {error}"
        );
    }
    let app = over::<Rented>(&[("base", Format::Yaml, "tenants: {a: {domain: x}}")], &[]).await;
    let error = app.explain("domain").unwrap_err().to_string();
    assert!(
        error.contains("did you mean `tenants.a.domain`?"),
        "{error}"
    );
}
