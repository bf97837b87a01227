//! Forks without a new program, as pre-forking servers do.

use super::*;
use crate::kit::alone;
use flux::Flux;
use std::{path::Path, sync::OnceLock};

/// What the fork has found out, by way of a file: a fork that hangs writes none.
fn in_a_fork(folder: &Path, act: impl FnOnce() -> String) -> String {
    let (report, begun) = (folder.join("report"), Instant::now());
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            let act = std::panic::AssertUnwindSafe(act);
            let text = std::panic::catch_unwind(act);
            let text = text.unwrap_or_else(|_| "it panicked".to_owned());
            fs::write(folder.join("new"), text).unwrap();
            fs::rename(folder.join("new"), &report).unwrap();
            // Nothing of the other process is to be ended here.
            std::process::abort();
        }
        fork::Fork::Parent(child) => {
            while !report.exists() {
                if begun.elapsed() > Duration::from_secs(120) {
                    let kill = std::process::Command::new("kill")
                        .args(["-9", &child.to_string()])
                        .status();
                    panic!("the fork hangs ({kill:?})");
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = fork::waitpid(child);
        }
    }
    let text = fs::read_to_string(&report).unwrap();
    fs::remove_file(report).unwrap();
    text
}

#[derive(Flux)]
#[flux(source = "file:${FLUX_TEST_FORK}/app.yaml")]
struct Declared {
    n: u32,
}

static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();

#[test]
fn a_fork_of_the_process_that_watches_is_not_live_and_can_start_anew() {
    let name = "runtimes::forks::a_fork_of_the_process_that_watches_is_not_live_and_can_start_anew";
    if std::env::var_os("FLUX_TEST_FORK").is_none() {
        let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
        let own = std::env::current_exe().unwrap();
        let run = std::process::Command::new(own)
            .args(["--exact", name, "--test-threads=1", "--nocapture"])
            .env("FLUX_TEST_FORK", folder.path())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&run.stdout);
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(printed.contains("1 passed"), "{printed}{said}");
        return;
    }
    let folder = std::path::PathBuf::from(std::env::var_os("FLUX_TEST_FORK").unwrap());
    let path = folder.join("app.yaml");
    fs::write(&path, "n: 1").unwrap();
    let runtime = runtime();
    let capacitor = Capacitor::<App>::builder()
        .source(Source::file(path.to_str().unwrap()))
        .build()
        .unwrap();
    runtime.block_on(async {
        capacitor.start().await.unwrap();
        Declared::start().await.unwrap();
    });
    let told = in_a_fork(&folder, || {
        let status = capacitor.status();
        assert!(!status.running, "{status:?}");
        assert!(matches!(healths(&capacitor)[..], [Health::Closed]));
        assert_eq!(capacitor.get().n, 1, "reads give what they gave");
        let here = super::runtime();
        here.block_on(async {
            let error = capacitor.start().await.expect_err("it is not here");
            assert!(matches!(error, Error::Forked { .. }), "{error}");
            for refused in [
                capacitor.reload().await.map(drop),
                capacitor.rollback(None).await.map(drop),
                capacitor.pin().await,
                capacitor.process().await.map(drop),
            ] {
                refused.expect_err("nothing runs here");
            }
            capacitor.stop().await;
            // What the attributes declare is started anew, and so is what is built here.
            Declared::start().await.unwrap();
            fs::write(&path, "n: 2").unwrap();
            crate::until("the file is watched here", || Declared::get().n == 2).await;
            let built = Capacitor::<App>::builder()
                .source(Source::file(path.to_str().unwrap()))
                .build()
                .unwrap();
            built.start().await.unwrap();
            fs::write(&path, "n: 3").unwrap();
            crate::until("both watch here", || {
                Declared::get().n == 3 && built.get().n == 3
            })
            .await;
            built.stop().await;
        });
        "right".to_owned()
    });
    assert_eq!(told, "right");
    // The process that watches has lost nothing.
    runtime.block_on(async {
        for n in 4..8 {
            fs::write(&path, format!("n: {n}")).unwrap();
            crate::until("it is seen as before", || {
                capacitor.get().n == n && Declared::get().n == n
            })
            .await;
        }
    });
    assert!(matches!(healths(&capacitor)[..], [Health::Live]));
}

#[test]
fn what_is_started_after_the_fork_alone_watches_there() {
    if !alone("runtimes::forks::what_is_started_after_the_fork_alone_watches_there") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.yaml");
    fs::write(&path, "n: 1").unwrap();
    let capacitor = Capacitor::<App>::builder()
        .source(Source::file(path.to_str().unwrap()))
        .build()
        .unwrap();
    let told = in_a_fork(folder.path(), || {
        runtime().block_on(async {
            capacitor.start().await.unwrap();
            fs::write(&path, "n: 2").unwrap();
            crate::until("it is watched here", || capacitor.get().n == 2).await;
        });
        "right".to_owned()
    });
    assert_eq!(told, "right");
}

/// Two capacitors of one process that keep one file are refused. That of the process before the fork is none of this process.
#[test]
fn a_fork_may_keep_the_file_that_the_process_before_it_keeps() {
    if !alone("runtimes::forks::a_fork_may_keep_the_file_that_the_process_before_it_keeps") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, kept) = (
        folder.path().join("app.yaml"),
        folder.path().join("last.json"),
    );
    fs::write(&path, "n: 1").unwrap();
    let keeping = || {
        let builder = Capacitor::<App>::builder().source(Source::file(path.to_str().unwrap()));
        let kept = kept.to_str().unwrap();
        let builder = builder.last_known_good(kept, flux::Secrets::Omit);
        builder.build().unwrap()
    };
    let (capacitor, runtime) = (keeping(), runtime());
    runtime.block_on(capacitor.start()).unwrap();
    let told = in_a_fork(folder.path(), || {
        let here = super::runtime();
        let started = here.block_on(keeping().start());
        started.map_or_else(|error| error.to_string(), |()| "right".to_owned())
    });
    assert_eq!(told, "right");
    runtime.block_on(capacitor.stop());
}
