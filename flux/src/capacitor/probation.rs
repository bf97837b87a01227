//! The time after a commit in which the program's own health can take it back.

use crate::{
    Snapshot,
    pipeline::{Answer, BoxError, guarded},
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, error::Elapsed, sleep_until, timeout};

/// The program's own health check.
pub(crate) type HealthCheck<C> = Arc<dyn Fn(Arc<Snapshot<C>>) -> Answer<()> + Send + Sync>;

type Running = Pin<Box<dyn Future<Output = Result<Result<(), BoxError>, Elapsed>> + Send>>;

/// One configuration on probation.
pub(crate) struct Probation<C> {
    pub(crate) snapshot: Arc<Snapshot<C>>,
    until: Instant,
    every: Duration,
    /// How long one check may take.
    patience: Duration,
    check: Option<HealthCheck<C>>,
    running: Option<Running>,
    next: Pin<Box<Sleep>>,
}

/// The check runs ten times in a probation, but not more often and not less often than this.
const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_secs(10);

impl<C: Send + Sync + 'static> Probation<C> {
    pub(crate) fn new(
        snapshot: Arc<Snapshot<C>>,
        window: Duration,
        check: Option<HealthCheck<C>>,
    ) -> Self {
        let now = Instant::now();
        let until = now + window;
        let every = (window / 10).clamp(OFTEN, SELDOM);
        let first = match check {
            Some(_) => (now + every).min(until),
            None => until,
        };
        Probation {
            snapshot,
            until,
            every,
            patience: window.max(OFTEN),
            check,
            running: None,
            next: Box::pin(sleep_until(first)),
        }
    }

    /// Whether it is over: survived, or why not. The last check runs at the end of the window. One that does not answer for as long
    /// as the window is a failure.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        loop {
            if let Some(running) = &mut self.running {
                match running.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(_)) => {
                        let limit = self.patience;
                        let text = format!("the health check failed: no answer within {limit:?}");
                        return Poll::Ready(Err(text));
                    }
                    Poll::Ready(Ok(Err(error))) => {
                        return Poll::Ready(Err(format!("the health check failed: {error}")));
                    }
                    Poll::Ready(Ok(Ok(()))) => self.running = None,
                }
                if Instant::now() >= self.until {
                    return Poll::Ready(Ok(()));
                }
                let at = (Instant::now() + self.every).min(self.until);
                self.next.as_mut().reset(at);
            }
            std::task::ready!(self.next.as_mut().poll(cx));
            let Some(check) = self.check.clone() else {
                return Poll::Ready(Ok(()));
            };
            let snapshot = Arc::clone(&self.snapshot);
            let answer = guarded(move || check(snapshot), "it");
            self.running = Some(Box::pin(timeout(self.patience, answer)));
        }
    }
}
