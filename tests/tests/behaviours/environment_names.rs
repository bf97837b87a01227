//! The names of variables that are set, and what is reported of them: the table of the environment's page.

use flux::{Capacitor, Config, Error, Flux, Source, Unknown};
use serde::Deserialize;

#[derive(Flux)]
#[allow(dead_code)]
struct App {
    #[flux(default = 1)]
    port: u16,
    #[flux(default = "none")]
    #[serde(alias = "hostname")]
    host: String,
    #[flux(nested)]
    database: Database,
    /// It does not derive `Flux`.
    pool: Option<Pool>,
    store: Option<Store>,
    #[flux(default)]
    #[serde(rename = "maxBody")]
    body: u32,
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(dead_code)]
enum Store {
    Memory,
    Disk { path: String },
}

#[derive(Flux)]
#[allow(dead_code)]
struct Database {
    #[flux(default = 10)]
    max_size: u32,
    #[flux(default = "", env = "DATABASE_URL")]
    url: String,
}

#[derive(Deserialize, Clone, PartialEq)]
#[allow(dead_code)]
struct Pool {
    #[serde(default)]
    size: u32,
    #[serde(default, rename = "idle-time")]
    idle_time: Option<Idle>,
}

#[derive(Deserialize, Clone, PartialEq)]
#[allow(dead_code)]
struct Idle {
    least: u32,
}

/// Where two fields would have one variable.
#[derive(Flux)]
#[allow(dead_code)]
struct Twice {
    #[flux(default)]
    pool_size: u32,
    #[flux(nested)]
    pool: Inner,
}

#[derive(Flux)]
#[allow(dead_code)]
struct Inner {
    #[flux(default)]
    size: u32,
}

fn started<C: Config>(uri: &str, variables: &[(String, String)]) -> Result<Capacitor<C>, Error> {
    let prefix = uri.strip_prefix("env:").unwrap_or_default();
    let source = Source::env(prefix).variables(variables.iter().cloned());
    let builder = Capacitor::<C>::builder().manual().unknown(Unknown::Warn);
    let capacitor = builder.source(source).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(capacitor.start())?;
    Ok(capacitor)
}

