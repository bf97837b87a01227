//! Holds tower services of any type behind one, so that layers can be added at run time.

use super::{BoxError, Request};
use std::{
    any::Any,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
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
    R: 'static,
    S: Service<Request<C>, Response = R> + Send,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::poll_ready(self, cx).map_err(Into::into)
    }
    fn call(&mut self, request: Request<C>) -> Answer<R> {
        let mut answer = Some(Service::call(self, request));
        // Most layers answer with a boxed future already.
        if let Some(boxed) = (&mut answer as &mut dyn Any).downcast_mut::<Option<Answer<R>>>()
            && let Some(boxed) = boxed.take()
        {
            return boxed;
        }
        Box::pin(async move {
            match answer {
                Some(answer) => answer.await.map_err(Into::into),
                None => Err("the service has no answer".into()),
            }
        })
    }
}

impl<C, R> Boxed<C, R> {
    /// Puts `service` behind the common type.
    pub fn new<S>(service: S) -> Self
    where
        R: 'static,
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
    type Future = BoxedAnswer<C, R>;

    /// Always ready: what the inner service needs to become ready is waited for by the call.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<C>) -> Self::Future {
        BoxedAnswer(Progress::Asked(Arc::clone(&self.0), request))
    }
}

/// The future of a [`Boxed`] service: it waits until the service is ready, and then for its answer.
pub struct BoxedAnswer<C, R>(Progress<C, R>);

enum Progress<C, R> {
    /// Nothing has been asked yet.
    Asked(Arc<Mutex<dyn AnyService<C, R>>>, Request<C>),
    /// It was called, or the wait for it goes on.
    Waiting(Answer<R>),
    Over,
}

impl<C: Send + Sync + 'static, R: 'static> Future for BoxedAnswer<C, R> {
    type Output = Result<R, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Progress::Asked(..) = self.0
            && let Progress::Asked(service, request) =
                std::mem::replace(&mut self.0, Progress::Over)
        {
            self.0 = Progress::Waiting(begin(service, request, cx)?);
        }
        let Progress::Waiting(answer) = &mut self.0 else {
            return Poll::Ready(Err("the answer was taken already".into()));
        };
        let answer = ready!(answer.as_mut().poll(cx));
        self.0 = Progress::Over;
        Poll::Ready(answer)
    }
}

/// Calls a service that is free and ready; else a future waits for that.
fn begin<C: Send + Sync + 'static, R: 'static>(
    service: Arc<Mutex<dyn AnyService<C, R>>>,
    request: Request<C>,
    cx: &mut Context<'_>,
) -> Result<Answer<R>, BoxError> {
    if let Ok(mut free) = service.try_lock()
        && let Poll::Ready(ready) = free.poll_ready(cx)
    {
        return ready.map(|()| free.call(request));
    }
    Ok(Box::pin(async move {
        let answer = {
            let mut service = service.lock().await;
            poll_fn(|cx| service.poll_ready(cx)).await?;
            service.call(request)
        };
        answer.await
    }))
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

impl<C, R> fmt::Debug for BoxedAnswer<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxedAnswer")
    }
}
