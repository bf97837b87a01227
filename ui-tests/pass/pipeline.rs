//! A struct with a pipeline of every kind of step, in every form.
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

use flux::{
    Flux, Snapshot, State,
    pipeline::{BoxError, Request},
};
use std::{convert::Infallible, io, sync::Arc};

/// All of it.
#[derive(Flux, Clone)]
#[flux(source = "file:app.yaml", debounce = "50ms", max_wait = "2s")]
#[flux(
    transform = double,
    transform = AppConfig::double,
    apply = steps::apply,
    effect = steps::effect,
    mutate(when = is_big, with = double),
    mutate(with = Self::double, when = Self::is_big),
    enrich = steps::apply,
    on_apply = on_apply
)]
#[flux(retry(attempts = 3, base = "100ms", max = "10s"), timeout = "5s", filter = is_big)]
#[flux(circuit_breaker(recovery = "30s", failures = 5), rate_limit(per_second = 0.5, burst = 20,), filter = is_big)]
#[flux(fallback = steps::apply, error_handler = told, on_stop = "stopped")]
#[flux(probation = "30s", health_check = healthy, history = 10, generations = 5)]
#[flux(last_known_good("${STATE_DIR:-/var/lib/app}/config.json", secrets = "refuse"))]
pub struct AppConfig {
    /// Port.
    pub port: u16,
}

/// A retry with what is not written.
#[derive(Flux, Clone)]
#[flux(source = "file:app.yaml", on_apply = nothing_more)]
#[flux(retry())]
pub struct Retried {
    /// Port.
    pub port: u16,
}

async fn nothing_more(_: Option<Arc<Snapshot<Retried>>>, _: Arc<Snapshot<Retried>>) -> Result<(), BoxError> {
    Ok(())
}

impl AppConfig {
    fn double(request: Request<AppConfig>) -> Request<AppConfig> {
        double(request)
    }
    fn is_big(request: &Request<AppConfig>) -> bool {
        is_big(request)
    }
}

fn double(request: Request<AppConfig>) -> Request<AppConfig> {
    let port = request.current.port * 2;
    request.with(AppConfig { port })
}

fn is_big(request: &Request<AppConfig>) -> bool {
    request.current.port > 1024
}

mod steps {
    use super::{AppConfig, Infallible, Request, io};

    pub(super) async fn apply(request: Request<AppConfig>) -> Result<Request<AppConfig>, io::Error> {
        Ok(request)
    }
    pub(super) async fn effect(_: Request<AppConfig>) -> Result<(), Infallible> {
        Ok(())
    }
}

async fn on_apply(
    before: Option<Arc<Snapshot<AppConfig>>>,
    after: Arc<Snapshot<AppConfig>>,
) -> Result<(), String> {
    match before {
        Some(before) if before.port > after.port => Err("never down".into()),
        _ => Ok(()),
    }
}

async fn healthy(snapshot: Arc<Snapshot<AppConfig>>) -> Result<(), BoxError> {
    drop(snapshot);
    Ok(())
}

fn told(_: &Request<AppConfig>, error: &BoxError) {
    eprintln!("{error}");
}

fn stopped(state: State) {
    println!("{state}");
}

/// The short form, and a step of its own for each of two types.
#[derive(Flux)]
#[flux(override = "env:SHORT_", last_known_good("state.json", trial = true, tries = 3), generations = 0)]
struct Short {
    #[flux(default = 1)]
    one: u8,
}

fn main() {
    let _ = (AppConfig::builder(), Short::builder());
    if false {
        let _ = (AppConfig::start_blocking(), Short::get().one);
    }
}
