//! The socket at which a running program answers its own command line.

use super::cli::{Shared, command};
use clap::{Args as _, FromArgMatches as _};
use flux::{
    Capacitor, Error, Flux, Format, Root, Source,
    change::{Change, Party},
    cli,
    source::{Channel, ChannelSender, Health, SourceError},
};
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

#[derive(Flux, Debug)]
struct App {
    #[flux(default = 80, range = 1..=9999)]
    port: u16,
    #[flux(default = 1, restart)]
    threads: u16,
    #[flux(secret, default = "changeit")]
    token: String,
}

std::thread_local! {
    /// What the program of this test declares as its socket.
    static SOCKET: std::cell::RefCell<PathBuf> = std::cell::RefCell::default();
}

impl Root for App {
    fn declared() -> flux::Builder<Self> {
        let path = SOCKET.with_borrow(Clone::clone);
        Capacitor::builder()
            .source(Source::file("/nowhere/app.yaml").optional())
            .admin(format!("unix:{}", path.display()))
    }
    fn global() -> &'static flux::__private::Global<Self> {
        unreachable!("no command reads it")
    }
    fn local() -> &'static std::thread::LocalKey<flux::__private::Local<Self>> {
        unreachable!("no command reads it")
    }
}

struct Picky;

impl Party<App> for Picky {
    type Prepared = ();
    type Error = String;
    async fn prepare(&self, change: &Change<App>) -> Result<(), String> {
        match change.current.port {
            13 => Err("thirteen".to_owned()),
            _ => Ok(()),
        }
    }
    fn commit(&self, (): ()) {}
}

async fn start(path: &Path) -> Result<(ChannelSender, Capacitor<App>), Error> {
    let (sender, channel) = Channel::buffered("/nowhere/app.yaml", 4);
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .override_with(Source::env("APP_").variables([("APP_TOKEN", "hunter2hunter2")]))
        .party(Picky)
        .admin(format!("unix:{}", path.display()))
        .build()?;
    sender.send(b"port: 81".to_vec()).await.unwrap();
    app.start().await?;
    Ok((sender, app))
}

