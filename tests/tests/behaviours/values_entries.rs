//! Single entries of maps and single items of lists, by variables.

use flux::{Capacitor, Config, Flux, Format, Source, Unknown, source::Channel};
use proptest::{collection, prelude::*};
use std::collections::{BTreeMap, HashMap};

/// Starts with these documents in YAML, lowest first, and the variables above them.
fn started<C: Config>(
    unknown: Unknown,
    prefix: &str,
    documents: &[&str],
    variables: &[(&str, &str)],
) -> Result<Capacitor<C>, flux::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let mut builder = Capacitor::<C>::builder().manual().unknown(unknown);
        for (number, document) in documents.iter().enumerate() {
            let (sender, channel) = Channel::buffered(format!("{number}.yaml"), 1);
            builder = builder.source(Source::watcher(channel).format(Format::Yaml));
            let bytes = document.as_bytes().to_vec();
            sender.send(bytes).await.expect("room for one");
        }
        let environment = Source::env(prefix).variables(variables.iter().copied());
        let capacitor = builder.source(environment).build()?;
        capacitor.start().await?;
        Ok(capacitor)
    })
}

fn refused<C: Config>(unknown: Unknown, documents: &[&str], variables: &[(&str, &str)]) -> String {
    match started::<C>(unknown, "APP_", documents, variables) {
        Ok(_) => panic!("not refused: {variables:?}"),
        Err(error) => error.to_string(),
    }
}

#[derive(Flux, Debug, PartialEq, Clone)]
struct Part {
    #[flux(default = 1)]
    max: u32,
    #[flux(default = 2)]
    #[serde(alias = "poolMaximum")]
    pool_max: u32,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default, secret)]
    password: String,
}

#[derive(Flux, Debug, PartialEq)]
struct App {
    #[flux(default)]
    #[serde(alias = "flags")]
    features: BTreeMap<String, bool>,
    #[flux(default)]
    ports: HashMap<u16, String>,
    #[flux(default)]
    names: Vec<String>,
    #[flux(default, merge = "append")]
    more: Vec<String>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Part>,
    #[flux(nested, default)]
    ups: Vec<Part>,
    #[flux(nested, default, merge = "append")]
    joined: Vec<Part>,
    #[flux(nested)]
    inner: Inner,
}

#[derive(Flux, Debug, PartialEq)]
struct Inner {
    #[flux(default, env = "LABELS")]
    labels: Option<BTreeMap<String, String>>,
    #[flux(default)]
    count: u8,
}

/// What the variables make of the documents, as the parts that a test names.
fn read(documents: &[&str], variables: &[(&str, &str)]) -> Capacitor<App> {
    let started = started::<App>(Unknown::Deny, "APP_", documents, variables);
    started.unwrap_or_else(|error| panic!("{variables:?}: {error}"))
}

