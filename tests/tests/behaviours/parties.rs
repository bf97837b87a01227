//! Parties to a change: all prepare, then readers see it, then all commit; or those that had prepared roll back.

use crate::kit::{App, Count, Log, Teller, over_a_channel, pass, running, say, settle};
use flux::{
    Snapshot, State,
    change::{Change, Party},
    pipeline::BoxError,
};
use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

#[tokio::test(start_paused = true)]
async fn all_prepare_in_order_then_readers_see_it_then_all_commit_in_order() {
    /// Tells what readers see at each of its calls.
    struct Watching(Log<String>, Arc<OnceLock<flux::Capacitor<App>>>);
    impl Watching {
        fn tell(&self, what: &str) {
            let seen = self.1.get().and_then(|capacitor| capacitor.try_snapshot());
            self.0
                .say(format!("{what}, readers see {:?}", seen.map(|app| app.n)));
        }
    }
    impl Party<App> for Watching {
        type Prepared = ();
        type Error = BoxError;
        async fn prepare(&self, _: &Change<App>) -> Result<(), BoxError> {
            self.tell("prepares");
            Ok(())
        }
        fn commit(&self, (): ()) {
            self.tell("commits");
        }
    }
    let log = Log::default();
    let own = Arc::new(OnceLock::new());
    let (capacitor, sender) = running(|builder| {
        builder
            .party(Watching(log.clone(), Arc::clone(&own)))
            .party(Teller::new("the other", &log))
    })
    .await;
    own.set(capacitor).unwrap();
    log.take();
    say(&sender, 2).await;
    settle().await;
    let told = [
        "prepares, readers see Some(1)",
        "the other prepares 2",
        "commits, readers see Some(2)",
        "the other commits 2",
    ];
    assert_eq!(log.take(), told);
    own.get().unwrap().stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_veto_rolls_back_those_that_had_prepared_in_reverse_and_asks_nobody_else() {
    let log = Log::default();
    let (capacitor, sender) = running(|builder| {
        builder
            .party(Teller::new("one", &log))
            .party(Teller::new("two", &log))
            .party(Teller::new("three", &log).vetoing(|app| app.n == 2))
            .party(Teller::new("four", &log))
    })
    .await;
    log.take();
    say(&sender, 2).await;
    settle().await;
    let told = [
        "one prepares 2",
        "two prepares 2",
        "three vetoes 2",
        "two rolls back 2",
        "one rolls back 2",
    ];
    assert_eq!(log.take(), told);
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Degraded, 1));
    let error = capacitor.last_error().unwrap().to_string();
    assert!(error.contains("`three` refused it: not 2"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_vetoed_change_is_prepared_again_on_schedule_until_nobody_vetoes() {
    let log = Log::default();
    let calls = Count::default();
    let count = calls.clone();
    let (capacitor, sender) = running(|builder| {
        builder
            .party(Teller::new("one", &log))
            .on_apply(move |_, _| {
                let vetoes = (1..3).contains(&count.add());
                async move { if vetoes { Err("not now") } else { Ok(()) } }
            })
    })
    .await;
    log.take();
    say(&sender, 2).await;
    pass(10.0).await;
    let told = [
        "one prepares 2",
        "one rolls back 2",
        "one prepares 2",
        "one rolls back 2",
        "one prepares 2",
        "one commits 2",
    ];
    assert_eq!(log.take(), told);
    assert_eq!(capacitor.state(), State::Healthy);
}

/// Counts what it prepares and what became of it; a preparation that is dropped unfinished counts as none.
#[derive(Clone, Default)]
struct Paired {
    prepared: Count,
    committed: Count,
    rolled_back: Count,
}

impl Party<App> for Paired {
    type Prepared = ();
    type Error = BoxError;
    async fn prepare(&self, _: &Change<App>) -> Result<(), BoxError> {
        self.prepared.add();
        Ok(())
    }
    fn commit(&self, (): ()) {
        self.committed.add();
    }
    fn rollback(&self, (): ()) {
        self.rolled_back.add();
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_ends_an_update_each_preparation_is_committed_or_rolled_back() {
    type Adjust = fn(flux::Builder<App>) -> flux::Builder<App>;
    async fn slow() -> Result<(), BoxError> {
        pass(30.0).await;
        Ok(())
    }
    fn on_two<F: Future<Output = Result<(), BoxError>> + Send + 'static>(
        builder: flux::Builder<App>,
        then: fn() -> F,
    ) -> flux::Builder<App> {
        builder.on_apply(move |_, next: Arc<Snapshot<App>>| async move {
            match next.n {
                2 => then().await,
                _ => Ok(()),
            }
        })
    }
    let cases: [(&str, Adjust, usize); 7] = [
        ("nothing", |builder| builder, 0),
        (
            "a veto",
            |builder| on_two(builder, || async { Err("no".into()) }),
            // The first try and those after 1, 3 and 7 s.
            4,
        ),
        (
            "a panic",
            |builder| on_two(builder, || async { panic!("out of cheese") }),
            4,
        ),
        (
            "a timeout",
            |builder| on_two(builder, slow).timeout(Duration::from_secs(100)),
            // It is stopped while it is at work.
            1,
        ),
        ("a stop", |builder| on_two(builder, slow), 1),
        (
            "a fallback",
            |builder| {
                on_two(builder, || async { Err("no".into()) })
                    .fallback(|request| async { Ok::<_, BoxError>(request) })
            },
            1,
        ),
        (
            "retries",
            |builder| {
                let none = Duration::ZERO;
                on_two(builder, || async { Err("no".into()) })
                    .retry(flux::pipeline::Retry::attempts(3).base(none).max(none))
            },
            12,
        ),
    ];
    for (end, adjust, rolled_back) in cases {
        let paired = Paired::default();
        let (capacitor, sender) = running(|builder| adjust(builder.party(paired.clone()))).await;
        say(&sender, 2).await;
        pass(8.0).await;
        capacitor.stop().await;
        let (prepared, committed) = (paired.prepared.get(), paired.committed.get());
        assert_eq!(paired.rolled_back.get(), rolled_back, "{end}");
        assert_eq!(prepared, committed + rolled_back, "{end}");
        let applied_by_party = committed - 1;
        assert_eq!(applied_by_party, usize::from(end == "nothing"), "{end}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_preparation_that_is_let_go_is_dropped_where_the_party_says_no_more() {
    struct Held(Count);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.add();
        }
    }
    struct Plain(Count);
    impl Party<App> for Plain {
        type Prepared = Held;
        type Error = BoxError;
        async fn prepare(&self, _: &Change<App>) -> Result<Held, BoxError> {
            Ok(Held(self.0.clone()))
        }
        fn commit(&self, held: Held) {
            std::mem::forget(held);
        }
    }
    let dropped = Count::default();
    let (_capacitor, sender) = running(|builder| {
        builder
            .party(Plain(dropped.clone()))
            .party(Teller::new("two", &Log::default()).vetoing(|app| app.n == 2))
    })
    .await;
    assert_eq!(dropped.get(), 0);
    say(&sender, 2).await;
    settle().await;
    assert_eq!(dropped.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_party_sees_the_change_and_is_called_by_its_types_name_unless_it_says_another() {
    #[derive(Default)]
    struct ConnectionPool {
        seen: Log<(Option<u32>, u32, Vec<String>)>,
    }
    impl Party<App> for ConnectionPool {
        type Prepared = ();
        type Error = &'static str;
        async fn prepare(&self, change: &Change<App>) -> Result<(), &'static str> {
            let previous = change.previous.as_ref().map(|app| app.n);
            self.seen.push((previous, change.current.n, change.paths()));
            (change.current.n < 3).then_some(()).ok_or("too many")
        }
        fn commit(&self, (): ()) {}
    }
    let pool = ConnectionPool::default();
    let seen = pool.seen.clone();
    let (capacitor, sender) = running(|builder| builder.party(pool)).await;
    for n in [2, 3] {
        say(&sender, n).await;
        settle().await;
    }
    let paths = |paths: &[&str]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    let told = [
        (None, 1, paths(&["n", "text"])),
        (Some(1), 2, paths(&["n"])),
        (Some(2), 3, paths(&["n"])),
    ];
    assert_eq!(seen.take(), told);
    let error = capacitor.last_error().unwrap().to_string();
    assert!(
        error.contains("`ConnectionPool` refused it: too many"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn callbacks_and_parties_are_asked_in_the_order_in_which_they_were_added() {
    let log = Log::default();
    let (one, two) = (log.clone(), log.clone());
    let (_capacitor, _sender) = running(|builder| {
        builder
            .on_apply(move |_, _| {
                one.say("the first callback");
                async { Ok::<_, BoxError>(()) }
            })
            .party(Teller::new("the party", &log))
            .on_apply(move |_, _| {
                two.say("the second callback");
                async { Ok::<_, BoxError>(()) }
            })
    })
    .await;
    let told = [
        "the first callback",
        "the party prepares 1",
        "the second callback",
        "the party commits 1",
    ];
    assert_eq!(log.take(), told);
}

#[tokio::test(start_paused = true)]
async fn a_reader_never_sees_a_value_that_a_party_vetoes() {
    let seen = Arc::new(Mutex::new(std::collections::BTreeSet::new()));
    let (capacitor, sender) = running(|builder| {
        builder
            .party(Teller::new("slow", &Log::default()).slow(1))
            .party(Teller::new("odd", &Log::default()).vetoing(|app| app.n % 2 == 0))
    })
    .await;
    let reading = {
        let (capacitor, seen) = (capacitor.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            loop {
                seen.lock().unwrap().insert(capacitor.get().n);
                pass(0.01).await;
            }
        })
    };
    for n in 2..=9 {
        say(&sender, n).await;
        pass(1.5).await;
    }
    reading.abort();
    let seen: Vec<u32> = seen.lock().unwrap().iter().copied().collect();
    assert_eq!(seen, [1, 3, 5, 7, 9]);
}

#[tokio::test(start_paused = true)]
async fn the_first_configuration_may_be_vetoed_too() {
    let log = Log::default();
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder
        .party(Teller::new("one", &log).vetoing(|app| app.n == 1))
        .build()
        .unwrap();
    say(&sender, 1).await;
    let error = capacitor.start().await.expect_err("vetoed").to_string();
    assert!(error.contains("`one` refused it: not 1"), "{error}");
    assert_eq!(capacitor.state(), State::Empty);
    assert!(capacitor.try_snapshot().is_none());
    say(&sender, 2).await;
    settle().await;
    assert_eq!((capacitor.state(), capacitor.get().n), (State::Healthy, 2));
}
