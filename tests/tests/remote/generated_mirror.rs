//! Schedules of faults from a seed on a bucket of NATS that is a mirror or a copy of another one, or is asked by way of a leaf node: the
//! line between both servers is cut, deadened, slow, between random writes to the first, and an older copy is put back there. The oracle
//! is [the same](crate::oracle): the truth is what the first bucket holds.

use crate::{
    oracle::{BUSY, Limits, Watch},
    seeds::{Random, schedules, settles},
    suite::KEY,
    watched::{Watched, document, until},
};
use flux::Source;
use flux_tests::servers::{Leaf, Nats, NatsMirror, Remote};
use std::time::{Duration, Instant};
use tokio::time::sleep;

async fn written(mirror: &NatsMirror, watch: &Watch, n: &mut u64) {
    *n += 1;
    watch.may_hold(Some(*n));
    mirror.write(KEY, &document(*n)).await;
    watch.holds(Some(*n));
}

async fn schedule(seed: u64, time: Duration) -> Option<()> {
    let mut random = Random(seed);
    let kind = [Leaf::Mirror, Leaf::Sourced, Leaf::Bare][random.below(3) as usize];
    let mut mirror = NatsMirror::start(kind).await?;
    // An older copy of the hub's data, and what it holds.
    let mut copy = None;
    let mut n = 0;
    mirror.write(KEY, &document(n)).await;
    until("mirrored", || mirror.is_whole()).await;
    let source = Source::uri(format!("nats://{}/flux/{KEY}", mirror.address()));
    let watched = Watched::started(source).await;
    let watch = Watch::over(&watched, Limits::of_members(Nats::BOUND));
    watch.holds(Some(n));
    let begin = Instant::now();
    while begin.elapsed() < time {
        for _ in 0..random.below(4) {
            written(&mirror, &watch, &mut n).await;
            sleep(random.millis(100)).await;
        }
        // A mirror does not follow its origin back: the page of the source names that.
        let fault = match kind {
            Leaf::Bare => random.below(7),
            Leaf::Mirror | Leaf::Sourced => random.below(4),
        };
        println!(
            "nats mirror {:?}: fault {fault}, {kind:?}, {n} is held",
            begin.elapsed()
        );
        match fault {
            0 => mirror.line.cut(),
            1 => mirror.line.deaden(),
            2 => mirror.line.delay(random.millis(300)),
            3 => mirror.line.hang_up(),
            _ => match copy.take() {
                None => copy = Some((mirror.copied().await, n)),
                Some((older, held)) => {
                    watch.may_hold(Some(held));
                    mirror.put_back(&older).await;
                    watch.holds(Some(held));
                }
            },
        }
        // What is to be seen of a lie is seen after the bound and what the first contact takes.
        let longest = Nats::BOUND * 2 + BUSY * 2;
        let length = match fault < 2 && random.below(2) == 0 && time > longest {
            true => longest,
            false => random.millis(8000),
        };
        let fault_begin = Instant::now();
        while fault_begin.elapsed() < length {
            written(&mirror, &watch, &mut n).await;
            sleep(random.millis(5000)).await;
        }
        watch.was_no_lie();
        mirror.line.mend();
        mirror.line.hang_up();
        if random.below(2) == 0 {
            settles(&watched, &watch).await;
        }
    }
    written(&mirror, &watch, &mut n).await;
    settles(&watched, &watch).await;
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_mirrors_under_random_faults() {
    schedules("nats", "random_faults_of_mirrors", schedule).await;
}
