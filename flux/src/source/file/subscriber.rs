//! Which touches one watcher of files has not looked at yet, and which file is read as soon as its writer has closed it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{
    chain::{EventSpot, LinkChain},
    event::Touch,
    read::{self, ReadOutcome},
    target::Target,
    touches::Touches,
};

#[derive(Default)]
pub(super) struct Subscriber {
    news: Mutex<PendingTouches>,
    notify: Notify,
}

#[derive(Default)]
struct PendingTouches {
    touches: Touches,
    /// How many touches there were.
    count: u64,
    /// How often the session has read by itself.
    looks: u64,
    /// What is read as soon as it is finished, and what was read so.
    wanted: Option<Arc<Target>>,
    early: Option<ReadOutcome>,
}

impl Subscriber {
    /// Waits for touches. Several of one spot are merged. May be dropped at any time.
    pub(super) async fn touched(&self) -> Touches {
        loop {
            if let Some(touches) = self.pending() {
                return touches;
            }
            self.notify.notified().await;
        }
    }

    fn pending(&self) -> Option<Touches> {
        let mut news = lock(&self.news);
        (!news.touches.is_empty()).then(|| std::mem::take(&mut news.touches))
    }

    /// A write was seen on this way that nobody has looked at yet.
    pub(super) fn write_pending(&self, way: &LinkChain) -> bool {
        lock(&self.news).touches.is_written(way)
    }

    /// Whether `file` is read while its task still wakes: from memory, since its writer has only just closed it. That takes a
    /// third off the time until readers see it, and is not for a file whose reading may hang.
    pub(super) fn read_early(&self, file: Option<&Arc<Target>>) {
        lock(&self.news).wanted = file.map(Arc::clone);
    }

    /// What was read so before the touches were taken, if nothing has happened since.
    pub(super) fn early(&self) -> Option<ReadOutcome> {
        lock(&self.news).early.take()
    }

    /// The session has read by itself: an early read that began before that may be older, and is dropped.
    pub(super) fn looked(&self) {
        let mut news = lock(&self.news);
        news.looks += 1;
        news.early = None;
    }

    pub(super) fn touch(&self, spot: &EventSpot, touch: Touch) {
        let mut news = lock(&self.news);
        news.touches.add(spot, touch);
        self.wake(&mut news);
    }

    /// Events were lost.
    pub(super) fn rescan(&self) {
        let mut news = lock(&self.news);
        news.touches.rescan = true;
        self.wake(&mut news);
    }

    fn wake(&self, news: &mut PendingTouches) {
        news.count += 1;
        news.early = None;
        self.notify.notify_one();
    }

    /// A touch for this one alone. Its task does not wait for what is read meanwhile.
    pub(super) fn finished(&self, spot: &EventSpot) {
        let (wanted, before) = {
            let news = lock(&self.news);
            // One that changes faster than it is looked at is not read each time.
            let busy = news.touches.is_finished(spot);
            let wanted = news.wanted.clone().filter(|_| !busy);
            (wanted, (news.count + 1, news.looks))
        };
        self.touch(spot, Touch::Finished);
        if let Some(found) = wanted.as_deref().and_then(read::early) {
            let mut news = lock(&self.news);
            if !news.touches.is_empty() && (news.count, news.looks) == before {
                news.early = Some(found);
            }
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{super::read::FileContent, *};
    use std::fs;

    fn text(found: Option<ReadOutcome>) -> Option<String> {
        match found?.what {
            FileContent::Bytes(bytes) => String::from_utf8(bytes).ok(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_read_early_is_the_newest_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = Arc::new(Target {
            path: folder.path().join("a"),
            shown: "a".to_owned(),
            max_size: 10,
        });
        let spot = EventSpot::entry(folder.path(), "a");
        let write = |text: &str| fs::write(&target.path, text).unwrap();
        let subscriber = Subscriber::default();
        let touched = async |touch: Touch| {
            let touches = subscriber.touched().await;
            assert_eq!(touches.spots, [(spot.clone(), touch)]);
        };
        write("1");
        subscriber.finished(&spot);
        assert_eq!(text(subscriber.early()), None, "nobody asked for it");
        touched(Touch::Finished).await;

        subscriber.read_early(Some(&target));
        subscriber.finished(&spot);
        touched(Touch::Finished).await;
        assert_eq!(text(subscriber.early()).as_deref(), Some("1"));
        assert_eq!(text(subscriber.early()), None, "once");

        subscriber.finished(&spot);
        write("2");
        subscriber.finished(&spot);
        assert_eq!(text(subscriber.early()), None, "a touch too many");
        touched(Touch::Finished).await;

        subscriber.finished(&spot);
        subscriber.touch(&spot, Touch::Written);
        assert_eq!(text(subscriber.early()), None, "a writer began again");
        touched(Touch::Written).await;

        subscriber.finished(&spot);
        touched(Touch::Finished).await;
        subscriber.looked();
        assert_eq!(text(subscriber.early()), None, "older than the last look");

        for strange in ["more than the limit", ""] {
            write(strange);
            subscriber.finished(&spot);
            touched(Touch::Finished).await;
            let early = text(subscriber.early());
            assert_eq!(early.as_deref(), Some("").filter(|_| strange.is_empty()));
        }
        fs::remove_file(&target.path).unwrap();
        subscriber.finished(&spot);
        assert_eq!(
            text(subscriber.early()),
            None,
            "it is the session that judges"
        );
    }
}
