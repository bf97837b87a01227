//! Sessions that end, fail, hang and panic, by a script.

use super::*;
use crate::source::{Session, Watcher, backoff::SPREAD, mailbox::Mailbox};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Runs `script(n)` as its n-th session, counted from 1.
struct Scripted<F>(Arc<AtomicU32>, F);

impl<F, S> Watcher for Scripted<F>
where
    F: Fn(u32, Observer) -> S + Send + 'static,
    S: Future<Output = Result<(), SourceError>> + Send,
{
    fn origin(&self) -> String {
        "scripted".to_owned()
    }
    fn watch(
        &mut self,
        observer: &Observer,
    ) -> impl Future<Output = Result<(), SourceError>> + Send {
        (self.1)(self.0.fetch_add(1, Ordering::SeqCst) + 1, observer.clone())
    }
}

async fn run<F, S>(script: F) -> (Arc<Mailbox>, u32, Duration)
where
    F: Fn(u32, Observer) -> S + Send + 'static,
    S: Future<Output = Result<(), SourceError>> + Send + 'static,
{
    let mailbox = Mailbox::new(1);
    let sessions = Arc::new(AtomicU32::new(0));
    let mut watcher = Scripted(Arc::clone(&sessions), script);
    let begin = Instant::now();
    supervise(&mut watcher, &mailbox.observer(0)).await;
    (mailbox, sessions.load(Ordering::SeqCst), begin.elapsed())
}

fn closed() -> Result<(), SourceError> {
    Err(SourceError::closed("over"))
}

