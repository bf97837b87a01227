//! `reload()`: every source is read again now, and the caller has the outcome.

use flux::{
    Builder, Capacitor, Error, Flux, Format, Snapshot, Source,
    pipeline::BoxError,
    source::{Channel, Content, Observation, Observer, SourceError, Watcher},
};
use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

#[derive(Flux, Debug)]
#[flux(source = "file:never.yaml")]
struct App {
    #[flux(range = 1..=99)]
    n: u32,
    #[flux(default = 0)]
    m: u32,
}

/// A server that is asked every hour, or when it is asked for.
#[derive(Clone)]
struct Asked(Arc<Mutex<Result<String, String>>>);

impl Asked {
    fn holding(document: &str) -> Self {
        Asked(Arc::new(Mutex::new(Ok(document.to_owned()))))
    }
    fn set(&self, document: Result<&str, &str>) {
        *self.0.lock().unwrap() = document.map(str::to_owned).map_err(str::to_owned);
    }
    fn source(&self) -> Source {
        Source::watcher(self.clone()).format(Format::Yaml)
    }
}

impl Watcher for Asked {
    fn origin(&self) -> String {
        "a server".to_owned()
    }
    fn resync(&self) -> Option<Duration> {
        Some(Duration::from_secs(3600))
    }
    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        let mut resync = observer.resync();
        loop {
            let holds = self.0.lock().unwrap().clone();
            match holds {
                Ok(document) => {
                    observer.observe(Observation::Value(Content::new(document.into_bytes())))
                }
                Err(error) => return Err(SourceError::transient(error)),
            }
            resync.due().await;
        }
    }
}

async fn started(builder: Builder<App>) -> Capacitor<App> {
    // So long that nothing but a reload takes a change up.
    let builder = builder.debounce(Duration::from_secs(600));
    let capacitor = builder.build().unwrap();
    capacitor.start().await.unwrap();
    capacitor
}

