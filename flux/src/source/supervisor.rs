//! Keeps one watcher going: session after session, with a pause that grows, until the source is closed.

use std::{
    any::Any,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
};

use super::{DynWatcher, ErrorKind, Observer, SourceError, backoff::Backoff};

/// Runs sessions of `watcher` for ever, reporting health to `observer`. Returns only when the source is closed.
pub(crate) async fn supervise(watcher: &mut dyn DynWatcher, observer: &Observer) {
    let origin = catch_unwind(AssertUnwindSafe(|| watcher.origin()))
        .unwrap_or_else(|_| "a source".to_owned());
    let mut backoff = Backoff::default();
    loop {
        let error = match session(watcher, observer, &origin).await {
            Ok(()) => SourceError::transient(format!("{origin}: the watch ended; watching again")),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::Closed {
            tracing::debug!(%origin, %error, "source closed");
            observer.closed();
            return;
        }
        backoff.failed(observer.live_for());
        let slow = error.kind() != ErrorKind::Transient;
        let pause = backoff.pause(slow, fastrand::f64());
        tracing::debug!(%origin, %error, attempt = backoff.failures(), ?pause, "source lost");
        observer.stale(error, backoff.failures());
        tokio::time::sleep(pause).await;
    }
}

/// One session; a panic of the watcher is an error like any other.
pub(crate) async fn session(
    watcher: &mut dyn DynWatcher,
    observer: &Observer,
    origin: &str,
) -> Result<(), SourceError> {
    let panicked = |payload: Box<dyn Any + Send>| {
        let said = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        SourceError::transient(format!("{origin}: the watcher panicked: {said}"))
    };
    let begin = AssertUnwindSafe(move || {
        let watcher = watcher;
        watcher.watch(observer)
    });
    let mut running = Some(catch_unwind(begin).map_err(panicked)?);
    let result = poll_fn(|cx| {
        let Some(session) = running.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        match catch_unwind(AssertUnwindSafe(|| session.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(payload) => Poll::Ready(Err(panicked(payload))),
        }
    })
    .await;
    // Dropping what is left of a session runs the watcher's code too.
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(running.take()))).map_err(panicked);
    result.and(dropped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{
        Watcher,
        backoff::CAP,
        inbox::{Health, Inbox},
    };
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };
    use tokio::time::Instant;

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

    async fn run<F, S>(script: F) -> (Arc<Inbox>, u32, Duration)
    where
        F: Fn(u32, Observer) -> S + Send + 'static,
        S: Future<Output = Result<(), SourceError>> + Send + 'static,
    {
        let inbox = Inbox::new(1);
        let sessions = Arc::new(AtomicU32::new(0));
        let mut watcher = Scripted(Arc::clone(&sessions), script);
        let begin = Instant::now();
        supervise(&mut watcher, &inbox.observer(0)).await;
        (inbox, sessions.load(Ordering::SeqCst), begin.elapsed())
    }

    fn closed() -> Result<(), SourceError> {
        Err(SourceError::closed("over"))
    }

    fn stale(inbox: &Inbox) -> (String, u32) {
        match inbox.take().pop().and_then(|news| news.health) {
            Some(Health::Stale { error, attempt, .. }) => (error.to_string(), attempt),
            other => panic!("expected stale, found {other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn closed_is_final() {
        let (inbox, sessions, _) = run(|_, _| async { closed() }).await;
        assert_eq!(sessions, 1);
        assert!(matches!(inbox.take()[0].health, Some(Health::Closed)));
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
        let inbox = Inbox::new(1);
        let observer = inbox.observer(0);
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
                stale(&inbox),
                ("scripted: the watch ended; watching again".to_owned(), 1)
            );
            inbox.changed().await;
            assert_eq!(
                stale(&inbox),
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
    async fn a_long_healthy_session_resets_the_count() {
        let inbox = Inbox::new(1);
        let observer = inbox.observer(0);
        let mut watcher = Scripted(Arc::default(), |n, observer: Observer| async move {
            if n == 11 {
                observer.live();
                tokio::time::sleep(CAP + Duration::from_secs(1)).await;
            }
            if n == 12 {
                std::future::pending::<()>().await;
            }
            Err(SourceError::transient(format!("session {n}")))
        });
        let check = async {
            let mut seen = Vec::new();
            while seen.last() != Some(&("session 11".to_owned(), 1)) {
                inbox.changed().await;
                for news in inbox.take() {
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
}
