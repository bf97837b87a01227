//! Where work is done that may hang with a network mount: on threads of its own; and when a hang is reported. The runtime's
//! blocking threads may all be taken.

use std::{io, thread, time::Duration};

use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

/// After how long a wait is reported.
pub(super) const LONG: Duration = Duration::from_secs(5);

/// Runs `work` on a thread of its own; `waits` is called when it takes long. A few at a time, so that a thousand files do not
/// start a thousand threads; one that hangs does not keep the others waiting.
pub(super) async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    waits: impl Fn(),
) -> io::Result<T> {
    static LANES: Semaphore = Semaphore::const_new(4);
    const HANGS: Duration = Duration::from_secs(1);
    // A lane is free after a second at the latest, or its wait is reported below.
    let lane = LANES.acquire().await;
    let (done, mut outcome) = oneshot::channel();
    thread::Builder::new()
        .name("flux-files".to_owned())
        .spawn(move || {
            // Nobody waits for it any more where the source was dropped.
            let _ = done.send(work());
        })?;
    let lost = |_| io::Error::other("the thread that reads it panicked");
    if let Ok(outcome) = timeout(HANGS, &mut outcome).await {
        return outcome.map_err(lost);
    }
    drop(lane);
    loop {
        match timeout(LONG.saturating_sub(HANGS), &mut outcome).await {
            Ok(outcome) => return outcome.map_err(lost),
            Err(_) => waits(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    };

    #[tokio::test(start_paused = true)]
    async fn work_that_hangs_is_reported_and_does_not_keep_others_waiting() {
        let reported = AtomicU32::new(0);
        let mut hanging = Vec::new();
        let mut release = Vec::new();
        for _ in 0..8 {
            let (free, stuck) = mpsc::channel::<()>();
            release.push(free);
            hanging.push(elsewhere(
                move || stuck.recv().is_err(),
                || {
                    reported.fetch_add(1, Ordering::SeqCst);
                },
            ));
        }
        let mut hanging: Vec<_> = hanging.into_iter().map(Box::pin).collect();
        for one in &mut hanging {
            let waits = timeout(Duration::from_secs(11), one.as_mut()).await;
            assert!(waits.is_err());
        }
        assert!(reported.load(Ordering::SeqCst) >= 8);
        assert_eq!(elsewhere(|| 7, || {}).await.unwrap(), 7);
        drop(release);
        for one in hanging {
            assert!(one.await.unwrap());
        }
    }

    #[test]
    fn a_full_pool_of_blocking_threads_holds_nothing_up() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (free, stuck) = mpsc::channel::<()>();
        let answer = runtime.block_on(async {
            tokio::task::spawn_blocking(move || stuck.recv().is_err());
            timeout(Duration::from_secs(60), elsewhere(|| 7, || {})).await
        });
        drop(free);
        assert_eq!(answer.expect("an answer").unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let outcome = elsewhere(|| panic!("out of cheese"), || {}).await;
        assert!(outcome.is_err());
    }
}
