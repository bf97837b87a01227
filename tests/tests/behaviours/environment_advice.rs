//! What is advised for a variable that is not read, in the environment and in a file of variables: whoever follows it is served.

use flux::{Builder, Capacitor, Config, Error, Flux, Source, Unknown};
use serde::Deserialize;
use std::{collections::BTreeMap, fs};

#[derive(Flux, Debug)]
#[allow(dead_code)]
#[serde(rename_all = "kebab-case")]
struct Advised {
    service_name: String,
    #[flux(nested)]
    pool: AdvisedPool,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    features: BTreeMap<String, bool>,
    #[flux(nested, default)]
    peers: Vec<Peer>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Peer>,
    /// These do not derive `Flux`.
    storage: Option<Storage>,
    #[flux(default)]
    limits: BTreeMap<String, PlainLimit>,
    #[flux(default)]
    list: Vec<PlainLimit>,
    #[serde(flatten)]
    #[flux(nested)]
    tele: Telemetry,
}

#[derive(Flux, Debug)]
struct AdvisedPool {
    #[flux(default = 1)]
    max_size: u32,
}

#[derive(Flux, Debug)]
struct Peer {
    #[flux(default, env = "PEER_PORT")]
    port: u16,
}

#[derive(Flux, Debug)]
struct Telemetry {
    #[flux(default = "info")]
    log_level: String,
}

#[derive(Deserialize, Clone, PartialEq, Debug)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(dead_code)]
enum Storage {
    #[serde(rename_all = "kebab-case")]
    Remote {
        #[serde(default)]
        part_size: u32,
    },
}

#[derive(Deserialize, Clone, PartialEq, Debug)]
#[allow(dead_code)]
struct PlainLimit {
    #[serde(default)]
    max: u32,
}

/// A folder with a document and a `.env` that contains `text`, and these two.
fn files(text: &str) -> (tempfile::TempDir, Source, Source) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (document, variables) = (path("app.yaml"), path(".env"));
    let below = "service-name: a\nfeatures: {dark-mode: false, darkRed: false}\n";
    fs::write(&document, below).unwrap();
    fs::write(&variables, text).unwrap();
    (folder, Source::file(document), Source::dotenv(variables))
}

/// The warnings of one variable above a document, or the refusal.
fn advice(prefix: &str, name: &str, text: &str) -> Result<Vec<String>, String> {
    let (_folder, document, _) = files("");
    let source = Source::env(prefix.to_owned()).variables([(name, text)]);
    let builder = Capacitor::<Advised>::builder().manual();
    started(builder.source(document).source(source))
}

fn started<C: Config>(builder: Builder<C>) -> Result<Vec<String>, String> {
    let capacitor = builder
        .unknown(Unknown::Warn)
        .build()
        .expect("a declaration");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let started = runtime.expect("a runtime").block_on(capacitor.start());
    started.map_err(|error| error.to_string())?;
    let warnings = &capacitor.status().warnings;
    Ok(warnings.iter().map(ToString::to_string).collect())
}

