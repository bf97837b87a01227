//! What is particular to Consul: its index, and queries that wait.

use crate::{
    relay::{Backend, Relay},
    watched::{BOUND, Watched, document},
};
use flux::{Source, State, source};
use flux_tests::servers::{Consul, Remote};
use std::time::{Duration, Instant};

const KEY: &str = "app/config";

/// A server that was made anew counts from the beginning. Who waits there for what comes after an old index waits in vain.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_went_backwards_is_begun_anew() {
    let (Some(old), Some(new)) = (Consul::start().await, Consul::start().await) else {
        return;
    };
    for n in 1..=300 {
        old.write("app/other", &document(n)).await;
    }
    old.write(KEY, &document(1)).await;
    new.write(KEY, &document(2)).await;
    let relay = Relay::to(Backend::Plain(old.address())).await;
    let wait = Duration::from_secs(20);
    let consul = source::Consul::new(relay.address().to_string(), KEY).wait(wait);
    let watched = Watched::started(Source::watcher(consul)).await;
    let index = || {
        let status = watched.capacitor.status();
        let revision = status.layers[0].revision.as_deref();
        revision.and_then(|index| index.parse::<u64>().ok())
    };
    let before = index().expect("an index");
    // One query was answered, and one waits.
    watched.until("a query", || relay.asked() >= 2).await;
    relay.turn(Backend::Plain(new.address()));
    // Ends the query that waits at the old one; the next one goes to the new one.
    old.write(KEY, &document(3)).await;
    watched.sees(2).await;
    assert!(index().is_some_and(|index| index < before));
    for n in 4..=6 {
        let begin = Instant::now();
        new.write(KEY, &document(n)).await;
        watched.sees(n).await;
        assert!(begin.elapsed() < wait / 2, "told, not found after the wait");
    }
    watched.has_applied(&[1, 3, 2, 4, 5, 6]);
    watched.was_never_refused();
}

/// A query that returns is not a change, and a key that others follow in the order of names is not this one.
#[tokio::test(flavor = "multi_thread")]
async fn what_returns_without_a_change_is_not_one() {
    let Some(server) = Consul::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let relay = Relay::to(Backend::Plain(server.address())).await;
    let consul = source::Consul::new(relay.address().to_string(), KEY);
    let watched = Watched::started(Source::watcher(consul.wait(Duration::from_secs(1)))).await;
    for n in 2..=5 {
        server.write("app/config2", &document(n)).await;
        server.write("app", &document(n)).await;
    }
    watched
        .until("several returns", || relay.asked() >= 5)
        .await;
    watched.has_applied(&[1]);
    assert!(watched.is_live(), "{:?}", watched.health());
}

/// A key that is written without pause is not asked for without pause.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_key_is_asked_for_at_a_bounded_rate() {
    let Some(server) = Consul::start().await else {
        return;
    };
    server.write(KEY, &document(0)).await;
    let watched = Watched::started(server.source(server.address(), KEY)).await;
    let begin = Instant::now();
    let order = server.write_many(KEY, (1..=1_000).map(document).collect());
    order.await;
    server.write(KEY, &document(1_001)).await;
    watched.sees(1_001).await;
    let most = begin.elapsed().as_millis() / 20 + 2;
    let received = watched.capacitor.status().layers[0].received;
    assert!(u128::from(received) <= most, "{received} of at most {most}");
}

/// Nobody's token is asked of, and a wrong one is refused by name.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused_and_not_shown() {
    let Some(server) = Consul::start().await else {
        return;
    };
    server.write(KEY, &document(1)).await;
    let consul = source::Consul::new(server.address().to_string(), KEY);
    let token = "5fa1e1de-dead-4bad-8bad-000000000000";
    let watched = Watched::new(Source::watcher(consul.token(token)).wait(BOUND));
    let capacitor = watched.capacitor.clone();
    tokio::spawn(async move { capacitor.start().await });
    watched
        .until("refused", || watched.refusal().is_some())
        .await;
    let shown = format!("{:?}", watched.capacitor.status());
    assert!(!shown.contains(token), "{shown}");
    assert_ne!(watched.capacitor.state(), State::Healthy);
}

/// A proxy's own page is not an absent key.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_an_index_is_none_of_consuls() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = client.read(&mut [0; 4096]).await;
            let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = client.write_all(answer.as_bytes()).await;
        }
    });
    let consul = source::Consul::new(address.to_string(), KEY);
    let watched = Watched::starting(Source::watcher(consul));
    watched.until("stale", || watched.trouble().is_some()).await;
    let trouble = watched.trouble().unwrap().to_string();
    assert!(trouble.contains("X-Consul-Index"), "{trouble}");
    assert_eq!(
        watched.capacitor.state(),
        State::Loading,
        "nothing is absent"
    );
}

/// A token that no URI names, but the variable that Consul's own tools read: the program is one of its own.
#[test]
fn the_usual_token_is_sent_and_not_shown() {
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "consul::the_program_with_a_usual_token",
            "--nocapture",
        ])
        .env("FLUX_TEST_CONSUL", "1")
        .env("CONSUL_HTTP_TOKEN", "5fa1/sw0rdfish+of=consul")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    let shown = format!("{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(
        run.status.success() && said.contains("sent and masked"),
        "{shown}"
    );
    assert!(!shown.contains("sw0rdfish"), "{shown}");
}

/// Does nothing unless [`the_usual_token_is_sent_and_not_shown`] runs it. The server repeats what it was asked.
#[tokio::test]
async fn the_program_with_a_usual_token() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    if std::env::var_os("FLUX_TEST_CONSUL").is_none() {
        return;
    }
    let token = std::env::var("CONSUL_HTTP_TOKEN").unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let (said, repeats) = (
        token.clone(),
        std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)),
    );
    let sent = std::sync::Arc::clone(&repeats);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut asked = vec![0; 4096];
            let length = client.read(&mut asked).await.unwrap_or(0);
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            assert!(asked.contains(&said), "it is sent");
            let n = sent.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let body = match n % 3 {
                0 => asked,
                1 => format!("who is {}?", BASE64_STANDARD.encode(&said)),
                _ => format!(
                    "no such token: {}",
                    said.replace('/', "%2F")
                        .replace('+', "%2B")
                        .replace('=', "%3D")
                ),
            };
            let head = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = client.write_all((head + &body).as_bytes()).await;
        }
    });
    let consul = source::Consul::new(address.to_string(), KEY);
    let watched = Watched::starting(Source::watcher(consul));
    watched
        .until("refused", || watched.refusal().is_some())
        .await;
    let mut shown = String::new();
    while repeats.load(std::sync::atomic::Ordering::SeqCst) < 4 {
        shown += &format!("{:?}\n", watched.capacitor.status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(shown.contains("403"), "{shown}");
    let encoded = BASE64_STANDARD.encode(&token);
    for secret in [token.as_str(), "sw0rdfish", &encoded] {
        assert!(!shown.contains(secret), "it is shown");
    }
    println!("sent and masked");
}
