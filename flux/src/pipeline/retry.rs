//! How often, and after which pauses, the pipeline is tried again for one update.

use super::{BoxError, Invalid, Request};
use crate::time::ceiling;
use std::{future::Future, pin::Pin, time::Duration};
use tower::retry::Policy;
use tower_layer::Layer;

/// Tries a failed update again. The pause before the n-th retry is a random time below `base` doubled n - 1 times, and below `max`.
/// A value that breaks rules is not tried again.
///
/// ```
/// use flux::pipeline::Retry;
/// use std::time::Duration;
///
/// let three_times = Retry::attempts(3);
/// let patient = Retry::attempts(10).base(Duration::from_secs(1)).max(Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
pub struct Retry {
    attempts: u32,
    base: Duration,
    max: Duration,
}

impl Retry {
    /// Asks so many times in all: the first try counts, so 0 and 1 both mean no retry. The pauses are below 100 ms at first and below
    /// 10 s at last, unless [`base`](Retry::base) and [`max`](Retry::max) name others.
    pub fn attempts(attempts: u32) -> Self {
        Retry {
            attempts,
            base: Duration::from_millis(100),
            max: Duration::from_secs(10),
        }
    }

    /// The ceiling of the first pause; doubled for each one after it.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// The ceiling of every pause.
    #[must_use]
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }
}

/// The service of a [`Retry`].
pub type RetryService<S> = tower::retry::Retry<Again, S>;

impl<S> Layer<S> for Retry {
    type Service = RetryService<S>;
    fn layer(&self, inner: S) -> RetryService<S> {
        let again = Again {
            rules: self.clone(),
            failed: 0,
        };
        tower::retry::Retry::new(again, inner)
    }
}

/// How often one update has failed.
#[derive(Debug, Clone)]
pub struct Again {
    rules: Retry,
    failed: u32,
}

impl<C, R> Policy<Request<C>, R, BoxError> for Again {
    type Future = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn retry(
        &mut self,
        request: &mut Request<C>,
        answer: &mut Result<R, BoxError>,
    ) -> Option<Self::Future> {
        let error = answer.as_ref().err()?;
        self.failed += 1;
        if self.failed >= self.rules.attempts || error.is::<Invalid>() {
            return None;
        }
        let ceiling = ceiling(self.failed, self.rules.base, self.rules.max);
        let pause = ceiling.mul_f64(fastrand::f64());
        let (name, update) = (request.capacitor(), request.correlation_id());
        let safe = || request.safe(error);
        crate::observe::retried(name, update, self.failed, pause, &safe);
        Some(Box::pin(tokio::time::sleep(pause)))
    }

    fn clone_request(&mut self, request: &Request<C>) -> Option<Request<C>> {
        Some(request.clone())
    }
}
