//! Which argument sets a value, and which argument can.

use flux::{
    Capacitor, Error, Flux, Format, Source,
    inspect::{Describe as _, Explanation, SilentReason},
    source::Channel,
};
use std::collections::BTreeMap;

#[derive(Flux)]
struct App {
    #[flux(default, short = 'p')]
    port: u16,
    #[flux(default)]
    hosts: Vec<String>,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
    #[flux(default, merge = "replace")]
    limits: BTreeMap<String, u32>,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested, default)]
    upstreams: Vec<Pool>,
    #[flux(secret, default = "changeit")]
    password: String,
    #[flux(default)]
    name: String,
}

#[derive(Flux)]
struct Pool {
    #[flux(default)]
    max_size: u32,
    #[flux(default)]
    ratio: f64,
    #[flux(default)]
    tls: bool,
}

const LOWER: &str = "
port: 1
hosts: [a, b]
limits: {x: 1, y: 2}
pool: {max_size: 5}
upstreams:
  - max_size: 6
";

async fn app(upper: &str, arguments: &[&str]) -> Capacitor<App> {
    let mut builder = Capacitor::<App>::builder().manual();
    for (name, text) in [("lower.yaml", LOWER), ("upper.yaml", upper)] {
        let (sender, channel) = Channel::buffered(name, 4);
        sender.send(text.as_bytes()).await.unwrap();
        builder = builder.source(Source::watcher(channel).format(Format::Yaml));
    }
    let capacitor = builder
        .override_with(Source::args().arguments(arguments.iter().copied()))
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    capacitor
}

fn places(one: &Explanation) -> Vec<String> {
    let settings = one.settings.iter();
    settings
        .map(|one| format!("{one} {}", one.effect.as_str()))
        .collect()
}

#[tokio::test]
async fn the_argument_that_decides_is_named_as_it_was_typed() {
    let typed = [
        "-p",
        "2",
        "--pool.max-size",
        "7",
        "--hosts",
        "c",
        "--hosts",
        "d",
        "--labels",
        "a=1",
        "--set",
        "labels.b=2",
        "--set",
        "upstreams[0].ratio=0.5",
    ];
    let app = app("{}", &typed).await;
    for (path, expected) in [
        (
            "port",
            &["argument -p decides", "lower.yaml:2:7 shadowed"][..],
        ),
        (
            "pool.max_size",
            &[
                "argument --pool.max-size decides",
                "lower.yaml:5:18 shadowed",
            ],
        ),
        (
            "hosts",
            &["argument --hosts decides", "lower.yaml:3:8 shadowed"],
        ),
        (
            "hosts[1]",
            &["argument --hosts decides", "lower.yaml:3:8 shadowed"],
        ),
        ("labels.a", &["argument --labels decides"]),
        ("labels.b", &["argument --set labels.b decides"]),
        (
            "upstreams[0].ratio",
            &["argument --set upstreams[0].ratio decides"],
        ),
    ] {
        assert_eq!(places(&app.explain(path).unwrap()), expected, "{path}");
    }
    let max = app.explain("pool.max_size").unwrap();
    assert_eq!(max.settings[0].argument.as_deref(), Some("--pool.max-size"));
    let json = serde_json::to_value(&max).unwrap();
    assert_eq!(json["settings"][0]["argument"], "--pool.max-size");
    assert!(
        app.effective()
            .unwrap()
            .with_origins()
            .print(Format::Yaml)
            .contains("  max_size: 7  # argument --pool.max-size\n")
    );
}

#[tokio::test]
async fn the_argument_that_can_set_a_path_is_named_where_arguments_are_read() {
    let one = app("{}", &[]).await;
    let argument = |path: &str| one.explain(path).unwrap().argument;
    assert_eq!(
        argument("pool.max_size").as_deref(),
        Some("--pool.max-size")
    );
    assert_eq!(argument("hosts[0]").as_deref(), Some("--set hosts[0]=.."));
    assert_eq!(
        argument("upstreams[0].tls").as_deref(),
        Some("--set upstreams[0].tls=..")
    );
    assert_eq!((argument("password"), argument("pool")), (None, None));
    let text = one.explain("port").unwrap().to_string();
    assert!(text.contains("\n   = argument: --port, -p"), "{text}");
    let other = super::explain::over::<App>(&[], &[]).await;
    assert_eq!(other.explain("port").unwrap().argument, None);
}

#[tokio::test]
async fn what_is_in_a_list_or_a_map_shows_the_ones_that_are_hidden_as_a_whole() {
    let upper = "hosts: [c]\nlimits: {x: 3}\nupstreams: [{ratio: 1.5}, {}]";
    let app = app(upper, &[]).await;
    for (path, expected) in [
        (
            "hosts[0]",
            &["upper.yaml:1:9 decides", "lower.yaml:3:8 shadowed"][..],
        ),
        ("hosts[1]", &["lower.yaml:3:8 shadowed"]),
        (
            "limits.x",
            &["upper.yaml:2:13 decides", "lower.yaml:4:9 shadowed"],
        ),
        ("limits.y", &["lower.yaml:4:9 shadowed"]),
        (
            "upstreams[0].ratio",
            &["upper.yaml:3:21 decides", "lower.yaml:7:3 shadowed"],
        ),
    ] {
        let one = app.explain(path);
        let one = one.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(places(&one), expected, "{path}");
    }
    let text = app.explain("hosts[0]").unwrap().to_string();
    assert!(
        text.contains("= hides: lower.yaml:3:8 = [\"a\", \"b\"]"),
        "{text}"
    );
}

#[tokio::test]
async fn a_list_of_sections_that_is_hidden_has_no_effect() {
    let app = app("upstreams: [{}]", &[]).await;
    let silent = app.silent().unwrap();
    let hidden = silent
        .iter()
        .filter(|one| matches!(one.why, SilentReason::Shadowed(_)));
    let hidden: Vec<String> = hidden.map(ToString::to_string).collect();
    assert_eq!(
        hidden,
        ["`upstreams` at lower.yaml:7:3 has no effect: upper.yaml:1:12 hides it"]
    );
}

#[test]
fn a_default_of_the_type_is_shown_where_it_is_known() {
    let Err(Error::Help(help)) = Capacitor::<App>::builder().arguments(["-h"]).load() else {
        panic!("no help");
    };
    assert!(!help.contains("Default::"), "{help}");
    for part in [
        "--port <u16>\n          [default: 0]",
        "--pool.ratio <f64>\n          [default: 0.0]",
        "--no-pool.tls\n          [default: false]",
        "--name <String>\n\n",
    ] {
        assert!(help.contains(part), "{part} in {help}");
    }
    let template = App::template(Format::Yaml);
    for part in [
        "port: 0\n",
        "  max_size: 0\n",
        "  ratio: 0.0\n",
        "  tls: false\n",
    ] {
        assert!(template.contains(part), "{part} in {template}");
    }
}