#[test]
fn a_variable_in_the_default_spelling_under_another_separator_is_reported_with_the_name_that_is_read()
 {
    for (prefix, name, meant) in [
        (
            "APP__?separator=__",
            "APP_SERVICE_NAME",
            "APP__SERVICE_NAME",
        ),
        (
            "APP__?separator=__",
            "APP_POOL_MAX_SIZE",
            "APP__POOL__MAX_SIZE",
        ),
        ("APP__?separator=__", "APP_LABELS_A", "APP__LABELS__A"),
        ("APP__?separator=__", "APP__LABELS_A", "APP__LABELS__A"),
        (
            "APP__?separator=__",
            "APP__LABELS_TEAM_A",
            "APP__LABELS__TEAM_A",
        ),
        (
            "APP__?separator=__",
            "APP_PEERS_0_PORT",
            "APP__PEERS__0__PORT",
        ),
        (
            "APP_?separator=__",
            "APP_POOL_MAX_SIZE",
            "APP_POOL__MAX_SIZE",
        ),
        ("APP_?separator=__", "APP_LABELS_TEAM", "APP_LABELS__TEAM"),
        (
            "APP_?separator=__",
            "APP_TENANTS__A_PORT",
            "APP_TENANTS__A__PORT",
        ),
    ] {
        let warnings = advice(prefix, name, "1").unwrap();
        let fix = format!("did you mean `{meant}`?");
        assert!(
            matches!(&warnings[..], [one] if one.contains(&fix)),
            "{prefix} {name}: {warnings:?}"
        );
        let followed = advice(prefix, meant, "1").unwrap();
        assert_eq!(followed, Vec::<String>::new(), "{meant}");
    }
    for name in [
        "APP_OTHER",
        "APP_POOL_OTHER_SIZE",
        "APP_SERVICE_NAME_X",
        "MY_APP_LABELS_A",
    ] {
        let warnings = advice("APP__?separator=__", name, "1").unwrap();
        assert_eq!(warnings, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_name_of_a_flattened_section_in_a_variable_is_reported_with_the_name_without_it() {
    for (prefix, name, meant) in [
        ("APP_", "APP_TELE_LOG_LEVEL", "APP_LOG_LEVEL"),
        (
            "APP__?separator=__",
            "APP__TELE__LOG_LEVEL",
            "APP__LOG_LEVEL",
        ),
    ] {
        let warnings = advice(prefix, name, "x").unwrap();
        let fix = format!("did you mean `{meant}`?");
        assert!(
            matches!(&warnings[..], [one] if one.contains(&fix)),
            "{warnings:?}"
        );
        assert!(advice(prefix, meant, "x").unwrap().is_empty());
    }
    for name in ["APP_TELE", "APP_TELE_OTHER"] {
        assert!(advice("APP_", name, "x").unwrap().is_empty(), "{name}");
    }
}

#[test]
fn how_a_key_of_a_single_value_is_spelt_is_not_guessed() {
    let warnings = advice("APP_", "APP_STORAGE_PART_SIZE", "7").unwrap();
    let fix = "set `APP_STORAGE` as JSON, all of it, with the keys that documents have";
    assert!(
        matches!(&warnings[..], [one] if one.contains(fix)),
        "{warnings:?}"
    );
    assert!(!warnings[0].contains("part_size"), "{warnings:?}");
}

#[test]
fn a_variable_of_a_field_of_an_item_or_an_entry_that_is_one_value_is_reported_as_that() {
    let nested = "with all of it, or derive `Flux` on its type and write `#[flux(nested)]`";
    for (prefix, name, words) in [
        (
            "APP_",
            "APP_LIST_0_MAX",
            "each item of `list` is read as a single value; set `APP_LIST_0={max=..}`",
        ),
        (
            "APP__?separator=__",
            "APP__LIST__0__MAX",
            "set `APP__LIST__0={max=..}`",
        ),
        (
            "APP__?separator=__",
            "APP__LIMITS__A__MAX",
            "set `APP__LIMITS__A={max=..}`",
        ),
    ] {
        let warnings = advice(prefix, name, "7").unwrap();
        assert!(
            matches!(&warnings[..], [one] if one.contains(words) && one.contains(nested)),
            "{name}: {warnings:?}"
        );
    }
    let refused = advice("APP_", "APP_LIMITS_A_MAX", "7").unwrap_err();
    let words = "each entry of `limits` is read as a single value; set `APP_LIMITS_A={max=..}`";
    assert!(
        refused.contains(words) && refused.contains(nested),
        "{refused}"
    );
    // Nothing behind the key is a key of the struct.
    let refused = advice("APP_", "APP_LIMITS_A_B", "7").unwrap_err();
    assert!(!refused.contains(nested), "{refused}");
}

#[test]
fn a_variable_of_its_own_of_a_field_in_a_list_or_a_map_is_reported_with_the_one_that_is_read() {
    for (prefix, name) in [
        ("APP_", "APP_PEERS_0_PORT"),
        ("APP__?separator=__", "APP__PEERS__0__PORT"),
    ] {
        let warnings = advice(prefix, "PEER_PORT", "7").unwrap();
        let fix = format!("has no variable of its own; `{name}` sets `peers[0].port`");
        assert!(
            matches!(&warnings[..], [one] if one.contains(&fix)),
            "{warnings:?}"
        );
        assert!(advice(prefix, name, "7").unwrap().is_empty());
    }
    // Two layers of the environment have the same variable.
    let (_folder, document, _) = files("");
    let of = |prefix: &str| Source::env(prefix.to_owned()).variables([("PEER_PORT", "7")]);
    let builder = Capacitor::<Advised>::builder().manual().source(document);
    let both = builder.source(of("ALL_")).source(of("APP_"));
    let warnings = started(both).unwrap();
    assert!(
        matches!(&warnings[..], [one] if one.contains("`ALL_PEERS_0_PORT`")),
        "{warnings:?}"
    );
    // It may be somebody else's, and refuses nothing.
    let source = Source::env("APP_").variables([("PEER_PORT", "7"), ("APP_SERVICE_NAME", "a")]);
    let builder = Capacitor::<Advised>::builder().unknown(Unknown::Deny);
    builder.source(source).load().unwrap();
}

/// The warnings of a file of variables above a document.
fn in_file(prefix: &str, text: &str) -> Vec<String> {
    let (_folder, document, variables) = files(text);
    let none: [(&str, &str); 0] = [];
    let builder = Capacitor::<Advised>::builder().manual();
    let builder = builder.source(document).source(variables);
    started(builder.override_with(Source::env(prefix.to_owned()).variables(none))).unwrap()
}

#[test]
fn a_file_with_a_prefix_of_its_own_keeps_the_separator_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    fs::write(
        &path,
        "POOL__MAX_SIZE=5\nSERVICE_NAME=a\nX_POOL_MAX_SIZE=6\nX_SERVICE_NAME=b\n",
    )
    .unwrap();
    let max_size = |options: &str, prefixes: &[&str]| {
        let none: [(&str, &str); 0] = [];
        let file = Source::dotenv(format!("{}{options}", path.display()));
        let mut builder = Capacitor::<Advised>::builder().source(file);
        for prefix in prefixes {
            builder = builder.override_with(Source::env((*prefix).to_owned()).variables(none));
        }
        let loaded = builder.load();
        loaded
            .map(|one| one.pool.max_size)
            .map_err(|error| error.to_string())
    };
    assert_eq!(max_size("?prefix=", &["APP__?separator=__"]), Ok(5));
    assert_eq!(
        max_size("?prefix=X_&separator=_", &["APP__?separator=__"]),
        Ok(6)
    );
    // The layer with its prefix counts.
    assert_eq!(max_size("?prefix=X_", &["APP__?separator=__", "X_"]), Ok(6));
    let unclear = max_size("?prefix=X_", &["APP__?separator=__", "APP_"]).unwrap_err();
    assert!(
        unclear.contains("name the separator of the file"),
        "{unclear}"
    );
}

#[test]
fn a_file_whose_variables_are_empty_is_not_accused_of_another_prefix() {
    let warnings = in_file("APP__?separator=__", "APP__SERVICE_NAME=\n");
    assert!(
        matches!(&warnings[..], [one] if one.contains("one that is empty is as one that is not set")),
        "{warnings:?}"
    );
    let warnings = in_file("APP__?separator=__", "OTHER=\n");
    assert!(
        warnings[0].contains("the names begin with `APP__`"),
        "{warnings:?}"
    );
}

#[test]
fn what_is_missing_is_to_be_set_in_a_file_of_variables_by_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    let load = |text: &str| {
        fs::write(&path, text).unwrap();
        let none: [(&str, &str); 0] = [];
        Capacitor::<Advised>::builder()
            .source(Source::dotenv(path.to_str().unwrap().to_owned()))
            .override_with(Source::env("APP__?separator=__").variables(none))
            .load()
    };
    let Err(Error::Refused(report)) = load("APP__POOL__MAX_SIZE=1\n") else {
        panic!("it is required")
    };
    let told = report.to_string();
    assert!(
        told.contains("set APP__SERVICE_NAME, or `APP__SERVICE_NAME` in "),
        "{told}"
    );
    assert_eq!(load("APP__SERVICE_NAME=a\n").unwrap().service_name, "a");
}

#[test]
fn an_entry_in_a_file_of_variables_beside_one_that_is_spelt_otherwise_is_a_warning() {
    let warnings = in_file("APP_", "APP_FEATURES_DARK_MODE=true\n");
    let words = "is an entry beside `dark-mode`, which a layer below has in `features`";
    assert!(
        matches!(&warnings[..], [one] if one.contains(words) && one.contains("set `APP_FEATURES={dark-mode=..}`")),
        "{warnings:?}"
    );
    for text in [
        "APP_FEATURES={dark-mode=true}\n",
        "APP_FEATURES_OTHER=true\n",
        "APP_FEATURES_darkRed=true\n",
    ] {
        let warnings = in_file("APP_", text);
        assert_eq!(warnings, Vec::<String>::new(), "{text}");
    }
}
