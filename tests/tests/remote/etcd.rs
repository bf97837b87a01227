//! What is particular to etcd: compacted history, leases, restored stores.

use crate::watched::{Watched, document};
use flux::{Source, State, source};
use flux_tests::{
    proxy::Proxy,
    servers::{Etcd, Remote},
};
use std::time::{Duration, Instant};

const KEY: &str = "app/config";

#[tokio::test(flavor = "multi_thread")]
async fn history_that_was_compacted_while_away_is_not_missed() {
    let Some(server) = Etcd::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    let watched = Watched::started(server.source(proxy.address(), KEY)).await;
    for n in 1..=3 {
        proxy.cut();
        watched.until("stale", || watched.trouble().is_some()).await;
        for step in 1..=10 {
            server.write(KEY, &document(n * 100 + step)).await;
        }
        server.compact().await;
        proxy.mend();
        watched.sees(n * 100 + 10).await;
    }
    watched.has_applied(&[1, 110, 210, 310]);
    watched.was_never_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_revision_is_the_keys_own() {
    let Some(server) = Etcd::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    server.write("app/other", &document(9)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    let revision = || watched.capacitor.status().layers[0].revision.clone();
    assert_eq!(revision().as_deref(), Some("2"));
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    assert_eq!(revision().as_deref(), Some("4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_keys_with_the_same_beginning_are_not_this_one() {
    let Some(server) = Etcd::start().await else {
        return;
    };
    server.write("/app", &document(1)).await;
    let uri = format!("etcd://{}//app", server.address());
    let watched = Watched::started(Source::uri(uri)).await;
    server.write("/app/config", &document(2)).await;
    server.write("app", &document(3)).await;
    server.write("/app", &document(4)).await;
    watched.sees(4).await;
    watched.has_applied(&[1, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_down_is_not_the_cluster() {
    let Some(server) = Etcd::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let nobody = flux_tests::process::free_port();
    let etcd =
        source::Etcd::new(format!("127.0.0.1:{nobody}"), KEY).member(server.address().to_string());
    let watched = Watched::started(Source::watcher(etcd)).await;
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_watch_stays_live_and_is_told() {
    let Some(server) = Etcd::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    // Longer than the deadline for signs of life.
    tokio::time::sleep(Duration::from_secs(35)).await;
    assert!(watched.is_live(), "{:?}", watched.health());
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    assert_eq!(watched.capacitor.state(), State::Healthy);
    assert_eq!(
        watched.capacitor.status().layers[0].received,
        2,
        "one session"
    );
}

/// Who has the right name and password from the start is refused for the moment in which users begin to be asked for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authentication_that_is_switched_on_while_it_runs_is_followed_soon() {
    let Some(server) = Etcd::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.guarded(server.address(), KEY)).await;
    watched.sees(1).await;
    server.grant().await;
    server.write(KEY, &document(2)).await;
    let begin = Instant::now();
    watched.sees(2).await;
    server.write(KEY, &document(3)).await;
    watched.sees(3).await;
    // Its beat notices it after ten seconds at most, and it is let in with the next tries.
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(25), "{took:?}");
    watched.has_applied(&[1, 2, 3]);
}

/// Nothing is written meanwhile: only the question whether the key still holds notices it, and not the watch.
#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_taken_away_from_a_quiet_watch_are_noticed() {
    let Some(server) = Etcd::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    server.grant().await;
    let watched = Watched::started(server.guarded(server.address(), KEY)).await;
    for n in 2..=3 {
        server.refuse().await;
        let refused = || watched.refusal().is_some();
        watched.until("refused", refused).await;
        assert_eq!(watched.capacitor.get().n, n - 1, "the last one is kept");
        server.grant().await;
        server.write(KEY, &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3]);
}

/// The files of its certificates are read for a new connection only, and may be those of another user by now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_source_connects_anew_while_another_source_holds_the_connection() {
    let Some(server) = Etcd::start().await else {
        return;
    };
    let quiet_key = "quiet/config";
    for key in [KEY, quiet_key] {
        server.write(key, &document(1)).await;
    }
    server.grant().await;
    let proxy = Proxy::to(server.address()).await;
    let quiet = Watched::started(server.guarded(proxy.address(), quiet_key)).await;
    let watched = Watched::started(server.guarded(proxy.address(), KEY)).await;
    let before = proxy.connections();
    server.refuse().await;
    let refused = || watched.refusal().is_some();
    watched.until("refused", refused).await;
    let anew = || proxy.connections() > before;
    watched.until("connected anew", anew).await;
    server.grant().await;
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    quiet.sees(1).await;
    let received = quiet.capacitor.status().layers[0].received;
    assert_eq!(received, 1, "its session goes on");
    watched.has_applied(&[1, 2]);
}
