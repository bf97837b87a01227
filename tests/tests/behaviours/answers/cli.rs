//! The configuration at the command line: answers, verdicts, exit codes.

use clap::{Args as _, FromArgMatches as _};
use flux::{
    Flux, Root, Snapshot, cli,
    source::SourceError,
    testing::{Script, ScriptHandle},
};
use serde_json::Value;
use std::{path::Path, sync::Arc};

#[derive(Flux, Debug)]
#[flux(
    source = "file:/nowhere/app.yaml",
    override = "env:FLUX_TEST_CLI_",
    override = "args"
)]
struct App {
    /// Where it listens.
    #[flux(default = 80, range = 1..=9999, immutable)]
    port: u16,
    name: String,
    #[flux(secret, default = "changeit")]
    token: String,
}

/// The code, and what was printed to both streams.
pub(crate) fn run<C: Root>(words: &[&str]) -> (u8, String, String) {
    let parser = cli::Command::augment_args(clap::Command::new("config").no_binary_name(true));
    let matches = parser.try_get_matches_from(words).unwrap();
    let command = cli::Command::from_arg_matches(&matches).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = command.write::<C>(&mut out, &mut err).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(out), text(err))
}

/// A file `app.yaml` of this text, and its path.
fn file(folder: &Path, text: &str) -> String {
    let path = folder.join("app.yaml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_codes_are_0_for_good_1_for_refused_and_2_where_it_could_not_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "name: a\nport: 81\ntoken: hunter2");
    let (code, out, err) = run::<App>(&["check", &good]);
    assert_eq!((code, &*err), (0, ""));
    assert!(out.starts_with("configuration would be applied"), "{out}");
    let bad = file(folder.path(), "name: a\nport: 0\ntoken: hunter2");
    let (code, out, err) = run::<App>(&["check", &bad]);
    assert_eq!((code, &*out), (1, ""));
    assert!(err.contains("port: must be in 1..=9999"), "{err}");
    assert!(err.contains("--> /nowhere/app.yaml:2:7"), "{err}");
    assert!(!err.contains("hunter2"), "{err}");
    let by_name = format!("app.yaml={bad}");
    assert_eq!(run::<App>(&["check", "--layer", &by_name]).0, 1);
    let (code, _, err) = run::<App>(&["check", "--layer", "other=x.yaml"]);
    assert_eq!(code, 2);
    assert!(
        err.starts_with("error: no layer is called `other`; the layers are "),
        "{err}"
    );
    assert_eq!(run::<App>(&["check", "/nowhere/else/app.yaml"]).0, 2);
    // The file of the layer itself does not exist.
    assert_eq!(run::<App>(&["check"]).0, 1);
}

#[test]
fn every_format_has_the_place_in_the_file_that_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let bad = file(folder.path(), "port: 0\nname: [1]\n");
    let (code, out, _) = run::<App>(&["check", &bad, "--format", "github"]);
    assert_eq!(code, 1);
    let first = out.lines().next().unwrap();
    assert_eq!(
        first,
        format!("::error file={bad},line=1,col=7,title=rule::port: must be in 1..=9999, found 0")
    );
    assert_eq!(out.lines().count(), 2, "{out}");
    let (_, out, _) = run::<App>(&["--format", "sarif", "check", &bad]);
    let log: Value = serde_json::from_str(&out).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], format!("file://{bad}"));
    assert_eq!(place["region"]["startLine"], 1);
    let (_, out, _) = run::<App>(&["check", &bad, "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&json["verdict"], &json["report"]["problems"][0]["line"]),
        (&"refused".into(), &1.into())
    );
    let warned = file(folder.path(), "nmae: b\nname: a\n");
    let (code, out, _) = run::<App>(&["check", &warned, "--format", "github"]);
    assert_eq!(code, 0);
    assert!(
        out.starts_with(&format!(
            "::warning file={warned},line=1,col=7,title=unknown_key::nmae: "
        )),
        "{out}"
    );
    let (code, out, _) = run::<App>(&["check", "--layer", "x=y", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["verdict"]), (2, &"unknown".into()));
}