#[test]
fn an_entry_of_a_map_has_a_variable() {
    for (documents, variables, features) in [
        (
            &[][..],
            &[("APP_FEATURES_DARK_MODE", "true")][..],
            &[("dark_mode", true)][..],
        ),
        (
            &["features: {dark_mode: false, other: true}"],
            &[("APP_FEATURES_DARK_MODE", "on")],
            &[("dark_mode", true), ("other", true)],
        ),
        // A key is spelt as in the layers below, whatever is between its words.
        (
            &["features: {dark-mode: false}", "features: {other: true}"],
            &[("APP_FEATURES_DARK_MODE", "on")],
            &[("dark-mode", true), ("other", true)],
        ),
        (
            &["flags: {darkMode: false}"],
            &[("APP_FLAGS_DARK_MODE", "on")],
            &[("darkMode", true)],
        ),
        // Over the variable of the whole map.
        (
            &["features: {low: true}"],
            &[
                ("APP_FEATURES", "{Dark.Mode=false, x=true}"),
                ("APP_FEATURES_DARK_MODE", "on"),
            ],
            &[("Dark.Mode", true), ("low", true), ("x", true)],
        ),
        // A name with small letters is the key itself.
        (
            &["features: {dark_mode: true}"],
            &[("APP_FEATURES_darkMode", "off")],
            &[("darkMode", false), ("dark_mode", true)],
        ),
        (&[], &[("APP_FEATURES_X", "")], &[]),
    ] {
        let capacitor = read(documents, variables);
        let features: BTreeMap<_, _> = (features.iter())
            .map(|(key, on)| ((*key).to_owned(), *on))
            .collect();
        assert_eq!(capacitor.get().features, features, "{variables:?}");
    }
    let capacitor = read(&[], &[("APP_PORTS_80", "http"), ("LABELS_TEAM", "x")]);
    assert_eq!(capacitor.get().ports[&80], "http");
    let labels = capacitor.get().inner.labels.clone().expect("one");
    assert_eq!(labels["team"], "x");
    // Without a prefix nobody else has the variables of this one.
    let variables = [("LABELS_TEAM", "x"), ("FEATURES_X", "on")];
    let capacitor = started::<App>(Unknown::Deny, "", &[], &variables).expect("one of two");
    let labels = capacitor.get().inner.labels.clone().expect("one");
    assert_eq!(labels["team"], "x");
    assert!(capacitor.get().features.is_empty());
}

#[test]
fn a_field_of_an_entry_has_a_variable() {
    let documents = &["tenants: {a: {max: 3, pool_max: 4}, b-c: {poolMaximum: 5}}"];
    let capacitor = read(
        documents,
        &[
            ("APP_TENANTS_A_MAX", "30"),
            ("APP_TENANTS_B_C_POOL_MAX", "50"),
            ("APP_TENANTS_B_C_LABELS_REGION", "eu"),
            ("APP_TENANTS_NEW_ONE_MAX", "7"),
            ("APP_TENANTS_WHOLE", "{max=9, password=s}"),
            ("APP_TENANTS_WHOLE_MAX", "10"),
        ],
    );
    let tenants = &capacitor.get().tenants;
    assert_eq!((tenants["a"].max, tenants["a"].pool_max), (30, 4));
    assert_eq!((tenants["b-c"].max, tenants["b-c"].pool_max), (1, 50));
    assert_eq!(tenants["b-c"].labels["region"], "eu");
    assert_eq!(tenants["new_one"].max, 7);
    assert_eq!(
        (tenants["whole"].max, &*tenants["whole"].password),
        (10, "s")
    );
    assert_eq!(tenants.len(), 4);
}

#[test]
fn of_two_readings_the_entry_that_exists_counts_and_else_the_longest_name_of_a_field() {
    let variables = &[("APP_TENANTS_A_POOL_MAX", "9")];
    for (document, key, is_pool) in [
        ("", "a", true),
        ("tenants: {a: {}}", "a", true),
        ("tenants: {a_pool: {}}", "a_pool", false),
        ("tenants: {A-Pool: {}}", "A-Pool", false),
    ] {
        let documents = [document];
        let documents = &documents[usize::from(document.is_empty())..];
        let capacitor = read(documents, variables);
        let tenant = &capacitor.get().tenants[key];
        let expected = if is_pool { (1, 9) } else { (9, 2) };
        assert_eq!((tenant.max, tenant.pool_max), expected, "{document}");
        assert_eq!(capacitor.get().tenants.len(), 1, "{document}");
    }
    let error = refused::<App>(Unknown::Warn, &["tenants: {a: {}, a_pool: {}}"], variables);
    assert!(
        error.contains(
            "tenants: APP_TENANTS_A_POOL_MAX can mean `tenants.a.pool_max` and `tenants.a_pool.max`"
        ),
        "{error}"
    );
    let error = refused::<App>(
        Unknown::Warn,
        &["features: {dark-mode: true, darkMode: true}"],
        &[("APP_FEATURES_DARK_MODE", "on")],
    );
    assert!(
        error.contains("can mean `features.dark-mode` and `features.darkMode`"),
        "{error}"
    );
}

