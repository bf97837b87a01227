//! How an engine decides: how much it remembers, how long it waits, whether there are a pipeline, a trial and a fallback.

use std::{sync::Arc, time::Duration};

/// How an engine decides.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) name: Arc<str>,
    /// How many refusals are remembered.
    pub(crate) history: usize,
    /// How many configurations before the current one are kept.
    pub(crate) generations: usize,
    pub(crate) debounce: Duration,
    pub(crate) max_wait: Duration,
    /// All of its newest content or none: other config types depend on it.
    pub(crate) grouped: bool,
    /// There is a pipeline to ask.
    pub(crate) asks: bool,
    pub(crate) probation: Option<Duration>,
    /// The program has a health check.
    pub(crate) checks: bool,
    /// After which silence a start falls back to what is kept on disk, where something is kept.
    pub(crate) fallback: Option<Duration>,
}
