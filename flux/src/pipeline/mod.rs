//! What happens between a valid value and the swap: the program's own code, which may change or refuse an update.
//!
//! tower's `Service` and `Layer` are the interface. A layer of a source and a layer of tower are two things: the methods for the latter have
//! `tower` in their names. The innermost service runs the [`Stage`]s in their order, checks what comes
//! out of them, and then asks every [`Party`](crate::change::Party) to prepare; the callback of
//! [`on_apply`](crate::Builder::on_apply) is the simplest party. Tower layers are around it: the first one added is the innermost.
//! Ready-made ones are methods of the [`Builder`](crate::Builder) (`retry`, `timeout`, `circuit_breaker`, `rate_limit`,
//! `fallback`, `error_handler`, `filter`), and [`Builder::tower_layer`](crate::Builder::tower_layer) takes any other. All of them run on
//! Tokio's clock.

mod apply;
mod breaker;
mod erased;
mod fallback;
mod rate_limit;
mod rehearsal;
mod request;
#[cfg(feature = "pipeline")]
mod retry;
mod service;
mod stage;
#[cfg(feature = "pipeline")]
mod timeout;
pub(crate) mod transformed;

pub use breaker::{BreakerOpen, CircuitBreaker, CircuitBreakerService};
pub use fallback::{ErrorHandler, ErrorHandlerLayer, Fallback, FallbackLayer, Filter, FilterLayer};
pub use rate_limit::{RateLimit, RateLimitService};
pub use rehearsal::{PartyAnswer, PartyVerdict};
pub use request::{Applied, Request};
#[cfg(feature = "pipeline")]
pub use retry::{Retry, RetryService};
pub use service::{Boxed, BoxedAnswer};
pub use stage::Stage;
#[cfg(feature = "pipeline")]
pub use timeout::{TimedOut, Timeout, TimeoutLayer};

pub(crate) use apply::{Apply, Invalid};
pub(crate) use erased::{AnyApplied, AnyParts, AnyPipeline, PipelineParts, into_denial};
pub(crate) use request::RequestOwner;
pub(crate) use service::Answer;

use crate::problem::caught;
use std::task::Poll;

/// An error of the user's own code.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The service that a tower layer of the pipeline wraps.
pub type Next<C> = Boxed<C, Applied<C>>;

/// Wraps a [`Next`] into the next outer one, once for each start.
pub(crate) type AddLayer<C> = std::sync::Arc<dyn Fn(Next<C>) -> Next<C> + Send + Sync>;

/// Runs a future of the user's own code; its panic is an error.
pub(crate) async fn guarded<T>(
    begin: impl FnOnce() -> Answer<T> + Send,
    whose: &str,
) -> Result<T, BoxError> {
    let panicked = |panic: String| -> BoxError { format!("{whose} panicked: {panic}").into() };
    let mut running = caught(begin).map_err(panicked)?;
    std::future::poll_fn(|cx| match caught(|| running.as_mut().poll(cx)) {
        Ok(polled) => polled,
        Err(panic) => Poll::Ready(Err(panicked(panic))),
    })
    .await
}
