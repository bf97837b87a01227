//! What the program's own code says against a change.

use crate::{
    Said,
    by_hand::{ByHand, started},
};
use flux::{
    Builder, Capacitor, Flux, Source,
    change::{Change, Party},
    codec::{Codec, Tree},
    source::Channel,
};
use std::{
    future::{pending, ready},
    time::Duration,
};

#[derive(Flux, Clone)]
struct AppConfig {
    #[flux(range = 1..=100, validate = no_panic)]
    workers: u32,
}

fn no_panic(workers: &u32) -> Result<(), String> {
    assert_ne!(*workers, 13, "thirteen workers");
    Ok(())
}

/// Can bind every port but one.
struct Listener;

impl Party<AppConfig> for Listener {
    type Prepared = ();
    type Error = String;
    async fn prepare(&self, _: &Change<AppConfig>) -> Result<(), String> {
        Err("port 443: permission denied".to_owned())
    }
    fn commit(&self, (): ()) {}
}

/// What is said when nothing but the first configuration gets through.
async fn refused(adjust: impl FnOnce(Builder<AppConfig>) -> Builder<AppConfig>) -> String {
    let app = started("workers: 2", |builder| {
        adjust(builder).filter(|request| request.previous.is_some())
    })
    .await;
    app.edit("workers: 4").await;
    app.report()
}

/// What may not become of a running configuration.
#[derive(Flux)]
struct Running {
    #[flux(immutable)]
    data_folder: String,
    #[flux(max_change = "50%")]
    workers: u32,
    #[flux(monotonic)]
    schema: u32,
}

pub async fn cases() -> Vec<Said> {
    vec![
        (
            "callback",
            refused(|builder| {
                builder.on_apply(|_, next| {
                    ready(Err(format!("only 3 cores for {} workers", next.workers)))
                })
            })
            .await,
        ),
        ("party", refused(|builder| builder.party(Listener)).await),
        (
            "stage",
            refused(|builder| builder.effect(|_| ready(Err("outside the change window")))).await,
        ),
        (
            "stage makes a bad value",
            refused(|builder| {
                builder.transform(|request| {
                    let workers = request.current.workers * 100;
                    request.with(AppConfig { workers })
                })
            })
            .await,
        ),
        (
            "timeout",
            refused(|builder| {
                builder
                    .on_apply(|_, _| pending::<Result<(), String>>())
                    .timeout(Duration::from_secs(5))
            })
            .await,
        ),
        ("circuit breaker", breaker().await),
        (
            "callback panics",
            refused(|builder| {
                builder.on_apply(|_, _| async {
                    panic!("out of cheese");
                    #[allow(unreachable_code, reason = "the type of the answer")]
                    Ok::<(), String>(())
                })
            })
            .await,
        ),
        ("rule panics", {
            let app: ByHand<AppConfig> = started("workers: 2", |builder| builder).await;
            app.edit("workers: 13").await;
            app.report()
        }),
        ("reducer", {
            let app = started::<AppConfig>("workers: 2", |builder| {
                builder.reducer(|_, layers| match layers.len() {
                    0 | 1 => Err("at least two layers must agree"),
                    _ => Ok(layers[0].clone()),
                })
            })
            .await;
            app.report()
        }),
        ("transitions", {
            let running = "data_folder: /var/a\nworkers: 8\nschema: 4\n";
            let app = started::<Running>(running, |builder| builder).await;
            app.edit("data_folder: /var/b\nworkers: 80\nschema: 3\n")
                .await;
            app.report()
        }),
        ("codec", codec().await),
    ]
}

async fn breaker() -> String {
    let app = started::<AppConfig>("workers: 2", |builder| {
        builder
            .on_apply(|previous, _| {
                ready(if previous.is_some() {
                    Err("no")
                } else {
                    Ok(())
                })
            })
            .circuit_breaker(
                flux::pipeline::CircuitBreaker::failures(1).recovery(Duration::from_secs(30)),
            )
    })
    .await;
    app.edit("workers: 3").await;
    app.edit("workers: 4").await;
    app.report()
}

struct Words;

impl Codec for Words {
    fn name(&self) -> &str {
        "words"
    }
    fn decode(&self, text: &str) -> Result<Tree, String> {
        Err(format!("{} lines and no pair", text.lines().count()))
    }
}

async fn codec() -> String {
    let (sender, channel) = Channel::latest("app.words");
    let source = Source::watcher(channel).codec(Words);
    let builder = Capacitor::<AppConfig>::builder().manual().source(source);
    let capacitor = builder.build().expect("layers that work");
    sender.try_send(*b"workers").expect("somebody watches");
    crate::by_hand::error(capacitor.start().await)
}
