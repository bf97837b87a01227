//! Watches a place from its first look on: when it is read again, how often it is polled, what of it is reported.

use std::{future::poll_fn, io, pin::pin, sync::OnceLock, task::Poll, time::Duration};

use tokio::{
    task::yield_now,
    time::{Instant, sleep_until},
};

use super::{
    elsewhere::{LONG, elsewhere},
    entry::Trust,
    hub::Wait,
    place::{Turn, WatchedPlace},
    touches::Touches,
};
use crate::source::{Observation, Observer, SourceError};

/// How often it is read at least where there are no events.
const RESYNC_SILENT: Duration = Duration::from_secs(10);

/// How often a place is read although no event came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intervals {
    /// What was asked for.
    pub(super) asked: Option<Duration>,
    pub(super) usual: Duration,
}

struct FileSession<'a> {
    observer: &'a Observer,
    intervals: Intervals,
    /// When the last reading of the whole place began.
    looked: Instant,
    unsettled: bool,
    /// The trouble that the health shows.
    reported: Option<(SourceError, u32)>,
}

enum Woken {
    Touched(Touches),
    Asked,
    Due,
    Tick,
}

/// When the place is read whatever the events are.
#[derive(Default)]
struct Ticks {
    next: Option<Instant>,
}

impl Ticks {
    /// The next one. One that passed, because there was something else to do then, is still due.
    fn next(&mut self, now: Instant, interval: Duration) -> Instant {
        let next = next_tick(now, interval);
        let next = self.next.map_or(next, |due| due.min(next));
        self.next = Some(next);
        next
    }

    /// It was read.
    fn kept(&mut self) {
        self.next = None;
    }
}

/// Watches for ever, or until it cannot go on.
pub(super) async fn run(
    place: WatchedPlace,
    mut intervals: Intervals,
    observer: &Observer,
) -> Result<(), SourceError> {
    let of_layer = observer.resync_of_layer();
    let of_layer = of_layer.map(|resync| resync.max(Duration::from_millis(1)));
    intervals.asked = of_layer.or(intervals.asked);
    let mut session = FileSession {
        observer,
        intervals,
        looked: Instant::now(),
        unsettled: false,
        reported: None,
    };
    let mut place = session.look(place, Trust::Unproven).await?;
    let mut ticks = Ticks::default();
    // Somebody asked, and waits for what is not settled yet.
    let mut owed = false;
    loop {
        if std::mem::take(&mut owed) {
            match place.is_waiting() {
                true => owed = true,
                false => observer.answer(),
            }
        }
        let now = Instant::now();
        let tick = ticks.next(now, session.interval(&place));
        let wake = place.due().map_or(tick, |due| due.min(tick));
        // Events that come without a pause do not put the reading off.
        let woken = match tick <= now {
            true => Woken::Tick,
            false => session.woken(&place, wake).await,
        };
        place = match woken {
            Woken::Touched(touches) => {
                session
                    .turn(place, move |place, now| place.touch(&touches, now))
                    .await?
            }
            Woken::Due if wake < tick => session.turn(place, WatchedPlace::overdue).await?,
            Woken::Due | Woken::Tick => {
                ticks.kept();
                session.look(place, Trust::Unproven).await?
            }
            Woken::Asked => {
                owed = true;
                session.look(place, Trust::Unproven).await?
            }
        };
    }
}

