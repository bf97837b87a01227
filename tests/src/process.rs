//! A real server as a child process: on a free port, in a folder of its own, gone with its owner.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a server may take until it answers.
const READY: Duration = Duration::from_secs(60);

/// Builds the command that starts a server in a folder.
type Recipe = Box<dyn Fn(&Path) -> Command + Send + Sync>;
/// Tells whether a server answers.
type Probe = Box<dyn Fn() -> bool + Send + Sync>;

/// A running server, or one that was killed and can be started again on the same data.
pub struct Process {
    name: &'static str,
    folder: TempDir,
    recipe: Recipe,
    probe: Probe,
    child: Option<Child>,
    watchdog: Option<Child>,
}

impl Process {
    /// Starts it and waits until it answers.
    pub fn start(
        name: &'static str,
        recipe: impl Fn(&Path) -> Command + Send + Sync + 'static,
        probe: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let mut process = Self::prepare(name, recipe, probe);
        process.restart();
        process
    }

    /// As [`start`](Self::start), but nothing runs before [`restart`](Self::restart).
    pub fn prepare(
        name: &'static str,
        recipe: impl Fn(&Path) -> Command + Send + Sync + 'static,
        probe: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Process {
            name,
            folder: tempfile::Builder::new()
                .prefix(&format!("flux-{name}-"))
                .tempdir()
                .expect("a temporary folder"),
            recipe: Box::new(recipe),
            probe: Box::new(probe),
            child: None,
            watchdog: None,
        }
    }

    /// The folder that the server has for itself.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it, on what data it left, and waits until it answers.
    pub fn restart(&mut self) {
        self.restart_and(|_| {});
    }

    /// The same; `started` is called with the number of its process before it answers.
    pub fn restart_and(&mut self, started: impl Fn(u32)) {
        self.kill();
        let begin = Instant::now();
        loop {
            let child = self.child.get_or_insert_with(|| {
                let log = File::options()
                    .create(true)
                    .append(true)
                    .open(self.folder.path().join("log"))
                    .expect("a log file");
                let mut command = (self.recipe)(self.folder.path());
                command
                    .stdin(Stdio::null())
                    .stdout(log.try_clone().expect("the log file"))
                    .stderr(log);
                let child = command
                    .spawn()
                    .unwrap_or_else(|error| panic!("{}: {error}", self.name));
                self.watchdog = Some(watchdog(child.id(), self.folder.path()));
                started(child.id());
                child
            });
            if (self.probe)() {
                return;
            }
            // Its port may have been taken meanwhile, or its data still be locked by the one that was killed.
            if child.try_wait().is_ok_and(|exit| exit.is_some()) {
                self.call_off();
                self.child = None;
            }
            if begin.elapsed() > READY {
                let log = std::fs::read_to_string(self.folder.path().join("log"));
                panic!("{} does not answer: {}", self.name, log.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        // Before the server's number can become somebody else's.
        self.call_off();
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child");
            child.wait().expect("a child");
        }
    }

    /// Nobody waits for this program's end any more.
    fn call_off(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
    }

    /// Kills it and deletes its data.
    pub fn wipe(&mut self) {
        self.kill();
        for entry in std::fs::read_dir(self.folder.path()).expect("its folder") {
            let path = entry.expect("an entry").path();
            let gone = match path.is_dir() {
                true => std::fs::remove_dir_all(&path),
                false => std::fs::remove_file(&path),
            };
            gone.expect("its data are deleted");
        }
    }

    /// Kills it and copies its data, for [`put_back`](Self::put_back).
    pub fn copy(&mut self) -> TempDir {
        self.kill();
        let copy = tempfile::tempdir().expect("a temporary folder");
        copy_folder(self.folder.path(), copy.path());
        copy
    }

    /// Kills it and puts an older copy of its data in the place of them, as from a snapshot of the volume.
    pub fn put_back(&mut self, copy: &TempDir) {
        self.wipe();
        copy_folder(copy.path(), self.folder.path());
    }

    /// How many bytes of memory it has.
    pub fn resident(&self) -> u64 {
        resident(&self.id())
    }

    /// How long it has been at work on all processors together.
    pub fn worked(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id())).expect("Linux");
        let worked = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(worked.sum())
    }

    fn id(&self) -> String {
        self.child.as_ref().expect("it runs").id().to_string()
    }

    /// Stops its time; connections stay open and nobody answers.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets its time go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Sends it a signal, such as `HUP`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([format!("-{signal}"), self.id()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn copy_folder(from: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(
        copied.is_ok_and(|status| status.success()),
        "its data are copied"
    );
}