#[test]
fn a_separator_separates_exactly() {
    let prefix = "APP_?separator=__";
    let variables = [
        ("APP_TENANTS__A_POOL__MAX", "9"),
        ("APP_FEATURES__DARK_MODE", "true"),
        ("APP_UPS__0__POOL_MAX", "8"),
        ("APP_FEATURES_IGNORED", "true"),
    ];
    let started = started::<App>(Unknown::Warn, prefix, &["tenants: {a: {}}"], &variables);
    let app = started.expect("good");
    let app = app.get();
    assert_eq!(app.tenants["a_pool"].max, 9);
    assert_eq!(app.tenants.len(), 2);
    assert_eq!(app.features.keys().collect::<Vec<_>>(), ["dark_mode"]);
    assert_eq!(app.ups[0].pool_max, 8);
}

#[test]
fn an_item_of_a_list_of_sections_is_laid_over_the_one_below() {
    let documents = &["ups: [{max: 1, pool_max: 5}, {max: 2}]"];
    let of = |variables: &[(&str, &str)]| {
        let app = read(documents, variables).get();
        let each = app.ups.iter().map(|up| (up.max, up.pool_max));
        each.collect::<Vec<_>>()
    };
    assert_eq!(of(&[("APP_UPS_0_MAX", "3")]), [(3, 5), (2, 2)]);
    assert_eq!(of(&[("APP_UPS_2_MAX", "3")]), [(1, 5), (2, 2), (3, 2)]);
    assert_eq!(of(&[("APP_UPS_1", "{pool_max=3}")]), [(1, 5), (2, 3)]);
    assert_eq!(
        of(&[
            ("APP_UPS", "[{max=8}]"),
            ("APP_UPS_0_POOL_MAX", "3"),
            ("APP_UPS_1_MAX", "4")
        ]),
        [(8, 3), (4, 2)]
    );
    let ups = read(&[], &[("APP_UPS_0_MAX", "3"), ("APP_UPS_1_MAX", "4")]);
    assert_eq!(ups.get().ups.len(), 2);

    for (documents, variables, sentence) in [
        (
            // Items of the environment's own list.
            &["joined: [{max: 1}, {max: 2}]"][..],
            &[("APP_JOINED_1_MAX", "3")][..],
            "joined[1]: there is no such item: items are counted from 0 and there are 0, so the next one is item 0",
        ),
        (
            &documents[..],
            &[("APP_UPS_3_MAX", "3")][..],
            "ups[3]: there is no such item: items are counted from 0 and there are 2, so the next one is item 2",
        ),
        (
            documents,
            &[("APP_UPS", "[]"), ("APP_UPS_1_MAX", "3")],
            "ups[1]: there is no such item: items are counted from 0 and there are 0, so the next one is item 0",
        ),
        (
            &[],
            &[("APP_UPS_1_MAX", "3")],
            "ups[1]: there is no such item: items are counted from 0 and there are 0, so the next one is item 0",
        ),
    ] {
        let error = refused::<App>(Unknown::Warn, documents, variables);
        assert!(error.contains(sentence), "{error}");
        let (variable, _) = variables[variables.len() - 1];
        let named = format!("environment variable {variable}");
        assert!(error.contains(&named), "{error}");
    }
}

