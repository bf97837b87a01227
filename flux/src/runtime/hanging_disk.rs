//! Tests what a running capacitor does while the disk hangs.

#![allow(clippy::unwrap_used)] // In helpers too.

use super::disk::{Disk, DiskFile, SystemDisk, on_disk};
use crate::{
    Capacitor, Format, Secrets, Source,
    capacitor::Status,
    source::{Channel, ChannelSender},
};
use std::{
    future::{Future, poll_fn},
    io,
    path::Path,
    pin::pin,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

/// The disk of this machine, which refuses a number of files, or holds every call until it is released.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    pub(super) refuses: AtomicUsize,
    pub(super) tries: AtomicUsize,
    holds: Mutex<bool>,
    released: Condvar,
}

impl Trouble {
    pub(super) fn hold(&self, holds: bool) {
        *self.holds.lock().unwrap() = holds;
        self.released.notify_all();
    }
}

impl Trouble {
    fn await_release(&self) {
        let mut holds = self.holds.lock().unwrap();
        while *holds {
            holds = self.released.wait(holds).unwrap();
        }
    }
}

impl Disk for Trouble {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.await_release();
        self.tries.fetch_add(1, SeqCst);
        let fewer = |left: usize| left.checked_sub(1);
        match self.refuses.fetch_update(SeqCst, SeqCst, fewer) {
            Ok(_) => Err(io::ErrorKind::StorageFull.into()),
            Err(_) => SystemDisk.create(path),
        }
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.await_release();
        SystemDisk.remove(path)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        SystemDisk.sync_folder(path)
    }
}

#[derive(Debug, flux_derive::Flux)]
#[flux(crate = crate)]
struct App {
    n: u32,
}

/// A program with its own disk, which is released at the end: the runtime waits for calls that hang.
struct Program {
    disk: Arc<Trouble>,
    capacitor: Capacitor<App>,
    sender: ChannelSender,
    _folder: tempfile::TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.disk.hold(false);
    }
}

impl Program {
    /// Runs with `n: 1`; `hold` before the first write.
    async fn start(hold: bool) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let disk = Arc::new(Trouble::default());
        disk.hold(hold);
        let (sender, channel) = Channel::buffered("app", 64);
        let path = folder.path().join("last.json");
        let capacitor = Capacitor::<App>::builder()
            .source(Source::watcher(channel).format(Format::Yaml))
            .debounce(Duration::ZERO)
            .last_known_good(path.to_str().unwrap(), Secrets::Omit)
            .trial(2)
            .build()
            .unwrap();
        let program = Program {
            disk: Arc::clone(&disk),
            capacitor,
            sender,
            _folder: folder,
        };
        program.send(1).await;
        on_disk(disk, program.capacitor.start()).await.unwrap();
        program
    }

    async fn send(&self, n: u32) {
        let document = format!("n: {n}").into_bytes();
        self.sender.send(document).await.unwrap();
    }

    fn n(&self) -> u32 {
        self.capacitor.get().n
    }

    /// Waits until this holds, without any time passing.
    async fn until(&self, holds: impl Fn(&Status) -> bool) {
        let begin = std::time::Instant::now();
        while !holds(&self.capacitor.status()) {
            let lasts = begin.elapsed();
            assert!(lasts.as_secs() < 60, "{}", self.capacitor.status());
            tokio::task::yield_now().await;
        }
    }

    /// Lets the task do whatever it can without time.
    async fn rest(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }
}

/// What an order answers within `limit` of the paused clock. The clock moves by hand: it does not move by itself while a call hangs.
async fn within<T>(limit: Duration, order: impl Future<Output = T>) -> T {
    let mut order = pin!(order);
    let begin = tokio::time::Instant::now();
    loop {
        for _ in 0..200 {
            if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(order.as_mut().poll(cx))).await {
                return done;
            }
            tokio::task::yield_now().await;
        }
        assert!(begin.elapsed() < limit, "no answer within {limit:?}");
        tokio::time::advance(Duration::from_millis(500)).await;
    }
}

