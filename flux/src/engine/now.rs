//! The time, as every call of the engine is given it.

use std::time::{Instant, SystemTime};

/// One moment, by the monotonic clock and by the calendar. The engine reads no clock: every call that depends on time takes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// For windows, pauses and deadlines.
    pub(crate) instant: Instant,
    /// For what people read.
    pub(crate) wall: SystemTime,
}
