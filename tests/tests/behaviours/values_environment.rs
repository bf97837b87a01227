//! The environment's grammar: the names of variables, and the table of its page.

use flux::{Capacitor, Config, Flux, Format, Source, Unknown, source::Channel};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing::{Event, Metadata, Subscriber, field, span};

fn started<C: Config>(
    unknown: Unknown,
    prefix: &str,
    variables: &[(&str, &str)],
) -> Result<Capacitor<C>, flux::Error> {
    let source = Source::env(prefix).variables(variables.iter().copied());
    let capacitor = Capacitor::<C>::builder()
        .manual()
        .unknown(unknown)
        .source(source)
        .build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(capacitor.start())?;
    Ok(capacitor)
}

#[derive(Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Change {
    Keep,
    Replace { by: String },
}

type Read = fn(&str) -> Result<String, String>;

macro_rules! types {
    ($($ty:ty),* $(,)?) => {
        HashMap::from([$({
            #[derive(Flux)]
            struct App {
                v: $ty,
            }
            let read: Read = |text| {
                let started = started::<App>(Unknown::Deny, "APP_", &[("APP_V", text)]);
                match started {
                    Ok(capacitor) => Ok(format!("{:?}", capacitor.get().v)),
                    Err(flux::Error::Refused(report)) => Err(report.problems()[0].message.clone()),
                    Err(error) => panic!("{error}"),
                }
            };
            (stringify!($ty), read)
        }),*])
    };
}

#[test]
fn every_line_of_the_table_on_the_page_of_the_environment_is_true() {
    let types = types!(
        String,
        bool,
        u16,
        f64,
        Duration,
        Option<u16>,
        Vec<String>,
        Vec<u8>,
        [u8; 3],
        Vec<Vec<u8>>,
        BTreeMap<String, String>,
        BTreeMap<String, Vec<u8>>,
        Value,
        Change,
        Vec<Change>,
        Vec<SocketAddr>,
    );
    let page = include_str!("../../../flux/src/docs/sources/environment.md");
    let table = page.split_once("| type | text | value |\n|---|---|---|\n");
    let (_, table) = table.expect("a table");
    let mut lines = 0;
    for line in table.lines().take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [ty, text, value] = cells[..] else {
            panic!("{line}")
        };
        let code = |cell: &str| {
            let cell = cell
                .strip_prefix('`')
                .and_then(|cell| cell.strip_suffix('`'));
            cell.unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let read = types[&*code(ty.trim_start_matches("| "))](&code(text));
        let value = value.strip_suffix(" |").expect(line);
        match value.strip_prefix("refused: ") {
            Some(sentence) => assert_eq!(read, Err(sentence.to_owned()), "{line}"),
            None => assert_eq!(read, Ok(code(value)), "{line}"),
        }
        lines += 1;
    }
    assert!(lines > 40, "{lines}");
}

#[derive(Flux, Debug, PartialEq)]
struct App {
    #[flux(default = 1)]
    port: u16,
    #[flux(default = "none")]
    #[serde(alias = "hostname", alias = "max-host")]
    host: String,
    #[flux(nested)]
    #[serde(alias = "db")]
    database: Database,
}

#[derive(Flux, Debug, PartialEq)]
struct Database {
    #[flux(default = 10)]
    #[serde(alias = "poolSize")]
    max_size: u32,
    #[flux(default = "", env = "DATABASE_URL")]
    #[serde(alias = "uri")]
    url: String,
}

#[test]
fn an_alias_sets_the_field_from_a_variable_too() {
    for (variables, host, size) in [
        (&[("APP_HOSTNAME", "h")][..], "h", 10),
        (&[("APP_MAX_HOST", "h"), ("APP_DB_MAX_SIZE", "3")], "h", 3),
        (&[("APP_DATABASE_POOL_SIZE", "3")], "none", 3),
        (&[("APP_DB_POOL_SIZE", "3"), ("APP_HOST", "h")], "h", 3),
        (&[("APP_HOST", "h"), ("APP_HOSTNAME", "h")], "h", 10),
        (&[("APP_HOST", "h"), ("APP_HOSTNAME", "")], "h", 10),
    ] {
        let capacitor = started::<App>(Unknown::Warn, "APP_", variables).expect("good");
        let app = capacitor.get();
        assert_eq!(
            (app.host.as_str(), app.database.max_size),
            (host, size),
            "{variables:?}"
        );
    }
}

#[test]
fn two_names_of_one_field_with_different_values_are_refused() {
    let variables = [("APP_HOST", "a"), ("APP_HOSTNAME", "b")];
    let error = started::<App>(Unknown::Warn, "APP_", &variables).expect_err("two values");
    let error = error.to_string();
    assert!(
        error.contains(
            "host: is set by both APP_HOST and APP_HOSTNAME, with different values; unset one"
        ),
        "{error}"
    );
}