#[test]
fn items_of_a_list_of_values_are_the_list() {
    let documents = &["names: [x, y, z]\nmore: [x]"];
    let names = |variables: &[(&str, &str)]| read(documents, variables).get().names.clone();
    assert_eq!(names(&[("APP_NAMES_0", "a,b")]), ["a,b"]);
    assert_eq!(
        names(&[("APP_NAMES_1", "b"), ("APP_NAMES_0", "a")]),
        ["a", "b"]
    );
    assert_eq!(
        names(&[("APP_NAMES", "a,b"), ("APP_NAMES_1", "c")]),
        ["a", "c"]
    );
    assert_eq!(
        names(&[("APP_NAMES", "a"), ("APP_NAMES_1", "c")]),
        ["a", "c"]
    );
    let more = read(documents, &[("APP_MORE_0", "a"), ("APP_MORE_1", "b")]);
    assert_eq!(more.get().more, ["x", "a", "b"]);
    for (variables, sentence) in [
        (
            &[("APP_NAMES_1", "b")][..],
            "names[1]: there is no such item",
        ),
        (
            &[("APP_NAMES_0", "b"), ("APP_NAMES_2", "b")],
            "names[2]: there is no such item",
        ),
        (
            &[("APP_NAMES", "a"), ("APP_NAMES_2", "b")],
            "names[2]: there is no such item",
        ),
        (
            &[("APP_NAMES", "[a"), ("APP_NAMES_0", "b")],
            "names: cannot be read as a list",
        ),
        (
            &[("APP_FEATURES", "[1]"), ("APP_FEATURES_X", "on")],
            "features: is no map",
        ),
    ] {
        let error = refused::<App>(Unknown::Warn, documents, variables);
        assert!(error.contains(sentence), "{error}");
    }
}

#[test]
fn what_fits_no_entry_is_reported() {
    for (variable, sentence) in [
        (
            "APP_TENANTS_A_MXA",
            "tenants: this variable is not read, did you mean `APP_TENANTS_A_MAX`?",
        ),
        (
            "APP_TENANTS_A",
            "behind `APP_TENANTS_` is the key of an entry of `tenants` and the name of one of its fields",
        ),
        (
            "APP_UPS_0_MXA",
            "ups: this variable is not read, did you mean `APP_UPS_0_MAX`?",
        ),
        (
            "APP_UPS_01_MAX",
            "behind `APP_UPS_` is the number of an item of `ups`, from 0, and the name of one of its fields",
        ),
        (
            "APP_NAMES_FIRST",
            "names: this variable is not read: behind `APP_NAMES_` is the number of an item of `names`, from 0",
        ),
        (
            "APP_FEATURE_DARK_MODE",
            "features: this variable is not read, did you mean `APP_FEATURES_DARK_MODE`?",
        ),
    ] {
        let error = refused::<App>(Unknown::Deny, &[], &[(variable, "1")]);
        assert!(error.contains(sentence), "{error}");
        assert!(
            error.contains(&format!("environment variable {variable}")),
            "{error}"
        );
        let warned =
            started::<App>(Unknown::Warn, "APP_", &[], &[(variable, "1")]).expect(variable);
        let status = warned.status();
        assert_eq!(status.warnings.len(), 1, "{variable}");
        started::<App>(Unknown::Ignore, "APP_", &[], &[(variable, "1")]).expect("ignored");
    }
    // Nobody's prefix, and somebody else's variables.
    started::<App>(
        Unknown::Deny,
        "",
        &[],
        &[("NAMES_FIRST", "1"), ("FEATURES_X", "1")],
    )
    .expect("others");
    read(&[], &[("APP_VERSION", "1"), ("APP_INNER_SOMETHING", "1")]);
}

