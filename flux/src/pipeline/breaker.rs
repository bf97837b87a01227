//! When the circuit breaker refuses updates because the pipeline keeps failing, and when it asks again.

use super::{BoxError, Invalid, Request, service::Answer};
use crate::time::after;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// After `failures` consecutive failures nothing inside is called for `recovery`; then one probe is, and its outcome decides.
/// Updates meanwhile are refused with [`BreakerOpen`] and tried again later. A value that breaks rules counts neither way: it contains no
/// information about the code that would have been called.
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    failures: u32,
    recovery: Duration,
}

impl CircuitBreaker {
    /// Opens after so many failures in a row (at least one), for 30 s unless [`recovery`](CircuitBreaker::recovery) names another
    /// time.
    pub fn failures(failures: u32) -> Self {
        CircuitBreaker {
            failures: failures.max(1),
            recovery: Duration::from_secs(30),
        }
    }

    /// How long nothing is called before a probe is let through.
    #[must_use]
    pub fn recovery(mut self, recovery: Duration) -> Self {
        self.recovery = recovery;
        self
    }
}

impl<S> Layer<S> for CircuitBreaker {
    type Service = CircuitBreakerService<S>;
    fn layer(&self, inner: S) -> CircuitBreakerService<S> {
        CircuitBreakerService {
            inner,
            breaker: Arc::new(Mutex::new(Breaker {
                limit: self.failures,
                recovery: self.recovery,
                state: BreakerState::Closed { failed: 0 },
                capacitor: None,
            })),
        }
    }
}

/// The service of a [`CircuitBreaker`].
#[derive(Debug, Clone)]
pub struct CircuitBreakerService<S> {
    inner: S,
    breaker: Arc<Mutex<Breaker>>,
}

/// The breaker is open: what is inside it was not called.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct BreakerOpen {
    /// When a probe will be let through; zero while one is under way.
    pub retry_in: Duration,
}

impl fmt::Display for BreakerOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.retry_in.is_zero() {
            true => f.write_str("the circuit breaker is half-open and waits for its probe"),
            false => write!(
                f,
                "the circuit breaker is open for {:?} more",
                self.retry_in
            ),
        }
    }
}

impl std::error::Error for BreakerOpen {}

#[derive(Debug)]
struct Breaker {
    limit: u32,
    recovery: Duration,
    state: BreakerState,
    /// Whose breaker it is, for events.
    capacitor: Option<Arc<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum BreakerState {
    Closed { failed: u32 },
    Open { until: Instant },
    HalfOpen,
}

impl Breaker {
    /// Whether a call may pass now.
    fn admit(&mut self, now: Instant) -> Result<(), BreakerOpen> {
        match self.state {
            BreakerState::Closed { .. } => Ok(()),
            BreakerState::Open { until } if now >= until => {
                self.enter(BreakerState::HalfOpen);
                Ok(())
            }
            BreakerState::Open { until } => Err(BreakerOpen {
                retry_in: until - now,
            }),
            BreakerState::HalfOpen => Err(BreakerOpen {
                retry_in: Duration::ZERO,
            }),
        }
    }

    fn succeeded(&mut self) {
        self.enter(BreakerState::Closed { failed: 0 });
    }

    fn failed(&mut self, now: Instant) {
        let open = BreakerState::Open {
            until: after(now.into_std(), self.recovery).into(),
        };
        match self.state {
            BreakerState::Closed { failed } if failed + 1 < self.limit => {
                self.enter(BreakerState::Closed { failed: failed + 1 });
            }
            BreakerState::Closed { .. } | BreakerState::HalfOpen => self.enter(open),
            // A call that was let through before it opened.
            BreakerState::Open { .. } => {}
        }
    }

    /// The answer decides nothing: a new probe has to be sent.
    fn undecided(&mut self, now: Instant) {
        if self.state == BreakerState::HalfOpen {
            self.enter(BreakerState::Open { until: now });
        }
    }

