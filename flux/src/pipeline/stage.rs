//! What a stage may do before the parties are asked: look at a value, replace it or refuse it.

use super::{BoxError, Boxed, BoxedAnswer, Request, guarded, service::Answer};
use std::{future::Future, sync::Arc, task::Poll};
use tower_layer::Layer;
use tower_service::Service;

/// One step before the apply callback. [`Builder::stage`](crate::Builder::stage) adds it; the builder's `transform`, `apply`,
/// `effect`, `mutate` and `enrich` are short for it. Stages run in the order in which they were added.
///
/// ```
/// use flux::{Flux, pipeline::{Request, Stage}};
///
/// #[derive(Flux)]
/// struct Limits { connections: u32 }
///
/// let cores = 4;
/// let capped = Stage::mutate(
///     move |request: &Request<Limits>| request.current.connections > 100 * cores,
///     move |request| request.with(Limits { connections: 100 * cores }),
/// );
/// let builder = flux::Capacitor::<Limits>::builder().stage(capped);
/// ```
pub struct Stage<C>(Boxed<C, Request<C>>);

/// A stage's own code as a service.
struct Step<F>(Arc<F>);

impl<C, F> Service<Request<C>> for Step<F>
where
    C: Send + Sync + 'static,
    F: Fn(Request<C>) -> Answer<Request<C>> + Send + Sync + 'static,
{
    type Response = Request<C>;
    type Error = BoxError;
    type Future = Answer<Request<C>>;
    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: Request<C>) -> Self::Future {
        let step = Arc::clone(&self.0);
        Box::pin(async move { guarded(move || step(request), "a stage").await })
    }
}

impl<C: Send + Sync + 'static> Stage<C> {
    fn of(step: impl Fn(Request<C>) -> Answer<Request<C>> + Send + Sync + 'static) -> Self {
        Stage(Boxed::new(Step(Arc::new(step))))
    }

    /// Replaces the value, and cannot fail.
    pub fn transform(f: impl Fn(Request<C>) -> Request<C> + Send + Sync + 'static) -> Self {
        let f = Arc::new(f);
        Stage::of(move |request| {
            let f = Arc::clone(&f);
            Box::pin(async move { Ok(f(request)) })
        })
    }

    /// May replace the value or refuse it.
    pub fn apply<F, E>(f: impl Fn(Request<C>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Request<C>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Stage::of(move |request| {
            let answer = f(request);
            Box::pin(async move { answer.await.map_err(Into::into) })
        })
    }

    /// Looks at the value, and may refuse it.
    pub fn effect<F, E>(f: impl Fn(Request<C>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Stage::apply(move |request: Request<C>| {
            let answer = f(request.clone());
            async move { answer.await.map(|()| request) }
        })
    }

    /// Replaces the value where `when` holds.
    pub fn mutate(
        when: impl Fn(&Request<C>) -> bool + Send + Sync + 'static,
        with: impl Fn(Request<C>) -> Request<C> + Send + Sync + 'static,
    ) -> Self {
        Stage::transform(with).when(when)
    }

    /// Replaces the value if it can: a failure is reported in a `tracing` event and the value goes on as it was.
    pub fn enrich<F, E>(f: impl Fn(Request<C>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Request<C>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let inner = Stage::apply(f);
        Stage::of(move |request| {
            let mut inner = inner.clone();
            Box::pin(async move {
                let before = request.clone();
                Ok(inner.0.call(request).await.unwrap_or_else(|error| {
                    let (name, update) = (before.capacitor(), before.correlation_id());
                    crate::observe::passed_over(name, update, &|| before.safe(&error));
                    before
                }))
            })
        })
    }

    /// This stage only where `condition` holds; else the value goes on as it is.
    #[must_use]
    pub fn when(self, condition: impl Fn(&Request<C>) -> bool + Send + Sync + 'static) -> Self {
        Stage::of(move |request| {
            let holds = condition(&request);
            let mut inner = self.clone();
            Box::pin(async move {
                match holds {
                    true => inner.0.call(request).await,
                    false => Ok(request),
                }
            })
        })
    }

    /// Puts a tower layer around this stage alone: a timeout, a retry, a fallback, or any of your own.
    #[must_use]
    pub fn tower_layer<L>(self, layer: L) -> Self
    where
        L: Layer<Boxed<C, Request<C>>>,
        L::Service: Service<Request<C>, Response = Request<C>> + Send + 'static,
        <L::Service as Service<Request<C>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<C>>>::Future: Send + 'static,
    {
        Stage(Boxed::new(layer.layer(self.0)))
    }

    pub(crate) fn run(&self, request: Request<C>) -> BoxedAnswer<C, Request<C>> {
        self.0.clone().call(request)
    }
}

impl<C> Clone for Stage<C> {
    fn clone(&self) -> Self {
        Stage(self.0.clone())
    }
}

impl<C> std::fmt::Debug for Stage<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stage")
    }
}
