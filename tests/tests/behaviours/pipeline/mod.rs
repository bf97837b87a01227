//! Stages and the layers around them: their order, what they may do, and what each failure means.

mod around;
mod breaker;
mod judged;
mod order;
mod retries;

use crate::kit::{App, Clock, Count, Ear, Log, Teller, app, pass, running, say, settle, write};
use flux::{
    Snapshot, State,
    pipeline::{Applied, BoxError, BreakerOpen, Next, Request, Stage, TimeoutLayer},
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_layer::Layer;
use tower_service::Service;

const SECOND: Duration = Duration::from_secs(1);

/// A tower layer of the user's own.
#[derive(Clone, Copy)]
struct Around<F>(F);

#[derive(Clone)]
struct Inside<F> {
    next: Next<App>,
    around: F,
}

impl<F: Clone> Layer<Next<App>> for Around<F> {
    type Service = Inside<F>;
    fn layer(&self, next: Next<App>) -> Inside<F> {
        let around = self.0.clone();
        Inside { next, around }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Applied<App>, BoxError>> + Send>>;

impl<F: Fn(Next<App>, Request<App>) -> Answer> Service<Request<App>> for Inside<F> {
    type Response = Applied<App>;
    type Error = BoxError;
    type Future = Answer;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: Request<App>) -> Answer {
        (self.around)(self.next.clone(), request)
    }
}

/// Logs when a request enters it and leaves it.
fn gate(
    log: &Log<String>,
    name: &'static str,
) -> Around<impl Fn(Next<App>, Request<App>) -> Answer + Clone + use<>> {
    let log = log.clone();
    Around(move |mut next: Next<App>, request| -> Answer {
        let log = log.clone();
        log.say(format!("into {name}"));
        Box::pin(async move {
            let answer = next.call(request).await;
            log.say(format!("out of {name}"));
            answer
        })
    })
}

fn plus(request: Request<App>, more: u32) -> Request<App> {
    let n = request.current.n + more;
    request.with(app(n))
}

type Asked = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A callback that fails where `fails` says so, with the attempts' values and seconds.
fn failing<F>(
    clock: Clock,
    log: &Log<(u32, u64)>,
    fails: F,
) -> impl Fn(Option<Arc<Snapshot<App>>>, Arc<Snapshot<App>>) -> Asked + use<F>
where
    F: Fn(u32, usize) -> bool + Send + Sync + 'static,
{
    let log = log.clone();
    let calls = Count::default();
    move |_, next| {
        log.push((next.n, clock.seconds()));
        let failed = fails(next.n, calls.add());
        Box::pin(async move {
            if failed {
                Err("not now".to_owned())
            } else {
                Ok(())
            }
        })
    }
}
