//! What `tracing` needs in a process with several listeners.

use std::sync::OnceLock;
use tracing::{Dispatch, Subscriber};

/// Keeps two dispatchers for as long as the process lives: where there is one alone, the thread that comes first to an event decides
/// for every thread whether anybody listens to it.
pub fn keep_two<S: Subscriber + Default + Send + Sync>() {
    static TWO: OnceLock<[Dispatch; 2]> = OnceLock::new();
    TWO.get_or_init(|| [(); 2].map(|()| Dispatch::new(S::default())));
}
