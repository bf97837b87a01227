//! The real servers, each with what the conformance suite asks of it.

#[cfg(feature = "consul")]
mod consul;
#[cfg(feature = "consul")]
mod consul_cluster;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(feature = "etcd")]
mod etcd_cluster;
mod file;
#[cfg(feature = "firestore")]
mod firestore;
#[cfg(feature = "https")]
mod https;
#[cfg(feature = "k8s")]
mod kubernetes;
pub mod members;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "nats")]
mod nats_accounts;
#[cfg(feature = "nats")]
mod nats_cluster;
#[cfg(feature = "nats")]
mod nats_mirror;
#[cfg(feature = "https")]
mod nginx;
#[cfg(feature = "redis")]
mod redis;
mod shared;
#[cfg(feature = "zookeeper")]
mod zookeeper;
#[cfg(feature = "zookeeper")]
mod zookeeper_cluster;

#[cfg(feature = "consul")]
pub use consul::Consul;
#[cfg(feature = "consul")]
pub use consul_cluster::ConsulCluster;
#[cfg(feature = "etcd")]
pub use etcd::Etcd;
#[cfg(feature = "etcd")]
pub use etcd_cluster::EtcdCluster;
pub use file::File;
#[cfg(feature = "firestore")]
pub use firestore::{Firestore, ValueType};
#[cfg(feature = "https")]
pub use https::Https;
#[cfg(feature = "k8s")]
pub use kubernetes::Kubernetes;
pub use members::Cluster;
#[cfg(feature = "nats")]
pub use nats::Nats;
#[cfg(feature = "nats")]
pub use nats_accounts::NatsAccounts;
#[cfg(feature = "nats")]
pub use nats_cluster::NatsCluster;
#[cfg(feature = "nats")]
pub use nats_mirror::{Leaf, NatsMirror};
#[cfg(feature = "https")]
pub use nginx::Nginx;
#[cfg(feature = "redis")]
pub use redis::Redis;
pub use shared::Shared;
#[cfg(feature = "zookeeper")]
pub use zookeeper::ZooKeeper;
#[cfg(feature = "zookeeper")]
pub use zookeeper_cluster::ZooKeeperCluster;

use crate::{certificates::Certificates, process::Process};
use flux::Source;
use std::{future::Future, net::SocketAddr, time::Duration};
use tokio::task::block_in_place;

