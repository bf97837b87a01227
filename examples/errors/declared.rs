//! What the functions of a capacitor answer when they are called in vain.

use crate::{Said, by_hand::error};
use flux::{Capacitor, Flux, Source, source::Channel};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

#[derive(Flux)]
#[flux(source = "file:app.yaml")]
struct AppConfig {
    port: u16,
}

#[derive(Flux)]
#[flux(source = "${APP_CONFIG}")]
struct FromVariable {
    port: u16,
}

#[derive(Flux)]
struct Collides {
    #[flux(nested)]
    pool: Pool,
    pool_max: u32,
}

#[derive(Flux)]
struct Pool {
    max: u32,
}

type Of<C> = flux::Builder<C>;

fn declared(source: Source) -> String {
    error(Of::<AppConfig>::new().source(source).build())
}

pub async fn cases() -> Vec<Said> {
    let (_sender, silent) = Channel::latest("settings");
    let slow = Of::<AppConfig>::new()
        .source(Source::watcher(silent))
        .startup_timeout(Duration::from_secs(10))
        .build()
        .expect("layers that work");
    let (sender, channel) = Channel::latest("settings");
    let running = Of::<AppConfig>::new()
        .source(Source::watcher(channel))
        .build()
        .expect("layers that work");
    sender
        .try_send(*br#"{"port": 80}"#)
        .expect("somebody watches");
    running.start().await.expect("a good document");
    let twice = error(running.start().await);
    let not_manual = error(running.process().await);
    running.stop().await;
    let stopped = error(running.rollback(1).await);
    vec![
        ("no layers", error(Of::<AppConfig>::new().build())),
        ("format", declared(Source::file("/etc/app/config"))),
        ("variable", error(FromVariable::builder().build())),
        ("uri", declared(Source::uri("app.yaml"))),
        (
            "collision",
            error(Of::<Collides>::new().source(Source::env("APP_")).build()),
        ),
        ("startup timeout", error(slow.start().await)),
        ("already started", twice),
        ("not manual", not_manual),
        ("stopped", stopped),
        ("get before start", panics(|| drop(AppConfig::get()))),
    ]
}

pub fn without_a_runtime() -> Vec<Said> {
    let capacitor: &Capacitor<AppConfig> = AppConfig::capacitor();
    let mut start = std::pin::pin!(capacitor.start());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match start.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(outcome) => vec![("no runtime", error(outcome))],
        std::task::Poll::Pending => Vec::new(),
    }
}

/// On a runtime that was built without them.
pub fn without_timers() -> Vec<Said> {
    let capacitor = AppConfig::builder().build();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let (Ok(capacitor), Ok(runtime)) = (capacitor, runtime) else {
        return Vec::new();
    };
    vec![("no timers", error(runtime.block_on(capacitor.start())))]
}

fn panics(call: impl FnOnce()) -> String {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(()) => "no panic".to_owned(),
        Err(panic) => flux_text(&*panic),
    }
}

fn flux_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.unwrap_or_else(|| "a panic without a text".to_owned())
}
