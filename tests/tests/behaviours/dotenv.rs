//! Files of variables as layers: `.env`.

use flux::{
    Builder, Capacitor, Error, Flux, Report, Source, State, Unknown,
    inspect::{CheckError, Inputs},
    report::ProblemKind,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::Path};

#[derive(Flux, Debug)]
struct App {
    #[flux(default = 1, range = 1..=60_000)]
    port: u16,
    #[flux(default)]
    name: String,
    #[flux(default)]
    labels: BTreeMap<String, String>,
    #[flux(default)]
    weights: Vec<u32>,
    #[flux(default, nested)]
    hosts: Vec<Host>,
    #[flux(nested)]
    pool: Pool,
}

#[derive(Flux, Debug)]
struct Host {
    address: String,
    #[flux(default = 1)]
    weight: u32,
}

#[derive(Flux, Debug)]
struct Pool {
    #[flux(default = 10)]
    max_size: u32,
}

/// A folder with a `.env` that contains `text`, and where that is.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn below<const N: usize>(path: &str, variables: [(&'static str, &'static str); N]) -> Builder<App> {
    Capacitor::<App>::builder()
        .source(Source::dotenv(path))
        .override_with(Source::env("APP_").variables(variables))
}

fn report(builder: Builder<App>) -> Report {
    match builder.load() {
        Err(Error::Refused(report)) => report,
        other => panic!("{other:?}"),
    }
}

/// What a report prints, with `.env` for the file.
fn printed(report: &Report, path: &str) -> String {
    report.to_string().replace(path, ".env")
}

#[test]
fn a_dotenv_file_is_below_the_environment() {
    let (_folder, path) = file("APP_PORT=80\nAPP_NAME=file\nPORT=7\n");
    let app = below(&path, [("APP_NAME", "process")]).load().unwrap();
    assert_eq!((app.port, app.name.as_str()), (80, "process"));
}

#[test]
fn it_takes_prefix_and_separator_of_the_environment_unless_it_has_its_own() {
    let (_folder, path) = file("APP_POOL__MAX_SIZE=20\nDB_POOL__MAX_SIZE=30\nPOOL_MAX_SIZE=40\n");
    let max_size = |dotenv: &str, env: &str| {
        let layers = Capacitor::<App>::builder().source(Source::dotenv(dotenv));
        let none: [(&str, &str); 0] = [];
        let layers = match env {
            "" => layers,
            env => layers.override_with(Source::env(env).variables(none)),
        };
        layers.load().map(|app| app.pool.max_size)
    };
    assert_eq!(max_size(&path, "APP_?separator=__").unwrap(), 20);
    assert_eq!(
        max_size(&format!("{path}?prefix=DB_"), "APP_?separator=__").unwrap(),
        30
    );
    assert_eq!(max_size(&format!("{path}?prefix="), "APP_").unwrap(), 40);
    assert_eq!(max_size(&path, "").unwrap(), 40);
    assert_eq!(
        max_size(&format!("{path}?prefix=APP_&separator=__"), "").unwrap(),
        20
    );
}

#[test]
fn a_prefix_that_is_not_clear_is_asked_for() {
    let (_folder, path) = file("APP_PORT=80\n");
    let builder = Capacitor::<App>::builder()
        .source(Source::dotenv(&*path))
        .override_with(Source::env("APP_"))
        .override_with(Source::env("DB_"));
    let refused = builder.load().unwrap_err().to_string();
    assert!(
        refused.contains("read with `APP_` and with `DB_`"),
        "{refused}"
    );
    let refused = Capacitor::<App>::builder().source(Source::uri("dotenv:.env?prefiks=A_"));
    let refused = refused.load().unwrap_err().to_string();
    assert!(refused.contains("did you mean `prefix`?"), "{refused}");
    let source = Source::dotenv(path).format(flux::Format::Yaml);
    let refused = Capacitor::<App>::builder().source(source).load();
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("has one form"), "{refused}");
}

#[test]
fn the_uri_may_come_from_a_variable() {
    let (_folder, path) = file("PORT=80\n");
    let uri = format!("dotenv:{path}");
    let source = Source::uri("${CONFIG}").variables([("CONFIG", uri)]);
    let app = Capacitor::<App>::builder().source(source).load().unwrap();
    assert_eq!(app.port, 80);
}

