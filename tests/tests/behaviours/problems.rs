//! Problems as data: what a program gets without parsing sentences.

use crate::{by_hand, refusal};
use flux::{
    Capacitor, Error, Flux, Format, Report, Snapshot, Source,
    report::{Fix, KeyPath, PathStep, Problem, ProblemKind},
    source::Channel,
};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

#[derive(Flux)]
#[flux(validate = ordered)]
#[serde(deny_unknown_fields)]
struct App {
    #[flux(range = 1..=9, immutable)]
    port: u16,
    #[flux(non_empty)]
    host: String,
    #[flux(default)]
    level: Level,
    #[flux(secret)]
    token: Option<String>,
    #[flux(default)]
    #[serde(alias = "minimum")]
    min: u32,
    #[flux(default = 10)]
    max: u32,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Tenant>,
}

#[derive(Flux)]
#[flux(validate = small)]
struct Tenant {
    #[flux(range = 1..=100)]
    max: u32,
    key: Option<String>,
}

#[derive(Deserialize, Clone, PartialEq, Default)]
#[serde(rename_all = "lowercase")]
enum Level {
    #[default]
    Info,
    Debug,
}

fn ordered(app: &App) -> Result<(), String> {
    match app.min <= app.max {
        true => Ok(()),
        false => Err(format!("`min` ({}) is above `max` ({})", app.min, app.max)),
    }
}

fn small(tenant: &Tenant) -> Result<(), String> {
    match tenant.max == 77 {
        false => Ok(()),
        true => Err("is not allowed to have that many".to_owned()),
    }
}

fn one<'r>(report: &'r Report, path: &str) -> &'r Problem {
    let mut found = report.problems().iter().filter(|one| one.path == *path);
    let first = found.next();
    first.unwrap_or_else(|| panic!("nothing at `{path}` in\n{report}"))
}