#[test]
fn wrong_entries_are_refused_by_their_names_and_without_their_secrets() {
    for (variable, text, sentence) in [
        (
            "APP_FEATURES_X",
            "maybe",
            "features.x: expected a boolean, found string \"maybe\"",
        ),
        (
            "APP_TENANTS_A_MAX",
            "-1",
            "tenants.a.max: expected u32, found integer `-1`",
        ),
        (
            "APP_UPS_0_MAX",
            "x",
            "ups[0].max: expected u32, found string \"x\"",
        ),
        ("APP_PORTS_X", "x", "ports"),
    ] {
        let error = refused::<App>(Unknown::Warn, &[], &[(variable, text)]);
        assert!(error.contains(sentence), "{error}");
        assert!(error.contains(variable), "{error}");
    }
    let secret = &[
        ("APP_TENANTS_A_PASSWORD", "hunter2"),
        ("APP_TENANTS_A_MAX", "hunter2"),
    ];
    let error = refused::<App>(Unknown::Warn, &[], secret);
    assert!(!error.contains("hunter2"), "{error}");
    let both = &[("APP_FEATURES_X", "on"), ("APP_FLAGS_X", "off")];
    let error = refused::<App>(Unknown::Warn, &[], both);
    assert!(
        error.contains(
            "features.x: is set by both APP_FEATURES_X and APP_FLAGS_X, with different values"
        ),
        "{error}"
    );
}

#[test]
fn a_document_that_brings_another_spelling_keeps_the_entry_on_its_key() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (sender, channel) = Channel::buffered("app.yaml", 4);
        let environment = Source::env("APP_").variables([("APP_FEATURES_DARK_MODE", "true")]);
        let capacitor = Capacitor::<App>::builder()
            .manual()
            .source(Source::watcher(channel).format(Format::Yaml))
            .source(environment)
            .build()
            .expect("good");
        let send = async |text: &str| {
            sender.send(text.as_bytes().to_vec()).await.expect("room");
            capacitor.process().await.map(drop)
        };
        sender.send(&b"features: {}"[..]).await.expect("room");
        capacitor.start().await.expect("good");
        let keys = || {
            capacitor
                .get()
                .features
                .clone()
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(), [("dark_mode".to_owned(), true)]);
        let _ = send("features: {dark-mode: false}").await;
        assert_eq!(keys(), [("dark-mode".to_owned(), true)]);
        // What is not clear is refused: the variable stays on its key, and what is good of the document is applied.
        let _ = send("features: {dark-mode: false, darkMode: false}").await;
        let both = [
            ("dark-mode".to_owned(), true),
            ("darkMode".to_owned(), false),
        ];
        assert_eq!(keys(), both);
        assert_eq!(capacitor.state().to_string(), "degraded");
        let _ = send("features: {darkMode: false}").await;
        assert_eq!(keys(), [("darkMode".to_owned(), true)]);
        assert_eq!(capacitor.state().to_string(), "healthy");
    });
}

#[derive(Flux, Debug, PartialEq)]
struct Wrapped {
    #[flux(nested, default)]
    pools: BTreeMap<String, Vec<Part>>,
    #[flux(nested, default = [Part::new(), Part::new()])]
    pair: [Part; 2],
    #[flux(nested)]
    boxed: Option<Box<Part>>,
    #[flux(nested, default)]
    levels: HashMap<u8, Box<Part>>,
}

impl Part {
    fn new() -> Self {
        Part {
            max: 0,
            pool_max: 0,
            labels: BTreeMap::new(),
            password: String::new(),
        }
    }
}

#[test]
fn entries_and_items_may_be_in_one_another() {
    let documents = &["pools: {x-y: [{max: 1}, {max: 2}]}\npair: [{max: 1}, {max: 2}]"];
    let variables = [
        ("APP_POOLS_X_Y_1_MAX", "5"),
        ("APP_POOLS_X_Y_2", "{max=6}"),
        ("APP_POOLS_NEW", "[{max=7}]"),
        ("APP_PAIR_1_MAX", "8"),
        ("APP_BOXED_LABELS_A", "b"),
        ("APP_LEVELS_3_POOL_MAX", "4"),
    ];
    let started = started::<Wrapped>(Unknown::Deny, "APP_", documents, &variables);
    let started = started.unwrap_or_else(|error| panic!("{error}"));
    let read = started.get();
    let max = |parts: &[Part]| parts.iter().map(|part| part.max).collect::<Vec<_>>();
    assert_eq!(max(&read.pools["x-y"]), [1, 5, 6]);
    assert_eq!(max(&read.pools["new"]), [7]);
    assert_eq!(max(&read.pair), [1, 8]);
    assert_eq!(read.boxed.as_ref().expect("set").labels["a"], "b");
    assert_eq!(read.levels[&3].pool_max, 4);
    for (documents, variable, sentence) in [
        (
            &[][..],
            "APP_PAIR_0_MAX",
            "pair: expected a list of 2 items, found 1",
        ),
        (
            documents,
            "APP_PAIR_2_MAX",
            "pair: expected a list of 2 items, found 3",
        ),
        (
            documents,
            "APP_POOLS_X_Y_3_MAX",
            "pools.x-y[3]: there is no such item",
        ),
    ] {
        let error = refused::<Wrapped>(Unknown::Warn, documents, &[(variable, "1")]);
        assert!(error.contains(sentence), "{error}");
        assert!(error.contains(variable), "{error}");
    }
}

