//! Consul and documents of web servers behind nginx, with what it does by default and what operations switch on.

use crate::watched::{Watched, document};
use flux::{Source, State, source};
use flux_tests::{
    certificates::Certificates,
    servers::{Consul, Nginx, Remote},
    table::Case,
};
use std::time::{Duration, Instant};
use tokio::task::block_in_place;

const KEY: &str = "app/config";

/// For longer than nginx waits for an answer (60 s) and the source for a change (45 s): neither is a loss.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consul_behind_nginx_as_it_comes_stays_live() {
    let case = Case::begin("consul", "behind_nginx");
    let Some(mut consul) = Consul::start().await else {
        return case.skipped();
    };
    let Some(nginx) = Nginx::before(consul.address(), "") else {
        return case.skipped();
    };
    consul.write(KEY, &document(1)).await;
    let source = source::Consul::new(nginx.address().to_string(), KEY);
    let watched = Watched::started(Source::watcher(source)).await;
    let mut soonest = Duration::MAX;
    let quiet = Instant::now();
    while quiet.elapsed() < Duration::from_secs(70) {
        assert!(watched.is_live(), "{:?}", watched.health());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for n in 2..=4 {
        let begin = Instant::now();
        consul.write(KEY, &document(n)).await;
        watched.sees(n).await;
        soonest = soonest.min(begin.elapsed());
    }
    // A busy machine is slow now and then; a query that waits in vain takes most of its wait each time.
    assert!(
        soonest < Duration::from_secs(10),
        "told at once: {soonest:?}"
    );
    // It answers for a server that is not there.
    block_in_place(|| consul.process().kill());
    watched.until("stale", || watched.trouble().is_some()).await;
    block_in_place(|| consul.process().restart());
    consul.restarted().await;
    watched.sees(4).await;
    consul.write(KEY, &document(5)).await;
    watched.sees(5).await;
    watched.has_applied(&[1, 2, 3, 4, 5]);
    watched.was_never_refused();
    case.passed();
}

/// A proxy that ends each query is a loss each time, and a change is found all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consul_behind_a_proxy_with_less_patience_is_still_followed() {
    let Some(consul) = Consul::start().await else {
        return;
    };
    let Some(nginx) = Nginx::before(consul.address(), "proxy_read_timeout 2s;") else {
        return;
    };
    consul.write(KEY, &document(1)).await;
    let source = source::Consul::new(nginx.address().to_string(), KEY);
    let watched = Watched::started(Source::watcher(source)).await;
    watched.until("stale", || watched.trouble().is_some()).await;
    let trouble = watched.trouble().map(|trouble| trouble.to_string());
    let named = trouble
        .as_deref()
        .is_none_or(|trouble| trouble.contains("504"));
    assert!(named, "{trouble:?}");
    for n in 2..=6 {
        let begin = Instant::now();
        consul.write(KEY, &document(n)).await;
        watched
            .until("the value", || watched.capacitor.get().n == n)
            .await;
        assert!(begin.elapsed() < Duration::from_secs(40), "{n}");
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    watched.has_applied(&[1, 2, 3, 4, 5, 6]);
    watched.was_never_refused();
}

/// With compression, TLS and HTTP/2 on, as many have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_of_nginx_is_followed() {
    let certificates = Certificates::new();
    let settings = format!(
        "ssl_certificate {}; ssl_certificate_key {}; root FOLDER/pages;\n\
         gzip on; gzip_types application/json; gzip_min_length 0; gzip_proxied any;",
        certificates.path("server.pem"),
        certificates.path("server.key")
    );
    let Some(mut nginx) = Nginx::start(" ssl http2", &settings) else {
        return;
    };
    nginx.put("app.json", &document(1));
    let source = source::Https::new(nginx.address().to_string(), "/app.json")
        .ca(certificates.path("ca.pem"))
        .poll(Duration::from_millis(200));
    let watched = Watched::started(Source::watcher(source)).await;
    // Its tag is made of whole seconds and the length, which are those of several of these.
    for n in 2..=9 {
        nginx.put("app.json", &document(n));
        watched.sees(n).await;
    }
    block_in_place(|| nginx.process().kill());
    watched.until("stale", || watched.trouble().is_some()).await;
    nginx.put("app.json", &document(10));
    block_in_place(|| nginx.process().restart());
    watched.sees(10).await;
    watched.has_applied(&(1..=10).collect::<Vec<_>>());
    watched.was_never_refused();
}