#[test]
fn it_is_read_as_the_environment_is() {
    let text = "# of the team\n\
        export APP_PORT = '81' # quoted\n\
        APP_NAME=\"two\nlines\"\n\
        APP_LABELS_TEAM=core\n\
        APP_WEIGHTS=1,2\n\
        APP_HOSTS_0_ADDRESS=a\n\
        APP_HOSTS_1={address=b,weight=3}\n\
        APP_POOL_MAX_SIZE=\n";
    let (_folder, path) = file(text);
    let app = below(&path, []).load().unwrap();
    assert_eq!((app.port, app.name.as_str()), (81, "two\nlines"));
    assert_eq!(app.labels["team"], "core");
    assert_eq!(app.weights, [1, 2]);
    let hosts: Vec<_> = app
        .hosts
        .iter()
        .map(|one| (&*one.address, one.weight))
        .collect();
    assert_eq!(hosts, [("a", 1), ("b", 3)]);
    assert_eq!(app.pool.max_size, 10);
}

#[test]
fn what_a_line_means_is_in_the_guide() {
    let page = include_str!("../../../flux/src/docs/sources/dotenv.md");
    let (_, table) = page.split_once("| line | value |\n|---|---|\n").unwrap();
    let rows: Vec<_> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .collect();
    for row in &rows {
        let (line, value) = row.trim_matches('|').split_once('|').unwrap();
        let [line, value] = [line, value].map(|cell| cell.trim().trim_matches('`'));
        let (_folder, path) = file(line);
        match (below(&path, []).load(), value) {
            (Err(Error::Refused(_)), "refused") => {}
            (Ok(app), "not set") => assert_eq!(app.name, "", "{line}"),
            (Ok(app), value) => assert_eq!(format!("{:?}", app.name), value, "{line}"),
            (Err(error), _) => panic!("{line}: {error}"),
        }
    }
    assert_eq!(rows.len(), 11);
}

#[tokio::test]
async fn a_change_of_it_is_applied_and_a_bad_one_is_not() {
    let (_folder, path) = file("APP_PORT=80\n");
    let capacitor = below(&path, []).build().unwrap();
    capacitor.start().await.unwrap();
    fs::write(&path, "APP_PORT=81\n").unwrap();
    crate::until("81", || capacitor.get().port == 81).await;
    fs::write(&path, "APP_PORT=none\n").unwrap();
    crate::until("a refusal", || capacitor.state() == State::Degraded).await;
    assert_eq!(capacitor.get().port, 81);
    fs::write(&path, "# APP_PORT=80\nAPP_PORT=82\n").unwrap();
    crate::until("82", || capacitor.get().port == 82).await;
    assert_eq!(&*capacitor.status().layers[0].origin, path);
    capacitor.stop().await;
}

#[tokio::test]
async fn a_rollback_goes_back_to_what_the_file_contained() {
    let (_folder, path) = file("APP_PORT=80\n");
    let capacitor = below(&path, []).build().unwrap();
    capacitor.start().await.unwrap();
    fs::write(&path, "APP_PORT=81\n").unwrap();
    crate::until("81", || capacitor.get().port == 81).await;
    capacitor.rollback(1).await.unwrap();
    assert_eq!(capacitor.get().port, 80);
    capacitor.stop().await;
}

#[test]
fn what_is_absent_or_empty_is_refused_unless_it_is_optional() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    let path = path.to_str().unwrap();
    let optional = || {
        let builder = Capacitor::<App>::builder();
        builder.source(Source::dotenv(path).optional()).load()
    };
    assert!(below(path, []).load().is_err());
    assert_eq!(optional().unwrap().port, 1);
    fs::write(path, "\n# nothing\n").unwrap();
    let refused = below(path, []).load().unwrap_err().to_string();
    assert!(
        refused.contains("is empty, and this layer is required"),
        "{refused}"
    );
    assert_eq!(optional().unwrap().port, 1);
}

#[test]
fn every_problem_is_reported_with_its_line() {
    let text = "APP_PORT=many\n\n# it is\nexport APP_POOL_MAX_SIZE='big'\nAPP_WEIGHTS=1,x\n";
    let (_folder, path) = file(text);
    let report = report(below(&path, []));
    let lines: Vec<_> = report.problems().iter().map(|one| one.line).collect();
    assert_eq!(lines, [Some(1), Some(4), Some(5)], "{report}");
    let printed = printed(&report, &path);
    assert!(printed.contains("--> .env:4:1\n"), "{printed}");
    assert!(
        printed.contains("4 | export APP_POOL_MAX_SIZE='big'"),
        "{printed}"
    );
}

