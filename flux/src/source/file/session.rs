//! One file from its first read on: touched, settled, polled; what is new is delivered.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    task::{spawn_blocking, yield_now},
    time::{Instant, timeout, timeout_at},
};

use super::{
    Target, chain,
    hub::Subscription,
    mounts,
    read::{Found, What, read},
    settle::{Settle, Step},
};
use crate::source::{Content, Observation, Observer, SourceError};

const RESYNC: Duration = Duration::from_secs(60);
const RESYNC_SILENT: Duration = Duration::from_secs(10);
/// How often the way to a file is followed again when it changes meanwhile.
const TRIES: usize = 8;

/// How far what was read is trusted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Deliver it, whatever it is.
    Full,
    /// The writer says that it finished; another one may have begun.
    Finished,
    /// Nobody said anything.
    Unsaid,
}

struct Session<'a> {
    target: Arc<Target>,
    observer: &'a Observer,
    quiet: Duration,
    resync: Option<Duration>,
    settle: Settle,
    subscription: Subscription,
    last: Option<Last>,
    /// There are no events, or not of all changes.
    silent: bool,
    /// Since when the first content has been waited for.
    first_wait: Option<Instant>,
}

#[derive(PartialEq, Eq)]
enum Last {
    Value(Arc<[u8]>),
    Absent,
    Unreadable(SourceError),
}

/// What a thread that may block found.
struct Look {
    subscription: Subscription,
    found: Found,
    armed: notify::Result<()>,
    /// Whether the file system is silent; asked only when the way to the file changed.
    silent: Option<bool>,
}

pub(super) async fn run(
    target: Arc<Target>,
    quiet: Duration,
    resync: Option<Duration>,
    observer: &Observer,
) -> Result<(), SourceError> {
    let look = look(Arc::clone(&target), Subscription::new()).await?;
    let session = Session {
        target,
        observer,
        quiet,
        resync,
        settle: Settle::new(quiet),
        subscription: look.subscription,
        last: None,
        silent: look.silent.unwrap_or(false),
        first_wait: None,
    };
    let never = session.watch(look.found, look.armed).await?;
    match never {}
}

impl Session<'_> {
    async fn watch(
        mut self,
        found: Found,
        armed: notify::Result<()>,
    ) -> Result<Infallible, SourceError> {
        self.consider(found, Trust::Full);
        self.report(armed);
        loop {
            let tick = next_tick(Instant::now(), self.interval());
            let deadline = self.settle.due().map_or(tick, |due| due.min(tick));
            let touched = timeout_at(deadline, self.subscription.touched()).await;
            let now = Instant::now();
            self = match touched {
                Ok(touch) => match self.settle.touched(touch, now) {
                    Step::Nothing => self,
                    Step::Wait => {
                        self.observer.unsettled();
                        self.follow().await?
                    }
                    Step::Read => self.read(Trust::Finished).await?,
                    Step::ReadWithCare => self.read(Trust::Unsaid).await?,
                },
                Err(_) if self.settle.expired(now) => self.read(Trust::Full).await?,
                Err(_) if self.settle.busy() => self,
                Err(_) => self.look(Trust::Unsaid).await?,
            };
        }
    }

    /// Reads after an event: at once, on this thread, unless the file system may hang.
    async fn read(mut self, trust: Trust) -> Result<Self, SourceError> {
        if self.silent {
            return self.look(trust).await;
        }
        let Target {
            path,
            shown,
            max_size,
        } = &*self.target;
        let early = self.subscription.early();
        let found = early.unwrap_or_else(|| read(path, shown, *max_size));
        self.consider(found, trust);
        // Readers see it first.
        yield_now().await;
        self.follow().await
    }

    /// Follows the way to the file again if it changed, and reads again if so: something may have come before the watch.
    async fn follow(self) -> Result<Self, SourceError> {
        if self
            .subscription
            .is_armed(&chain::resolve(&self.target.path))
        {
            return Ok(self);
        }
        self.look(Trust::Unsaid).await
    }

    /// Follows the way to the file and reads it, on a thread that may hang.
    async fn look(mut self, trust: Trust) -> Result<Self, SourceError> {
        let look = look(Arc::clone(&self.target), self.subscription).await?;
        self.subscription = look.subscription;
        self.silent = look.silent.unwrap_or(self.silent);
        if !self.settle.busy() {
            self.consider(look.found, trust);
        }
        self.report(look.armed);
        Ok(self)
    }

    /// Delivers what was found if it is new and looks whole, or else waits for more.
    fn consider(&mut self, found: Found, trust: Trust) {
        let young = found.younger_than(self.quiet);
        let (last, missing) = match found.what {
            // A writer begins by emptying the file.
            What::Bytes(bytes) => {
                let empty = bytes.is_empty();
                if matches!(&self.last, Some(Last::Value(last)) if **last == *bytes) {
                    (None, empty)
                } else {
                    (Some(Last::Value(bytes.into())), empty)
                }
            }
            What::Absent => (Some(Last::Absent), true),
            What::Unreadable(error) => (Some(Last::Unreadable(error)), false),
        };
        let first = self.last.is_none();
        let unfinished = !found.steady || self.subscription.write_pending();
        let suspect = match trust {
            Trust::Full => unfinished,
            Trust::Finished => unfinished || missing,
            Trust::Unsaid => unfinished || missing || young,
        };
        let news = last.filter(|last| self.last.as_ref() != Some(last));
        match news {
            None if unfinished => self.wait(),
            None => self.observer.settled(),
            Some(_) if suspect && !first => self.wait(),
            // A writer may be at work just when the watch begins; there is nothing yet that could be kept meanwhile.
            Some(Last::Value(_)) if first && (unfinished || missing && young) && self.patient() => {
                self.wait();
            }
            Some(last) => {
                self.observer.observe(last.observation());
                self.last = Some(last);
            }
        }
    }

    /// Whether the first content may still be waited for.
    fn patient(&mut self) -> bool {
        let since = *self.first_wait.get_or_insert_with(Instant::now);
        since.elapsed() < self.quiet
    }

    fn wait(&mut self) {
        self.settle.suspect(Instant::now());
        self.observer.unsettled();
    }

    fn report(&mut self, armed: notify::Result<()>) {
        match armed {
            Ok(()) => self.observer.live(),
            Err(error) => {
                self.silent = true;
                self.observer.failing(SourceError::transient(format!(
                    "{}: file events cannot be had ({error}); the file is read every {:?} instead",
                    self.target.shown,
                    self.interval()
                )));
            }
        }
        let early = (!self.silent).then_some(&self.target);
        self.subscription.read_early(early);
    }

    fn interval(&self) -> Duration {
        self.resync
            .unwrap_or(if self.silent { RESYNC_SILENT } else { RESYNC })
    }
}

