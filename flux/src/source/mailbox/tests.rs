//! What a mailbox keeps of the reports of its observers.

use crate::source::{Content, mailbox::*};
use std::time::Duration;

fn text(news: &SourceReport) -> &str {
    match &news.observation {
        Some(Observation::Value(content)) => std::str::from_utf8(&content.bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn content_that_stays_is_replaced_by_newer_content_and_reported_once_released() {
    let mailbox = Mailbox::new(2);
    let count = |content: bool| mailbox.reports(content).count();
    mailbox.observer(0).live();
    mailbox.observer(1).value(*b"old");
    assert_eq!(count(false), 1, "health alone is reported");
    mailbox.observer(1).value(*b"new");
    assert_eq!(
        (count(false), count(true)),
        (0, 0),
        "nobody is woken for it"
    );
    mailbox.release();
    let news = mailbox.take();
    assert_eq!((news.len(), news[0].layer, text(&news[0])), (1, 1, "new"));
}

#[test]
fn the_newest_observation_replaces_the_one_nobody_took() {
    let mailbox = Mailbox::new(2);
    mailbox.observer(1).value(*b"old");
    mailbox.observer(1).value(*b"new");
    let news = mailbox.take();
    assert_eq!(news.len(), 1);
    assert_eq!(
        (news[0].layer, text(&news[0]), news[0].received),
        (1, "new", 2)
    );
    assert!(matches!(news[0].health, Some(Health::Live)));
    assert!(mailbox.take().is_empty());
}

#[test]
fn health_is_news_only_when_it_changes() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    observer.live();
    observer.live();
    assert_eq!(mailbox.take().len(), 1);
    observer.live();
    assert!(mailbox.take().is_empty());
    observer.failing(SourceError::transient("cut"));
    let Some(Health::Stale {
        since, attempt: 1, ..
    }) = mailbox.take()[0].health.clone()
    else {
        panic!("not stale");
    };
    observer.failing(SourceError::transient("cut again"));
    let Some(Health::Stale {
        since: again,
        attempt: 2,
        error,
    }) = mailbox.take()[0].health.clone()
    else {
        panic!("not stale");
    };
    assert_eq!(since, again, "stale since the first failure");
    assert_eq!(error.to_string(), "cut again");
}

#[test]
fn an_observation_ends_what_was_unsettled() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    observer.unsettled();
    let news = mailbox.take();
    assert!(news[0].unsettled && news[0].observation.is_none());
    observer.unsettled();
    assert!(mailbox.take().is_empty(), "no news in saying it twice");
    observer.absent();
    let news = mailbox.take();
    assert!(!news[0].unsettled);
    assert!(matches!(news[0].observation, Some(Observation::Absent)));
}

fn value(text: &str) -> Observation {
    Observation::Value(Content {
        bytes: text.as_bytes().into(),
        revision: None,
    })
}

#[test]
fn a_change_that_is_announced_late_is_dropped_but_a_sign_of_life() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    observer.read_at(7, value("seven"));
    assert_eq!(text(&mailbox.take()[0]), "seven");
    observer.announced_at(8, Observation::Absent);
    mailbox.take();
    observer.failing(SourceError::transient("restart"));
    observer.announced_at(7, value("seven"));
    let news = mailbox.take();
    assert!(news[0].observation.is_none(), "a deletion is not undone");
    assert!(
        matches!(news[0].health, Some(Health::Stale { .. })),
        "history proves nothing"
    );
    observer.announced_at(8, value("eight"));
    assert_eq!(text(&mailbox.take()[0]), "eight");
}

/// A server that sends history again while it lags behind may do so for long.
#[tokio::test(start_paused = true)]
async fn what_is_announced_late_is_a_sign_of_life_and_no_proof() {
    let mailbox = Mailbox::new(1);
    let (observer, proven) = (mailbox.observer(0), mailbox.proven(0));
    let second = std::time::Duration::from_secs(1);
    observer.holds_for(second);
    observer.read_at(7, value("seven"));
    tokio::time::advance(second * 2).await;
    observer.announced_at(6, value("six"));
    assert_eq!(observer.last_sign(), Instant::now());
    assert!(proven.overdue(Instant::now()).is_some());
    observer.announced_at(8, value("eight"));
    assert_eq!(proven.overdue(Instant::now()), None);
}

#[test]
fn an_answer_to_a_read_is_taken_whatever_its_number() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    observer.announced_at(40, value("forty"));
    mailbox.take();
    observer.read_at(2, value("restored"));
    assert_eq!(text(&mailbox.take()[0]), "restored");
    observer.announced_at(3, value("three"));
    assert_eq!(text(&mailbox.take()[0]), "three");
    observer.observe(Observation::Absent);
    observer.announced_at(1, value("made anew"));
    assert_eq!(text(&mailbox.take()[0]), "made anew");
}

#[test]
fn numbers_of_different_sessions_are_not_compared() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    observer.begin();
    observer.announced_at(40, value("forty"));
    mailbox.take();
    observer.begin();
    observer.announced_at(2, value("two"));
    assert_eq!(text(&mailbox.take()[0]), "two");
}

#[tokio::test]
async fn a_request_to_read_now_is_answered_once_the_source_was_read() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    assert_eq!(mailbox.read_now(0), None, "nobody takes it");
    observer.asked().await;
    observer.answer();
    assert_eq!(mailbox.take()[0].answered, 1);
    let second = mailbox.read_now(0).unwrap();
    let third = mailbox.read_now(0).unwrap();
    assert!(mailbox.take().is_empty(), "nothing was read yet");
    observer.asked().await;
    observer.value(*b"x");
    assert_eq!(mailbox.take()[0].answered, 1, "not yet");
    observer.answer();
    assert_eq!((second, third, mailbox.take()[0].answered), (2, 3, 3));
    observer.answer();
    assert!(mailbox.take().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_between_take_and_changed() {
    let mailbox = Mailbox::new(1);
    let observer = mailbox.observer(0);
    let writer = tokio::task::spawn_blocking(move || {
        for n in 0..10_000u32 {
            observer.value(n.to_le_bytes());
            if n % 64 == 0 {
                std::thread::yield_now();
            }
        }
    });
    let last = 9_999u32.to_le_bytes();
    tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            mailbox.changed().await;
            for news in mailbox.take() {
                if let Some(Observation::Value(content)) = news.observation
                    && *content.bytes == last
                {
                    assert_eq!(news.received, 10_000);
                    return;
                }
            }
        }
    })
    .await
    .expect("the last value arrives");
    writer.await.unwrap();
}
