//! Writes that the disk refuses or does not answer.

use super::*;
use crate::runtime::hanging_disk::Trouble;
use std::{future::poll_fn, sync::atomic::Ordering::SeqCst};

fn saver() -> (Arc<Trouble>, Saver, tempfile::TempDir) {
    let disk = Arc::new(Trouble::default());
    let saver = Saver::new(Arc::clone(&disk) as Arc<dyn Disk>);
    (disk, saver, tempfile::tempdir().unwrap())
}

fn record(folder: &tempfile::TempDir, text: &str) -> Job {
    let path = folder.path().join("last.json.trial");
    Job::Record(path, "App", Some(text.into()), None)
}

async fn news(saver: &mut Saver) -> Option<SaveOutcome> {
    let news = poll_fn(|cx| saver.poll(cx)).await;
    news.map(|news| news.outcome)
}

fn content(folder: &tempfile::TempDir) -> String {
    std::fs::read_to_string(folder.path().join("last.json.trial")).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn what_the_disk_refuses_is_tried_again_after_growing_pauses_until_it_is_written() {
    let (disk, mut saver, folder) = saver();
    disk.refuses.store(9, SeqCst);
    let begin = tokio::time::Instant::now();
    saver.push(record(&folder, "first"));
    let mut pauses = Vec::new();
    let mut last = begin;
    loop {
        match news(&mut saver).await {
            Some(SaveOutcome::Failed(why)) => {
                assert!(why.contains("tried again"), "{why}");
                pauses.push((tokio::time::Instant::now() - last).as_secs());
                last = tokio::time::Instant::now();
            }
            Some(SaveOutcome::Done { .. }) => break,
            Some(SaveOutcome::Hangs(_)) => panic!("it answers"),
            // Nothing is waited for: as the task of a capacitor would, until it is woken.
            None => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(content(&folder), "first");
}

#[tokio::test(start_paused = true)]
async fn a_newer_job_replaces_the_one_that_waits_for_its_next_try_and_is_done_at_once() {
    let (disk, mut saver, folder) = saver();
    disk.refuses.store(1, SeqCst);
    saver.push(record(&folder, "first"));
    assert!(matches!(
        news(&mut saver).await,
        Some(SaveOutcome::Failed(_))
    ));
    saver.push(record(&folder, "second"));
    assert!(matches!(
        news(&mut saver).await,
        Some(SaveOutcome::Done { .. })
    ));
    tokio::time::sleep(LONGEST).await;
    assert!(news(&mut saver).await.is_none());
    assert_eq!(
        (content(&folder).as_str(), disk.tries.load(SeqCst)),
        ("second", 2)
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_next_try_is_tried_at_once_where_the_program_ends() {
    let (disk, mut saver, folder) = saver();
    disk.refuses.store(1, SeqCst);
    saver.push(record(&folder, "first"));
    assert!(matches!(
        news(&mut saver).await,
        Some(SaveOutcome::Failed(_))
    ));
    saver.try_again();
    assert!(matches!(
        news(&mut saver).await,
        Some(SaveOutcome::Done { .. })
    ));
    assert_eq!(content(&folder), "first");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_does_not_answer_is_not_waited_for_and_its_answer_is_reported_when_it_comes() {
    let (disk, mut saver, folder) = saver();
    disk.hold(true);
    saver.push(record(&folder, "first"));
    assert!(poll_fn(|cx| Poll::Ready(saver.poll(cx).is_pending())).await);
    tokio::time::advance(PATIENCE).await;
    assert!(matches!(
        news(&mut saver).await,
        Some(SaveOutcome::Hangs(_))
    ));
    assert!(news(&mut saver).await.is_none(), "nothing to wait for");
    saver.push(record(&folder, "second"));
    assert!(news(&mut saver).await.is_none(), "nor for what follows");
    disk.hold(false);
    for expected in ["first", "second"] {
        let outcome = loop {
            match news(&mut saver).await {
                Some(outcome) => break outcome,
                None => std::thread::yield_now(),
            }
        };
        assert!(matches!(outcome, SaveOutcome::Done { .. }), "{expected}");
    }
    assert_eq!(content(&folder), "second");
}
