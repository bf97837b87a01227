//! What people are told.

use crate::{applied, by_hand, refusal};
use flux::{Capacitor, Flux, Format, Source, source::Channel};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

#[derive(Flux)]
struct App {
    #[flux(default = 8080, range = 1..=65535)]
    port: u16,
    #[flux(non_empty)]
    host: String,
    #[flux(default = "30s")]
    timeout: Duration,
    #[flux(secret)]
    password: Option<String>,
    #[flux(secret, default = 0)]
    pin: u32,
    #[flux(nested)]
    vault: Option<Vault>,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    upstreams: Vec<Pool>,
    #[flux(default)]
    weights: Vec<u32>,
    #[flux(default, validate = even)]
    even: u32,
}

#[derive(Flux)]
struct Pool {
    #[flux(default = 1, range = 1..=100)]
    max_size: u32,
}

#[derive(Flux)]
struct Vault {
    #[flux(secret)]
    key: String,
}

fn even(n: &u32) -> Result<(), String> {
    if n.is_multiple_of(2) {
        Ok(())
    } else {
        Err(format!("{n} is odd"))
    }
}

fn lines(report: &flux::Report) -> Vec<(String, Option<usize>)> {
    report
        .problems()
        .iter()
        .map(|p| (p.path.to_string(), p.line))
        .collect()
}

#[tokio::test]
async fn every_problem_of_a_document_is_told_with_its_line_in_every_format() {
    let yaml = "port: x\nhost: a\ntimeout: 3 parsecs\npool:\n  max_size: -1\n  typo: 1\ntenants:\n  acme:\n    max_size: []\nupstreams:\n  - max_size: 1\n  - max_size: big\nweights: [1, two,\n  3, four]\nhosst: 1\n";
    let json = "{\n\"port\": \"x\", \"host\": \"a\",\n\"timeout\": \"3 parsecs\",\n\"pool\": {\n\"max_size\": -1,\n\"typo\": 1},\n\"tenants\": {\"acme\": {\n\"max_size\": []}},\n\"upstreams\": [{\"max_size\": 1},\n{\"max_size\": \"big\"}],\n\"hosst\": 1}";
    let toml = "port = \"x\"\nhost = \"a\"\ntimeout = \"3 parsecs\"\nhosst = 1\n[pool]\nmax_size = -1\ntypo = 1\n[tenants.acme]\nmax_size = []\n[[upstreams]]\nmax_size = 1\n[[upstreams]]\nmax_size = \"big\"\n";
    let found = lines(&refusal::<App>(Format::Yaml, yaml).await);
    let at = |path: &str, line| (path.to_owned(), Some(line));
    for expected in [
        at("port", 1),
        at("timeout", 3),
        at("pool.max_size", 5),
        at("pool.typo", 6),
        at("tenants.acme.max_size", 9),
        at("upstreams[1].max_size", 12),
        at("hosst", 15),
    ] {
        assert!(
            found.contains(&expected),
            "{expected:?} is not in {found:?}"
        );
    }
    assert!(
        found.iter().any(|(path, _)| path.starts_with("weights")),
        "{found:?}"
    );
    let found = lines(&refusal::<App>(Format::Json, json).await);
    for expected in [
        at("port", 2),
        at("timeout", 3),
        at("pool.max_size", 5),
        at("pool.typo", 6),
        at("tenants.acme.max_size", 8),
        at("upstreams[1].max_size", 10),
        at("hosst", 11),
    ] {
        assert!(
            found.contains(&expected),
            "{expected:?} is not in {found:?}"
        );
    }
    let found = lines(&refusal::<App>(Format::Toml, toml).await);
    for expected in [
        at("port", 1),
        at("timeout", 3),
        at("hosst", 4),
        at("pool.max_size", 6),
        at("pool.typo", 7),
        at("tenants.acme.max_size", 9),
        at("upstreams[1].max_size", 13),
    ] {
        assert!(
            found.contains(&expected),
            "{expected:?} is not in {found:?}"
        );
    }
}

#[tokio::test]
async fn broken_rules_and_missing_values_are_all_told_with_their_place() {
    let report = refusal::<App>(Format::Yaml, "port: 0\neven: 3\npool:\n  max_size: 500\n").await;
    let text = report.to_string();
    assert!(
        text.contains("host: is required, and no layer sets it"),
        "{text}"
    );
    let report = refusal::<App>(
        Format::Yaml,
        "host: ''\nport: 0\neven: 3\npool:\n  max_size: 500\n",
    )
    .await;
    let text = report.to_string();
    for line in [
        "port: must be in 1..=65535, found 0",
        "--> app:2:7",
        "2 | port: 0",
        "even: 3 is odd",
        "host: must not be empty",
        "pool.max_size: must be in 1..=100, found 500",
        "--> app:5:13",
        "no configuration is applied yet",
    ] {
        assert!(text.contains(line), "`{line}` is not in\n{text}");
    }
}

