//! Keys of earlier versions of a program, in every layer: they are read with a warning that names them, until they are not.

mod old_programs;
mod same_value;

use flux::{
    Builder, Capacitor, Config, Flux, Format, Report, Source, State, Unknown,
    figment::{
        self, Metadata, Profile, Provider,
        value::{Dict, Map, Value},
    },
    inspect::{CheckError, Checked, Describe as _, Inputs},
    report::{Fix, Problem, ProblemKind},
    source::Channel,
};
use std::collections::BTreeMap;

#[derive(Flux, Debug, Clone, PartialEq)]
struct App {
    #[flux(default = 80, was = "prot", range = 1..=9999)]
    port: u16,
    #[flux(nested, was = "db", removed = "9.0")]
    pool: Pool,
    #[flux(deprecated = "use `pool.max_size`", since = "0.0.5", removed = "9.0")]
    limit: Option<u32>,
    #[flux(secret, default, was = "pasword")]
    password: String,
    #[flux(default, was = "silent")]
    quiet: bool,
    #[flux(nested, default, was = "customers")]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    upstreams: Vec<Pool>,
    #[flux(nested)]
    #[serde(flatten)]
    log: Log,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Pool {
    #[flux(default = 1, was = "max_szie", removed = "9.0")]
    max_size: u32,
    #[flux(default, was = "least", was = "minimum", since = "0.0.9")]
    #[serde(alias = "smallest")]
    min: u32,
}

#[derive(Flux, Debug, Clone, PartialEq)]
struct Log {
    #[flux(default = "info".to_owned(), was = "verbosity")]
    level: String,
}

/// The version of this crate has reached what is removed.
#[derive(Flux, Debug)]
struct Gone {
    #[flux(default = 1, was = "max_szie", removed = "0.1")]
    max_size: u32,
    #[flux(deprecated = "use `max_size`", removed = "0.0.9")]
    limit: Option<u32>,
    #[flux(default, was = "kept_too", removed = "9.0")]
    kept: u32,
}

fn builder() -> Builder<App> {
    Capacitor::<App>::builder()
        .source(Source::file("/nowhere/app.yaml"))
        .source(Source::dotenv("/nowhere/.env").optional())
        .override_with(Source::env("APP_"))
        .override_with(Source::args())
}

fn gone() -> Builder<Gone> {
    Capacitor::<Gone>::builder()
        .source(Source::file("/nowhere/app.yaml"))
        .source(Source::dotenv("/nowhere/.env").optional())
        .override_with(Source::env("APP_"))
        .override_with(Source::args())
}

fn of(text: &str) -> Inputs {
    Inputs::new().layer("/nowhere/app.yaml", text)
}

fn checked(inputs: Inputs) -> Checked {
    match builder().check(inputs) {
        Ok(checked) => checked,
        Err(error) => panic!("{error}"),
    }
}

fn refused(answer: Result<Checked, CheckError>) -> Report {
    match answer {
        Err(CheckError::Refused(report)) => report,
        other => panic!("{other:?}"),
    }
}

/// The path, the place and the message of each.
fn told<'p>(problems: impl IntoIterator<Item = &'p Problem>) -> Vec<(String, String, String)> {
    let one = |one: &Problem| {
        let place = match (&one.variable, &one.argument, one.line, one.column) {
            (Some(name), ..) | (None, Some(name), ..) => name.clone(),
            (None, None, Some(line), Some(column)) => format!("{line}:{column}"),
            _ => String::new(),
        };
        (one.path.as_str().to_owned(), place, one.message.clone())
    };
    problems.into_iter().map(one).collect()
}

fn three(path: &str, place: &str, message: &str) -> (String, String, String) {
    (path.to_owned(), place.to_owned(), message.to_owned())
}

const SZIE: &str = "is called `max_size` now; write that: version 9.0 will not read `max_szie`";
const LIMIT: &str =
    "is deprecated since version 0.0.5: use `pool.max_size`; version 9.0 will not read it";

