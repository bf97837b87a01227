//! The program itself is stopped (`SIGSTOP`) for longer than the bound of its source, while the source changes: once it goes on, it is
//! not live with what it had, and it follows the source again.

use crate::{
    suite::KEY,
    watched::{App, BOUND, document},
};
use flux::{
    Capacitor, Source,
    source::{File, Health},
};
use flux_tests::servers::{self, Remote};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

const PLACE: &str = "FLUX_STOPPED_PLACE";
/// For how long the health may be ahead of the value, which the program takes up a moment later.
const MOMENT: Duration = Duration::from_secs(3);

/// The program, where the environment says that this process is one; else nothing.
#[test]
fn child() {
    let Ok(place) = env::var(PLACE) else {
        return;
    };
    let source = match place.strip_prefix("file:") {
        Some(path) => Source::watcher(File::new(path).resync(Duration::from_secs(1))),
        None => Source::uri(place.as_str()),
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let builder = Capacitor::<App>::builder().source(source);
    let capacitor = builder.debounce(Duration::ZERO).build().unwrap();
    runtime.block_on(capacitor.start()).unwrap();
    let (mut shown, mut last) = (String::new(), Instant::now());
    loop {
        let status = capacitor.status();
        let live = matches!(status.layers[0].health, Health::Live);
        let health = if live { "live" } else { "stale" };
        let now = format!("{health} {}", capacitor.get().n);
        if last.elapsed() > Duration::from_secs(3) {
            println!("resumed");
        }
        if now != shown {
            println!("{now}");
            std::io::stdout().flush().unwrap();
            shown = now;
        }
        last = Instant::now();
        thread::sleep(Duration::from_millis(2));
    }
}

struct Program {
    process: Child,
    lines: Receiver<String>,
}

impl Program {
    fn start(place: &str) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "stopped::child"])
            .env(PLACE, place)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Program { process, lines }
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for a line; what it is until then, and for how long.
    fn shows(&self, expected: &str) -> Vec<(String, Duration)> {
        let mut before: Vec<(String, Duration)> = Vec::new();
        let begin = Instant::now();
        let mut since = begin;
        loop {
            let left = BOUND.saturating_sub(begin.elapsed());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("never {expected}: {before:?}"));
            let now = Instant::now();
            if let Some((_, lasted)) = before.last_mut() {
                *lasted = now - since;
            }
            since = now;
            if line == expected {
                return before;
            }
            before.push((line, Duration::ZERO));
        }
    }

    /// Stops it, changes the source, and lets it go on: `old` is what it holds, `new` what the source does.
    fn sleeps(&self, pause: Duration, old: u64, new: u64, change: impl FnOnce()) {
        self.signal("-STOP");
        change();
        thread::sleep(pause);
        self.signal("-CONT");
        let shown = self.shows(&format!("live {new}"));
        let lie = format!("live {old}");
        let lied = (shown.iter()).any(|(line, lasted)| *line == lie && *lasted > MOMENT);
        assert!(!lied, "{shown:?}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `pause` is longer than the bound of the source with these options.
#[allow(dead_code, reason = "needs a server")]
async fn is_stopped<R: Remote>(options: &str, pause: u64) {
    let Some(server) = R::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let place = format!("{}{options}", server.uri(server.address(), KEY));
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let program = Program::start(&place);
        program.shows("live 1");
        for n in 2..=3 {
            let change = || runtime.block_on(server.write(KEY, &document(n)));
            program.sleeps(Duration::from_secs(pause), n - 1, n, change);
        }
    })
    .await
    .unwrap();
}

macro_rules! is_stopped {
    ($($feature:literal $name:ident $Server:ident $options:literal $pause:literal,)*) => {$(
        #[cfg(feature = $feature)]
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            is_stopped::<servers::$Server>($options, $pause).await;
        }
    )*};
}

is_stopped! {
    "consul" a_program_with_consul_that_was_stopped_is_not_live_with_the_old Consul "" 15,
    "etcd" a_program_with_etcd_that_was_stopped_is_not_live_with_the_old Etcd "" 18,
    "nats" a_program_with_nats_that_was_stopped_is_not_live_with_the_old Nats "" 24,
    "redis" a_program_with_redis_that_was_stopped_is_not_live_with_the_old Redis "?resync=1s" 9,
    "zookeeper" a_program_with_zookeeper_that_was_stopped_is_not_live_with_the_old ZooKeeper "" 18,
}

#[test]
fn a_program_with_a_file_that_was_stopped_is_not_live_with_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    fs::write(&path, document(1)).unwrap();
    let program = Program::start(&format!("file:{}", path.display()));
    program.shows("live 1");
    for n in 2..=3 {
        let change = || fs::write(&path, document(n)).unwrap();
        program.sleeps(Duration::from_secs(8), n - 1, n, change);
    }
}

/// It is stopped while a question is under way: the answer is there when it goes on, and as old as the stop.
#[cfg(feature = "https")]
#[test]
fn a_program_that_was_stopped_while_it_asked_does_not_take_the_answer_for_a_new_one() {
    use std::{
        io::Read,
        net::TcpListener,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let place = format!("http://{}/app.json#poll=3s", listener.local_addr().unwrap());
    let held = Arc::new(AtomicU64::new(1));
    let (asks, asked) = channel();
    let holds = Arc::clone(&held);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, asks, holds) = (client.unwrap(), asks.clone(), Arc::clone(&holds));
            thread::spawn(move || {
                let (mut head, mut byte) = (Vec::new(), [0]);
                while matches!(client.read(&mut byte), Ok(1)) {
                    head.extend(byte);
                    if head.ends_with(b"\r\n\r\n") {
                        head.clear();
                        let body = document(holds.load(Ordering::SeqCst));
                        let _ = asks.send(());
                        thread::sleep(Duration::from_secs(1));
                        let length = body.len();
                        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                        let _ = client.write_all(&[head.as_bytes(), &body].concat());
                    }
                }
            });
        }
    });
    let program = Program::start(&place);
    program.shows("live 1");
    for n in 2..=3 {
        while asked.try_recv().is_ok() {}
        asked.recv().unwrap();
        let change = || held.store(n, Ordering::SeqCst);
        program.sleeps(Duration::from_secs(10), n - 1, n, change);
    }
}
