//! Where a start waits for the disk: on a blocking thread of the runtime, or, where those are all taken, on a thread of its own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};

/// How long a blocking thread of the runtime is waited for.
const QUEUE: Duration = Duration::from_secs(1);

/// Runs `work` where it keeps no task waiting. A runtime whose clock is paused does not move it on meanwhile, unless its blocking
/// threads are all taken.
pub(super) async fn off_the_worker<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (done, mut outcome) = oneshot::channel();
    // The start may have been dropped meanwhile.
    let work = move || drop(done.send(work()));
    let work = Arc::new(Mutex::new(Some(work)));
    let queued = Arc::clone(&work);
    tokio::task::spawn_blocking(move || once(&queued));
    let lost = |_| "the thread that reads the disk panicked".to_owned();
    if let Ok(outcome) = timeout(QUEUE, &mut outcome).await {
        return outcome.map_err(lost);
    }
    let thread = std::thread::Builder::new().name("flux-disk".to_owned());
    match thread.spawn(move || once(&work)) {
        Ok(_) => outcome.await.map_err(lost),
        Err(error) => Err(format!("no thread for reading the disk: {error}")),
    }
}

/// Runs what nobody has run yet.
fn once(work: &Mutex<Option<impl FnOnce()>>) {
    let taken = work.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(work) = taken {
        work();
    }
}
