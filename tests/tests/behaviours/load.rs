//! `load()`: the configuration as a value, for programs that do not watch.

use flux::{
    Builder, Capacitor, Error, Flux, Snapshot, Source, State,
    pipeline::{BoxError, Request},
    source::{Channel, Observer, SourceError, Watcher},
};
use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

#[derive(Flux, Debug, PartialEq)]
#[flux(source = "file:never.yaml")]
struct Tool {
    #[flux(range = 1..=100)]
    jobs: u16,
    #[flux(default = "out")]
    target: String,
}

/// The struct's builder over this document and these variables.
fn over(folder: &tempfile::TempDir, document: &str) -> Builder<Tool> {
    let path = folder.path().join("tool.yaml");
    fs::write(&path, document).unwrap();
    Tool::builder()
        .clear_sources()
        .source(Source::file(path.to_str().expect("a path in Unicode")))
        .override_with(Source::env("TOOL_").variables([("TOOL_TARGET", "elsewhere")]))
}

#[test]
fn a_load_needs_no_runtime_and_returns_the_value_of_every_layer() {
    let folder = tempfile::tempdir().unwrap();
    let tool: Tool = over(&folder, "jobs: 4").load().expect("a good document");
    let target = "elsewhere".to_owned();
    assert_eq!(tool, Tool { jobs: 4, target });
    assert!(
        Tool::try_get().is_none(),
        "the static instance is not started"
    );
}

#[test]
fn the_function_on_the_type_reads_what_the_attributes_declare() {
    let error = Tool::load().expect_err("there is no such file");
    assert!(matches!(error, Error::Refused(_)), "{error}");
    assert!(error.to_string().contains("never.yaml"), "{error}");
}

#[tokio::test]
async fn a_refused_load_has_the_report_of_a_refused_start() {
    for document in ["jobs: 0", "jobs: x\ntargte: y", "jobs: [", "", "target: a"] {
        let folder = tempfile::tempdir().unwrap();
        let loaded = over(&folder, document).load().expect_err("a bad document");
        let capacitor = over(&folder, document).build().unwrap();
        let started = capacitor.start().await.expect_err("a bad document");
        assert_eq!(loaded.to_string(), started.to_string());
        capacitor.stop().await;
    }
}

#[tokio::test]
async fn a_load_works_inside_a_runtime() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(over(&folder, "jobs: 4").load().unwrap().jobs, 4);
}

/// Reports a document after some time, and whether it is still watched.
struct Late(&'static AtomicBool);

struct Watched(&'static AtomicBool);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Watcher for Late {
    fn origin(&self) -> String {
        "a late server".to_owned()
    }
    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        self.0.store(true, Ordering::SeqCst);
        let _watched = Watched(self.0);
        tokio::time::sleep(Duration::from_millis(50)).await;
        observer.value(&b"{\"jobs\": 7}"[..]);
        std::future::pending().await
    }
}

#[test]
fn a_load_waits_for_a_server_and_leaves_nothing_running() {
    static RUNNING: AtomicBool = AtomicBool::new(false);
    let builder = Capacitor::<Tool>::builder().source(Source::watcher(Late(&RUNNING)));
    assert_eq!(builder.load().unwrap().jobs, 7);
    assert!(!RUNNING.load(Ordering::SeqCst));
}

#[test]
fn a_load_does_not_wait_longer_than_the_startup_timeout() {
    let (_sender, channel) = Channel::buffered("a silent server", 1);
    let builder = Capacitor::<Tool>::builder()
        .source(Source::watcher(channel))
        .startup_timeout(Duration::from_millis(100));
    let began = Instant::now();
    let error = builder.load().expect_err("nothing came");
    assert!(matches!(error, Error::StartupTimeout { .. }), "{error}");
    assert!(error.to_string().contains("a silent server"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn stages_make_the_value_and_those_who_take_a_change_up_are_not_called() {
    static CALLED: AtomicUsize = AtomicUsize::new(0);
    let folder = tempfile::tempdir().unwrap();
    let tool = over(&folder, "jobs: 4")
        .transform(|request: Request<Tool>| {
            let (jobs, target) = (request.current.jobs * 2, String::new());
            request.with(Tool { jobs, target })
        })
        .on_apply(|_, _: Arc<Snapshot<Tool>>| {
            CALLED.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, BoxError>(()) }
        })
        .on_stop(|_: State| {
            CALLED.fetch_add(1, Ordering::SeqCst);
        })
        .last_known_good(
            folder.path().join("kept.json").to_str().unwrap(),
            flux::Secrets::Omit,
        )
        .load()
        .unwrap();
    assert_eq!(tool.jobs, 8);
    assert_eq!(CALLED.load(Ordering::SeqCst), 0);
    assert!(!folder.path().join("kept.json").exists());
    let refused = over(&folder, "jobs: 90")
        .transform(|request: Request<Tool>| {
            let (jobs, target) = (request.current.jobs * 2, String::new());
            request.with(Tool { jobs, target })
        })
        .load()
        .expect_err("what the stage made breaks a rule");
    assert!(refused.to_string().contains("jobs"), "{refused}");
}

#[test]
fn a_stage_that_keeps_the_value_is_named() {
    static KEPT: Mutex<Option<Arc<Snapshot<Tool>>>> = Mutex::new(None);
    let folder = tempfile::tempdir().unwrap();
    let error = over(&folder, "jobs: 4")
        .effect(|request: Request<Tool>| {
            *KEPT.lock().unwrap() = Some(request.current);
            async { Ok::<_, BoxError>(()) }
        })
        .load()
        .expect_err("it cannot be taken");
    assert!(error.to_string().contains("a stage keeps"), "{error}");
}

#[tokio::test]
async fn a_load_takes_no_part_in_the_last_known_good_file_nor_in_the_record_of_trials() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json");
    let with_file = |document: &str| {
        over(&folder, document)
            .last_known_good(kept.to_str().unwrap(), flux::Secrets::Omit)
            .trial(2)
    };
    // Nothing is written.
    assert_eq!(with_file("jobs: 4").load().unwrap().jobs, 4);
    assert!(!kept.exists());
    // A capacitor that keeps the file is in nobody's way, and its file stays as it is.
    let capacitor = with_file("jobs: 5").build().unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(with_file("jobs: 6").load().unwrap().jobs, 6);
    capacitor.stop().await;
    let before = fs::read(&kept).ok();
    // Nothing that is kept serves.
    with_file("jobs: 101").load().expect_err("a broken rule");
    assert_eq!(fs::read(&kept).ok(), before);
    // The record of a trial neither counts a load as a death nor holds anything back from one.
    let record = folder.path().join("kept.json.trial");
    fs::write(&record, "of an unknown version").unwrap();
    assert_eq!(with_file("jobs: 7").load().unwrap().jobs, 7);
    assert_eq!(
        fs::read_to_string(&record).unwrap(),
        "of an unknown version"
    );
}
