//! Tests files that do not answer: no task is held up, and each store reports it.

#![allow(clippy::unwrap_used)] // In helpers too.

use super::*;
use crate::source::{DynWatcher, mailbox::Mailbox, open::open, renewed::Renewed};
use flux_syntax::Uri;
use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::PathBuf, process::Command};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// A file that is opened for reading as one on a file system that does not answer is: it takes until the end of the test.
struct Hanging {
    path: PathBuf,
    _folder: TempDir,
}

impl Hanging {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        Hanging {
            path,
            _folder: folder,
        }
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        // Whoever waits reads that it is empty.
        let mut options = OpenOptions::new();
        let _ = options
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&self.path);
    }
}

fn template(uri: &str) -> Remote {
    match flux_syntax::parse_uri(uri) {
        Ok(Uri::Remote(place)) => place,
        other => panic!("{uri}: {other:?}"),
    }
}

/// A source of each store whose connection needs a file.
const STORES: &[(&str, &str)] = &[
    #[cfg(feature = "consul")]
    ("consul", "consul://127.0.0.1:1/k?ca=FILE"),
    #[cfg(feature = "etcd")]
    ("etcd", "etcd://127.0.0.1:1/k?ca=FILE"),
    #[cfg(feature = "https")]
    ("https", "https://127.0.0.1:1/a.json#ca=FILE"),
    #[cfg(feature = "k8s")]
    ("k8s", "k8s://default/configmap/app/key?kubeconfig=FILE"),
    #[cfg(feature = "nats")]
    ("nats", "nats://127.0.0.1:1/b/k?ca=FILE"),
    #[cfg(feature = "nats")]
    ("nats, credentials", "nats://127.0.0.1:1/b/k?creds=FILE"),
    #[cfg(feature = "redis")]
    ("redis", "rediss://127.0.0.1:1/k?ca=FILE"),
    #[cfg(feature = "zookeeper")]
    ("zookeeper", "zookeeper://127.0.0.1:1/k?ca=FILE"),
];

/// A task on the only thread goes on while a session of this source begins.
async fn holds_nothing_up(name: &str, mut source: Box<dyn DynWatcher>) {
    let observer = Mailbox::new(1).observer(0);
    let begin = Instant::now();
    tokio::select! {
        ended = source.watch(&observer) => panic!("{name}: {ended:?}"),
        () = sleep(Duration::from_millis(100)) => {}
    }
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(3), "{name}: {took:?}");
}

/// Frees the thread of a test that fails, so that it ends.
fn freed_in_time(path: PathBuf) {
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(4));
        let mut options = OpenOptions::new();
        let _ = options
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path);
    });
}

#[tokio::test]
async fn a_file_of_a_connection_that_is_not_read_holds_up_no_other_task() {
    for (name, uri) in STORES {
        let file = Hanging::new();
        freed_in_time(file.path.clone());
        let uri = uri.replace("FILE", &file.path.display().to_string());
        let place = template(&uri).expand(&|_| None).unwrap();
        holds_nothing_up(name, open(place).unwrap()).await;
    }
}

/// As where work of the program takes all of them, and none ends. Nothing listens there, and the file has no certificate in it.
#[test]
fn a_session_of_each_store_ends_also_beside_a_full_pool_of_blocking_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let kubeconfig = "current-context: f\nclusters: [{name: f, cluster: {server: 'http://127.0.0.1:1'}}]\n\
                      users: [{name: f, user: {}}]\ncontexts: [{name: f, context: {cluster: f, user: f}}]\n";
    std::fs::write(&path, kubeconfig).unwrap();
    let (release, stuck) = std::sync::mpsc::channel::<()>();
    runtime.block_on(async {
        tokio::task::spawn_blocking(move || stuck.recv().is_ok());
        let sessions = STORES.iter().map(|(name, uri)| {
            let uri = uri.replace("FILE", &path.display().to_string());
            let place = template(&uri).expand(&|_| None).unwrap();
            let mut source = open(place).unwrap();
            let session = tokio::spawn(async move {
                let observer = Mailbox::new(1).observer(0);
                timeout(Duration::from_secs(60), source.watch(&observer)).await
            });
            (name, session)
        });
        for (name, session) in sessions.collect::<Vec<_>>() {
            let ended = session.await.unwrap();
            assert!(ended.unwrap_or_else(|_| panic!("{name} goes on")).is_err());
        }
    });
    drop(release);
}

#[tokio::test]
async fn a_password_in_a_file_that_is_not_read_holds_up_no_other_task() {
    let file = Hanging::new();
    freed_in_time(file.path.clone());
    let folder = file.path.parent().unwrap();
    // Any source that can be opened: it is not begun before the file is read.
    let template = template(&format!(
        "dir:{}/${{file:{}}}",
        folder.display(),
        file.path.display()
    ));
    let place = template.expand(&|_| Some("d".to_owned())).unwrap();
    let lookup = Arc::new(|name: &str| std::fs::read_to_string(name.strip_prefix("file:")?).ok());
    let source = Renewed::open(template, place, lookup, None).unwrap();
    holds_nothing_up("dir", Box::new(source)).await;
}

/// One more with each try would be the end of all threads.
#[tokio::test]
async fn a_file_that_is_not_read_is_an_error_in_time_and_costs_one_thread() {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    static READING: AtomicU32 = AtomicU32::new(0);
    let file = Hanging::new();
    let place = template("dir:/nowhere/at/all").expand(&|_| None).unwrap();
    let read = |path: PathBuf| {
        move || {
            READING.fetch_add(1, SeqCst);
            Ok(std::fs::read(path).is_ok())
        }
    };
    for _ in 0..3 {
        let limit = Duration::from_millis(100);
        let error = read_for(&place, limit, read(file.path.clone()))
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("dir:/nowhere/at/all: a file that it needs"),
            "{text}"
        );
        assert_eq!(error.kind(), crate::source::ErrorKind::Transient);
    }
    assert_eq!(READING.load(SeqCst), 1);
    // Another source's are read, and these as well once the first reading has ended.
    let other = template("dir:/nowhere/else").expand(&|_| None).unwrap();
    let minute = Duration::from_secs(60);
    assert!(read_for(&other, minute, || Ok(())).await.is_ok());
    drop(file);
    assert!(read_for(&place, minute, || Ok(())).await.is_ok());
}

/// Its place in the queue would be kept by what nobody waits for.
#[test]
fn what_is_given_up_before_it_was_begun_holds_up_nobody_else() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (release, stuck) = std::sync::mpsc::channel::<()>();
    let place = template("dir:/given/up").expand(&|_| None).unwrap();
    runtime.block_on(async {
        tokio::task::spawn_blocking(move || stuck.recv().is_ok());
        let limit = Duration::from_millis(100);
        assert!(read_for(&place, limit, || Ok(())).await.is_err());
        let minute = Duration::from_secs(60);
        assert!(read_for(&place, minute, || Ok(())).await.is_ok());
    });
    drop(release);
}

/// As under a capacitor that is driven by hand, on a runtime that was built for it alone.
#[test]
fn a_runtime_without_timers_is_enough() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let read = || runtime.block_on(off_the_worker(|| 7));
    assert_eq!(read(), Ok(7));
    // The only blocking thread is taken, too.
    let (end, ended) = mpsc::channel::<()>();
    runtime.spawn_blocking(move || ended.recv().is_err());
    assert_eq!(read(), Ok(7));
    drop(end);
}
