//! Variables that name files with the values of others: `APP_PASSWORD_FILE`.

use crate::kit::Ear;
use flux::{
    Builder, Capacitor, Error, Flux, Source, Unknown, inspect::Inputs, report::ProblemKind,
};
use std::{collections::BTreeMap, fs, time::Duration};

#[derive(Flux, Debug)]
struct App {
    #[flux(default, secret)]
    password: String,
    #[flux(default = 1)]
    port: u16,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default, env = "DATABASE_URL")]
    database: String,
    #[flux(nested)]
    pool: Pool,
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(default = 10)]
    max_size: u32,
}

fn with(prefix: &str, variables: &[(&str, &str)]) -> Builder<App> {
    let source = Source::env(prefix).variables(variables.iter().map(|(n, v)| (*n, *v)));
    Capacitor::<App>::builder().override_with(source)
}

fn refusal(variables: &[(&str, &str)]) -> String {
    match with("APP_?files=true", variables).load() {
        Err(Error::Refused(report)) => report.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A folder with a file that contains `text`, and where that is.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("value");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn a_file_has_the_value_of_its_variable() {
    let (_a, password) = file("hunter2 \r\n");
    let (_b, size) = file("20\n");
    let (_c, labels) = file("team=core,x=y");
    let (_d, database) = file("postgres://db");
    let variables = [
        ("APP_PASSWORD_FILE", &*password),
        ("APP_POOL_MAX_SIZE_FILE", &*size),
        ("APP_LABELS_FILE", &*labels),
        ("DATABASE_URL_FILE", &*database),
        ("APP_PORT", "80"),
        ("APP_PORT_FILE", ""),
    ];
    let app = with("APP_?files=true", &variables).load().unwrap();
    assert_eq!((app.password.as_str(), app.pool.max_size), ("hunter2 ", 20));
    assert_eq!(
        (app.labels["team"].as_str(), app.labels["x"].as_str()),
        ("core", "y")
    );
    assert_eq!((app.database.as_str(), app.port), ("postgres://db", 80));
}

#[test]
fn without_the_option_it_is_not_read_and_warned_of_unless_the_value_is_set() {
    let (_folder, path) = file("hunter2");
    for prefix in ["APP_", "APP_?files=false"] {
        for name in ["APP_PASSWORD_FILE", "DATABASE_URL_FILE"] {
            let builder = || with(prefix, &[(name, &path)]).unknown(Unknown::Deny);
            let app = builder().load().unwrap();
            assert_eq!((&*app.password, &*app.database), ("", ""));
            let checked = builder().check(Inputs::new()).unwrap();
            let [warning] = &checked.warnings[..] else {
                panic!("{name}: {:?}", checked.warnings);
            };
            assert!(warning.message.contains("files=true"), "{warning}");
            assert!(!warning.to_string().contains(&path), "{warning}");
        }
        let both = [("APP_PASSWORD_FILE", &*path), ("APP_PASSWORD", "hunter2")];
        let checked = with(prefix, &both).check(Inputs::new()).unwrap();
        assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
    }
    // An entry of a map, which is read.
    let app = with("APP_", &[("APP_LABELS_FILE", &path)]);
    let checked = app.check(Inputs::new()).unwrap();
    assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
}

#[test]
fn both_are_refused() {
    let (_folder, path) = file("80");
    let refused = refusal(&[("APP_PORT", "80"), ("APP_PORT_FILE", &path)]);
    let sentence = "port: APP_PORT and APP_PORT_FILE are both set; unset one of them";
    assert!(refused.contains(sentence), "{refused}");
    assert!(
        refused.contains("--> environment variable APP_PORT_FILE"),
        "{refused}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_its_path() {
    let (folder, path) = file("");
    let folder = folder.path().to_str().unwrap();
    for (path, why) in [
        (format!("{folder}/none"), "which cannot be read: "),
        (folder.to_owned(), "which is no file"),
        (path, "which is empty"),
    ] {
        let refused = refusal(&[("APP_PORT_FILE", &path)]);
        let sentence = format!("port: APP_PORT_FILE names `{path}`, {why}");
        assert!(refused.contains(&sentence), "{refused}");
        let refused = refusal(&[("APP_PASSWORD_FILE", &path)]);
        let sentence = format!("password: APP_PASSWORD_FILE names `{path}`, {why}");
        assert!(refused.contains(&sentence), "{refused}");
    }
    let (_folder, large) = file(&"1".repeat((1 << 20) + 1));
    assert!(refusal(&[("APP_PORT_FILE", &large)]).contains("more than 1 MiB"));
    let (_folder, bytes) = file("");
    fs::write(&bytes, [0xff, 0xfe]).unwrap();
    assert!(refusal(&[("APP_PORT_FILE", &bytes)]).contains("UTF-8"));
    let (_folder, empty) = file("\n");
    let variables = [("APP_PASSWORD_FILE", &*empty)];
    assert!(
        with("APP_?files=true&empty=value", &variables)
            .load()
            .is_ok()
    );
}

#[test]
fn a_wrong_value_is_reported_with_the_variable_of_the_file() {
    let (_folder, path) = file("many");
    let refused = refusal(&[("APP_PORT_FILE", &path)]);
    assert!(
        refused.contains("environment variable APP_PORT_FILE"),
        "{refused}"
    );
    let (_folder, path) = file("81");
    let checked = with("APP_?files=true", &[("APP_PORT_FILE", &path)]);
    let checked = checked.check(Inputs::new()).unwrap();
    let port = checked.explain("port").unwrap();
    assert_eq!(port.settings[0].variable.as_deref(), Some("APP_PORT_FILE"));
    assert_eq!(port.variables, ["APP_PORT", "APP_PORT_FILE"]);
}

#[test]
fn a_secret_is_not_shown_also_where_it_stands_in_the_place_of_a_path() {
    let (_folder, path) = file("hunter2hunter2");
    let shown = |variables: &[(&str, &str)]| match with("APP_?files=true", variables)
        .check(Inputs::new())
    {
        Ok(checked) => format!("{checked}{:?}", checked.explain_all()),
        Err(error) => format!("{error} {error:?}"),
    };
    let good = shown(&[("APP_PASSWORD_FILE", &path)]);
    assert!(!good.contains("hunter2"), "{good}");
    let wrong = shown(&[("APP_PASSWORD_FILE", &path), ("APP_PORT", "x")]);
    assert!(!wrong.contains("hunter2"), "{wrong}");
    for secret in ["hunter2hunter2", "/hunter2/hunter2"] {
        let refused = shown(&[("APP_PASSWORD_FILE", secret)]);
        assert!(
            refused.contains("APP_PASSWORD_FILE names a path, which"),
            "{refused}"
        );
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn a_slip_in_the_name_of_a_file_is_warned_of() {
    let (_folder, path) = file("hunter2");
    for name in [
        "APP_PASWORD_FILE",
        "APP_PASSWORD__FILE",
        "APP_PASSWORD_FIL",
        "APP_PASSWORD_FIEL",
        "APP_PASSWORD_FILES",
        "APP_PASSWORDFILE",
        "app_password_file",
    ] {
        let builder = with("APP_?files=true", &[(name, &path)]);
        let checked = builder.check(Inputs::new()).unwrap();
        let [warning] = &checked.warnings[..] else {
            panic!("{name}: {:?}", checked.warnings);
        };
        assert_eq!(warning.kind, ProblemKind::UnknownKey);
        assert!(
            warning
                .message
                .contains("did you mean `APP_PASSWORD_FILE`?"),
            "{warning}"
        );
    }
}

#[test]
fn a_name_that_is_a_file_and_a_value_is_refused_before_the_start() {
    #[derive(Flux)]
    struct Both {
        #[flux(default)]
        password: String,
        #[flux(default)]
        password_file: String,
    }
    let builder = |prefix: &str| Capacitor::<Both>::builder().override_with(Source::env(prefix));
    assert!(builder("APP_").build().is_ok());
    let refused = builder("APP_?files=true").build().unwrap_err().to_string();
    let sentence =
        "APP_PASSWORD_FILE would be the file of `password` and the value of `password_file`";
    assert!(refused.contains(sentence), "{refused}");
}

#[tokio::test]
async fn explain_and_plan_name_the_file_of_a_value_and_that_a_restart_reads_another_one() {
    let (_a, password) = file("hunter2hunter2");
    let (_b, size) = file("20");
    let variables = [
        ("APP_PASSWORD_FILE", &*password),
        ("APP_POOL_MAX_SIZE_FILE", &*size),
    ];
    let capacitor = with("APP_?files=true", &variables).build().unwrap();
    capacitor.start().await.unwrap();
    let about = |path: &str| {
        let one = capacitor.explain(path).unwrap();
        let all = capacitor.explain_all().unwrap();
        let same = all.iter().find(|one| one.path.as_str() == path).unwrap();
        assert_eq!(one.to_string(), same.to_string());
        one.to_string()
    };
    let planned = || capacitor.plan(&Inputs::new()).unwrap().to_string();
    let read = format!("APP_PASSWORD_FILE names `{password}`, which was read at 2");
    let now = about("password");
    assert!(now.contains(&read) && now.ends_with(" UTC"), "{now}");
    assert!(!about("port").contains("_FILE names"));
    assert_eq!(planned(), "nothing would change");
    // The same value, written anew.
    fs::write(&password, "hunter2hunter2\n").unwrap();
    assert_eq!((about("password"), planned().lines().count()), (now, 1));

    fs::write(&password, "changed2changed2").unwrap();
    let words = "it contains another value now, which a restart of the program reads, and a reload does not";
    for text in [about("password"), planned()] {
        assert!(text.contains(words) && text.contains(&password), "{text}");
        assert!(
            !text.contains("hunter2") && !text.contains("changed2"),
            "{text}"
        );
    }
    assert!(!about("pool.max_size").contains(words));
    let (ear, _guard) = Ear::listen();
    capacitor.reload().await.unwrap();
    assert_eq!(capacitor.get().password, "hunter2hunter2");
    assert!(planned().contains(words));
    // Whoever reloads believes that it was read.
    let mut warned = ear.text();
    for _ in 0..6_000 {
        if warned.contains(words) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        warned += &ear.text();
    }
    assert!(warned.contains(words), "{warned}");
    assert!(warned.contains("flux.capacitor.warning"), "{warned}");
    assert!(!warned.contains("changed2"), "{warned}");

    fs::write(&password, "").unwrap();
    assert!(about("password").contains("it is empty now"));
    fs::remove_file(&password).unwrap();
    let text = planned();
    let words = "now it cannot be read: ";
    assert!(
        text.contains(words) && text.contains("a restart would be refused"),
        "{text}"
    );
    capacitor.stop().await;
}

#[tokio::test]
async fn explain_says_that_a_variable_is_set_and_empty() {
    let variables = [("APP_PORT", ""), ("APP_POOL_MAX_SIZE", "20")];
    let capacitor = with("APP_", &variables).build().unwrap();
    capacitor.start().await.unwrap();
    let all = capacitor.explain_all().unwrap();
    let of_all = |path: &str| all.iter().find(|one| one.path.as_str() == path).unwrap();
    for (path, is_empty) in [("port", true), ("pool.max_size", false)] {
        let one = capacitor.explain(path).unwrap().to_string();
        let words = "note: APP_PORT is set and empty, which counts as not set";
        assert_eq!(one.contains(words), is_empty, "{one}");
        assert_eq!(one, of_all(path).to_string());
    }
    capacitor.stop().await;
}
