//! Tests how servers are asked over HTTP, and what their answers mean.

use super::*;
use hyper::HeaderMap;
use std::io::Write;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_is_used_again_for_a_minute() {
    use std::{
        io::Read,
        net::TcpListener,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::SeqCst},
        },
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let made = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&made);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, SeqCst);
            std::thread::spawn(move || {
                while stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    let _ = stream.write_all(answer);
                }
            });
        }
    });
    let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
    let http = Http::new(&place).await.unwrap();
    // Answers how many connections the request has made.
    let ask = async || {
        let before = made.load(SeqCst);
        let answer = http.get(&place, "/", [], ANSWER).await;
        assert_eq!(answer.unwrap().status, StatusCode::OK);
        made.load(SeqCst) - before
    };
    // A connection goes back to the others some time after its answer has been read.
    let used_again = async || {
        for n in 0..60 {
            tokio::time::sleep(Duration::from_millis(10 * n)).await;
            if ask().await == 0 {
                return true;
            }
        }
        false
    };
    assert_eq!(ask().await, 1);
    assert!(used_again().await);
    let before = Instant::now().checked_sub(LIFETIME * 2).unwrap();
    http.built().since = before;
    assert_eq!(ask().await, 1);
    assert!(used_again().await);
}

/// As where its patience with quiet connections is the pause between two questions.
#[tokio::test]
async fn a_server_that_hangs_up_as_a_connection_is_used_again_is_asked_on_a_new_one() {
    use crate::source::remote::fake;
    let known = Mutex::new(std::collections::HashSet::new());
    let address = fake::web(move |_, client| {
        let is_new = known.lock().unwrap().insert(client.peer_addr().unwrap());
        match is_new {
            true => client.write_all(&fake::found("", "{}")).unwrap(),
            false => client.shutdown(std::net::Shutdown::Both).unwrap(),
        }
    });
    let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
    let http = Http::new(&place).await.unwrap();
    for _ in 0..10 {
        let answer = http.get(&place, "/", [], ANSWER).await;
        assert_eq!(answer.unwrap().status, StatusCode::OK);
        // The connection goes back to the others.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Who has answered nobody is asked once.
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = std::sync::Arc::clone(&asked);
    let address = fake::web(move |_, client| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        client.shutdown(std::net::Shutdown::Both).unwrap();
    });
    let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
    let http = Http::new(&place).await.unwrap();
    let refused = http.get(&place, "/", [], ANSWER).await;
    assert!(refused.is_err());
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

/// Whether a question is asked again depends on the connection alone, and not on what other sources on the server were answered.
#[tokio::test]
async fn what_one_source_was_answered_does_not_decide_for_another_on_the_same_client() {
    use crate::source::remote::fake;
    let known = Mutex::new(std::collections::HashSet::new());
    let (noted, questions) = std::sync::mpsc::channel();
    let address = fake::web(move |head, client| {
        let is_new = known.lock().unwrap().insert(client.peer_addr().unwrap());
        let is_refused = head.starts_with("GET /refused ");
        noted.send(is_refused).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        match is_new && !is_refused {
            true => client.write_all(&fake::found("", "{}")).unwrap(),
            false => client.shutdown(std::net::Shutdown::Both).unwrap(),
        }
    });
    let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
    let http = Http::new(&place).await.unwrap();
    let ask = async |path| http.get(&place, path, [], ANSWER).await.is_ok();
    let refused = || questions.try_iter().filter(|refused| *refused).count();
    // On a connection of its own, while the other one was served before and is being served.
    assert!(ask("/").await);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (served, other) = tokio::join!(ask("/"), ask("/refused"));
    assert!(served && !other);
    assert_eq!(refused(), 1, "asked again");
    // Three quiet connections, and a source that is refused on the first ones.
    let three = tokio::join!(ask("/"), ask("/"), ask("/"));
    assert_eq!(three, (true, true, true));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (other, served) = tokio::join!(ask("/refused"), ask("/"));
    assert!(served && !other, "{served}");
}

#[test]
fn an_age_beyond_any_number_is_as_old_as_can_be() {
    let age = |age: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("age", HeaderValue::from_static(age));
        let answer = HttpAnswer {
            status: StatusCode::OK,
            headers,
            body: Bytes::new(),
        };
        answer.age().as_secs()
    };
    let year = 365 * 86_400;
    assert_eq!(age("99999999999999999999999"), year);
    assert_eq!(age("18446744073709551615"), year);
    assert_eq!(age(" 7 "), 7);
    assert_eq!(age("7, 0"), 7, "the first one counts");
    assert_eq!(age("7.5"), 7);
    assert_eq!(age("new"), 0);
}