#[tokio::test]
async fn a_reload_reads_every_source_now_and_answers_when_it_is_applied() {
    for manual in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.yaml");
        fs::write(&path, "n: 1").unwrap();
        let server = Asked::holding("m: 1");
        let mut builder = Capacitor::<App>::builder()
            .source(Source::file(path.to_str().unwrap()))
            .source(server.source())
            .override_with(Source::env("FLUX_RELOAD_").variables([("X", "y")]));
        if manual {
            builder = builder.manual();
        }
        let capacitor = started(builder).await;
        assert_eq!(capacitor.reload().await.expect("nothing has changed"), 1);
        for n in 2..5 {
            fs::write(&path, format!("n: {n}")).unwrap();
            server.set(Ok(&format!("m: {n}")));
            assert_eq!(capacitor.reload().await.unwrap(), u64::from(n));
            assert_eq!((capacitor.get().n, capacitor.get().m), (n, n));
        }
        capacitor.stop().await;
        let error = capacitor.reload().await.expect_err("it is stopped");
        assert!(matches!(error, Error::Stopped { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_reload_of_a_bad_document_has_the_report() {
    for manual in [false, true] {
        let server = Asked::holding("n: 1");
        let mut builder = Capacitor::<App>::builder().source(server.source());
        if manual {
            builder = builder.manual();
        }
        let capacitor = started(builder).await;
        server.set(Ok("n: 0"));
        let error = capacitor.reload().await.expect_err("a broken rule");
        assert!(matches!(error, Error::Refused(_)), "{error}");
        assert_eq!(
            error.to_string(),
            capacitor.last_error().unwrap().to_string()
        );
        assert_eq!(capacitor.get().n, 1);
        let again = capacitor.reload().await.expect_err("it is refused still");
        assert!(matches!(again, Error::Refused(_)), "{again}");
        server.set(Ok("n: 5"));
        assert_eq!(capacitor.reload().await.unwrap(), 2);
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_read_is_named_and_the_others_are_applied() {
    let (server, other) = (Asked::holding("n: 1"), Asked::holding("m: 1"));
    let capacitor = started(
        Capacitor::<App>::builder()
            .source(server.source())
            .source(other.source()),
    )
    .await;
    server.set(Err("no route to it"));
    other.set(Ok("m: 2"));
    let error = capacitor.reload().await.expect_err("it is lost");
    assert!(matches!(error, Error::Unread { .. }), "{error}");
    assert!(
        error.to_string().contains("a server (no route to it)"),
        "{error}"
    );
    assert_eq!((capacitor.get().n, capacitor.get().m), (1, 2));
    capacitor.stop().await;
}

/// Takes a request and answers nothing.
struct Silent;

impl Watcher for Silent {
    fn origin(&self) -> String {
        "a silent server".to_owned()
    }
    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        observer.value(&b"{\"m\": 1}"[..]);
        observer.resync().due().await;
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_answer_does_not_hold_a_reload_for_ever() {
    for manual in [false, true] {
        let server = Asked::holding("n: 1");
        let mut builder = Capacitor::<App>::builder()
            .source(server.source())
            .source(Source::watcher(Silent));
        if manual {
            builder = builder.manual();
        }
        let capacitor = started(builder).await;
        server.set(Ok("n: 2"));
        let began = tokio::time::Instant::now();
        let error = capacitor.reload().await.expect_err("one is silent");
        assert!(
            error.to_string().contains("a silent server (no answer"),
            "{error}"
        );
        assert!(began.elapsed() <= Duration::from_secs(11));
        assert_eq!(capacitor.get().n, 2);
        capacitor.stop().await;
    }
}

#[tokio::test]
async fn a_source_that_takes_no_requests_holds_what_it_has_sent() {
    let (sender, channel) = Channel::latest("channel");
    sender.try_send(&b"{\"n\": 1}"[..]).unwrap();
    let capacitor = started(Capacitor::<App>::builder().source(Source::watcher(channel))).await;
    sender.try_send(&b"{\"n\": 2}"[..]).unwrap();
    tokio::task::yield_now().await;
    assert_eq!(capacitor.reload().await.unwrap(), 2);
    assert_eq!(capacitor.get().n, 2);
    capacitor.stop().await;
}

#[tokio::test]
async fn a_reload_tries_again_what_a_callback_has_refused() {
    static OPEN: AtomicBool = AtomicBool::new(true);
    let server = Asked::holding("n: 1");
    let builder = Capacitor::<App>::builder().source(server.source());
    let capacitor = started(builder.on_apply(|_, _: Arc<Snapshot<App>>| async {
        match OPEN.load(Ordering::SeqCst) {
            true => Ok::<_, BoxError>(()),
            false => Err("not now".into()),
        }
    }))
    .await;
    OPEN.store(false, Ordering::SeqCst);
    server.set(Ok("n: 2"));
    let error = capacitor.reload().await.expect_err("the callback refuses");
    assert!(error.to_string().contains("not now"), "{error}");
    OPEN.store(true, Ordering::SeqCst);
    capacitor.reload().await.unwrap();
    assert_eq!(capacitor.get().n, 2);
    capacitor.stop().await;
}

#[tokio::test]
async fn a_reload_from_inside_the_own_pipeline_is_an_error_at_once() {
    static SEEN: Mutex<Option<String>> = Mutex::new(None);
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let server = Asked::holding("n: 1");
    let own: Arc<std::sync::OnceLock<flux::capacitor::WeakCapacitor<App>>> = Arc::default();
    let called = Arc::clone(&own);
    let builder = Capacitor::<App>::builder().source(server.source());
    let capacitor = builder
        .on_apply(move |_, _: Arc<Snapshot<App>>| {
            let capacitor = called.get().and_then(|own| own.upgrade());
            async move {
                CALLS.fetch_add(1, Ordering::SeqCst);
                if let Some(capacitor) = capacitor {
                    let error = capacitor.reload().await.expect_err("inside");
                    *SEEN.lock().unwrap() = Some(error.to_string());
                }
                Ok::<_, BoxError>(())
            }
        })
        .build()
        .unwrap();
    assert!(own.set(capacitor.downgrade()).is_ok());
    capacitor.start().await.unwrap();
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    let seen = SEEN.lock().unwrap().clone().expect("an answer");
    assert!(
        seen.contains("called from inside its own pipeline"),
        "{seen}"
    );
    capacitor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_at_once_all_see_what_was_there_when_they_were_called() {
    let server = Asked::holding("n: 1");
    let capacitor = started(Capacitor::<App>::builder().source(server.source())).await;
    let began = Instant::now();
    for n in 2..40 {
        server.set(Ok(&format!("n: {n}")));
        let (one, two) = tokio::join!(capacitor.reload(), capacitor.reload());
        assert_eq!(one.unwrap(), two.unwrap());
        assert_eq!(capacitor.get().n, n);
    }
    assert!(began.elapsed() < Duration::from_secs(60));
    capacitor.stop().await;
}

#[derive(Flux)]
#[flux(source = "file:never.yaml", reload_on = "SIGUSR2")]
struct Signalled {
    n: u32,
}

/// The default of this signal would end the test.
#[cfg(unix)]
#[tokio::test]
async fn a_signal_makes_every_source_be_read_again() {
    let server = Asked::holding("n: 1");
    let builders: [Builder<Signalled>; 2] = [
        Signalled::builder(),
        Capacitor::builder().reload_on(flux::capacitor::Signal::User2),
    ];
    for builder in builders {
        server.set(Ok("n: 1"));
        let builder = builder.clear_sources().source(server.source());
        let capacitor = builder.debounce(Duration::from_secs(600)).build().unwrap();
        capacitor.start().await.unwrap();
        for n in 2..5 {
            server.set(Ok(&format!("n: {n}")));
            let sent = std::process::Command::new("kill")
                .args(["-USR2", &std::process::id().to_string()])
                .status();
            assert!(sent.expect("a shell's `kill`").success());
            let mut follow = capacitor.follow(|app| &app.n);
            let seen = async { while *follow.changed().await.expect("it runs") != n {} };
            let limit = Duration::from_secs(60);
            tokio::time::timeout(limit, seen).await.expect("the signal");
        }
        capacitor.stop().await;
    }
}
