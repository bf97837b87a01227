//! Another value in the place of what `get()` reads.

use flux::{
    Flux, Guard, Snapshot, Source,
    source::Channel,
    testing::{Override as _, config_from, override_for_test},
};

macro_rules! config {
    ($name:ident) => {
        #[derive(Flux, Debug)]
        #[flux(source("file:never-there.yaml", optional), debounce = "0s")]
        struct $name {
            #[flux(default = 1, range = 1..=9, hot)]
            n: u32,
            #[flux(default = "here")]
            host: String,
        }
    };
}

fn value<C: flux::Config>(document: &str) -> C {
    config_from(document)
}

#[test]
fn every_read_gives_the_override_until_the_guard_is_dropped() {
    config!(App);
    let overridden = override_for_test::<App>(App {
        n: 700,
        host: "there".to_owned(),
    });
    assert_eq!((App::get().n, App::n(), App::snapshot().n), (700, 700, 700));
    assert_eq!(App::reader().get().host, "there");
    assert_eq!(App::try_get().map(|app| app.n), Some(700));
    assert_eq!(Guard::generation(&App::get()), 0);
    drop(overridden);
    assert!(App::try_get().is_none());
    assert!(std::panic::catch_unwind(App::n).is_err(), "not started");
}

#[test]
fn overrides_nest_and_may_end_in_any_order() {
    config!(App);
    let one = App::override_from("n: 1");
    let two = App::override_from("n: 2");
    let three = App::override_with(|app| app.n = 3);
    assert_eq!((App::get().n, App::n()), (3, 3));
    drop(two);
    assert_eq!(App::get().n, 3);
    drop(three);
    assert_eq!((App::get().n, App::n()), (1, 1));
    drop(one);
    assert!(App::try_get().is_none());
}

#[test]
fn other_threads_and_other_types_are_not_touched() {
    config!(App);
    config!(Other);
    let overridden = App::override_from("n: 5");
    assert!(Other::try_get().is_none());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(App::try_get().is_none());
            {
                let _here = overridden.here_too();
                assert_eq!((App::get().n, App::n()), (5, 5));
            }
            assert!(App::try_get().is_none());
        });
    });
    assert_eq!(App::get().n, 5);
}

#[tokio::test]
async fn a_running_capacitor_goes_on_below_and_shows_again_afterwards() {
    config!(App);
    let (sender, channel) = Channel::buffered("channel", 4);
    let source = Source::watcher(channel).format(flux::Format::Yaml);
    sender.send(&b"n: 2"[..]).await.unwrap();
    App::builder()
        .clear_sources()
        .source(source)
        .start()
        .await
        .unwrap();
    let mut reader = App::reader();
    assert_eq!((App::get().n, App::n(), reader.get().n), (2, 2, 2));
    {
        let _overridden = App::override_from("n: 7");
        assert_eq!((App::get().n, App::n(), reader.get().n), (7, 7, 7));
        sender.send(&b"n: 3"[..]).await.unwrap();
        let below = || App::capacitor().get().n;
        crate::until("applied below", || below() == 3).await;
        assert_eq!((App::get().n, App::n(), reader.get().n), (7, 7, 7));
        // Who has no override sees the real value, also the new one.
        let seen = std::thread::spawn(|| (App::get().n, App::n())).join();
        assert_eq!(seen.unwrap(), (3, 3));
    }
    assert_eq!((App::get().n, App::n(), reader.get().n), (3, 3, 3));
    assert_eq!(Snapshot::generation(&App::snapshot()), 2);
    App::capacitor().stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_follows_its_task_from_thread_to_thread() {
    config!(App);
    let overridden = App::override_from("n: 4");
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(overridden.scope(async {
                for _ in 0..200 {
                    assert_eq!((App::get().n, App::n()), (4, 4));
                    tokio::task::yield_now().await;
                }
            }))
        })
        .collect();
    let without = tokio::spawn(async {
        for _ in 0..200 {
            assert!(App::try_get().is_none());
            tokio::task::yield_now().await;
        }
    });
    for task in tasks {
        task.await.unwrap();
    }
    without.await.unwrap();
}

#[tokio::test]
async fn tasks_of_a_current_thread_runtime_see_it() {
    config!(App);
    let _overridden = App::override_from("n: 4");
    assert_eq!(tokio::spawn(async { App::get().n }).await.unwrap(), 4);
}

#[test]
fn a_guard_from_get_outlives_the_override() {
    config!(App);
    let guard = {
        let _overridden = App::override_from("n: 8");
        App::get()
    };
    assert_eq!(guard.n, 8);
    assert!(App::try_get().is_none());
}

#[test]
fn a_document_goes_through_the_defaults_and_the_rules() {
    config!(App);
    let app: App = value("host: there");
    assert_eq!((app.n, &*app.host), (1, "there"));
    for (document, told) in [
        ("n: 10", "n: must be in 1..=9"),
        ("m: 1", "m: unknown key"),
        ("n: x", "n: expected u32"),
        ("n: [", ""),
    ] {
        let panic = std::panic::catch_unwind(|| value::<App>(document)).expect_err(document);
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains(told) && text.starts_with("App: "), "{text}");
    }
}

/// A value whose drop reads the configuration must not meet a lock that is held.
#[test]
fn the_overrides_own_drop_may_read_the_configuration() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static DROPPED: AtomicBool = AtomicBool::new(false);
    #[derive(Clone, PartialEq, Debug, Default)]
    struct Nosy;
    impl Drop for Nosy {
        fn drop(&mut self) {
            let _ = App::try_get();
            DROPPED.store(true, Ordering::SeqCst);
        }
    }
    impl<'de> serde::Deserialize<'de> for Nosy {
        fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            <()>::deserialize(d).map(|()| Nosy)
        }
    }
    #[derive(Flux)]
    #[flux(source("file:never-there.yaml", optional))]
    struct App {
        #[flux(default)]
        nosy: Nosy,
    }
    let overridden = App::override_for_test(App { nosy: Nosy });
    assert_eq!(App::get().nosy, Nosy);
    drop(overridden);
    assert!(DROPPED.load(Ordering::SeqCst));
}