#[tokio::test]
async fn an_answer_that_is_no_document_is_what_its_head_says_however_its_words_are_sent() {
    use crate::source::remote::fake;
    let heads = [
        "404 Not Found\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\u{1f}x",
        "304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n",
        "503 Busy\r\nRetry-After: 7\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nzz",
        "503 Busy\r\nRetry-After: 7\r\nContent-Length: 100\r\n\r\ncut",
        "503 Busy\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        "200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 2\r\n\r\n{}",
        "200 OK\r\nContent-Encoding: \r\nContent-Length: 2\r\n\r\n{}",
    ];
    for head in heads {
        let address = fake::web(move |_, client| {
            client
                .write_all(format!("HTTP/1.1 {head}").as_bytes())
                .unwrap();
            if head.ends_with("cut") {
                client.shutdown(std::net::Shutdown::Both).unwrap();
            }
        });
        let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
        let http = Http::new(&place).await.unwrap();
        let answer = http.get(&place, "/", [], ANSWER).await;
        let answer = answer.unwrap_or_else(|error| panic!("{head}: {error}"));
        assert!(head.starts_with(answer.status.as_str()), "{head}");
        if head.starts_with("503") {
            let error = refused(&place, &answer);
            assert_eq!(error.retry_after(0.0), Duration::from_secs(7), "{head}");
            assert!(!error.to_string().contains("zz"), "{error}");
        }
    }
    let address = fake::web(|_, client| {
        let packed = fake::found("Content-Encoding: gzip\r\n", "zz");
        client.write_all(&packed).unwrap();
    });
    let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
    let answer = Http::new(&place).await.unwrap();
    let refused = answer.get(&place, "/", [], ANSWER).await.err().unwrap();
    assert!(
        refused.to_string().contains("compressed (gzip)"),
        "{refused}"
    );
}

#[test]
fn a_server_may_ask_for_a_pause() {
    let place = Remote::new(flux_syntax::Scheme::Https)
        .host("h")
        .piece("/a");
    let mut answer = HttpAnswer {
        status: StatusCode::SERVICE_UNAVAILABLE,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let asked = |answer: &HttpAnswer| refused(&place, answer).retry_after(0.0);
    assert_eq!(asked(&answer), Duration::ZERO);
    let after = HeaderValue::from_static("120");
    answer.headers.insert("retry-after", after);
    assert_eq!(asked(&answer), Duration::from_secs(120));
}

#[test]
fn the_body_of_a_success_or_a_redirection_is_never_quoted() {
    let place = Remote::new(flux_syntax::Scheme::Https)
        .host("h")
        .piece("/app.json");
    for status in [203, 206, 302, 307] {
        let answer = HttpAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"{\"password\": \"swordfish\"}"),
        };
        let error = refused(&place, &answer);
        assert!(!error.to_string().contains("swordfish"), "{error}");
    }
}

/// A proxy may put what it was asked with into any header.
#[tokio::test]
async fn how_an_answer_is_compressed_is_shown_without_secrets() {
    use crate::source::remote::fake;
    let address = fake::web(|_, client| {
        let headers = format!("Content-Encoding: swordfish-{}\r\n", "x".repeat(1000));
        client.write_all(&fake::found(&headers, "{}")).unwrap();
    });
    let place = Remote::new(flux_syntax::Scheme::Https).host(address.to_string());
    let place = place.password("swordfish");
    let http = Http::new(&place).await.unwrap();
    let refused = http
        .get(&place, "/", [], ANSWER)
        .await
        .map(|answer| answer.status);
    let text = refused.unwrap_err().to_string();
    assert!(
        text.contains("compressed (***-xx") && text.len() < 500,
        "{text}"
    );
}
