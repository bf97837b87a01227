//! The program that dies, and the hand that starts it.

use clap::{Args as _, FromArgMatches as _};
use flux::{Builder, Capacitor, Flux, Root, Secrets, Source, State, cli};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, UNIX_EPOCH},
};

/// Longer than anything takes, also on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

#[derive(Flux, Debug)]
pub struct App {
    #[flux(default = 0, range = 0..=99)]
    pub n: u32,
    /// How the program dies, and where: `rule abort`, `callback kill`, `later stack`.
    #[flux(default, validate = dies_in_rules)]
    pub dies: String,
    #[flux(secret)]
    pub pin: Option<String>,
}

#[expect(clippy::ptr_arg, reason = "a rule takes the field as it is")]
fn dies_in_rules(dies: &String) -> Result<(), String> {
    die("rule", dies);
    Ok(())
}

/// Dies as the configuration says, if it is time.
fn die(now: &str, dies: &str) {
    let Some((when, how)) = dies.split_once(' ') else {
        return;
    };
    if when != now || std::env::var_os("TRIAL_FOLDER").is_none() {
        return;
    }
    match how {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        "kill" => {
            let id = std::process::id().to_string();
            Command::new("kill").args(["-9", &id]).status().unwrap();
            // Only the signal ends it.
            loop {
                std::thread::sleep(Duration::from_secs(10));
            }
        }
        "memory" => {
            let mut all = Vec::new();
            loop {
                // Never touched: it is the address space that ends.
                all.push(Vec::<u8>::with_capacity(64 << 20));
            }
        }
        "stack" => assert_ne!(deeper(1), 0),
        // As under `panic = "abort"`.
        "panic" => {
            std::panic::set_hook(Box::new(|_| std::process::abort()));
            panic!("a panic that aborts");
        }
        other => unreachable!("{other}"),
    }
}

#[allow(unconditional_recursion)]
fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    deeper(depth + 1) + room[usize::try_from(depth % 64).unwrap()]
}

