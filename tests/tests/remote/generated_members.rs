//! Schedules of faults from a seed on clusters of three: members killed, paused and cut off, majorities lost, between random writes. The
//! oracle is [the same](crate::oracle), and one thing more: while a majority is away nobody can vouch for what is held.

use crate::{
    members::without,
    oracle::{Limits, Watch},
    seeds::{Random, schedules, settles},
    suite::KEY,
    watched::{Watched, document},
};
use flux_tests::servers::{Cluster, members::SIZE};
use std::time::{Duration, Instant};
use tokio::time::sleep;

async fn written(cluster: &impl Cluster, watch: &Watch, n: &mut u64) {
    *n += 1;
    watch.may_hold(Some(*n));
    cluster.write(KEY, &document(*n)).await;
    watch.holds(Some(*n));
}

async fn schedule<C: Cluster>(seed: u64, time: Duration) -> Option<()> {
    let mut random = Random(seed);
    let member = |random: &mut Random| random.below(SIZE as u64) as usize;
    let cluster = C::start().await?;
    let begin = Instant::now();
    let mut n = 0;
    cluster.write(KEY, &document(n)).await;
    // One member, or all of them.
    let asked = match random.below(2) {
        0 => vec![member(&mut random)],
        _ => without::<C>(member(&mut random)),
    };
    let watched = Watched::started(cluster.source(&asked, KEY)).await;
    let watch = Watch::over(&watched, Limits::of_members(C::BOUND));
    watch.holds(Some(n));
    let members = cluster.members();
    while begin.elapsed() < time {
        for _ in 0..random.below(4) {
            written(&cluster, &watch, &mut n).await;
            sleep(random.millis(100)).await;
        }
        let at = member(&mut random);
        let others = [(at + 1) % SIZE, (at + 2) % SIZE];
        let fault = match C::CUTS.is_empty() {
            true => random.below(4),
            false => random.below(6),
        };
        println!(
            "{} {:?}: fault {fault} of {at}, {asked:?} are asked, {n} is held",
            C::NAME,
            begin.elapsed()
        );
        match fault {
            0 | 1 => {
                match fault {
                    0 => members.kill(at),
                    _ => members.pause(at),
                }
                sleep(random.millis(3000)).await;
                for _ in 0..random.below(3) {
                    written(&cluster, &watch, &mut n).await;
                }
                sleep(random.millis(15_000)).await;
                match fault {
                    0 => members.restart(at),
                    _ => members.resume(at),
                }
            }
            2 | 3 => {
                for other in others {
                    match fault {
                        2 => members.kill(other),
                        _ => members.pause(other),
                    }
                }
                watch.is_unknown();
                sleep(random.millis(60_000)).await;
                watch.was_no_lie();
                watch.holds(Some(n));
                for other in others {
                    match fault {
                        2 => members.restart(other),
                        _ => members.resume(other),
                    }
                }
                written(&cluster, &watch, &mut n).await;
            }
            _ => {
                let at = C::CUTS[at % C::CUTS.len()];
                if !cluster.can_be_cut_off(at) {
                    continue;
                }
                match fault {
                    4 => members.cut_off(at),
                    _ => members.deaden(at),
                }
                for _ in 0..random.below(3) {
                    written(&cluster, &watch, &mut n).await;
                }
                sleep(random.millis(50_000)).await;
                members.mend();
            }
        }
        watch.was_no_lie();
        if random.below(2) == 0 {
            settles(&watched, &watch).await;
        }
    }
    settles(&watched, &watch).await;
    written(&cluster, &watch, &mut n).await;
    settles(&watched, &watch).await;
    Some(())
}

macro_rules! generated {
    ($($feature:literal $name:ident $Cluster:ident),+) => {$(
        #[cfg(feature = $feature)]
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            type Servers = flux_tests::servers::$Cluster;
            schedules(<Servers as Cluster>::NAME, "random_faults_of_members", schedule::<Servers>).await;
        }
    )+};
}

generated!(
    "consul" consul_members_under_random_faults ConsulCluster,
    "etcd" etcd_members_under_random_faults EtcdCluster,
    "nats" nats_members_under_random_faults NatsCluster,
    "zookeeper" zookeeper_members_under_random_faults ZooKeeperCluster
);
