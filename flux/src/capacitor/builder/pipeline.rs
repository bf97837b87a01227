//! The methods of `Builder` that add stages, callbacks, parties, and tower layers around them.

use super::Builder;
use crate::{
    Snapshot,
    change::{Callback, Party, Whole},
    layer::Config,
    pipeline::{
        Applied, BoxError, Boxed, CircuitBreaker, ErrorHandlerLayer, FallbackLayer, FilterLayer,
        Next, RateLimit, Request, Stage,
    },
};
use std::{future::Future, sync::Arc};
use tower_layer::Layer;
use tower_service::Service;

/// The pipeline. Stages and parties are asked in the order in which they are added, stages before parties; tower layers are
/// around all of them, the first one added innermost.
impl<C: Config> Builder<C> {
    /// Adds a [`Stage`], which may look at the value, replace it or refuse it. What comes out of the last one is validated again.
    #[must_use]
    pub fn stage(mut self, stage: Stage<C>) -> Self {
        self.parts().stages.push(stage);
        self
    }

    /// Adds a stage that replaces the value and cannot fail: [`Stage::transform`].
    #[must_use]
    pub fn transform(self, f: impl Fn(Request<C>) -> Request<C> + Send + Sync + 'static) -> Self {
        self.stage(Stage::transform(f))
    }

    /// Adds a stage that may replace the value or refuse it: [`Stage::apply`].
    #[must_use]
    pub fn apply<F, E>(self, f: impl Fn(Request<C>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Request<C>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.stage(Stage::apply(f))
    }

    /// Adds a stage that looks at the value and may refuse it: [`Stage::effect`].
    #[must_use]
    pub fn effect<F, E>(self, f: impl Fn(Request<C>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.stage(Stage::effect(f))
    }

    /// Adds a stage that replaces the value where `when` holds: [`Stage::mutate`].
    #[must_use]
    pub fn mutate(
        self,
        when: impl Fn(&Request<C>) -> bool + Send + Sync + 'static,
        with: impl Fn(Request<C>) -> Request<C> + Send + Sync + 'static,
    ) -> Self {
        self.stage(Stage::mutate(when, with))
    }

    /// Adds a stage whose failure is passed over: [`Stage::enrich`].
    #[must_use]
    pub fn enrich<F, E>(self, f: impl Fn(Request<C>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Request<C>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.stage(Stage::enrich(f))
    }

    /// Adds a callback that is given the previous and the next configuration before readers see it, and may refuse it. A
    /// refused configuration is tried again, later and later, until it applies or a newer one replaces it.
    #[must_use]
    pub fn on_apply<F, E>(
        mut self,
        apply: impl Fn(Option<Arc<Snapshot<C>>>, Arc<Snapshot<C>>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.parts().parties.push(Arc::new(Callback(apply)));
        self
    }

    /// Adds a [`Party`] to every change: it prepares, may veto, and then commits or rolls back.
    #[must_use]
    pub fn party(mut self, party: impl Party<C>) -> Self {
        self.parts().parties.push(Arc::new(Whole(party)));
        self
    }

    /// Puts a tower layer around everything so far.
    ///
    /// ```
    /// # #[derive(flux::Flux)] struct AppConfig { port: u16 }
    /// # #[derive(Clone)] struct MyLayer;
    /// # impl<S> tower_layer::Layer<S> for MyLayer { type Service = S; fn layer(&self, inner: S) -> S { inner } }
    /// let builder = flux::Capacitor::<AppConfig>::builder().tower_layer(MyLayer);
    /// ```
    #[must_use]
    pub fn tower_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Next<C>> + Send + Sync + 'static,
        L::Service: Service<Request<C>, Response = Applied<C>> + Send + 'static,
        <L::Service as Service<Request<C>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<C>>>::Future: Send + 'static,
    {
        self.parts()
            .layers
            .push(Arc::new(move |next| Boxed::new(layer.layer(next))));
        self
    }

    /// Tries a failed update again: `.retry(Retry::attempts(3))`.
    #[cfg(feature = "pipeline")]
    #[must_use]
    pub fn retry(self, retry: crate::pipeline::Retry) -> Self {
        self.tower_layer(retry)
    }

    /// Refuses an update that takes longer than `limit`. What was running is dropped, so that it can never overwrite a newer value.
    #[cfg(feature = "pipeline")]
    #[must_use]
    pub fn timeout(self, limit: std::time::Duration) -> Self {
        self.tower_layer(crate::pipeline::TimeoutLayer::new(limit))
    }

    /// After so many failures in a row nothing inside is called for a time; then one probe decides:
    /// `.circuit_breaker(CircuitBreaker::failures(5))`.
    #[must_use]
    pub fn circuit_breaker(self, breaker: CircuitBreaker) -> Self {
        self.tower_layer(breaker)
    }

    /// Makes updates wait that come too often: `.rate_limit(RateLimit::per_second(0.1).burst(2))`.
    #[must_use]
    pub fn rate_limit(self, limit: RateLimit) -> Self {
        self.tower_layer(limit)
    }

    /// What is asked instead where everything so far has failed. What it answers is validated and applied; no party is asked.
    #[must_use]
    pub fn fallback<F, E>(self, f: impl Fn(Request<C>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Request<C>, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        self.tower_layer(FallbackLayer::new(f))
    }

    /// Looks at what failed, and changes nothing.
    #[must_use]
    pub fn error_handler(
        self,
        handler: impl Fn(&Request<C>, &BoxError) + Send + Sync + 'static,
    ) -> Self {
        self.tower_layer(ErrorHandlerLayer::new(handler))
    }

    /// Everything so far only for changes for which `condition` holds; others are applied without asking anybody.
    #[must_use]
    pub fn filter(self, condition: impl Fn(&Request<C>) -> bool + Send + Sync + 'static) -> Self {
        self.tower_layer(FilterLayer::new(condition))
    }
}