mod page {
    use super::*;

    #[derive(Flux, Debug)]
    struct Page {
        #[flux(default)]
        features: BTreeMap<String, bool>,
        #[flux(default)]
        names: Vec<String>,
        #[flux(nested, default)]
        tenants: BTreeMap<String, Tenant>,
        #[flux(nested, default)]
        ups: Vec<Tenant>,
    }

    #[derive(Flux, Debug, PartialEq)]
    struct Tenant {
        #[flux(default)]
        max: u32,
        #[flux(default)]
        pool_max: u32,
    }

    /// What is in each pair of backticks.
    fn code(cell: &str) -> Vec<&str> {
        cell.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn every_line_of_the_table_of_entries_on_the_page_of_the_environment_is_true() {
        let page = include_str!("../../../flux/src/docs/sources/environment.md");
        let (_, table) = page
            .split_once("| document | variables | configuration |\n|---|---|---|\n")
            .expect("a table");
        let mut lines = 0;
        for line in table.lines().take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [document, variables, expected] = cells[..] else {
                panic!("{line}")
            };
            let variables: Vec<_> = code(variables).into_iter().collect();
            let variables: Vec<_> = (variables.iter())
                .map(|one| one.split_once('=').expect(line))
                .collect();
            let started = started::<Page>(Unknown::Deny, "APP_", &code(document), &variables);
            match (expected.strip_prefix("refused: "), started) {
                (Some(sentence), Err(flux::Error::Refused(report))) => {
                    let problem = &report.problems()[0];
                    // Markdown takes brackets for a link.
                    let sentence = sentence.replace('\\', "");
                    assert_eq!(format!("{}: {}", problem.path, problem.message), sentence);
                    assert!(report.to_string().contains(variables[0].0), "{report}");
                }
                (None, Ok(capacitor)) => {
                    let read = capacitor.get();
                    let expected = code(expected)[0];
                    let field = expected.split(':').next().expect("a field");
                    let read = match field {
                        "features" => format!("features: {:?}", read.features),
                        "names" => format!("names: {:?}", read.names),
                        "tenants" => format!("tenants: {:?}", read.tenants),
                        _ => format!("ups: {:?}", read.ups),
                    };
                    assert_eq!(read, expected, "{line}");
                }
                (_, other) => panic!("{line}: {other:?}"),
            }
            lines += 1;
        }
        assert!(lines > 20, "{lines}");
    }
}

#[derive(Flux, Debug, PartialEq)]
struct Generated {
    #[flux(default)]
    texts: BTreeMap<String, String>,
    #[flux(default)]
    numbers: BTreeMap<String, i32>,
    #[flux(default)]
    list: Vec<String>,
    #[flux(nested, default)]
    parts: BTreeMap<String, Part>,
    #[flux(nested, default)]
    items: Vec<Part>,
}

