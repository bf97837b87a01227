//! Schedules of faults from a seed on a bucket of NATS that is a mirror or a copy of another one: the line between both is cut, deadened,
//! slow, between random writes to the first. The oracle is [the same](crate::oracle): the truth is what the first bucket holds.

use crate::{
    oracle::{BUSY, Limits, Watch},
    seeds::{Random, schedules, settles},
    suite::KEY,
    watched::{Watched, document, until},
};
use flux::Source;
use flux_tests::servers::{Nats, NatsMirror, Remote};
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
    let is_mirror = random.below(2) == 0;
    let mirror = match is_mirror {
        true => NatsMirror::start().await?,
        false => NatsMirror::start_sourced().await?,
    };
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
        let fault = random.below(4);
        println!(
            "nats mirror {:?}: fault {fault}, a mirror: {is_mirror}, {n} is held",
            begin.elapsed()
        );
        match fault {
            0 => mirror.line.cut(),
            1 => mirror.line.deaden(),
            2 => mirror.line.delay(random.millis(300)),
            _ => mirror.line.hang_up(),
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
