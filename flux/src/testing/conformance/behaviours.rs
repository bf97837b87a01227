//! Which behaviours the conformance kit tries on a watcher, one function each.

use super::{
    oracle::Held,
    runner::listening,
    subject::{Fault, Subject},
    trial::{CaseTrial, Stop, TrialOutcome},
};
use crate::source::{DynWatcher, ErrorKind};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// A behaviour that every watcher must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Origin,
    CurrentFirst,
    Amid,
    EveryChange,
    Absence,
    Equal,
    Burst,
    SlowConsumer,
    Large,
    Garbage,
    Dropped,
    Panic,
    Fault(Fault),
    Rate,
    Stopped,
}

pub(super) const ALL: &[Behaviour] = &[
    Behaviour::Origin,
    Behaviour::CurrentFirst,
    Behaviour::Amid,
    Behaviour::EveryChange,
    Behaviour::Absence,
    Behaviour::Equal,
    Behaviour::Burst,
    Behaviour::SlowConsumer,
    Behaviour::Large,
    Behaviour::Garbage,
    Behaviour::Dropped,
    Behaviour::Panic,
    Behaviour::Fault(Fault::End),
    Behaviour::Fault(Fault::Lost),
    Behaviour::Fault(Fault::Denied),
    Behaviour::Fault(Fault::Misconfigured),
    Behaviour::Fault(Fault::Duplicate),
    Behaviour::Fault(Fault::Older),
    Behaviour::Fault(Fault::Missed),
    Behaviour::Fault(Fault::Restored),
    Behaviour::Fault(Fault::Silent),
    Behaviour::Rate,
    Behaviour::Stopped,
];

impl Behaviour {
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Behaviour::Origin => "its name stays the same and holds no password",
            Behaviour::CurrentFirst => "the current value comes first",
            Behaviour::Amid => "a watch that begins amid changes misses none",
            Behaviour::EveryChange => "every change is seen",
            Behaviour::Absence => "a document that is gone is absent, and seen when it comes again",
            Behaviour::Equal => "equal content is no change",
            Behaviour::Burst => "of a burst of changes the last one wins",
            Behaviour::SlowConsumer => "a slow consumer gets the newest value",
            Behaviour::Large => "a large document is seen whole",
            Behaviour::Garbage => "bytes that are no text are delivered as they are",
            Behaviour::Dropped => "a session may be dropped at any await and begun again",
            Behaviour::Panic => "a panic in a session is survived",
            Behaviour::Fault(Fault::End) => "a watch that the source ends is begun again",
            Behaviour::Fault(Fault::Lost) => {
                "a lost connection is made again, and nothing is missed"
            }
            Behaviour::Fault(Fault::Denied) => {
                "refused access is reported as such, and recovered from"
            }
            Behaviour::Fault(Fault::Misconfigured) => {
                "a source that cannot work as declared is reported as such, and recovered from"
            }
            Behaviour::Fault(Fault::Duplicate) => "what is announced twice is one change",
            Behaviour::Fault(Fault::Older) => {
                "something older that is announced late is not delivered"
            }
            Behaviour::Fault(Fault::Missed) => "a change that is not announced is found",
            Behaviour::Fault(Fault::Restored) => {
                "a source that went back to an older copy is read as it is"
            }
            Behaviour::Fault(Fault::Silent) => "a source that is silent is not live for long",
            Behaviour::Rate => "a source that stays down is not flooded with requests",
            Behaviour::Stopped => "a watcher that is dropped leaves no task",
        }
    }

    pub(super) async fn try_on<S: Subject>(self, trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
        match self {
            Behaviour::Origin => origin(trial),
            Behaviour::CurrentFirst => current_first(trial).await,
            Behaviour::Amid => amid(trial).await,
            Behaviour::EveryChange => every_change(trial).await,
            Behaviour::Absence => absence(trial).await,
            Behaviour::Equal => equal(trial).await,
            Behaviour::Burst => burst(trial).await,
            Behaviour::SlowConsumer => slow_consumer(trial).await,
            Behaviour::Large => {
                let size = trial.limits.largest;
                document(trial, large(size)).await
            }
            Behaviour::Garbage => document(trial, (0..=255).rev().collect()).await,
            Behaviour::Dropped => dropped(trial).await,
            Behaviour::Panic => panic(trial).await,
            Behaviour::Fault(fault) => faulty(trial, fault).await,
            Behaviour::Rate => rate(trial).await,
            Behaviour::Stopped => stopped(trial).await,
        }
    }
}

