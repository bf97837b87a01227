//! The conformance kit: Flux's own watchers pass it, broken ones do not.

mod server;

use flux::{
    source::{Channel, ChannelSender, ErrorKind, File},
    testing::conformance::{Cannot, Conformance, Fault, Limits, Subject, Verdict, check},
};
use server::{Flaw, Remote, Server};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

/// A channel of either kind.
struct Fed {
    make: fn() -> (ChannelSender, Channel),
    held: Option<Vec<u8>>,
    sender: Option<ChannelSender>,
}

impl Fed {
    fn new(make: fn() -> (ChannelSender, Channel)) -> Self {
        Fed {
            make,
            held: None,
            sender: None,
        }
    }
}

impl Subject for Fed {
    type Watcher = Channel;
    fn watcher(&mut self) -> Channel {
        let (sender, channel) = (self.make)();
        match &self.held {
            Some(held) => sender.try_send(held.as_slice()).unwrap(),
            // There is room for the first message: it is ready at once.
            None => {
                let mut nothing = Context::from_waker(Waker::noop());
                assert!(pin!(sender.absent()).poll(&mut nothing).is_ready());
            }
        }
        self.sender = Some(sender);
        channel
    }
    async fn write(&mut self, document: Vec<u8>) -> Result<(), Cannot> {
        self.held = Some(document.clone());
        if let Some(sender) = &self.sender {
            // The watcher of the trial before may be gone.
            let _ = sender.send(document).await;
        }
        Ok(())
    }
    async fn delete(&mut self) -> Result<(), Cannot> {
        self.held = None;
        if let Some(sender) = &self.sender {
            let _ = sender.absent().await;
        }
        Ok(())
    }
    async fn read(&mut self) -> Option<Vec<u8>> {
        self.held.clone()
    }
}

fn verdict<'a>(report: &'a Conformance, behaviour: &str) -> &'a Verdict {
    let found = report
        .findings()
        .iter()
        .find(|one| one.behaviour.contains(behaviour));
    &found
        .unwrap_or_else(|| panic!("no behaviour `{behaviour}` in {report}"))
        .verdict
}

#[tokio::test(start_paused = true)]
async fn channels_pass() {
    for make in [(|| Channel::latest("latest")) as fn() -> _, || {
        Channel::buffered("buffered", 4)
    }] {
        let report = check(Fed::new(make)).await;
        report.assert_passed();
        assert!(report.passed().len() >= 10, "{report}");
    }
}

/// A file, written in place or replaced.
struct OnDisk {
    folder: tempfile::TempDir,
    in_place: bool,
}

impl OnDisk {
    fn path(&self) -> PathBuf {
        self.folder.path().join("app.yaml")
    }
}

impl Subject for OnDisk {
    type Watcher = File;
    fn watcher(&mut self) -> File {
        File::new(self.path()).settle(Duration::from_millis(300))
    }
    async fn write(&mut self, document: Vec<u8>) -> Result<(), Cannot> {
        if self.in_place {
            std::fs::write(self.path(), document).unwrap();
        } else {
            let beside = self.folder.path().join("beside");
            std::fs::write(&beside, document).unwrap();
            std::fs::rename(&beside, self.path()).unwrap();
        }
        // A test's single thread must not keep the watcher from its work.
        tokio::task::yield_now().await;
        Ok(())
    }
    async fn delete(&mut self) -> Result<(), Cannot> {
        // It may be gone already.
        let _ = std::fs::remove_file(self.path());
        Ok(())
    }
    async fn read(&mut self) -> Option<Vec<u8>> {
        std::fs::read(self.path()).ok()
    }
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.within = Duration::from_secs(20);
        limits.burst = 1_000;
        limits.quiet = Duration::from_millis(50);
        limits
    }
}

