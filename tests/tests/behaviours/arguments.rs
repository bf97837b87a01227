//! The arguments of the process as a layer.

use flux::{
    Error, Flux, Report, Source,
    report::{Fix, ProblemKind},
    testing::harness,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

#[derive(Flux, Debug, PartialEq)]
#[flux(
    optional_source = "file:app.json",
    override = "env:APP_",
    override = "args"
)]
pub(crate) struct App {
    /// The port to listen on.
    #[flux(default = 80, range = 1..=9999, short = 'p')]
    port: u16,
    /// Where to listen.
    #[flux(default = "localhost", arg = "listen")]
    host: String,
    #[flux(default = false, short = 't')]
    tls: bool,
    #[flux(default = true)]
    colour: bool,
    #[flux(short = 'q')]
    quiet: Option<bool>,
    #[flux(default)]
    offset: i64,
    #[flux(default)]
    tags: Vec<String>,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
    #[flux(default = "1s")]
    timeout: Duration,
    #[flux(bytes, default = "1KiB")]
    limit: u64,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    backends: Vec<Pool>,
}

#[derive(Flux, Debug, PartialEq)]
pub(crate) struct Pool {
    #[flux(default = 10, range = 1..=100)]
    #[serde(alias = "max")]
    max_size: u32,
    #[flux(default = "none")]
    url: String,
}

#[derive(Flux, Debug)]
#[flux(source = "file:app.json", override = "env:APP_", override = "args")]
struct Secrets {
    #[flux(secret)]
    password: Option<String>,
    #[flux(secret, arg = "token", short = 't')]
    token: Option<u64>,
    #[flux(nested, default)]
    databases: Vec<Database>,
    name: String,
}

#[derive(Flux, Debug)]
struct Database {
    #[flux(default = "db")]
    host: String,
    #[flux(secret)]
    password: Option<String>,
}

fn load(arguments: &[&str]) -> Result<App, Error> {
    let builder = App::builder().clear_sources();
    builder.arguments(arguments.iter().copied()).load()
}

