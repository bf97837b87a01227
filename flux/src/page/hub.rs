//! When a new picture is taken for the page, once for all that ask, and how often open pages look for news.

use super::{listeners::PagePlaces, picture::Picture, subject::PageSubject};
use std::{fmt::Write as _, sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::Mutex, time::Instant};

/// Listeners look for news so often, all at the same moments: twelve times a second, so that each of ten changes a second is seen.
const PACE: Duration = Duration::from_millis(80);

/// The newest picture.
struct LastPicture {
    picture: Arc<Picture>,
    began: Instant,
    took: Duration,
}

impl LastPicture {
    /// Whether listeners may have another one: where pictures are slow, they take two thirds of the time of one core at most.
    fn is_old(&self) -> bool {
        self.began.elapsed() >= (self.took + self.took / 2).max(PACE / 2)
    }
}

pub(super) struct Hub {
    pub(super) subject: Arc<dyn PageSubject>,
    /// Of this process alone, so that pictures of another one are not taken for this one's.
    pub(super) process: String,
    /// What a request that changes something must contain; none where the system gave no random bytes.
    pub(super) token: Option<String>,
    taken: Arc<Mutex<Option<LastPicture>>>,
    since: Instant,
    /// Held while an answer is made.
    asked: Arc<Mutex<()>>,
    /// Held while a plan is made and its parties are asked.
    pub(super) planning: Mutex<()>,
    pub(super) listeners: PagePlaces,
}

impl Hub {
    pub(super) fn new(subject: Arc<dyn PageSubject>) -> Self {
        Hub {
            subject,
            process: random(4).unwrap_or_else(|| std::process::id().to_string()),
            token: random(16),
            taken: Arc::new(Mutex::new(None)),
            since: Instant::now(),
            asked: Arc::default(),
            planning: Mutex::default(),
            listeners: PagePlaces::default(),
        }
    }

    /// The picture of what is there now; for listeners of what was there a moment ago. However many ask, it is taken once.
    /// None where it cannot be taken, because the runtime ends.
    pub(super) async fn picture(&self, is_paced: bool) -> Option<Arc<Picture>> {
        let mut taken = Arc::clone(&self.taken).lock_owned().await;
        let status = self.subject.status();
        let before = taken.as_ref().map(|last| Arc::clone(&last.picture));
        if let Some(last) = &*taken
            && (Arc::ptr_eq(&last.picture.status, &status) || is_paced && !last.is_old())
        {
            return Some(Arc::clone(&last.picture));
        }
        let subject = Arc::clone(&self.subject);
        // It owns the lock: what a client began is kept though the client is gone, and many that come and go cost one picture.
        let take = move || {
            let began = Instant::now();
            let picture = Arc::new(Picture::take(&*subject, status, before.as_deref()));
            *taken = Some(LastPicture {
                picture: Arc::clone(&picture),
                began,
                took: began.elapsed(),
            });
            picture
        };
        // Some milliseconds of work for thousands of settings, which no other request should wait for.
        Some(match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(take).await.ok()?,
            Err(_) => take(),
        })
    }

    /// When listeners look for news again. It does not depend on how long the last picture took.
    pub(super) fn next_look(&self) -> Instant {
        let now = Instant::now();
        let looks = now.duration_since(self.since).as_nanos() / PACE.as_nanos();
        let next = u32::try_from(looks + 1)
            .ok()
            .map(|looks| self.since + PACE * looks);
        next.unwrap_or(now + PACE)
    }

    /// An answer that is about many settings: one is made at a time, and no other request waits for it. None where it panics, or the
    /// runtime ends.
    pub(super) async fn answer<T: Send + 'static>(
        &self,
        make: impl FnOnce(&dyn PageSubject) -> T + Send + 'static,
    ) -> Option<T> {
        let asked = Arc::clone(&self.asked).lock_owned().await;
        let subject = Arc::clone(&self.subject);
        let make = move || {
            let _asked = asked;
            make(&*subject)
        };
        match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(make).await.ok(),
            Err(_) => Some(make()),
        }
    }
}

/// `count` random bytes in hexadecimal, 16 at most.
fn random(count: usize) -> Option<String> {
    let mut bytes = [0; 16];
    let bytes = bytes.get_mut(..count)?;
    getrandom::fill(bytes).ok()?;
    let mut text = String::with_capacity(2 * count);
    for byte in bytes {
        write!(text, "{byte:02x}").ok()?;
    }
    Some(text)
}