impl Last {
    fn observation(&self) -> Observation {
        match self {
            Last::Value(bytes) => Observation::Value(Content {
                bytes: Arc::clone(bytes),
                revision: None,
            }),
            Last::Absent => Observation::Absent,
            Last::Unreadable(error) => Observation::Unreadable(error.clone()),
        }
    }
}

/// Watches all that leads to the file, then reads it, on a thread that may hang with a network mount.
async fn look(target: Arc<Target>, mut subscription: Subscription) -> Result<Look, SourceError> {
    let shown = target.shown.clone();
    patiently(move || {
        let (armed, changed) = arm(&target, &mut subscription);
        let found = read(&target.path, &target.shown, target.max_size);
        let silent = changed.then(|| {
            let real = target.path.canonicalize();
            mounts::silent(real.as_deref().unwrap_or(&target.path))
        });
        Look {
            subscription,
            found,
            armed,
            silent,
        }
    })
    .await
    .map_err(|error| SourceError::transient(format!("{shown} cannot be read: {error}")))
}

/// Watches all that leads to the file. The second value: whether that is something else than before.
fn arm(target: &Target, subscription: &mut Subscription) -> (notify::Result<()>, bool) {
    let mut result = Ok(());
    for attempt in 0..TRIES {
        let spots = chain::resolve(&target.path);
        if subscription.is_armed(&spots) {
            return (Ok(()), attempt > 0);
        }
        // Looked at again: a directory may have come or gone before its watch was made.
        result = subscription.arm(spots);
        if result.is_err() {
            break;
        }
    }
    (result, true)
}

/// Runs `work` where it may block. A few at a time, so that a thousand files do not start a thousand threads; one that
/// hangs does not keep the others waiting.
async fn patiently<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    static LANES: Semaphore = Semaphore::const_new(4);
    const HANGS: Duration = Duration::from_secs(1);
    let lane = LANES.acquire().await;
    let mut job = spawn_blocking(work);
    match timeout(HANGS, &mut job).await {
        Ok(done) => done,
        Err(_) => {
            drop(lane);
            job.await
        }
    }
}

/// The next multiple of `interval` since an instant that the whole process shares: a thousand files wake it once.
fn next_tick(now: Instant, interval: Duration) -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    let epoch = *EPOCH.get_or_init(|| now);
    let interval = interval.as_nanos().max(1);
    let into = now.saturating_duration_since(epoch).as_nanos() % interval;
    let wait = u64::try_from(interval - into).unwrap_or(u64::MAX);
    now.checked_add(Duration::from_nanos(wait))
        .unwrap_or_else(|| now + Duration::from_secs(86_400 * 365))
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn ticks_of_all_files_fall_together() {
        let minute = Duration::from_secs(60);
        let now = Instant::now();
        let tick = next_tick(now, minute);
        for later in [1, 17, 40] {
            let asked = now + Duration::from_millis(later);
            if asked < tick {
                assert_eq!(next_tick(asked, minute), tick);
            }
        }
        assert_eq!(next_tick(tick, minute), tick + minute);
        assert!(next_tick(now, Duration::MAX) > now);
    }
}