fn origin<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    let (one, two) = (trial.subject.watcher(), trial.subject.watcher());
    let (one, two) = (DynWatcher::origin(&one), DynWatcher::origin(&two));
    let user = one.split_once("://").map_or("", |(_, rest)| rest);
    let user = user.split(['/', '?']).next().unwrap_or_default();
    let told = user
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'));
    match (one == two, one.is_empty(), told) {
        (false, _, _) => Err(Stop::Failed(format!("it is `{one}` and then `{two}`"))),
        (_, true, _) => Err(Stop::Failed("it has no name".to_owned())),
        (_, _, true) => Err(Stop::Failed(
            "it has a password in front of the host".to_owned(),
        )),
        _ => Ok(()),
    }
}

async fn current_first<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    trial.change().await?;
    trial.watch().await;
    trial.settle().await?;
    let truth = Held::of(trial.subject.read().await);
    match trial.runner()?.said.seen().first() {
        Some(first) if *first == truth => Ok(()),
        other => Err(Stop::Failed(format!(
            "the source held {truth}, and the first that was delivered is {other:?}"
        ))),
    }
}

/// Between its first read and its watch a change is easily missed.
async fn amid<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    for changes in 1..8 {
        trial.change().await?;
        trial.watch().await;
        for _ in 0..changes {
            trial.change().await?;
            tokio::task::yield_now().await;
        }
        trial.settle().await?;
    }
    Ok(())
}

async fn every_change<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    trial.change().await?;
    trial.watch().await;
    for _ in 0..10 {
        trial.settle().await?;
        trial.change().await?;
    }
    trial.settle().await
}

async fn absence<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    trial.delete().await?;
    trial.watch().await;
    for _ in 0..3 {
        trial.settle().await?;
        trial.change().await?;
        trial.settle().await?;
        trial.delete().await?;
    }
    trial.settle().await
}

async fn equal<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    trial.change().await?;
    trial.watch().await;
    trial.settle().await?;
    let same = trial.subject.read().await.unwrap_or_default();
    for _ in 0..10 {
        trial.write(same.clone()).await?;
        trial.quiet().await?;
    }
    trial.change().await?;
    trial.settle().await
}

async fn burst<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    trial.change().await?;
    trial.watch().await;
    trial.settle().await?;
    for _ in 0..trial.limits.burst {
        trial.change().await?;
    }
    trial.settle().await
}

/// Takes as a busy engine does: seldom, and then only what is newest.
async fn slow_consumer<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    trial.change().await?;
    trial.watch().await;
    trial.settle().await?;
    let mailbox = trial.mailbox()?;
    let mut taken = None;
    for round in 0..200 {
        trial.change().await?;
        if round % 64 == 63 {
            sleep(Duration::from_millis(1)).await;
            taken = newest(mailbox.take()).or(taken);
        }
    }
    trial.settle().await?;
    taken = newest(mailbox.take()).or(taken);
    let truth = Held::of(trial.subject.read().await);
    match taken {
        Some(taken) if taken == truth => Ok(()),
        other => Err(Stop::Failed(format!(
            "the source holds {truth}, and the last that could be taken is {other:?}"
        ))),
    }
}

fn newest(news: Vec<crate::source::mailbox::SourceReport>) -> Option<Held> {
    let mut observations = news.iter().filter_map(|one| one.observation.as_ref());
    observations.next_back().map(Held::from)
}

fn large(size: usize) -> Vec<u8> {
    let line = b"# a line of some length, many times over\n";
    line.iter().copied().cycle().take(size).collect()
}

async fn document<S: Subject>(trial: &mut CaseTrial<'_, S>, document: Vec<u8>) -> TrialOutcome {
    trial.change().await?;
    trial.watch().await;
    trial.settle().await?;
    trial.write(document).await?;
    trial.settle().await?;
    trial.change().await?;
    trial.settle().await
}

/// Polls a session so many times and drops it, with a change each time, and then watches on.
async fn dropped<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    trial.change().await?;
    trial.begin().await;
    let mut watcher = trial.subject.watcher();
    let (said, mailbox) = listening();
    let observer = mailbox.observer(0);
    for polls in (0..16).chain([24, 32, 64]) {
        let mut left = polls;
        let (taken, observer) = (&mut watcher, &observer);
        let begun = catch_unwind(AssertUnwindSafe(move || {
            let watcher = taken;
            DynWatcher::watch(watcher, observer)
        }));
        let Ok(mut session) = begun else {
            return Err(Stop::Failed(format!(
                "panicked when it was begun again ({polls} polls)"
            )));
        };
        let polled = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(Ok(()));
            }
            left -= 1;
            let poll = AssertUnwindSafe(|| session.as_mut().poll(cx).map(drop));
            match catch_unwind(poll) {
                Ok(Poll::Pending) if left > 0 => Poll::Pending,
                Ok(_) => Poll::Ready(Ok(())),
                Err(_) => Poll::Ready(Err(())),
            }
        });
        // Where nothing wakes it any more, it is dropped where it waits.
        let quiet = trial.limits.quiet / 4;
        let panicked = matches!(timeout(quiet, polled).await, Ok(Err(())));
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(session)));
        if panicked || dropped.is_err() {
            return Err(Stop::Failed(format!(
                "panicked after it was begun again ({polls} polls)"
            )));
        }
        trial.change().await?;
    }
    trial.keep(watcher, said, mailbox);
    trial.settle().await
}

