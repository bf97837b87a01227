//! How many pages may be followed at once, and for how long each keeps its place.

use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use tokio::time::Instant;

/// The places of a page. Once the time of a listener is over, and others need its place, it is given to them: a browser that reads nothing
/// is never asked whether it is still there.
#[derive(Default)]
pub(super) struct PagePlaces(Mutex<Places>);

#[derive(Default)]
struct Places {
    /// How many there were.
    count: u64,
    taken: Vec<ListenerPlace>,
}

struct ListenerPlace {
    number: u64,
    until: Instant,
    listener: Weak<dyn Released>,
}

/// What follows a page.
pub(super) trait Released: Send + Sync {
    /// Its place is given to another one; it ends.
    fn release(&self);
}

impl PagePlaces {
    /// The number of a place that is kept until this time at least; none where `most` are taken.
    pub(super) fn take(
        &self,
        most: usize,
        until: Instant,
        listener: Weak<dyn Released>,
    ) -> Option<u64> {
        let now = Instant::now();
        let mut places = self.places();
        let mut over = Vec::new();
        if places.taken.len() >= most {
            let is_over = |place: &mut ListenerPlace| place.until <= now;
            over.extend(places.taken.extract_if(.., is_over));
        }
        let number = (places.taken.len() < most).then(|| {
            places.count += 1;
            let number = places.count;
            places.taken.push(ListenerPlace {
                number,
                until,
                listener,
            });
            number
        });
        drop(places);
        for place in over {
            if let Some(listener) = place.listener.upgrade() {
                listener.release();
            }
        }
        number
    }

    pub(super) fn give_back(&self, number: u64) {
        let mut places = self.places();
        places.taken.retain(|place| place.number != number);
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
