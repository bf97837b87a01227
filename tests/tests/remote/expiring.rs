//! A certificate that expires while a connection is open. TLS looks at it as a connection is made, and not again.

use crate::{
    oracle::BUSY,
    watched::{Watched, document, until},
};
use flux_tests::{
    proxy::Proxy,
    servers::{Nats, Remote},
};
use std::time::{Duration, Instant, SystemTime};

const KEY: &str = "app.config";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_connection_outlives_the_certificate_and_the_next_one_names_it() {
    let Some(mut server) = Nats::start_secured().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    // Enough for a slow machine to connect before.
    let expires = SystemTime::now() + Duration::from_secs(30);
    let (address, certificates) = server.secured().expect("certificates");
    certificates.renew_until(expires);
    server.renewed().await;
    let proxy = Proxy::to(address).await;
    let source = server.secured_source(proxy.address(), KEY, "ca.pem", true);
    let watched = Watched::started(source).await;
    watched.sees(1).await;
    until("expired", async || SystemTime::now() > expires).await;
    server.write(KEY, &document(2)).await;
    watched.sees(2).await;
    assert_eq!(proxy.connections(), 1, "the one from before");
    proxy.hang_up();
    let hung_up = Instant::now();
    watched
        .until("the reason", || {
            let text = watched.trouble().map(|trouble| trouble.to_string());
            text.is_some_and(|text| text.contains("certificate has expired"))
        })
        .await;
    let took = hung_up.elapsed();
    assert!(took < Nats::BOUND + BUSY, "within the bound: {took:?}");
    let (_, certificates) = server.secured().expect("certificates");
    certificates.renew();
    server.renewed().await;
    server.write(KEY, &document(3)).await;
    watched.sees(3).await;
    watched.has_applied(&[1, 2, 3]);
}