async fn panic<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    trial.change().await?;
    trial.watch().await;
    trial.settle().await?;
    for _ in 0..3 {
        trial.runner()?.said.panic_once();
        trial.change().await?;
        trial.settle().await?;
        if trial.runner()?.said.will_panic() {
            return Err(Stop::Failed("a change was not delivered".to_owned()));
        }
        trial.change().await?;
        trial.settle().await?;
    }
    Ok(())
}

/// Asked before anything is watched, so that what cannot be tried costs no time.
async fn can<S: Subject>(trial: &mut CaseTrial<'_, S>, fault: Fault) -> TrialOutcome {
    trial.inject(fault).await?;
    trial.subject.heal().await;
    Ok(())
}

async fn faulty<S: Subject>(trial: &mut CaseTrial<'_, S>, fault: Fault) -> TrialOutcome {
    can(trial, fault).await?;
    trial.change().await?;
    trial.watch().await;
    trial.settle().await?;
    trial.change().await?;
    trial.settle().await?;
    for _ in 0..3 {
        trial.inject(fault).await?;
        match fault {
            Fault::Duplicate | Fault::Older => trial.quiet().await?,
            Fault::Missed => {
                trial.change().await?;
                trial.settle_within(trial.limits.missed).await?;
            }
            Fault::Restored => {
                trial.goes_back().await;
                trial.settle_within(trial.limits.missed).await?;
                trial.change().await?;
                trial.settle_within(trial.limits.missed).await?;
            }
            Fault::Silent => {
                trial.change().await?;
                trial.until_stale().await?;
            }
            _ => {
                sleep(trial.limits.quiet).await;
                trial.change().await?;
            }
        }
        let kind = match fault {
            Fault::Denied => Some(ErrorKind::Permission),
            Fault::Misconfigured => Some(ErrorKind::Configuration),
            _ => None,
        };
        if let Some(kind) = kind {
            trial.until_told(kind).await?;
        }
        trial.subject.heal().await;
        // Whoever waits for an answer that does not come any more may do so for as long as it promises to.
        match fault {
            Fault::Silent => trial.settle_within(trial.limits.silent).await?,
            _ => trial.settle().await?,
        }
        trial.change().await?;
        trial.settle().await?;
    }
    Ok(())
}

async fn rate<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    can(trial, Fault::Lost).await?;
    trial.change().await?;
    trial.watch_supervised().await;
    trial.settle().await?;
    trial.inject(Fault::Lost).await?;
    let count = |trial: &CaseTrial<'_, S>| -> Result<u64, Stop> {
        let attempts = trial.runner()?.said.attempts();
        Ok(trial.subject.requests().unwrap_or(attempts))
    };
    let (before, failing) = (count(trial)?, trial.limits.failing);
    let deadline = Instant::now() + failing;
    while Instant::now() < deadline {
        sleep(failing / 64).await;
        let made = count(trial)?.saturating_sub(before);
        if made > trial.limits.requests {
            return Err(Stop::Failed(format!(
                "{made} requests, and {failing:?} were not over yet; at most {} are right",
                trial.limits.requests
            )));
        }
    }
    trial.subject.heal().await;
    // The pause between two sessions has grown meanwhile.
    let patience = trial.limits.within + failing * 4 + Duration::from_secs(1);
    trial.settle_within(patience).await
}

async fn stopped<S: Subject>(trial: &mut CaseTrial<'_, S>) -> TrialOutcome {
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    trial.stop().await;
    let before = tasks();
    trial.change().await?;
    for _ in 0..3 {
        trial.watch().await;
        trial.settle().await?;
        trial.change().await?;
        trial.settle().await?;
        trial.stop().await;
    }
    let deadline = Instant::now() + trial.limits.within;
    while tasks() > before {
        if Instant::now() >= deadline {
            let left = tasks() - before;
            return Err(Stop::Failed(format!(
                "{left} more tasks than before run {:?} after three watchers were dropped",
                trial.limits.within
            )));
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
