//! When a source is read again although no change was reported.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::Observer;

/// Tells when a source is to be read again; made by [`Observer::resync`](super::Observer::resync).
#[derive(Debug)]
pub struct Resync {
    period: Option<Duration>,
    next: Option<Instant>,
    observer: Option<Observer>,
}

impl Resync {
    pub(super) fn every(period: Option<Duration>) -> Self {
        let mut resync = Resync {
            period,
            next: None,
            observer: None,
        };
        resync.begin();
        resync
    }

    /// Is due as well when the program asks for the source to be read; the next report of the observer answers that.
    pub(super) fn asked_through(mut self, observer: &Observer) -> Self {
        self.observer = Some(observer.clone());
        self
    }

    /// Waits until the source is to be read again. May be dropped at any time.
    pub async fn due(&mut self) {
        let next = self.next;
        let mut period = pin!(async {
            match next {
                Some(next) => sleep_until(next).await,
                None => std::future::pending().await,
            }
        });
        let observer = self.observer.clone();
        let mut asked = pin!(async {
            match &observer {
                Some(observer) => observer.asked_of_reports().await,
                None => std::future::pending().await,
            }
        });
        poll_fn(|cx| match period.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => asked.as_mut().poll(cx),
        })
        .await;
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
    use crate::source::mailbox::Mailbox;

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
    async fn it_comes_when_the_program_asks_and_the_next_report_answers() {
        let mailbox = Mailbox::new(1);
        let observer = mailbox.observer(0);
        let mut resync = observer.resync();
        let early = tokio::time::timeout(Duration::from_secs(1), resync.due());
        assert!(early.await.is_err());
        let request = mailbox.read_now(0);
        resync.due().await;
        assert!(mailbox.take().is_empty());
        observer.live();
        assert_eq!(Some(mailbox.take()[0].answered), request);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_period_it_never_comes() {
        let mut resync = Resync::every(None);
        let year = Duration::from_secs(86_400 * 365);
        assert!(tokio::time::timeout(year, resync.due()).await.is_err());
    }
}
