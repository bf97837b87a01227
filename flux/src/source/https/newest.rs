//! Which of several answers is the newest: replicas and caches lag behind.

use std::time::Duration;

use hyper::body::Bytes;
use tokio::time::Instant;

/// So many answers in a row with an older date than was seen are no replica that lags behind: the document was put back.
const PUT_BACK: u32 = 5;

/// `Age` is in whole seconds, by the clock of the cache.
const AGES: Duration = Duration::from_secs(2);

/// The newest document that was seen, by its date.
#[derive(Clone, Default)]
pub(super) struct Newest {
    modified: Option<u64>,
    body: Option<Bytes>,
    /// How many answers in a row were older.
    older: u32,
    /// When a server or a cache had it.
    of: Option<Instant>,
}

impl Newest {
    /// Whether an answer is to be taken that shows the document as it was at `of`. One with an older date comes from a replica that lags
    /// behind, and one that was given before the newest from a cache, unless it stays so.
    pub(super) fn takes(&mut self, modified: Option<u64>, of: Instant, body: &Bytes) -> bool {
        let is_older = modified
            .zip(self.modified)
            .is_some_and(|(now, newest)| now < newest);
        let is_older = is_older || self.is_after(of);
        if is_older && self.body.as_ref() != Some(body) && self.holds_back() {
            return false;
        }
        if !is_older || self.body.as_ref() != Some(body) {
            self.modified = modified;
            self.of = Some(of);
        }
        self.body = Some(body.clone());
        self.older = 0;
        true
    }

    /// The same of an answer that there is nothing.
    pub(super) fn goes(&mut self, of: Instant) -> bool {
        if self.is_after(of) && self.holds_back() {
            return false;
        }
        *self = Newest {
            of: Some(of),
            ..Newest::default()
        };
        true
    }

    /// The server or a cache answered at `of` that the newest document still holds.
    pub(super) fn still_holds(&mut self, of: Instant) {
        self.older = 0;
        self.of = self.of.max(Some(of));
    }

    fn is_after(&self, of: Instant) -> bool {
        self.of.is_some_and(|newest| of + AGES < newest)
    }

    fn holds_back(&mut self) -> bool {
        self.older += 1;
        self.older < PUT_BACK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_lags_behind_is_not_newer_and_what_was_put_back_is() {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let mut newest = Newest::default();
        let now = Instant::now();
        let mut newest = Dated(&mut newest, now);
        assert!(newest.takes(Some(10), &bytes("one")));
        assert!(newest.takes(Some(20), &bytes("two")));
        for _ in 0..10 {
            assert!(!newest.takes(Some(10), &bytes("one")));
            assert!(newest.takes(Some(20), &bytes("two")));
        }
        // The same content under another date is the same.
        assert!(newest.takes(Some(15), &bytes("two")));
        assert!(!newest.takes(Some(18), &bytes("one")));
        assert!(newest.takes(Some(20), &bytes("two")));
        let taken = (0..5).map(|_| newest.takes(Some(10), &bytes("one")));
        assert_eq!(
            taken.collect::<Vec<_>>(),
            [false, false, false, false, true]
        );
        assert!(newest.takes(Some(12), &bytes("three")));
        assert!(
            newest.takes(None, &bytes("four")),
            "without a date there is no older one"
        );
    }

    /// All answers of one moment.
    struct Dated<'a>(&'a mut Newest, Instant);

    impl Dated<'_> {
        fn takes(&mut self, modified: Option<u64>, body: &Bytes) -> bool {
            self.0.takes(modified, self.1, body)
        }
    }

    #[test]
    fn what_a_cache_had_before_the_newest_is_not_newer_unless_it_stays_so() {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let now = Instant::now() + Duration::from_secs(100);
        let old = |seconds| now - Duration::from_secs(seconds);
        let mut newest = Newest::default();
        assert!(newest.takes(None, old(60), &bytes("one")));
        assert!(newest.takes(None, now, &bytes("two")));
        assert!(!newest.takes(None, old(60), &bytes("one")));
        assert!(newest.takes(None, old(60), &bytes("two")), "the same");
        assert!(
            newest.takes(None, old(1), &bytes("three")),
            "of whole seconds"
        );
        let taken = (0..5).map(|_| newest.takes(None, old(30), &bytes("one")));
        assert_eq!(
            taken.collect::<Vec<_>>(),
            [false, false, false, false, true]
        );
        let gone = [old(90), old(20), old(60), old(10)].map(|of| newest.goes(of));
        assert_eq!(gone, [false, true, false, true]);
    }
}
