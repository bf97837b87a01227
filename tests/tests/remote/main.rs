//! Real servers: one conformance suite, run over every source, and what is particular to each. A further server is a file in
//! `tests/src/servers/` and a line here.

#[cfg(any(feature = "consul", feature = "https", feature = "k8s"))]
#[cfg_attr(
    not(any(feature = "https", feature = "k8s")),
    allow(dead_code, reason = "Consul answers by itself")
)]
mod answers;
mod asked;
#[cfg(feature = "consul")]
mod consul;
#[cfg(all(
    feature = "consul",
    feature = "etcd",
    feature = "firestore",
    feature = "https",
    feature = "k8s",
    feature = "nats",
    feature = "redis",
    feature = "zookeeper"
))]
mod declared;
mod dir;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(feature = "nats")]
mod expiring;
#[cfg(feature = "firestore")]
mod firestore;
mod generated;
#[cfg(feature = "https")]
mod generated_caches;
#[cfg(feature = "consul")]
mod generated_consul;
mod generated_members;
#[cfg(feature = "nats")]
mod generated_mirror;
#[cfg(feature = "k8s")]
mod generated_refusals;
#[cfg(feature = "redis")]
mod generated_replicas;
#[cfg(feature = "etcd")]
mod generated_watches;
#[cfg(feature = "https")]
mod https;
#[cfg(feature = "k8s")]
mod kubernetes;
mod members;
mod mounted;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "nats")]
mod nats_accounts;
#[cfg(all(feature = "consul", feature = "https"))]
mod nginx;
mod oracle;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "consul", feature = "k8s"))]
#[cfg_attr(
    not(all(feature = "consul", feature = "k8s")),
    allow(dead_code, reason = "each server uses a part of it")
)]
mod relay;
mod renewed;
mod seeds;
mod stopped;
#[macro_use]
mod suite;
mod watched;
#[cfg(feature = "zookeeper")]
mod zookeeper;

conformance!(file_conforms, flux_tests::servers::File);
#[cfg(feature = "etcd")]
conformance!(etcd_conforms, flux_tests::servers::Etcd);
#[cfg(feature = "nats")]
conformance!(nats_conforms, flux_tests::servers::Nats);
#[cfg(feature = "redis")]
conformance!(redis_conforms, flux_tests::servers::Redis);
#[cfg(feature = "consul")]
conformance!(consul_conforms, flux_tests::servers::Consul);
#[cfg(feature = "zookeeper")]
conformance!(zookeeper_conforms, flux_tests::servers::ZooKeeper);
#[cfg(feature = "firestore")]
conformance!(firestore_conforms, flux_tests::servers::Firestore);
#[cfg(feature = "https")]
conformance!(https_conforms, flux_tests::servers::Https);
#[cfg(feature = "k8s")]
conformance!(kubernetes_conforms, flux_tests::servers::Kubernetes);
