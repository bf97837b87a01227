//! After the fact: who wants to know is told, the latest wins, and nobody is waited for.

use crate::kit::{App, Log, over_a_channel, pass, running, say, settle, write};
use flux::{
    Capacitor, Flux, Snapshot, State,
    change::{Change, Event, Events, Subscription},
};
use futures_core::Stream;
use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

fn numbers(change: &Change<App>) -> (Option<u32>, u32) {
    (change.previous.as_ref().map(|app| app.n), change.current.n)
}

/// What is there now, without waiting.
async fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::ZERO, future).await.ok()
}

#[tokio::test(start_paused = true)]
async fn a_subscription_tells_every_change_that_comes_after_it() {
    let (capacitor, sender) = running(|b| b).await;
    let mut subscription = capacitor.subscribe();
    assert!(
        now(subscription.changed()).await.is_none(),
        "`n: 1` was before"
    );
    for n in [2, 3] {
        say(&sender, n).await;
        let change = subscription.changed().await.unwrap();
        assert_eq!(numbers(&change), (Some(n - 1), n));
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_made_before_start_tells_the_first_configuration() {
    let (builder, sender) = over_a_channel::<App>();
    let capacitor = builder.build().unwrap();
    let mut subscription = capacitor.subscribe();
    let mut part = capacitor.watch(|app| &app.n);
    assert_eq!(part.get(), None);
    say(&sender, 1).await;
    capacitor.start().await.unwrap();
    let change = subscription.changed().await.unwrap();
    assert_eq!(numbers(&change), (None, 1));
    assert_eq!(change.paths(), ["n", "text"]);
    assert_eq!(part.changed().await, Some(&1));
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_skips_what_came_and_went_and_is_never_waited_for() {
    let (capacitor, sender) = running(|b| b).await;
    let mut subscription = capacitor.subscribe();
    for n in 2..=50 {
        say(&sender, n).await;
        settle().await;
    }
    assert_eq!(capacitor.get().n, 50);
    let change = subscription.changed().await.unwrap();
    assert_eq!(numbers(&change), (Some(1), 50), "from what it saw last");
    assert!(now(subscription.changed()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn readers_see_a_change_before_its_subscribers_are_told() {
    let (capacitor, sender) = running(|b| b).await;
    let mut subscription = capacitor.subscribe();
    say(&sender, 2).await;
    let change = subscription.changed().await.unwrap();
    assert_eq!(capacitor.get().n, change.current.n);
    assert_eq!(
        capacitor.status().generation,
        Snapshot::generation(&change.current)
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_when_a_wait_is_dropped_in_select() {
    let (capacitor, sender) = running(|b| b).await;
    let (mut subscription, mut part) = (capacitor.subscribe(), capacitor.watch(|app| &app.n));
    let mut events = capacitor.events();
    let mut seen = [Vec::new(), Vec::new(), Vec::new()];
    for n in 2..=20 {
        say(&sender, n).await;
        // Each wait is begun and dropped many times before, while and after the change comes.
        for _ in 0..8 {
            tokio::select! {
                biased;
                () = tokio::task::yield_now() => {}
                change = subscription.changed() => seen[0].push(change.unwrap().current.n),
                n = part.changed() => seen[1].push(*n.unwrap()),
                event = events.next() => match event.unwrap() {
                    Event::Applied(change) => seen[2].push(change.current.n),
                    other => panic!("{other:?}"),
                },
            }
        }
        settle().await;
    }
    for seen in &mut seen {
        seen.dedup();
    }
    while let Some(Some(change)) = now(subscription.changed()).await {
        seen[0].push(change.current.n);
    }
    while let Some(Some(n)) = now(part.changed()).await {
        seen[1].push(*n);
    }
    while let Some(Some(Event::Applied(change))) = now(events.next()).await {
        seen[2].push(change.current.n);
    }
    for seen in &seen {
        assert_eq!(seen.last(), Some(&20));
        assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn subscriptions_and_events_are_streams() {
    let (capacitor, sender) = running(|b| b).await;
    let (mut subscription, mut events) = (capacitor.subscribe(), capacitor.events());
    say(&sender, 2).await;
    assert_eq!(
        numbers(&next(&mut subscription).await.unwrap()),
        (Some(1), 2)
    );
    assert!(matches!(next(&mut events).await, Some(Event::Applied(_))));
    capacitor.stop().await;
    assert!(next(&mut subscription).await.is_none());
    assert!(next(&mut events).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn they_end_when_the_capacitor_stops_after_telling_what_was_not_seen_yet() {
    type Ends =
        fn(Capacitor<App>, flux::source::ChannelSender) -> Pin<Box<dyn Future<Output = ()>>>;
    let ends: [(&str, Ends); 3] = [
        ("by stop", |capacitor, _| {
            Box::pin(async move { capacitor.stop().await })
        }),
        ("by the last owner", |capacitor, _| {
            drop(capacitor);
            Box::pin(settle())
        }),
        ("because its sources closed", |_capacitor, sender| {
            drop(sender);
            Box::pin(settle())
        }),
    ];
    for (end, how) in ends {
        let (capacitor, sender) = running(|b| b).await;
        let (mut subscription, mut part) = (capacitor.subscribe(), capacitor.watch(|app| &app.n));
        let waiting = tokio::spawn({
            let mut subscription = capacitor.subscribe();
            async move { while subscription.changed().await.is_some() {} }
        });
        say(&sender, 2).await;
        settle().await;
        how(capacitor, sender).await;
        assert_eq!(
            numbers(&subscription.changed().await.unwrap()),
            (Some(1), 2),
            "{end}"
        );
        assert!(subscription.changed().await.is_none(), "{end}");
        assert_eq!(part.changed().await, Some(&2), "{end}");
        assert_eq!(part.changed().await, None, "{end}");
        assert_eq!(part.get(), Some(&2), "{end}");
        waiting.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_projection_wakes_only_for_its_part() {
    let (capacitor, sender) = running(|b| b).await;
    let mut number = capacitor.watch(|app| &app.n);
    let mut text = capacitor.watch(|app| app.text.as_str());
    assert_eq!((number.get(), text.get()), (Some(&1), Some("-")));
    write(&sender, "n: 1\ntext: a").await;
    settle().await;
    assert_eq!(now(number.changed()).await, None);
    assert_eq!(text.changed().await, Some("a"));
    write(&sender, "n: 2\ntext: a").await;
    settle().await;
    assert_eq!(number.changed().await, Some(&2));
    assert_eq!(now(text.changed()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_went_and_came_back_unseen_is_no_change() {
    let (capacitor, sender) = running(|b| b).await;
    let mut number = capacitor.watch(|app| &app.n);
    for n in [2, 1] {
        say(&sender, n).await;
        settle().await;
    }
    assert_eq!(now(number.changed()).await, None);
    say(&sender, 3).await;
    assert_eq!(number.changed().await, Some(&3));
}

#[derive(Flux, Debug, PartialEq)]
struct Shop {
    #[flux(default = 1)]
    port: u16,
    #[flux(secret, default = "none")]
    password: String,
    #[flux(nested)]
    pool: Pool,
    #[flux(default)]
    hosts: Vec<String>,
    #[flux(nested, default)]
    tenants: BTreeMap<String, Pool>,
    #[flux(nested, default)]
    mirrors: Vec<Pool>,
    #[flux(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Flux, Debug, PartialEq)]
struct Pool {
    #[flux(default = 1)]
    min: u32,
    #[flux(default = 9)]
    max: u32,
    #[flux(secret, default = "none")]
    token: String,
}

/// The paths from one document to the next.
async fn paths(from: &str, to: &str) -> Vec<String> {
    let (builder, sender) = over_a_channel::<Shop>();
    let capacitor = builder.build().unwrap();
    write(&sender, from).await;
    capacitor.start().await.unwrap();
    let mut subscription: Subscription<Shop> = capacitor.subscribe();
    write(&sender, to).await;
    let change = subscription.changed().await.unwrap();
    let text = format!("{change:?}{:?}{:?}", change.paths(), capacitor.status());
    assert!(!text.contains("hunter2"), "{text}");
    change.paths()
}

#[tokio::test(start_paused = true)]
async fn a_change_names_the_paths_that_differ_and_no_values() {
    let cases: [(&str, &str, &[&str]); 8] = [
        ("port: 1", "port: 2", &["port"]),
        (
            "port: 1",
            "{port: 2, pool: {max: 3}}",
            &["port", "pool.max"],
        ),
        ("password: hunter2", "password: hunter2x", &["password"]),
        (
            "pool: {token: hunter2}",
            "pool: {token: hunter22}",
            &["pool.token"],
        ),
        ("hosts: [a, b]", "hosts: [a, c]", &["hosts"]),
        ("labels: {a: x, b: x}", "labels: {a: x, b: y}", &["labels"]),
        (
            "tenants: {a: {min: 1}, b: {min: 1}, d: {}}",
            "tenants: {a: {min: 2}, b: {min: 1}, c: {}}",
            &["tenants.a.min", "tenants.c", "tenants.d"],
        ),
        (
            "mirrors: [{min: 1}, {min: 2}]",
            "mirrors: [{min: 1}, {min: 3}]",
            &["mirrors[1].min"],
        ),
    ];
    for (from, to, expected) in cases {
        let mut paths = paths(from, to).await;
        paths.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(paths, expected, "{from} -> {to}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_says_whether_it_touches_a_path() {
    let (builder, sender) = over_a_channel::<Shop>();
    let capacitor = builder.build().unwrap();
    write(&sender, "{port: 1, tenants: {a: {min: 1}}}").await;
    capacitor.start().await.unwrap();
    let mut subscription = capacitor.subscribe();
    write(&sender, "{port: 1, tenants: {a: {min: 2}}, hosts: [x]}").await;
    let change = subscription.changed().await.unwrap();
    for path in ["tenants", "tenants.a", "tenants.a.min", "hosts", "hosts[0]"] {
        assert!(change.touches(path), "{path}");
    }
    for path in [
        "port",
        "tenants.b",
        "tenants.a.max",
        "tenant",
        "host",
        "pool",
    ] {
        assert!(!change.touches(path), "{path}");
    }
}

/// `applied 2`, or what of a refusal tells it from others.
fn told(event: Event<App>) -> String {
    match event {
        Event::Applied(change) => format!("applied {}", change.current.n),
        Event::Refused(report) => format!("refused: {}", report.problems()[0].message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn events_tell_changes_and_refusals_in_their_order() {
    let (capacitor, sender) = running(|builder| {
        builder.on_apply(|_, next: Arc<Snapshot<App>>| async move {
            (next.n != 7).then_some(()).ok_or("no sevens")
        })
    })
    .await;
    let log: Log<String> = Log::default();
    let mut events = capacitor.events();
    let listening = tokio::spawn({
        let log = log.clone();
        async move {
            while let Some(event) = events.next().await {
                log.say(told(event));
            }
        }
    });
    for document in ["n: 2", "n: 100", "n: x", "n: 7", "n: 3"] {
        write(&sender, document).await;
        pass(0.5).await;
    }
    capacitor.stop().await;
    listening.await.unwrap();
    let expected = [
        "applied 2",
        "refused: must be in 0..=99, found 100",
        "refused: expected u32, found string \"x\"",
        "refused: the apply callback refused it: no sevens",
        "applied 3",
    ];
    let told = log.take();
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected) {
        let stem = expected.split('"').next().unwrap();
        assert!(told.starts_with(stem), "{told} is not {expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_late_is_told_the_latest_change_and_the_latest_refusal_in_their_order() {
    for (documents, expected) in [
        (
            ["n: 2", "n: 100", "n: 3", "n: 4"],
            vec!["refused: must be in 0..=99, found 100", "applied 4"],
        ),
        (
            ["n: 100", "n: 2", "n: 3", "n: 101"],
            vec!["applied 3", "refused: must be in 0..=99, found 101"],
        ),
        (
            ["n: 100", "n: 101", "n: 102", "n: 1"],
            vec!["refused: must be in 0..=99, found 102"],
        ),
    ] {
        let (capacitor, sender) = running(|b| b).await;
        let mut events: Events<App> = capacitor.events();
        for document in documents {
            write(&sender, document).await;
            settle().await;
        }
        let mut seen = Vec::new();
        while let Some(Some(event)) = now(events.next()).await {
            seen.push(told(event));
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn every_refused_try_of_the_schedule_is_told_and_an_update_that_changes_nothing_is_not() {
    let (capacitor, sender) = running(|builder| {
        builder.on_apply(|_, next: Arc<Snapshot<App>>| async move {
            (next.n == 1).then_some(()).ok_or("only ones")
        })
    })
    .await;
    let mut events = capacitor.events();
    say(&sender, 2).await;
    for _ in 0..3 {
        assert!(matches!(events.next().await, Some(Event::Refused(_))));
    }
    write(&sender, "n: 1 # as before").await;
    pass(600.0).await;
    assert_eq!(capacitor.state(), State::Healthy);
    assert!(now(events.next()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_subscription_goes_on_after_a_stop_and_a_start() {
    let (capacitor, sender) = running(|b| b).await;
    let mut subscription = capacitor.subscribe();
    capacitor.stop().await;
    assert!(subscription.changed().await.is_none());
    say(&sender, 5).await;
    capacitor.start().await.unwrap();
    let change = subscription.changed().await.unwrap();
    assert_eq!(numbers(&change), (Some(1), 5));
}