const PATIENCE: Duration = super::saver::PATIENCE;
const SOON: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn while_the_write_of_the_record_hangs_orders_are_answered_and_the_newest_content_is_applied()
{
    let program = Program::start(false).await;
    program
        .until(|status| status.last_known_good.is_some())
        .await;
    program.disk.hold(true);
    for n in 2..=5 {
        program.send(n).await;
        program.rest().await;
    }
    assert_eq!(program.n(), 1, "the record is first");
    assert_eq!(program.capacitor.status().generation, 1);
    // The longest that anything waits for the disk.
    within(PATIENCE + SOON, program.capacitor.reload())
        .await
        .unwrap();
    program.until(|status| status.generation >= 2).await;
    program.rest().await;
    assert_eq!(program.n(), 5, "the newest");
    let status = program.capacitor.status();
    assert!(status.trial_record.as_ref().unwrap().writing.is_some());
    assert!(
        status.to_string().contains("the disk does not answer"),
        "{status}"
    );
    // From here on nothing waits any more.
    for n in 6..=9 {
        program.send(n).await;
        program.rest().await;
        assert_eq!(program.n(), n);
    }
    within(SOON, program.capacitor.reload()).await.unwrap();
    assert!(
        !within(SOON, program.capacitor.trust())
            .await
            .unwrap()
            .is_nothing()
    );
    within(SOON, program.capacitor.rollback(None))
        .await
        .unwrap();
    within(SOON, program.capacitor.stop()).await;
    assert!(!program.capacitor.status().running);
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_middle_of_a_write_that_hangs_is_answered() {
    let program = Program::start(false).await;
    program
        .until(|status| status.last_known_good.is_some())
        .await;
    program.disk.hold(true);
    program.send(2).await;
    program.rest().await;
    within(PATIENCE + SOON, program.capacitor.stop()).await;
    assert!(!program.capacitor.status().running);
}

#[tokio::test(start_paused = true)]
async fn while_the_write_of_the_last_known_good_file_hangs_orders_are_answered_and_changes_applied()
{
    let program = Program::start(true).await;
    assert_eq!(program.n(), 1, "a start does not wait for it");
    within(SOON, program.capacitor.reload()).await.unwrap();
    assert!(
        within(SOON, program.capacitor.trust())
            .await
            .unwrap()
            .is_nothing()
    );
    program.send(2).await;
    within(PATIENCE + SOON, program.capacitor.reload())
        .await
        .unwrap();
    program.until(|_| program.n() == 2).await;
    let status = program.capacitor.status();
    assert!(status.last_known_good.as_ref().unwrap().writing.is_some());
    for n in 3..=6 {
        program.send(n).await;
        program.rest().await;
        assert_eq!(program.n(), n);
    }
    within(SOON, program.capacitor.reload()).await.unwrap();
    within(SOON, program.capacitor.trust()).await.unwrap();
    within(SOON, program.capacitor.stop()).await;
}

#[tokio::test(start_paused = true)]
async fn a_passed_trial_whose_file_hangs_holds_up_no_later_change() {
    let program = Program::start(false).await;
    program
        .until(|status| status.last_known_good.is_some())
        .await;
    program.send(2).await;
    program.until(|status| status.trial.is_some()).await;
    program.disk.hold(true);
    assert!(
        !within(SOON, program.capacitor.trust())
            .await
            .unwrap()
            .is_nothing()
    );
    for n in 3..=5 {
        program.send(n).await;
    }
    let applied = async {
        while program.n() != 5 {
            tokio::task::yield_now().await;
        }
    };
    // Two files, of which the second one is not waited for.
    within(PATIENCE + SOON, applied).await;
    within(SOON, program.capacitor.stop()).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_faster_than_the_disk_is_applied_at_every_write_and_ends_with_the_newest()
{
    let program = Program::start(false).await;
    program
        .until(|status| status.last_known_good.is_some())
        .await;
    let mut n = 1;
    for _ in 0..5 {
        program.disk.hold(true);
        n += 1;
        program.send(n).await;
        program.rest().await;
        let (before, recorded) = (program.n(), n);
        // A new one each second while one write lasts for nine.
        for _ in 0..9 {
            n += 1;
            program.send(n).await;
            tokio::time::advance(Duration::from_secs(1)).await;
            program.rest().await;
            assert_eq!(program.n(), before, "no update without its record");
        }
        program.disk.hold(false);
        program.until(|_| program.n() >= recorded).await;
        assert!(program.n() > before);
        program.until(|_| program.n() == n).await;
    }
    program.capacitor.stop().await;
}

#[tokio::test]
async fn a_start_is_marked_from_the_reading_of_another_process_s_record_until_its_own_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.json");
    let record = super::trial_file::beside(&path);
    let mark = super::start_mark::beside(&record);
    let gone = super::process::ProcessId {
        began: "another boot/1".to_owned(),
        token: "of an earlier one".to_owned(),
        ..super::process::ProcessId::own()
    };
    let mut before = crate::engine::TrialRecord::new(crate::engine::FingerprintKey(1, 2));
    before.in_a_row = Some(crate::engine::InARow {
        contents: 1,
        last: std::time::SystemTime::now(),
        held: 0,
    });
    let before = super::trial_file::written("App", &before, &gone, false).unwrap();
    std::fs::write(&record, before).unwrap();
    let disk = Arc::new(Trouble::default());
    disk.hold(true);
    let (sender, channel) = Channel::buffered("app", 64);
    let capacitor = Capacitor::<App>::builder()
        .source(Source::watcher(channel).format(Format::Yaml))
        .last_known_good(path.to_str().unwrap(), Secrets::Omit)
        .trial(2)
        .build()
        .unwrap();
    let program = Program {
        disk: Arc::clone(&disk),
        capacitor,
        sender,
        _folder: folder,
    };
    program.send(1).await;
    on_disk(disk, program.capacitor.start()).await.unwrap();
    let own = super::trial_file::owner(&super::process::ProcessId::own()).to_string();
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), own);
    program.disk.hold(false);
    let limit = std::time::Instant::now() + Duration::from_secs(60);
    while mark.exists() {
        assert!(
            std::time::Instant::now() < limit,
            "{}",
            program.capacitor.status()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Without a last known good configuration nothing of it is remembered.
    assert!(!record.exists());
    // Without a record there is nothing to mark.
    let program = Program::start(false).await;
    let record = super::trial_file::beside(&program._folder.path().join("last.json"));
    assert!(!super::start_mark::beside(&record).exists());
}
