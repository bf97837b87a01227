//! What all requests of a page share: the last picture, and who follows it.

use super::{listeners::PagePlaces, picture::Picture, subject::PageSubject};
use std::{fmt::Write as _, sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::Mutex, time::Instant};

/// PagePlaces are served with pictures that are at least so far apart.
pub(super) const PACE: Duration = Duration::from_millis(80);

/// A picture, and when it was taken.
type LastPicture = Option<(Arc<Picture>, Instant)>;

pub(super) struct Hub {
    pub(super) subject: Arc<dyn PageSubject>,
    /// Of this process alone, so that pictures of another one are not taken for this one's.
    pub(super) process: String,
    /// What a request that changes something must contain; none where the system gave no random bytes.
    pub(super) token: Option<String>,
    /// The newest picture.
    taken: Arc<Mutex<LastPicture>>,
    /// Held while an answer is made.
    asked: Arc<Mutex<()>>,
    pub(super) listeners: PagePlaces,
}

impl Hub {
    pub(super) fn new(subject: Arc<dyn PageSubject>) -> Self {
        Hub {
            subject,
            process: random(4).unwrap_or_else(|| std::process::id().to_string()),
            token: random(16),
            taken: Arc::new(Mutex::new(None)),
            asked: Arc::default(),
            listeners: PagePlaces::default(),
        }
    }

    /// The picture of what is there now; for listeners of what was there a moment ago. However many ask, it is taken once.
    /// None where it cannot be taken, because the runtime ends.
    pub(super) async fn picture(&self, is_paced: bool) -> Option<Arc<Picture>> {
        let mut taken = Arc::clone(&self.taken).lock_owned().await;
        let status = self.subject.status();
        let before = taken.as_ref().map(|(picture, _)| Arc::clone(picture));
        if let Some((picture, at)) = &*taken
            && (Arc::ptr_eq(&picture.status, &status) || is_paced && at.elapsed() < PACE)
        {
            return Some(Arc::clone(picture));
        }
        let subject = Arc::clone(&self.subject);
        // It owns the lock: what a client began is kept though the client is gone, and many that come and go cost one picture.
        let take = move || {
            let picture = Arc::new(Picture::take(&*subject, status, before.as_deref()));
            *taken = Some((Arc::clone(&picture), Instant::now()));
            picture
        };
        // Some milliseconds of work for thousands of settings, which no other request should wait for.
        Some(match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(take).await.ok()?,
            Err(_) => take(),
        })
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