#[test]
fn a_misspelt_variable_is_refused_where_unknown_keys_are() {
    for (variable, sentence) in [
        (
            "APP_PROT",
            "port: this variable is not read, did you mean `APP_PORT`?",
        ),
        (
            "APP_DATABASE_MAXSIZE",
            "did you mean `APP_DATABASE_MAX_SIZE`?",
        ),
        ("APP_HOSTNAM", "did you mean `APP_HOSTNAME`?"),
        // A field with a variable of its own has no other.
        (
            "APP_DATABASE_URL",
            "database.url: this variable is not read, did you mean `DATABASE_URL`?",
        ),
        ("APP_DB_URI", "did you mean `DATABASE_URL`?"),
        // Other libraries do not distinguish letters.
        (
            "app_port",
            "port: this variable is not read, did you mean `APP_PORT`?",
        ),
        (
            "app_database_url",
            "database.url: this variable is not read, did you mean `DATABASE_URL`?",
        ),
        (
            "App_database_max_size",
            "did you mean `APP_DATABASE_MAX_SIZE`?",
        ),
    ] {
        let error = started::<App>(Unknown::Deny, "APP_", &[(variable, "1")]);
        let error = error.expect_err(variable).to_string();
        assert!(error.contains(sentence), "{error}");
        assert!(
            error.contains(&format!("environment variable {variable}")),
            "{error}"
        );
    }
    let error = started::<App>(Unknown::Deny, "APP", &[("APP_PORT", "1")]);
    let error = error.expect_err("no `_`").to_string();
    assert!(
        error.contains("the prefix `APP` has no `_` at its end; write `env:APP_`"),
        "{error}"
    );
    // As other libraries have it, with two between the parts.
    for (prefix, variable, sentence) in [
        (
            "APP",
            "APP__DATABASE__MAX_SIZE",
            "write `env:APP_` and `APP_DATABASE_MAX_SIZE`, or `env:APP__?separator=__`",
        ),
        (
            "APP__?separator=__",
            "APP_PORT",
            "port: this variable is not read, did you mean `APP__PORT`?",
        ),
        (
            "APP__?separator=__",
            "APP_DATABASE__MAX_SIZE",
            "did you mean `APP__DATABASE__MAX_SIZE`?",
        ),
    ] {
        let error = started::<App>(Unknown::Deny, prefix, &[(variable, "1")]);
        let error = error.expect_err(variable).to_string();
        assert!(error.contains(sentence), "{error}");
    }
    let stranger = [("APP_VERSION", "1")];
    started::<App>(Unknown::Deny, "APP__?separator=__", &stranger).expect("a stranger");
}

#[test]
fn a_variable_that_is_near_to_none_is_never_an_error() {
    let variables = [
        ("APP_VERSION", "1"),
        ("APP_CONFIG", "x"),
        ("APP_DATABASE_REPLICA_ADDRESS", "x"),
        ("APP_PROT", ""),
        ("PORT", "1"),
        ("HOME", "x"),
        ("DATABASE_URI", "x"),
        ("app_version", "1"),
        ("app_prot", "1"),
    ];
    let capacitor = started::<App>(Unknown::Deny, "APP_", &variables).expect("strangers");
    assert_eq!(capacitor.get().port, 1);
    started::<App>(Unknown::Deny, "", &[("PROT", "1")]).expect("no prefix, so anybody's");
    started::<App>(Unknown::Ignore, "APP_", &[("APP_PROT", "1")]).expect("ignored");
}

#[test]
fn the_parts_of_a_name_may_be_joined_by_another_separator() {
    let variables = [
        ("APP_DATABASE__MAX_SIZE", "3"),
        ("APP_DATABASE_MAX_SIZE", "4"),
    ];
    let capacitor = started::<App>(Unknown::Warn, "APP_?separator=__", &variables);
    assert_eq!(capacitor.expect("good").get().database.max_size, 3);
    let error = started::<App>(Unknown::Warn, "APP_?seperator=__", &[]).expect_err("misspelt");
    assert!(
        error.to_string().contains("did you mean `separator`?"),
        "{error}"
    );

    #[derive(Flux)]
    #[flux(override = "env:APP_?separator=__&empty=value")]
    #[allow(dead_code)]
    struct Declared {
        #[flux(nested)]
        database: Database,
    }
    Declared::builder().build().expect("good options");
}

