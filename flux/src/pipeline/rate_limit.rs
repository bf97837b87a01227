//! How often updates may pass: a token bucket that makes them wait; none is refused.

use super::{BoxError, Request, service::Answer};
use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};
use tower_layer::Layer;
use tower_service::Service;

/// Lets `burst` updates through at once and `per_second` in the long run. Those beyond wait, and since the newest waiting change
/// replaces older ones, a slow limit skips values but never the last one.
///
/// tower's own rate limit counts in windows; this is a token bucket, so that the wait is for one token and not for a window's end.
#[derive(Debug, Clone)]
pub struct RateLimit {
    per_second: f64,
    burst: u32,
}

impl RateLimit {
    /// So many updates a second in the long run, and one at once unless [`burst`](RateLimit::burst) allows more.
    ///
    /// # Panics
    /// Where `per_second` is not a positive number.
    pub fn per_second(per_second: f64) -> Self {
        assert!(
            per_second.is_finite() && per_second > 0.0,
            "a rate limit needs a positive rate, not {per_second}"
        );
        RateLimit {
            per_second,
            burst: 1,
        }
    }

    /// How many updates pass at once after a time without any; at least one.
    #[must_use]
    pub fn burst(mut self, burst: u32) -> Self {
        self.burst = burst.max(1);
        self
    }
}

impl<S> Layer<S> for RateLimit {
    type Service = RateLimitService<S>;
    fn layer(&self, inner: S) -> RateLimitService<S> {
        RateLimitService {
            inner,
            bucket: Arc::new(Mutex::new(Bucket::new(self.per_second, self.burst))),
        }
    }
}

/// The service of a [`RateLimit`].
#[derive(Debug, Clone)]
pub struct RateLimitService<S> {
    inner: S,
    bucket: Arc<Mutex<Bucket>>,
}

/// Tokens as the time at which the bucket would be full again.
#[derive(Debug)]
struct Bucket {
    interval: Duration,
    burst: u32,
    full_at: Option<Instant>,
}

impl Bucket {
    fn new(per_second: f64, burst: u32) -> Self {
        // A rate so small that one token takes longer than a year is a year's.
        let interval = Duration::try_from_secs_f64(1.0 / per_second)
            .unwrap_or(Duration::MAX)
            .min(Duration::from_secs(31_536_000));
        Bucket {
            interval,
            burst,
            full_at: None,
        }
    }

    /// Takes a token; answers when it may be used.
    fn take(&mut self, now: Instant) -> Instant {
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + self.interval;
        self.full_at = Some(full_at);
        let depth = self.interval.saturating_mul(self.burst);
        full_at.checked_sub(depth).map_or(now, |at| at.max(now))
    }
}

impl<C, S> Service<Request<C>> for RateLimitService<S>
where
    S: Service<Request<C>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    C: Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Answer<S::Response>;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }
    fn call(&mut self, request: Request<C>) -> Self::Future {
        let bucket = Arc::clone(&self.bucket);
        // The clone that was polled ready is the one that is called.
        let next = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let now = Instant::now();
            let at = bucket
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(now);
            if at > now {
                sleep_until(at).await;
            }
            ready.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_passes_at_once_and_the_next_waits_for_one_token() {
        let mut bucket = Bucket::new(10.0, 3);
        let now = Instant::now();
        let waits: Vec<u128> = (0..5)
            .map(|_| (bucket.take(now) - now).as_millis())
            .collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
        let later = now + Duration::from_secs(60);
        assert_eq!(bucket.take(later), later, "the bucket fills up again");
    }

    proptest! {
        #[test]
        fn no_window_sees_more_than_the_burst_and_its_share(
            gaps in proptest::collection::vec(0_u64..400, 1..60),
            per_second in 1_u32..50,
            burst in 1_u32..8,
        ) {
            let mut bucket = Bucket::new(f64::from(per_second), burst);
            let mut now = Instant::now();
            let mut passed = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                let at = bucket.take(now);
                prop_assert!(at >= now);
                now = at;
                passed.push(at);
            }
            for (i, from) in passed.iter().enumerate() {
                for (j, to) in passed.iter().enumerate().skip(i) {
                    let share = (*to - *from).as_secs_f64() * f64::from(per_second);
                    prop_assert!((j - i + 1) as f64 <= f64::from(burst) + share + 0.001);
                }
            }
        }
    }
}