#[test]
fn settings_without_effect_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let given = file(folder.path(), "port: 80\nname: a\nnmae: b\n");
    let (code, out, _) = run::<App>(&["silent", "--file", &given]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        (code, lines[0]),
        (
            0,
            "`port` at /nowhere/app.yaml:1:7 has no effect: the default is the same value"
        )
    );
    assert!(
        lines[1].starts_with("`nmae` at ") && lines.len() == 2,
        "{out}"
    );
    let (_, out, _) = run::<App>(&["silent", "--file", &given, "--format", "json"]);
    let all: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(all[0]["why"], "repeats_default");
    let good = file(folder.path(), "port: 81\nname: a\n");
    let (code, out, _) = run::<App>(&["silent", "--file", &good]);
    assert_eq!((code, &*out), (0, "every setting has an effect\n"));
}

#[test]
fn without_a_running_process_nobody_knows_who_changed_a_value() {
    let (code, out, err) = run::<App>(&["blame", "port"]);
    assert_eq!((code, &*out), (2, ""));
    assert!(err.contains("the running process alone"), "{err}");
}

#[test]
fn a_format_in_which_a_command_has_no_answer_is_refused_with_those_that_there_are() {
    for (words, formats) in [
        (&["watch"][..], &["github", "sarif"][..]),
        (&["silent"], &["github", "sarif"]),
        (&["blame", "port"], &["github", "sarif"]),
        (&["show"], &["github", "sarif"]),
        (&["explain", "port"], &["github", "sarif"]),
        (&["trust"], &["github", "sarif"]),
        (&["schema"], &["github", "sarif"]),
        (&["template"], &["json", "github", "sarif"]),
        (&["reference"], &["json", "github", "sarif"]),
        (&["variables"], &["json", "github", "sarif"]),
        (&["completions", "bash"], &["json", "github", "sarif"]),
    ] {
        for format in formats {
            let parser = clap::Command::new("config").no_binary_name(true);
            let parser = cli::Command::augment_args(parser);
            let words = [words, &["--format", format]].concat();
            let matches = parser.try_get_matches_from(words).unwrap();
            let error = cli::Command::from_arg_matches(&matches).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains(&format!("no `--format {format}`")),
                "{error}"
            );
            assert!(error.to_string().contains("take `human`"), "{error}");
            assert_eq!(error.exit_code(), 2);
            // By the name of the running program, whatever the parser is called that it is mounted in.
            let program = std::env::current_exe().unwrap();
            let program = program.file_stem().unwrap().to_str().unwrap();
            let printed = error.format(&mut clap::Command::new("other")).to_string();
            let usage = format!("Usage: {program} config");
            assert!(printed.contains(&usage), "{printed}");
        }
    }
}

#[test]
fn what_is_to_come_is_annotated_and_refuses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let given = file(folder.path(), "port: 81\n");
    let check = |format| run::<App>(&["check", &given, "--only-given", "--format", format]);
    let (code, out, _) = check("github");
    let expected = "::notice title=missing::to come: name: is required";
    assert_eq!((code, out.lines().count()), (0, 1), "{out}");
    assert!(out.starts_with(expected), "{out}");
    let (code, out, _) = check("sarif");
    let log: Value = serde_json::from_str(&out).unwrap();
    let found = &log["runs"][0]["results"][0];
    assert_eq!((code, &found["level"]), (0, &"note".into()));
    let text = found["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("to come: name: "), "{text}");
}