#[test]
fn a_broken_rule_is_reported_with_its_line() {
    let (_folder, path) = file("\nAPP_PORT=60001\n");
    let report = report(below(&path, []));
    let printed = printed(&report, &path);
    assert!(printed.contains("--> .env:2:1\n"), "{printed}");
    assert!(printed.contains("2 | APP_PORT=60001"), "{printed}");
}

#[test]
fn a_line_that_is_no_assignment_is_reported_by_its_number_alone() {
    let text = "APP_PORT=80\nhunter2 hunter3\nAPP_NAME=x\nAPP_NAME=\"hunter4\n";
    let (_folder, path) = file(text);
    let report = report(below(&path, []));
    let lines: Vec<_> = report
        .problems()
        .iter()
        .map(|one| (one.line, one.kind))
        .collect();
    let both = [2, 4].map(|line| (Some(line), ProblemKind::Syntax));
    assert_eq!(lines, both, "{report}");
    assert!(!report.to_string().contains("hunter"), "{report}");
    assert!(
        report.problems()[0].message.contains("write NAME=value"),
        "{report}"
    );
}

#[test]
fn a_name_that_is_set_twice_is_refused() {
    let (_folder, path) = file("APP_PORT=80\n\nAPP_PORT=81\nOTHER=1\nOTHER=2\n");
    let report = report(below(&path, []));
    let problem = &report.problems()[0];
    assert_eq!(
        (report.problems().len(), problem.line),
        (1, Some(3)),
        "{report}"
    );
    assert_eq!(
        problem.message,
        "APP_PORT is set in line 1 already; remove one"
    );
}

#[test]
fn a_slip_is_reported_with_its_line() {
    let (_folder, path) = file("APP_PORT=80\nAPP_NMAE=x\nOTHERS=1\n");
    let check = |unknown| below(&path, []).unknown(unknown).check(Inputs::new());
    let checked = check(Unknown::Warn).unwrap();
    let [warning] = checked.warnings.as_slice() else {
        panic!("{checked}");
    };
    assert_eq!(
        (warning.line, warning.kind),
        (Some(2), ProblemKind::UnknownKey)
    );
    assert_eq!(
        warning.message,
        "APP_NMAE is not read, did you mean `APP_NAME`?"
    );
    assert!(matches!(check(Unknown::Deny), Err(CheckError::Refused(_))));
    assert!(check(Unknown::Ignore).unwrap().warnings.is_empty());
}

#[test]
fn a_file_of_which_nothing_is_read_is_warned_of() {
    let (_folder, path) = file("PORT=80\n");
    for unknown in [Unknown::Warn, Unknown::Deny] {
        let checked = below(&path, [])
            .unknown(unknown)
            .check(Inputs::new())
            .unwrap();
        let [warning] = checked.warnings.as_slice() else {
            panic!("{checked}");
        };
        assert!(
            warning.message.contains("the names begin with `APP_`"),
            "{warning}"
        );
    }
}

#[test]
fn a_check_reads_it_and_takes_another_text_for_it() {
    let (_folder, path) = file("APP_PORT=80\n");
    let check = |inputs: Inputs| below(&path, []).check(inputs);
    let port = |inputs: Inputs| check(inputs).unwrap().explain("port").unwrap().to_string();
    let read = port(Inputs::new()).replace(&path, ".env");
    assert!(read.starts_with("port = 80\n  --> .env:1:1\n"), "{read}");
    let given = port(Inputs::new().layer(&path, "APP_NAME=x\nAPP_PORT=90\n"));
    let given = given.replace(&path, ".env");
    assert!(given.starts_with("port = 90\n  --> .env:2:1\n"), "{given}");
    let refused = check(Inputs::new().layer(&path, "APP_PORT=x\n"));
    assert!(matches!(refused, Err(CheckError::Refused(_))));
}

#[test]
fn an_explanation_names_the_line_of_each_value() {
    let text = "APP_POOL_MAX_SIZE=7\nAPP_HOSTS_0_ADDRESS=a\nAPP_HOSTS_1={address=b,weight=2}\n\
        APP_LABELS_TEAM=core\n";
    let (_folder, path) = file(text);
    let checked = below(&path, []).check(Inputs::new()).unwrap();
    for (setting, line) in [
        ("pool.max_size", 1),
        ("hosts[0].address", 2),
        ("hosts[1].weight", 3),
        ("labels.team", 4),
    ] {
        let explained = checked.explain(setting).unwrap();
        let found: Vec<_> = explained.settings.iter().map(|one| one.line).collect();
        assert_eq!(found, [Some(line)], "{explained}");
    }
}

