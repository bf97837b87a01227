//! The habits in the guide's page of migration: each is run against the crate that it names, and against Flux.
//!
//! Some of those crates read the process's environment and nothing else, so that the test runs once more as a child with these
//! variables set.

mod config;
mod confique;
mod dynamic_config;
mod envy;
mod figment;
mod flux_side;

use std::process::Command;

/// What the child's environment has.
const VARIABLES: [(&str, &str); 9] = [
    ("APP_PORT", "9090"),
    ("APP_NAME", "0123"),
    ("APP_TAGS", "a,b"),
    ("APP_POOL_MAX_SIZE", "7"),
    ("APP__POOL__MAX_SIZE", "8"),
    ("APP_HOST", ""),
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

fn try_each() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for line in include_str!("../../../../flux/src/docs/migration.md").lines() {
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
    assert!(tried >= 35, "only {tried} habits were tried");
}