fn stale(mailbox: &Mailbox) -> (String, u32) {
    match mailbox.take().pop().and_then(|news| news.health) {
        Some(Health::Stale { error, attempt, .. }) => (error.to_string(), attempt),
        other => panic!("expected stale, found {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn closed_is_final() {
    let (mailbox, sessions, _) = run(|_, _| async { closed() }).await;
    assert_eq!(sessions, 1);
    assert!(matches!(mailbox.take()[0].health, Some(Health::Closed)));
}

#[tokio::test(start_paused = true)]
async fn ends_errors_and_panics_all_start_another_session() {
    let (_, sessions, _) = run(|n, _| async move {
        match n {
            1 => Ok(()),
            2 => Err(SourceError::transient("cut")),
            3 => panic!("in the session"),
            _ => closed(),
        }
    })
    .await;
    assert_eq!(sessions, 4);
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_first_await_is_caught_too() {
    let (_, sessions, _) = run(|n, _| {
        assert!(n > 1, "before there is a future");
        async { closed() }
    })
    .await;
    assert_eq!(sessions, 2);
}

#[tokio::test(start_paused = true)]
async fn an_end_shows_in_the_health_with_the_number_of_the_attempt() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    let mut watcher = Scripted(Arc::default(), |n, observer: Observer| async move {
        match n {
            1 => observer.value(*b"x"),
            2 => panic!("out of cheese"),
            _ => std::future::pending().await,
        }
        Ok(())
    });
    let check = async {
        tokio::task::yield_now().await;
        assert_eq!(
            stale(&mailbox),
            ("scripted: the watch ended; watching again".to_owned(), 1)
        );
        mailbox.changed().await;
        assert_eq!(
            stale(&mailbox),
            (
                "scripted: the watcher panicked: out of cheese".to_owned(),
                2
            )
        );
    };
    tokio::select! {
        () = supervise(&mut watcher, &observer) => panic!("it never ends"),
        () = check => {}
    }
}

/// What waits to be read was sent before the process was stopped, perhaps.
#[tokio::test(start_paused = true)]
async fn a_sign_that_is_read_after_the_deadline_is_none() {
    let deadline = Duration::from_secs(30);
    for (pause, lives) in [(29, true), (31, false)] {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        let server = Arc::new(tokio::sync::Notify::new());
        let line = Arc::clone(&server);
        let mut watcher = Scripted(Arc::default(), move |_, observer: Observer| {
            let line = Arc::clone(&line);
            async move {
                loop {
                    line.notified().await;
                    observer.live();
                }
            }
        });
        let mut session = pin!(session(&mut watcher, &observer, "scripted", Some(deadline)));
        let mut once = async || poll_fn(|cx| Poll::Ready(session.as_mut().poll(cx))).await;
        assert!(once().await.is_pending());
        server.notify_one();
        tokio::time::advance(Duration::from_secs(pause)).await;
        assert_eq!(once().await.is_pending(), lives, "{pause}");
        assert_eq!(mailbox.proven(0).at().is_some(), lives);
    }
}

#[tokio::test(start_paused = true)]
async fn permanent_failure_is_tried_at_a_bounded_rate() {
    let (_, _, took) = run(|n, _| async move {
        if n > 1_000 {
            return closed();
        }
        Err(SourceError::transient("down"))
    })
    .await;
    // The mean pause is 15 s once the ceiling is reached; the bound is far below what chance allows.
    assert!(took > Duration::from_secs(10_000), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_observed_the_source_resets_the_count() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    let mut watcher = Scripted(Arc::default(), |n, observer: Observer| async move {
        if n == 11 {
            observer.value(*b"x");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if n == 12 {
            std::future::pending::<()>().await;
        }
        Err(SourceError::transient(format!("session {n}")))
    });
    let check = async {
        let mut seen = Vec::new();
        while seen.last() != Some(&("session 11".to_owned(), 1)) {
            mailbox.changed().await;
            for news in mailbox.take() {
                if let Some(Health::Stale { error, attempt, .. }) = news.health {
                    seen.push((error.to_string(), attempt));
                }
            }
        }
        assert!(seen.contains(&("session 10".to_owned(), 10)), "{seen:?}");
    };
    tokio::select! {
        () = supervise(&mut watcher, &observer) => panic!("it never ends"),
        () = check => {}
    }
}

/// A proxy that ends each wait for a change after a minute makes no outage of it.
#[tokio::test(start_paused = true)]
async fn sessions_that_read_and_are_cut_are_tried_again_within_seconds() {
    let (_, _, took) = run(|n, observer: Observer| async move {
        if n > 100 {
            return closed();
        }
        observer.value(*b"x");
        Err(SourceError::transient("cut"))
    })
    .await;
    assert!(took < 100 * SPREAD, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_tried_again_within_seconds_at_first() {
    let (_, sessions, took) = run(|n, _| async move {
        if n > 3 {
            return closed();
        }
        Err(SourceError::permission("users are asked from now on"))
    })
    .await;
    assert_eq!(sessions, 4);
    assert!(took <= Duration::from_secs(7), "1, 2 and 4 s: {took:?}");
}

/// As where the rights are those to list and not to watch.
#[tokio::test(start_paused = true)]
async fn what_is_refused_right_after_each_reading_is_tried_less_and_less() {
    const TRIES: u32 = 200;
    let (_, _, took) = run(|n, observer| async move {
        observer.value(*b"read");
        match n {
            TRIES => closed(),
            _ => Err(SourceError::permission("no watch")),
        }
    })
    .await;
    let average = took / TRIES;
    assert!(average > Duration::from_secs(10), "{average:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_source_asks_to_be_left_alone_for_is_waited() {
    let (_, _, took) = run(|n, _| async move {
        match n {
            1 => Err(SourceError::transient("busy").after(Duration::from_secs(90))),
            2 => Err(SourceError::transient("busy").after(Duration::from_secs(86_400))),
            _ => closed(),
        }
    })
    .await;
    let seconds = took.as_secs();
    assert!(
        (390..=460).contains(&seconds),
        "90 s, and 300 s of a day: {took:?}"
    );
}

/// A watcher on other terms than its own.
struct On<W>(Terms, W);

impl<W: DynWatcher> DynWatcher for On<W> {
    fn origin(&self) -> String {
        self.1.origin()
    }
    fn watch<'a>(&'a mut self, observer: &'a Observer) -> Session<'a> {
        self.1.watch(observer)
    }
    fn terms(&self) -> Terms {
        self.0
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_without_a_sign_of_life_is_ended_and_another_one_started() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    let terms = Terms {
        deadline: Some(Duration::from_secs(10)),
        ..Terms::default()
    };
    let script = |n, observer: Observer| async move {
        // The first one beats for a minute, then hangs.
        for _ in 0..if n == 1 { 12 } else { 0 } {
            observer.live();
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        if n == 3 {
            return closed();
        }
        std::future::pending().await
    };
    let begin = Instant::now();
    let mut watcher = On(terms, Scripted(Arc::default(), script));
    let check = async {
        mailbox.changed().await;
        mailbox.take();
        mailbox.changed().await;
        assert_eq!(
            begin.elapsed().as_secs(),
            65,
            "ten seconds after the last sign"
        );
        assert_eq!(stale(&mailbox).0, "scripted: no sign of life for 10s");
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = supervise(&mut watcher, &observer) => {}
        () = check => {}
    }
    // The second one never gave any. Each pause is one after a loss.
    let longest = 75 + 2 * SPREAD.as_secs();
    assert!((75..=longest).contains(&begin.elapsed().as_secs()));
}

/// When each of a thousand that fail together, one second after their start, is watched again.
async fn returns(live: bool) -> Vec<Duration> {
    let returned = Arc::new(std::sync::Mutex::new(Vec::new()));
    let failed = Instant::now() + Duration::from_secs(1);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let returned = Arc::clone(&returned);
        all.spawn(run(move |n, observer: Observer| {
            let returned = Arc::clone(&returned);
            async move {
                if n > 1 {
                    returned.lock().unwrap().push(failed.elapsed());
                    return closed();
                }
                if live {
                    observer.live();
                }
                tokio::time::sleep_until(failed).await;
                Err(SourceError::transient("the server is gone"))
            }
        }));
    }
    all.join_all().await;
    std::mem::take(&mut *returned.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn who_loses_a_server_together_does_not_come_back_together() {
    let mut returns = returns(true).await;
    returns.sort_unstable();
    let within = |from: &Duration| {
        let end = *from + Duration::from_millis(100);
        returns
            .iter()
            .filter(|at| (*from..end).contains(*at))
            .count()
    };
    let most = returns.iter().map(within).max();
    // A thirtieth is expected; a tenth is beyond what chance allows.
    assert!(most < Some(100), "{most:?} of 1,000 in 100 ms");
    assert_eq!(returns.len(), 1_000);
    assert!(returns.last() <= Some(&(SPREAD + Duration::from_millis(1))));
}

#[tokio::test(start_paused = true)]
async fn a_first_start_is_not_spread() {
    let longest = returns(false).await.into_iter().max();
    assert!(longest <= Some(Duration::from_millis(101)), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn patience_ends_with_a_stand_in_only_while_nothing_was_heard() {
    let hear = |optional, speaks: bool, fails: bool| async move {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        let wait = Duration::from_secs(5);
        let terms = Terms {
            patience: Some(Patience { wait, optional }),
            ..Terms::default()
        };
        let script = move |_, observer: Observer| async move {
            if speaks {
                observer.value(*b"x");
            }
            if fails {
                return Err(SourceError::permission("refused"));
            }
            std::future::pending().await
        };
        let mut watcher = On(terms, Scripted(Arc::default(), script));
        let _ =
            tokio::time::timeout(Duration::from_secs(6), supervise(&mut watcher, &observer)).await;
        let news = mailbox.take().pop();
        news.and_then(|news| news.observation)
    };
    assert!(matches!(
        hear(true, false, false).await,
        Some(Observation::Absent)
    ));
    assert!(matches!(
        hear(true, true, false).await,
        Some(Observation::Value(_))
    ));
    let said = |observed| match observed {
        Some(Observation::Unreadable(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        said(hear(false, false, false).await),
        "scripted: nothing was heard of it within 5s"
    );
    assert_eq!(said(hear(false, false, true).await), "refused");
}
