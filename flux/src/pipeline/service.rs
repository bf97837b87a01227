//! Services of any type behind one, so that layers can be added at run time.

use super::{BoxError, Request};
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::Mutex;
use tower_service::Service;

/// The future of a service's answer.
pub(crate) type Answer<R> = Pin<Box<dyn Future<Output = Result<R, BoxError>> + Send>>;

/// A service of any type that takes a [`Request`]. Clones are the same service: they share its state.
pub struct Boxed<C, R>(Arc<Mutex<dyn AnyService<C, R>>>);

trait AnyService<C, R>: Send {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>>;
    fn call(&mut self, request: Request<C>) -> Answer<R>;
}

impl<C, R, S> AnyService<C, R> for S
where
    S: Service<Request<C>, Response = R> + Send,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::poll_ready(self, cx).map_err(Into::into)
    }
    fn call(&mut self, request: Request<C>) -> Answer<R> {
        let answer = Service::call(self, request);
        Box::pin(async move { answer.await.map_err(Into::into) })
    }
}

impl<C, R> Boxed<C, R> {
    /// Puts `service` behind the common type.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request<C>, Response = R> + Send + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        Boxed(Arc::new(Mutex::new(service)))
    }
}

impl<C: Send + Sync + 'static, R: 'static> Service<Request<C>> for Boxed<C, R> {
    type Response = R;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<R, BoxError>> + Send>>;

    /// Always ready: what the inner service needs to become ready is waited for by the call.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<C>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let answer = {
                let mut service = inner.lock().await;
                poll_fn(|cx| service.poll_ready(cx)).await?;
                service.call(request)
            };
            answer.await
        })
    }
}

impl<C, R> Clone for Boxed<C, R> {
    fn clone(&self) -> Self {
        Boxed(Arc::clone(&self.0))
    }
}

impl<C, R> fmt::Debug for Boxed<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Boxed")
    }
}