#[test]
fn what_a_start_would_apply_is_shown_and_explained_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let given = file(folder.path(), "name: a\nport: 81\ntoken: hunter2");
    let (code, out, _) = run::<App>(&["show", "--file", &given, "--origins"]);
    assert_eq!(
        (code, &*out),
        (
            0,
            "port: 81  # /nowhere/app.yaml:2:7\nname: \"a\"  # /nowhere/app.yaml:1:7\ntoken: \"<secret>\"  # /nowhere/app.yaml:3:8\n"
        )
    );
    let (_, out, _) = run::<App>(&["show", "--file", &given, "--as", "toml"]);
    assert_eq!(out, "port = 81\nname = \"a\"\ntoken = \"<secret>\"\n");
    let (_, out, _) = run::<App>(&["show", "--file", &given, "--format", "json"]);
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["port"], 81);
    let (code, out, _) = run::<App>(&["explain", "port", "--file", &given]);
    assert_eq!(code, 0);
    assert!(
        out.starts_with("port = 81\n  --> /nowhere/app.yaml:2:7\n"),
        "{out}"
    );
    assert!(
        out.contains("= argument: --port") && out.contains("= variable: FLUX_TEST_CLI_PORT"),
        "{out}"
    );
    let (_, out, _) = run::<App>(&["explain", "--file", &given, "--format", "json"]);
    let all: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(all.len(), 3);
    assert!(!out.contains("hunter2"), "{out}");
    let (code, _, err) = run::<App>(&["explain", "prot", "--file", &given]);
    assert_eq!(
        (code, &*err),
        (2, "error: no field is at `prot`, did you mean `port`?\n")
    );
}

#[test]
fn texts_of_the_type_are_printed_with_the_programs_own_prefix() {
    let (code, out, _) = run::<App>(&["variables"]);
    assert_eq!(code, 0);
    assert!(out.contains("FLUX_TEST_CLI_NAME=\n"), "{out}");
    assert!(
        run::<App>(&["reference", "--prefix", "FLUX_TEST_CLI_"])
            .1
            .contains("`FLUX_TEST_CLI_PORT`")
    );
    assert!(
        run::<App>(&["template", "--as", "toml"])
            .1
            .contains("port = 80\n")
    );
    let schema: Value = serde_json::from_str(&run::<App>(&["schema"]).1).unwrap();
    assert_eq!(schema["required"][0], "name");
    let schema: Value = serde_json::from_str(&run::<App>(&["schema", "--of-layer"]).1).unwrap();
    assert!(schema.get("required").is_none());
}

/// Its file is beside this one.
#[derive(Flux, Debug)]
#[flux(
    source = "file:${CARGO_MANIFEST_DIR}/tests/behaviours/answers/cli.yaml",
    override = "args",
    on_apply = refuse
)]
struct Running {
    #[flux(default = 80, immutable)]
    port: u16,
    #[flux(default = 1)]
    size: u32,
}

async fn refuse(
    _: Option<Arc<Snapshot<Running>>>,
    _: Arc<Snapshot<Running>>,
) -> Result<(), String> {
    Err("a plan asks no party".to_owned())
}

#[test]
fn a_diff_is_offline_and_a_plan_reads_the_sources_and_asks_the_rules_on_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.yaml");
    std::fs::write(&path, "size: 3\nport: 82\n").unwrap();
    let new = path.to_str().unwrap();
    let (code, out, err) = run::<Running>(&["diff", new]);
    assert_eq!(code, 0, "{err}");
    let lines: Vec<_> = out
        .lines()
        .filter_map(|line| line.split_once(" ("))
        .collect();
    assert_eq!([lines[0].0, lines[1].0], ["port: 81 -> 82", "size: 2 -> 3"]);
    let (code, out, _) = run::<Running>(&["diff", new, "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["changes"][1]["new"]), (0, &3.into()));
    let (code, out, err) = run::<Running>(&["plan", new]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(
        out.contains("configuration would be refused: 1 problem"),
        "{out}"
    );
    let (_, out, _) = run::<Running>(&["plan", new, "--format", "github"]);
    assert!(
        out.starts_with(&format!(
            "::error file={new},line=2,col=7,title=change_rule::port: "
        )),
        "{out}"
    );
    std::fs::write(&path, "size: 3\nport: 81\n").unwrap();
    let (code, out, err) = run::<Running>(&["plan", new]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.starts_with("1 setting would change\n  size: 2 -> 3 ("),
        "{out}"
    );
    assert!(Running::try_get().is_none());
}

#[tokio::test]
async fn a_plan_may_be_asked_for_inside_a_runtime() {
    let (code, out, err) = run::<Running>(&["plan"]);
    assert_eq!((code, &*out, &*err), (0, "nothing would change\n", ""));
}

/// A program whose only source is one file.
#[derive(Flux, Debug)]
struct Watched {
    /// Where it listens; a `-` and a \ are printed as they are.
    ///
    /// .TP is no command of roff here.
    #[flux(default = 80, range = 1..=9999)]
    port: u16,
    #[flux(secret, default = "changeit")]
    token: String,
}

static WATCHED: std::sync::OnceLock<std::path::PathBuf> = std::sync::OnceLock::new();

/// The file is another one in each run, which no attribute can declare.
impl Root for Watched {
    fn declared() -> flux::Builder<Self> {
        let file = WATCHED.get().map_or(Path::new("watched.yaml"), |file| file);
        flux::Capacitor::builder().source(flux::Source::file(file.to_str().unwrap()))
    }
    fn global() -> &'static flux::__private::Global<Self> {
        unreachable!("no command reads it")
    }
    fn local() -> &'static std::thread::LocalKey<flux::__private::Local<Self>> {
        unreachable!("no command reads it")
    }
}