#[tokio::test]
async fn the_testing_kit_feeds_it() {
    #[derive(Flux)]
    #[flux(source = "dotenv:.env", override = "env:APP_")]
    struct Declared {
        port: u16,
    }
    let harness = flux::testing::harness::<Declared>().document(".env", "APP_PORT=80\n");
    let bench = harness.start().await;
    assert_eq!(bench.get().port, 80);
    bench.set(".env", "APP_PORT=81\n").await.unwrap();
    assert_eq!(bench.get().port, 81);
    let report = bench.set(".env", "APP_PORT=x\n").await.unwrap_err();
    assert_eq!(report.problems()[0].line, Some(1));
}

/// A text in double quotes, as `dotenvy` reads it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_text_means_the_same_in_a_file_and_in_the_environment(
        text in prop_oneof!["[a-z0-9=,{}\\[\\]'\"\\\\ #$\n:.]{0,20}", "[^\0]{0,20}", "[0-9]{1,6}", "\\{[a-c]=[0-9]{1,3}(,[a-d]=x)?\\}"],
        name in prop::sample::select(vec![
            "APP_PORT", "APP_NAME", "APP_LABELS", "APP_LABELS_A", "APP_LABELS_b", "APP_WEIGHTS", "APP_WEIGHTS_0",
            "APP_HOSTS", "APP_HOSTS_0", "APP_HOSTS_0_ADDRESS", "APP_HOSTS_1_WEIGHT", "APP_POOL_MAX_SIZE", "APP_POOL",
        ]),
        before in prop::bool::ANY,
    ) {
        let (_folder, path) = file(&format!("# first\n{name}={} # behind\n", quoted(&text)));
        let known = |variables: &[(&str, &str)]| match before {
            true => Source::env("APP_").variables(variables.iter().map(|(n, v)| (*n, *v))),
            false => Source::env("APP_?empty=value").variables(variables.iter().map(|(n, v)| (*n, *v))),
        };
        let of = |builder: Builder<App>| match builder.load() {
            Ok(app) => Ok(format!("{app:?}")),
            Err(Error::Refused(report)) => {
                let problems = report.problems().iter().filter(|one| !one.is_warning());
                Err(problems.map(|one| (one.path.to_string(), one.kind)).collect::<Vec<_>>())
            }
            Err(error) => panic!("{error}"),
        };
        let builder = Capacitor::<App>::builder;
        let in_file = of(builder().source(Source::dotenv(&*path)).override_with(known(&[])));
        let in_environment = of(builder().override_with(known(&[(name, &text)])));
        prop_assert_eq!(in_file, in_environment);
    }
}

mod secrets {
    use super::*;
    use flux::testing::{Recorder, Recording};

    #[derive(Flux)]
    struct Vault {
        #[flux(default = 1)]
        port: u16,
        #[flux(default, secret)]
        password: String,
        #[flux(default, secret)]
        pin: u32,
        #[flux(default, secret)]
        keys: BTreeMap<String, String>,
        #[flux(default, nested)]
        users: Vec<User>,
    }

    #[derive(Flux)]
    struct User {
        name: String,
        #[flux(default, secret)]
        token: String,
    }

    fn vault(path: &str) -> Builder<Vault> {
        Capacitor::<Vault>::builder()
            .source(Source::dotenv(path))
            .override_with(Source::env("APP_"))
    }

    /// Everything that is printed of a file, good or bad.
    fn outputs(path: &str) -> String {
        let mut all = match vault(path).load() {
            Ok(_) => String::new(),
            Err(error) => format!("{error} {error:?}"),
        };
        all += &match vault(path).check(Inputs::new()) {
            Ok(checked) => {
                let explained = checked.explain_all();
                let effective = checked.effective().print(flux::Format::Yaml);
                format!("{checked}{explained:?}{effective}")
            }
            Err(error) => format!("{error} {error:?}"),
        };
        all
    }