#[tokio::test]
async fn a_section_that_cannot_be_read_hides_no_other_problem() {
    let json = r#"{"host": "a",
"pool": "none",
"vault": 5,
"tenants": {"a": 1, "b": {"max_size": "x"}, "c": null},
"upstreams": [{"max_size": 1}, null, 7, {"max_size": "y"}],
"weights": [1]}"#;
    let report = refusal::<App>(Format::Json, json).await;
    let told: Vec<_> = lines(&report)
        .into_iter()
        .map(|(path, line)| format!("{path}:{}", line.unwrap_or_default()))
        .collect();
    let expected = [
        "pool:2",
        "vault:3",
        "tenants.a:4",
        "tenants.b.max_size:4",
        "upstreams[1]:5",
        "upstreams[2]:5",
        "upstreams[3].max_size:5",
    ];
    assert_eq!(told, expected, "{report}");
}

#[derive(Flux)]
struct Cluster {
    #[flux(nested)]
    first: Node,
    #[flux(nested)]
    others: Vec<Node>,
    #[flux(nested)]
    named: BTreeMap<String, Node>,
}

#[derive(Flux)]
struct Node {
    host: String,
}

#[tokio::test]
async fn what_stands_in_the_place_of_a_list_or_map_item_is_not_taken_for_an_empty_one() {
    let json = r#"{"first": {"host": "a"}, "others": [{"host": "b"}, 7], "named": {"c": 7}}"#;
    let report = refusal::<Cluster>(Format::Json, json).await;
    let paths: Vec<_> = report
        .problems()
        .iter()
        .map(|p| p.path.to_string())
        .collect();
    assert_eq!(paths, ["others[1]", "named.c"], "{report}");
}