#[tokio::test]
async fn every_problem_has_its_kind_and_its_parts() {
    let text = "port: http\nhost: ''\nlevel: debgu\nmaxx: 1\nmin: 1\nminimum: 2\ntenants:\n  a.b: {max: 500}\n  '': {}\n";
    let report = refusal::<App>(Format::Yaml, text).await;
    let port = one(&report, "port");
    assert_eq!(port.kind, ProblemKind::TypeMismatch, "{report}");
    assert_eq!(port.expected.as_deref(), Some("u16"));
    assert_eq!(port.found.as_deref(), Some("string \"http\""));
    assert_eq!((port.origin.as_str(), port.layer), ("app", Some(0)));
    assert_eq!((port.line, port.column), (Some(1), Some(7)));
    let host = one(&report, "host");
    assert_eq!(host.kind, ProblemKind::Rule);
    assert_eq!(host.expected.as_deref(), Some("must not be empty"));
    let level = one(&report, "level");
    assert!(matches!(&level.fix, Some(Fix::Replace { with, .. }) if with == "debug"));
    let typo = one(&report, "maxx");
    assert_eq!(typo.kind, ProblemKind::UnknownKey);
    assert!(matches!(&typo.fix, Some(Fix::Rename { to, .. }) if to == "max"));
    let twice = one(&report, "minimum");
    assert_eq!(twice.kind, ProblemKind::DuplicateKey);
    assert!(twice.message.contains("`min` and `minimum`"), "{report}");
    assert!(matches!(twice.fix, Some(Fix::Remove)));
    let entry = one(&report, "tenants.\"a.b\".max");
    assert_eq!(entry.kind, ProblemKind::Rule);
    assert_eq!(entry.path.steps()[1], PathStep::Key("a.b".into()));
    let missing = one(&report, "tenants.\"\".max");
    assert_eq!(missing.kind, ProblemKind::Missing);
    assert_eq!(missing.line, Some(9), "{report}");
    match &missing.fix {
        Some(Fix::Set { key, document, .. }) => {
            assert_eq!(key.as_ref(), Some(&missing.path));
            assert_eq!(document.as_deref(), Some("app"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(report.problems().len(), 7, "{report}");
}

#[tokio::test]
async fn a_report_is_json_with_stable_names() {
    let report = refusal::<App>(Format::Yaml, "port: 70\nhost: a\ntenants: {'a.b': {}}").await;
    let told: serde_json::Value = serde_json::to_value(&report).unwrap();
    let expected = json!({
        "outcome": "nothing_applied",
        "keeps_previous": false,
        "problems": [
            {
                "kind": "rule", "path": "port", "steps": ["port"], "message": "must be in 1..=9, found 70",
                "expected": "must be in 1..=9", "found": "70", "fix": null, "origin": "app", "layer": 0, "variable": null,
                "line": 1, "column": 7, "warning": false,
            },
            {
                "kind": "missing", "path": "tenants.\"a.b\".max", "steps": ["tenants", "a.b", "max"],
                "message": "is required, and no layer sets it; set `tenants.\"a.b\".max` in app",
                "expected": null, "found": null,
                "fix": {"action": "set", "variable": null, "key": "tenants.\"a.b\".max", "document": "app"},
                "origin": "app", "layer": 0, "variable": null, "line": 3, "column": 18, "warning": false,
            },
        ],
    });
    assert_eq!(told, expected, "{told:#}");
    for problem in report.problems() {
        assert_eq!(
            problem.path.to_string().parse::<KeyPath>().unwrap(),
            problem.path
        );
    }
}

#[tokio::test]
async fn what_no_document_contains_has_its_kind_too() {
    let kinds = |report: &Report| {
        report
            .problems()
            .iter()
            .map(|one| one.kind)
            .collect::<Vec<_>>()
    };
    let report = refusal::<App>(Format::Json, "{\"port\": ").await;
    assert_eq!(kinds(&report), [ProblemKind::Syntax], "{report}");
    let report = refusal::<App>(Format::Json, "").await;
    assert_eq!(kinds(&report), [ProblemKind::Source], "{report}");
    let (capacitor, sender) = by_hand::<App>(|builder| {
        builder.on_apply(|_, app: Arc<Snapshot<App>>| async move {
            match app.max {
                99 => Err("no"),
                _ => Ok(()),
            }
        })
    });
    sender.send(&b"port: 1\nhost: a"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    sender.send(&b"port: 2\nhost: a"[..]).await.unwrap();
    capacitor.process().await.unwrap();
    let report = capacitor.last_error().unwrap();
    assert_eq!(kinds(&report), [ProblemKind::ChangeRule], "{report}");
    sender
        .send(&b"port: 1\nhost: a\nmax: 99"[..])
        .await
        .unwrap();
    capacitor.process().await.unwrap();
    let report = capacitor.last_error().unwrap();
    assert_eq!(kinds(&report), [ProblemKind::Callback], "{report}");
    assert_eq!(report, report.clone());
}

#[tokio::test]
async fn neither_data_nor_debug_has_anything_of_a_secret() {
    let text =
        "port: 1\nhost: a\ntoken: [hunter2hunter2]\nlevel: hunter2hunter2\nmin: hunter2hunter2";
    let report = refusal::<App>(Format::Yaml, text).await;
    let json = serde_json::to_string(&report).unwrap();
    for told in [
        format!("{report:?}"),
        format!("{:?}", report.problems()),
        json,
    ] {
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn a_rule_of_a_struct_has_the_line_of_the_field_it_names_or_of_the_section() {
    let report = refusal::<App>(Format::Yaml, "host: a\nport: 1\nmin: 50\n").await;
    let problem = &report.problems()[0];
    assert_eq!(problem.kind, ProblemKind::CrossField, "{report}");
    assert_eq!(
        (problem.origin.as_str(), problem.line),
        ("app", Some(3)),
        "{report}"
    );
    assert!(problem.path.is_empty());
    let text = "host: a\nport: 1\ntenants:\n  a: {max: 1}\n  b:\n    max: 77\n";
    let report = refusal::<App>(Format::Yaml, text).await;
    let problem = &report.problems()[0];
    assert_eq!(problem.kind, ProblemKind::CrossField, "{report}");
    assert_eq!(
        (problem.path.as_str(), problem.line),
        ("tenants.b", Some(6)),
        "{report}"
    );
}

#[tokio::test]
async fn a_rule_of_a_struct_is_asked_only_where_the_struct_is_whole() {
    // `max` cannot be read, so nobody knows whether `min` is above it; the rule of `tenants.a` is another one.
    let text = "host: a\nport: 1\nmin: 50\nmax: x\ntenants: {a: {max: 77}, b: {max: y}}\n";
    let report = refusal::<App>(Format::Yaml, text).await;
    let paths: Vec<_> = report
        .problems()
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(paths, ["max", "tenants.a", "tenants.b.max"], "{report}");
}

#[tokio::test]
async fn a_layer_that_cannot_be_read_makes_no_other_layer_look_bad() {
    let (below, lower) = Channel::buffered("lower", 4);
    let (above, upper) = Channel::buffered("upper", 4);
    below
        .send(&b"port: 50\ntenants: {a: {max: x}}"[..])
        .await
        .unwrap();
    above.send(&b"host: ["[..]).await.unwrap();
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(lower).format(Format::Yaml))
        .source(Source::watcher(upper).format(Format::Yaml))
        .build()
        .unwrap();
    let Err(Error::Refused(report)) = capacitor.start().await else {
        panic!("refused");
    };
    let told: Vec<_> = (report.problems().iter())
        .map(|one| (one.origin.as_str(), one.path.as_str()))
        .collect();
    // The upper document may set `host` and another `port`.
    assert_eq!(
        told,
        [("lower", "tenants.a.max"), ("upper", "")],
        "{report}"
    );
}

#[tokio::test]
async fn a_value_of_an_upper_layer_is_judged_although_a_lower_one_cannot_be_read() {
    let (below, lower) = Channel::buffered("lower", 4);
    below.send(&b"host: a\nport: x"[..]).await.unwrap();
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(lower).format(Format::Yaml))
        .source(Source::env("APP_").variables([("APP_PORT", "70")]))
        .build()
        .unwrap();
    let Err(Error::Refused(report)) = capacitor.start().await else {
        panic!("refused");
    };
    let told: Vec<_> = (report.problems().iter())
        .map(|one| (one.kind, one.path.as_str(), one.variable.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (ProblemKind::TypeMismatch, "port", None),
            (ProblemKind::Rule, "port", Some("APP_PORT")),
        ],
        "{report}"
    );
}

#[tokio::test]
async fn a_missing_value_of_an_item_names_the_document_that_has_the_item() {
    #[derive(Flux)]
    struct Lists {
        #[flux(nested)]
        ups: Vec<Tenant>,
    }
    let (below, lower) = Channel::buffered("lower", 4);
    let (above, upper) = Channel::buffered("upper", 4);
    below.send(&b"ups: [{}]"[..]).await.unwrap();
    above.send(&b"x: 1"[..]).await.unwrap();
    let capacitor = Capacitor::<Lists>::builder()
        .manual()
        .source(Source::watcher(lower).format(Format::Yaml))
        .source(Source::watcher(upper).format(Format::Yaml))
        .build()
        .unwrap();
    let error = capacitor.start().await.unwrap_err().to_string();
    assert!(error.contains("set `ups[0].max` in lower"), "{error}");
}

#[tokio::test]
async fn a_message_of_another_crate_has_one_line() {
    #[derive(Flux)]
    struct Words {
        #[flux(default, validate = several)]
        n: u32,
    }
    fn several(_: &u32) -> Result<(), String> {
        Err("cannot parse it:\n    (a\n    ^\nunclosed group".to_owned())
    }
    let report = refusal::<Words>(Format::Yaml, "n: 1").await;
    assert_eq!(
        report.problems()[0].message,
        "cannot parse it: (a; unclosed group"
    );
    let report = refusal::<Words>(Format::Toml, "n = = 1\n").await;
    assert!(!report.to_string().contains("\\n"), "{report}");
}

#[derive(Deserialize, Clone, PartialEq, Debug)]
struct Ratio {
    low: f32,
    #[serde(default)]
    high: Option<f32>,
}

#[derive(Flux, Debug)]
struct Ratios {
    #[flux(default)]
    one: f32,
    #[flux(default)]
    list: Vec<f32>,
    #[flux(default)]
    map: BTreeMap<String, f32>,
    #[flux(default)]
    maybe: Option<f32>,
    #[flux(default)]
    pair: Option<(f32, String)>,
    #[flux(default)]
    ratio: Option<Ratio>,
    #[flux(default)]
    wide: f64,
}

#[tokio::test]
async fn a_number_that_only_64_bits_hold_is_no_f32() {
    let good = "{\"one\": 3.4e38, \"list\": [-3.4e38, 1], \"map\": {\"a\": 1e-50}, \"ratio\": {\"low\": 0.5}, \"wide\": 1e39}";
    crate::applied::<Ratios>(Format::Json, good).await;
    let infinite = crate::applied::<Ratios>(Format::Yaml, "one: .inf\nlist: [-.inf]").await;
    assert!(infinite.one.is_infinite());
    for (format, text) in [
        (
            Format::Json,
            "{\"one\": 1e39, \"list\": [1, -1e39], \"map\": {\"a\": 1e39}, \"maybe\": 1e39,\n\"pair\": [1e39, \"a\"], \"ratio\": {\"low\": 1e39, \"high\": 1e39}}",
        ),
        (
            Format::Yaml,
            "one: 1e39\nlist: [1, -1e39]\nmap: {a: 1e39}\nmaybe: 1e39\npair: [1e39, a]\nratio: {low: 1e39, high: 1e39}",
        ),
        (
            Format::Toml,
            "one = 1e39\nlist = [1, -1e39]\nmap = {a = 1e39}\nmaybe = 1e39\npair = [1e39, 'a']\nratio = {low = 1e39, high = 1e39}",
        ),
    ] {
        let report = refusal::<Ratios>(format, text).await;
        let mut paths: Vec<_> = report
            .problems()
            .iter()
            .map(|one| one.path.as_str())
            .collect();
        paths.sort_unstable();
        let all = [
            "list[1]",
            "map.a",
            "maybe",
            "one",
            "pair[0]",
            "ratio.high",
            "ratio.low",
        ];
        assert_eq!(paths, all, "{report}");
    }
    let variables = [
        ("APP_ONE", "1e39"),
        ("APP_LIST", "1,1e39"),
        ("APP_MAP", "a=1e39"),
        ("APP_MAYBE", "1e39"),
    ];
    let env = Source::env("APP_").variables(variables);
    let capacitor = Capacitor::<Ratios>::builder()
        .manual()
        .source(env)
        .build()
        .unwrap();
    let Err(Error::Refused(report)) = capacitor.start().await else {
        panic!("refused");
    };
    assert_eq!(report.problems().len(), 4, "{report}");
}

#[tokio::test]
async fn what_is_no_number_is_compared_in_tuples_and_not_in_a_struct_of_the_program() {
    #[derive(Deserialize, Clone, PartialEq, Debug)]
    struct Point {
        x: f64,
    }
    #[derive(Flux)]
    struct Plane {
        #[flux(default)]
        pairs: Vec<(String, f64)>,
        point: Option<Point>,
        #[flux(default)]
        n: u8,
    }
    let (capacitor, sender) = by_hand::<Plane>(|builder| builder.generations(4));
    sender
        .send(&b"pairs: [[a, .nan]]\npoint: {x: .nan}"[..])
        .await
        .unwrap();
    capacitor.start().await.unwrap();
    sender
        .send(&b"pairs: [[a, .nan]]\npoint: {x: .nan}\nn: 1"[..])
        .await
        .unwrap();
    capacitor.process().await.unwrap();
    // A limit: nothing but its own `PartialEq` is known of the program's struct.
    assert_eq!(capacitor.status().generations[1].changed, ["point", "n"]);
}

#[tokio::test]
async fn a_report_has_bounds_and_counts_what_is_beyond_them() {
    let entries: Vec<_> = (0..3_000).map(|n| format!("  t{n}: {{max: 0}}")).collect();
    let text = format!("port: 1\nhost: a\ntenants:\n{}\n", entries.join("\n"));
    let report = refusal::<App>(Format::Yaml, text).await;
    let last = report.problems().last().unwrap();
    assert_eq!(
        (report.problems().len(), last.kind),
        (501, ProblemKind::More)
    );
    assert_eq!(last.message, "has 2500 more problems");
    let text = format!("port: '{}'\nhost: a", "x".repeat(1 << 20));
    let report = refusal::<App>(Format::Yaml, text).await;
    assert!(report.to_string().len() < 4_000);
    assert!(serde_json::to_string(&report).unwrap().len() < 8_000);
}