    #[test]
    fn a_secret_of_it_is_in_no_output() {
        for (text, must_contain) in [
            ("APP_PASSWORD=hunter2\nAPP_PORT=x\n", ":2:1"),
            ("APP_PASSWORD=\"hunter2\nhunter3\"\nAPP_PORT=x\n", ":3:1"),
            ("APP_PIN=hunter2\n", "APP_PIN"),
            (
                "APP_PASSWORD=hunter2\nAPP_PASSWORD=hunter3\n",
                "line 1 already",
            ),
            ("APP_PASSWORD='hunter2\n", ":1:1"),
            ("APP_PASSWORD=hunter2 hunter3\nAPP_PORT=x\n", ":1:1"),
            ("APP_PASWORD=hunter2\n", "did you mean `APP_PASSWORD`?"),
            ("APP_KEYS_A=hunter2\nAPP_PORT=x\n", ":2:1"),
            (
                "APP_KEYS={a=hunter2}\nAPP_KEYS_B=hunter3\nAPP_PORT=x\n",
                ":3:1",
            ),
            ("APP_PORT=0x # hunter2\nAPP_PASSWORD=hunter2\n", ":1:1"),
            (
                "APP_USERS_0_NAME=a\nAPP_USERS_0_TOKEN=hunter2\nAPP_PORT=x\n",
                ":3:1",
            ),
            ("APP_USERS_0={name=a,token=hunter2}\nAPP_PORT=x\n", ":2:1"),
            ("APP_PASSWORD=hunter2\n", ""),
        ] {
            let (_folder, path) = file(text);
            let all = outputs(&path);
            assert!(!all.contains("hunter"), "{text}: {all}");
            if must_contain != "APP_PIN" {
                assert!(all.contains(must_contain), "{text}: {all}");
            }
        }
    }

    #[tokio::test]
    async fn a_recording_has_no_secret_and_comes_to_the_same() {
        #[derive(Flux)]
        #[flux(source = "dotenv:.env", override = "env:APP_?files=true")]
        struct Declared {
            port: u16,
            #[flux(default, secret)]
            password: String,
            #[flux(default, secret)]
            pin: String,
            #[flux(default, nested)]
            users: Vec<User>,
        }
        let folder = tempfile::tempdir().unwrap();
        let pin = folder.path().join("pin");
        fs::write(&pin, "hunter9\n").unwrap();
        let recorder = Recorder::in_memory();
        let harness = flux::testing::harness::<Declared>()
            .with(|builder| builder.record(&recorder))
            .document(".env", "OTHER=hunter1\nAPP_PORT=80\nAPP_PASSWORD=hunter2\n")
            .variable("APP_PIN_FILE", pin.as_os_str());
        let bench = harness.start().await;
        for (text, is_good) in [
            ("APP_PORT=x\nAPP_PASSWORD=hunter2\n", false),
            ("APP_PORT=81\nAPP_PASSWORD='hunter3\nx", false),
            ("# APP_PORT=82\n", false),
            ("APP_PORT=82\nAPP_PASSWORD=hunter4\n", true),
            (
                "APP_PORT=83\nAPP_USERS_0_NAME=a\nAPP_USERS_0_TOKEN=hunter5\n",
                true,
            ),
            ("APP_PORT=84\nAPP_USERS_0={nmae=a}\n", false),
        ] {
            assert_eq!(bench.set(".env", text).await.is_ok(), is_good, "{text}");
        }
        let lines = recorder.lines();
        assert!(!lines.contains("hunter"), "{lines}");
        let recording: Recording = lines.parse().unwrap();
        let replay = recording.replay(Declared::builder()).await.unwrap();
        assert_eq!(replay.difference(), None, "{lines}");
        assert_eq!(replay.get().port, 83);
        assert_eq!(replay.get().users[0].name, "a");
    }

    #[tokio::test]
    async fn a_secret_is_not_kept_on_disk_and_the_rest_serves() {
        let text = "APP_PASSWORD=hunter2\nAPP_PORT=80\nAPP_KEYS_A=hunter3\n\
            APP_USERS_0_NAME=a\nAPP_USERS_0_TOKEN=hunter4\n";
        let (folder, path) = file(text);
        let kept = folder.path().join("kept.json");
        let builder =
            |path: &str| vault(path).last_known_good(kept.to_str().unwrap(), flux::Secrets::Omit);
        let capacitor = builder(&path).build().unwrap();
        capacitor.start().await.unwrap();
        crate::until("a file", || Path::new(&kept).exists()).await;
        capacitor.stop().await;
        let text = fs::read_to_string(&kept).unwrap();
        assert!(text.contains("80") && !text.contains("hunter"), "{text}");
        // It serves where the file cannot be read.
        fs::write(&path, "APP_PORT=x\n").unwrap();
        let capacitor = builder(&path).build().unwrap();
        let _ = capacitor.start().await;
        let served = capacitor.get();
        assert_eq!((served.port, served.users[0].name.as_str()), (80, "a"));
        assert_eq!(served.users[0].token, "");
        drop(served);
        capacitor.stop().await;
    }
}