#[tokio::test]
async fn a_key_that_stands_in_a_document_twice_is_refused() {
    for twice in [
        r#""port": 1, "port": 2"#,
        r#""pool": {"max_size": 1}, "pool": {"max_size": 2}"#,
        r#""pool": {"max_size": 1, "max_size": 2}"#,
        r#""tenants": {"a": {}, "a": {}}"#,
        r#""upstreams": [], "upstreams": []"#,
    ] {
        let json = format!(r#"{{"host": "a", {twice}}}"#);
        let told = refusal::<App>(Format::Json, &json).await.to_string();
        assert!(told.contains("occurs twice"), "{twice}: {told}");
    }
}

#[tokio::test]
async fn type_errors_do_not_hide_broken_rules_once_there_is_a_configuration() {
    let (capacitor, sender) = by_hand::<App>(|builder| builder);
    sender.send(&b"host: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    sender
        .send(&b"host: ''\nport: 0\ntimeout: soon"[..])
        .await
        .unwrap();
    capacitor.process().await.unwrap();
    let text = capacitor.last_error().unwrap().to_string();
    for part in [
        "3 problems; keeping the previous configuration",
        "host: must not be empty",
        "--> channel:2:7",
        "timeout: expected a duration",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

#[tokio::test]
async fn documents_that_are_none_are_told_as_such() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nhost: *g\n";
    for (format, document) in [
        (Format::Json, "{\"host\": \"a\", \"host\": \"b\"}"),
        (Format::Yaml, "host: a\nhost: b"),
        (Format::Toml, "host = \"a\"\nhost = \"b\""),
        (Format::Json, "{\"host\": \"a\""),
        (Format::Yaml, "host: [a"),
        (Format::Toml, "host = "),
        (Format::Json, deep.as_str()),
        (Format::Yaml, deep.as_str()),
        (Format::Yaml, bomb),
        (Format::Json, "[]"),
        (
            Format::Json,
            "{\"host\": \"a\", \"port\": 99999999999999999999}",
        ),
        (Format::Yaml, "host: a\nport: .nan"),
        (Format::Yaml, "just text"),
    ] {
        let report = refusal::<App>(format, document).await;
        assert!(!report.problems().is_empty());
        assert!(report.to_string().len() < 4_000, "a report is for people");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_told_with_their_offset() {
    let (capacitor, sender) = by_hand::<App>(|builder| builder);
    sender.send(&b"host: a\nport: \xff"[..]).await.unwrap();
    let error = capacitor.start().await.expect_err("not UTF-8").to_string();
    assert!(
        error.contains("is not UTF-8: the byte 0xff at offset 14"),
        "{error}"
    );
    assert!(error.contains("channel:2:7"), "{error}");
}

#[tokio::test]
async fn a_panic_in_a_validator_is_a_violation_and_the_capacitor_goes_on() {
    #[derive(Flux)]
    struct Fragile {
        #[flux(validate = explode)]
        n: u32,
    }
    fn explode(n: &u32) -> Result<(), String> {
        assert_ne!(*n, 13, "unlucky number");
        Ok(())
    }
    let (capacitor, sender) = by_hand::<Fragile>(|builder| builder);
    sender.send(&b"n: 1"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    sender.send(&b"n: 13"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    let text = capacitor.last_error().unwrap().to_string();
    assert!(
        text.contains("`explode` panicked") && text.contains("unlucky number"),
        "{text}"
    );
    sender.send(&b"n: 14"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    assert_eq!(capacitor.get().n, 14);
}

#[tokio::test]
async fn a_problem_far_to_the_right_is_told_without_its_line() {
    let document = format!("{{\"host\": \"{}\", \"port\": 0}}", "x".repeat(70_000));
    let text = refusal::<App>(Format::Json, &document).await.to_string();
    assert!(
        text.contains("port: must be in 1..=65535") && text.len() < 1_000,
        "{text}"
    );
}

#[test]
fn any_bytes_are_applied_whole_or_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    proptest!(ProptestConfig::with_cases(256), |(bytes in proptest::collection::vec(any::<u8>(), 0..200), format in 0..5_usize)| {
        let format = [Format::Json, Format::Yaml, Format::Toml, Format::Jsonc, Format::Json5][format];
        runtime.block_on(async {
            let (sender, channel) = Channel::buffered("app", 4);
            let good = match format {
                Format::Yaml => "host: a",
                Format::Toml => "host = \"a\"",
                _ => "{\"host\": \"a\"}",
            };
            sender.send(good.as_bytes()).await.unwrap();
            let source = Source::watcher(channel).format(format);
            let capacitor = Capacitor::<App>::builder().manual().source(source).build().unwrap();
            capacitor.start().await.unwrap();
            sender.send(bytes).await.unwrap();
            capacitor.process().await.unwrap();
            let healthy = capacitor.state() == flux::State::Healthy;
            assert_eq!(healthy, capacitor.last_error().is_none());
            assert!(healthy || capacitor.status().generation == 1);
        });
    });
}

#[derive(Flux, Debug)]
struct Exact {
    #[flux(range = 1..=9)]
    port: u16,
    #[flux(default = "1", pattern = "^[0-9.]+$")]
    version: String,
    #[flux(default)]
    texts: Vec<String>,
    #[flux(default)]
    wide: i128,
    #[flux(default)]
    labels: BTreeMap<String, u8>,
    #[flux(default)]
    numbers: BTreeMap<u16, Vec<u8>>,
    #[flux(default)]
    pairs: Vec<(u8, u8)>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Inner>,
}

#[derive(Flux, Debug)]
struct Inner {
    #[flux(default = 1)]
    max: u8,
}

/// The paths of a report's problems.
fn paths(report: &flux::Report) -> Vec<String> {
    let problems = report.problems().iter();
    problems.map(|problem| problem.path.to_string()).collect()
}

#[tokio::test]
async fn a_bad_value_makes_no_good_one_look_bad() {
    for (format, text) in [
        (
            Format::Yaml,
            "port: x\nversion: 1.10\ntexts: [0x10, 1e3, True, 0123, .inf]\nwide: -170141183460469231731687303715884105728\nlabels: {1.1: 1, 1.10: 2}\n",
        ),
        (
            Format::Json,
            "{\"port\": \"x\", \"version\": \"1.10\", \"wide\": -170141183460469231731687303715884105728, \"numbers\": {\"16\": []}}",
        ),
        (
            Format::Toml,
            "port = \"x\"\nversion = \"1.10\"\nwide = 0x1_0\n[numbers]\n16 = []",
        ),
    ] {
        let report = refusal::<Exact>(format, text).await;
        assert_eq!(paths(&report), ["port"], "{report}");
    }
}

#[tokio::test]
async fn an_unknown_key_refuses_no_keys_that_only_look_alike() {
    let text = "port: 1\nx-note: hello\ntenants: {1.1: {}, 1.10: {}, 0x10: {}, 16: {}, True: {}, 'true': {}}\n";
    let exact = applied::<Exact>(Format::Yaml, text).await;
    assert_eq!(exact.tenants.len(), 6);
}

#[tokio::test]
async fn a_key_that_looks_like_a_number_has_its_own_name_and_place() {
    for (good, bad, path) in [
        ("1.1", "1.10", "tenants.\"1.10\".max"),
        ("16", "0x10", "tenants.0x10.max"),
        ("'true'", "True", "tenants.True.max"),
    ] {
        let text = format!("port: 1\ntenants:\n  {good}: {{max: 1}}\n  {bad}:\n    max: x\n");
        let report = refusal::<Exact>(Format::Yaml, text).await;
        let [problem] = report.problems() else {
            panic!("{report}");
        };
        assert_eq!((problem.path.as_str(), problem.line), (path, Some(5)));
    }
}

#[tokio::test]
async fn every_bad_part_of_a_value_is_told() {
    for (format, text) in [
        (
            Format::Yaml,
            "port: 1\nlabels: {a: x, b: 1, c: 300}\nnumbers: {1: [1, y, 2, -1], 2: [3], z: [], 3: [256]}\npairs: [[1, 2], [1, q], [3, 4], [r, 5]]\n",
        ),
        (
            Format::Json,
            "{\"port\": 1, \"labels\": {\"a\": \"x\", \"b\": 1, \"c\": 300}, \"numbers\": {\"1\": [1, \"y\", 2, -1], \"2\": [3], \"z\": [], \"3\": [256]}, \"pairs\": [[1, 2], [1, \"q\"], [3, 4], [\"r\", 5]]}",
        ),
    ] {
        let report = refusal::<Exact>(format, text).await;
        let mut found = paths(&report);
        found.sort();
        let all = [
            "labels.a",
            "labels.c",
            "numbers.1[1]",
            "numbers.1[3]",
            "numbers.3[0]",
            "numbers.z",
            "pairs[1][1]",
            "pairs[3][0]",
        ];
        assert_eq!(found, all, "{report}");
    }
}

#[tokio::test]
async fn surplus_items_and_a_second_document_have_their_place() {
    let report = refusal::<Exact>(
        Format::Json,
        "{\"port\": 1,\n \"pairs\": [[1, 2], [1, 2, 3]]}",
    )
    .await;
    let problem = &report.problems()[0];
    assert_eq!((problem.path.as_str(), problem.line), ("pairs[1]", Some(2)));
    assert!(problem.message.contains("a list of 2 items"), "{report}");
    let report = refusal::<Exact>(Format::Yaml, "port: 1\n---\nport: 2\n").await;
    let problem = &report.problems()[0];
    assert!(
        problem.message.contains("more than one document"),
        "{report}"
    );
    assert_eq!(problem.line, Some(2), "{report}");
    for text in ["{\"port\": 1}\n}", "{\"port\": 1}\n{\"port\": 2}"] {
        let report = refusal::<Exact>(Format::Json, text).await;
        let problem = &report.problems()[0];
        assert_eq!((report.problems().len(), problem.line), (1, Some(2)));
        assert!(
            problem.message.contains("the document ends before this"),
            "{report}"
        );
    }
}

#[derive(Flux)]
struct Renamed {
    #[serde(rename = "new-name", alias = "old_name")]
    #[allow(dead_code)]
    one: u8,
    #[allow(dead_code)]
    two: u8,
    #[flux(nested, default)]
    #[serde(alias = "parts")]
    #[allow(dead_code)]
    items: Vec<RenamedItem>,
}

#[derive(Flux)]
struct RenamedItem {
    #[serde(alias = "n")]
    #[allow(dead_code)]
    number: u8,
}

/// It is there, under another name.
#[tokio::test]
async fn a_bad_value_under_an_alias_is_not_reported_as_missing_too() {
    for (format, text) in [
        (
            Format::Json,
            r#"{"old_name": [], "two": "x", "parts": [{"n": "y"}]}"#,
        ),
        (Format::Yaml, "old_name: []\ntwo: x\nparts: [{n: y}]"),
        (
            Format::Toml,
            "old_name = []\ntwo = 'x'\nparts = [{n = 'y'}]",
        ),
    ] {
        let report = refusal::<Renamed>(format, text).await;
        assert_eq!(
            paths(&report),
            ["old_name", "two", "parts[0].n"],
            "{report}"
        );
    }
}

#[tokio::test]
async fn a_missing_value_keeps_its_place_and_names_where_it_can_be_set() {
    let report = refusal::<App>(Format::Yaml, "port: x\nhosst: a\n").await;
    let text = report.to_string();
    assert!(
        text.starts_with("configuration refused: 2 problems, 1 warning;"),
        "{text}"
    );
    assert!(
        text.contains("host: is required, and no layer sets it; set `host` in app"),
        "{text}"
    );
    let (sender, channel) = Channel::buffered("app", 4);
    sender.send(&b"tenants: {}"[..]).await.unwrap();
    let env = Source::env("APP_").variables([("APP_PORT", "1")]);
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(channel).format(Format::Yaml))
        .source(env)
        .build()
        .unwrap();
    let error = capacitor.start().await.unwrap_err().to_string();
    assert!(
        error.contains("host: is required, and no layer sets it; set APP_HOST, or `host` in app"),
        "{error}"
    );
}
