//! Reading: the static handle, guards, readers, hot fields.

use flux::{Builder, Flux, Guard, Root, Snapshot, Source, source::Channel};
use std::time::Duration;

macro_rules! config {
    ($name:ident) => {
        #[derive(Flux, Debug)]
        #[flux(source("file:never-there.yaml", optional), debounce = "0s")]
        struct $name {
            #[flux(default = 1, hot)]
            size: u32,
            #[flux(default = 0.5, hot = "current_ratio")]
            ratio: f64,
            #[flux(default = "here")]
            host: String,
        }
    };
}

/// The static instance over a channel instead of its file.
fn over_a_channel<C: Root>(builder: Builder<C>) -> (flux::source::ChannelSender, Builder<C>) {
    let (sender, channel) = Channel::buffered("channel", 16);
    let source = Source::watcher(channel)
        .format(flux::Format::Yaml)
        .optional();
    (sender, builder.clear_sources().source(source))
}

#[tokio::test]
async fn a_guard_keeps_its_value_and_the_next_read_sees_the_new_one() {
    config!(App);
    let (sender, builder) = over_a_channel(App::builder());
    sender.send(&b"size: 2"[..]).await.unwrap();
    builder.start().await.unwrap();
    let guard = App::get();
    sender.send(&b"size: 3"[..]).await.unwrap();
    crate::until("applied", || App::get().size == 3).await;
    assert_eq!(guard.size, 2);
    assert_eq!(
        (Guard::generation(&guard), Guard::generation(&App::get())),
        (1, 2)
    );
    assert_eq!(Snapshot::generation(&App::snapshot()), 2);
    App::capacitor().stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guard_may_be_held_across_await_and_sent_to_another_thread() {
    config!(App);
    let (sender, builder) = over_a_channel(App::builder());
    sender.send(&b"size: 2"[..]).await.unwrap();
    builder.start().await.unwrap();
    let guard = App::get();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let size = std::thread::spawn(move || guard.size).join().unwrap();
    assert_eq!(size, 2);
    App::capacitor().stop().await;
}

#[tokio::test]
async fn hot_fields_have_accessors_of_their_own() {
    config!(App);
    let (sender, builder) = over_a_channel(App::builder());
    sender.send(&b"size: 2\nratio: 0.25"[..]).await.unwrap();
    builder.start().await.unwrap();
    assert_eq!((App::size(), App::current_ratio()), (2, 0.25));
    sender.send(&b"size: 4"[..]).await.unwrap();
    crate::until("applied", || App::size() == 4).await;
    App::capacitor().stop().await;
}

#[tokio::test]
async fn a_reader_follows_the_changes() {
    config!(App);
    let (sender, builder) = over_a_channel(App::builder());
    sender.send(&b"size: 2"[..]).await.unwrap();
    builder.start().await.unwrap();
    let mut reader = App::reader();
    assert_eq!(reader.get().size, 2);
    sender.send(&b"size: 5"[..]).await.unwrap();
    crate::until("applied", || App::get().size == 5).await;
    assert_eq!(reader.get().size, 5);
    App::capacitor().stop().await;
}

#[test]
fn get_before_start_panics_and_says_what_to_do() {
    config!(App);
    assert!(App::try_get().is_none());
    let panic = std::panic::catch_unwind(|| App::get().size).expect_err("not started");
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("App::start().await"), "{text}");
    assert!(std::panic::catch_unwind(App::size).is_err());
}

#[test]
fn every_test_may_start_the_static_instance_in_a_runtime_of_its_own() {
    config!(App);
    for size in 1..4_u32 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (sender, builder) = over_a_channel(App::builder());
            sender
                .send(format!("size: {size}").into_bytes())
                .await
                .unwrap();
            builder.start().await.unwrap();
            assert_eq!(App::get().size, size);
            assert_eq!(App::get().host, "here");
        });
    }
}

#[tokio::test]
async fn instances_share_nothing_with_the_static_one() {
    config!(App);
    let (one, builder) = over_a_channel(App::builder());
    one.send(&b"size: 7"[..]).await.unwrap();
    let instance = builder.build().unwrap();
    instance.start().await.unwrap();
    assert_eq!(instance.get().size, 7);
    assert_eq!(instance.reader().get().size, 7);
    assert!(App::try_get().is_none());
}

#[test]
fn readers_on_many_threads_never_see_a_torn_or_an_older_value() {
    #[derive(Flux)]
    #[flux(source("file:never-there.yaml", optional), debounce = "0s")]
    struct Pair {
        #[flux(default = 0)]
        a: u64,
        #[flux(default = 0)]
        b: u64,
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (sender, builder) = over_a_channel(Pair::builder());
    runtime.block_on(async {
        sender.send(&b"a: 0\nb: 0"[..]).await.unwrap();
        builder.start().await.unwrap();
    });
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let pair = Pair::get();
                    assert_eq!(pair.a, pair.b);
                    assert!(pair.a >= last);
                    last = pair.a;
                }
            });
        }
        runtime.block_on(async {
            for n in 1..=2_000_u64 {
                sender
                    .send(format!("a: {n}\nb: {n}").into_bytes())
                    .await
                    .unwrap();
            }
            crate::until("the last", || Pair::get().a == 2_000).await;
        });
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