/// Collects what is printed, for another thread to read.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shared {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub(super) fn wait_for(&self, what: &str) {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !self.text().contains(what) {
            assert!(
                std::time::Instant::now() < until,
                "no {what:?} in {}",
                self.text()
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

pub(super) fn command(words: &[&str]) -> cli::Command {
    let parser = cli::Command::augment_args(clap::Command::new("config").no_binary_name(true));
    let matches = parser.try_get_matches_from(words).unwrap();
    cli::Command::from_arg_matches(&matches).unwrap()
}

#[test]
fn watch_prints_changes_refusals_and_recovery_as_they_happen_for_people_and_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watched.yaml");
    WATCHED.set(path.clone()).unwrap();
    let write = |text: &str| {
        let next = folder.path().join("next");
        std::fs::write(&next, text).unwrap();
        std::fs::rename(next, &path).unwrap();
    };
    write("port: 81\ntoken: hunter2\n");
    let watch = |words: &'static [&'static str]| {
        let out = Shared::default();
        let mut printed = out.clone();
        let thread = std::thread::spawn(move || {
            let mut err = Vec::new();
            let code = command(words)
                .write::<Watched>(&mut printed, &mut err)
                .unwrap();
            (code, String::from_utf8(err).unwrap())
        });
        (out, thread)
    };
    let (people, first) = watch(&["watch", "--changes", "6"]);
    let (programs, second) = watch(&["watch", "--format", "json", "--changes", "6"]);
    people.wait_for("Watched: healthy, generation 1");
    programs.wait_for("\"begins\"");
    write("port: 82\ntoken: hunter3\n");
    people.wait_for("applied generation 2\n  port: 81 -> 82 (");
    people.wait_for("\n  token: another secret (");
    programs.wait_for("\"applied\"");
    write("port: 0\ntoken: hunter3\n");
    people.wait_for("configuration refused: 1 problem; keeping the previous");
    people.wait_for("state: healthy -> degraded");
    programs.wait_for("\"degraded\"");
    write("port: 82\ntoken: hunter3\n");
    people.wait_for("recovered");
    assert_eq!(first.join().unwrap(), (0, String::new()));
    assert_eq!(second.join().unwrap(), (0, String::new()));
    let lines: Vec<Value> = programs
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[1]["settings"][0]["new"], 82);
    assert_eq!(lines[2]["report"]["problems"][0]["path"], "port");
    // Each event has its time.
    let began = people.text();
    let (at, event) = began.split_once("  ").unwrap();
    assert!(at.starts_with("20") && at.ends_with(" UTC"), "{began}");
    assert!(event.starts_with("Watched: healthy"), "{began}");
    let printed = people.text() + &programs.text();
    assert!(!printed.contains("hunter"), "{printed}");
}

/// A program whose source does what the test asks of it.
#[derive(Flux, Debug)]
struct Sourced {
    #[flux(default = 80)]
    port: u16,
}

