//! From a write to the value that readers see, against the client crate's own event for the same kind of write.

use super::{BOUND, KEY, bare::Bare, document, figures::percentile, now, with};
use crate::table::{Row, Table};
use flux::{Capacitor, Flux};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const CHANGES: u64 = 300;

#[derive(Flux)]
struct Live {
    n: u64,
    #[flux(default = 0)]
    at: u64,
}

pub(super) fn of<S: Bare>(table: &mut Table) {
    with(async |server: S| {
        let (flux, bare) = measured(&server).await;
        let name = S::NAME;
        table.add(Row::new(
            format!("peer: {name}, {}", S::HEARD),
            bare,
            "microseconds",
        ));
        table.add(
            Row::new(format!("Flux, {name}"), flux, "microseconds")
                .of(S::HEARD, bare)
                .at_most(1.5),
        );
    });
}

/// Both on one server and one key, each on a connection of its own, and never both at once.
async fn measured<S: Bare>(server: &S) -> (f64, f64) {
    let mut took = [const { Vec::new() }; 2];
    // In blocks, whose order changes: what a machine does in the meantime meets both.
    const BLOCK: u64 = 30;
    let mut n = 0;
    for block in 0..2 * CHANGES / BLOCK {
        n += 1;
        server.write(KEY, &document(n, now())).await;
        let side = [0, 1, 1, 0][block as usize % 4];
        let numbers = n + 1..=n + BLOCK;
        n += BLOCK;
        took[side].extend(match side {
            0 => by_flux(server, numbers).await,
            _ => by_hand(server, numbers).await,
        });
    }
    let [flux, bare] = took.map(|all| percentile(all, 50) as f64);
    (flux, bare)
}

async fn by_flux<S: Bare>(server: &S, numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    let capacitor = Capacitor::<Live>::builder()
        .source(server.source(server.address(), KEY))
        .debounce(Duration::ZERO)
        .build()
        .expect("a layer");
    capacitor.start().await.expect("a start");
    let mut changes = capacitor.subscribe();
    let mut took = Vec::new();
    for n in numbers {
        let seen = async {
            while capacitor.get().n != n {
                changes.changed().await.expect("it runs");
            }
        };
        took.push(until(server, n, seen).await);
    }
    capacitor.stop().await;
    took
}

async fn by_hand<S: Bare>(server: &S, numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut ear = server.listen().await;
    let mut took = Vec::new();
    for n in numbers {
        let expected = format!("{{\"n\": {n},");
        let heard = async { while !S::heard(&mut ear).await.starts_with(expected.as_bytes()) {} };
        took.push(until(server, n, heard).await);
    }
    took
}

/// How many microseconds after the write of `n` it is seen.
async fn until<S: Bare>(server: &S, n: u64, seen: impl Future<Output = ()>) -> u64 {
    let document = document(n, now());
    let start = Instant::now();
    let seen = async {
        seen.await;
        start.elapsed()
    };
    let both = timeout(BOUND, async {
        tokio::join!(server.write(KEY, &document), seen)
    });
    let ((), took) = both.await.expect("a change is seen");
    // So that the next one finds everybody asleep, and no key that is so busy that it is read less often.
    sleep(Duration::from_millis(20)).await;
    took.as_micros().try_into().expect("minutes at most")
}
