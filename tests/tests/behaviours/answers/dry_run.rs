//! What parties answer to a plan: they prepare, and roll back, and nothing is applied.

use flux::{
    Capacitor, Flux, Format, Source,
    change::{Change, Party},
    inspect::{Inputs, PartyVerdict, PlannedUpdate},
    source::{Channel, ChannelSender},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Flux, Debug, Clone)]
struct App {
    #[flux(default = 80, range = 1..=9999)]
    port: u16,
    #[flux(default = 1, restart)]
    threads: u32,
    #[flux(secret, default = "changeit")]
    token: String,
}

type Log = Arc<Mutex<Vec<String>>>;

/// Prepares with its name, refuses the port 13, never answers to 14, panics at 15.
struct Listed(&'static str, Log);

impl Listed {
    fn log(&self, what: &str) {
        self.1.lock().unwrap().push(format!("{} {what}", self.0));
    }
}

impl Party<App> for Listed {
    type Prepared = u16;
    type Error = String;
    fn name(&self) -> String {
        self.0.to_owned()
    }
    async fn prepare(&self, change: &Change<App>) -> Result<u16, String> {
        let port = change.current.port;
        match (self.0, port) {
            ("second", 13) => return Err(format!("no token such as {}", change.current.token)),
            ("second", 14) => std::future::pending().await,
            ("second", 15) => panic!("fifteen"),
            _ => {}
        }
        tokio::task::yield_now().await;
        self.log(&format!("prepares {port}"));
        Ok(port)
    }
    fn commit(&self, port: u16) {
        self.log(&format!("commits {port}"));
    }
    fn rollback(&self, port: u16) {
        self.log(&format!("rolls {port} back"));
    }
}

async fn app(manual: bool) -> (ChannelSender, Capacitor<App>, Log) {
    let (sender, channel) = Channel::buffered("app.yaml", 4);
    let log = Log::default();
    let applied = Arc::clone(&log);
    let builder = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .party(Listed("first", Arc::clone(&log)))
        .on_apply(move |_, next| {
            applied
                .lock()
                .unwrap()
                .push(format!("callback {}", next.port));
            async { Ok::<(), String>(()) }
        })
        .party(Listed("second", Arc::clone(&log)))
        .party(Listed("third", Arc::clone(&log)));
    let builder = if manual { builder.manual() } else { builder };
    sender.send(b"port: 1".to_vec()).await.unwrap();
    let app = builder.build().unwrap();
    app.start().await.unwrap();
    log.lock().unwrap().clear();
    (sender, app, log)
}

async fn planned(app: &Capacitor<App>, text: &str) -> PlannedUpdate {
    let inputs = Inputs::new().layer("app.yaml", text);
    app.plan_with_parties(&inputs).await.unwrap()
}

fn verdicts(plan: &PlannedUpdate) -> Vec<(&str, &'static str)> {
    let parties = plan.parties.iter();
    parties
        .map(|one| (one.party.as_str(), one.verdict.as_str()))
        .collect()
}

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut log.lock().unwrap())
}

#[tokio::test]
async fn every_party_prepares_and_rolls_back_and_nothing_is_applied() {
    for manual in [false, true] {
        let (_sender, app, log) = app(manual).await;
        let plan = planned(&app, "port: 2").await;
        assert_eq!(
            verdicts(&plan),
            [
                ("`first`", "ready"),
                ("the apply callback", "not_asked"),
                ("`second`", "ready"),
                ("`third`", "ready")
            ]
        );
        assert_eq!(
            taken(&log),
            [
                "first prepares 2",
                "second prepares 2",
                "third prepares 2",
                "third rolls 2 back",
                "second rolls 2 back",
                "first rolls 2 back"
            ]
        );
        assert_eq!((app.get().port, app.status().generation), (1, 1));
        assert!(app.status().under_way.is_none());
        let text = plan.to_string();
        assert!(text.contains("\n  port: 1 -> 2 (app.yaml:1:7)\n  `first` is ready\n  the apply callback was not asked"), "{text}");
        let json = serde_json::to_value(&plan).unwrap();
        assert_eq!(json["parties"][2]["verdict"], "ready");
        // Updates go on.
        app.stop().await;
    }
}

