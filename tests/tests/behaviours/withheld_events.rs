//! That no way on which a text of the program leaves quotes a secret: events of each step of an update, the status, the report.

use crate::kit::{Ear, over_a_channel, pass, settle, write};
use flux::{
    Builder, Flux, Snapshot,
    change::{Change, Party},
    pipeline::{BoxError, Request, Retry},
};
use std::{sync::Arc, time::Duration};

#[derive(Clone, Debug, Flux)]
struct Sworn {
    n: u32,
    #[flux(secret)]
    password: String,
}

/// The text of every failure, once the document says so.
fn quotes(sworn: &Sworn) -> String {
    format!("no login with {}", sworn.password)
}

fn fails(sworn: &Sworn) -> Result<(), BoxError> {
    match sworn.n {
        2 => Err(quotes(sworn).into()),
        _ => Ok(()),
    }
}

/// Denies or panics with a text that quotes the secret.
struct Talkative {
    vetoes: bool,
}

impl Party<Sworn> for Talkative {
    type Prepared = Option<String>;
    type Error = BoxError;

    async fn prepare(&self, change: &Change<Sworn>) -> Result<Option<String>, BoxError> {
        match fails(&change.current) {
            Err(error) if self.vetoes => Err(error),
            Err(error) => Ok(Some(error.to_string())),
            Ok(()) => Ok(None),
        }
    }

    fn commit(&self, prepared: Option<String>) {
        if let Some(text) = prepared {
            panic!("{text}");
        }
    }
}

fn refusing(builder: Builder<Sworn>) -> Builder<Sworn> {
    builder.effect(|request: Request<Sworn>| async move { fails(&request.current) })
}

type Way = (&'static str, fn(Builder<Sworn>) -> Builder<Sworn>);

/// What fails, and what is heard of it.
const WAYS: [Way; 9] = [
    ("a stage that is passed over", |builder| {
        builder.enrich(|request: Request<Sworn>| async move {
            fails(&request.current).map(|()| request)
        })
    }),
    ("a stage", refusing),
    ("a retry", |builder| {
        refusing(builder).retry(Retry::attempts(3).base(Duration::from_millis(1)))
    }),
    ("a fallback", |builder| {
        refusing(builder).fallback(|request: Request<Sworn>| async move {
            let previous = request.previous.clone().ok_or("nothing before")?;
            Ok::<_, BoxError>(request.with(Sworn::clone(&previous)))
        })
    }),
    ("a fallback that fails too", |builder| {
        refusing(builder).fallback(|request: Request<Sworn>| async move {
            fails(&request.current).map(|()| request)
        })
    }),
    ("an error handler that panics", |builder| {
        refusing(builder).error_handler(|request: &Request<Sworn>, _: &BoxError| {
            panic!("{}", quotes(&request.current))
        })
    }),
    ("a party that vetoes", |builder| {
        builder.party(Talkative { vetoes: true })
    }),
    ("a party that panics", |builder| {
        builder.party(Talkative { vetoes: false })
    }),
    ("a health check", |builder| {
        builder
            .history(4)
            .probation(Duration::from_secs(60))
            .health_check(|sworn: Arc<Snapshot<Sworn>>| async move { fails(&sworn) })
    }),
];

#[tokio::test(start_paused = true)]
async fn whatever_step_of_an_update_quotes_a_secret_it_is_in_no_event_and_no_status() {
    for (way, adjust) in WAYS {
        let (ear, _listening) = Ear::listen();
        let (builder, sender) = over_a_channel::<Sworn>();
        let capacitor = adjust(builder).build().unwrap();
        write(&sender, "{n: 1, password: correct-horse}").await;
        capacitor.start().await.unwrap();
        write(&sender, "{n: 2, password: correct-horse}").await;
        settle().await;
        pass(30.0).await;
        let status = capacitor.status();
        let told = [
            ear.text(),
            status.to_string(),
            format!("{status:?}"),
            serde_json::to_string(&*status).unwrap(),
            format!("{:?}", capacitor.last_error()),
        ]
        .join("\n");
        assert!(told.contains("not shown"), "{way}:\n{told}");
        assert!(!told.contains("horse"), "{way}:\n{told}");
        capacitor.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_on_stop_or_of_a_drop_that_quotes_a_secret_is_in_no_event() {
    let (ear, _listening) = Ear::listen();
    let (builder, sender) = over_a_channel::<Sworn>();
    let capacitor = builder
        .on_stop(|_| panic!("no login with correct-horse"))
        .build()
        .unwrap();
    write(&sender, "{n: 1, password: correct-horse}").await;
    capacitor.start().await.unwrap();
    capacitor.stop().await;
    settle().await;
    let told = ear.text();
    assert!(
        told.contains("on_stop") && told.contains("not shown"),
        "{told}"
    );
    assert!(!told.contains("horse"), "{told}");
}
