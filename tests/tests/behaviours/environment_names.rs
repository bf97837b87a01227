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
        ("APP_POOL_SIZES", false),
        ("APP_POOL_", false),
        ("APP_POOL_OTHER", false),
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
