//! What is particular to ZooKeeper: sessions that expire.

use crate::watched::{Watched, document, until};
use flux::State;
use flux_tests::{
    proxy::Proxy,
    servers::{Remote, ZooKeeper},
};

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