/// Waits for the end of this program, however it comes, and then kills the server and deletes its folder: what a static holds is
/// never dropped, and a program that is killed drops nothing.
fn watchdog(server: u32, folder: &Path) -> Child {
    // Only this program holds the other end of its input, which closes with it.
    const DUTY: &str = "read -r _; kill -9 \"$1\"; sleep 0.1; rm -rf \"$2\"";
    Command::new("sh")
        .args(["-c", DUTY, "watchdog", &server.to_string()])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C at the terminal is not for it.
        .process_group(0)
        .spawn()
        .expect("a shell")
}

/// How many bytes of memory a process has, by its number, or this one as `self`.
pub fn resident(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: Option<u64> = kilobytes.and_then(|number| number.trim().parse().ok());
    kilobytes.expect("a number") << 10
}

/// A port of this machine on which nobody listens.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// This port of this machine.
pub fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// A server's program: by `PATH`, or where `tests/servers/install` puts what the system has not.
///
/// None where it is missing, which is said loudly; a failure where `FLUX_TESTS_REQUIRED` is set.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed =
        ["", "nats/bin", "consul/usr/bin", "nginx/usr/sbin"].map(|folder| cache().join(folder));
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/bin".into()])
        .chain(installed)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        missing(name);
    }
    found
}

/// Says that a server is missing; a failure where `FLUX_TESTS_REQUIRED` is set.
pub fn missing(name: &str) {
    let required = std::env::var_os("FLUX_TESTS_REQUIRED").is_some();
    assert!(
        !required,
        "{name} is missing; tests/servers/install brings it"
    );
    eprintln!("SKIPPED: {name} is missing; tests/servers/install brings it");
}

/// Where `tests/servers/install` keeps what the system has not.
pub fn cache() -> PathBuf {
    if let Some(cache) = std::env::var_os("FLUX_SERVERS") {
        return cache.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    cache.unwrap_or_else(home).join("flux-servers")
}

/// What a server answers to a few bytes; empty where it does not answer within a second.
pub fn answer(address: SocketAddr, question: &str) -> String {
    use std::io::{Read, Write};
    let second = Duration::from_secs(1);
    let Ok(mut stream) = std::net::TcpStream::connect_timeout(&address, second) else {
        return String::new();
    };
    let patient = stream.set_read_timeout(Some(second));
    if patient.is_err() || stream.write_all(question.as_bytes()).is_err() {
        return String::new();
    }
    let mut bytes = [0; 1024];
    let length = stream.read(&mut bytes).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// The body of an HTTP page; empty where there is none.
pub fn page(address: SocketAddr, path: &str) -> String {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1))
    else {
        return String::new();
    };
    let mut text = String::new();
    let asked = write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    );
    let patient = stream.set_read_timeout(Some(Duration::from_secs(5)));
    if asked.and(patient).is_err() || stream.read_to_string(&mut text).is_err() {
        return String::new();
    }
    match text.split_once("\r\n\r\n") {
        Some((_, body)) => body.to_owned(),
        None => String::new(),
    }
}

/// Asks an HTTP server, and answers with the status and the body; status 0 where it does not answer.
pub fn http(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, Vec<u8>) {
    use std::io::{Read, Write};
    let asked = || {
        let mut stream = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        let mut part = [0; 1 << 16];
        // Not every server hangs up behind its answer.
        while !is_whole(&answer) {
            match stream.read(&mut part)? {
                0 => break,
                length => answer.extend_from_slice(&part[..length]),
            }
        }
        std::io::Result::Ok(answer)
    };
    let answer = asked().unwrap_or_default();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return (0, Vec::new());
    };
    let status = String::from_utf8_lossy(&answer[..end]);
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or(0), answer[end + 4..].to_vec())
}

/// Whether an answer has as many bytes as its head says.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|length| length.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}

/// How many connections to this port of this machine are established.
pub fn established(port: u16) -> usize {
    let ours = format!(":{port:04X}");
    let open = |line: &&str| {
        let mut words = line.split_whitespace().skip(1);
        let local = words.next().is_some_and(|local| local.ends_with(&ours));
        local && words.nth(1) == Some("01")
    };
    // Who listens to both kinds of addresses is in the second table with both.
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    let tables = tables.map(Result::unwrap_or_default);
    let count = |table: &String| table.lines().filter(open).count();
    tables.iter().map(count).sum()
}
