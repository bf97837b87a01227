//! A config type with secrets in every kind of place, and code around it that quotes all of them.

use crate::{
    outputs::written,
    places::{MADE, Markers, good, variable},
    search::Secretive,
};
use flux::{
    Builder, Flux, Snapshot,
    change::{Change, Party},
    pipeline::{BoxError, Request, Retry},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

#[derive(Flux, Clone)]
#[flux(
    source("file:never-there.json", optional),
    source("file:never-there.yaml", optional),
    source("file:never-there.toml", optional),
    debounce = "0s",
    validate = fits
)]
pub(crate) struct Deep {
    #[flux(secret)]
    pub(crate) password: String,
    #[flux(secret, default)]
    pub(crate) pin: Option<u64>,
    #[flux(secret, default)]
    pub(crate) list: Vec<String>,
    #[flux(secret, default)]
    pub(crate) map: BTreeMap<String, String>,
    #[flux(secret, default)]
    pub(crate) login: Option<Login>,
    #[flux(secret, default)]
    pub(crate) any: serde_json::Value,
    #[flux(opaque)]
    pub(crate) sealed: SecretString,
    #[flux(opaque, default)]
    pub(crate) wrapped: Vec<SecretString>,
    #[flux(secret, default = made())]
    pub(crate) made: String,
    /// Put in by a stage.
    #[flux(secret, default)]
    pub(crate) filled: String,
    #[flux(nested)]
    pub(crate) vault: DeepVault,
    #[flux(nested, default)]
    pub(crate) tenants: BTreeMap<String, DeepVault>,
    #[flux(nested, default)]
    pub(crate) replicas: Vec<DeepVault>,
    #[flux(nested, default)]
    pub(crate) groups: BTreeMap<String, Vec<DeepVault>>,
    #[flux(nested)]
    pub(crate) spare: Option<Box<DeepVault>>,
    #[flux(nested)]
    #[serde(flatten)]
    pub(crate) flat: DeepFlat,
    #[flux(default = 80)]
    pub(crate) port: u16,
    #[flux(default = "h", length = 1..=4)]
    pub(crate) host: String,
    #[flux(default = DeepMode::Low)]
    pub(crate) mode: DeepMode,
    #[flux(default)]
    pub(crate) labels: BTreeMap<String, u8>,
    #[flux(default = "5s")]
    pub(crate) window: Duration,
}

#[derive(Flux, Clone)]
pub(crate) struct DeepVault {
    #[flux(secret)]
    pub(crate) key: String,
    #[flux(nested)]
    pub(crate) inner: DeepInner,
    #[flux(default = 1, range = 1..=9)]
    pub(crate) slots: u32,
}

#[derive(Flux, Clone)]
pub(crate) struct DeepInner {
    #[flux(secret, length = 4..)]
    pub(crate) key: String,
    #[flux(default = 1)]
    pub(crate) port: u16,
}

#[derive(Flux, Clone)]
pub(crate) struct DeepFlat {
    #[flux(secret)]
    pub(crate) flat_key: String,
    #[flux(default = 1)]
    pub(crate) flat_port: u16,
}

#[derive(Deserialize, Clone, PartialEq)]
pub(crate) enum Login {
    Token(String),
    User { name: String, key: String },
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeepMode {
    Low,
    High,
}

fn made() -> String {
    MADE.to_owned()
}

impl DeepVault {
    fn secrets(&self) -> String {
        format!("{} {}", self.key, self.inner.key)
    }
}

impl Secretive for Deep {
    const PATHS: &'static [&'static str] = &[
        "",
        "password",
        "pin",
        "map",
        "map.a",
        "login",
        "any",
        "sealed",
        "vault",
        "vault.inner.key",
        "tenants.t1.key",
        "replicas[0].key",
        "groups.g[0].inner",
        "labels",
        "passwrod",
        "port",
    ];
    fn good(markers: &mut Markers, port: u16) -> Value {
        good(markers, port)
    }
    fn variable(markers: &mut Markers) -> (String, String) {
        variable(markers)
    }
    fn port(&self) -> u16 {
        self.port
    }
    fn filled(&mut self) -> &mut String {
        &mut self.filled
    }
    fn quoted(&self) -> String {
        let login = match &self.login {
            None => String::new(),
            Some(Login::Token(token)) => token.clone(),
            Some(Login::User { name, key }) => format!("{name} {key}"),
        };
        let vaults = (self.tenants.values())
            .chain(&self.replicas)
            .chain(self.groups.values().flatten())
            .chain(self.spare.as_deref())
            .chain(std::iter::once(&self.vault));
        let vaults: Vec<_> = vaults.map(DeepVault::secrets).collect();
        let wrapped: Vec<_> = self.wrapped.iter().map(|one| one.expose_secret()).collect();
        format!(
            "{} {:?} {:?} {:?} {login} {} {} {wrapped:?} {} {} {vaults:?} {}",
            self.password,
            self.pin,
            self.list,
            self.map,
            self.any,
            self.sealed.expose_secret(),
            self.made,
            self.filled,
            self.flat.flat_key
        )
    }
}

