//! When a layer was last known to be current, and for how long that holds.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// By how many milliseconds the system's clock must differ from what it would be by the monotonic one to have been set.
const SET: i64 = 500;
/// How many milliseconds before the beginning a proof may be: a cache on the way may have had a document for long.
const BEFORE: u64 = 400 * 86_400_000;

/// When a source was as an answer shows it: so long before an instant, which the machine's clock need not reach back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsOf {
    pub(crate) asked: Instant,
    pub(crate) age: Duration,
}

impl AsOf {
    /// Whether it is more than so long before the other one.
    #[cfg(feature = "https")]
    pub(crate) fn is_before(self, other: AsOf, by: Duration) -> bool {
        self.asked + other.age + by < other.asked + self.age
    }
}

impl From<Instant> for AsOf {
    fn from(asked: Instant) -> Self {
        AsOf {
            asked,
            age: Duration::ZERO,
        }
    }
}

type OnProof = Box<dyn Fn(SystemTime) + Send + Sync>;

/// When a layer was last known to be current: its source was read, or sent what only the source could send. Shared between the
/// watcher, which sets it, and every status, which so never shows an old time.
#[derive(Clone)]
pub(crate) struct LastProven(Arc<Shared>);

struct Shared {
    began: Beginning,
    /// By how many milliseconds the system's clock has been set since then.
    set: AtomicI64,
    /// Milliseconds since [`BEFORE`] it began; 0 means never.
    millis: AtomicU64,
    /// For how many milliseconds a proof holds; 0 means for ever.
    bound: AtomicU64,
    on_proof: OnceLock<OnProof>,
}

/// One moment on all clocks. Tokio's may be paused.
struct Beginning {
    instant: Instant,
    monotonic: std::time::Instant,
    wall: SystemTime,
}

impl Shared {
    /// By how many milliseconds the system's clock has been set, seen so long after the beginning. It is noted where it differs by more
    /// than the two clocks usually do, so that one proof has one time.
    fn set(&self, passed: Duration, wall: SystemTime) -> i64 {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let wall = match wall.duration_since(self.began.wall) {
            Ok(ahead) => millis(ahead),
            Err(behind) => -millis(behind.duration()),
        };
        let now = wall.saturating_sub(millis(passed));
        let noted = self.set.load(Ordering::Relaxed);
        if now.saturating_sub(noted).saturating_abs() <= SET {
            return noted;
        }
        self.set.store(now, Ordering::Relaxed);
        now
    }
}

impl LastProven {
    /// Never proven yet.
    pub(crate) fn never() -> Self {
        LastProven(Arc::new(Shared {
            began: Beginning {
                instant: Instant::now(),
                monotonic: std::time::Instant::now(),
                wall: SystemTime::now(),
            },
            set: AtomicI64::new(0),
            millis: AtomicU64::new(0),
            bound: AtomicU64::new(0),
            on_proof: OnceLock::new(),
        }))
    }

    /// Calls this at each proof from now on. Only the first call counts.
    #[cfg(feature = "metrics")]
    pub(crate) fn on_proof(&self, call: impl Fn(SystemTime) + Send + Sync + 'static) {
        // Another call set it already.
        let _ = self.0.on_proof.set(Box::new(call));
    }

    /// The layer is current now.
    pub(crate) fn prove(&self, now: Instant) {
        self.0.millis.store(self.millis(now), Ordering::Relaxed);
        self.proved();
    }

    /// The layer was current at `then`; what proved it later still counts.
    pub(crate) fn prove_as_of(&self, then: AsOf) {
        let age = u64::try_from(then.age.as_millis()).unwrap_or(u64::MAX);
        let then = self.millis(then.asked).saturating_sub(age).max(1);
        self.0.millis.fetch_max(then, Ordering::Relaxed);
        self.proved();
    }