#[tokio::test]
async fn files_pass_written_in_place_and_replaced() {
    for in_place in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let report = check(OnDisk { folder, in_place }).await;
        report.assert_passed();
        assert!(report.passed().len() >= 11, "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_watcher_of_a_server_passes_all_of_it() {
    let report = check(Remote::new(None)).await;
    report.assert_passed();
    assert_eq!(report.passed().len(), report.findings().len(), "{report}");
    let printed = report.to_string();
    assert!(printed.starts_with("the watcher of server: "), "{printed}");
    assert!(
        printed.contains("\n  passed  of a burst of changes the last one wins"),
        "{printed}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_subject_cannot_do_is_not_applicable_and_says_why() {
    let report = check(Fed::new(|| Channel::latest("latest"))).await;
    let Verdict::NotApplicable(why) = verdict(&report, "refused access") else {
        panic!("{report}");
    };
    assert!(why.contains("access is refused"), "{why}");
}

/// Each flaw is caught by the behaviour that it breaks, and named; and each behaviour catches one.
#[tokio::test(start_paused = true)]
async fn a_broken_watcher_is_caught_by_the_behaviour_that_it_breaks() {
    let all = check(Remote::new(None)).await;
    let mut idle: BTreeSet<&str> = all.findings().iter().map(|one| one.behaviour).collect();
    for (flaw, behaviour, told) in [
        (Flaw::ListensLate, "amid changes", "the source holds"),
        (Flaw::IgnoresDeletions, "is absent", "the source holds"),
        (Flaw::Flickers, "equal content", "delivered nothing"),
        (Flaw::Flickers, "announced twice", "delivered nothing"),
        (Flaw::LosesTheLast, "a slow consumer", "the source holds"),
        (Flaw::ForgetsWhenDropped, "a panic", "the source holds"),
        (
            Flaw::HidesRefusals,
            "cannot work as declared",
            "no configuration error",
        ),
        (Flaw::LosesTheLast, "of a burst", "the source holds"),
        (Flaw::TakesOlder, "something older", "which is newer"),
        (
            Flaw::StopsSilently,
            "a watch that the source ends",
            "the last that was seen is",
        ),
        (
            Flaw::StopsSilently,
            "a lost connection",
            "the last that was seen is",
        ),
        (Flaw::EndsForGood, "a lost connection", "ended for good"),
        (Flaw::BusyLoop, "not flooded", "requests"),
        (Flaw::LeavesATask, "leaves no task", "more tasks"),
        (Flaw::ForgetsWhenDropped, "dropped at any await", ""),
        (
            Flaw::HalfDocuments,
            "a large document",
            "which the source never held",
        ),
        (Flaw::LossyText, "no text", "(512 bytes)"),
        (Flaw::Flickers, "every change", "delivered nothing"),
        (Flaw::HidesRefusals, "refused access", "no permission error"),
        (Flaw::NeverLooksAgain, "not announced", "the source holds"),
        (Flaw::OrdersReads, "went back", "the source holds"),
        (Flaw::OrdersSessions, "went back", "the source holds"),
        (Flaw::LiveByATimer, "is silent", "still called live"),
        (
            Flaw::LivePastItsDeadline,
            "is silent",
            "states a deadline of 30s",
        ),
        (Flaw::ChangesOnly, "the current value", ""),
        (
            Flaw::TellsThePassword,
            "no password",
            "in front of the host",
        ),
    ] {
        let report = check(Remote::new(Some(flaw))).await;
        idle.retain(|one| !one.contains(behaviour));
        match verdict(&report, behaviour) {
            Verdict::Failed(why) => assert!(why.contains(told), "{flaw:?}: {why}"),
            other => panic!("{flaw:?} was not caught by `{behaviour}`: {other:?}\n{report}"),
        }
        let caught = std::panic::catch_unwind(|| report.assert_passed());
        assert!(caught.is_err(), "{flaw:?}");
    }
    assert!(idle.is_empty(), "no broken watcher is refused by {idle:?}");
}

#[tokio::test(start_paused = true)]
async fn the_server_of_these_tests_really_makes_its_faults() {
    let server = Server::default();
    let mut remote = Remote::over(server.clone(), None);
    for (fault, kind) in [
        (Fault::Lost, ErrorKind::Transient),
        (Fault::Denied, ErrorKind::Permission),
        (Fault::Misconfigured, ErrorKind::Configuration),
    ] {
        remote.inject(fault).await.unwrap();
        assert_eq!(server.get().unwrap_err().kind(), kind);
        remote.heal().await;
        assert!(server.get().is_ok());
    }
}