/// Ports for which a rule quotes everything, and for which one panics.
pub(crate) const QUOTED: u16 = 13;
pub(crate) const PANICS: u16 = 14;

fn fits(app: &Deep) -> Result<(), String> {
    match app.port {
        QUOTED => Err(format!("no port for {}", app.quoted())),
        PANICS => panic!("no port for {}", app.quoted()),
        _ => Ok(()),
    }
}

/// Which code of the program fails, once it has begun.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Quoting {
    Nothing,
    Effect,
    Panic,
    Callback,
    Health,
    Enrich,
    Retried,
    Fallback,
    Handler,
    Party,
    PartyPanics,
    CommitPanics,
}

pub(crate) const QUOTING: [Quoting; 12] = [
    Quoting::Nothing,
    Quoting::Effect,
    Quoting::Panic,
    Quoting::Callback,
    Quoting::Health,
    Quoting::Enrich,
    Quoting::Retried,
    Quoting::Fallback,
    Quoting::Handler,
    Quoting::Party,
    Quoting::PartyPanics,
    Quoting::CommitPanics,
];

/// What a failing part of the program answers.
#[derive(Clone, Copy)]
struct Quotes {
    fails: Quoting,
    encoding: usize,
}

impl Quotes {
    fn all<C: Secretive>(self, app: &C) -> String {
        let all = match self.encoding {
            0 => app.quoted(),
            _ => written(app.clone().filled(), self.encoding),
        };
        format!("cannot log in with {all}")
    }

    fn check<C: Secretive>(self, app: &C, which: &[Quoting]) -> Result<(), BoxError> {
        match which.contains(&self.fails) && app.port() != 80 {
            true => Err(self.all(app).into()),
            false => Ok(()),
        }
    }
}

impl<C: Secretive> Party<C> for Quotes {
    type Prepared = Option<String>;
    type Error = BoxError;

    async fn prepare(&self, change: &Change<C>) -> Result<Option<String>, BoxError> {
        let app = &change.current;
        let panics = self.check::<C>(app, &[Quoting::PartyPanics]);
        assert!(panics.is_ok(), "{}", self.all::<C>(app));
        self.check::<C>(app, &[Quoting::Party])?;
        Ok(self
            .check::<C>(app, &[Quoting::CommitPanics])
            .err()
            .map(|error| error.to_string()))
    }

    fn commit(&self, prepared: Option<String>) {
        assert!(prepared.is_none(), "{}", prepared.unwrap_or_default());
    }
}

/// Stages and callbacks; `one` is one of the secrets, written in an encoding.
pub(crate) fn around<C: Secretive>(
    builder: Builder<C>,
    fails: Quoting,
    encoding: usize,
    filled: String,
) -> Builder<C> {
    let quotes = Quotes { fails, encoding };
    let builder = builder
        .transform(move |request: Request<C>| {
            let mut next = C::clone(&request.current);
            *next.filled() = filled.clone();
            request.with(next)
        })
        .effect(move |request: Request<C>| {
            let app: &C = &request.current;
            let panics = quotes.check(app, &[Quoting::Panic]);
            assert!(panics.is_ok(), "{}", quotes.all(app));
            let failing = [
                Quoting::Effect,
                Quoting::Retried,
                Quoting::Fallback,
                Quoting::Handler,
            ];
            let answer = quotes.check(app, &failing);
            async move { answer }
        })
        .enrich(move |request: Request<C>| {
            let app: &C = &request.current;
            let answer = quotes.check(app, &[Quoting::Enrich]);
            async move { answer.map(|()| request) }
        })
        .party(quotes)
        .on_apply(move |_: Option<Arc<Snapshot<C>>>, new: Arc<Snapshot<C>>| {
            let app: &C = &new;
            let answer = quotes.check(app, &[Quoting::Callback]);
            async move { answer }
        })
        .health_check(move |snapshot: Arc<Snapshot<C>>| {
            let app: &C = &snapshot;
            let answer = quotes.check(app, &[Quoting::Health]);
            async move { answer }
        });
    let again = Retry::attempts(2).base(Duration::from_millis(1));
    match fails {
        Quoting::Retried => builder.retry(again),
        Quoting::Fallback => builder.retry(again).fallback(move |request: Request<C>| {
            let app: &C = &request.current;
            let answer = quotes.check(app, &[Quoting::Fallback]);
            async move { answer.map(|()| request) }
        }),
        Quoting::Handler => builder.error_handler(move |request: &Request<C>, _: &BoxError| {
            let app: &C = &request.current;
            panic!("{}", quotes.all(app))
        }),
        _ => builder,
    }
}