    fn enter(&mut self, state: BreakerState) {
        let name = |state| match state {
            BreakerState::Closed { .. } => "closed",
            BreakerState::Open { .. } => "open",
            BreakerState::HalfOpen => "half-open",
        };
        let (old, new) = (name(self.state), name(state));
        self.state = state;
        if old != new {
            let name = self.capacitor.as_deref().unwrap_or_default();
            crate::observe::breaker(name, old, new);
        }
    }
}

fn lock(breaker: &Mutex<Breaker>) -> MutexGuard<'_, Breaker> {
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that was let through; one that is dropped before its answer has failed.
struct Call(Option<Arc<Mutex<Breaker>>>);

impl Call {
    fn answered<R>(mut self, answer: &Result<R, BoxError>) {
        if let Some(breaker) = self.0.take() {
            let mut breaker = lock(&breaker);
            match answer {
                Ok(_) => breaker.succeeded(),
                Err(error) if error.is::<Invalid>() => breaker.undecided(Instant::now()),
                Err(_) => breaker.failed(Instant::now()),
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(breaker) = self.0.take() {
            lock(&breaker).failed(Instant::now());
        }
    }
}

impl<C, S> Service<Request<C>> for CircuitBreakerService<S>
where
    S: Service<Request<C>, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Answer<S::Response>;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }
    fn call(&mut self, request: Request<C>) -> Self::Future {
        {
            let mut breaker = lock(&self.breaker);
            breaker
                .capacitor
                .get_or_insert_with(|| request.owner_name());
            if let Err(open) = breaker.admit(Instant::now()) {
                return Box::pin(std::future::ready(Err(open.into())));
            }
        }
        let call = Call(Some(Arc::clone(&self.breaker)));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            call.answered(&answer);
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECOVERY: Duration = Duration::from_secs(30);

    fn breaker(limit: u32) -> Breaker {
        Breaker {
            limit,
            recovery: RECOVERY,
            state: BreakerState::Closed { failed: 0 },
            capacitor: None,
        }
    }

    #[test]
    fn it_opens_after_exactly_so_many_failures_and_lets_one_probe_through() {
        let (mut breaker, now) = (breaker(3), Instant::now());
        for _ in 0..2 {
            breaker.failed(now);
            assert!(breaker.admit(now).is_ok());
        }
        breaker.failed(now);
        assert_eq!(breaker.admit(now).unwrap_err().retry_in, RECOVERY);
        let later = now + RECOVERY;
        assert!(breaker.admit(later).is_ok(), "the probe");
        assert!(breaker.admit(later).is_err(), "one probe at a time");
        breaker.failed(later);
        assert!(breaker.admit(later + RECOVERY / 2).is_err());
        assert!(breaker.admit(later + RECOVERY).is_ok());
        breaker.succeeded();
        assert_eq!(breaker.state, BreakerState::Closed { failed: 0 });
    }

    #[test]
    fn an_answer_that_says_nothing_changes_nothing_but_a_half_open_breaker() {
        let (mut breaker, now) = (breaker(2), Instant::now());
        breaker.failed(now);
        breaker.undecided(now);
        assert_eq!(breaker.state, BreakerState::Closed { failed: 1 });
        breaker.failed(now);
        breaker.undecided(now);
        let until = now + RECOVERY;
        assert_eq!(breaker.state, BreakerState::Open { until });
        assert!(breaker.admit(until).is_ok());
        breaker.undecided(until);
        assert!(breaker.admit(until).is_ok(), "another probe, at once");
    }

    #[test]
    fn a_success_in_between_begins_the_count_anew() {
        let (mut breaker, now) = (breaker(2), Instant::now());
        breaker.failed(now);
        breaker.succeeded();
        breaker.failed(now);
        assert!(breaker.admit(now).is_ok());
    }

    #[test]
    fn a_probe_that_is_dropped_has_failed() {
        let shared = Arc::new(Mutex::new(breaker(1)));
        lock(&shared).state = BreakerState::HalfOpen;
        drop(Call(Some(Arc::clone(&shared))));
        assert!(matches!(lock(&shared).state, BreakerState::Open { .. }));
    }

    proptest! {
        #[test]
        fn calls_pass_unless_the_last_ones_failed(
            limit in 1_u32..5,
            outcomes in proptest::collection::vec(any::<bool>(), 1..60),
        ) {
            let (mut breaker, now) = (breaker(limit), Instant::now());
            let mut in_a_row = 0;
            for fails in outcomes {
                let admitted = breaker.admit(now).is_ok();
                prop_assert_eq!(admitted, in_a_row < limit);
                if !admitted {
                    break;
                }
                if fails {
                    in_a_row += 1;
                    breaker.failed(now);
                } else {
                    in_a_row = 0;
                    breaker.succeeded();
                }
            }
        }
    }
}
