//! The environment as a layer. `figment::Jail` isolates it, so these tests set real variables.

use flux::{Capacitor, Flux, Source, State};
use std::{collections::BTreeMap, process::Command, time::Duration};

#[derive(Flux, Debug)]
#[flux(override = "env:APP_")]
struct App {
    #[flux(default = 1)]
    port: u16,
    #[flux(default = "none")]
    region: String,
    #[flux(default)]
    weights: Vec<u32>,
    #[flux(default)]
    plugins: Vec<String>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default = "1s")]
    timeout: Duration,
    #[flux(default = false)]
    debug: bool,
    #[flux(nested)]
    pool: Pool,
    #[flux(nested)]
    tls: Option<Tls>,
    #[flux(env = "DATABASE_URL")]
    database: Option<String>,
    #[flux(secret)]
    password: Option<String>,
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(default = 10, range = 1..=100)]
    max_size: u32,
}

#[derive(Flux, Debug)]
struct Tls {
    cert: String,
}

/// What this test does in a process whose environment was set before it started.
const CHILD: &str = "FLUX_TEST_CHILD";

/// Starts the test `name` again with these variables; `check` sees what the child printed.
fn in_a_child(
    name: &str,
    variables: &[(&str, &str)],
    child: impl FnOnce() -> String,
) -> Option<String> {
    if std::env::var(CHILD).is_ok() {
        println!("<<<{}>>>", child());
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, rest) = printed
        .split_once("<<<")
        .unwrap_or_else(|| panic!("{printed}\n{}", String::from_utf8_lossy(&output.stderr)));
    Some(rest.split_once(">>>").unwrap().0.to_owned())
}

fn started() -> Result<Capacitor<App>, flux::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let capacitor = App::builder().build()?;
    runtime.block_on(capacitor.start())?;
    Ok(capacitor)
}

#[test]
fn names_are_computed_from_the_fields_and_values_read_by_the_targets_type() {
    let variables = [
        ("APP_PORT", " 9090"),
        ("APP_REGION", "0123"),
        ("APP_WEIGHTS", "[1, 2]"),
        ("APP_PLUGINS", "a,\"b,c\""),
        ("APP_LABELS", "{k=v,l=w}"),
        ("APP_TIMEOUT", "1m 5s"),
        ("APP_DEBUG", "true"),
        ("APP_POOL_MAX_SIZE", "7"),
        ("APP_TLS_CERT", "c"),
        ("DATABASE_URL", "postgres://db"),
        ("APP_UNKNOWN_VARIABLE", "is no error"),
    ];
    let name =
        "environment::names_are_computed_from_the_fields_and_values_read_by_the_targets_type";
    if let Some(printed) = in_a_child(name, &variables, || {
        format!("{:?}", &*started().unwrap().get())
    }) {
        assert_eq!(
            printed,
            "App { port: 9090, region: \"0123\", weights: [1, 2], plugins: [\"a\", \"b,c\"], labels: {\"k\": \"v\", \"l\": \"w\"}, timeout: 65s, debug: true, pool: Pool { max_size: 7 }, tls: Some(Tls { cert: \"c\" }), database: Some(\"postgres://db\"), password: None }"
        );
    }
}

#[test]
fn an_empty_variable_says_nothing_and_empty_brackets_clear_a_list() {
    let name = "environment::an_empty_variable_says_nothing_and_empty_brackets_clear_a_list";
    let variables = [("APP_PORT", ""), ("APP_REGION", ""), ("APP_WEIGHTS", "[]")];
    if let Some(printed) = in_a_child(name, &variables, || {
        let app = started().unwrap().get();
        format!("{} {} {:?}", app.port, app.region, app.weights)
    }) {
        assert_eq!(printed, "1 none []");
    }
}

#[test]
fn every_wrong_variable_is_named_and_secrets_are_not_shown() {
    let name = "environment::every_wrong_variable_is_named_and_secrets_are_not_shown";
    let variables = [
        ("APP_PORT", "99999"),
        ("APP_WEIGHTS", "1,x"),
        ("APP_TIMEOUT", "soon"),
        ("APP_DEBUG", "perhaps"),
        ("APP_PASSWORD", "hunter2"),
    ];
    if let Some(printed) = in_a_child(name, &variables, || {
        started().expect_err("wrong").to_string()
    }) {
        for part in [
            "APP_PORT",
            "APP_WEIGHTS",
            "weights[1]",
            "APP_TIMEOUT",
            "APP_DEBUG",
        ] {
            assert!(printed.contains(part), "`{part}` is not in\n{printed}");
        }
        assert!(!printed.contains("hunter2"));
    }
}