/// What is reported, as the table has it.
fn reported(uri: &str, variables: &[(String, String)]) -> String {
    let one = |problem: &flux::report::Problem| {
        let path = problem.path.to_string();
        match path.is_empty() {
            true => problem.message.clone(),
            false => format!("{path}: {}", problem.message),
        }
    };
    match started::<App>(uri, variables) {
        Ok(capacitor) => match &capacitor.status().warnings[..] {
            [] => "nothing".to_owned(),
            [warning] => format!("warning: {}", one(warning)),
            more => panic!("{more:?}"),
        },
        Err(Error::Refused(report)) => format!("refused: {}", one(&report.problems()[0])),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_line_of_the_table_of_names_is_what_is_reported() {
    let page = include_str!("../../../flux/src/docs/sources/environment.md");
    let table = page.split_once("| source | variables | reported |\n|---|---|---|\n");
    let (_, table) = table.expect("a table");
    let (mut lines, mut wrong) = (0, Vec::new());
    for line in table.lines().take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [uri, variables, expected] = cells[..] else {
            panic!("{line}")
        };
        let variables: Vec<(String, String)> = variables
            .split('`')
            .skip(1)
            .step_by(2)
            .map(|one| {
                let (name, value) = one.split_once('=').expect("NAME=value");
                (name.to_owned(), value.to_owned())
            })
            .collect();
        let reported = reported(uri.trim_matches('`'), &variables);
        if reported != expected {
            wrong.push(format!("{line}\n{reported}"));
        }
        lines += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(lines > 10, "{lines}");
}

#[test]
fn the_page_has_the_sentence_of_two_fields_with_one_name() {
    let error = started::<Twice>("env:APP_", &[]).expect_err("one name");
    let Error::Declaration { problem, .. } = error else {
        panic!("{error}")
    };
    let page = include_str!("../../../flux/src/docs/sources/environment.md");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(page).contains(&words(&problem)), "{problem}");
}

#[test]
fn a_variable_of_a_field_of_a_struct_that_is_one_value_is_a_warning() {
    for (name, is_one) in [
        ("APP_POOL_SIZE", true),
        ("APP_POOL_IDLE_TIME", true),
        ("APP_POOL_IDLE_TIME_LEAST", true),
        ("APP_POOL_SIZES", true),
        ("APP_POOL_OTHER", true),
        ("APP_POOL_", false),
        ("APP_PORT_SIZE", false),
    ] {
        let reported = reported("env:APP_", &[(name.to_owned(), "5".to_owned())]);
        let is = reported.contains("`pool` is read as a single value; set `APP_POOL={");
        assert_eq!(is, is_one, "{name}: {reported}");
    }
    // Where the struct is set as a whole, its parts are reported all the same.
    let variables = [("APP_POOL", "size=3"), ("APP_POOL_SIZE", "5")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert!(reported("env:APP_", &variables).contains("single value"));
}

#[test]
fn what_is_behind_the_name_of_a_section_and_no_field_is_refused_only_where_parts_are_exact() {
    let told = |prefix: &str, name: &str| {
        let source = Source::env(prefix).variables([(name, "5")]);
        let builder = Capacitor::<App>::builder().manual().unknown(Unknown::Deny);
        let capacitor = builder.source(source).build().expect("a declaration");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let started = runtime.expect("a runtime").block_on(capacitor.start());
        started.map(|()| capacitor.status().warnings.len()).ok()
    };
    for (prefix, name, warnings) in [
        ("APP_", "APP_DATABASE_OTHER", Some(1)),
        ("APP_", "APP_POOL_OTHER", Some(1)),
        ("APP_", "APP_PORT_SIZE", Some(0)),
        ("APP_", "APP_HOST_FILE", Some(1)),
        ("APP__?separator=__", "APP__DATABASE__OTHER", None),
        ("APP__?separator=__", "APP__POOL__OTHER", None),
    ] {
        assert_eq!(told(prefix, name), warnings, "{name}");
    }
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(untagged)]
#[allow(dead_code)]
enum Target {
    Name(String),
    Whole { host: String, port: u16 },
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(tag = "t", content = "c")]
#[allow(dead_code)]
enum Beside {
    One { n: u8 },
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code)]
enum Plain {
    Keep,
    ReplaceAll { by: String },
}

/// What no map can be, and asks for whatever there is.
#[derive(Clone, PartialEq)]
struct Amount(u64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(decoder: D) -> Result<Self, D::Error> {
        struct Visit;
        impl serde::de::Visitor<'_> for Visit {
            type Value = Amount;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an amount")
            }
            fn visit_u64<E>(self, amount: u64) -> Result<Amount, E> {
                Ok(Amount(amount))
            }
        }
        decoder.deserialize_any(Visit)
    }
}

#[derive(Flux)]
#[allow(dead_code)]
struct Values {
    store: Option<Store>,
    boxed: Option<Box<Store>>,
    target: Option<Target>,
    beside: Option<Beside>,
    plain: Option<Plain>,
    anything: Option<serde_json::Value>,
    amount: Option<Amount>,
    #[flux(default)]
    store_size: u32,
}

/// The warnings, or the refusal, of one variable.
fn told<C: Config>(unknown: Unknown, name: &str) -> Result<Vec<String>, String> {
    let source = Source::env("APP_").variables([(name, "5")]);
    let builder = Capacitor::<C>::builder().manual().unknown(unknown);
    let capacitor = builder.source(source).build().expect("a declaration");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let started = runtime.expect("a runtime").block_on(capacitor.start());
    started.map_err(|error| error.to_string())?;
    let warnings = &capacitor.status().warnings;
    Ok(warnings.iter().map(|one| one.message.clone()).collect())
}