static SOURCED: std::sync::Mutex<Vec<ScriptHandle>> = std::sync::Mutex::new(Vec::new());

impl Root for Sourced {
    fn declared() -> flux::Builder<Self> {
        let script = Script::new("store").revision("port: 81", "r1");
        SOURCED.lock().unwrap().push(script.handle());
        let source = flux::Source::watcher(script).format(flux::Format::Yaml);
        flux::Capacitor::builder().source(source)
    }
    fn global() -> &'static flux::__private::Global<Self> {
        unreachable!("no command reads it")
    }
    fn local() -> &'static std::thread::LocalKey<flux::__private::Local<Self>> {
        unreachable!("no command reads it")
    }
}

#[test]
fn watch_prints_the_source_that_is_lost_and_found_again() {
    let each_source = |ask: fn(&ScriptHandle)| SOURCED.lock().unwrap().iter().for_each(ask);
    let watch = |words: &'static [&'static str]| {
        let out = Shared::default();
        let mut printed = out.clone();
        let thread = std::thread::spawn(move || {
            command(words).write::<Sourced>(&mut printed, &mut Vec::new())
        });
        (out, thread)
    };
    let (people, first) = watch(&["watch", "--changes", "3"]);
    let (programs, second) = watch(&["watch", "--format", "json", "--changes", "3"]);
    people.wait_for("Sourced: healthy, generation 1");
    programs.wait_for("\"begins\"");
    each_source(|source| source.error(SourceError::transient("connection refused")));
    people.wait_for("health: store: stale for ");
    people.wait_for("UTC): connection refused\n");
    programs.wait_for("\"health\"");
    each_source(|source| source.revision("port: 81", "r2"));
    people.wait_for("health: store: live\n");
    assert_eq!(first.join().unwrap().unwrap(), 0);
    assert_eq!(second.join().unwrap().unwrap(), 0);
    let lines: Vec<Value> = programs
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let health = lines.iter().filter(|line| line["event"] == "health");
    let health: Vec<_> = health.map(|line| line["layer"]["health"].clone()).collect();
    assert_eq!(health, ["stale", "live"], "{}", programs.text());
}

