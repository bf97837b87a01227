//! What one watcher of files is told: the touches it has not looked at yet, merged into one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{
    Target,
    read::{self, Found},
    settle::Touch,
};

#[derive(Default)]
pub(super) struct Subscriber {
    news: Mutex<News>,
    notify: Notify,
}

#[derive(Default)]
struct News {
    touch: Option<Touch>,
    /// How many touches there were.
    count: u64,
    /// What is read as soon as it is finished, and what was read so.
    wanted: Option<Arc<Target>>,
    early: Option<Found>,
}

impl Subscriber {
    /// Waits for a touch. Several at once are merged. May be dropped at any time.
    pub(super) async fn touched(&self) -> Touch {
        loop {
            if let Some(touch) = lock(&self.news).touch.take() {
                return touch;
            }
            self.notify.notified().await;
        }
    }

    /// A write was seen that nobody has looked at yet.
    pub(super) fn write_pending(&self) -> bool {
        lock(&self.news).touch == Some(Touch::Written)
    }

    /// Whether `file` is read while its task still wakes: from memory, since its writer has only just closed it. That takes a
    /// third off the time until readers see it, and is not for a file whose reading may hang.
    pub(super) fn read_early(&self, file: Option<&Arc<Target>>) {
        lock(&self.news).wanted = file.map(Arc::clone);
    }

    /// What was read so before the touch was taken, if nothing has happened to it since.
    pub(super) fn early(&self) -> Option<Found> {
        lock(&self.news).early.take()
    }

    pub(super) fn touch(&self, touch: Touch) {
        let mut news = lock(&self.news);
        news.touch = Some(news.touch.map_or(touch, |before| before.then(touch)));
        news.count += 1;
        news.early = None;
        self.notify.notify_one();
    }

    /// A touch for this one alone. Its task does not wait for what is read meanwhile.
    pub(super) fn finished(&self) {
        let (wanted, count) = {
            let news = lock(&self.news);
            // One that changes faster than it is looked at is not read each time.
            let busy = news.touch == Some(Touch::Finished);
            (news.wanted.clone().filter(|_| !busy), news.count + 1)
        };
        self.touch(Touch::Finished);
        if let Some(found) = wanted.as_deref().and_then(read::early) {
            let mut news = lock(&self.news);
            if news.touch.is_some() && news.count == count {
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
    use super::{super::read::What, *};
    use std::fs;

    fn text(found: Option<Found>) -> Option<String> {
        match found?.what {
            What::Bytes(bytes) => String::from_utf8(bytes).ok(),
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
        let write = |text: &str| fs::write(&target.path, text).unwrap();
        let subscriber = Subscriber::default();
        write("1");
        subscriber.finished();
        assert_eq!(text(subscriber.early()), None, "nobody asked for it");
        assert_eq!(subscriber.touched().await, Touch::Finished);

        subscriber.read_early(Some(&target));
        subscriber.finished();
        assert_eq!(subscriber.touched().await, Touch::Finished);
        assert_eq!(text(subscriber.early()).as_deref(), Some("1"));
        assert_eq!(text(subscriber.early()), None, "once");

        subscriber.finished();
        write("2");
        subscriber.finished();
        assert_eq!(text(subscriber.early()), None, "a touch too many");
        assert_eq!(subscriber.touched().await, Touch::Finished);

        subscriber.finished();
        subscriber.touch(Touch::Written);
        assert_eq!(text(subscriber.early()), None, "a writer began again");
        assert_eq!(subscriber.touched().await, Touch::Written);

        for strange in ["more than the limit", ""] {
            write(strange);
            subscriber.finished();
            assert_eq!(subscriber.touched().await, Touch::Finished);
            let early = text(subscriber.early());
            assert_eq!(early.as_deref(), Some("").filter(|_| strange.is_empty()));
        }
        fs::remove_file(&target.path).unwrap();
        subscriber.finished();
        assert_eq!(
            text(subscriber.early()),
            None,
            "it is the session that judges"
        );
    }
}
