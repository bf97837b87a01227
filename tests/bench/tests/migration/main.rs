//! The guide's page of migration: each habit, each row, each program and each sentence about a crate of Rust is run against that crate,
//! and against Flux.
//!
//! Some of those crates read the process's environment and nothing else, so that the test runs once more as a child with these
//! variables set.

mod before;
mod config;
mod confique;
mod dynamic_config;
mod envy;
mod figment;
mod flux_side;
mod sentences;

use std::process::Command;

/// What the child's environment has.
const VARIABLES: [(&str, &str); 10] = [
    ("APP_PORT", "9090"),
    ("APP_NAME", "0123"),
    ("APP_TAGS", "a,b"),
    ("APP_POOL_MAX_SIZE", "7"),
    ("APP__POOL__MAX_SIZE", "8"),
    ("APP_HOST", ""),
    ("APP_QUOTED", "\"123\""),
    ("APP_PROFILE", "debug"),
    ("DATABASE_URL", "postgres://db"),
    ("APP_DB_PORT", "5432"),
];

const CHILD: &str = "FLUX_TEST_CHILD";

#[test]
fn each_habit_becomes_what_the_page_of_migration_says() {
    if std::env::var_os(CHILD).is_some() {
        return try_each();
    }
    let name = "each_habit_becomes_what_the_page_of_migration_says";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .envs(VARIABLES)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{told}");
}

const PAGE: &str = include_str!("../../../../flux/src/docs/migration.md");

/// What of the page is about crates of Rust.
fn of_rust() -> &'static str {
    PAGE.split("\n# From elsewhere").next().unwrap_or_default()
}

fn try_each() {
    habits();
    words();
    paragraphs();
    programs();
}

fn habits() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for line in PAGE.lines() {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [of, habit, _] = cells[..] else {
            continue;
        };
        let known = match of {
            "config" => config::habit,
            "figment" => figment::habit,
            "envy" => envy::habit,
            "confique" => confique::habit,
            "dynamic-config" => dynamic_config::habit,
            _ => continue,
        };
        // A panic has printed what it found; the other rows are tried all the same.
        match std::panic::catch_unwind(|| known(habit)) {
            Ok(true) => tried += 1,
            Ok(false) => wrong.push(format!("{of}: there is no test for {habit}")),
            Err(_) => wrong.push(format!("{of}: {habit}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried >= 40, "only {tried} habits were tried");
}

/// The rows of the first table.
fn words() {
    let header = |line: &&str| line.starts_with("| | [`config`]");
    let rows = of_rust().lines().skip_while(|line| !header(line));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let (mut tried, mut wrong) = (0, Vec::new());
    for row in rows {
        let name = row
            .trim_matches('|')
            .split(" | ")
            .next()
            .unwrap_or_default();
        let name = name.trim();
        match std::panic::catch_unwind(|| sentences::row(name)) {
            Ok(true) => tried += 1,
            Ok(false) => wrong.push(format!("there is no test for {name}")),
            Err(_) => wrong.push(name.to_owned()),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried >= 10, "only {tried} rows were tried");
}

/// What is neither code, nor a table, nor a heading.
fn paragraphs() {
    let (mut tried, mut wrong, mut in_code) = (0, Vec::new(), false);
    let mut text = String::new();
    for line in of_rust().lines().chain([""]) {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        let is_item = line.starts_with("- ");
        let is_text = !in_code && !line.starts_with(['#', '|', '`']) || line.starts_with("`#");
        if is_item || line.is_empty() || !is_text {
            let whole = std::mem::take(&mut text);
            if !whole.is_empty() {
                match std::panic::catch_unwind(|| sentences::paragraph(&whole)) {
                    Ok(true) => tried += 1,
                    Ok(false) => wrong.push(format!("there is no test for: {whole}")),
                    Err(_) => wrong.push(whole),
                }
            }
        }
        if is_text {
            text.push_str(line);
            text.push('\n');
        }
        if text.trim().is_empty() {
            text.clear();
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(tried >= 8, "only {tried} paragraphs were tried");
}

/// The programs before Flux.
fn programs() {
    let mut tried = 0;
    for part in of_rust().split("\n## `").skip(1) {
        let of = part.split('`').next().unwrap_or_default();
        let printed = part.split("```text\n").nth(1);
        let printed = printed.and_then(|text| text.split("```").next());
        let printed = printed.unwrap_or_else(|| panic!("no program of {of}"));
        let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
        let runs = before::lines(of).join("\n");
        assert_eq!(without_blanks(printed), without_blanks(&runs), "{of}");
        assert!(before::program(of), "{of}");
        tried += 1;
    }
    assert_eq!(tried, 5);
}