#[test]
fn a_variable_of_a_part_of_an_enum_that_is_one_value_is_reported_with_the_variable_of_the_whole() {
    for (name, fix) in [
        ("APP_STORE_KIND", "set `APP_STORE` as JSON, all of it"),
        ("APP_STORE_PATH", "set `APP_STORE` as JSON, all of it"),
        ("APP_BOXED_KIND", "set `APP_BOXED` as JSON, all of it"),
        ("APP_BESIDE_T", "set `APP_BESIDE={t=..}`"),
        ("APP_PLAIN_REPLACE_ALL", "set `APP_PLAIN={replace-all=..}`"),
        (
            "APP_PLAIN_REPLACE_ALL_BY",
            "set `APP_PLAIN={replace-all=..}`",
        ),
        ("APP_PLAIN_KEEP", "set `APP_PLAIN=keep`"),
        (
            "APP_ANYTHING_LONG_NAME",
            "set `APP_ANYTHING` as JSON, all of it",
        ),
        // Near to another one.
        ("APP_STORE_SIZ", "did you mean `APP_STORE_SIZE`?"),
    ] {
        let warnings = told::<Values>(Unknown::Warn, name).expect(name);
        assert!(
            matches!(&warnings[..], [one] if one.contains(fix)),
            "{name}: {warnings:?}"
        );
        let refused = told::<Values>(Unknown::Deny, name).expect_err(name);
        assert!(refused.contains(fix), "{refused}");
        assert_eq!(told::<Values>(Unknown::Ignore, name), Ok(Vec::new()));
    }
    for name in ["APP_AMOUNT_BURST", "APP_PLAIN_OTHER"] {
        assert_eq!(
            told::<Values>(Unknown::Deny, name),
            Ok(Vec::new()),
            "{name}"
        );
    }
}

#[test]
fn what_may_be_a_part_of_an_enum_without_a_tag_is_a_warning_and_never_refused() {
    for unknown in [Unknown::Warn, Unknown::Deny] {
        let warnings = told::<Values>(unknown, "APP_TARGET_HOST").expect("a warning");
        let fix = "set `APP_TARGET`, where it has parts as JSON, all of it";
        assert!(
            matches!(&warnings[..], [one] if one.contains(fix)),
            "{warnings:?}"
        );
    }
}

#[derive(Flux)]
#[allow(dead_code)]
struct Renamed {
    #[serde(rename = "hostName")]
    #[flux(default)]
    host: String,
    #[serde(rename = "type", alias = "sort")]
    #[flux(default)]
    kind: String,
    #[serde(rename = "database")]
    #[flux(nested)]
    db: RenamedDatabase,
    #[serde(rename = "tags")]
    #[flux(default)]
    labels: std::collections::BTreeMap<String, String>,
    #[serde(rename = "pools")]
    #[flux(nested, default)]
    many: std::collections::BTreeMap<String, RenamedDatabase>,
    #[serde(flatten)]
    #[flux(nested)]
    beside: RenamedBeside,
    /// Its name in Rust is that of another field.
    #[serde(rename = "inner")]
    #[flux(default)]
    outer: u32,
    #[serde(rename = "outer")]
    #[flux(default)]
    inner: u32,
    /// The same variable by both names.
    #[serde(rename = "maxSize")]
    #[flux(default)]
    max_size: u32,
}

#[derive(Flux)]
#[allow(dead_code)]
struct RenamedDatabase {
    #[serde(rename = "uri")]
    #[flux(default, env = "DATABASE_URI")]
    url: String,
    #[serde(rename = "poolSize")]
    #[flux(default)]
    size: u32,
}

#[derive(Flux)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
#[allow(dead_code)]
struct RenamedBeside {
    #[serde(rename = "log-level")]
    #[flux(default)]
    verbosity: String,
    #[flux(default)]
    plain_name: String,
}