impl FileSession<'_> {
    async fn woken(&self, place: &WatchedPlace, wake: Instant) -> Woken {
        let mut touched = pin!(place.touched());
        let mut asked = pin!(self.observer.asked());
        let mut due = pin!(sleep_until(wake));
        poll_fn(|cx| {
            if let Poll::Ready(touches) = touched.as_mut().poll(cx) {
                return Poll::Ready(Woken::Touched(touches));
            }
            if asked.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Woken::Asked);
            }
            due.as_mut().poll(cx).map(|()| Woken::Due)
        })
        .await
    }

    /// Reads what `step` finds to be read: at once, on this thread, unless the file system may hang, or there is much to look through.
    async fn turn(
        &mut self,
        mut place: WatchedPlace,
        step: impl FnOnce(&mut WatchedPlace, Instant) -> Turn + Send + 'static,
    ) -> Result<WatchedPlace, SourceError> {
        let now = Instant::now();
        if place.is_silent() || place.is_large() {
            let (moved, look) = self
                .elsewhere(place, move |place| {
                    let turn = step(place, now);
                    turn.look_after(place)
                })
                .await?;
            place = moved;
            self.report(&mut place, now);
            return match look {
                Some(trust) => self.look(place, trust).await,
                None => Ok(place),
            };
        }
        let turn = step(&mut place, now);
        if self.report(&mut place, now) {
            // Readers see it first.
            yield_now().await;
        }
        match turn.look_after(&place) {
            Some(trust) => self.look(place, trust).await,
            None => Ok(place),
        }
    }

    /// Watches all that leads to the place and reads it, on a thread of its own where the file system may hang or there is much to read.
    async fn look(
        &mut self,
        mut place: WatchedPlace,
        trust: Trust,
    ) -> Result<WatchedPlace, SourceError> {
        let now = Instant::now();
        let elsewhere = place.may_hang() || place.is_large();
        if elsewhere || place.look(trust, Wait::Moment, now).is_err() {
            let look = move |place: &mut WatchedPlace| drop(place.look(trust, Wait::Forever, now));
            (place, ()) = self.elsewhere(place, look).await?;
        }
        // Until the next one, and until a file system that does not answer is reported.
        self.observer
            .holds_for(self.interval(&place).saturating_add(LONG));
        self.looked = now;
        self.report(&mut place, now);
        place.read_early();
        Ok(place)
    }

    async fn elsewhere<T: Send + 'static>(
        &mut self,
        mut place: WatchedPlace,
        work: impl FnOnce(&mut WatchedPlace) -> T + Send + 'static,
    ) -> Result<(WatchedPlace, T), SourceError> {
        let shown = place.shown().to_owned();
        let waits = || {
            self.observer.failing(SourceError::transient(format!(
                "{shown}: the file system has not answered for {LONG:?}"
            )));
        };
        let work = move || {
            let outcome = work(&mut place);
            (place, outcome)
        };
        let failed =
            |error: io::Error| SourceError::transient(format!("{shown} cannot be read: {error}"));
        elsewhere(work, waits).await.map_err(failed)
    }

    /// Reports what is new, and how well it is watched. Answers whether anything is new. `asked`: when reading it began, which may have
    /// taken long.
    fn report(&mut self, place: &mut WatchedPlace, asked: Instant) -> bool {
        let news = place.take_news().then(|| place.observation()).flatten();
        let is_new = news.is_some();
        // An event proves what it was about: not the other files of a folder, and nothing where nothing was read for it.
        let proven = match place.is_one_file() && is_new {
            true => asked,
            false => self.looked,
        };
        let observer = &self.observer.as_of(proven);
        if let Some(observation) = news {
            // Of the words the name of a file, which whoever writes the folder chooses, is the most.
            let observation = match observation {
                Observation::Unreadable(error) => Observation::Unreadable(error.of_its_layer()),
                observation => observation,
            };
            match place.found() {
                Some(found) => observer.found_in(found).observe(observation),
                None => observer.observe(observation),
            }
            (self.unsettled, self.reported) = (false, None);
        }
        // The document of a folder holds nothing that is not settled.
        let unsettled = place.is_file() && place.is_busy();
        if unsettled != std::mem::replace(&mut self.unsettled, unsettled) {
            match unsettled {
                true => self.observer.unsettled(),
                false => self.observer.settled(),
            }
        }
        let deaf = place.deafness(self.interval(place)).map(|error| (error, 1));
        match deaf.or_else(|| place.trouble(Instant::now())) {
            None => {
                self.reported = None;
                observer.live();
            }
            Some(trouble) if self.reported.as_ref() != Some(&trouble) => {
                self.observer.failing(trouble.0.clone().of_its_layer());
                self.reported = Some(trouble);
            }
            Some(_) => {}
        }
        is_new
    }

    fn interval(&self, place: &WatchedPlace) -> Duration {
        let usual = match place.is_silent() || place.is_deaf() {
            true => RESYNC_SILENT.min(self.intervals.usual),
            false => self.intervals.usual,
        };
        self.intervals.asked.unwrap_or(usual)
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
mod tests {
    use super::*;

    #[test]
    fn a_tick_that_passes_while_there_is_something_else_to_do_is_still_due() {
        let minute = Duration::from_secs(60);
        let now = Instant::now();
        let mut ticks = Ticks::default();
        let tick = ticks.next(now, minute);
        let later = tick + Duration::from_millis(1);
        assert_eq!(ticks.next(later, minute), tick);
        ticks.kept();
        assert_eq!(ticks.next(later, minute), tick + minute);
        // One that comes sooner, as where events can no longer be had.
        let sooner = ticks.next(later, Duration::from_secs(10));
        assert_eq!(sooner, next_tick(later, Duration::from_secs(10)));
        assert!(sooner < tick + minute);
    }

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
