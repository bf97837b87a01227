//! Tries again after a failure, with a growing, fully jittered pause.

use super::{BoxError, Invalid, Request};
use crate::time::ceiling;
use std::{future::Future, pin::Pin, time::Duration};
use tower::retry::{Policy, Retry as TowerRetry};
use tower_layer::Layer;

/// Tries a failed update again, `attempts` times in all. The pause before the n-th retry is a random time below `base` doubled
/// n - 1 times, and below `max`. A value that breaks rules is not tried again.
#[derive(Debug, Clone)]
pub struct RetryLayer {
    attempts: u32,
    base: Duration,
    max: Duration,
}

impl RetryLayer {
    /// `attempts` counts the first try; 0 and 1 both mean no retry.
    pub fn new(attempts: u32, base: Duration, max: Duration) -> Self {
        RetryLayer {
            attempts,
            base,
            max,
        }
    }
}

/// The service of a [`RetryLayer`].
pub type Retry<S> = TowerRetry<Again, S>;

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;
    fn layer(&self, inner: S) -> Retry<S> {
        let again = Again {
            rules: self.clone(),
            failed: 0,
        };
        TowerRetry::new(again, inner)
    }
}

/// How often one update has failed.
#[derive(Debug, Clone)]
pub struct Again {
    rules: RetryLayer,
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
        crate::observe::retried(name, update, self.failed, pause, error);
        Some(Box::pin(tokio::time::sleep(pause)))
    }

    fn clone_request(&mut self, request: &Request<C>) -> Option<Request<C>> {
        Some(request.clone())
    }
}