fn loaded(arguments: &[&str]) -> App {
    load(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

fn refused(arguments: &[&str]) -> Report {
    match load(arguments) {
        Err(Error::Refused(report)) => report,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

#[test]
fn an_argument_is_its_path_and_its_value_follows_it_or_an_equals_sign() {
    for arguments in [
        &["--pool.max-size", "20"][..],
        &["--pool.max-size=20"],
        &["--pool.max_size=20"],
        &["--pool.max", "20"],
        &["--set", "pool.max_size=20"],
        &["--set=pool.max=20"],
    ] {
        assert_eq!(loaded(arguments).pool.max_size, 20, "{arguments:?}");
    }
    let app = loaded(&["--listen", "::1", "--timeout", "1m 5s", "--limit=2MiB"]);
    assert_eq!((app.host.as_str(), app.limit), ("::1", 2 << 20));
    assert_eq!(app.timeout, Duration::from_secs(65));
}

#[test]
fn a_switch_is_on_by_its_name_and_off_by_its_negation() {
    for (arguments, tls, colour) in [
        (&["--tls"][..], true, true),
        (&["--no-colour"], false, false),
        (&["--tls=yes", "--colour=off"], true, false),
        (&["-t"], true, true),
        (&["-t=false"], false, true),
        (&["--tls", "--no-colour", "--quiet"], true, false),
    ] {
        let app = loaded(arguments);
        assert_eq!((app.tls, app.colour), (tls, colour), "{arguments:?}");
    }
    assert_eq!(loaded(&["--no-quiet"]).quiet, Some(false));
}

#[test]
fn short_arguments_take_their_value_in_every_way_and_switches_share_a_word() {
    for arguments in [
        &["-p", "81"][..],
        &["-p81"],
        &["-p=81"],
        &["-qtp81"],
        &["-qtp", "81"],
    ] {
        assert_eq!(loaded(arguments).port, 81, "{arguments:?}");
    }
    let app = loaded(&["-qt"]);
    assert_eq!((app.quiet, app.tls), (Some(true), true));
}

#[test]
fn a_negative_number_is_a_value_and_other_hyphens_need_an_equals_sign() {
    assert_eq!(loaded(&["--offset", "-5"]).offset, -5);
    assert_eq!(loaded(&["--listen=-x"]).host, "-x");
    assert_eq!(loaded(&["--listen", "-"]).host, "-");
    let report = refused(&["--listen", "--tls"]);
    let problem = &report.problems()[0];
    assert_eq!(
        (problem.path.as_str(), problem.kind),
        ("host", ProblemKind::InvalidValue)
    );
    assert!(problem.message.contains("`--listen=-VALUE`"), "{report}");
}

#[test]
fn lists_and_maps_are_joined_from_every_argument() {
    assert_eq!(loaded(&["--tags", "a,b"]).tags, ["a", "b"]);
    assert_eq!(
        loaded(&["--tags", "a", "--tags=b", "--tags", "\"c,d\""]).tags,
        ["a", "b", "c,d"]
    );
    assert_eq!(loaded(&["--tags=[]"]).tags, Vec::<String>::new());
    let labels = loaded(&["--labels", "a=1,b=2", "--labels", "{\"c\":3}"]).labels;
    assert_eq!(labels.into_values().collect::<Vec<_>>(), [1, 2, 3]);
    let backends = loaded(&[
        "--backends",
        "{max_size=1}",
        "--backends",
        "{\"max_size\":2}",
    ])
    .backends;
    assert_eq!(
        backends.iter().map(|one| one.max_size).collect::<Vec<_>>(),
        [1, 2]
    );
}

#[test]
fn set_reaches_entries_and_items() {
    let app = loaded(&[
        "--set",
        "tenants.a.max_size=3",
        "--set",
        "tenants.\"x=y\".url=u=v",
        "--set",
        "backends[0].url=one",
        "--set",
        "labels.b=7",
        "--set",
        "tags[0]=t",
        "--tags",
        "u,v",
    ]);
    assert_eq!(app.tenants["a"].max_size, 3);
    assert_eq!(app.tenants["x=y"].url, "u=v");
    assert_eq!(app.backends[0].url, "one");
    assert_eq!(app.labels["b"], 7);
    assert_eq!(app.tags, ["t", "v"]);
}

#[test]
fn every_wrong_argument_is_reported_at_once_with_its_name_and_place() {
    let report = refused(&[
        "--port",
        "none",
        "--tls=maybe",
        "--prot",
        "1",
        "word",
        "--tags",
        "a",
        "--listen",
        "a",
        "--listen=b",
        "-x",
        "--set",
        "pool.mxa=1",
        "--set",
        "port",
        "--pool.max-size=500",
        "--no-port",
        "--pool.url",
        "--",
        "-q",
    ]);
    let found: Vec<_> = report
        .problems()
        .iter()
        .map(|one| {
            (
                one.argument.as_deref().unwrap_or("?"),
                one.position.unwrap_or(0),
            )
        })
        .collect();
    for expected in [
        ("--port", 1),
        ("--tls", 3),
        ("--prot", 4),
        ("", 6),
        ("--listen", 11),
        ("-x", 12),
        ("--set", 13),
        ("--set", 15),
        ("--pool.max-size", 17),
        ("--no-port", 18),
        ("--pool.url", 19),
        ("", 21),
    ] {
        assert!(
            found.contains(&expected),
            "{expected:?} in {found:?}: {report}"
        );
    }
    assert_eq!(found.len(), 12, "{report}");
    assert!(found.is_sorted_by_key(|(_, position)| position), "{report}");
    let text = report.to_string();
    assert!(text.contains("--> argument --port, position 1"), "{text}");
    assert!(text.contains("--> argument 6"), "{text}");
}

#[test]
fn a_broken_rule_names_the_argument() {
    let report = refused(&["--pool.max-size=500", "-p", "0"]);
    let problems = report.problems();
    let named: Vec<_> = problems.iter().map(|one| one.argument.as_deref()).collect();
    assert_eq!(named, [Some("--pool.max-size"), Some("-p")], "{report}");
    assert_eq!(problems[0].origin, "arguments");
}

#[test]
fn an_unknown_argument_gets_the_one_that_was_meant() {
    for (typed, meant) in [
        ("--prot", "did you mean `--port`?"),
        ("--pool-max-size", "did you mean `--pool.max-size`?"),
        ("--max-size", "did you mean `--pool.max-size`?"),
        ("--poll.max-size=3", "did you mean `--pool.max-size`?"),
        ("--no-tsl", "did you mean `--no-tls`?"),
        ("--pool", "`--pool.max-size`"),
        ("--labels.a=1", "`--set labels.KEY=VALUE`"),
        ("--backends[0].url=1", "`--set backends[0]=VALUE`"),
        ("--hlep", "did you mean `--help`?"),
        ("--zebra", "`--help` lists the arguments"),
        ("-z", "`--help` lists the arguments"),
    ] {
        let report = refused(&[typed]);
        let problem = &report.problems()[0];
        assert_eq!(problem.kind, ProblemKind::UnknownKey, "{report}");
        assert!(problem.message.contains(meant), "{report}");
    }
    let report = refused(&["--prot", "1"]);
    let to = |fix: &Fix| match fix {
        Fix::Rename { to, .. } => to.clone(),
        other => panic!("{other}"),
    };
    assert_eq!(report.problems().len(), 1, "{report}");
    assert_eq!(
        report.problems()[0].fix.as_ref().map(to).as_deref(),
        Some("--port")
    );
}

#[derive(Flux, Debug)]
#[serde(rename_all = "camelCase")]
#[flux(optional_source = "file:app.json", override = "args")]
struct Ported {
    #[serde(rename = "hostName")]
    host: Option<String>,
    #[serde(rename = "connections")]
    #[flux(nested, default)]
    pool: PortedPool,
    #[flux(arg = "listen")]
    bind_to: Option<String>,
}

#[derive(Flux, Debug, Default)]
#[serde(rename_all = "kebab-case")]
struct PortedPool {
    #[serde(rename = "upTo")]
    max_size: Option<u32>,
}

#[tokio::test]
async fn the_name_in_rust_of_a_renamed_field_is_known_to_be_another_argument() {
    for (typed, meant) in [
        ("--host=a", "--host-name"),
        ("--Host=a", "--host-name"),
        ("--pool.max-size=1", "--connections.up-to"),
        ("--pool.max_size=1", "--connections.up-to"),
        ("--pool.up-to=1", "--connections.up-to"),
        ("--connections.max-size=1", "--connections.up-to"),
        ("--bind-to=a", "--listen"),
    ] {
        let builder = Ported::builder().arguments([typed]);
        let capacitor = builder.build().unwrap();
        let Err(Error::Refused(report)) = capacitor.start().await else {
            panic!("{typed} is no argument");
        };
        let problem = &report.problems()[0];
        let sentence = format!("did you mean `{meant}`?");
        assert!(problem.message.contains(&sentence), "{typed}: {report}");
        assert!(
            matches!(&problem.fix, Some(Fix::Rename { to, .. }) if to == meant),
            "{typed}: {report}"
        );
    }
}

#[test]
fn a_key_that_occurs_twice_in_joined_arguments_is_refused() {
    let report = refused(&["--labels", "a=1", "--labels", "a=2"]);
    assert_eq!(
        report.problems()[0].argument.as_deref(),
        Some("--labels"),
        "{report}"
    );
    let report = refused(&["--tls", "--no-tls"]);
    assert_eq!(
        report.problems()[0].kind,
        ProblemKind::DuplicateKey,
        "{report}"
    );
}

#[tokio::test]
async fn a_secret_needs_an_argument_that_the_code_names_and_is_never_shown() {
    let bench = harness::<Secrets>()
        .document("app.json", r#"{"name": "n"}"#)
        .arguments(["--token", "123456789"])
        .start()
        .await;
    assert_eq!(bench.get().token, Some(123_456_789));
    for arguments in [
        &["--password", "hunter2hunter2"][..],
        &["--password=hunter2hunter2"],
        &["--set", "password=hunter2hunter2"],
        &["--databases", "{host=a,password=hunter2hunter2}"],
        &["--set", "databases[0]={host=a,password=hunter2hunter2}"],
        &["--set", "databases[0].password=hunter2hunter2"],
        &["--token", "hunter2hunter2"],
        &["-thunter2hunter2"],
        &["--pasword", "hunter2hunter2"],
        &["--pasword=hunter2hunter2"],
        &["--set", "pasword=hunter2hunter2"],
        &["--password", "hunter2hunter2", "hunter2hunter2"],
    ] {
        let (bench, report) = harness::<Secrets>()
            .document("app.json", r#"{"name": "n"}"#)
            .arguments(arguments.iter().copied())
            .start_refused()
            .await;
        let shown = format!("{report}{report:?}{:?}{}", bench.status(), bench.status());
        assert!(!shown.contains("hunter2"), "{arguments:?}: {shown}");
        assert!(report.problems()[0].argument.is_some(), "{report}");
    }
    let (_, report) = harness::<Secrets>()
        .document("app.json", r#"{"name": "n"}"#)
        .arguments(["--password", "x"])
        .start_refused()
        .await;
    assert!(
        report.to_string().contains("everybody on a machine"),
        "{report}"
    );
    let bench = harness::<Secrets>()
        .document("app.json", r#"{"name": "n"}"#)
        .arguments(["--set", "databases[0].host=a"])
        .start()
        .await;
    assert_eq!(bench.get().databases[0].host, "a");
}

#[tokio::test]
async fn an_argument_stays_above_later_edits_and_variables() {
    let bench = harness::<App>()
        .document("app.json", r#"{"port": 1}"#)
        .variable("APP_PORT", "2")
        .arguments(["--port", "3"])
        .start()
        .await;
    assert_eq!(bench.get().port, 3);
    bench
        .set("app.json", r#"{"port": 4, "tls": true}"#)
        .await
        .unwrap();
    assert_eq!((bench.get().port, bench.get().tls), (3, true));
}

#[tokio::test]
async fn an_edit_that_an_argument_hides_is_a_warning_once_at_its_line() {
    let bench = harness::<App>()
        .document("app.json", r#"{"port": 1}"#)
        .arguments([
            "--port",
            "3",
            "--set",
            "tenants.a.max_size=5",
            "--labels",
            "a=1",
        ])
        .start()
        .await;
    assert_eq!(bench.status().warnings, [], "nothing was edited");
    let edits = [
        ("{\n\"port\": 4}", &[("port", Some(2))][..]),
        ("{\n\"port\": 4, \"tls\": true}", &[]),
        (
            "{\"port\": 4,\n\"tenants\": {\"a\":\n{\"max\": 7}}, \"labels\": {\"a\": 2, \"b\": 2}}",
            &[("tenants.a.max_size", Some(3))],
        ),
        (
            "{\"port\": 4, \"tenants\": {\"a\": {\"max_size\": 7}, \"b\": {}}}",
            &[],
        ),
        ("{}", &[]),
    ];
    for (document, expected) in edits {
        bench.set("app.json", document).await.unwrap();
        let status = bench.status();
        let warnings = status.warnings.iter();
        let found: Vec<_> = warnings.map(|one| (one.path.as_str(), one.line)).collect();
        assert_eq!(found, expected, "{document}");
        for warning in &status.warnings {
            assert_eq!(
                (warning.kind, warning.is_warning()),
                (ProblemKind::Shadowed, true)
            );
            assert!(warning.message.contains("the argument --"), "{warning}");
        }
    }
    assert_eq!(
        (bench.get().port, bench.get().tenants["a"].max_size),
        (3, 5)
    );
}

#[tokio::test]
async fn without_given_arguments_a_bench_has_none() {
    let bench = harness::<App>().start().await;
    assert_eq!(bench.get().port, 80);
}

#[tokio::test]
async fn a_missing_value_is_asked_for_by_its_argument() {
    let (_, report) = harness::<Secrets>()
        .document("app.json", "{}")
        .start_refused()
        .await;
    let message = &report.problems()[0].message;
    assert!(
        message.contains("set --name, or APP_NAME, or `name` in app.json"),
        "{report}"
    );
}

#[test]
fn the_help_comes_alone_and_has_docs_defaults_rules_and_variables() {
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["--wrong", "-th"],
        &["--port", "--help"],
    ] {
        let Err(Error::Help(text)) = App::builder().arguments(arguments.iter().copied()).load()
        else {
            panic!("{arguments:?}");
        };
        for part in [
            "Usage: ",
            "  -p, --port <u16>\n          The port to listen on.\n          [default: 80] [range: 1..=9999] [variable: APP_PORT]",
            "      --listen <String>\n",
            "  -t, --tls, --no-tls\n",
            "--tags <Vec<String>>...",
            "--pool.max-size <u32>",
            "--set <PATH=VALUE>",
            "-h, --help",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    assert!(load(&["--listen=--help"]).is_ok());
    let report = refused(&["--", "--help"]);
    assert_eq!(report.problems()[0].position, Some(2), "{report}");
}

#[test]
fn a_secret_without_an_argument_is_not_in_the_help() {
    let Err(Error::Help(text)) = Secrets::builder().arguments(["-h"]).load() else {
        panic!("no help");
    };
    assert!(
        !text.contains("--password") && text.contains("--token"),
        "{text}"
    );
}

#[test]
fn names_that_mean_two_fields_are_refused_at_the_start() {
    #[derive(Flux)]
    struct Twice {
        #[flux(nested)]
        one: Pair,
        #[flux(nested)]
        two: Pair,
    }
    #[derive(Flux)]
    struct Pair {
        #[flux(default = 1, short = 's')]
        size: u8,
    }
    #[derive(Flux)]
    struct Negated {
        #[flux(default = false)]
        tls: bool,
        #[flux(default = false)]
        no_tls: bool,
    }
    #[derive(Flux)]
    struct Helped {
        #[flux(default = 1)]
        help: u8,
    }
    fn problem<C: flux::Config>() -> String {
        match flux::Capacitor::<C>::builder().arguments([""; 0]).load() {
            Err(Error::Declaration { problem, .. }) => problem,
            _ => panic!("no problem"),
        }
    }
    assert!(problem::<Twice>().contains("-s would mean both `one.size` and `two.size`"));
    assert!(problem::<Negated>().contains("--no-tls would mean both `tls` and `no_tls`"));
    assert!(problem::<Helped>().contains("--help would mean both what prints the help and `help`"));
}

#[test]
#[cfg(unix)]
fn an_argument_that_is_no_unicode_is_refused() {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt};
    let word = OsString::from_vec(b"--listen=\xff".to_vec());
    let Err(Error::Refused(report)) = App::builder().clear_sources().arguments([word]).load()
    else {
        panic!("no report");
    };
    assert!(
        report.to_string().contains("is not valid Unicode"),
        "{report}"
    );
    assert!(
        report.to_string().contains("argument --listen, position 1"),
        "{report}"
    );
}

#[test]
fn a_layer_of_arguments_may_have_a_name_of_its_own() {
    let layer = Source::args().arguments(["--prot"]).named("command line");
    let Err(Error::Refused(report)) = flux::Capacitor::<App>::builder()
        .override_with(layer)
        .load()
    else {
        panic!("no report");
    };
    assert!(
        report
            .to_string()
            .contains("argument --prot, position 1 (command line)"),
        "{report}"
    );
}

/// The child is this test, whose arguments are those of the test runner.
#[test]
fn without_given_arguments_those_of_the_process_are_read_without_its_name() {
    const CHILD: &str = "FLUX_TEST_ARGUMENTS";
    if std::env::var_os(CHILD).is_some() {
        match App::builder().load() {
            Err(Error::Refused(report)) => {
                for problem in report.problems() {
                    println!("<{:?} {:?}>", problem.argument, problem.position);
                }
            }
            other => panic!("{other:?}"),
        }
        return;
    }
    let thread = std::thread::current();
    let name = thread.name().expect("a test has one");
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--nocapture", "--exact", name])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    for expected in [
        "<Some(\"--nocapture\") Some(1)>",
        "<Some(\"--exact\") Some(2)>",
    ] {
        assert!(printed.contains(expected), "{printed}");
    }
}

/// How the values of an [`App`] are typed.
pub(crate) fn typed(app: &App) -> Vec<String> {
    let json = |text: &String| serde_json::to_string(text).unwrap();
    let mut all = vec![
        format!("--port={}", app.port),
        format!("--listen={}", app.host),
        format!("--{}tls", if app.tls { "" } else { "no-" }),
        format!("--colour={}", app.colour),
        "--offset".to_owned(),
        app.offset.to_string(),
        format!("--timeout={}ms", app.timeout.as_millis()),
        format!("--limit={}", app.limit),
        format!("--pool.max-size={}", app.pool.max_size),
        format!("--pool.url={}", app.pool.url),
    ];
    all.extend(app.quiet.map(|quiet| format!("-q={quiet}")));
    if app.tags.is_empty() {
        all.push("--tags=[]".to_owned());
    }
    for tag in &app.tags {
        all.extend(["--tags".to_owned(), json(tag)]);
    }
    for (key, value) in &app.labels {
        all.push(format!("--labels={{{}:{value}}}", json(key)));
    }
    for (key, pool) in &app.tenants {
        let key = json(key);
        all.push(format!(
            "--tenants={{{key}:{{\"max_size\":{},\"url\":{}}}}}",
            pool.max_size,
            json(&pool.url)
        ));
    }
    for (at, pool) in app.backends.iter().enumerate() {
        all.push(format!("--set=backends[{at}].max_size={}", pool.max_size));
        all.extend([
            "--set".to_owned(),
            format!("backends[{at}].url={}", pool.url),
        ]);
    }
    all
}

fn pool() -> impl Strategy<Value = Pool> {
    (1..=100_u32, any::<String>()).prop_map(|(max_size, url)| Pool { max_size, url })
}

pub(crate) fn app() -> impl Strategy<Value = App> {
    let first = (
        1..=9999_u16,
        any::<String>(),
        any::<bool>(),
        any::<bool>(),
        any::<Option<bool>>(),
        any::<i64>(),
    );
    let second = (
        prop::collection::vec(any::<String>(), 0..4),
        prop::collection::btree_map(any::<String>(), any::<u32>(), 0..3),
        0..100_000_u64,
        any::<u64>(),
        pool(),
        prop::collection::btree_map(any::<String>(), pool(), 0..3),
        prop::collection::vec(pool(), 0..3),
    );
    (first, second).prop_map(|(first, second)| {
        let (port, host, tls, colour, quiet, offset) = first;
        let (tags, labels, timeout, limit, pool, tenants, backends) = second;
        App {
            port,
            host,
            tls,
            colour,
            quiet,
            offset,
            tags,
            labels,
            timeout: Duration::from_millis(timeout),
            limit,
            pool,
            tenants,
            backends,
        }
    })
}

proptest! {
    #[test]
    fn any_value_that_is_typed_as_arguments_is_read_as_it_was(app in app()) {
        let arguments = typed(&app);
        let read = App::builder().clear_sources().arguments(arguments.clone()).load();
        match read {
            Ok(read) => prop_assert_eq!(read, app),
            Err(error) => prop_assert!(false, "{:?}: {}", arguments, error),
        }
    }

    #[test]
    fn any_words_are_read_or_refused(words in prop::collection::vec("(--?[a-z.=-]{0,9}|--set|[a-z.=\\[\\]0-9\"\\\\]{0,9})", 0..8)) {
        match App::builder().clear_sources().arguments(words).load() {
            Ok(_) | Err(Error::Help(_)) => {}
            Err(Error::Refused(report)) => {
                for problem in report.problems() {
                    prop_assert!(problem.argument.is_some(), "{}", report);
                }
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
