//! Where a start and a connection wait for the disk: on a blocking thread of the runtime, or, where those are all taken, on a thread
//! of its own; and for how long a connection does.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use flux_syntax::Remote;
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

use super::SourceError;

/// How long a blocking thread of the runtime is waited for.
const QUEUE: Duration = Duration::from_secs(1);

/// How long a connection waits for the files that it needs.
pub(super) const READ: Duration = Duration::from_secs(5);

/// Runs `work` where it keeps no task waiting. A runtime whose clock is paused does not move it on meanwhile, unless its blocking
/// threads are all taken. The runtime needs no timers: a thread waits in their place.
pub(crate) async fn off_the_worker<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (done, outcome) = oneshot::channel();
    // The start may have been dropped meanwhile.
    let work = move || drop(done.send(work()));
    let work = Arc::new(Mutex::new(Some(work)));
    // What nobody waits for any more is not run, and holds nothing, while the threads are taken.
    let queued = Arc::downgrade(&work);
    let (queue, begun) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || {
        drop(queue);
        queued.upgrade().map(|work| once(&work))
    });
    let waiting = Arc::downgrade(&work);
    let thread = std::thread::Builder::new().name("flux-disk".to_owned());
    // Without a thread, the runtime's own is waited for.
    let _ = thread.spawn(move || match begun.recv_timeout(QUEUE) {
        Err(RecvTimeoutError::Timeout) => waiting.upgrade().map(|work| once(&work)),
        _ => None,
    });
    let outcome = outcome.await;
    drop(work);
    outcome.map_err(|_| "the thread that reads the disk panicked".to_owned())
}

/// Runs what nobody has run yet.
fn once(work: &Mutex<Option<impl FnOnce()>>) {
    let taken = work.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(work) = taken {
        work();
    }
}

/// Whose files are being read.
type Readers = Vec<(Remote<String>, Arc<Semaphore>)>;

static READERS: Mutex<Readers> = Mutex::new(Vec::new());

/// For the files of this source: one thread reads them at a time, so that a file system that hangs does not get one more thread with each
/// try.
fn reader(place: &Remote<String>) -> Arc<Semaphore> {
    let mut readers = READERS.lock().unwrap_or_else(PoisonError::into_inner);
    readers.retain(|(_, reader)| Arc::strong_count(reader) > 1);
    if let Some((_, reader)) = readers.iter().find(|(other, _)| other == place) {
        return Arc::clone(reader);
    }
    let reader = Arc::new(Semaphore::new(1));
    readers.push((place.clone(), Arc::clone(&reader)));
    reader
}

/// Runs `work`, which reads files that a connection to `place` needs, where it keeps no task waiting, and waits for it no longer than
/// `limit`.
pub(super) async fn read_for<T: Send + 'static>(
    place: &Remote<String>,
    limit: Duration,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let passing = |why: String| SourceError::transient(format!("{}: {why}", place.origin()));
    let reading = async {
        let reader = reader(place).acquire_owned().await;
        // Kept by the thread for as long as it reads.
        let reader = reader.map_err(|error| error.to_string())?;
        off_the_worker(move || {
            let outcome = work();
            drop(reader);
            outcome
        })
        .await
    };
    match timeout(limit, reading).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(why)) => Err(passing(why)),
        Err(_) => Err(passing(format!(
            "a file that it needs was not read within {limit:?}; does its file system answer?"
        ))),
    }
}

#[cfg(all(test, unix, feature = "file"))]
mod tests;
