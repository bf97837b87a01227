//! The one place that reads the clock for the engine. It is Tokio's, so that tests can pause it.

use crate::engine::Now;
use std::time::SystemTime;
use tokio::time::Instant;

pub(crate) fn now() -> Now {
    Now {
        instant: Instant::now().into_std(),
        wall: SystemTime::now(),
    }
}