/// nginx takes any certificate in the handshake and answers `400` then, so nothing is wrong with the connection. Another source, which
/// is quiet, holds the client that both share.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_refused_by_status_is_read_again_while_another_source_holds_the_client()
 {
    let (server, first) = (Certificates::new(), Certificates::new());
    let trusted = server.path("trusted.pem");
    std::fs::copy(first.path("ca.pem"), &trusted).unwrap();
    let settings = format!(
        "ssl_certificate {}; ssl_certificate_key {}; ssl_client_certificate {trusted};\n\
         ssl_verify_client on; root FOLDER/pages;",
        server.path("server.pem"),
        server.path("server.key")
    );
    let Some(mut nginx) = Nginx::start(" ssl", &settings) else {
        return;
    };
    nginx.put("app.json", &document(1));
    nginx.put("quiet.json", &document(1));
    let source = |name: &str, poll| {
        let source = source::Https::new(nginx.address().to_string(), format!("/{name}.json"));
        let source = source.poll(poll).ca(server.path("ca.pem"));
        let (cert, key) = (first.path("client.pem"), first.path("client.key"));
        Source::watcher(source.client_certificate(cert, key))
    };
    let quiet = Watched::started(source("quiet", Duration::from_secs(86_400))).await;
    let watched = Watched::started(source("app", Duration::from_millis(200))).await;
    for n in 2..=3 {
        // The server knows the next ones already, and the files are still the old ones.
        let next = Certificates::new();
        std::fs::copy(next.path("ca.pem"), &trusted).unwrap();
        block_in_place(|| nginx.process().restart());
        nginx.put("app.json", &document(n));
        let named = || {
            let trouble = watched.trouble();
            trouble.is_some_and(|trouble| trouble.to_string().contains("400"))
        };
        watched.until("refused", named).await;
        for file in ["client.pem", "client.key"] {
            std::fs::rename(next.path(file), first.path(file)).unwrap();
        }
        watched.sees(n).await;
        assert_eq!(quiet.capacitor.status().layers[0].received, 1);
    }
    watched.has_applied(&[1, 2, 3]);
}

/// What a proxy answers for a server that is away, or for too many questions, is not the document and not its absence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nginx_answers_by_itself_is_no_document() {
    let case = Case::begin("https", "behind_nginx");
    let Some(mut origin) = Nginx::start("", "root FOLDER/pages;") else {
        return case.skipped();
    };
    origin.put("app.json", &document(1));
    let Some(nginx) = Nginx::before(origin.address(), "") else {
        return case.skipped();
    };
    let source = source::Https::plain(nginx.address().to_string(), "/app.json");
    let source = source.poll(Duration::from_millis(200));
    let watched = Watched::started(Source::watcher(source)).await;
    for n in 2..=3 {
        block_in_place(|| origin.process().kill());
        let named = || {
            let trouble = watched.trouble();
            trouble.is_some_and(|trouble| trouble.to_string().contains("502"))
        };
        watched.until("stale", named).await;
        assert_eq!(watched.capacitor.state(), State::Healthy);
        assert!(watched.capacitor.status().layers[0].present);
        origin.put("app.json", &document(n));
        block_in_place(|| origin.process().restart());
        watched.sees(n).await;
    }
    watched.has_applied(&[1, 2, 3]);
    watched.was_never_refused();
    case.passed();
}