/// The program, where the environment declares that this process is one; else nothing.
#[test]
fn child() {
    let Some(folder) = std::env::var_os("TRIAL_FOLDER").map(PathBuf::from) else {
        return;
    };
    crate::events::write_to(&folder.join("events"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(&folder));
}

/// One command of the program's command line, where the environment declares it; else nothing.
#[test]
fn command() {
    let Ok(words) = std::env::var("TRIAL_COMMAND") else {
        return;
    };
    let folder = PathBuf::from(std::env::var_os("TRIAL_FOLDER").unwrap());
    let parser = cli::Command::augment_args(clap::Command::new("config").no_binary_name(true));
    let matches = parser.try_get_matches_from(words.split(' ')).unwrap();
    let command = cli::Command::from_arg_matches(&matches).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = command.write::<App>(&mut out, &mut err).unwrap();
    for (name, content) in [("code", vec![code]), ("out", out), ("err", err)] {
        fs::write(folder.join(name), content).unwrap();
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The program as the environment declares it.
fn declared(folder: &Path, keep: &Path) -> Builder<App> {
    let mut builder = Capacitor::<App>::builder();
    builder = builder.source(Source::file(folder.join("app.yaml").to_str().unwrap()));
    if number("TRIAL_LAYERS") != Some(1) {
        let other = folder.join("other.yaml");
        builder = builder.source(Source::file(other.to_str().unwrap()).optional());
    }
    if std::env::var_os("TRIAL_DROP_INS").is_some() {
        let files = Source::file(folder.join("conf.d/*.yaml").to_str().unwrap());
        builder = builder.source(files.settle(Duration::from_millis(50)).optional());
    }
    if std::env::var_os("TRIAL_ADMIN").is_some() {
        builder = builder.admin(format!("unix:{}/app.sock", folder.display()));
    }
    builder = builder
        .debounce(Duration::from_millis(10))
        .last_known_good(keep.to_str().unwrap(), Secrets::Omit);
    match number("TRIAL_PROBATION") {
        Some(milliseconds) => builder.probation(Duration::from_millis(milliseconds)),
        None => builder.trial(2),
    }
}

impl Root for App {
    fn declared() -> Builder<Self> {
        let folder = PathBuf::from(std::env::var_os("TRIAL_FOLDER").unwrap());
        let keep = std::env::var_os("TRIAL_KEEP").map(PathBuf::from);
        declared(&folder, &keep.unwrap_or_else(|| folder.join("last.json")))
    }
    fn global() -> &'static flux::__private::Global<Self> {
        unreachable!("no command reads it")
    }
    fn local() -> &'static std::thread::LocalKey<flux::__private::Local<Self>> {
        unreachable!("no command reads it")
    }
}

async fn run(folder: &Path) {
    let keep = std::env::var_os("TRIAL_KEEP").map(PathBuf::from);
    let mut keep = keep.unwrap_or_else(|| folder.join("last.json"));
    let wanders = std::env::var_os("TRIAL_WANDERS").is_some();
    if wanders {
        std::env::set_current_dir(folder).unwrap();
        keep = PathBuf::from("last.json");
    }
    let builder = declared(folder, &keep).on_apply(
        |_, proposed: std::sync::Arc<flux::Snapshot<App>>| async move {
            die("callback", &proposed.dies);
            Ok::<_, std::convert::Infallible>(())
        },
    );
    let capacitor = builder.build().unwrap();
    if wanders {
        std::env::set_current_dir("/").unwrap();
    }
    // A refused start goes on watching.
    let _ = capacitor.start().await;
    loop {
        if let Some(app) = capacitor.try_snapshot() {
            die("later", &app.dies);
        }
        let status = capacitor.status();
        let n = capacitor.try_snapshot().map(|app| app.n);
        let error = status.error.as_ref().map(ToString::to_string);
        let since = status.layers[0]
            .changed
            .map(|at| at.duration_since(UNIX_EPOCH));
        let since = since.map_or(0, |since| since.unwrap().as_nanos());
        let seen = format!(
            "{} {n:?}\n{}\n{}\napp.yaml changed at {since};\n",
            status.state,
            error.unwrap_or_default(),
            status
        );
        let beside = folder.join(".seen.new");
        fs::write(&beside, seen).unwrap();
        fs::rename(&beside, folder.join("seen")).unwrap();
        if fs::remove_file(folder.join("stop")).is_ok() {
            return capacitor.stop().await;
        }
        if fs::remove_file(folder.join("trust")).is_ok() {
            capacitor.trust().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A folder with a document, and the program over it.
pub struct Program {
    folder: tempfile::TempDir,
    child: Option<Child>,
    /// How long a probation lasts.
    pub probation: Option<Duration>,
    /// Where the last known good configuration is, if not beside the document.
    pub keep: Option<PathBuf>,
    /// Whether it declares one layer, `app.yaml`, and no other above it.
    pub has_one_layer: bool,
    /// Whether it declares the file by a relative path, and then goes to another folder.
    pub wanders: bool,
    /// Whether it answers its command line while it runs.
    pub has_admin: bool,
    /// Whether every file of `conf.d` is a layer, above the others.
    pub has_drop_ins: bool,
}

impl Program {
    pub fn new(document: &str) -> Self {
        let program = Program {
            folder: tempfile::tempdir().unwrap(),
            child: None,
            probation: None,
            keep: None,
            has_one_layer: false,
            wanders: false,
            has_admin: false,
            has_drop_ins: false,
        };
        program.write(document);
        program
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the document as people should.
    pub fn write(&self, document: &str) {
        self.write_to("app.yaml", document);
    }

    /// Writes one of the two documents, `app.yaml` or, above it, `other.yaml`.
    pub fn write_to(&self, name: &str, document: &str) {
        let beside = self.path(&format!("{name}.new"));
        fs::write(&beside, document).unwrap();
        fs::rename(&beside, self.path(name)).unwrap();
    }

    pub fn start(&mut self) {
        for name in ["seen", "events"] {
            let _ = fs::remove_file(self.path(name));
        }
        self.child = Some(self.process("child::child").spawn().unwrap());
    }

    /// Runs a command of the command line, and waits for its end: the code, and what it prints to both streams.
    pub fn command(&self, words: &str) -> (u8, String, String) {
        let mut command = self.process("child::command");
        let ended = command.env("TRIAL_COMMAND", words).status().unwrap();
        assert!(ended.success(), "{words}");
        let text = |name: &str| fs::read_to_string(self.path(name)).unwrap();
        (
            fs::read(self.path("code")).unwrap()[0],
            text("out"),
            text("err"),
        )
    }

    /// A process with the test of this name and what this program is declared as.
    fn process(&self, test: &str) -> Command {
        let mut command = Command::new("bash");
        // Address space and stack are bounded, and no core is dumped.
        command
            .args(["-c", "ulimit -c 0; ulimit -v 4000000; exec \"$@\"", "bash"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env("TRIAL_FOLDER", self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(keep) = &self.keep {
            command.env("TRIAL_KEEP", keep);
        }
        if let Some(probation) = self.probation {
            command.env("TRIAL_PROBATION", probation.as_millis().to_string());
        }
        if self.has_one_layer {
            command.env("TRIAL_LAYERS", "1");
        }
        if self.wanders {
            command.env("TRIAL_WANDERS", "1");
        }
        if self.has_drop_ins {
            command.env("TRIAL_DROP_INS", "1");
        }
        if self.has_admin {
            command.env("TRIAL_ADMIN", "1");
        }
        command
    }

    /// The child's number.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// What the program shows of itself, once it contains `wanted`.
    pub fn shows(&mut self, wanted: &str) -> String {
        let until = Instant::now() + LIMIT;
        let mut seen = String::new();
        while Instant::now() < until {
            seen = fs::read_to_string(self.path("seen")).unwrap_or_default();
            if seen.starts_with(wanted) {
                return seen;
            }
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "it died before {wanted:?}: {seen}");
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("never showed {wanted:?}: {seen}");
    }

    /// What the program shows of itself, once this is anywhere in it.
    pub fn shows_text(&mut self, wanted: &str) -> String {
        let until = Instant::now() + LIMIT;
        loop {
            let seen = fs::read_to_string(self.path("seen")).unwrap_or_default();
            if seen.contains(wanted) {
                return seen;
            }
            assert!(Instant::now() < until, "never showed {wanted:?}: {seen}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The record of trials, once it is as wanted: it is written beside the service, so that a slow disk holds up nothing.
    pub fn records(&self, is_wanted: impl Fn(&serde_json::Value) -> bool) -> String {
        self.holds("last.json.trial", |text| {
            text.is_some_and(|text| is_wanted(&serde_json::from_str(text).unwrap_or_default()))
        })
    }

    /// Waits until nothing is on trial or held against any content.
    pub fn has_no_record(&self) {
        self.holds("last.json.trial", |text| text.is_none());
    }

    /// What a file contains, once it is as wanted; of a file that is not there, nothing is.
    pub fn holds(&self, name: &str, is_wanted: impl Fn(Option<&str>) -> bool) -> String {
        let path = match (name, &self.keep) {
            ("last.json", Some(keep)) => keep.clone(),
            _ => self.path(name),
        };
        let until = Instant::now() + LIMIT;
        loop {
            let text = fs::read_to_string(&path).ok();
            if is_wanted(text.as_deref()) {
                return text.unwrap_or_default();
            }
            assert!(
                Instant::now() < until,
                "{name} never was as wanted: {text:?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A person trusts what the sources hold.
    pub fn trusts(&self) {
        fs::write(self.path("trust"), "").unwrap();
    }

    /// What it shows of itself, once it begins with one of these; none where it dies before.
    pub fn shows_one_or_dies(&mut self, wanted: &[&str]) -> Option<String> {
        let until = Instant::now() + LIMIT;
        loop {
            let seen = fs::read_to_string(self.path("seen")).unwrap_or_default();
            if wanted.iter().any(|wanted| seen.starts_with(wanted)) {
                return Some(seen);
            }
            if self.has_died_before(Instant::now() + Duration::from_millis(5)) {
                return None;
            }
            assert!(
                Instant::now() < until,
                "neither {wanted:?} nor dead: {seen}"
            );
        }
    }

    /// Whether it dies until then.
    pub fn has_died_before(&mut self, until: Instant) -> bool {
        let child = self.child.as_mut().unwrap();
        loop {
            if child.try_wait().unwrap().is_some() {
                self.child = None;
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the program has died.
    pub fn dies(&mut self) {
        let until = Instant::now() + LIMIT;
        let child = self.child.as_mut().unwrap();
        while Instant::now() < until {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(!status.success(), "it ended in good order");
                self.child = None;
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it lives");
    }

    /// Ends it from outside.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        fs::write(self.path("stop"), "").unwrap();
        let mut child = self.child.take().unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Runs once with this document, which becomes the last known good one.
    pub fn is_good(&mut self, document: &str, n: u32) {
        self.write(document);
        self.start();
        self.shows(&format!("{} Some({n})", State::Healthy));
        self.stop();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
