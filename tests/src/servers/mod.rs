//! The real servers, each with what the conformance suite asks of it.

#[cfg(feature = "consul")]
mod consul;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(feature = "firestore")]
mod firestore;
#[cfg(feature = "k8s")]
mod kubernetes;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "zookeeper")]
mod zookeeper;

#[cfg(feature = "consul")]
pub use consul::Consul;
#[cfg(feature = "etcd")]
pub use etcd::Etcd;
#[cfg(feature = "firestore")]
pub use firestore::Firestore;
#[cfg(feature = "k8s")]
pub use kubernetes::Kubernetes;
#[cfg(feature = "nats")]
pub use nats::Nats;
#[cfg(feature = "redis")]
pub use redis::Redis;
#[cfg(feature = "zookeeper")]
pub use zookeeper::ZooKeeper;

use crate::{certificates::Certificates, process::Process};
use flux::Source;
use std::{future::Future, net::SocketAddr, time::Duration};

/// A kind of server that configuration can stand on. One file per kind, and a line in `tests/tests/remote/main.rs`.
pub trait Remote: Send + Sync + Sized + 'static {
    /// As the table calls it.
    const NAME: &'static str;
    /// How long the server lets a quiet watch be when started with [`start_impatient`](Remote::start_impatient); none where it
    /// has no such limit.
    const IDLE: Option<Duration> = None;
    /// Whether what was written is there again after `kill -9` and a restart.
    const DURABLE: bool = true;
    /// How many connections ten capacitors may have together.
    const CONNECTIONS: usize = 1;

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
    /// Writes many, as fast as it goes; `last` is the last of them.
    fn write_many(&self, key: &str, documents: Vec<Vec<u8>>) -> impl Future<Output = ()> + Send {
        async move {
            for document in documents {
                self.write(key, &document).await;
            }
        }
    }
    /// Deletes a document, which may not exist.
    fn delete(&self, key: &str) -> impl Future<Output = ()> + Send;
    /// Takes every right from the guarded user, who exists from the start and has none.
    fn refuse(&self) -> impl Future<Output = ()> + Send;
    /// Gives the guarded user the rights that a source needs.
    fn grant(&self) -> impl Future<Output = ()> + Send;
    /// The server runs again after a restart: connect to it anew.
    fn restarted(&mut self) -> impl Future<Output = ()> + Send;
    /// How large a document may be that the server takes without being told to take larger ones.
    fn largest(&self) -> usize {
        1 << 20
    }
    /// How many clients, watches, sessions or consumers the server knows besides the suite's own.
    fn guests(&self) -> impl Future<Output = usize> + Send;
}
