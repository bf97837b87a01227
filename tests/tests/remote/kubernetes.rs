//! What is particular to Kubernetes: text and bytes, Secrets, versions that the server has forgotten.

use crate::{
    relay::{Backend, Relay},
    watched::{Watched, document, until},
};
use flux::{Source, State, source};
use flux_tests::servers::{Kubernetes, Remote};
use std::time::{Duration, Instant};
use tokio::task::block_in_place;

const KEY: &str = "app/config";

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_map_is_text_or_bytes_or_absent() {
    let Some(server) = Kubernetes::start().await else {
        return;
    };
    let json = |n| String::from_utf8(document(n)).unwrap();
    server.write_map("app", &[("config", &json(1))], &[]).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    server
        .write_map("app", &[], &[("config", &document(2))])
        .await;
    watched.sees(2).await;
    server
        .write_map("app", &[("other", "x")], &[("bytes", b"y")])
        .await;
    let gone = || watched.capacitor.state() == State::Degraded;
    watched.until("degraded", gone).await;
    assert!(!watched.capacitor.status().layers[0].present);
    assert_eq!(watched.capacitor.get().n, 2, "the last one is kept");
    server
        .write_map("app", &[("config", &json(3))], &[("bytes", b"y")])
        .await;
    watched.sees(3).await;
    watched.has_applied(&[1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_decoded() {
    let Some(server) = Kubernetes::start().await else {
        return;
    };
    server.write_secret("app", "config", &document(1)).await;
    let uri = server.uri(server.address(), KEY);
    let uri = uri.replace("/configmap/", "/secret/");
    let watched = Watched::started(Source::uri(uri)).await;
    for n in 2..=4 {
        server.write_secret("app", "config", &document(n)).await;
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3, 4]);
    watched.was_never_refused();
}

/// 410: the version from which a watch is to begin is older than what a restarted server remembers.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_forgotten_is_listed_anew() {
    let Some(mut server) = Kubernetes::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let admin = "Authorization: Bearer s3cret\r\n".to_owned();
    // Without TLS on this side, so that the connection does not tell of the server's end.
    let relay = Relay::to(Backend::Secured(server.address(), admin)).await;
    let kubeconfig = server.plain_kubeconfig(relay.address());
    let source = source::Kubernetes::config_map("default", "app", "config");
    let source = source.kubeconfig(kubeconfig.display().to_string());
    // It is listed, and the watch that follows is long under way.
    relay.hold("watch=");
    let watched = Watched::started(Source::watcher(source)).await;
    watched.sees(1).await;
    until("the watch", async || relay.held() > 0).await;
    // What happens elsewhere makes the version old.
    for n in 1..=20 {
        server.write("other/config", &document(n)).await;
    }
    block_in_place(|| server.process().restart());
    server.restarted().await;
    server.write("other/config", &document(21)).await;
    server.write(KEY, &document(2)).await;
    server.write("other/config", &document(22)).await;
    assert!(!relay.has_answered("\"code\":410"));
    relay.release();
    let released = Instant::now();
    watched.sees(2).await;
    assert!(relay.has_answered("\"code\":410"), "it was forgotten");
    let took = released.elapsed();
    assert!(
        took < Duration::from_secs(60),
        "at once, not {took:?} later"
    );
    server.write(KEY, &document(3)).await;
    watched.sees(3).await;
    watched.has_applied(&[1, 2, 3]);
    watched.was_never_refused();
}

/// A server that ends while it is watched is listed again, from whatever version.
#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_the_server_was_away_is_listed() {
    let Some(mut server) = Kubernetes::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let admin = "Authorization: Bearer s3cret\r\n".to_owned();
    let backend = Backend::Secured(server.address(), admin);
    let relay = Relay::to(backend.clone()).await;
    let kubeconfig = server.plain_kubeconfig(relay.address());
    let source = source::Kubernetes::config_map("default", "app", "config");
    let source = source.kubeconfig(kubeconfig.display().to_string());
    let watched = Watched::started(Source::watcher(source)).await;
    watched.sees(1).await;
    relay.turn(Backend::Nobody);
    for n in 1..=20 {
        server.write("other/config", &document(n)).await;
    }
    block_in_place(|| server.process().restart());
    server.restarted().await;
    server.write(KEY, &document(2)).await;
    relay.turn(backend);
    watched.sees(2).await;
    server.write(KEY, &document(3)).await;
    watched.sees(3).await;
    watched.has_applied(&[1, 2, 3]);
    watched.was_never_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_or_namespace_is_not_this_one() {
    let Some(server) = Kubernetes::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    let received = || watched.capacitor.status().layers[0].received;
    let before = received();
    server.write("app2/config", &document(9)).await;
    server.delete("app2/config").await;
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    assert_eq!(received(), before + 1);
    watched.has_applied(&[1, 2]);
}

/// A token is renewed while another source, which is quiet, holds the client that both share.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_token_is_taken_up_while_another_source_holds_the_client() {
    let Some(server) = Kubernetes::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    server.write("quiet/config", &document(1)).await;
    let admin = "Authorization: Bearer s3cret\r\n".to_owned();
    let relay = Relay::to(Backend::Secured(server.address(), admin)).await;
    let kubeconfig = server.plain_kubeconfig_with(relay.address(), "token-first");
    let source = |name, wait| {
        let source = source::Kubernetes::config_map("default", name, "config");
        let source = source.kubeconfig(kubeconfig.display().to_string());
        Source::watcher(source.wait(Duration::from_secs(wait)))
    };
    let quiet = Watched::started(source("quiet", 600)).await;
    let asked = relay.asked();
    let watched = Watched::started(source("app", 1)).await;
    until("both watch", async || relay.asked() >= asked + 2).await;
    relay.refuse("Bearer token-first");
    until("the old token is refused", async || relay.refused() > 0).await;
    server.plain_kubeconfig_with(relay.address(), "token-second");
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    // Its watch goes on, on the client that has the old token.
    assert!(quiet.is_live(), "{:?}", quiet.health());
    server.write("quiet/config", &document(2)).await;
    quiet.sees(2).await;
    assert_eq!(quiet.capacitor.status().layers[0].received, 2);
}