#[test]
fn completions_and_the_manual_page_are_printed() {
    for (shell, begins) in [
        ("bash", "_"),
        ("zsh", "#compdef"),
        ("fish", "# Print"),
        ("powershell", "\n"),
        ("elvish", "\n"),
    ] {
        let (code, out, _) = run::<App>(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(out.starts_with(begins), "{shell}: {out:.60}");
        assert!(out.contains("only-given"), "{shell}");
    }
    let (code, out, _) = run::<Watched>(&["reference", "--as", "man", "--prefix", "APP_"]);
    assert_eq!(code, 0);
    assert_eq!(
        out,
        ".TH \"WATCHED\" 5\n.SH NAME\nWatched \\- settings of the configuration\n.SH DESCRIPTION\nA program whose only source is one file.\n.SH SETTINGS\n.TP\n.B port\nWhere it listens; a `\\-` and a \\e are printed as they are. .TP is no command of roff here.\n.br\ntype u16; default 80; must be in 1..=9999; variable APP_PORT\n.TP\n.B token\ntype String; has a default; secret; variable APP_TOKEN\n"
    );
}

#[test]
fn a_prefix_under_which_no_layer_reads_variables_is_refused_with_those_that_there_are() {
    for command in ["variables", "reference"] {
        let (code, out, err) = run::<App>(&[command, "--prefix", "APP_"]);
        assert_eq!((code, &*out), (2, ""), "{command}");
        assert_eq!(
            err,
            "error: no layer reads variables whose names begin with `APP_`; the prefixes are: `FLUX_TEST_CLI_`\n"
        );
    }
    let (code, out, _) = run::<App>(&["variables", "--prefix", "FLUX_TEST_CLI_"]);
    assert!(code == 0 && out.contains("FLUX_TEST_CLI_NAME=\n"), "{out}");
    // Without such a layer in its code, a program may read any.
    let (code, out, _) = run::<Printing>(&["variables", "--prefix", "X_"]);
    assert_eq!((code, &*out), (0, "# X_PORT=80\n# X_SIZE=1\n"));
}

#[test]
fn every_command_has_its_code_for_what_is_good_what_is_refused_and_what_cannot_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "name: a\nport: 81");
    let bad_folder = tempfile::tempdir().unwrap();
    let bad = file(bad_folder.path(), "name: a\nport: 0");
    let missing = "/nowhere/else/app.yaml";
    for format in ["human", "json", "github", "sarif"] {
        for (command, option) in [
            ("check", None),
            ("show", Some("--file")),
            ("explain", Some("--file")),
        ] {
            let has_format = command == "check" || matches!(format, "human" | "json");
            let given = [(&*good, 0), (&*bad, 1), (missing, 2)];
            for (given, code) in given.into_iter().filter(|_| has_format) {
                let mut words = vec!["--format", format, command];
                words.extend(option);
                words.push(given);
                let (found, out, err) = run::<App>(&words);
                assert_eq!(found, code, "{words:?}: {out}{err}");
                assert!(code == 0 || !(out + &err).is_empty(), "{words:?}");
            }
        }
        for command in ["diff", "plan"] {
            // The file of the layer itself does not exist.
            for (given, code) in [(&*good, 0), (&*bad, 1), (missing, 2)] {
                let (found, out, err) = run::<App>(&["--format", format, command, given]);
                assert_eq!(found, code, "{command} {given}: {out}{err}");
            }
            assert_eq!(run::<App>(&["--format", format, command]).0, 1);
        }
        let (good, other) = ("--layer", "other=x");
        for (command, code) in [("diff", 0), ("plan", 0)] {
            assert_eq!(run::<Running>(&["--format", format, command]).0, code);
            assert_eq!(
                run::<Running>(&["--format", format, command, good, other]).0,
                2
            );
        }
    }
    for words in [
        &["schema"][..],
        &["template"],
        &["reference"],
        &["variables"],
        &["completions", "bash"],
    ] {
        assert_eq!(run::<App>(words).0, 0, "{words:?}");
    }
    let (code, _, err) = run::<App>(&["explain", "port.x", "--file", &good]);
    assert_eq!(
        (code, err.starts_with("error: nothing can be at `port.x`")),
        (2, true),
        "{err}"
    );
    #[derive(Flux, Debug)]
    #[flux(source = "file:${FLUX_TEST_CLI_UNSET}/a.yaml")]
    struct Unset {
        #[flux(default = 1)]
        _n: u8,
    }
    let (code, _, err) = run::<Unset>(&["watch", "--changes", "1"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("FLUX_TEST_CLI_UNSET"), "{err}");
}

/// A program whose stage prints from other threads.
#[derive(Flux, Debug, Clone)]
#[flux(
    source = "file:${CARGO_MANIFEST_DIR}/tests/behaviours/answers/cli.yaml",
    transform = print_much
)]
struct Printing {
    #[flux(default = 80)]
    port: u16,
    #[flux(default = 1)]
    size: u32,
}

fn print_much(request: flux::pipeline::Request<Printing>) -> flux::pipeline::Request<Printing> {
    let printing = std::thread::spawn(|| {
        for _ in 0..100 {
            println!("a line of the program");
            eprintln!("an error of the program");
        }
    });
    printing.join().unwrap();
    request
}

const PRINTS: &str = "FLUX_TEST_CLI_PRINTS";

/// A standard stream that the command kept for itself would hang here, until the test is ended from outside.
#[test]
fn a_program_may_print_while_it_carries_a_command_out() {
    if let Ok(words) = std::env::var(PRINTS) {
        let words: Vec<&str> = words.split(' ').collect();
        let _code = command(&words).execute::<Printing>();
        return;
    }
    let thread = std::thread::current();
    let name = thread.name().expect("a test has one");
    for words in ["plan", "check", "diff", "show", "watch --changes 1"] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--nocapture", "--exact", name])
            .env(PRINTS, words)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{words}: {printed}");
        assert!(
            printed.contains("a line of the program"),
            "{words}: {printed}"
        );
    }
}
