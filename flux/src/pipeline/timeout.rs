//! How long the pipeline may take for one update before it is refused.

use super::{BoxError, Request, service::Answer};
use std::{
    fmt,
    task::{Context, Poll},
    time::Duration,
};
use tower::timeout::{Timeout as TowerTimeout, error::Elapsed};
use tower_layer::Layer;
use tower_service::Service;

/// Refuses an update for which everything inside takes longer than a limit. What was running is dropped where it is, so it
/// can never overwrite a newer value; parties that had prepared are rolled back.
#[derive(Debug, Clone)]
pub struct TimeoutLayer(Duration);

impl TimeoutLayer {
    /// The limit for one call of what is inside.
    pub fn new(limit: Duration) -> Self {
        TimeoutLayer(limit)
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;
    fn layer(&self, inner: S) -> Timeout<S> {
        Timeout {
            inner: TowerTimeout::new(inner, self.0),
            limit: self.0,
        }
    }
}

/// The service of a [`TimeoutLayer`].
#[derive(Debug, Clone)]
pub struct Timeout<S> {
    inner: TowerTimeout<S>,
    limit: Duration,
}

/// The limit that was not kept.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TimedOut(pub Duration);

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it took longer than {:?}", self.0)
    }
}

impl std::error::Error for TimedOut {}

impl<C, S> Service<Request<C>> for Timeout<S>
where
    S: Service<Request<C>, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Answer<S::Response>;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Request<C>>::poll_ready(&mut self.inner, cx)
    }
    fn call(&mut self, request: Request<C>) -> Self::Future {
        let answer = self.inner.call(request);
        let limit = self.limit;
        Box::pin(async move {
            answer.await.map_err(|error| match error.is::<Elapsed>() {
                true => TimedOut(limit).into(),
                false => error,
            })
        })
    }
}