#[test]
fn a_former_key_of_a_document_is_read_and_named_with_its_place() {
    let text = "prot: 81\ndb:\n  max_szie: 3\n  least: 2\nlimit: 5\nverbosity: debug\n\
                tenants: {a: {minimum: 1}}\nupstreams:\n- max_szie: 4";
    let checked = checked(of(text));
    let now = "is called `min` since version 0.0.9; write that";
    assert_eq!(
        told(&checked.warnings),
        [
            three("prot", "1:7", "is called `port` now; write that"),
            three(
                "db",
                "3:3",
                "is called `pool` now; write that: version 9.0 will not read `db`"
            ),
            three("db.max_szie", "3:13", SZIE),
            three("db.least", "4:10", now),
            three("limit", "5:8", LIMIT),
            three("verbosity", "6:12", "is called `level` now; write that"),
            three("tenants.a.minimum", "7:24", now),
            three("upstreams[0].max_szie", "9:13", SZIE),
        ]
    );
    assert!(
        checked
            .warnings
            .iter()
            .all(|one| one.kind == ProblemKind::Deprecated)
    );
    for (path, value) in [
        ("port", "81"),
        ("pool.max_size", "3"),
        ("pool.min", "2"),
        ("limit", "5"),
        ("level", "\"debug\""),
        ("tenants.a.min", "1"),
        ("upstreams[0].max_size", "4"),
    ] {
        let explained = checked.explain(path).unwrap();
        assert_eq!(explained.value.unwrap().to_string(), value, "{path}");
    }
    // By the former key too.
    let explained = checked.explain("db.max_szie").unwrap();
    assert_eq!(explained.path.as_str(), "pool.max_size");
}

#[test]
fn the_fix_is_a_new_name_where_there_is_one() {
    let checked = checked(of("prot: 81\nlimit: 5"));
    let fixes: Vec<_> = checked.warnings.iter().map(|one| one.fix.clone()).collect();
    assert!(
        matches!(&fixes[..], [Some(Fix::Rename { to, .. }), None] if to == "port"),
        "{fixes:?}"
    );
}

#[test]
fn a_document_without_former_keys_has_no_warning() {
    let checked = checked(of(
        "port: 81\npool: {max_size: 3, smallest: 2}\nlevel: debug",
    ));
    assert!(checked.warnings.is_empty(), "{:?}", &checked.warnings);
}