#[test]
fn the_variable_of_a_field_by_its_name_in_rust_is_reported_with_the_one_that_is_read() {
    for (name, meant) in [
        ("APP_HOST", "APP_HOST_NAME"),
        ("app_host", "APP_HOST_NAME"),
        ("APP_KIND", "APP_TYPE"),
        ("APP_DB_SIZE", "APP_DATABASE_POOL_SIZE"),
        ("APP_DB_POOL_SIZE", "APP_DATABASE_POOL_SIZE"),
        ("APP_DATABASE_SIZE", "APP_DATABASE_POOL_SIZE"),
        ("APP_DB_URL", "DATABASE_URI"),
        ("APP_DATABASE_URL", "DATABASE_URI"),
        ("APP_LABELS", "APP_TAGS"),
        ("APP_LABELS_TEAM", "APP_TAGS_TEAM"),
        ("APP_MANY_A_POOL_SIZE", "APP_POOLS_A_POOL_SIZE"),
        ("APP_POOLS_A_SIZE", "APP_POOLS_A_POOL_SIZE"),
        ("APP_VERBOSITY", "APP_LOG_LEVEL"),
    ] {
        let warnings = told::<Renamed>(Unknown::Warn, name).expect(name);
        let fix = format!("did you mean `{meant}`?");
        assert!(
            matches!(&warnings[..], [one] if one.contains(&fix)),
            "{name}: {warnings:?}"
        );
        let refused = told::<Renamed>(Unknown::Deny, name).expect_err(name);
        assert!(refused.contains(&fix), "{refused}");
    }
    let warnings = told::<Renamed>(Unknown::Warn, "APP_DB").expect("a section");
    assert!(
        warnings[0].contains("`database` is a section"),
        "{warnings:?}"
    );
    for name in [
        "APP_SORT",
        "APP_OUTER",
        "APP_INNER",
        "APP_MAX_SIZE",
        "APP_PLAIN_NAME",
        "APP_BESIDE",
    ] {
        assert_eq!(
            told::<Renamed>(Unknown::Deny, name),
            Ok(Vec::new()),
            "{name}"
        );
    }
}

/// Two layers of the environment, one below the other's names, and sources that variables name.
#[test]
fn a_variable_that_is_read_in_another_place_is_no_misspelt_one() {
    let variables = [
        // By the second layer, as `store_size`.
        ("APP_STORE_STORE_SIZE", "5"),
        ("APP_STORE_SOURCE", "env:APP_STORE_"),
        ("APP_STORE_FILE", "none.yaml"),
        ("APP_ANYTHING_ELSE", "none"),
    ];
    let given = |source: Source| source.variables(variables);
    for unknown in [Unknown::Warn, Unknown::Deny] {
        let builder = Capacitor::<Values>::builder().manual().unknown(unknown);
        let capacitor = builder
            .source(
                given(Source::uri(
                    "file:${APP_NONE:-${APP_ANYTHING_ELSE}}/${APP_STORE_FILE}",
                ))
                .optional(),
            )
            .source(given(Source::env("APP_")))
            .source(given(Source::uri("${APP_STORE_SOURCE}")))
            .build()
            .expect("a declaration");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(capacitor.start()).expect("a start");
        assert_eq!(capacitor.get().store_size, 5);
        assert_eq!(capacitor.status().warnings[..], []);
    }
    let alone = told::<Values>(Unknown::Warn, "APP_STORE_SOURCE").expect("a warning");
    assert!(alone[0].contains("single value"), "{alone:?}");
}

#[derive(Flux)]
#[allow(dead_code)]
struct Bare {
    store: Option<Store>,
    anything: Option<serde_json::Value>,
    pool: Option<Pool>,
    #[flux(env = "REDIS")]
    redis: Option<Store>,
}

#[test]
fn without_a_prefix_what_may_be_somebody_elses_is_never_refused() {
    let told = |prefix: &str, name: &str| {
        let started = |unknown| {
            let source = Source::env(prefix.to_owned()).variables([(name, "5")]);
            let builder = Capacitor::<Bare>::builder().manual().unknown(unknown);
            let capacitor = builder.source(source).build().expect("a declaration");
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let started = runtime.expect("a runtime").block_on(capacitor.start());
            started.unwrap_or_else(|refused| panic!("{name}: {refused}"));
            capacitor.status().warnings.len()
        };
        let warnings = started(Unknown::Warn);
        assert_eq!(started(Unknown::Deny), warnings, "{name}");
        warnings
    };
    for name in [
        "STORE_KIND",
        "STORE_X",
        "ANYTHING_X",
        "anything_x",
        "POOL_X",
    ] {
        assert_eq!(told("", name), 0, "{name}");
    }
    assert_eq!(told("", "POOL_SIZE"), 1);
    for prefix in ["", "APP_"] {
        assert_eq!(told(prefix, "REDIS_KIND"), 1);
    }
}

