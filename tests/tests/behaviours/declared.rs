//! A pipeline that attributes declare is the one that the builder's methods make.

use flux::{
    Builder, Capacitor, Config, Flux, Format, Snapshot, Source, State,
    pipeline::{BoxError, Request},
    source::{Channel, ChannelSender},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What the struct declares, over a channel in the place of its sources.
async fn started<C: Config>(declared: Builder<C>) -> (Capacitor<C>, ChannelSender) {
    let (sender, channel) = Channel::buffered("channel", 16);
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = declared.clear_sources().source(source).manual();
    let capacitor = builder.build().expect("a declaration that works");
    sender.send(&b"port: 1"[..]).await.unwrap();
    capacitor.start().await.expect("a first value that applies");
    (capacitor, sender)
}

async fn port<C: Config>((capacitor, sender): &(Capacitor<C>, ChannelSender), port: u16) {
    sender
        .send(format!("port: {port}").into_bytes())
        .await
        .unwrap();
    capacitor.process().await.unwrap();
}

fn small(port: u16) -> Result<(), String> {
    match port > 1000 {
        true => Err("too large".to_owned()),
        false => Ok(()),
    }
}

#[derive(Flux)]
#[flux(source = "file:never.yaml", history = 2, generations = 1, on_stop = stopped)]
#[flux(transform = Stages::double, mutate(when = Stages::is_big, with = Stages::cap), on_apply = Stages::apply)]
struct Stages {
    port: u16,
}

impl Stages {
    fn double(request: Request<Stages>) -> Request<Stages> {
        let port = request.current.port * 2;
        request.with(Stages { port })
    }
    fn is_big(request: &Request<Stages>) -> bool {
        request.current.port > 100
    }
    fn cap(request: Request<Stages>) -> Request<Stages> {
        request.with(Stages { port: 1001 })
    }
    async fn apply(
        _: Option<Arc<Snapshot<Stages>>>,
        new: Arc<Snapshot<Stages>>,
    ) -> Result<(), String> {
        small(new.port)
    }
}

static STOPPED: AtomicUsize = AtomicUsize::new(0);

fn stopped(state: State) {
    assert_eq!(state, State::Degraded);
    STOPPED.fetch_add(1, Ordering::SeqCst);
}

#[tokio::test(start_paused = true)]
async fn stages_run_in_the_order_written_and_the_callback_has_the_last_word() {
    let stages = started(Stages::builder()).await;
    assert_eq!(stages.0.get().port, 2);
    port(&stages, 50).await;
    assert_eq!(stages.0.get().port, 100, "doubled, and then not big");
    for refused in [51, 52, 53] {
        port(&stages, refused).await;
        let said = stages.0.last_error().expect("refused").to_string();
        assert!(said.contains("too large"), "{said}");
    }
    let status = stages.0.status();
    assert_eq!(status.history.len(), 2, "as many as declared");
    stages.0.stop().await;
    assert_eq!(STOPPED.load(Ordering::SeqCst), 1);
}

#[derive(Flux)]
#[flux(source = "file:never.yaml", on_apply = Inside::apply)]
#[flux(fallback = Inside::other, error_handler = Inside::told)]
struct Inside {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "file:never.yaml", on_apply = Outside::apply)]
#[flux(error_handler = Outside::told, fallback = Outside::other)]
struct Outside {
    port: u16,
}

macro_rules! falls_back {
    ($($config:ident counts $told:ident;)*) => {$(
        static $told: AtomicUsize = AtomicUsize::new(0);

        impl $config {
            async fn apply(
                _: Option<Arc<Snapshot<$config>>>,
                new: Arc<Snapshot<$config>>,
            ) -> Result<(), String> {
                small(new.port)
            }
            async fn other(request: Request<$config>) -> Result<Request<$config>, BoxError> {
                Ok(request.with($config { port: 7 }))
            }
            fn told(_: &Request<$config>, _: &BoxError) {
                $told.fetch_add(1, Ordering::SeqCst);
            }
        }
    )*};
}

falls_back! {
    Inside counts TOLD_OUTSIDE_THE_FALLBACK;
    Outside counts TOLD_INSIDE_THE_FALLBACK;
}

#[tokio::test(start_paused = true)]
async fn the_first_layer_written_is_the_innermost() {
    let (inside, outside) = (
        started(Inside::builder()).await,
        started(Outside::builder()).await,
    );
    port(&inside, 2000).await;
    port(&outside, 2000).await;
    assert_eq!((inside.0.get().port, outside.0.get().port), (7, 7));
    let told = [&TOLD_OUTSIDE_THE_FALLBACK, &TOLD_INSIDE_THE_FALLBACK];
    assert_eq!(told.map(|count| count.load(Ordering::SeqCst)), [0, 1]);
}

static TRIES: AtomicUsize = AtomicUsize::new(0);

#[derive(Flux)]
#[flux(source = "file:never.yaml", effect = Retried::flaky)]
#[flux(retry(attempts = 3, base = "10ms", max = "20ms"), timeout = "1s")]
struct Retried {
    port: u16,
}

impl Retried {
    async fn flaky(request: Request<Retried>) -> Result<(), String> {
        if request.current.port == 3 {
            std::future::pending::<()>().await;
        }
        let tries = TRIES.fetch_add(1, Ordering::SeqCst) + 1;
        match request.current.port == 2 && tries < 3 {
            true => Err("not yet".to_owned()),
            false => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_declared_retry_tries_so_often_in_all_and_a_declared_timeout_ends_it() {
    let retried = started(Retried::builder()).await;
    TRIES.store(0, Ordering::SeqCst);
    port(&retried, 2).await;
    assert_eq!((retried.0.get().port, TRIES.load(Ordering::SeqCst)), (2, 3));
    port(&retried, 3).await;
    let said = retried.0.last_error().expect("refused").to_string();
    assert!(said.contains("it took longer than 1s"), "{said}");
    assert_eq!(retried.0.get().port, 2);
}

#[derive(Flux)]
#[flux(source = "file:never.yaml", probation = "30s", health_check = Watched::check)]
struct Watched {
    port: u16,
}

impl Watched {
    async fn check(now: Arc<Snapshot<Watched>>) -> Result<(), String> {
        match now.port {
            13 => Err("unlucky".to_owned()),
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_declared_probation_takes_back_what_its_check_refuses() {
    let (sender, channel) = Channel::buffered("channel", 16);
    let source = Source::watcher(channel).format(Format::Yaml);
    let builder = Watched::builder().clear_sources().source(source);
    let capacitor = builder.build().expect("a declaration that works");
    sender.send(&b"port: 1"[..]).await.unwrap();
    capacitor.start().await.expect("a first value");
    sender.send(&b"port: 13"[..]).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(capacitor.get().port, 1);
    let said = capacitor.last_error().expect("taken back").to_string();
    assert!(said.contains("unlucky"), "{said}");
}