#[test]
fn every_format_names_the_place() {
    for (format, text, place) in [
        (Format::Yaml, "pool:\n  max_szie: 3\n", (2, 13)),
        (Format::Json, "{\"pool\": {\n \"max_szie\": 3}}", (2, 14)),
        (Format::Toml, "[pool]\nmax_szie = 3\n", (2, 12)),
        (
            Format::Jsonc,
            "{\"pool\": { // a\n \"max_szie\": 3}}",
            (2, 14),
        ),
        (Format::Json5, "{pool: {\n max_szie: 3}}", (2, 12)),
    ] {
        let (sender, channel) = Channel::buffered("app", 1);
        let source = Source::watcher(channel).format(format);
        let capacitor = Capacitor::<App>::builder()
            .source(source)
            .manual()
            .build()
            .unwrap();
        sender.try_send(text.as_bytes().to_vec()).unwrap();
        runtime().block_on(async {
            capacitor.start().await.unwrap();
            let status = capacitor.status();
            assert_eq!(status.state, State::Healthy, "{format:?}");
            let warnings = &status.warnings;
            assert_eq!(warnings.len(), 1, "{format:?}: {warnings:?}");
            assert_eq!(warnings[0].message, SZIE, "{format:?}");
            assert_eq!(
                (warnings[0].line, warnings[0].column),
                (Some(place.0), Some(place.1)),
                "{format:?}"
            );
            assert_eq!(capacitor.get().pool.max_size, 3, "{format:?}");
            capacitor.stop().await;
        });
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_former_name_of_a_variable_is_read_and_named_with_the_name_since() {
    let variables = [
        ("APP_DB_MAX_SZIE", "3"),
        ("APP_LIMIT", "5"),
        ("APP_CUSTOMERS_ACME_LEAST", "2"),
        ("APP_UPSTREAMS_0_MAX_SZIE", "4"),
        ("APP_TENANTS", "{b={max_szie=7}}"),
    ];
    let checked = checked(of("{}").variables(variables));
    let mut told = told(&checked.warnings);
    told.sort();
    let mut all = [
        three(
            "pool.max_size",
            "APP_DB_MAX_SZIE",
            "this variable is called `APP_POOL_MAX_SIZE` now; write that: version 9.0 will not read this variable",
        ),
        three("limit", "APP_LIMIT", LIMIT),
        three(
            "tenants.acme.min",
            "APP_CUSTOMERS_ACME_LEAST",
            "this variable is called `APP_TENANTS_ACME_MIN` now; write that",
        ),
        three(
            "upstreams[0].max_size",
            "APP_UPSTREAMS_0_MAX_SZIE",
            "this variable is called `APP_UPSTREAMS_0_MAX_SIZE` now; write that: version 9.0 will not read this variable",
        ),
        three("tenants.b.max_szie", "APP_TENANTS", SZIE),
    ];
    all.sort();
    assert_eq!(told, all);
    for (path, value) in [
        ("pool.max_size", "3"),
        ("tenants.acme.min", "2"),
        ("upstreams[0].max_size", "4"),
        ("tenants.b.max_size", "7"),
    ] {
        let explained = checked.explain(path).unwrap();
        assert_eq!(explained.value.unwrap().to_string(), value, "{path}");
    }
    let explained = checked.explain("pool.max_size").unwrap();
    assert_eq!(explained.variables, ["APP_POOL_MAX_SIZE"]);
}

#[test]
fn a_former_name_of_an_argument_is_read_and_named_with_the_name_since() {
    let words = [
        "--db.max-szie=3",
        "--no-silent",
        "--limit",
        "5",
        "--set",
        "tenants.a.least=2",
    ];
    let checked = checked(of("{}").arguments(words));
    let mut told = told(&checked.warnings);
    told.sort();
    let mut all = [
        three(
            "pool.max_size",
            "--db.max-szie",
            "this argument is called `--pool.max-size` now; write that: version 9.0 will not read this argument",
        ),
        three(
            "quiet",
            "--no-silent",
            "this argument is called `--no-quiet` now; write that",
        ),
        three("limit", "--limit", LIMIT),
        three(
            "tenants.a.least",
            "--set tenants.a.least",
            "is called `min` since version 0.0.9; write that",
        ),
    ];
    all.sort();
    assert_eq!(told, all);
    let explained = checked.explain("pool.max_size").unwrap();
    assert_eq!(explained.value.unwrap().to_string(), "3");
    assert_eq!(explained.argument.as_deref(), Some("--pool.max-size"));
}

#[test]
fn a_former_name_in_a_file_of_variables_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(&path, "# the pool\nPOOL_MAX_SZIE=3\nLIMIT=5\n").unwrap();
    let of = |unknown| {
        let source = format!("{}?prefix=", path.display());
        let builder = Capacitor::<App>::builder()
            .source(Source::dotenv(source))
            .unknown(unknown);
        builder
            .check(Inputs::new())
            .unwrap_or_else(|error| panic!("{error}"))
    };
    for unknown in [Unknown::Warn, Unknown::Deny, Unknown::Ignore] {
        let checked = of(unknown);
        assert_eq!(
            told(&checked.warnings),
            [
                three(
                    "pool.max_size",
                    "2:1",
                    "POOL_MAX_SZIE is called `POOL_MAX_SIZE` now; write that: version 9.0 will not read this variable",
                ),
                three("limit", "3:1", LIMIT),
            ]
        );
    }
}

#[test]
fn what_is_removed_refuses_the_document_with_the_fix() {
    let report = refused(gone().check(of("max_szie: 3\nlimit: 5\nkept_too: 2")));
    let of = |is_warning| {
        let problems = report.problems().iter();
        told(problems.filter(|one| one.is_warning() == is_warning))
    };
    assert_eq!(
        of(false),
        [
            three(
                "max_szie",
                "1:11",
                "is not read since version 0.1; write `max_size`"
            ),
            three(
                "limit",
                "2:8",
                "is not read since version 0.0.9; remove it: use `max_size`"
            ),
        ]
    );
    assert_eq!(
        of(true),
        [three(
            "kept_too",
            "3:11",
            "is called `kept` now; write that: version 9.0 will not read `kept_too`"
        )]
    );
    let first = &report.problems()[0];
    assert_eq!(first.kind, ProblemKind::Removed);
    assert!(matches!(&first.fix, Some(Fix::Rename { to, .. }) if to == "max_size"));
}

#[test]
fn what_is_removed_refuses_variables_and_arguments() {
    let report = refused(gone().check(of("{}").variables([("APP_MAX_SZIE", "3")])));
    assert_eq!(
        told(report.problems()),
        [three(
            "max_size",
            "APP_MAX_SZIE",
            "this variable is not read since version 0.1; write `APP_MAX_SIZE`"
        )]
    );
    let report = refused(gone().check(of("{}").variables([("APP_LIMIT", "3")])));
    assert_eq!(report.problems()[0].kind, ProblemKind::Removed);
    let report = refused(gone().check(of("{}").arguments(["--max-szie", "3", "--set", "limit=4"])));
    assert_eq!(
        told(report.problems()),
        [
            three(
                "max_size",
                "--max-szie",
                "this argument is not read since version 0.1; write `--max-size`"
            ),
            three(
                "limit",
                "--set limit",
                "is not read since version 0.0.9; remove it: use `max_size`"
            ),
        ]
    );
}

#[test]
fn unknown_keys_that_are_ignored_or_denied_change_nothing() {
    for unknown in [Unknown::Ignore, Unknown::Deny, Unknown::Warn] {
        let answer = builder().unknown(unknown).check(of("db: {max_szie: 3}"));
        let checked = answer.unwrap_or_else(|error| panic!("{unknown:?}: {error}"));
        assert_eq!(checked.warnings.len(), 2, "{unknown:?}");
        let checked = builder()
            .unknown(unknown)
            .check(of("{}").variables([("APP_PROT", "81")]))
            .unwrap();
        assert_eq!(checked.warnings.len(), 1, "{unknown:?}");
        refused(gone().unknown(unknown).check(of("max_szie: 3")));
    }
    let checked = builder()
        .unknown(Unknown::Ignore)
        .check(of("nobody: 1\nprot: 2"))
        .unwrap();
    assert_eq!(checked.warnings.len(), 1);
}

#[test]
fn both_keys_in_one_document_are_one_too_many() {
    for text in ["max_szie: 3\nmax_size: 3", "max_size: 3\nmax_szie: 3"] {
        let text = format!(
            "pool: {{}}\ntenants:\n  a:\n    {}",
            text.replace('\n', "\n    ")
        );
        let report = refused(builder().check(of(&text)));
        let twice: Vec<_> = report
            .problems()
            .iter()
            .filter(|one| one.kind == ProblemKind::DuplicateKey)
            .collect();
        assert_eq!(twice.len(), 1, "{report}");
        assert_eq!(
            twice[0].message,
            "`max_szie` is the former name of `max_size`, which is there too; remove `max_szie`"
        );
        assert_eq!(twice[0].line, Some(5));
    }
}

#[test]
fn a_former_key_below_is_laid_under_the_key_since() {
    let checked =
        checked(of("db: {max_szie: 3, least: 2}").variables([("APP_POOL_MAX_SIZE", "9")]));
    let value = |path: &str| checked.explain(path).unwrap().value.unwrap().to_string();
    assert_eq!(
        (value("pool.max_size"), value("pool.min")),
        ("9".to_owned(), "2".to_owned())
    );
}

#[test]
fn a_document_that_is_refused_for_something_else_has_them_as_warnings() {
    let report = refused(builder().check(of("prot: 81\nport2: 1\ndb: {least: many}")));
    let warnings: Vec<_> = report
        .problems()
        .iter()
        .filter(|one| one.is_warning())
        .collect();
    let problems: Vec<_> = report
        .problems()
        .iter()
        .filter(|one| !one.is_warning())
        .collect();
    assert_eq!(problems.len(), 1, "{report}");
    assert_eq!(problems[0].path.as_str(), "db.least");
    assert_eq!(warnings.len(), 4, "{report}");
}

#[test]
fn a_secret_by_its_former_key_is_never_printed() {
    let (text, variables) = ("pasword: hunter22", [("APP_PASWORD", "hunter33")]);
    let checked = checked(of(text).variables(variables));
    let printed = format!(
        "{:?}\n{}",
        &checked.warnings,
        checked.explain("password").unwrap()
    );
    assert!(
        printed.contains("`password` now") && printed.contains("`APP_PASSWORD` now"),
        "{printed}"
    );
    assert!(!printed.contains("hunter"), "{printed}");
    let report = refused(builder().check(of("pasword: hunter22\nport: 0")));
    assert!(!report.to_string().contains("hunter"), "{report}");
}

#[test]
fn many_are_counted() {
    let items = "- max_szie: 1\n".repeat(300);
    let checked = checked(of(&format!("upstreams:\n{items}")));
    let warnings = &checked.warnings;
    assert_eq!(warnings.len(), 101);
    assert_eq!(
        warnings[100].message,
        "has 200 more keys of earlier versions"
    );
}

#[test]
fn what_is_near_to_a_former_key_gets_the_key_since() {
    let checked = checked(of("pool: {max_szi: 3}"));
    assert_eq!(
        checked.warnings[0].message,
        "unknown key, did you mean `max_size`?"
    );
}

#[test]
fn templates_leave_out_what_goes_and_references_name_it() {
    let template = App::template(Format::Yaml);
    for gone in ["limit", "prot", "max_szie", "db:", "least"] {
        assert!(!template.contains(gone), "{template}");
    }
    assert!(template.contains("alias: smallest"), "{template}");
    assert!(!App::variables("APP_").contains("LIMIT"));
    let reference = App::reference("APP_");
    let row = reference
        .lines()
        .find(|line| line.contains("`limit`"))
        .unwrap();
    assert!(
        row.contains(
            "deprecated since version 0.0.5: use `pool.max_size`; version 9.0 will not read it"
        ),
        "{row}"
    );
    assert!(
        !reference.contains("max_szie") && !reference.contains("least"),
        "{reference}"
    );
    let page = App::manual_page("APP_");
    assert!(page.contains("deprecated since version 0.0.5"), "{page}");
    let checked = checked(of("{}"));
    let explained = checked.explain("limit").unwrap();
    let note = "deprecated since version 0.0.5: use `pool.max_size`; version 9.0 will not read it";
    assert_eq!(explained.deprecated.as_deref(), Some(note));
    assert!(explained.to_string().contains(&format!("= note: {note}")));
    assert_eq!(checked.explain("pool.min").unwrap().aliases, ["smallest"]);
}

#[test]
fn a_schema_marks_them_as_deprecated_and_refuses_what_is_removed() {
    let schema: serde_json::Value = serde_json::from_str(&App::schema()).unwrap();
    let properties = &schema["properties"];
    assert_eq!(properties["limit"]["deprecated"], true);
    assert_eq!(properties["prot"]["deprecated"], true);
    assert_eq!(properties["prot"]["x-flux-alias-of"], "port");
    assert!(properties["port"].get("deprecated").is_none());
    let pool = &schema["$defs"]["Pool"]["properties"];
    assert!(pool["smallest"].get("deprecated").is_none());
    let schema: serde_json::Value = serde_json::from_str(&Gone::schema()).unwrap();
    let properties = &schema["properties"];
    assert_eq!(
        (&properties["max_szie"], &properties["limit"]),
        (&false.into(), &false.into())
    );
    assert_eq!(properties["kept_too"]["deprecated"], true);
}

#[test]
fn a_start_logs_and_serves_it() {
    runtime().block_on(async {
        let (sender, channel) = Channel::buffered("app.yaml", 4);
        let source = Source::watcher(channel).format(Format::Yaml);
        let capacitor = Capacitor::<Gone>::builder()
            .source(source)
            .debounce(std::time::Duration::ZERO)
            .manual()
            .build()
            .unwrap();
        sender.try_send(&b"kept_too: 2"[..]).unwrap();
        capacitor.start().await.unwrap();
        assert_eq!(capacitor.get().kept, 2);
        let status = capacitor.status();
        assert_eq!(status.warnings[0].kind, ProblemKind::Deprecated);
        // A later document with what is removed is refused, and the earlier one goes on.
        sender.try_send(&b"max_szie: 2"[..]).unwrap();
        capacitor.process().await.unwrap();
        assert_eq!(capacitor.status().state, State::Degraded);
        assert_eq!(capacitor.get().kept, 2);
        sender.try_send(&b"max_size: 2"[..]).unwrap();
        capacitor.process().await.unwrap();
        assert!(capacitor.status().warnings.is_empty());
        capacitor.stop().await;
    });
}

struct OneKey(&'static str);

impl Provider for OneKey {
    fn metadata(&self) -> Metadata {
        Metadata::named("the provider")
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = Dict::from([(self.0.to_owned(), Value::from(3_u32))]);
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// The paths and messages of the warnings of a start.
fn started<C: Config>(builder: Builder<C>) -> Result<Vec<(String, String)>, flux::Error> {
    let capacitor = builder.manual().build().unwrap();
    runtime().block_on(async {
        capacitor.start().await?;
        let status = capacitor.status();
        capacitor.stop().await;
        let warnings = status.warnings.iter();
        Ok(warnings
            .map(|one| (one.path.to_string(), one.message.clone()))
            .collect())
    })
}

#[test]
fn providers_of_figment_are_read_alike() {
    let of = |key| started(Capacitor::<App>::builder().provider(OneKey(key)));
    let one = |path: &str, message: &str| vec![(path.to_owned(), message.to_owned())];
    assert_eq!(
        of("prot").unwrap(),
        one("prot", "is called `port` now; write that")
    );
    assert_eq!(of("limit").unwrap(), one("limit", LIMIT));
    assert_eq!(of("port").unwrap(), []);
    let removed = started(Capacitor::<Gone>::builder().provider(OneKey("max_szie")));
    let report = removed.unwrap_err().to_string();
    assert!(
        report.contains("max_szie: is not read since version 0.1; write `max_size`"),
        "{report}"
    );
}

#[test]
fn folders_are_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("db.max_szie"), "3\n").unwrap();
    let told = started(Capacitor::<App>::builder().source(Source::dir(folder.path()))).unwrap();
    let paths: Vec<_> = told.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["db", "db.max_szie"]);
    std::fs::write(folder.path().join("max_szie"), "3\n").unwrap();
    let removed = started(Capacitor::<Gone>::builder().source(Source::dir(folder.path())));
    assert!(
        removed
            .unwrap_err()
            .to_string()
            .contains("write `max_size`")
    );
}

/// With arguments, and names of its own.
#[derive(Flux, Debug)]
#[flux(override = "env:FLUX_TEST_FORMER_", override = "args")]
struct Service {
    #[flux(default = 80, was = "prot")]
    port: u16,
    #[flux(default, was = "silent", env = "FORMER_QUIET", arg = "quiet")]
    quiet: bool,
    #[flux(default, was = "chatty")]
    verbose: bool,
    #[flux(deprecated = "use `port`")]
    listen: Option<u16>,
}

fn variables(pairs: &[(&'static str, &'static str)]) -> Result<Vec<(String, String)>, flux::Error> {
    let source = Source::env("APP_").variables(pairs.iter().copied());
    started(Capacitor::<App>::builder().override_with(source))
}

#[test]
fn both_variables_may_be_set_to_the_same_value() {
    let both = |old| variables(&[("APP_PORT", "81"), ("APP_PROT", old)]);
    assert_eq!(both("81").unwrap(), []);
    let report = both("82").unwrap_err().to_string();
    assert!(
        report.contains("is set by both APP_PORT and APP_PROT, with different values; unset one"),
        "{report}"
    );
}

#[test]
fn a_variable_that_is_near_to_a_former_name_gets_the_name_since() {
    let told = variables(&[("APP_POOL_MAX_SZI", "3")]).unwrap();
    assert_eq!(
        told[0].1,
        "this variable is not read, did you mean `APP_POOL_MAX_SIZE`?"
    );
}

#[test]
fn a_former_name_of_a_variable_leads_to_its_explanation() {
    let checked = checked(of("{}"));
    let explained = checked.explain("APP_DB_MAX_SZIE").unwrap();
    assert_eq!(explained.path.as_str(), "pool.max_size");
}

#[test]
fn a_field_with_a_variable_or_an_argument_of_its_own_has_no_former_one() {
    let source = || {
        let pairs = [("FLUX_TEST_FORMER_SILENT", "true")];
        Source::env("FLUX_TEST_FORMER_").variables(pairs)
    };
    let builder = Capacitor::<Service>::builder().override_with(source());
    assert!(!builder.load().unwrap().quiet);
    let builder = Capacitor::<Service>::builder().override_with(Source::args());
    let report = builder
        .arguments(["--silent"])
        .load()
        .unwrap_err()
        .to_string();
    assert!(report.contains("this argument is not known"), "{report}");
}

#[test]
fn the_help_has_no_former_name_and_says_what_goes() {
    let asked = Service::builder().arguments(["--help"]).load();
    let Err(flux::Error::Help(help)) = asked else {
        panic!("{asked:?}")
    };
    assert!(!help.contains("prot") && !help.contains("chatty"), "{help}");
    assert!(help.contains("[deprecated: use `port`]"), "{help}");
}

#[test]
fn the_programs_own_parser_reads_former_names_and_shows_none() {
    let mut parser =
        flux::args::<Service>().augment(clap::Command::new("service").no_binary_name(true));
    let help = parser.render_long_help().to_string();
    assert!(!help.contains("prot") && !help.contains("chatty"), "{help}");
    assert!(help.contains("deprecated: use `port`"), "{help}");
    let matches = parser
        .try_get_matches_from(["--prot=81", "--no-chatty"])
        .unwrap();
    let typed = flux::args::<Service>().typed(&matches);
    let builder = Service::builder().parsed_arguments(typed);
    let told = started(builder).unwrap();
    assert_eq!(
        told,
        [
            ("port", "this argument is called `--port` now; write that"),
            (
                "verbose",
                "this argument is called `--no-verbose` now; write that"
            ),
        ]
        .map(|(path, message)| (path.to_owned(), message.to_owned()))
    );
}