#[tokio::test]
async fn a_party_that_would_refuse_is_named_with_its_reason_and_without_secrets() {
    let (_sender, app, log) = app(false).await;
    let plan = planned(&app, "port: 13\ntoken: hunter2hunter2").await;
    assert_eq!(verdicts(&plan)[2], ("`second`", "vetoed"));
    assert_eq!(verdicts(&plan)[3], ("`third`", "ready"));
    let text = format!("{plan}{plan:?}{}", serde_json::to_string(&plan).unwrap());
    assert!(text.contains("`second` would refuse: "), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(taken(&log).len(), 4);
    let plan = planned(&app, "port: 15").await;
    assert!(
        matches!(&plan.parties[2].verdict, PartyVerdict::Vetoed(why) if why.contains("panicked: fifteen")),
        "{plan}"
    );
}

#[tokio::test]
async fn nobody_is_asked_about_what_no_update_would_ask_about() {
    let (_sender, app, log) = app(false).await;
    for text in [
        "port: 1 # the same",
        "port: 1\nthreads: 9",
        "port: 0",
        "port: x",
    ] {
        let plan = planned(&app, text).await;
        assert!(plan.parties.is_empty(), "{text}: {plan}");
    }
    assert!(taken(&log).is_empty());
    let inputs = Inputs::new().layer("app.yaml", "port: 2");
    assert!(app.plan(&inputs).unwrap().parties.is_empty());
    app.stop().await;
    let plan = planned(&app, "port: 2").await;
    assert!(
        plan.to_string()
            .contains("note: the parties were not asked: "),
        "{plan}"
    );
    assert!(taken(&log).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_ends_in_time_and_updates_go_on_after_it() {
    let (sender, app, log) = app(false).await;
    let began = tokio::time::Instant::now();
    let plan = planned(&app, "port: 14").await;
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    assert_eq!(verdicts(&plan)[2], ("`second`", "no_answer"));
    assert_eq!(verdicts(&plan)[3], ("`third`", "no_answer"));
    assert_eq!(taken(&log), ["first prepares 14", "first rolls 14 back"]);
    // One whose caller has gone ends at once, and what has come meanwhile is applied.
    let inputs = Inputs::new().layer("app.yaml", "port: 14");
    let waiting = app.plan_with_parties(&inputs);
    let _ = tokio::time::timeout(Duration::from_secs(1), waiting).await;
    sender.send(b"port: 3".to_vec()).await.unwrap();
    let began = tokio::time::Instant::now();
    while app.get().port != 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(2));
    let log = taken(&log);
    assert!(log.contains(&"first rolls 14 back".to_owned()), "{log:?}");
    assert_eq!(
        log.iter()
            .filter(|one| one.starts_with("first commits"))
            .count(),
        1,
        "{log:?}"
    );
}

#[tokio::test]
async fn an_update_waits_for_a_dry_run_and_is_not_among_it() {
    let (sender, app, log) = app(false).await;
    let plans = (0..20).map(|_| planned(&app, "port: 2"));
    let plans: Vec<_> = plans.collect();
    let updates = async {
        for port in 3..10 {
            sender
                .send(format!("port: {port}").into_bytes())
                .await
                .unwrap();
            tokio::task::yield_now().await;
        }
    };
    let all = async {
        for plan in plans {
            plan.await;
        }
    };
    tokio::join!(updates, all);
    // Between one that prepares and the end of it nobody else prepares.
    let mut open: Option<String> = None;
    for line in taken(&log) {
        let number = line
            .split(' ')
            .find(|word| word.parse::<u16>().is_ok())
            .unwrap()
            .to_owned();
        if line.starts_with("first prepares") {
            assert_eq!(open, None, "{line}");
            open = Some(number);
        } else if line.starts_with("first rolls") || line.starts_with("third commits") {
            assert_eq!(open.take(), Some(number));
        }
    }
}

/// Has a name at first, and panics when it is asked for it later.
struct Nameless(std::sync::atomic::AtomicBool);

impl Party<App> for &'static Nameless {
    type Prepared = ();
    type Error = String;
    fn name(&self) -> String {
        let is_asked = self.0.load(std::sync::atomic::Ordering::Relaxed);
        assert!(!is_asked, "no name such as hunter2hunter2");
        "nameless".to_owned()
    }
    async fn prepare(&self, _: &Change<App>) -> Result<(), String> {
        Ok(())
    }
    fn commit(&self, (): ()) {}
}

#[tokio::test]
async fn a_party_that_panics_outside_of_its_answer_leaves_no_plan_without_a_word() {
    static NAMELESS: Nameless = Nameless(std::sync::atomic::AtomicBool::new(false));
    let log = Log::default();
    let (sender, channel) = Channel::buffered("app.yaml", 4);
    let app = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .party(Listed("first", Arc::clone(&log)))
        .party(&NAMELESS)
        .build()
        .unwrap();
    sender.send(b"port: 1".to_vec()).await.unwrap();
    app.start().await.unwrap();
    taken(&log);
    NAMELESS.0.store(true, std::sync::atomic::Ordering::Relaxed);
    let plan = planned(&app, "port: 2\ntoken: hunter2hunter2").await;
    NAMELESS
        .0
        .store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(
        plan.notes,
        ["the parties were not asked: code of a party panicked where it must not"]
    );
    assert_eq!(taken(&log), ["first prepares 2", "first rolls 2 back"]);
    assert_eq!(
        verdicts(&planned(&app, "port: 2").await)[1],
        ("`nameless`", "ready")
    );
    app.stop().await;
}
