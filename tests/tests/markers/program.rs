//! A program whose code quotes its secrets whenever it fails.

use crate::outputs::written;
use flux::{
    Builder, Flux, Snapshot,
    change::{Change, Party},
    pipeline::{BoxError, Request, Retry},
    source::{Observer, SourceError, Watcher},
};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

#[derive(Flux, Clone)]
#[flux(source("file:never-there.json", optional), debounce = "0s")]
pub(crate) struct App {
    #[flux(secret)]
    pub(crate) password: String,
    #[flux(secret, default)]
    pub(crate) tokens: BTreeMap<String, String>,
    #[flux(nested)]
    pub(crate) vault: Vault,
    #[flux(nested, default)]
    pub(crate) tenants: BTreeMap<String, Vault>,
    #[flux(default)]
    pub(crate) labels: BTreeMap<String, String>,
    #[flux(default = 80)]
    pub(crate) port: u16,
    #[flux(default = "h", length = 1..=4)]
    pub(crate) host: String,
}

#[derive(Flux, Clone)]
pub(crate) struct Vault {
    #[flux(secret)]
    pub(crate) key: String,
    #[flux(default = 1, range = 1..=9)]
    pub(crate) slots: u32,
}

/// What fails.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failing {
    Nothing,
    Stage,
    StagePanics,
    Enrich,
    Retried,
    Fallback,
    FallbackToo,
    Party,
    PartyPanics,
    CommitPanics,
    Callback,
    Handler,
    HealthCheck,
}

pub(crate) fn failing() -> impl Strategy<Value = Failing> {
    prop::sample::select(vec![
        Failing::Nothing,
        Failing::Stage,
        Failing::StagePanics,
        Failing::Enrich,
        Failing::Retried,
        Failing::Fallback,
        Failing::FallbackToo,
        Failing::Party,
        Failing::PartyPanics,
        Failing::CommitPanics,
        Failing::Callback,
        Failing::Handler,
        Failing::HealthCheck,
    ])
}

/// A source that is lost with a text that quotes a secret.
pub(crate) struct Lost(pub(crate) String);

impl Watcher for Lost {
    fn origin(&self) -> String {
        "lost".to_owned()
    }
    async fn watch(&mut self, observer: &Observer) -> Result<(), SourceError> {
        observer.absent();
        tokio::time::sleep(Duration::from_secs(1)).await;
        Err(SourceError::transient(format!("cannot log in: {}", self.0)))
    }
}

#[derive(Clone)]
pub(crate) struct Pipe {
    fails: Failing,
    encoding: usize,
    /// Nothing fails before the start.
    begun: Arc<AtomicBool>,
}

impl Pipe {
    pub(crate) fn new(fails: Failing, encoding: usize) -> Self {
        Pipe {
            fails,
            encoding,
            begun: Arc::default(),
        }
    }

    pub(crate) fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
    }

    fn fails(&self, here: &[Failing]) -> bool {
        self.begun.load(Ordering::SeqCst) && here.contains(&self.fails)
    }

    /// A sentence with a secret of what is there now, or was before.
    fn quotes(&self, current: &App) -> String {
        format!(
            "cannot log in with {}",
            written(&current.password, self.encoding)
        )
    }

    fn step(&self, request: Request<App>, here: &[Failing]) -> Result<Request<App>, BoxError> {
        match self.fails(here) {
            true => Err(self.quotes(&request.current).into()),
            false => Ok(request),
        }
    }

    pub(crate) fn around(&self, builder: Builder<App>) -> Builder<App> {
        let (stage, enrich, fallback, check) =
            (self.clone(), self.clone(), self.clone(), self.clone());
        let (handler, callback) = (self.clone(), self.clone());
        let builder = builder
            .effect(move |request: Request<App>| {
                let pipe = stage.clone();
                async move {
                    assert!(
                        !pipe.fails(&[Failing::StagePanics]),
                        "{}",
                        pipe.quotes(&request.current)
                    );
                    let failing = [
                        Failing::Stage,
                        Failing::Retried,
                        Failing::Fallback,
                        Failing::FallbackToo,
                        Failing::Handler,
                    ];
                    pipe.step(request, &failing).map(drop)
                }
            })
            .enrich(move |request: Request<App>| {
                let pipe = enrich.clone();
                async move { pipe.step(request, &[Failing::Enrich]) }
            })
            .party(self.clone())
            .on_apply(
                move |old: Option<Arc<Snapshot<App>>>, new: Arc<Snapshot<App>>| {
                    let pipe = callback.clone();
                    async move {
                        // What was replaced is a secret still.
                        let quoted = old.as_ref().unwrap_or(&new);
                        match pipe.fails(&[Failing::Callback]) {
                            true => Err(BoxError::from(pipe.quotes(quoted))),
                            false => Ok(()),
                        }
                    }
                },
            )
            .health_check(move |snapshot: Arc<Snapshot<App>>| {
                let pipe = check.clone();
                async move {
                    match pipe.fails(&[Failing::HealthCheck]) {
                        true => Err(BoxError::from(pipe.quotes(&snapshot))),
                        false => Ok(()),
                    }
                }
            });
        let again = Retry::attempts(2).base(Duration::from_millis(1));
        match self.fails {
            Failing::Retried => builder.retry(again),
            Failing::Fallback | Failing::FallbackToo => {
                builder.retry(again).fallback(move |request: Request<App>| {
                    let pipe = fallback.clone();
                    async move { pipe.step(request, &[Failing::FallbackToo]) }
                })
            }
            Failing::Handler => {
                builder.error_handler(move |request: &Request<App>, _: &BoxError| {
                    panic!("{}", handler.quotes(&request.current))
                })
            }
            _ => builder,
        }
    }
}

impl Party<App> for Pipe {
    type Prepared = String;
    type Error = BoxError;

    async fn prepare(&self, change: &Change<App>) -> Result<String, BoxError> {
        let text = self.quotes(&change.current);
        assert!(!self.fails(&[Failing::PartyPanics]), "{text}");
        match self.fails(&[Failing::Party]) {
            true => Err(text.into()),
            false => Ok(text),
        }
    }

    fn commit(&self, prepared: String) {
        assert!(!self.fails(&[Failing::CommitPanics]), "{prepared}");
    }
}
