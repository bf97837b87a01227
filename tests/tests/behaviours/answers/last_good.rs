//! What documents would change in what ran last, where no process can be asked.

use clap::{Args as _, FromArgMatches as _};
use flux::{Capacitor, Flux, Format, Root, Secrets, Source, cli, source::Channel};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

#[derive(Flux, Debug)]
struct App {
    #[flux(range = 1..=9999)]
    port: u16,
    #[flux(default = 1)]
    size: u16,
    #[flux(default = 1, restart)]
    threads: u16,
    #[flux(secret)]
    token: String,
}

std::thread_local! {
    /// Where the files of this test are.
    static FOLDER: std::cell::RefCell<PathBuf> = std::cell::RefCell::default();
}

impl Root for App {
    fn declared() -> flux::Builder<Self> {
        let folder = FOLDER.with_borrow(Clone::clone);
        let text = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let (sender, remote) = Channel::buffered("remote.yaml", 4);
        sender.try_send(&b"size: 5\n"[..]).unwrap();
        Capacitor::builder()
            .source(Source::file(text("app.yaml")))
            .source(Source::watcher(remote).format(Format::Yaml))
            .last_known_good(text("last.json"), Secrets::Omit)
    }
    fn global() -> &'static flux::__private::Global<Self> {
        unreachable!("no command reads it")
    }
    fn local() -> &'static std::thread::LocalKey<flux::__private::Local<Self>> {
        unreachable!("no command reads it")
    }
}

fn run(words: &[&str]) -> (u8, String, String) {
    let parser = cli::Command::augment_args(clap::Command::new("config").no_binary_name(true));
    let matches = parser.try_get_matches_from(words).unwrap();
    let command = cli::Command::from_arg_matches(&matches).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = command.write::<App>(&mut out, &mut err).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(out), text(err))
}

/// Starts the program, and stops it once the file is written.
fn serve_once(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let app = App::declared().build().unwrap();
        app.start().await.unwrap();
        let began = Instant::now();
        while !folder.join("last.json").exists() {
            assert!(began.elapsed() < Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        app.stop().await;
    });
}

#[test]
fn without_a_process_a_diff_and_a_plan_compare_with_the_last_known_good_configuration() {
    let folder = tempfile::tempdir().unwrap();
    FOLDER.set(folder.path().to_owned());
    let own = folder.path().join("app.yaml");
    let write = |text: &str| fs::write(&own, text).unwrap();
    write("port: 81\ntoken: hunter2hunter2\n");
    // Nothing ran yet.
    let (code, out, err) = run(&["diff"]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    serve_once(folder.path());
    let mut printed = String::new();
    let mut check = |words: &[&str], expected: u8, lines: &[&str]| {
        let (code, out, err) = run(words);
        assert_eq!(code, expected, "{words:?}: {out}{err}");
        for line in lines {
            assert!(out.contains(line), "{words:?}: {line}\n{out}{err}");
        }
        let note = "note: compared with the last known good configuration, ";
        assert!(err.starts_with(note), "{words:?}: {err}");
        printed += &(out + &err);
    };
    check(&["diff"], 0, &["nothing would change"]);
    check(&["plan"], 0, &["nothing would change"]);
    // The file of the layer has changed since, and is what the next start reads.
    write("port: 82\nthreads: 2\ntoken: swordfish99\n");
    let changed = &["port: 81 -> 82 (", "threads: 1 -> 2 ("];
    check(&["diff"], 0, changed);
    check(
        &["plan"],
        0,
        &["2 settings would change\n", changed[0], changed[1]],
    );
    let new = folder.path().join("new.yaml");
    fs::write(&new, "port: 83\ntoken: swordfish99\n").unwrap();
    let given = format!("app.yaml={}", new.display());
    check(&["diff", "--layer", &given], 0, &["port: 81 -> 83 ("]);
    check(
        &["plan", "--layer", &given],
        0,
        &["1 setting would change\n  port: 81 -> 83 ("],
    );
    fs::write(&new, "port: 0\n").unwrap();
    check(&["plan", "--layer", &given], 1, &["port: must be in"]);
    // What is on a server is what it was.
    let (_, out, _) = run(&["diff", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let changes = json["changes"].as_array().unwrap();
    let paths: Vec<_> = changes
        .iter()
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["port", "threads"]);
    // A file that is wrong now is no reason not to look at the one that is to replace it.
    write("port: [\n");
    fs::write(&new, "port: 84\ntoken: swordfish99\n").unwrap();
    check(&["diff", "--layer", &given], 0, &["port: 81 -> 84 ("]);
    assert!(
        !printed.contains("hunter2") && !printed.contains("swordfish"),
        "{printed}"
    );
    // What is kept and cannot be read is named, and the sources are compared with.
    write("port: 85\ntoken: swordfish99\n");
    fs::write(folder.path().join("last.json"), "{").unwrap();
    let (code, out, err) = run(&["diff", "--layer", &given]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("port: 85 -> 84 ("), "{out}");
    let note = "note: the last known good configuration is not compared with: ";
    assert!(err.starts_with(note), "{err}");
}

#[test]
fn a_default_that_the_program_had_otherwise_is_a_change_since_the_last_known_good_configuration() {
    let folder = tempfile::tempdir().unwrap();
    FOLDER.set(folder.path().to_owned());
    let (own, kept) = (
        folder.path().join("app.yaml"),
        folder.path().join("last.json"),
    );
    fs::write(&own, "port: 81\ntoken: hunter2hunter2\n").unwrap();
    serve_once(folder.path());
    let text = fs::read_to_string(&kept).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        file["defaults"],
        serde_json::json!({ "size": "1", "threads": "1" })
    );
    let with_defaults = |defaults: Option<serde_json::Value>| {
        let mut file = file.clone();
        let object = file.as_object_mut().unwrap();
        object.remove("defaults");
        object.extend(defaults.map(|defaults| ("defaults".to_owned(), defaults)));
        fs::write(&kept, file.to_string()).unwrap();
    };
    let check = |line: &str, note: &str| {
        for command in ["diff", "plan"] {
            let (code, out, err) = run(&[command]);
            assert_eq!(code, 0, "{command}: {out}{err}");
            assert!(out.contains(line), "{command}: {line}\n{out}{err}");
            assert!(err.contains(note), "{command}: {err}");
        }
    };
    let (then, both) = ("as they are written in the code", "on both sides");
    check("nothing would change", then);
    // What a layer sets is not a default.
    with_defaults(Some(serde_json::json!({ "size": "4", "threads": "0x2" })));
    check("threads: 2 -> 1", then);
    let (_, out, _) = run(&["diff", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let changes = json["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{out}");
    assert_eq!(
        (&changes[0]["old"], &changes[0]["new"]),
        (&2.into(), &1.into())
    );
    with_defaults(Some(
        serde_json::json!({ "size": "1", "threads": { "expression": "cores()" } }),
    ));
    check("threads: its default `cores()` -> 1", then);
    with_defaults(Some(serde_json::json!({ "size": "1" })));
    check("threads: nothing -> 1", then);
    with_defaults(Some(serde_json::json!({ "size": "1", "threads": "0x01" })));
    check("nothing would change", then);
    // What then was the default is set by the document now.
    with_defaults(Some(serde_json::json!({ "size": "1", "threads": "9" })));
    fs::write(&own, "port: 81\nthreads: 9\ntoken: hunter2hunter2\n").unwrap();
    check("nothing would change", then);
    // A file of an earlier version.
    with_defaults(None);
    check("threads: 1 -> 9", both);
}
