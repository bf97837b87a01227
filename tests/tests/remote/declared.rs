//! What attributes declare, with every server's feature on.
#![allow(
    clippy::duplicated_attributes,
    reason = "each source has its own options"
)]

use flux::{Capacitor, Config, Flux};

/// The origins of what a struct declares, which only its start would watch.
fn origins<C: Config>(capacitor: &Capacitor<C>) -> Vec<String> {
    let status = capacitor.status();
    status
        .layers
        .iter()
        .map(|layer| layer.origin.to_string())
        .collect()
}

#[derive(Flux)]
#[flux(source(
    "redis://app:${FLUX_UNSET:-${PATH}}@127.0.0.1:1/app?db=3&poll=1m",
    optional,
    wait = "10ms"
))]
#[flux(source(
    "etcd://127.0.0.1:1,[::1]:1//app/config?resync=1h&format=yaml",
    optional,
    wait = "10ms"
))]
#[flux(source("nats://${PATH}@127.0.0.1:1/bucket/app.toml", optional, wait = "10ms"))]
#[flux(source(
    "consul://127.0.0.1:1/app/config.yaml?wait=1m&token=${PATH}",
    optional,
    wait = "10ms"
))]
#[flux(source(
    "k8s://default/secret/app/app.json?kubeconfig=/nowhere",
    optional,
    wait = "10ms"
))]
#[flux(source(
    "zookeeper://app:${PATH}@127.0.0.1:1,127.0.0.2:1/app/config",
    optional,
    wait = "10ms"
))]
#[flux(source(
    "firestore://project/config/app?field=data&emulator=127.0.0.1:1",
    optional,
    wait = "10ms"
))]
#[flux(source(
    "https://app:${PATH}@127.0.0.1:1/app.json?env=test#poll=1m",
    optional,
    wait = "10ms"
))]
#[flux(source("dir:/nowhere/secrets", optional))]
#[flux(override(
    "rediss://${FLUX_UNSET_HOST:-localhost}:1/app",
    optional,
    wait = "10ms",
    format = "toml"
))]
struct Declared {
    #[flux(default = 7)]
    n: u64,
}

#[tokio::test]
async fn every_form_of_a_uri_becomes_its_source() {
    let capacitor = Declared::builder().build().unwrap();
    capacitor.start().await.unwrap();
    assert_eq!(
        capacitor.get().n,
        7,
        "nobody is there, and nobody is needed"
    );
    assert_eq!(
        origins(&capacitor),
        [
            "redis://127.0.0.1:1/app?db=3",
            "etcd://127.0.0.1:1,[::1]:1//app/config",
            "nats://127.0.0.1:1/bucket/app.toml",
            "consul://127.0.0.1:1/app/config.yaml",
            "k8s://default/secret/app/app.json",
            "zookeeper://127.0.0.1:1,127.0.0.2:1/app/config",
            "firestore://project/config/app?field=data",
            "https://127.0.0.1:1/app.json",
            "dir:/nowhere/secrets",
            "rediss://localhost:1/app",
        ]
    );
}
