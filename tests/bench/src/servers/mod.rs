//! Against real servers: how soon a change is seen, and what many capacitors cost.

mod bare;
mod capacitors;
mod child;
mod figures;
mod latency;
mod scale;

pub(crate) use capacitors::run as capacitors;

use self::bare::Bare;
use crate::table::Table;
use flux_tests::servers::{Etcd, Nats, Redis};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long anything may take that comes about by itself.
const BOUND: Duration = Duration::from_secs(120);

const KEY: &str = "bench.json";

pub(crate) fn latency(table: &mut Table) {
    table.title("A changed key, until readers see it (no debounce; p50 of 300 in turn)");
    latency::of::<Etcd>(table);
    latency::of::<Nats>(table);
    latency::of::<Redis>(table);
}

pub(crate) fn scale(table: &mut Table) {
    scale::of::<Etcd>(table);
    scale::of::<Nats>(table);
    scale::of::<Redis>(table);
}

/// Runs `measure` on a server of its own; where its program is missing nothing is measured, which is said.
fn with<S: Bare>(measure: impl AsyncFnOnce(S)) {
    let runtime = Runtime::new().expect("a runtime");
    // On a worker: starting and killing servers blocks, and is told so.
    runtime.block_on(async {
        match S::start().await {
            Some(server) => measure(server).await,
            None => println!("  {}: NOT MEASURED, its server is missing", S::NAME),
        }
    });
}

/// The document that says `n`, and when it was written in microseconds since 1970.
fn document(n: u64, at: u64) -> Vec<u8> {
    format!("{{\"n\": {n}, \"at\": {at}}}").into_bytes()
}

/// Microseconds since 1970: what processes of one machine can compare.
fn now() -> u64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    let micros = since.expect("a clock after 1970").as_micros();
    u64::try_from(micros).expect("a clock before 500 000")
}
