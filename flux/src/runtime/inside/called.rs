//! Tests every place from which code of the program is called: what waits for the capacitor is an error there at once.

#![allow(clippy::unwrap_used)] // In helpers too.

use crate::{
    Capacitor, Error, Format, Source,
    capacitor::WeakCapacitor,
    change::{Change, Party},
    inspect::Inputs,
    source::Channel,
};
use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

#[derive(Debug, Clone, flux_derive::Flux)]
#[flux(crate = crate)]
struct CalledApp {
    #[flux(default = 1)]
    n: u32,
}

/// The capacitor, and what it answered at each place.
#[derive(Clone, Default)]
struct Called {
    own: Arc<OnceLock<WeakCapacitor<CalledApp>>>,
    answers: Arc<Mutex<BTreeMap<&'static str, bool>>>,
}

impl Called {
    /// Asks without a wait, as code does that is not asynchronous; whether the answer is the error that is meant.
    fn at(&self, place: &'static str) {
        let Some(capacitor) = self.own.get().and_then(WeakCapacitor::upgrade) else {
            return;
        };
        let mut cx = Context::from_waker(Waker::noop());
        let answer = pin!(capacitor.pin()).as_mut().poll(&mut cx);
        let is_meant = matches!(answer, Poll::Ready(Err(Error::Inside { .. })));
        let mut answers = self.answers.lock().unwrap();
        *answers.entry(place).or_insert(true) &= is_meant;
    }
}

impl Party<CalledApp> for Called {
    type Prepared = ();
    type Error = String;
    async fn prepare(&self, _: &Change<CalledApp>) -> Result<(), String> {
        self.at("prepare");
        tokio::task::yield_now().await;
        self.at("prepare, later");
        Ok(())
    }
    fn commit(&self, (): ()) {
        self.at("commit");
    }
    fn rollback(&self, (): ()) {
        self.at("rollback");
    }
}

#[tokio::test(start_paused = true)]
async fn wherever_code_of_the_program_is_called_what_waits_for_the_capacitor_is_an_error() {
    let called = Called::default();
    let in_callback = called.clone();
    let (sender, channel) = Channel::buffered("app.json", 4);
    let builder = Capacitor::<CalledApp>::builder()
        .clear_sources()
        .source(Source::watcher(channel).format(Format::Json))
        .debounce(Duration::ZERO)
        .party(called.clone())
        .on_apply(move |_, next| {
            in_callback.at("callback");
            let (called, refuses) = (in_callback.clone(), next.n == 3);
            async move {
                called.at("callback, later");
                match refuses {
                    true => Err("three".to_owned()),
                    false => Ok(()),
                }
            }
        });
    let capacitor = builder.build().unwrap();
    sender.send(&b"{\"n\": 1}"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    assert!(called.own.set(capacitor.downgrade()).is_ok());
    for n in [2, 3] {
        sender
            .send(format!("{{\"n\": {n}}}").into_bytes())
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(capacitor.get().n, 2);
    let answers = std::mem::take(&mut *called.answers.lock().unwrap());
    let places = [
        "callback",
        "callback, later",
        "commit",
        "prepare",
        "prepare, later",
        "rollback",
    ];
    assert_eq!(answers, BTreeMap::from(places.map(|place| (place, true))));
    let inputs = Inputs::new().layer("app.json", "{\"n\": 4}");
    capacitor.plan_with_parties(&inputs).await.unwrap();
    let answers = std::mem::take(&mut *called.answers.lock().unwrap());
    // What was refused may have been tried again beside the plan.
    for place in ["prepare", "prepare, later", "rollback"] {
        assert_eq!(answers.get(place), Some(&true), "{place}");
    }
    capacitor.stop().await;
}

/// It asks for the end and does not wait for it, which would be its own.
#[tokio::test(start_paused = true)]
async fn a_stop_within_a_callback_returns_to_it() {
    let called = Called::default();
    let in_callback = called.clone();
    let (sender, channel) = Channel::buffered("app.json", 4);
    let builder = Capacitor::<CalledApp>::builder()
        .clear_sources()
        .source(Source::watcher(channel).format(Format::Json))
        .debounce(Duration::ZERO)
        .on_apply(move |_, _| {
            let called = in_callback.clone();
            async move {
                if let Some(capacitor) = called.own.get().and_then(WeakCapacitor::upgrade) {
                    capacitor.stop().await;
                    called.answers.lock().unwrap().insert("stop", true);
                }
                Ok::<(), String>(())
            }
        });
    let capacitor = builder.build().unwrap();
    sender.send(&b"{\"n\": 1}"[..]).await.unwrap();
    capacitor.start().await.unwrap();
    assert!(called.own.set(capacitor.downgrade()).is_ok());
    sender.send(&b"{\"n\": 2}"[..]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(called.answers.lock().unwrap().contains_key("stop"));
    assert!(!capacitor.status().running);
}
