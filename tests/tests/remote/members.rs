//! What every source on a cluster must do while members are away. The oracle: whoever asks the members that are left sees what is
//! written there; whoever asks one that is alone is stale within the bound of the source's page; once the fault is over, both see it.

use crate::{suite::KEY, watched::Watched, watched::document};
use flux_tests::servers::{Cluster, members::SIZE};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What a machine that is busy may add to a bound.
const BUSY: Duration = Duration::from_secs(10);

/// The suite as tests of a module.
macro_rules! clusters {
    ($($feature:literal $module:ident $Cluster:ident),+) => {$(
        #[cfg(feature = $feature)]
        clusters!($module, flux_tests::servers::$Cluster;
            [true] a_member_killed, a_member_paused, quorum_lost;
            [!<flux_tests::servers::$Cluster as flux_tests::servers::Cluster>::CUTS.is_empty()]
                a_member_cut_off, a_member_on_dead_lines
        );
    )+};
    ($module:ident, $Cluster:ty; $([$applies:expr] $($case:ident),+);+) => {
        mod $module {
            use flux_tests::servers::Cluster;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if !$applies {
                        return;
                    }
                    let case = flux_tests::table::Case::begin(<$Cluster>::NAME, stringify!($case));
                    match <$Cluster>::start().await {
                        None => case.skipped(),
                        Some(cluster) => {
                            super::$case(cluster).await;
                            case.passed();
                        }
                    }
                }
            )+)+
        }
    };
}

clusters!(
    "consul" consul_members ConsulCluster,
    "etcd" etcd_members EtcdCluster,
    "nats" nats_members NatsCluster,
    "zookeeper" zookeeper_members ZooKeeperCluster
);

/// The members that a source asks which is to go on without one of them.
pub(crate) fn without<C: Cluster>(member: usize) -> Vec<usize> {
    match C::SEVERAL {
        // The one that will be away is asked as well.
        true => (0..SIZE).map(|n| (member + n) % SIZE).collect(),
        false => vec![(member + 1) % SIZE],
    }
}

async fn is_stale_within_the_bound<C: Cluster>(watched: &Watched, since: Instant) {
    watched.until("stale", || !watched.is_live()).await;
    let took = since.elapsed();
    assert!(took < C::BOUND + BUSY, "stale after {took:?}");
}

/// Each member in turn, the leader among them.
async fn a_member_is_away<C: Cluster>(
    cluster: C,
    goes: impl Fn(&C, usize),
    returns: impl Fn(&C, usize),
) {
    let mut n = 1;
    cluster.write(KEY, &document(n)).await;
    for member in 0..SIZE {
        let others = Watched::started(cluster.source(&without::<C>(member), KEY)).await;
        others.sees(n).await;
        goes(&cluster, member);
        for _ in 0..2 {
            n += 1;
            cluster.write(KEY, &document(n)).await;
            others.sees(n).await;
        }
        returns(&cluster, member);
        n += 1;
        cluster.write(KEY, &document(n)).await;
        others.sees(n).await;
        let alone = Watched::started(cluster.source(&[member], KEY)).await;
        alone.sees(n).await;
        others.was_never_refused();
    }
}

async fn a_member_killed<C: Cluster>(cluster: C) {
    let kill = |cluster: &C, member| cluster.members().kill(member);
    let restart = |cluster: &C, member| cluster.members().restart(member);
    a_member_is_away(cluster, kill, restart).await;
}

async fn a_member_paused<C: Cluster>(cluster: C) {
    let pause = |cluster: &C, member| cluster.members().pause(member);
    let resume = |cluster: &C, member| cluster.members().resume(member);
    a_member_is_away(cluster, pause, resume).await;
}

/// It still answers its clients, and is not the cluster.
async fn a_member_is_parted<C: Cluster>(cluster: C, cut: impl Fn(&C, usize)) {
    let mut n = 1;
    cluster.write(KEY, &document(n)).await;
    for &member in C::CUTS {
        let alone = Watched::started(cluster.source(&[member], KEY)).await;
        let others = Watched::started(cluster.source(&without::<C>(member), KEY)).await;
        alone.sees(n).await;
        others.sees(n).await;
        cut(&cluster, member);
        let since = Instant::now();
        n += 1;
        cluster.write(KEY, &document(n)).await;
        is_stale_within_the_bound::<C>(&alone, since).await;
        others.sees(n).await;
        assert_eq!(alone.capacitor.get().n, n - 1, "it was cut off");
        cluster.members().mend();
        alone.sees(n).await;
        n += 1;
        cluster.write(KEY, &document(n)).await;
        alone.sees(n).await;
        others.sees(n).await;
        alone.was_never_refused();
    }
}

async fn a_member_cut_off<C: Cluster>(cluster: C) {
    a_member_is_parted(cluster, |cluster, member| cluster.members().cut_off(member)).await;
}

async fn a_member_on_dead_lines<C: Cluster>(cluster: C) {
    a_member_is_parted(cluster, |cluster, member| cluster.members().deaden(member)).await;
}

/// What a minority holds is what nobody can vouch for.
async fn quorum_lost<C: Cluster>(cluster: C) {
    let mut n = 1;
    cluster.write(KEY, &document(n)).await;
    for member in 0..SIZE {
        let watched = Watched::started(cluster.source(&[member], KEY)).await;
        let gone = [(member + 1) % SIZE, (member + 2) % SIZE];
        let since = Instant::now();
        // Killed, or only silent.
        let killed = member % 2 == 0;
        for other in gone {
            match killed {
                true => cluster.members().kill(other),
                false => cluster.members().pause(other),
            }
        }
        is_stale_within_the_bound::<C>(&watched, since).await;
        sleep(Duration::from_secs(2)).await;
        assert_eq!(watched.capacitor.get().n, n, "the last one is kept");
        for other in gone {
            match killed {
                true => cluster.members().restart(other),
                false => cluster.members().resume(other),
            }
        }
        watched.sees(n).await;
        n += 1;
        cluster.write(KEY, &document(n)).await;
        watched.sees(n).await;
        watched.was_never_refused();
    }
}