/// The code, and what was printed to both streams, on a thread that may wait.
async fn run(path: &Path, words: &[&str]) -> (u8, String, String) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let path = path.to_owned();
    let run = move || {
        SOCKET.set(path);
        let parser = cli::Command::augment_args(clap::Command::new("config").no_binary_name(true));
        let matches = parser.try_get_matches_from(words).unwrap();
        let command = cli::Command::from_arg_matches(&matches).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = command.write::<App>(&mut out, &mut err).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code, text(out), text(err))
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn socket() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    (folder, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_name_the_process_its_folder_and_what_may_be_newer() {
    let (_folder, path) = socket();
    let (sender, app) = start(&path).await.unwrap();
    let (_, _, err) = run(&path, &["show"]).await;
    let here = std::env::current_dir().unwrap();
    let by = format!(
        "(process {}, in `{}`)\n",
        std::process::id(),
        here.display()
    );
    assert!(err.ends_with(&by), "{err}");
    sender
        .fail(SourceError::transient("no route"))
        .await
        .unwrap();
    let is_stale = || matches!(app.status().layers[0].health, Health::Stale { .. });
    crate::until("the layer is stale", is_stale).await;
    for words in [
        &["show"][..],
        &["explain", "port"],
        &["blame", "port"],
        &["silent"],
    ] {
        let (_, _, err) = run(&path, words).await;
        let stale =
            "note: /nowhere/app.yaml: stale for .. UTC): no route; what it holds now is not known";
        let stale = stale.split(" .. ");
        assert!(
            stale.into_iter().all(|part| err.contains(part)),
            "{words:?}: {err}"
        );
    }
    app.pin().await.unwrap();
    let (_, _, err) = run(&path, &["blame", "port"]).await;
    assert!(
        err.contains("note: pinned at generation 1: what is newer waits"),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_the_running_process_is_good_while_it_is_healthy() {
    let (_folder, path) = socket();
    let (sender, app) = start(&path).await.unwrap();
    let fingerprint = app.fingerprint().unwrap().to_string();
    let (code, out, err) = run(&path, &["status"]).await;
    assert_eq!(code, 0, "{out}{err}");
    for part in [
        ": healthy for ",
        ", generation 1\n  applied ",
        &format!("fingerprint {fingerprint}"),
        "\n  /nowhere/app.yaml: live\n  environment: live\n",
    ] {
        assert!(out.contains(part), "{part} {out}");
    }
    let (code, out, _) = run(&path, &["status", "--format", "json"]).await;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let status = &json["status"];
    assert_eq!((code, &status["state"]), (0, &"healthy".into()));
    assert_eq!(status["layers"][0]["health"], "live");
    assert_eq!(json["fingerprint"]["fingerprint"], *fingerprint);
    sender.send(b"port: 0".to_vec()).await.unwrap();
    let is_degraded = || app.status().state == flux::State::Degraded;
    crate::until("the edit is refused", is_degraded).await;
    let (code, out, _) = run(&path, &["status"]).await;
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("its newest content is not applied"), "{out}");
    assert!(out.contains("port: must be in 1..=9999"), "{out}");
    let (code, out, _) = run(&path, &["status", "--format", "json"]).await;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["status"]["state"]), (1, &"degraded".into()));
    assert_eq!(json["status"]["error"]["problems"][0]["path"], "port");
    app.stop().await;
    for words in [&["status"][..], &["status", "--offline"]] {
        let (code, out, err) = run(&path, words).await;
        assert_eq!((code, &*out), (2, ""), "{err}");
        assert!(
            err.contains("in the memory of the running process"),
            "{err}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_programs_has_what_is_newer_than_it() {
    let (_folder, path) = socket();
    let (sender, app) = start(&path).await.unwrap();
    let ask = async |words: &[&str]| -> serde_json::Value {
        let words = [words, &["--format", "json"]].concat();
        let (_, out, _) = run(&path, &words).await;
        serde_json::from_str(&out).unwrap()
    };
    assert_eq!(
        ask(&["explain", "port"]).await["notes"],
        serde_json::json!([])
    );
    sender.send(b"port: 0".to_vec()).await.unwrap();
    let is_degraded = || app.status().state == flux::State::Degraded;
    crate::until("the edit is refused", is_degraded).await;
    app.pin().await.unwrap();
    let notes = serde_json::json!([
        "pinned at generation 1: what is newer waits until it is unpinned",
        "the newest content of /nowhere/app.yaml is refused, and this is about what runs, with the lines of before; `status` has the reason",
    ]);
    let about = "the newest content of /nowhere/app.yaml is not applied: must be in 1..=9999, found 0 (/nowhere/app.yaml:1:7); above are \
                 the value and the place of before";
    let told = ask(&["explain", "port"]).await["notes"].clone();
    assert_eq!(told[0], about);
    assert_eq!(told.as_array().unwrap()[1..], notes.as_array().unwrap()[..]);
    assert_eq!(ask(&["explain"]).await[0]["notes"], told);
    let blame = ask(&["blame", "port"]).await;
    let all = blame["notes"].as_array().unwrap();
    assert!(all.ends_with(notes.as_array().unwrap()), "{blame}");
    // For people they are beside it, once.
    let (_, out, err) = run(&path, &["explain", "port"]).await;
    assert!(
        !out.contains("pinned at") && err.contains("note: pinned at"),
        "{out}{err}"
    );
}

#[tokio::test]
async fn a_good_check_notes_what_only_the_process_knows() {
    let (folder, path) = socket();
    let given = folder.path().join("given.yaml");
    fs::write(&given, "port: 81").unwrap();
    let layer = format!("app.yaml={}", given.display());
    let of_shell =
        "was not asked (variables are those of this shell); `plan` asks it, and the parties";
    let (_, out, err) = run(&path, &["check", "--layer", &layer]).await;
    assert!(err.contains(of_shell), "{out}{err}");
    let (_, out, err) = run(&path, &["check", "--layer", &layer, "--only-given"]).await;
    assert!(err.contains("was not asked; `plan` asks it"), "{out}{err}");
    for words in [&["check", "--offline"][..], &["check", "--format", "json"]] {
        let (_, _, err) = run(&path, words).await;
        assert_eq!(err, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_another_build_is_told_that_the_defaults_are_not_its_own() {
    let (_folder, path) = socket();
    let (_sender, _app) = start(&path).await.unwrap();
    let ask = |request: serde_json::Value| {
        let path = path.clone();
        tokio::task::spawn_blocking(move || {
            let mut stream = UnixStream::connect(path).unwrap();
            writeln!(stream, "{request}").unwrap();
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).unwrap();
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            line["err"].as_str().unwrap().to_owned()
        })
    };
    let with = |declaration: serde_json::Value| {
        serde_json::json!({
            "do": "show", "as": "yaml", "origins": false, "format": "human", "declaration": declaration,
        })
    };
    let err = ask(with("another".into())).await.unwrap();
    assert!(
        err.starts_with("note: the process is another build than this program"),
        "{err}"
    );
    // An older command has nothing to compare.
    assert_eq!(ask(with(serde_json::Value::Null)).await.unwrap(), "");
    let (_, _, err) = run(&path, &["show"]).await;
    assert!(!err.contains("another build"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_answered_by_the_running_process_and_without_it_from_the_sources() {
    let (folder, path) = socket();
    let (_sender, app) = start(&path).await.unwrap();
    let (code, out, err) = run(&path, &["show", "--origins"]).await;
    assert_eq!(
        (code, &*out),
        (0, "port: 81  # /nowhere/app.yaml:1:7\nthreads: 1  # default at DEFAULT\ntoken: \"<secret>\"  # variable APP_TOKEN\n".replace("DEFAULT", out.split("default at ").nth(1).unwrap().lines().next().unwrap()).as_str())
    );
    assert!(
        err.starts_with("note: answered by the process at `"),
        "{err}"
    );
    let (code, out, _) = run(&path, &["explain", "port"]).await;
    assert!(
        code == 0 && out.starts_with("port = 81\n  --> /nowhere/app.yaml:1:7\n"),
        "{out}"
    );
    let (code, out, _) = run(&path, &["explain", "--format", "json"]).await;
    let all: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert_eq!((code, all.len()), (0, 3));
    let (code, out, _) = run(&path, &["explain", "prot"]).await;
    assert_eq!((code, &*out), (2, ""));
    // Files are read by the command, not by the program.
    let new = folder.path().join("app.yaml");
    fs::write(&new, "port: 82\nthreads: 2").unwrap();
    let file = new.to_str().unwrap();
    let (code, out, err) = run(&path, &["plan", file]).await;
    assert_eq!(
        (code, &*out),
        (
            0,
            "2 settings would change\n  port: 81 -> 82 (/nowhere/app.yaml:1:7)\n  threads: 1 -> 2 (/nowhere/app.yaml:2:10), after a restart\n  `Picky` is ready\n"
        ),
        "{err}"
    );
    let (code, out, _) = run(&path, &["diff", file]).await;
    assert_eq!((code, out.lines().count()), (0, 2), "{out}");
    fs::write(&new, "prot: 1\nport: 82").unwrap();
    let (code, out, _) = run(&path, &["diff", file]).await;
    assert_eq!(code, 0);
    assert!(
        out.starts_with("port: 81 -> 82 (") && out.contains("\nwarning: prot: "),
        "{out}"
    );
    fs::write(&new, "port: 13").unwrap();
    let (code, out, _) = run(&path, &["plan", file]).await;
    assert_eq!(code, 1);
    assert!(out.contains("`Picky` would refuse: thirteen"), "{out}");
    let (code, out, _) = run(&path, &["plan", file, "--format", "github"]).await;
    assert_eq!(
        (code, &*out),
        (1, "::error title=party::`Picky` would refuse: thirteen\n")
    );
    let (code, out, _) = run(&path, &["plan", file, "--format", "sarif"]).await;
    assert_eq!(code, 1);
    assert!(out.contains("`Picky` would refuse: thirteen"), "{out}");
    fs::write(&new, "port: 0").unwrap();
    let (code, out, _) = run(&path, &["plan", file, "--format", "github"]).await;
    assert_eq!(code, 1);
    assert!(
        out.starts_with(&format!(
            "::error file={file},line=1,col=7,title=rule::port: "
        )),
        "{out}"
    );
    assert_eq!(run(&path, &["diff", file]).await.0, 1);
    assert_eq!(run(&path, &["plan", "/nowhere/else"]).await.0, 2);
    assert_eq!(app.get().port, 81);
    assert_eq!(
        run(&path, &["--offline", "explain", "port"])
            .await
            .1
            .lines()
            .next(),
        Some("port = 80")
    );
    app.stop().await;
    assert!(!path.exists());
    let (code, out, err) = run(&path, &["explain", "port"]).await;
    assert_eq!((code, out.lines().next()), (0, Some("port = 80")));
    assert!(err.starts_with("note: no process answers at `"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_settings_and_who_changed_a_value_are_asked_of_the_running_process() {
    let (_folder, path) = socket();
    let (sender, app) = start(&path).await.unwrap();
    let (code, out, _) = run(&path, &["silent"]).await;
    assert_eq!((code, &*out), (0, "every setting has an effect\n"));
    for (document, port) in [("port: 82\nthreads: 1", 82), ("port: 80", 80)] {
        sender.send(document.as_bytes().to_vec()).await.unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        while app.get().port != port {
            assert!(Instant::now() < until, "{}", app.status());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let (code, out, _) = run(&path, &["silent"]).await;
    let repeats = "`port` at /nowhere/app.yaml:1:7 has no effect: the default is the same value\n";
    assert_eq!((code, &*out), (0, repeats));
    let (code, out, err) = run(&path, &["blame", "port"]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("generation 3, ") && out.contains(" -> 80"),
        "{out}"
    );
    let (code, out, _) = run(&path, &["blame", "port", "--format", "json"]).await;
    let blame: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &blame["changes"][0]["generation"]), (0, &3.into()));
    let (code, out, err) = run(&path, &["blame", "prot"]).await;
    assert_eq!((code, &*out), (2, ""));
    assert!(err.contains("did you mean `port`?"), "{err}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_now_is_told_by_every_command_about_the_process() {
    let (folder, path) = socket();
    let (sender, app) = start(&path).await.unwrap();
    sender.send(&b"port: 0"[..]).await.unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while app.status().error.is_none() {
        assert!(Instant::now() < until, "{}", app.status());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let file = folder.path().join("app.yaml");
    fs::write(&file, "port: 82").unwrap();
    let given = file.to_str().unwrap();
    for command in ["plan", "diff"] {
        let (code, out, err) = run(&path, &[command]).await;
        let all = format!("{out}{err}");
        assert_eq!(code, 1, "{all}");
        assert!(
            out.starts_with("nothing would change beside what is refused now"),
            "{out}"
        );
        assert!(
            all.contains("/nowhere/app.yaml:1:7") && all.contains("must be in"),
            "{all}"
        );
        let (code, out, _) = run(&path, &[command, "--format", "json"]).await;
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &json["verdict"]), (1, &"refused".into()), "{json}");
        let (code, out, _) = run(&path, &[command, "--format", "github"]).await;
        assert_eq!(code, 1);
        assert!(out.contains("title=rule::port: "), "{out}");
        let (code, out, _) = run(&path, &[command, "--format", "sarif"]).await;
        let log: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (code, &log["runs"][0]["results"][0]["level"]),
            (1, &"error".into())
        );
        // What takes its place is good.
        assert_eq!(run(&path, &[command, given]).await.0, 0);
    }
    for words in [&["show"][..], &["explain", "port"], &["silent"]] {
        let (code, out, err) = run(&path, words).await;
        assert_eq!(code, 0, "{out}{err}");
        assert!(
            err.contains("note: the newest content of /nowhere/app.yaml is refused"),
            "{words:?} {err}"
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_waits_for_a_restart_is_named_by_show_in_every_format() {
    let (_folder, path) = socket();
    let (sender, app) = start(&path).await.unwrap();
    sender.send(&b"port: 81\nthreads: 4"[..]).await.unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while app.status().pending_restart.is_empty() {
        assert!(Instant::now() < until, "{}", app.status());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for format in ["yaml", "toml"] {
        let (_, out, _) = run(&path, &["show", "--as", format]).await;
        assert!(
            out.contains("# waits for a restart of the program: 1 runs, 4 waits\nthreads"),
            "{out}"
        );
    }
    let (_, out, err) = run(&path, &["show", "--format", "json"]).await;
    let shown: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["threads"], 1);
    assert!(
        err.contains("note: threads: waits for a restart of the program: 1 runs, 4 waits\n"),
        "{err}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_no_utf_8_is_refused_by_the_process_and_one_that_is_too_large_is_not_asked_about()
 {
    let (folder, path) = socket();
    let (_sender, app) = start(&path).await.unwrap();
    let given = folder.path().join("app.yaml");
    let file = given.to_str().unwrap();
    for text in [&b"port: 82\n# caf\xe9\n"[..], b"\xff\xfep\0o\0"] {
        fs::write(&given, text).unwrap();
        let mut sentences = Vec::new();
        for words in [
            &["check", file][..],
            &["plan", file],
            &["diff", file],
            &["diff", file, "--offline"],
        ] {
            let (code, out, err) = run(&path, words).await;
            let all = format!("{out}{err}");
            assert_eq!(code, 1, "{words:?} {all}");
            let about = all.lines().find(|line| line.contains("UTF-8"));
            sentences.push(
                about
                    .unwrap_or_else(|| panic!("{words:?} {all}"))
                    .to_owned(),
            );
        }
        sentences.dedup();
        assert_eq!(sentences.len(), 1, "{sentences:?}");
    }
    fs::write(&given, format!("port: 82\n# {}\n", "x".repeat(5 << 20))).unwrap();
    let (code, out, err) = run(&path, &["plan", file]).await;
    assert_eq!(code, 2, "{out}{err}");
    assert!(
        err.contains("larger than 4 MiB") && err.contains("`--offline`") && !err.contains("user"),
        "{err}"
    );
    assert_eq!(run(&path, &["diff", file, "--offline"]).await.0, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_tells_that_a_setting_would_not_wait_for_a_restart_any_more() {
    let (folder, path) = socket();
    let (sender, app) = start(&path).await.unwrap();
    sender.send(&b"port: 81\nthreads: 4"[..]).await.unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while app.status().pending_restart.is_empty() {
        assert!(Instant::now() < until, "{}", app.status());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let given = folder.path().join("app.yaml");
    fs::write(&given, "port: 81\n").unwrap();
    let file = given.to_str().unwrap();
    let words = "would not wait for a restart any more: threads";
    let (code, out, err) = run(&path, &["diff", file]).await;
    assert_eq!(code, 0);
    assert!(err.contains(&format!("note: {words}\n")), "{out}{err}");
    let (_, out, _) = run(&path, &["diff", file, "--format", "json"]).await;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["notes"][0], words);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_follows_the_running_process_and_no_answer_has_a_secret() {
    let (_folder, path) = socket();
    let (sender, app) = start(&path).await.unwrap();
    let out = Shared::default();
    let watched = {
        let (path, mut out) = (path.clone(), out.clone());
        tokio::task::spawn_blocking(move || {
            SOCKET.set(path);
            let watch = command(&["watch", "--format", "json", "--changes", "4"]);
            watch.write::<App>(&mut out, &mut Vec::new()).unwrap()
        })
    };
    tokio::task::block_in_place(|| out.wait_for("\"begins\""));
    sender
        .send(b"port: 82\ntoken: swordfish99".to_vec())
        .await
        .unwrap();
    tokio::task::block_in_place(|| out.wait_for("\"applied\""));
    sender
        .send(b"port: 0\ntoken: swordfish99".to_vec())
        .await
        .unwrap();
    let code = tokio::time::timeout(Duration::from_secs(60), watched).await;
    let (code, out) = (code.expect("four changes").unwrap(), out.text());
    let events: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<&str> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        (code, &names[..]),
        (1, &["begins", "applied", "warning", "refused"][..]),
        "{out}"
    );
    assert_eq!(events[1]["settings"][0]["new"], 82);
    let mut printed = out;
    for words in [
        &["show"][..],
        &["explain"],
        &["plan"],
        &["explain", "token"],
    ] {
        let (_, out, err) = run(&path, words).await;
        printed += &(out + &err);
    }
    assert!(
        !printed.contains("hunter2") && !printed.contains("swordfish"),
        "{printed}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_alone_from_the_first_moment_and_replaces_only_what_is_dead() {
    let (folder, path) = socket();
    // Whoever looks at the folder while it starts sees the mode 0600 from the first moment.
    let ended = Arc::new(Mutex::new(false));
    let modes = Arc::new(Mutex::new(std::collections::BTreeSet::new()));
    let looking = {
        let (path, ended, modes) = (path.clone(), Arc::clone(&ended), Arc::clone(&modes));
        std::thread::spawn(move || {
            while !*ended.lock().unwrap() {
                if let Ok(found) = fs::symlink_metadata(&path) {
                    modes
                        .lock()
                        .unwrap()
                        .insert(found.permissions().mode() & 0o777);
                }
            }
        })
    };
    for n in 0..2_000 {
        if n >= 20 && !modes.lock().unwrap().is_empty() {
            break;
        }
        let (_sender, app) = start(&path).await.unwrap();
        app.stop().await;
    }
    *ended.lock().unwrap() = true;
    looking.join().unwrap();
    assert!(modes.lock().unwrap().iter().eq([&0o600]));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // What a dead process left behind is replaced.
    drop(UnixListener::bind(&path).unwrap());
    let (_sender, app) = start(&path).await.unwrap();
    assert_eq!(run(&path, &["show"]).await.0, 0);
    // A second one at the same path is refused, and the first one goes on.
    let second = start(&path).await.unwrap_err().to_string();
    assert!(
        second.contains("a process answers there already"),
        "{second}"
    );
    assert_eq!(run(&path, &["show"]).await.0, 0);
    app.stop().await;
    // Another kind of file is left alone.
    fs::write(&path, "mine").unwrap();
    let refused = start(&path).await.unwrap_err().to_string();
    assert!(
        refused.contains("a file that is no socket is there"),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    let long = folder.path().join("a".repeat(120));
    assert!(start(&long).await.is_err());
    let nowhere = start(Path::new("/nowhere/app.sock")).await.unwrap_err();
    assert!(matches!(nowhere, Error::Declaration { .. }), "{nowhere}");
    for address in ["tcp:127.0.0.1:80", "/run/app.sock", "unix:", "127.0.0.1:80"] {
        let app = Capacitor::<App>::builder()
            .source(Source::env("APP_").variables([("APP_PORT", "1")]))
            .admin(address)
            .build()
            .unwrap();
        let refused = app.start().await.unwrap_err().to_string();
        assert!(
            refused.contains("`admin` is the address of a Unix domain socket"),
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_client_neither_hangs_nor_grows_the_process_nor_changes_anything() {
    let (_folder, path) = socket();
    let (sender, app) = start(&path).await.unwrap();
    let connect = || UnixStream::connect(&path).unwrap();
    let answer = |bytes: Vec<u8>| {
        let mut stream = connect();
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text
    };
    let (answers, all) = tokio::task::block_in_place(|| {
        let nested = [vec![b'['; 100_000], vec![b'\n']].concat();
        let requests = [
            Vec::new(),
            b"\n".to_vec(),
            b"\0\xff\xfe\n".to_vec(),
            b"{}\n".to_vec(),
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            nested,
            vec![b'a'; 6 << 20],
            br#"{"do":"rollback","format":"human"}"#.to_vec(),
            br#"{"do":"plan","format":"human","inputs":{"documents":[{"layer":null,"path":"/etc/passwd"}],"without":[],"only_given":false,"partial":false}}"#.to_vec(),
            br#"{"do":"plan","format":"human","inputs":7}"#.to_vec(),
            br#"{"do":"explain","format":"human","path":"a[99999999999999999999]"}"#.to_vec(),
        ];
        let answers: Vec<String> = requests.into_iter().map(answer).collect();
        let all = answers.concat();
        (answers, all)
    });
    for answer in &answers {
        assert!(
            answer.is_empty() || answer.contains("\"code\":2"),
            "{answer}"
        );
    }
    assert!(!all.contains("root:"), "{all}");
    // Those that say nothing keep their places for a while, and the program does not wait for them.
    let silent: Vec<UnixStream> = (0..40).map(|_| connect()).collect();
    let began = Instant::now();
    sender.send(b"port: 83".to_vec()).await.unwrap();
    while app.get().port != 83 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        began.elapsed() < Duration::from_secs(9),
        "{:?}",
        began.elapsed()
    );
    drop(silent);
    let (code, out, err) = run(&path, &["show"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("port: 83\n"), "{out}");
    // Those that watch keep their places, but not all of them.
    tokio::task::block_in_place(|| {
        let watch = || {
            let mut stream = connect();
            stream
                .write_all(b"{\"do\":\"watch\",\"format\":\"json\"}\n")
                .unwrap();
            let (mut line, mut reader) = (String::new(), BufReader::new(stream));
            reader.read_line(&mut line).unwrap();
            (line, reader)
        };
        let watching: Vec<_> = (0..4).map(|_| watch()).collect();
        for (line, _) in &watching {
            assert!(line.contains("begins"), "{line}");
        }
        let (line, _) = watch();
        assert!(line.contains("four clients watch already"), "{line}");
        assert!(answer(b"{}\n".to_vec()).contains("\"code\":2"));
    });
    // One that watches and does not read is let go, and the end waits for nobody.
    let mut lazy = connect();
    lazy.write_all(b"{\"do\":\"watch\",\"format\":\"json\"}\n")
        .unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    app.stop().await;
    assert!(began.elapsed() < Duration::from_secs(9));
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_there_from_start_to_stop_in_manual_mode_too() {
    let (_folder, path) = socket();
    let (sender, channel) = Channel::buffered("/nowhere/app.yaml", 4);
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .admin(format!("unix:{}", path.display()))
        .manual()
        .build()
        .unwrap();
    for port in 1..4 {
        sender
            .send(format!("port: {port}").into_bytes())
            .await
            .unwrap();
        app.start().await.unwrap();
        app.process().await.unwrap();
        let (code, out, err) = run(&path, &["show"]).await;
        assert_eq!(code, 0, "{err}");
        assert!(err.starts_with("note: answered by the process"), "{err}");
        assert!(out.starts_with(&format!("port: {port}\n")), "{out}");
        app.stop().await;
        assert!(!path.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_for_the_update_under_way_and_holds_up_no_other_answer() {
    let (_folder, path) = socket();
    let (sender, channel) = Channel::buffered("/nowhere/app.yaml", 4);
    let (begun, released) = (
        Arc::new(tokio::sync::Semaphore::new(0)),
        Arc::new(tokio::sync::Semaphore::new(0)),
    );
    let inner = (Arc::clone(&begun), Arc::clone(&released));
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .on_apply(move |_, next: Arc<flux::Snapshot<App>>| {
            let (begun, released) = inner.clone();
            async move {
                if next.port == 82 {
                    begun.add_permits(1);
                    let _permit = released.acquire().await;
                }
                Ok::<(), std::convert::Infallible>(())
            }
        })
        .admin(format!("unix:{}", path.display()))
        .build()
        .unwrap();
    sender.send(b"port: 81".to_vec()).await.unwrap();
    app.start().await.unwrap();
    sender.send(b"port: 82".to_vec()).await.unwrap();
    let _begun = begun.acquire().await.unwrap();
    let order = {
        let path = path.clone();
        tokio::spawn(async move { run(&path, &["trust"]).await })
    };
    for _ in 0..20 {
        let (code, out, err) = run(&path, &["show"]).await;
        assert_eq!((code, out.starts_with("port: 81\n")), (0, true), "{err}");
    }
    assert!(!order.is_finished());
    released.add_permits(1);
    let (code, out, err) = order.await.unwrap();
    assert_eq!(
        (code, &*out),
        (1, "nothing is on trial or in quarantine\n"),
        "{err}"
    );
    assert_eq!(app.get().port, 82);
    app.stop().await;
}
