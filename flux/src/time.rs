//! Pure functions of times: a pause that grows and is capped, an instant that cannot overflow, seconds since 1970.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The longest pause after so many failures in a row: `base`, doubled each time, up to `cap`.
pub(crate) fn ceiling(failures: u32, base: Duration, cap: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    base.saturating_mul(1 << doublings).min(cap)
}

/// Later than any program waits for.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// So long after `now`; a time that is too far for the clock is some thirty years away.
pub(crate) fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait.min(FAR)).unwrap_or(now)
}

/// Seconds since 1970.
pub(crate) fn unix(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