#[test]
fn a_variable_that_is_set_to_nothing_is_an_empty_text_where_it_is_said_so() {
    for (prefix, host) in [
        ("APP_", "none"),
        ("APP_?empty=unset", "none"),
        ("APP_?empty=value", ""),
    ] {
        let capacitor = started::<App>(Unknown::Deny, prefix, &[("APP_HOST", "")]);
        assert_eq!(capacitor.expect("good").get().host, host, "{prefix}");
    }
    let error = started::<App>(Unknown::Deny, "APP_?empty=value", &[("APP_PORT", "")]);
    let error = error.expect_err("no number").to_string();
    assert!(
        error.contains("port: expected u16, found string"),
        "{error}"
    );
}

/// Keeps the warnings of Flux.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "flux"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Visit<'a>(&'a Warnings);
        impl field::Visit for Visit<'_> {
            fn record_debug(&mut self, field: &field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "warning" {
                    self.0.0.lock().unwrap().push(format!("{value:?}"));
                }
            }
        }
        event.record(&mut Visit(self));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn a_misspelt_variable_is_a_warning_with_the_name_that_was_meant() {
    let warned = || started::<App>(Unknown::Warn, "APP_", &[("APP_PROT", "2")]).expect("good");
    // `tracing` decides once for an event whether anybody listens, at its first time.
    warned();
    let warnings = Warnings::default();
    let capacitor = tracing::subscriber::with_default(warnings.clone(), warned);
    assert_eq!(capacitor.get().port, 1);
    let warnings = warnings.0.lock().unwrap().join("\n");
    assert!(warnings.contains("did you mean `APP_PORT`?"), "{warnings}");
    assert!(
        warnings.contains("environment variable APP_PROT"),
        "{warnings}"
    );
}

/// Whose entries are not laid over those of another layer: what is below would be lost.
#[test]
fn a_part_of_a_struct_or_a_newtype_that_is_a_value_is_not_set_by_a_variable() {
    #[derive(Deserialize, Clone, Debug, PartialEq)]
    struct Inner {
        x: u8,
        #[serde(default)]
        y: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }
    #[derive(Deserialize, Clone, Debug, PartialEq)]
    struct Limits(BTreeMap<String, u8>);
    #[derive(Deserialize, Clone, Debug, PartialEq)]
    #[serde(transparent)]
    struct Clear {
        entries: BTreeMap<String, u8>,
    }
    #[derive(Deserialize, Clone, Debug, PartialEq)]
    #[serde(from = "BTreeMap<String, u8>")]
    struct Made(BTreeMap<String, u8>);
    impl From<BTreeMap<String, u8>> for Made {
        fn from(map: BTreeMap<String, u8>) -> Self {
            Made(map)
        }
    }
    #[derive(Flux)]
    struct App {
        inner: Inner,
        perhaps: Option<Inner>,
        limits: Limits,
        clear: Option<Clear>,
        made: Made,
        own: BTreeMap<String, u8>,
        #[flux(merge = lay_over)]
        laid: Limits,
    }
    fn lay_over(below: &mut Limits, top: &Limits) {
        below.0.extend(top.0.clone());
    }
    let document = r#"{"inner": {"x": 3, "y": 4, "q": 1}, "perhaps": {"x": 3, "y": 4}, "limits": {"a": 1}, "clear": {"a": 1}, "made": {"a": 1},
        "own": {"a": 1}, "laid": {"a": 1}}"#;
    let names = [
        "APP_INNER_X",
        "APP_PERHAPS_Y",
        "APP_LIMITS_B",
        "APP_CLEAR_B",
        "APP_MADE_B",
        "APP_OWN_B",
        "APP_LAID_B",
    ];
    let (sender, channel) = Channel::buffered("document", 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    runtime.block_on(sender.send(document.as_bytes())).unwrap();
    let capacitor = Capacitor::<App>::builder()
        .manual()
        .source(Source::watcher(channel).format(Format::Json))
        .source(Source::env("APP_").variables(names.map(|name| (name, "9"))))
        .build()
        .unwrap();
    runtime.block_on(capacitor.start()).unwrap();
    let app = capacitor.get();
    let inner = [Some(&app.inner), app.perhaps.as_ref()];
    let inner = inner.map(|inner| inner.map(|inner| (inner.x, inner.y)));
    assert_eq!(inner, [Some((3, 4)); 2]);
    assert_eq!(app.inner.rest["q"], 1);
    let below = BTreeMap::from([("a".to_owned(), 1)]);
    let clear = app.clear.as_ref().unwrap();
    for map in [&app.limits.0, &clear.entries, &app.made.0] {
        assert_eq!(*map, below);
    }
    let both = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 9)]);
    assert_eq!(app.own, both);
    assert_eq!(app.laid.0, both);
    let warnings = &capacitor.status().warnings;
    for name in &names[..5] {
        let told = warnings.iter().find(|one| one.to_string().contains(name));
        let told = told.unwrap_or_else(|| panic!("{name}: {warnings:?}"));
        assert!(
            told.message.contains("is read as a single value"),
            "{told:?}"
        );
    }
}
