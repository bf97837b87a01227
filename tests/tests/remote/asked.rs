//! An answer counts from its question: on a slow line no proof is younger than the line is slow.

use crate::{
    suite::KEY,
    watched::{BOUND, Watched, document},
};
use flux::Source;
use flux_tests::{
    proxy::Proxy,
    servers::{self, Remote},
};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Question and answer take this long each.
const SLOW: Duration = Duration::from_millis(300);

/// `source` asks again within seconds.
async fn counts_from_the_question<R: Remote>(source: impl Fn(&R, SocketAddr) -> Source) {
    let Some(server) = R::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let proxy = Proxy::to(server.address()).await;
    proxy.delay(SLOW);
    let watched = Watched::started(source(&server, proxy.address())).await;
    let (begin, mut proofs) = (Instant::now(), BTreeSet::new());
    while proofs.len() < 4 {
        assert!(begin.elapsed() < BOUND, "{proofs:?}");
        let proven = watched.capacitor.status().layers[0].proven();
        let proven = proven.expect("it has started");
        let ago = proven.elapsed().unwrap_or_default();
        assert!(ago >= SLOW, "{ago:?} after {} proofs", proofs.len());
        proofs.insert(proven);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

macro_rules! counts_from_the_question {
    ($($feature:literal $name:ident $Server:ident $change:expr,)*) => {$(
        #[cfg(feature = $feature)]
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let change: fn(String, SocketAddr) -> String = $change;
            counts_from_the_question(|server: &servers::$Server, address| {
                Source::uri(change(server.uri(address, KEY), address))
            })
            .await;
        }
    )*};
}

counts_from_the_question! {
    "consul" an_answer_of_consul_counts_from_its_question Consul |uri, _| uri.replace("wait=5s", "wait=1s"),
    "etcd" an_answer_of_etcd_counts_from_its_question Etcd |uri, _| uri + "?resync=1s",
    "firestore" an_answer_of_firestore_counts_from_its_question Firestore |uri, address| format!("{uri}&resync=1s&emulator={address}"),
    "k8s" an_answer_of_kubernetes_counts_from_its_question Kubernetes |uri, _| uri.replace("wait=5s", "wait=1s"),
    "nats" an_answer_of_nats_counts_from_its_question Nats |uri, _| uri + "?resync=1s",
    "redis" an_answer_of_redis_counts_from_its_question Redis |uri, _| uri + "?resync=1s",
    "zookeeper" an_answer_of_zookeeper_counts_from_its_question ZooKeeper |uri, _| uri + "?resync=1s",
}
