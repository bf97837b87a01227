//! When a source is read again although nobody told of a change.

use std::time::Duration;

use tokio::time::Instant;

/// Tells when a source is to be read again; made by [`Observer::resync`](super::Observer::resync).
#[derive(Debug)]
pub struct Resync {
    period: Option<Duration>,
    next: Option<Instant>,
}

impl Resync {
    pub(super) fn every(period: Option<Duration>) -> Self {
        let mut resync = Resync { period, next: None };
        resync.begin();
        resync
    }

    /// Waits until the source is to be read again. May be dropped at any time.
    pub async fn due(&mut self) {
        let Some(next) = self.next else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(next).await;
        self.begin();
    }

    /// Not exactly the period: what started together must not ask together for ever.
    fn begin(&mut self) {
        self.next = self.period.and_then(|period| {
            let period = period.mul_f64(0.9 + 0.2 * fastrand::f64());
            Instant::now().checked_add(period)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_comes_about_once_a_period_however_often_it_is_asked_for() {
        let begin = Instant::now();
        let mut resync = Resync::every(Some(Duration::from_secs(10)));
        for _ in 0..100 {
            let mut dropped = 0;
            while tokio::time::timeout(Duration::from_secs(1), resync.due())
                .await
                .is_err()
            {
                dropped += 1;
            }
            assert!((8..=11).contains(&dropped), "{dropped}");
        }
        let took = begin.elapsed().as_secs();
        assert!((850..=1150).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_period_it_never_comes() {
        let mut resync = Resync::every(None);
        let year = Duration::from_secs(86_400 * 365);
        assert!(tokio::time::timeout(year, resync.due()).await.is_err());
    }
}