    /// As it is kept; never 0.
    fn millis(&self, at: Instant) -> u64 {
        let whole = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 2);
        let began = self.0.began.instant;
        match at.checked_duration_since(began) {
            Some(after) => BEFORE + whole(after),
            None => BEFORE.saturating_sub(whole(began - at)).max(1),
        }
    }

    fn proved(&self) {
        if let Some(call) = self.0.on_proof.get()
            && let Some(at) = self.at()
        {
            call(at);
        }
    }

    /// For how long a proof holds from now on; for ever at first.
    pub(crate) fn holds_for(&self, bound: Duration) {
        let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        self.0.bound.store(millis.max(1), Ordering::Relaxed);
    }

    /// How long ago the newest proof was, and for how long it holds, where that is over. Whoever watches the source reports that
    /// itself, unless it is held up.
    pub(crate) fn overdue(&self, now: Instant) -> Option<(Duration, Duration)> {
        let bound = match self.0.bound.load(Ordering::Relaxed) {
            0 => return None,
            millis => Duration::from_millis(millis),
        };
        let proven = Some(self.0.millis.load(Ordering::Relaxed)).filter(|proven| *proven > 0)?;
        let ago = Duration::from_millis(self.millis(now).checked_sub(proven)?);
        (ago > bound).then_some((ago, bound))
    }

    /// When that was, by the system's clock as it is now: a machine may set it long after the program has started. `None` before the
    /// first time.
    pub(crate) fn at(&self) -> Option<SystemTime> {
        self.at_by(self.0.began.monotonic.elapsed(), SystemTime::now())
    }

    /// The same so long after the beginning, when the system's clock shows `wall`.
    fn at_by(&self, passed: Duration, wall: SystemTime) -> Option<SystemTime> {
        let proven = Some(self.0.millis.load(Ordering::Relaxed)).filter(|proven| *proven > 0)?;
        let after = i64::try_from(proven).ok()?.checked_sub_unsigned(BEFORE)?;
        let after = after.saturating_add(self.0.set(passed, wall));
        let by = Duration::from_millis(after.unsigned_abs());
        match after < 0 {
            true => self.0.began.wall.checked_sub(by),
            false => self.0.began.wall.checked_add(by),
        }
    }
}

impl fmt::Debug for LastProven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LastProven").field(&self.at()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_proof_has_its_time_by_the_clock_as_it_is_set_by_now() {
        let proven = LastProven::never();
        let (began, second) = (proven.0.began.wall, Duration::from_secs(1));
        proven.prove(Instant::now());
        let ago = |passed: Duration, now: SystemTime| {
            let at = proven.at_by(passed, now).unwrap();
            (at, now.duration_since(at).unwrap())
        };
        let (first, _) = ago(second * 3, began + second * 3);
        let late = Duration::from_millis(300);
        let again = [
            ago(second * 5, began + second * 5 - late),
            ago(second * 9, began + second * 9 + late),
        ];
        assert!(
            again.iter().all(|(at, _)| *at == first),
            "the clocks differ a little: {again:?}"
        );
        // From years ago to the right time and back, as at the start of a machine.
        let years = second * 1_700_000_000;
        for now in [began + years, began - years, began] {
            let (_, ago) = ago(second * 10, now + second * 10);
            assert!(ago >= second * 9 && ago <= second * 11, "{ago:?}");
        }
    }

    /// However long the machine has been running.
    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_any_clock_is_as_old_as_can_be() {
        let proven = LastProven::never();
        proven.holds_for(Duration::from_secs(86_400 * 365));
        let ages = [Duration::MAX, Duration::from_secs(86_400 * 500)];
        for age in ages {
            let asked = Instant::now();
            proven.prove_as_of(AsOf { asked, age });
            let (ago, _) = proven.overdue(Instant::now()).expect("too old");
            assert!(ago > Duration::from_secs(86_400 * 399), "{age:?}: {ago:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_proof_holds_for_its_bound_and_for_ever_without_one() {
        let proven = LastProven::never();
        let hour = Duration::from_secs(3600);
        proven.prove(Instant::now());
        tokio::time::advance(hour).await;
        assert_eq!(proven.overdue(Instant::now()), None);
        proven.holds_for(hour);
        assert_eq!(proven.overdue(Instant::now()), None, "just now it holds");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(
            proven.overdue(Instant::now()),
            Some((hour + Duration::from_secs(1), hour))
        );
        proven.prove(Instant::now());
        assert_eq!(proven.overdue(Instant::now()), None);
        proven.prove_as_of((Instant::now() - Duration::from_secs(1)).into());
        tokio::time::advance(hour).await;
        assert_eq!(
            proven.overdue(Instant::now()),
            None,
            "an older proof takes nothing back"
        );
        let cached = LastProven::never();
        let began = cached.0.began.wall;
        cached.holds_for(hour);
        cached.prove_as_of(AsOf {
            asked: Instant::now(),
            age: hour,
        });
        assert_eq!(cached.overdue(Instant::now()), None);
        assert_eq!(cached.at_by(Duration::ZERO, began), began.checked_sub(hour));
        tokio::time::advance(Duration::from_secs(1)).await;
        let ago = cached.overdue(Instant::now()).map(|(ago, _)| ago);
        assert_eq!(ago, Some(hour + Duration::from_secs(1)), "before it began");
        let never = LastProven::never();
        never.holds_for(Duration::ZERO);
        assert_eq!(
            never.overdue(Instant::now()),
            None,
            "what was never proven is not live"
        );
    }
}
