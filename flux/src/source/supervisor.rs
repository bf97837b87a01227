//! Keeps one watcher going: when a session counts as lost or silent, when it is begun again, how long a start waits for it.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use flux_syntax::format_duration;
use tokio::time::Instant;

use crate::problem::caught;

use super::{
    DynWatcher, ErrorKind, Health, Observation, Observer, Patience, SourceError, Terms,
    backoff::{Backoff, CAP},
};

/// Runs sessions of `watcher` for ever, reporting health to `observer`. Returns only when the source is closed.
pub(crate) async fn supervise(watcher: &mut dyn DynWatcher, observer: &Observer) {
    let asked = caught(|| (watcher.origin(), watcher.terms()));
    let (origin, terms) = asked.unwrap_or_else(|_| ("a source".to_owned(), Terms::default()));
    let observer = &observer.clone().with_resync(terms.resync);
    if let Some(deadline) = terms.deadline {
        observer.holds_for(deadline);
    }
    let mut silence = terms
        .patience
        .map(|patience| Box::pin(stand_in(patience, &origin, observer)));
    let mut sessions = pin!(sessions(watcher, observer, &origin, terms.deadline));
    poll_fn(|cx| {
        if let Some(waiting) = &mut silence
            && waiting.as_mut().poll(cx).is_ready()
        {
            silence = None;
        }
        sessions.as_mut().poll(cx)
    })
    .await;
}

async fn sessions(
    watcher: &mut dyn DynWatcher,
    observer: &Observer,
    origin: &str,
    deadline: Option<Duration>,
) {
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        let error = match session(watcher, observer, origin, deadline).await {
            Ok(()) => SourceError::transient(format!("{origin}: the watch ended; watching again")),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::Closed {
            tracing::debug!(%origin, "source closed");
            observer.closed();
            return;
        }
        let slow = error.kind() != ErrorKind::Transient;
        // What is refused right after it was read is not over: a list that is granted, and a watch that is not.
        let over = observer.has_observed() && (!slow || began.elapsed() >= CAP);
        backoff.failed(over);
        let pause = backoff.pause(slow, observer.was_live(), fastrand::f64());
        let pause = pause.max(error.retry_after(fastrand::f64()));
        // Its words are in `flux.source.stale`, where what they may not quote is known.
        tracing::debug!(%origin, kind = %error.kind(), attempt = backoff.failures(), ?pause, "source lost");
        observer.stale(error, backoff.failures());
        tokio::time::sleep(pause).await;
    }
}

/// What the source is taken for when nothing was received from it for too long a start.
async fn stand_in(patience: Patience, origin: &str, observer: &Observer) {
    tokio::time::sleep(patience.wait).await;
    observer.unheard(|health| match (patience.optional, health) {
        (true, _) => Observation::Absent,
        (false, Health::Stale { error, .. }) => Observation::Unreadable(error.clone()),
        (false, _) => Observation::Unreadable(SourceError::transient(format!(
            "{origin}: nothing was heard of it within {}",
            format_duration(patience.wait)
        ))),
    });
}

/// Ends when a session has shown no sign of life for `deadline`.
async fn silence(observer: &Observer, deadline: Option<Duration>) -> Duration {
    let Some(deadline) = deadline else {
        return std::future::pending().await;
    };
    loop {
        let due = observer.last_sign() + deadline;
        if due <= Instant::now() {
            return deadline;
        }
        tokio::time::sleep_until(due).await;
    }
}

/// One session, from its beginning; a panic of the watcher, and silence, are errors like any other.
pub(crate) async fn session(
    watcher: &mut dyn DynWatcher,
    observer: &Observer,
    origin: &str,
    deadline: Option<Duration>,
) -> Result<(), SourceError> {
    observer.begin();
    let panicked =
        |panic: String| SourceError::transient(format!("{origin}: the watcher panicked: {panic}"));
    let mut running = Some(caught(move || watcher.watch(observer)).map_err(panicked)?);
    let mut silent = pin!(silence(observer, deadline));
    let result = poll_fn(|cx| {
        let Some(session) = running.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        // First: where the process was stopped for longer than the deadline, what waits to be read may be as old as that.
        if let Poll::Ready(deadline) = silent.as_mut().poll(cx) {
            return Poll::Ready(Err(SourceError::transient(format!(
                "{origin}: no sign of life for {}",
                format_duration(deadline)
            ))));
        }
        match caught(|| session.as_mut().poll(cx)) {
            Ok(polled) => polled,
            Err(panic) => Poll::Ready(Err(panicked(panic))),
        }
    })
    .await;
    // Dropping what is left of a session runs the watcher's code too.
    let dropped = caught(|| drop(running.take())).map_err(panicked);
    result.and(dropped)
}

#[cfg(test)]
mod tests;
