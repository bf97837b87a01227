//! URIs of servers: what cannot be one, and what would need more than the default features.
use flux::Flux;

#[derive(Flux)]
#[flux(source = "redis://host/key", source = "nats://a,b/bucket/key", source = "etcd://bob:${PASSWORD}@a/key.yaml?tls=true")]
#[flux(source = "redis://host", source = "redis://a,b/key", source = "redis://host:port/key", source = "redis:host/key")]
#[flux(source = "redis://host/key?bd=1", source = "redis://host/key?db=one", source = "etcd://host/key?password=hunter2")]
#[flux(source = "redis://bob:hunter2@host/key", source = "redis://bob:${PASSWORD:-hunter2}@host/key", source = "nats://hunter2@host/b/k")]
#[flux(source = "nats://host/bucket/app.*", source = "k8s://default/pod/app/app.yaml", source = "firestore://project/collection")]
#[flux(source("redis://host/key", wait = "long"), override("env:APP_", wait = "5s"), source("etcd://h/k?format=yaml", format = "yaml"))]
struct Config {
    port: u16,
}

fn main() {
    let _ = Config::get().port;
}