#[derive(Flux)]
#[allow(dead_code)]
struct Slips {
    #[serde(rename = "hostName")]
    #[flux(default)]
    host: String,
    #[serde(rename = "database")]
    #[flux(nested)]
    db: SlipsDatabase,
    leaf: Option<Pool>,
    #[flux(default)]
    leaf_size_max: u32,
}

#[derive(Flux)]
#[allow(dead_code)]
struct SlipsDatabase {
    store: Option<Store>,
}

#[test]
fn what_is_behind_a_name_is_accused_only_where_the_value_has_parts() {
    for name in ["APP_HOST_IP", "APP_HOST_X"] {
        assert_eq!(told::<Slips>(Unknown::Deny, name), Ok(Vec::new()), "{name}");
    }
    for (name, fix) in [
        (
            "APP_DB_STORE_KIND",
            "set `APP_DATABASE_STORE` as JSON, all of it",
        ),
        ("APP_LEAF_SIZE", "set `APP_LEAF={size=..}`"),
        ("APP_LEAF_SIZE_MAXX", "did you mean `APP_LEAF_SIZE_MAX`?"),
        // Slips beside the other slip.
        ("APP_LEAF__SIZE", "set `APP_LEAF={size=..}`"),
        (
            "APP_DATABASE_STORE__KIND",
            "set `APP_DATABASE_STORE` as JSON, all of it",
        ),
        ("app_leaf_size", "set `APP_LEAF={size=..}`"),
        (
            "app_database_store_kind",
            "set `APP_DATABASE_STORE` as JSON, all of it",
        ),
    ] {
        let warnings = told::<Slips>(Unknown::Warn, name).expect(name);
        assert!(
            matches!(&warnings[..], [one] if one.contains(fix)),
            "{name}: {warnings:?}"
        );
        let refused = told::<Slips>(Unknown::Deny, name).expect_err(name);
        assert!(refused.contains(fix), "{refused}");
    }
}

#[test]
fn a_separator_too_many_in_the_name_of_an_entry_is_a_warning_with_the_name_that_was_meant() {
    #[derive(Flux)]
    #[allow(dead_code)]
    struct Limit {
        #[flux(default = 1)]
        max: u32,
    }
    #[derive(Flux)]
    #[allow(dead_code)]
    struct Mapped {
        #[flux(default)]
        labels: std::collections::BTreeMap<String, String>,
        #[flux(nested, default)]
        tenants: std::collections::BTreeMap<String, Limit>,
    }
    for (name, key, meant) in [
        ("APP_LABELS__A", "_a", "APP_LABELS_A"),
        ("APP_LABELS_A_", "a_", "APP_LABELS_A"),
        ("APP_TENANTS__A__MAX", "_a_", "APP_TENANTS_A_MAX"),
        ("APP_TENANTS_A__MAX", "a_", "APP_TENANTS_A_MAX"),
    ] {
        let warnings = told::<Mapped>(Unknown::Warn, name).unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let sentence = format!("{name} sets an entry with the key `{key}`");
        assert!(warnings[0].contains(&sentence), "{warnings:?}");
        assert!(
            warnings[0].contains(&format!("did you mean `{meant}`?")),
            "{warnings:?}"
        );
        assert!(told::<Mapped>(Unknown::Deny, name).is_err());
    }
    for name in ["APP_LABELS_A", "APP_LABELS_A_B", "APP_TENANTS_A_MAX"] {
        assert!(told::<Mapped>(Unknown::Deny, name).unwrap().is_empty());
    }
}
