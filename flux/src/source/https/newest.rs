//! Which of several answers is the newest: replicas and caches lag behind.

use std::time::Duration;

use hyper::body::Bytes;

use crate::source::AsOf;

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
    of: Option<AsOf>,
}

/// By what an answer that is held back is older than the newest document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum OlderBy {
    /// Its `Last-Modified`.
    Date,
    /// Its `Age`: a cache had it before the newest one was read.
    Age,
}

impl Newest {
    /// Takes an answer that shows the document as it was at `of`, unless it is older. One with an older date comes from a replica that
    /// lags behind, and one that was given before the newest from a cache, unless it stays so.
    pub(super) fn take(
        &mut self,
        modified: Option<u64>,
        of: AsOf,
        body: &Bytes,
    ) -> Result<(), OlderBy> {
        let dates = modified.zip(self.modified);
        let older = match dates.is_some_and(|(now, newest)| now < newest) {
            true => Some(OlderBy::Date),
            false => self.is_after(of).then_some(OlderBy::Age),
        };
        let is_same = self.body.as_ref() == Some(body);
        if let Some(by) = older.filter(|_| !is_same)
            && self.holds_back()
        {
            return Err(by);
        }
        if older.is_none() || !is_same {
            self.modified = modified;
            self.of = Some(of);
        }
        self.body = Some(body.clone());
        self.older = 0;
        Ok(())
    }

    /// The same of an answer that there is nothing, which has no date.
    pub(super) fn go(&mut self, of: AsOf) -> Result<(), OlderBy> {
        if self.is_after(of) && self.holds_back() {
            return Err(OlderBy::Age);
        }
        *self = Newest {
            of: Some(of),
            ..Newest::default()
        };
        Ok(())
    }

    /// The server or a cache answered at `of` that the newest document still holds.
    pub(super) fn still_holds(&mut self, of: AsOf) {
        self.older = 0;
        if !self.is_later(of, Duration::ZERO) {
            self.of = Some(of);
        }
    }

    fn is_after(&self, of: AsOf) -> bool {
        self.is_later(of, AGES)
    }

    fn is_later(&self, of: AsOf, by: Duration) -> bool {
        self.of.is_some_and(|newest| of.is_before(newest, by))
    }

    fn holds_back(&mut self) -> bool {
        self.older += 1;
        self.older < PUT_BACK
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

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
            self.0.take(modified, self.1.into(), body).is_ok()
        }
    }

    #[test]
    fn what_a_cache_had_before_the_newest_is_not_newer_unless_it_stays_so() {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let asked = Instant::now();
        let old = |seconds| AsOf {
            asked,
            age: Duration::from_secs(seconds),
        };
        let now = old(0);
        let mut newest = Newest::default();
        assert!(newest.take(None, old(60), &bytes("one")).is_ok());
        assert!(newest.take(None, now, &bytes("two")).is_ok());
        let held_back = newest.take(None, old(60), &bytes("one"));
        assert_eq!(held_back, Err(OlderBy::Age));
        let same = newest.take(None, old(60), &bytes("two"));
        assert!(same.is_ok());
        let of_whole_seconds = newest.take(None, old(1), &bytes("three"));
        assert!(of_whole_seconds.is_ok());
        let taken = (0..5).map(|_| newest.take(None, old(30), &bytes("one")).is_ok());
        assert_eq!(
            taken.collect::<Vec<_>>(),
            [false, false, false, false, true]
        );
        let gone = [old(90), old(20), old(60), old(10)].map(|of| newest.go(of).is_ok());
        assert_eq!(gone, [false, true, false, true]);
    }

    #[test]
    fn an_answer_that_is_held_back_is_older_by_its_date_where_that_is_older() {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let asked = Instant::now();
        let old = |seconds| AsOf {
            asked,
            age: Duration::from_secs(seconds),
        };
        let mut newest = Newest::default();
        assert!(newest.take(Some(20), old(0), &bytes("two")).is_ok());
        let by = [
            (Some(10), 0, OlderBy::Date),
            (Some(10), 60, OlderBy::Date),
            (Some(20), 60, OlderBy::Age),
            (None, 60, OlderBy::Age),
        ];
        for (modified, age, by) in by {
            let taken = newest.take(modified, old(age), &bytes("one"));
            assert_eq!(taken, Err(by), "{modified:?}, {age}");
        }
    }
}