#[test]
fn a_broken_rule_names_the_variable_that_broke_it() {
    let name = "environment::a_broken_rule_names_the_variable_that_broke_it";
    if let Some(printed) = in_a_child(name, &[("APP_POOL_MAX_SIZE", "500")], || {
        started().expect_err("a rule").to_string()
    }) {
        assert!(
            printed.contains("pool.max_size: must be in 1..=100, found 500"),
            "{printed}"
        );
        assert!(
            printed.contains("environment variable APP_POOL_MAX_SIZE"),
            "{printed}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let name = "environment::a_variable_that_is_not_unicode_is_named";
    if std::env::var(CHILD).is_ok() {
        println!("<<<{}>>>", started().expect_err("not Unicode"));
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .env("APP_REGION", std::ffi::OsStr::from_bytes(b"\xff"))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        printed.contains("region: is not valid Unicode") && printed.contains("APP_REGION"),
        "{printed}"
    );
}

#[test]
fn two_fields_with_one_variable_are_refused_at_start() {
    #[derive(Flux)]
    #[flux(override = "env:APP_")]
    struct Colliding {
        #[flux(default = 1)]
        pool_max_size: u32,
        #[flux(nested)]
        pool: Pool,
    }
    let error = Colliding::builder()
        .build()
        .expect_err("a collision")
        .to_string();
    assert!(
        error.contains("POOL_MAX_SIZE")
            && error.contains("`pool_max_size`")
            && error.contains("`pool.max_size`"),
        "{error}"
    );
}

#[test]
fn a_whole_uri_may_come_from_the_environment() {
    let name = "environment::a_whole_uri_may_come_from_the_environment";
    #[derive(Flux)]
    #[flux(source = "${FLUX_TEST_SOURCE}")]
    struct Somewhere {
        n: u32,
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.toml");
    std::fs::write(&path, "n = 5").unwrap();
    let uri = format!("file:{}", path.display());
    if let Some(printed) = in_a_child(name, &[("FLUX_TEST_SOURCE", &uri)], || {
        Somewhere::start_blocking().unwrap();
        Somewhere::get().n.to_string()
    }) {
        assert_eq!(printed, "5");
    }
    if std::env::var(CHILD).is_err() {
        let error = Somewhere::builder().build().expect_err("unset").to_string();
        assert!(error.contains("FLUX_TEST_SOURCE is not set"), "{error}");
    }
}

#[tokio::test]
async fn a_program_with_only_the_environment_stays_healthy() {
    let capacitor = Capacitor::<Pool>::builder()
        .source(Source::env("FLUX_NOTHING_IS_SET_"))
        .build()
        .unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(
        (capacitor.state(), capacitor.get().max_size),
        (State::Healthy, 10)
    );
    assert!(capacitor.status().running);
}

#[test]
fn an_exact_name_that_equals_a_computed_one_is_refused_under_the_prefix_where_it_does() {
    #[derive(Flux)]
    struct Exact {
        #[flux(nested)]
        pool: Pool,
        #[flux(env = "APP_POOL_MAX_SIZE", default = 1)]
        limit: u32,
    }
    let build = |prefix: &str| {
        let source = Source::env(prefix.to_owned());
        Capacitor::<Exact>::builder().override_with(source).build()
    };
    let error = build("APP_").expect_err("a collision").to_string();
    for part in ["APP_POOL_MAX_SIZE", "`pool.max_size`", "`limit`"] {
        assert!(error.contains(part), "`{part}` is not in\n{error}");
    }
    assert!(build("OTHER_").is_ok());
    assert!(build("").is_ok());
    let document = Source::file("never-there.yaml").optional();
    assert!(
        Capacitor::<Exact>::builder()
            .source(document)
            .build()
            .is_ok()
    );
}

#[derive(Flux, Debug)]
#[flux(override = "env:APP_", validate = quoting)]
struct Secretive {
    #[flux(secret)]
    password: Option<String>,
    #[flux(secret)]
    pin: Option<u32>,
    #[flux(secret)]
    ports: Option<Vec<u16>>,
    #[flux(nested, default)]
    vaults: BTreeMap<String, Vault>,
    #[flux(nested, default)]
    list: Vec<Vault>,
    #[flux(default)]
    labels: BTreeMap<String, u32>,
}

#[derive(Flux, Debug)]
struct Vault {
    #[flux(secret)]
    key: u32,
}

fn quoting(app: &Secretive) -> Result<(), String> {
    match &app.password {
        Some(password) => Err(format!("`{password}` will not do")),
        None => Ok(()),
    }
}

#[test]
fn secrets_in_variables_are_not_told_whatever_is_wrong_with_them() {
    let name = "environment::secrets_in_variables_are_not_told_whatever_is_wrong_with_them";
    let secret = "hunter2-and-more";
    let within = |text: &str| text.replace('@', secret);
    for (variable, value) in [
        ("APP_PASSWORD", within("@")),
        ("APP_PIN", within("@")),
        ("APP_PORTS", within("1,@")),
        ("APP_VAULTS", within("{main={key=@}}")),
        ("APP_VAULTS", within("@")),
        ("APP_VAULTS", within("{main=@}")),
        ("APP_LIST", within("[{key=@}]")),
        ("APP_LIST", within("[@]")),
        ("APP_LABELS", within("{password=@}")),
    ] {
        let variables = [(variable, value.as_str())];
        let printed = in_a_child(name, &variables, || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            let capacitor = Secretive::builder().build().unwrap();
            let error = runtime.block_on(capacitor.start()).expect_err("wrong");
            let status = serde_json::to_string(&*capacitor.status()).unwrap();
            format!("{error} {error:?} {status}")
        });
        let Some(printed) = printed else { return };
        assert!(printed.contains("refused"), "{printed}");
        for piece in ["hunter", "nd-mor"] {
            assert!(!printed.contains(piece), "{variable}={value}\n{printed}");
        }
    }
}

#[test]
fn text_without_end_in_a_variable_exhausts_nothing() {
    #[derive(serde::Deserialize, Clone, PartialEq)]
    struct Rows(Vec<Rows>);
    #[derive(Flux)]
    #[flux(override = "env:APP_")]
    struct Recursive {
        #[flux(default = Rows(Vec::new()))]
        rows: Rows,
    }
    let name = "environment::text_without_end_in_a_variable_exhausts_nothing";
    let deep = "[".repeat(100_000);
    let printed = in_a_child(name, &[("APP_ROWS", &deep)], || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let capacitor = Recursive::builder().build().unwrap();
        let error = runtime.block_on(capacitor.start()).expect_err("too deep");
        error.to_string().chars().take(500).collect()
    });
    if let Some(printed) = printed {
        assert!(
            printed.contains("rows: cannot be read as a list")
                && printed.contains("more than 32 deep"),
            "{printed}"
        );
    }
}
