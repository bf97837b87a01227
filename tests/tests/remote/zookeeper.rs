//! What is particular to ZooKeeper: sessions that expire.

use crate::watched::{Watched, document, until};
use flux::State;
use flux_tests::{
    proxy::Proxy,
    servers::{Cluster, Remote, ZooKeeper, ZooKeeperCluster},
};
use std::time::{Duration, Instant};

const KEY: &str = "app/config";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_expired_is_followed_by_another() {
    let Some(server) = ZooKeeper::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    let alone = server.sessions();
    let watched = Watched::started(server.source(proxy.address(), KEY)).await;
    for n in 2..=3 {
        until("one more session", async || server.sessions() > alone).await;
        proxy.cut();
        watched.until("stale", || watched.trouble().is_some()).await;
        // The server waits for the client to come back, then forgets it and its watches.
        until("expired", async || server.sessions() == alone).await;
        server.write(KEY, &document(n)).await;
        proxy.mend();
        watched.sees(n).await;
    }
    // The watch of the new session is set.
    server.write(KEY, &document(4)).await;
    watched.sees(4).await;
    watched.has_applied(&[1, 2, 3, 4]);
    watched.was_never_refused();
}

/// Else the server would keep it for ten seconds.
#[tokio::test(flavor = "multi_thread")]
async fn who_stops_ends_the_session() {
    let Some(server) = ZooKeeper::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let alone = server.sessions();
    let mut soonest = Duration::MAX;
    for _ in 0..3 {
        let watched = Watched::started(server.source(server.address(), KEY)).await;
        until("one more session", async || server.sessions() > alone).await;
        watched.capacitor.stop().await;
        let stopped = Instant::now();
        until("ended", async || server.sessions() == alone).await;
        soonest = soonest.min(stopped.elapsed());
    }
    assert!(soonest < Duration::from_secs(4), "{soonest:?}");
}

/// The watch is for a node that is not there, on a way that is not there.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_waited_for_across_sessions() {
    let Some(server) = ZooKeeper::start().await else {
        return;
    };
    let proxy = Proxy::to(server.address()).await;
    let watched = Watched::starting(server.source(proxy.address(), "a/b/config"));
    let absent = || watched.capacitor.state() == State::Empty && watched.is_live();
    watched.until("absent", absent).await;
    proxy.hang_up();
    server.write("a/b/config", &document(1)).await;
    watched.sees(1).await;
    server.delete("a/b/config").await;
    let gone = || watched.capacitor.state() == State::Degraded;
    watched.until("degraded", gone).await;
    server.write("a/b/config", &document(2)).await;
    watched.sees(2).await;
    watched.has_applied(&[1, 2]);
}

/// It answers its clients for some seconds more, out of what it had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lags_behind_is_not_believed_by_who_has_just_come() {
    let Some(cluster) = ZooKeeperCluster::start().await else {
        return;
    };
    let member = ZooKeeperCluster::CUTS[0];
    for key in [KEY, "app/other"] {
        cluster.write(key, &document(1)).await;
    }
    // Holds the session that both share.
    let other = Watched::started(cluster.source(&[member], "app/other")).await;
    other.sees(1).await;
    for n in [2, 3] {
        cluster.members().deaden(member);
        cluster.write(KEY, &document(n)).await;
        let watched = Watched::starting(cluster.source(&[member], KEY));
        watched.until("stale", || watched.trouble().is_some()).await;
        cluster.members().mend();
        watched.sees(n).await;
        watched.has_applied(&[n]);
        other.sees(1).await;
    }
}