fn key() -> impl Strategy<Value = String> {
    // Words that end as fields do are tried by hand: there two readings can be as good as one another.
    "[a-z][a-z0-9]{0,3}([-_.][a-z0-9]{1,3}){0,2}".prop_filter("fields", |key| {
        !["max", "pool", "labels", "password", "poolmaximum"]
            .iter()
            .any(|word| key.contains(word))
    })
}

/// The key in capitals, in which all separators are alike.
fn part(key: &str) -> String {
    key.to_uppercase().replace(['-', '.'], "_")
}

/// Keys whose variables are different.
fn distinct<V>(map: BTreeMap<String, V>) -> BTreeMap<String, V> {
    let mut seen = std::collections::BTreeSet::new();
    map.into_iter()
        .filter(|(key, _)| seen.insert(part(key)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    /// The keys are in the document below, with other values; each value comes from a variable of its own.
    #[test]
    fn what_is_written_as_entries_is_read_as_it_was(
        texts in collection::btree_map(key(), "[^\0]{1,8}", 0..4),
        numbers in collection::btree_map(key(), any::<i32>(), 0..4),
        list in collection::vec("[^\0]{1,8}", 0..4),
        parts in collection::btree_map(key(), (any::<u32>(), any::<u32>()), 0..4),
        items in collection::vec((any::<u32>(), any::<u32>()), 0..4),
        below in 0..4usize,
    ) {
        let (texts, numbers, parts) = (distinct(texts), distinct(numbers), distinct(parts));
        let mut variables = Vec::new();
        variables.extend(texts.iter().map(|(key, text)| (format!("APP_TEXTS_{}", part(key)), text.clone())));
        variables.extend(numbers.iter().map(|(key, n)| (format!("APP_NUMBERS_{}", part(key)), n.to_string())));
        variables.extend(list.iter().enumerate().map(|(i, text)| (format!("APP_LIST_{i}"), text.clone())));
        for (key, (max, pool)) in &parts {
            variables.push((format!("APP_PARTS_{}_MAX", part(key)), max.to_string()));
            variables.push((format!("APP_PARTS_{}_POOL_MAX", part(key)), pool.to_string()));
        }
        for (i, (max, pool)) in items.iter().enumerate() {
            variables.push((format!("APP_ITEMS_{i}_MAX"), max.to_string()));
            variables.push((format!("APP_ITEMS_{i}_POOL_MAX"), pool.to_string()));
        }
        let map = |keys: Vec<&String>, value: &str| {
            let entries: Vec<_> = keys.iter().map(|key| format!("\"{key}\": {value}")).collect();
            format!("{{{}}}", entries.join(", "))
        };
        let length = items.len().min(below);
        let document = format!(
            "texts: {}\nnumbers: {}\nlist: [a, b, c, d, e]\nparts: {}\nitems: [{}]",
            map(texts.keys().collect(), "low"),
            map(numbers.keys().collect(), "0"),
            map(parts.keys().collect(), "{max: 0, password: kept}"),
            vec!["{max: 0, password: kept}"; length].join(", "),
        );
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let capacitor = started::<Generated>(Unknown::Deny, "APP_", &[&document], &variables);
        let capacitor = capacitor.map_err(|error| TestCaseError::fail(format!("{error}\n{document}\n{variables:?}")))?;
        let read = capacitor.get();
        prop_assert_eq!(&read.texts, &texts);
        prop_assert_eq!(&read.numbers, &numbers);
        let list = if list.is_empty() { ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec() } else { list };
        prop_assert_eq!(&read.list, &list);
        let found: BTreeMap<_, _> = read.parts.iter().map(|(key, part)| {
            assert_eq!(part.password, "kept");
            (key.clone(), (part.max, part.pool_max))
        }).collect();
        prop_assert_eq!(found, parts);
        let found: Vec<_> = read.items.iter().map(|part| (part.max, part.pool_max)).collect();
        prop_assert_eq!(found, items);
        prop_assert!(read.items.iter().take(length).all(|part| part.password == "kept"));
    }
}
