//! What is asked instead where the pipeline fails (fallback), who looks at the failure (error handler), and which updates pass
//! everything by (filter).

use super::{BoxError, Request, guarded, service::Answer};
use crate::{observe, problem::caught};
use std::{
    future::Future,
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

macro_rules! layer {
    ($(#[$doc:meta])* $layer:ident makes $(#[$service_doc:meta])* $service:ident of $f:ident;) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $layer<F>(Arc<F>);

        impl<F> $layer<F> {
            /// The layer with this function.
            pub fn new($f: F) -> Self {
                $layer(Arc::new($f))
            }
        }

        impl<F> Clone for $layer<F> {
            fn clone(&self) -> Self {
                $layer(Arc::clone(&self.0))
            }
        }

        impl<S, F> Layer<S> for $layer<F> {
            type Service = $service<S, F>;
            fn layer(&self, inner: S) -> Self::Service {
                $service { inner, $f: Arc::clone(&self.0) }
            }
        }

        $(#[$service_doc])*
        #[derive(Debug)]
        pub struct $service<S, F> {
            inner: S,
            $f: Arc<F>,
        }

        impl<S: Clone, F> Clone for $service<S, F> {
            fn clone(&self) -> Self {
                $service { inner: self.inner.clone(), $f: Arc::clone(&self.$f) }
            }
        }
    };
}

layer! {
    /// What is asked instead where everything inside failed: `Fn(Request<C>) -> impl Future<Output = Result<Request<C>, E>>`.
    /// The request is the one that came in, not what the failed stages made of it.
    FallbackLayer makes
    /// The service of a [`FallbackLayer`].
    Fallback of fallback;
}

layer! {
    /// Looks at what failed, `Fn(&Request<C>, &BoxError)`, and changes nothing.
    ErrorHandlerLayer makes
    /// The service of an [`ErrorHandlerLayer`].
    ErrorHandler of handler;
}

layer! {
    /// Everything inside only where `Fn(&Request<C>) -> bool` holds; other changes pass it by and are applied.
    FilterLayer makes
    /// The service of a [`FilterLayer`].
    Filter of condition;
}

impl<C, R, S, F, O, E> Service<Request<C>> for Fallback<S, F>
where
    C: Send + Sync + 'static,
    R: From<Request<C>> + Send + 'static,
    S: Service<Request<C>, Response = R, Error = BoxError>,
    S::Future: Send + 'static,
    F: Fn(Request<C>) -> O + Send + Sync + 'static,
    O: Future<Output = Result<Request<C>, E>> + Send + 'static,
    E: Into<BoxError>,
{
    type Response = R;
    type Error = BoxError;
    type Future = Answer<R>;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }
    fn call(&mut self, request: Request<C>) -> Answer<R> {
        let answer = self.inner.call(request.clone());
        let fallback = Arc::clone(&self.fallback);
        Box::pin(async move {
            let error = match answer.await {
                Ok(applied) => return Ok(applied),
                Err(error) => error,
            };
            let safe = || request.safe(&error);
            observe::falling_back(request.capacitor(), request.correlation_id(), &safe);
            let begin = move || -> Answer<Request<C>> {
                let other = fallback(request);
                Box::pin(async move { other.await.map_err(Into::into) })
            };
            guarded(begin, "the fallback")
                .await
                .map(R::from)
                .map_err(|second| format!("{error}; the fallback failed too: {second}").into())
        })
    }
}

impl<C, R, S, F> Service<Request<C>> for ErrorHandler<S, F>
where
    C: Send + Sync + 'static,
    S: Service<Request<C>, Response = R, Error = BoxError>,
    S::Future: Send + 'static,
    F: Fn(&Request<C>, &BoxError) + Send + Sync + 'static,
{
    type Response = R;
    type Error = BoxError;
    type Future = Answer<R>;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }
    fn call(&mut self, request: Request<C>) -> Answer<R> {
        let answer = self.inner.call(request.clone());
        let handler = Arc::clone(&self.handler);
        Box::pin(async move {
            let answer = answer.await;
            if let Err(error) = &answer
                && let Err(panic) = caught(|| handler(&request, error))
            {
                let hook = "the error handler";
                let text = request.safe(&panic);
                observe::panicked(request.capacitor(), hook, &text);
            }
            answer
        })
    }
}

impl<C, R, S, F> Service<Request<C>> for Filter<S, F>
where
    C: Send + Sync + 'static,
    R: From<Request<C>> + Send + 'static,
    S: Service<Request<C>, Response = R, Error = BoxError>,
    S::Future: Send + 'static,
    F: Fn(&Request<C>) -> bool + Send + Sync + 'static,
{
    type Response = R;
    type Error = BoxError;
    type Future = Answer<R>;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }
    fn call(&mut self, request: Request<C>) -> Answer<R> {
        match caught(|| (self.condition)(&request)) {
            Ok(true) => Box::pin(self.inner.call(request)),
            Ok(false) => Box::pin(std::future::ready(Ok(R::from(request)))),
            Err(panic) => {
                let error = format!("the filter panicked: {panic}").into();
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }
}