/// A kind of server that configuration can stand on. One file per kind, and a line in `tests/tests/remote/main.rs`.
pub trait Remote: Send + Sync + Sized + 'static {
    /// As the table calls it.
    const NAME: &'static str;
    /// The bound of staleness that the source's page states, with the options that [`uri`](Remote::uri) has.
    const BOUND: Duration;
    /// How long the server lets a quiet watch be when started with [`start_impatient`](Remote::start_impatient); none where it
    /// has no such limit.
    const IDLE: Option<Duration> = None;
    /// Whether what was written is there again after `kill -9` and a restart.
    const DURABLE: bool = true;
    /// How many connections ten capacitors may have together.
    const CONNECTIONS: usize = 1;
    /// Whether there is a process that can be killed and a line to it that can be cut; without one [`process`](Remote::process)
    /// and [`address`](Remote::address) have no meaning.
    const SERVED: bool = true;
    /// Whether its data are the files of its process, so that an older copy of them can be put back.
    const COPIES: bool = Self::SERVED && Self::DURABLE;
    /// Whether a source may name several servers, one of which may be silent.
    const MEMBERS: bool = false;
    /// Whether [`start_secured`](Remote::start_secured) starts something that asks for TLS.
    const SECURED: bool = false;

    /// Whether it is asked again and again, so that what has not changed is received again.
    const POLLED: bool = false;
    /// Whether the guarded user's password can be [changed](Remote::rotate).
    const ROTATES: bool = false;
    /// Whether all that it holds can be [made anew](Remote::recreate) while it runs.
    const RECREATES: bool = false;
    /// Whether it can be made to [forget](Remote::forget_history) what it would send to a watch that goes on from before.
    const FORGETS: bool = false;

    /// A server on a free port, running and empty; none where its program is missing, which [`program`](crate::process::program) says.
    fn start() -> impl Future<Output = Option<Self>> + Send;
    /// The same with [`IDLE`](Remote::IDLE) as its limit.
    fn start_impatient() -> impl Future<Output = Option<Self>> + Send {
        Self::start()
    }
    /// The same with a second port that asks for TLS and for a client's certificate; see [`secured`](Remote::secured).
    fn start_secured() -> impl Future<Output = Option<Self>> + Send {
        Self::start()
    }
    /// The port that asks for TLS, and the certificates that it knows.
    fn secured(&self) -> Option<(SocketAddr, &Certificates)> {
        None
    }
    /// The source by way of `address`, the port that asks for TLS or a line to it: it trusts whom this file vouches for, and comes with
    /// the certificate that the server knows, or without one.
    fn secured_source(&self, address: SocketAddr, key: &str, ca: &str, is_known: bool) -> Source {
        let (_, certificates) = self.secured().expect("a server with certificates");
        let path = |file| certificates.path(file);
        let mut uri = format!("{}?ca={}", self.uri(address, key), path(ca));
        if is_known {
            uri += &format!(
                "&cert={}&cert_key={}",
                path("client.pem"),
                path("client.key")
            );
        }
        Source::uri(uri)
    }
    /// The certificates were [renewed](Certificates::renew): the server takes them up, by a restart where it cannot do it otherwise.
    fn renewed(&mut self) -> impl Future<Output = ()> + Send {
        async {
            block_in_place(|| self.process().restart());
            self.restarted().await;
        }
    }
    /// Runs a case again where it has something to show, such as under a user who can be refused, and tells whether it passed there.
    fn elsewhere(case: &str) -> Option<bool> {
        let _ = case;
        None
    }
    /// Its process: killed, restarted, paused. After a restart the suite calls [`restarted`](Remote::restarted).
    fn process(&mut self) -> &mut Process;
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// The URI of `key` by way of `address`: the server's own or a proxy's.
    fn uri(&self, address: SocketAddr, key: &str) -> String;
    /// The source; with a builder where a URI needs variables, or a client that follows the proxy.
    fn source(&self, address: SocketAddr, key: &str) -> Source {
        Source::uri(self.uri(address, key))
    }
    /// The source for a user whom [`refuse`](Remote::refuse) and [`grant`](Remote::grant) are about.
    fn guarded(&self, address: SocketAddr, key: &str) -> Source;

    /// Writes a document, and returns when the server has it.
    fn write(&self, key: &str, bytes: &[u8]) -> impl Future<Output = ()> + Send;
    /// Writes many, one change each, as fast as the server takes them; tells in which order it did, by their places in `documents`.
    fn write_many(
        &self,
        key: &str,
        documents: Vec<Vec<u8>>,
    ) -> impl Future<Output = Vec<usize>> + Send {
        async move {
            for document in &documents {
                self.write(key, document).await;
            }
            (0..documents.len()).collect()
        }
    }
    /// Deletes a document, which may not exist.
    fn delete(&self, key: &str) -> impl Future<Output = ()> + Send;
    /// Takes every right from the guarded user, who exists from the start and has none.
    fn refuse(&self) -> impl Future<Output = ()> + Send;
    /// Gives the guarded user the rights that a source needs.
    fn grant(&self) -> impl Future<Output = ()> + Send;
    /// Gives the guarded user the rights without which a source cannot do: it asks in another way then.
    fn grant_least(&self) -> impl Future<Output = ()> + Send {
        self.grant()
    }
    /// Gives the guarded user another password; `hunter2` is the first one.
    fn rotate(&self, password: &str) -> impl Future<Output = ()> + Send {
        let _ = password;
        async { panic!("its users have no passwords that change") }
    }
    /// Deletes all that it holds while it runs, and makes it anew, empty: a bucket, a key space.
    fn recreate(&mut self) -> impl Future<Output = ()> + Send {
        async { panic!("it has nothing that could be made anew") }
    }
    /// Only the newest version of each document is known from now on.
    fn forget_history(&self) -> impl Future<Output = ()> + Send {
        async { panic!("it has no history") }
    }
    /// Kills the server, deletes all that it held and starts it again; the suite calls [`restarted`](Remote::restarted) then.
    fn wipe(&mut self) -> impl Future<Output = ()> + Send {
        async {
            block_in_place(|| {
                self.process().wipe();
                self.process().restart();
            });
        }
    }
    /// The server runs again after a restart: connect to it anew.
    fn restarted(&mut self) -> impl Future<Output = ()> + Send;
    /// How large a document may be that the server takes without being told to take larger ones.
    fn largest(&self) -> usize {
        1 << 20
    }
    /// How many clients, watches, sessions or consumers the server knows besides the suite's own.
    fn guests(&self) -> impl Future<Output = usize> + Send;
}

/// Writes by several hands at once, for servers that gather what comes together; `write` tells where in the server's own order it
/// stands. The documents' places in that order.
#[cfg(any(feature = "consul", feature = "etcd"))]
async fn by_many_hands<W, F>(hands: usize, documents: Vec<Vec<u8>>, write: W) -> Vec<usize>
where
    W: Fn(Vec<u8>) -> F + Clone + Send + 'static,
    F: Future<Output = u64> + Send,
{
    let documents: Vec<_> = documents.into_iter().enumerate().collect();
    let next = std::sync::Arc::new(tokio::sync::Mutex::new(documents.into_iter()));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..hands {
        let (next, write) = (std::sync::Arc::clone(&next), write.clone());
        all.spawn(async move {
            let mut written = Vec::new();
            loop {
                let document = next.lock().await.next();
                let Some((place, document)) = document else {
                    return written;
                };
                written.push((write(document).await, place));
            }
        });
    }
    let mut written = all.join_all().await.concat();
    written.sort_unstable();
    written.into_iter().map(|(_, place)| place).collect()
}
